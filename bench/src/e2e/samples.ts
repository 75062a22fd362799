// Clients that decode what they get, by the client library, and note when each book had which update.
import type { BookSubscription } from '@depthwire/shared';
import { sdkClient } from '../harness/sdk-client.ts';
import { DEPTH, instrumentOf } from './scenario.ts';
import { nowMs, Usage } from '../harness/usage.ts';
import { answerParent } from '../harness/worker.ts';

const CONNECT_LIMIT_MS = 20_000;
const SETTLE_LIMIT_MS = 10_000;
const POLL_MS = 10;

export interface ConnectOptions {
  readonly url: string;
  readonly cadenceMs: number;
  readonly books: readonly number[];
}

/** Rows of `book, first update, last update, time`: what one frame brought, and when it was decoded. */
export const ROW = 4;

/** A book of one client. */
export interface SampledBook {
  readonly book: number;
  readonly state: string;
  readonly resyncs: number;
  readonly sequence: number;
  readonly bids: readonly number[];
  readonly asks: readonly number[];
}

const usage = new Usage();
const subscriptions: { book: number; subscription: BookSubscription }[] = [];
const rows: number[] = [];

const methods = {
  /** Connects one client; resolves once it has all its books. */
  async connect({ url, cadenceMs, books }: ConnectOptions): Promise<void> {
    const client = sdkClient(url);
    client.connect();
    const own = books.map((book) => {
      const subscription = client.book(instrumentOf(book), { depth: DEPTH, cadenceMs });
      let sequence = 0;
      subscription.on('change', () => {
        const at = nowMs();
        const { sequence: newest } = subscription.book;
        // the snapshot is the first, and no update
        if (sequence > 0 && newest > sequence) rows.push(book, sequence + 1, newest, at);
        sequence = newest;
      });
      return { book, subscription };
    });
    subscriptions.push(...own);
    await until(
      () => own.every(({ subscription }) => subscription.book.sequence > 0),
      CONNECT_LIMIT_MS,
      () => `a client has no book: ${own.map(({ subscription }) => subscription.refusal?.message).join()}`,
    );
    for (const { book, subscription } of own) {
      const { cadenceMs: granted } = subscription.granted!;
      if (granted !== cadenceMs) throw new Error(`${instrumentOf(book)} was granted at ${granted} ms`);
    }
  },

  begin: (): void => usage.begin(),
  end: (): { cpu: number } => ({ cpu: usage.end() }),

  /** @param sequences what the books come to in the end, by their number */
  async finish(sequences: readonly number[]): Promise<{ rows: Float64Array; books: SampledBook[] }> {
    const behind = () =>
      subscriptions.filter(({ book, subscription }) => subscription.book.sequence !== sequences[book]);
    await until(
      () => behind().length === 0,
      SETTLE_LIMIT_MS,
      () => {
        const { book, subscription } = behind()[0]!;
        return `${instrumentOf(book)} is at ${subscription.book.sequence} and should be at ${sequences[book]}`;
      },
    );
    return {
      rows: Float64Array.from(rows),
      books: subscriptions.map(({ book, subscription }) => ({
        book,
        state: subscription.state,
        resyncs: subscription.resyncs,
        sequence: subscription.book.sequence,
        bids: subscription.book.bids.toFlat(),
        asks: subscription.book.asks.toFlat(),
      })),
    };
  },
};

export type Samples = typeof methods;

async function until(isTrue: () => boolean, limitMs: number, problem: () => string): Promise<void> {
  const end = nowMs() + limitMs;
  while (!isTrue()) {
    if (nowMs() > end) throw new Error(problem());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

answerParent(methods);
