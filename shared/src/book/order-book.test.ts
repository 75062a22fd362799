import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrderBook, type BookSide } from './order-book.ts';

/** A side of a book as nobody would build it: a map, sorted at each look. */
class NaiveSide {
  readonly #sign: 1 | -1;
  #levels = new Map<number, number>();

  constructor(side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? 1 : -1;
  }

  set(ticks: number, lots: number): void {
    if (lots === 0) this.#levels.delete(ticks);
    else this.#levels.set(ticks, lots);
  }

  apply(levels: readonly number[]): void {
    for (let i = 0; i < levels.length; i += 2) this.set(levels[i]!, levels[i + 1]!);
  }

  load(levels: readonly number[]): void {
    this.#levels = new Map();
    this.apply(levels);
  }

  truncate(depth: number): void {
    this.#levels = new Map(this.sorted().slice(0, depth));
  }

  sorted(): [ticks: number, lots: number][] {
    return [...this.#levels].sort(([a], [b]) => (b - a) * this.#sign);
  }

  lotsAtPrice(ticks: number): number {
    return this.#levels.get(ticks) ?? 0;
  }

  rankOf(ticks: number): number {
    return [...this.#levels.keys()].filter((other) => (other - ticks) * this.#sign > 0).length;
  }
}

const price = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -40, max: 40 }) },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
);
const size = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
);
/** Unsorted, with repeats and with deletes of levels that are not there. */
const levels = fc.array(fc.tuple(price, size), { maxLength: 20 }).map((pairs) => pairs.flat());
const manyLevels = fc.array(fc.tuple(price, size), { maxLength: 150 }).map((pairs) => pairs.flat());

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('delta' as const), bids: levels, asks: levels }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('snapshot' as const), bids: manyLevels, asks: manyLevels }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('truncate' as const), depth: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'clear' as const }) },
);

function expectSame(side: BookSide, naive: NaiveSide): void {
  const sorted = naive.sorted();
  expect(side.count).toBe(sorted.length);
  expect(side.toFlat()).toStrictEqual(sorted.flat());
  expect(side.toFlat(3)).toStrictEqual(sorted.slice(0, 3).flat());
  expect(topOf(side, 5)).toStrictEqual(sorted.slice(0, 5));
  sorted.forEach(([ticks, lots], rank) => {
    expect(side.ticksAt(rank)).toBe(ticks);
    expect(side.lotsAt(rank)).toBe(lots);
    expect(side.rankOf(ticks)).toBe(rank);
    expect(side.lotsAtPrice(ticks)).toBe(lots);
  });
  for (let ticks = -41; ticks <= 41; ticks += 3) {
    expect(side.lotsAtPrice(ticks)).toBe(naive.lotsAtPrice(ticks));
    expect(side.rankOf(ticks)).toBe(naive.rankOf(ticks));
  }
}

function topOf(side: BookSide, depth: number): [ticks: number, lots: number][] {
  const ticks = new Float64Array(depth);
  const lots = new Float64Array(depth);
  const count = side.top(depth, ticks, lots);
  return Array.from({ length: count }, (_, rank) => [ticks[rank]!, lots[rank]!]);
}

/** Prices that wander, so that levels at the touch go and come back; each look is a chance to tidy up. */
const wandering = fc.array(
  fc.record({
    shift: fc.integer({ min: -3, max: 3 }),
    levels: fc.oneof(
      { weight: 5, arbitrary: fc.array(fc.tuple(fc.nat(30), fc.nat(2)), { maxLength: 12 }) },
      { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(400), fc.nat(1)), { maxLength: 300, size: 'max' }) },
    ),
    look: fc.constantFrom('none', 'none', 'top', 'rank', 'depth', 'all'),
  }),
  { maxLength: 120 },
);

