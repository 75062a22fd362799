import { sleep } from '../kit/sleep.ts';
import { HttpQueue } from './http.ts';
import { VirtualClock } from './virtual-clock.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');

interface Asked {
  readonly path: string;
  readonly atMs: number;
  readonly isAborted: () => boolean;
  answer(body: string, status?: number, headers?: Record<string, string>): Promise<void>;
}

/** A queue on a virtual clock whose requests are answered by the test. */
export function startWire(spacingMs: number) {
  const clock = new VirtualClock(START_MS);
  const asked: Asked[] = [];
  const settle = async () => {
    for (let i = 0; i < 5; i++) await sleep(0);
  };
  const http = new HttpQueue({
    clock,
    spacingMs,
    fetch: (url, init) =>
      new Promise<Response>((resolve, reject) => {
        const { signal } = init!;
        signal!.addEventListener('abort', () => reject(signal!.reason as Error));
        asked.push({
          path: (url as string).replace('http://venue.test', ''),
          atMs: clock.now() - START_MS,
          isAborted: () => signal!.aborted,
          async answer(body, status = 200, headers = {}) {
            resolve(new Response(body, { status, headers }));
            await settle();
          },
        });
      }),
  });
  return {
    clock,
    http,
    asked,
    settle,
    paths: () => asked.map(({ path }) => path),
    /** Lets so many milliseconds go by. */
    async pass(ms: number) {
      clock.advanceTo(clock.now() + ms);
      await settle();
    },
  };
}
