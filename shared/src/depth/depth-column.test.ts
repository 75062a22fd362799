import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BookReplica } from '../client/replica.ts';
import type { Lots, Ticks } from '../model/units.ts';
import { encodeLevels } from '../protocol/levels.ts';
import { frameCodes, wireStateOf } from '../protocol/messages.ts';
import { bookChecksum } from '../book/checksum.ts';
import {
  depthColumn,
  depthPeriodOf,
  depthStep,
  groupDepthColumn,
  groupedBuckets,
  TradeTally,
} from './depth-column.ts';
import { OrderBook } from '../book/order-book.ts';

const TIME = 1_700_000_000_000;

function bookOf(bids: readonly number[], asks: readonly number[]): OrderBook {
  const book = new OrderBook();
  book.loadSnapshot(bids, asks);
  return book;
}

/** A book that is not crossed: bids below some price, asks from there on; levels that were removed among them. */
const someBook = fc
  .record({
    touch: fc.integer({ min: -300, max: 300 }),
    bids: fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 1_000_000 }))),
    asks: fc.array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 1_000_000 }))),
    removed: fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 5 }),
  })
  .map(({ touch, bids, asks, removed }) => {
    const book = new OrderBook();
    for (const [away, lots] of bids) book.bids.set(touch - away, lots);
    for (const [away, lots] of asks) book.asks.set(touch + away, lots);
    for (const away of removed) {
      book.bids.set(touch - away, 0);
      book.asks.set(touch + away, 0);
    }
    return book;
  });
const someStep = fc.integer({ min: 1, max: 37 });

/** Bucket and lots of each level, added up as nobody would for speed. */
function naive(flat: readonly number[], step: number): Map<number, number> {
  const sums = new Map<number, number>();
  for (let i = 0; i < flat.length; i += 2) {
    const bucket = Math.floor(flat[i]! / step);
    sums.set(bucket, (sums.get(bucket) ?? 0) + flat[i + 1]!);
  }
  return sums;
}

function sums(best: number | null, sizes: ArrayLike<number>, direction: -1 | 1, step: number) {
  const found = new Map<number, number>();
  for (let i = 0; i < sizes.length; i++)
    if (sizes[i] !== 0) found.set(Math.floor(best! / step) + direction * i, sizes[i]!);
  return found;
}

describe('a column', () => {
  test('has the lots of all levels in reach, each in the bucket of its price', () => {
    fc.assert(
      fc.property(someBook, someStep, fc.integer({ min: 1, max: 300 }), (book, step, buckets) => {
        const { bid, ask, bids, asks, ...column } = depthColumn(TIME, book, step, null, buckets);
        expect(column).toEqual({ time: TIME, step, traded: null });
        expect([bid, ask]).toEqual([book.bestBid, book.bestAsk]);
        const inReach = (flat: number[], best: number | null, direction: -1 | 1) =>
          [...naive(flat, step)].filter(
            ([bucket]) => (bucket - Math.floor(best! / step)) * direction < buckets,
          );
        const expectedBids = new Map(inReach(book.bids.toFlat(), bid, -1));
        const expectedAsks = new Map(inReach(book.asks.toFlat(), ask, 1));
        expect(sums(bid, bids, -1, step)).toEqual(expectedBids);
        expect(sums(ask, asks, 1, step)).toEqual(expectedAsks);
        for (const sizes of [bids, asks]) {
          expect(sizes.length).toBeLessThanOrEqual(buckets);
          if (sizes.length > 0) expect(sizes[sizes.length - 1]).toBeGreaterThan(0);
        }
      }),
    );
  });

  test('grouped by a multiple is the one that is made with that step', () => {
    fc.assert(
      fc.property(someBook, someStep, fc.integer({ min: 1, max: 12 }), (book, step, multiple) => {
        const grouped = groupDepthColumn(depthColumn(TIME, book, step, null, 1_000), multiple);
        expect(grouped).toEqual(depthColumn(TIME, book, step * multiple, null, 1_000));
      }),
    );
  });

  test('grouped has no more buckets than it says', () => {
    fc.assert(
      fc.property(
        someBook,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        (book, buckets, multiple) => {
          const grouped = groupDepthColumn(depthColumn(TIME, book, 1, null, buckets), multiple);
          const most = groupedBuckets(multiple, buckets);
          expect(Math.max(grouped.bids.length, grouped.asks.length)).toBeLessThanOrEqual(most);
        },
      ),
    );
  });

  test('of a replica is that of the book that it is a copy of', () => {
    fc.assert(
      fc.property(someBook, someStep, (book, step) => {
        const replica = new BookReplica();
        const reference = book.bestBid ?? book.bestAsk ?? 0;
        const levels = [
          encodeLevels(book.bids.toFlat(), -1, reference),
          encodeLevels(book.asks.toFlat(), 1, reference),
        ];
        const head = [frameCodes.bookSnapshot, 1, 1, wireStateOf('live'), 7, TIME, null, reference];
        expect(replica.apply([...head, ...levels, bookChecksum(book), null])).toBe('applied');
        expect(depthColumn(TIME, replica.book, step)).toEqual(depthColumn(TIME, book, step));
        expect(depthStep(replica.book)).toBe(depthStep(book));
      }),
    );
  });

  test('of a large book reads no more than is in reach', () => {
    const bids = Array.from({ length: 5_000 }, (_, i) => [10_000_000 - i, 1]).flat();
    const column = depthColumn(TIME, bookOf(bids, []), 10);
    expect(column.bids.length).toBe(256);
    expect(column.asks.length).toBe(0);
    // The best price is the first of its bucket.
    expect([column.bids[0], column.bids[1], column.bids[255]]).toEqual([1, 10, 10]);
  });
});

