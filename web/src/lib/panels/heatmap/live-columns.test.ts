import {
  bookChecksum,
  BookSubscription,
  encodeLevels,
  frameCodes,
  OrderBook,
  TradesSubscription,
  type DataFrame,
  type Instrument,
  type WireTrade,
} from '@depthwire/shared';
import type { DepthColumn } from '@depthwire/shared/depth';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LiveColumns } from './live-columns.ts';

const START = 1_760_000_000_000;
const scale = { units: 1, decimals: 2 };
const instrument = { id: 'sim:BTC-USD', tick: scale, lot: scale } as Instrument;
type Host = ConstructorParameters<typeof BookSubscription>[0];
const host: Host = {
  now: () => Date.now() as ReturnType<Host['now']>,
  epoch: 1,
  gateway: 'a',
  requestSnapshot: () => {},
  release: () => {},
};

/** A book and trades as frames bring them, and the columns made of them. */
class Feed {
  readonly columns: DepthColumn[] = [];
  readonly book = new BookSubscription(host, 'book', {
    op: 'subscribe',
    topic: 'book',
    instrument: instrument.id,
  });
  readonly trades = new TradesSubscription(host, 'trades', {
    op: 'subscribe',
    topic: 'trades',
    instrument: instrument.id,
  });
  readonly live = new LiveColumns(this.book, this.trades, {
    step: () => 1,
    now: () => Date.now(),
    onColumn: (column) => this.columns.push(column),
  });
  #seq = 0;
  #tradesSeq = 0;

  connect(): void {
    for (const subscription of [this.book, this.trades])
      subscription.onGranted({
        op: 'subscribed',
        id: 1,
        ch: 1,
        topic: subscription.topic,
        instrument,
        epoch: 1,
        cadence: 250,
      });
  }

  /** @param timeMs since the start */
  snapshot(timeMs: number, bidLots: number): void {
    const book = new OrderBook();
    book.loadSnapshot([99, bidLots], [101, 5]);
    const head = [frameCodes.bookSnapshot, 1, ++this.#seq, 1, 1, START + timeMs, null, 100] as const;
    const levels = [
      encodeLevels([99, bidLots], -1, 100),
      encodeLevels([101, 5], 1, 100),
      bookChecksum(book),
      null,
    ] as const;
    this.book.onFrame([...head, ...levels] as unknown as DataFrame);
  }

  delta(elapsedMs: number, bidLots: number): void {
    const frame = [
      frameCodes.bookDelta,
      1,
      ++this.#seq,
      1,
      elapsedMs,
      0,
      null,
      encodeLevels([99, bidLots], -1, 100),
      [],
    ];
    this.book.onFrame(frame as unknown as DataFrame);
  }

  trade(code: 4 | 5, ...trades: WireTrade[]): void {
    this.trades.onFrame([code, 1, ++this.#tradesSeq, START, trades] as DataFrame);
  }

  /** Second of each column, and the lots of its best bid. */
  get told(): [second: number, lots: number][] {
    return this.columns.map(({ time, bids }) => [(time - START) / 1_000, bids[0]!]);
  }
}

let feed: Feed;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  feed = new Feed();
  feed.connect();
});

afterEach(() => {
  feed.live.close();
  vi.useRealTimers();
});

describe('live columns', () => {
  test('the first frame of a second is the end of the one before', () => {
    feed.snapshot(300, 10);
    feed.delta(450, 20);
    expect(feed.told).toEqual([]);
    feed.delta(250, 30);
    feed.delta(500, 40);
    feed.delta(500, 50);
    expect(feed.told).toEqual([
      [0, 30],
      [1, 50],
    ]);
  });

  test('seconds without a frame are those of a book that stands still', () => {
    feed.snapshot(300, 10);
    feed.delta(700, 20);
    feed.delta(3_000, 30);
    expect(feed.told).toEqual([
      [0, 20],
      [1, 20],
      [2, 20],
      [3, 30],
    ]);
  });

  test('a silent book has its columns in time, a little later', () => {
    feed.snapshot(0, 10);
    vi.advanceTimersByTime(1_500);
    expect(feed.told).toEqual([]);
    vi.advanceTimersByTime(500);
    expect(feed.told).toEqual([[0, 10]]);
    vi.advanceTimersByTime(1_000);
    expect(feed.told).toEqual([
      [0, 10],
      [1, 10],
    ]);
  });

  test('a second whose end was not seen live has none, nor do those before it', () => {
    feed.snapshot(0, 10);
    feed.delta(1_000, 20);
    feed.book.onDisconnected();
    vi.advanceTimersByTime(5_000);
    feed.connect();
    feed.snapshot(6_300, 30);
    feed.delta(700, 40);
    expect(feed.told).toEqual([
      [0, 20],
      [6, 40],
    ]);
  });

  test('trades are those that arrived in the second, not what a snapshot has of the past', () => {
    feed.snapshot(0, 10);
    feed.trade(4, [1, 100, 7, 0, START - 5_000], [2, 100, 2, 0, START + 100]);
    feed.trade(5, [3, 101, 3, 1, START - 800]);
    feed.delta(1_000, 10);
    feed.delta(1_000, 10);
    expect(feed.columns.map(({ traded }) => traded)).toEqual([
      { low: 100, high: 101, last: 101, bought: 2, sold: 3 },
      null,
    ]);
  });

  test('a clock that is set back begins anew', () => {
    feed.snapshot(60_000, 10);
    feed.delta(1_000, 20);
    feed.snapshot(500, 30);
    feed.delta(500, 40);
    expect(feed.told).toEqual([
      [60, 20],
      [0, 40],
    ]);
  });
});
