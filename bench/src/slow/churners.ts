// Clients of the SDK whose connection breaks every second, and which come back at once.
import type { BookSubscription, DepthwireClient } from '@depthwire/shared';
import type { WebSocket } from 'ws';
import { BookNotes, type Checksums, type Comparison } from '../harness/book-notes.ts';
import { sdkClient } from '../harness/sdk-client.ts';
import { Usage } from '../harness/usage.ts';
import { answerParent } from '../harness/worker.ts';

const EVERY_MS = 1_000;
const LIVE_LIMIT_MS = 15_000;
const POLL_MS = 50;

export interface ChurnOptions {
  readonly url: string;
  readonly clients: readonly (readonly string[])[];
  readonly depth: number;
  readonly cadenceMs: number;
}

interface Churner {
  readonly client: DepthwireClient;
  readonly books: readonly BookSubscription[];
  socket: WebSocket | null;
}

const usage = new Usage();
const notes = new BookNotes();
let churners: Churner[] = [];
let timers: NodeJS.Timeout[] = [];
let broken = 0;

const methods = {
  async connect({ url, clients, depth, cadenceMs }: ChurnOptions): Promise<void> {
    churners = clients.map((instruments) => {
      const client = sdkClient(url, (socket) => (churner.socket = socket));
      const books = instruments.map((instrument) => client.book(instrument, { depth, cadenceMs }));
      const churner: Churner = { client, books, socket: null };
      client.on('state', (state) => {
        if (state === 'waiting') setImmediate(() => client.reconnectNow());
      });
      client.connect();
      return churner;
    });
    await allLive();
  },

  /** Breaks the connections, one after the other, each once a second. */
  begin(): void {
    usage.begin();
    broken = 0;
    timers = churners.map((churner, i) =>
      setTimeout(
        () => {
          const breakOff = () => {
            broken += 1;
            churner.socket?.terminate();
          };
          breakOff();
          timers[i] = setInterval(breakOff, EVERY_MS);
        },
        (EVERY_MS * i) / churners.length,
      ),
    );
  },

  /** Breaks no more; resolves once all have live books again. */
  async end(): Promise<{ broken: number; cpu: number }> {
    for (const timer of timers) clearInterval(timer);
    const cpu = usage.end();
    await allLive();
    return { broken, cpu };
  },

  note: (): void => notes.followAll(churners.flatMap(({ books }) => books)),
  compare: (served: ReadonlyMap<string, Checksums>): Comparison => notes.compare(served),
  forget: (): void => notes.forget(),

  leave(): void {
    for (const { client } of churners) client.close();
    churners = [];
  },
};

export type Churners = typeof methods;

async function allLive(): Promise<void> {
  const end = performance.now() + LIVE_LIMIT_MS;
  const notLive = () => churners.flatMap(({ books }) => books).find(({ state }) => state !== 'live');
  for (let book = notLive(); book; book = notLive()) {
    if (performance.now() > end)
      throw new Error(`${book.instrumentId} of a client that came back is ${book.state}: ${book.reason}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

answerParent(methods);
