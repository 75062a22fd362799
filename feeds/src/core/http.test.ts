import type { ServerResponse } from 'node:http';
import { DepthwireError } from '@depthwire/shared';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startLoopbackServer, type LoopbackServer } from '../kit/index.ts';
import { HttpQueue } from './http.ts';
import { startWire } from './past-test-harness.ts';
import type { HttpResponse } from './venue.ts';
import { VirtualClock } from './virtual-clock.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');

let server: LoopbackServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

async function serve(answer: (path: string, response: ServerResponse) => void): Promise<string> {
  server = await startLoopbackServer({
    onRequest: (url, response) => answer(url.pathname, response),
    onSocket: (socket) => socket.terminate(),
  });
  return server.rest;
}

/** A queue on a virtual clock, and what came back with the time at which it did. */
function startQueue(spacingMs: number, fetch?: typeof globalThis.fetch) {
  const clock = new VirtualClock(START_MS);
  let isUnderWay = false;
  const watched: typeof globalThis.fetch = (...request) => {
    isUnderWay = true;
    return (fetch ?? globalThis.fetch)(...request);
  };
  const queue = new HttpQueue({ clock, spacingMs, fetch: watched });
  const results: { url: string; atMs: number; result: HttpResponse | DepthwireError }[] = [];
  return {
    clock,
    queue,
    results,
    get(url: string, spacing?: number) {
      const callback = (result: HttpResponse | DepthwireError) => {
        isUnderWay = false;
        results.push({ url, atMs: clock.now() - START_MS, result });
      };
      queue.get(url, callback, spacing);
    },
    /** Moves from timer to timer until so many answers are there; while one is under way, time stands. */
    async answers(count: number) {
      while (results.length < count) {
        const due = clock.nextDueMs();
        if (isUnderWay || due === null)
          await vi.waitFor(() => expect(!isUnderWay || results.length >= count).toBe(true), { interval: 1 });
        else clock.advanceTo(due);
      }
      return results.map(({ result }) => result);
    },
  };
}

/** A server of its own making, for answers that need no socket. */
const answering =
  (...answers: (() => Response)[]): typeof globalThis.fetch =>
  () => {
    const answer = answers.shift();
    return answer ? Promise.resolve(answer()) : Promise.reject(new Error('no answer left'));
  };