describe('a step', () => {
  const deep = (mid: number, reach: number) =>
    bookOf([mid - 1, 1, mid - reach, 1], [mid + 1, 1, mid + reach, 1]);

  test.each([
    ['of a price with many ticks', deep(9_500_000, 3_000_000), 500],
    ['of a price with few', deep(26_800, 9_000), 2],
    ['of a book that holds little', deep(9_500_000, 200), 1],
    ['of prices below zero', deep(-9_500_000, 3_000_000), 500],
    ['of one side', bookOf([9_500_000, 1, 1, 1], []), 500],
  ])('%s', (_, book, step) => expect(depthStep(book)).toBe(step));

  test('of an empty book is none, or as it was', () => {
    expect(depthStep(new OrderBook())).toBeNull();
    expect(depthStep(new OrderBook(), 20)).toBe(20);
  });

  test('stays while the right one is next to it, and so does not go back and forth', () => {
    expect([200, 500, 1_000].map((current) => depthStep(deep(9_500_000, 3_000_000), current))).toEqual([
      200, 500, 1_000,
    ]);
    expect([100, 2_000, 1].map((current) => depthStep(deep(9_500_000, 3_000_000), current))).toEqual([
      500, 500, 500,
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 10 ** 12 }), (mid) => {
        const right = depthStep(deep(mid, mid))!;
        // The buckets reach 1 % of the price, and not many times as far.
        expect(256 * right).toBeGreaterThanOrEqual(0.0099 * mid);
        if (right > 1) expect(256 * right).toBeLessThanOrEqual(0.026 * mid);
      }),
    );
  });
});

test('a tally has what was traded since it was last taken', () => {
  const tally = new TradeTally();
  expect(tally.take()).toBeNull();
  const trades = [
    [101, 3, 'buy'],
    [99, 2, 'sell'],
    [104, 5, 'buy'],
    [100, 1, 'sell'],
  ] as const;
  for (const [price, size, side] of trades) tally.add(price as Ticks, size as Lots, side);
  expect(tally.take()).toEqual({ low: 99, high: 104, last: 100, bought: 8, sold: 3 });
  expect(tally.take()).toBeNull();
  tally.add(7 as Ticks, (2 ** 60) as Lots, 'sell');
  expect(tally.take()).toMatchObject({ low: 7, high: 7, bought: 0, sold: Number.MAX_SAFE_INTEGER });
});

test('a moment is of the period that it began in', () => {
  expect([1_999.9, 2_000, 2_000.1].map(depthPeriodOf)).toEqual([1_000, 2_000, 2_000]);
});