describe('OrderBook', () => {
  test.each([1, 999_983, 2 ** 33 + 1])(
    'equals a sorted map where prices wander in steps of %d ticks',
    (step) => {
      fc.assert(
        fc.property(wandering, fc.constantFrom('bid' as const, 'ask' as const), (changes, which) => {
          const side = new OrderBook()[which === 'bid' ? 'bids' : 'asks'];
          const naive = new NaiveSide(which);
          let from = 0;
          for (const { shift, levels, look } of changes) {
            from += shift;
            for (const [place, lots] of levels) {
              side.set((from + place) * step, lots);
              naive.set((from + place) * step, lots);
            }
            if (look === 'top') expect(topOf(side, 4)).toStrictEqual(naive.sorted().slice(0, 4));
            else if (look === 'rank' && side.count > 0)
              expect(side.ticksAt(side.count >> 1)).toBe(naive.sorted()[side.count >> 1]![0]);
            else if (look === 'depth') {
              side.truncate(20);
              naive.truncate(20);
            } else if (look === 'all') expectSame(side, naive);
          }
          expectSame(side, naive);
        }),
        { numRuns: 100 },
      );
    },
  );

  test('memory stays as it was where a price wanders for long', () => {
    const book = new OrderBook();
    for (let i = 0; i < 200_000; i++) book.applyDelta([i, 1, i - 100, 0], [i + 1, 1, i - 99, 0]);
    expect(book.bids.toFlat(2)).toEqual([199_999, 1, 199_998, 1]);
    expect(book.bids.count).toBe(100);
    expect(book.bids.capacity).toBeLessThanOrEqual(256);
  });

  test('equals a sorted map after any run of snapshots, deltas and cuts', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
        const book = new OrderBook();
        const bids = new NaiveSide('bid');
        const asks = new NaiveSide('ask');
        for (const change of steps) {
          switch (change.type) {
            case 'delta':
              book.applyDelta(change.bids, change.asks);
              bids.apply(change.bids);
              asks.apply(change.asks);
              break;
            case 'snapshot':
              book.loadSnapshot(change.bids, change.asks);
              bids.load(change.bids);
              asks.load(change.asks);
              break;
            case 'truncate':
              book.bids.truncate(change.depth);
              book.asks.truncate(change.depth);
              bids.truncate(change.depth);
              asks.truncate(change.depth);
              break;
            case 'clear':
              book.clear();
              bids.truncate(0);
              asks.truncate(0);
              break;
          }
          expectSame(book.bids, bids);
          expectSame(book.asks, asks);
          const bestBid = bids.sorted()[0]?.[0] ?? null;
          const bestAsk = asks.sorted()[0]?.[0] ?? null;
          expect(book.bestBid).toBe(bestBid);
          expect(book.bestAsk).toBe(bestAsk);
          expect(book.isCrossed).toBe(bestBid !== null && bestAsk !== null && bestBid >= bestAsk);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('reads typed arrays as it reads plain ones', () => {
    const book = new OrderBook();
    book.loadSnapshot(Float64Array.of(100, 5, 99, 7), Int32Array.of(101, 3));
    book.applyDelta(Float64Array.of(100, 0), []);
    expect(book.bids.toFlat()).toEqual([99, 7]);
    expect(book.asks.toFlat()).toEqual([101, 3]);
  });

  test.each([
    ['best first', [103, 1, 102, 2, 101, 3]],
    ['best last', [101, 3, 102, 2, 103, 1]],
    ['in no order', [102, 2, 101, 3, 103, 1]],
    ['with empty levels', [104, 0, 103, 1, 102, 2, 101, 3, 100, 0]],
  ])('loads a snapshot %s', (_, bids) => {
    const book = new OrderBook();
    book.loadSnapshot([50, 1, 49, 1], []);
    book.loadSnapshot(bids, []);
    expect(book.bids.toFlat()).toEqual([103, 1, 102, 2, 101, 3]);
  });

  test.each([
    ['best first', [103, 1, 102, 2, 102, 5]],
    ['best last', [102, 2, 102, 5, 103, 1]],
    ['far apart', [102, 2, 103, 1, 101, 9, 102, 5, 101, 0]],
  ])('the last word counts where a snapshot names a price twice, %s', (_, bids) => {
    const book = new OrderBook();
    book.loadSnapshot(bids, []);
    expect(book.bids.toFlat()).toEqual([103, 1, 102, 5]);
  });

  test('a price at zero is plain zero on both sides', () => {
    const book = new OrderBook();
    book.loadSnapshot([0, 1], [0, 1]);
    expect([book.bestBid, book.bestAsk]).toStrictEqual([0, 0]);
  });

  test('grows far past its first capacity', () => {
    const book = new OrderBook();
    for (let i = 0; i < 5_000; i++) book.applyDelta([(i * 7_919) % 5_000, i + 1], []);
    expect(book.bids.count).toBe(5_000);
    const prices = book.bids.toFlat().filter((_, index) => index % 2 === 0);
    expect(prices).toEqual(Array.from({ length: 5_000 }, (_, i) => 4_999 - i));
  });

  test('holds round sizes past 2^53', () => {
    const book = new OrderBook();
    book.loadSnapshot([1, 11_271_600_000_000_000], []);
    expect(book.bids.lotsAtPrice(1)).toBe(11_271_600_000_000_000);
  });

  const wrongLevels: [string, number[]][] = [
    ['half a level', [100, 5, 99]],
    ['a fraction of a tick', [100.5, 1]],
    ['a fraction of a lot', [100, 1.5]],
    ['a size below zero', [100, -1]],
    ['no number', [Number.NaN, 1]],
    ['an infinite size', [100, Infinity]],
    ['a price past 2^53', [2 ** 53, 1]],
    ['a size past 2^63', [100, 2 ** 63]],
    ['a text', ['100' as unknown as number, 1]],
    ['a big integer', [100, 9, 99, 7n as unknown as number]],
    ['a big integer as price', [100, 9, 99n as unknown as number, 7]],
    ['a wrong level behind right ones', [100, 1, 99, 2, 98, Number.NaN]],
  ];
  test.each(wrongLevels)('refuses %s and leaves the book as it was', (_, wrong) => {
    const book = new OrderBook();
    book.loadSnapshot([100, 5, 99, 7], [101, 3]);
    for (const change of [
      () => book.applyDelta(wrong, [105, 1]),
      () => book.applyDelta([100, 9], wrong),
      () => book.loadSnapshot(wrong, [105, 1]),
      () => book.loadSnapshot([90, 1], wrong),
    ]) {
      expect(change).toThrow(expect.objectContaining({ code: 'invalid_event' }));
      expect(book.bids.toFlat()).toEqual([100, 5, 99, 7]);
      expect(book.asks.toFlat()).toEqual([101, 3]);
    }
  });

  test('knows a touching book for a crossed one, and a one-sided book for none', () => {
    const book = new OrderBook();
    book.loadSnapshot([100, 1], [101, 1]);
    expect(book.isCrossed).toBe(false);
    book.applyDelta([101, 1], []);
    expect(book.isCrossed).toBe(true);
    book.applyDelta([], [101, 0]);
    expect(book.isCrossed).toBe(false);
    expect(book.bestAsk).toBeNull();
  });
});