describe('HttpQueue', () => {
  it('asks one at a time, in order, no closer than the spacing', async () => {
    let open = 0;
    let mostOpen = 0;
    const asked: string[] = [];
    const base = await serve((path, response) => {
      asked.push(path);
      mostOpen = Math.max(mostOpen, ++open);
      setImmediate(() => {
        open -= 1;
        response.end(path);
      });
    });
    const run = startQueue(100);
    for (const path of ['/1', '/2', '/3']) run.get(base + path);
    await run.answers(3);
    expect(asked).toEqual(['/1', '/2', '/3']);
    expect(mostOpen).toBe(1);
    expect(run.results.map(({ atMs }) => atMs)).toEqual([0, 100, 200]);
    expect(run.results.map(({ result }) => (result as HttpResponse).body)).toEqual(['/1', '/2', '/3']);
  });

  it('keeps the spacing between a request and one that comes after the queue ran empty', async () => {
    const base = await serve((_path, response) => response.end());
    const run = startQueue(100);
    run.get(base);
    await run.answers(1);
    run.clock.advanceTo(START_MS + 30);
    run.get(base);
    await run.answers(2);
    expect(run.results[1]!.atMs).toBe(100);
  });

  it.each([
    ['seconds', '7', 7_000],
    ['a date', new Date(START_MS + 9_000).toUTCString(), 9_000],
    ['a date that has passed', new Date(START_MS - 9_000).toUTCString(), 0],
    ['a value that makes no sense', 'soon', null],
    ['no value', null, null],
  ])('tells Retry-After given as %s in milliseconds', async (_name, header, expected) => {
    const base = await serve((_path, response) => {
      if (header !== null) response.setHeader('retry-after', header);
      response.writeHead(503).end();
    });
    const run = startQueue(0);
    run.get(base);
    const [result] = await run.answers(1);
    expect(result).toMatchObject({ status: 503, retryAfterMs: expected });
  });

  it.each([429, 418])('after %i asks nothing before the time the venue names', async (status) => {
    let count = 0;
    const base = await serve((_path, response) => {
      count += 1;
      if (count === 1) response.writeHead(status, { 'retry-after': '30' });
      response.end('{}');
    });
    const run = startQueue(100);
    run.get(`${base}/a`);
    run.get(`${base}/b`);
    await run.answers(1);
    run.clock.advanceTo(START_MS + 29_999);
    expect(count).toBe(1);
    await run.answers(2);
    expect(run.results.map(({ atMs }) => atMs)).toEqual([0, 30_000]);
    expect(run.results.map(({ result }) => (result as HttpResponse).status)).toEqual([status, 200]);
  });

  it.each([429, 418])('after %i without a Retry-After waits a minute', async (status) => {
    const run = startQueue(
      100,
      answering(
        () => new Response('', { status }),
        () => new Response('ok'),
      ),
    );
    run.get('http://venue.test/a');
    run.get('http://venue.test/b');
    await run.answers(2);
    expect(run.results.map(({ atMs }) => atMs)).toEqual([0, 60_000]);
  });

  it('does not slow down after other failures', async () => {
    const run = startQueue(
      100,
      answering(
        () => new Response('', { status: 500 }),
        () => new Response('ok'),
      ),
    );
    run.get('http://venue.test/a');
    run.get('http://venue.test/b');
    await run.answers(2);
    expect(run.results[1]!.atMs).toBe(100);
  });

  it('tells a refused connection as an error that a retry can mend', async () => {
    const base = await serve(() => {});
    await server!.close();
    server = null;
    const run = startQueue(0);
    run.get(base);
    const [error] = await run.answers(1);
    expect(error).toBeInstanceOf(DepthwireError);
    expect(error).toMatchObject({ code: 'venue_http', retry: true });
    expect((error as DepthwireError).message).toMatch(/ECONNREFUSED/);
  });

  it('tells a connection cut in the middle of an answer as an error, and goes on', async () => {
    let count = 0;
    const base = await serve((_path, response) => {
      count += 1;
      if (count > 1) {
        response.end('whole');
        return;
      }
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    const run = startQueue(0);
    run.get(base);
    run.get(base);
    const [first, second] = await run.answers(2);
    expect(first).toMatchObject({ code: 'venue_http' });
    expect(second).toMatchObject({ status: 200, body: 'whole' });
  });

  it.each([
    ['an answer that does not come', () => {}],
    ['an answer that does not end', (response: ServerResponse) => response.write('half')],
  ])('gives up %s, and asks for the next', async (_name, stall) => {
    let count = 0;
    const base = await serve((_path, response) => {
      count += 1;
      if (count === 1) stall(response);
      else response.end('whole');
    });
    const run = startQueue(0);
    run.get(base);
    run.get(base);
    run.clock.advanceTo(START_MS);
    await vi.waitFor(() => expect(count).toBe(1), { interval: 1 });
    run.clock.advanceTo(START_MS + 9_999);
    expect(run.results).toEqual([]);
    run.clock.advanceTo(START_MS + 10_000);
    const [first, second] = await run.answers(2);
    expect(first).toMatchObject({
      code: 'venue_http',
      message: expect.stringContaining('no answer within 10 s') as string,
    });
    expect(second).toMatchObject({ body: 'whole' });
  });

  it('waits longer after a request that costs more', async () => {
    const run = startQueue(
      100,
      answering(
        () => new Response('a'),
        () => new Response('b'),
        () => new Response('c'),
      ),
    );
    run.get('http://venue.test/a', 700);
    run.get('http://venue.test/b');
    run.get('http://venue.test/c');
    await run.answers(3);
    expect(run.results.map(({ atMs }) => atMs)).toEqual([0, 700, 800]);
  });

  it('tells a redirect as an error', async () => {
    const base = await serve((_path, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    const run = startQueue(0);
    run.get(base);
    expect((await run.answers(1))[0]).toMatchObject({ code: 'venue_http' });
  });

  it('gives up an answer that is larger than it holds', async () => {
    const chunk = new Uint8Array(2 ** 20);
    let sent = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 1;
            controller.enqueue(chunk);
          },
        }),
      );
    const run = startQueue(0, answering(endless));
    run.get('http://venue.test/');
    const [error] = await run.answers(1);
    expect(error).toMatchObject({ code: 'venue_http' });
    expect((error as DepthwireError).message).toMatch(/larger than/);
    expect(sent).toBeLessThan(80);
  });

  it('reads a character that two chunks share', async () => {
    const bytes = new TextEncoder().encode('€');
    const halves = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, 1));
        controller.enqueue(bytes.slice(1));
        controller.close();
      },
    });
    const run = startQueue(
      0,
      answering(() => new Response(halves)),
    );
    run.get('http://venue.test/');
    expect((await run.answers(1))[0]).toMatchObject({ body: '€' });
  });

  it('refuses a request when too many wait', () => {
    const run = startQueue(1_000, () => new Promise(() => {}));
    for (let i = 0; i < 2_000; i++) run.get('http://venue.test/');
    expect(run.results).toHaveLength(0);
    run.get('http://venue.test/one-too-many');
    expect(run.results[0]).toMatchObject({
      url: 'http://venue.test/one-too-many',
      result: { code: 'venue_http' },
    });
    run.queue.close();
  });

  it('runs no callback once closed, not for what is on its way either', async () => {
    const base = await serve(() => {});
    const run = startQueue(0);
    run.get(`${base}/a`);
    run.get(`${base}/b`);
    run.clock.advanceTo(START_MS);
    run.queue.close();
    run.get(`${base}/c`);
    run.clock.advanceTo(START_MS + 100_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run.results).toEqual([]);
  });

  it('leaves no timer behind when it is closed while the venue makes it wait', async () => {
    const run = startQueue(
      100,
      answering(() => new Response('', { status: 429 })),
    );
    run.get('http://venue.test/a');
    run.get('http://venue.test/b');
    await run.answers(1);
    expect(run.clock.nextDueMs()).toBe(START_MS + 60_000);
    run.queue.close();
    expect(run.clock.nextDueMs()).toBeNull();
  });
});

describe('HttpQueue, requests that can wait', () => {
  const never = new AbortController().signal;
  const url = (path: string) => `http://venue.test${path}`;

  it('begin only when nothing else is asked or waits to be', async () => {
    const { http, asked, paths, pass } = startWire(100);
    http.get(url('/a'), () => {});
    void http.getLater(url('/past'), never);
    await pass(0);
    http.get(url('/b'), () => {});
    await asked[0]!.answer('a');
    await pass(100);
    expect(paths()).toEqual(['/a', '/b']);
    await asked[1]!.answer('b');
    await pass(100);
    expect(paths()).toEqual(['/a', '/b', '/past']);
    expect(asked[2]!.atMs).toBe(200);
  });

  it('hold up no other while their answer does not come', async () => {
    const { http, paths, pass } = startWire(100);
    void http.getLater(url('/past'), never);
    await pass(0);
    http.get(url('/book'), () => {});
    await pass(99);
    expect(paths()).toEqual(['/past']);
    await pass(1);
    expect(paths()).toEqual(['/past', '/book']);
  });

  it('keep to a spacing of their own, which is not that of others', async () => {
    const { http, asked, pass } = startWire(100);
    void http.getLater(url('/1'), never, 4_000);
    void http.getLater(url('/2'), never, 4_000);
    await pass(0);
    await asked[0]!.answer('1');
    http.get(url('/book'), () => {});
    await pass(100);
    await asked[1]!.answer('book');
    await pass(3_899);
    expect(asked).toHaveLength(2);
    await pass(1);
    expect(asked.map(({ path, atMs }) => [path, atMs])).toEqual([
      ['/1', 0],
      ['/book', 100],
      ['/2', 4_000],
    ]);
  });

  it('take turns, where each asks for its next page when it has one', async () => {
    const { http, asked, paths, pass } = startWire(0);
    const follow = async (name: string) => {
      for (let page = 1; page <= 3; page++) await http.getLater(url(`/${name}${page}`), never);
    };
    void follow('a');
    void follow('b');
    for (let i = 0; i < 6; i++) {
      await pass(1);
      await asked[i]!.answer('');
    }
    expect(paths()).toEqual(['/a1', '/b1', '/a2', '/b2', '/a3', '/b3']);
  });

  it.each([429, 418])('are told to wait by %i, and so is everything else', async (status) => {
    const { http, asked, paths, pass } = startWire(100);
    const answer = http.getLater(url('/past'), never);
    await pass(0);
    http.get(url('/book'), () => {});
    await asked[0]!.answer('', status, { 'retry-after': '30' });
    expect(await answer).toMatchObject({ status, retryAfterMs: 30_000 });
    void http.getLater(url('/past'), never);
    await pass(29_999);
    expect(paths()).toEqual(['/past']);
    await pass(1);
    await asked[1]!.answer('');
    await pass(100);
    expect(paths()).toEqual(['/past', '/book', '/past']);
  });

  it('are not asked any more once nobody waits for them', async () => {
    const { http, asked, paths, pass } = startWire(100);
    const [first, second] = [new AbortController(), new AbortController()];
    const answers = [first, second].map(({ signal }) => http.getLater(url('/past'), signal));
    const refused = answers.map((answer) => expect(answer).rejects.toMatchObject({ code: 'venue_http' }));
    await pass(0);
    second.abort();
    first.abort();
    await Promise.all(refused);
    expect(asked[0]!.isAborted()).toBe(true);
    await pass(10_000);
    expect(paths()).toEqual(['/past']);
    await expect(http.getLater(url('/past'), first.signal)).rejects.toMatchObject({ code: 'venue_http' });
  });

  it('end with the queue', async () => {
    const { http, asked, pass } = startWire(100);
    const answers = ['/1', '/2'].map((path) => http.getLater(url(path), never));
    const refused = answers.map((answer) => expect(answer).rejects.toMatchObject({ code: 'venue_http' }));
    await pass(0);
    http.close();
    await Promise.all(refused);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.isAborted()).toBe(true);
  });

  it('are refused past a limit', async () => {
    const { http } = startWire(100);
    for (let i = 0; i <= 500; i++) http.getLater(url(`/${i}`), never).catch(() => undefined);
    await expect(http.getLater(url('/more'), never)).rejects.toThrow('500 requests that can wait already do');
    http.close();
  });
});
