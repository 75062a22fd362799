import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, depthColumn, type DepthColumn, type TradedInPeriod } from './depth-column.ts';
import { OrderBook } from '../book/order-book.ts';
import { decodeDepthColumns, DepthEncoder, type DepthRecord } from './depth-records.ts';
import { codeOfLots, lotsOfCode } from './rounded-lots.ts';

const TIME = 1_700_000_000_000;
const BUCKETS = 24;

const side = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 10 ** 9 })), {
  maxLength: 12,
});
const traded = fc.option(
  fc.record({
    low: fc.integer({ min: -900, max: 900 }),
    high: fc.integer({ min: -900, max: 900 }),
    last: fc.integer({ min: -900, max: 900 }),
    bought: fc.maxSafeNat(),
    sold: fc.nat(),
  }),
);
/** Columns of a book that moves a little or far, with holes, empty sides and seconds without a trade. */
const someColumns = fc
  .record({
    step: fc.integer({ min: 1, max: 9 }),
    moments: fc.array(
      fc.record({
        periods: fc.integer({ min: 1, max: 4 }),
        touch: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -(10 ** 9), max: 10 ** 9 })),
        bids: side,
        asks: side,
        traded,
      }),
      { minLength: 1, maxLength: 20 },
    ),
  })
  .map(({ step, moments }) => {
    let time = TIME;
    return moments.map(({ periods, touch, bids, asks, traded }): DepthColumn => {
      const book = new OrderBook();
      for (const [away, lots] of bids) book.bids.set(touch - away, lots);
      for (const [away, lots] of asks) book.asks.set(touch + away, lots);
      time += periods * 1_000;
      return depthColumn(time, book, step, traded as TradedInPeriod | null, BUCKETS);
    });
  });

function encoded(columns: readonly DepthColumn[]) {
  const run = { time: columns[0]!.time, step: columns[0]!.step, buckets: BUCKETS };
  const encoder = new DepthEncoder(run);
  return { run, records: columns.map((column) => encoder.encode(column)) };
}

const rounded = (sizes: ArrayLike<number>) =>
  Float64Array.from(sizes, (lots) => lotsOfCode(codeOfLots(lots)));
const asKept = (column: DepthColumn): DepthColumn => ({
  ...column,
  bids: rounded(column.bids),
  asks: rounded(column.asks),
});

test('columns come back as they were, but for the rounding of their sizes', () => {
  fc.assert(
    fc.property(someColumns, (columns) => {
      const { run, records } = encoded(columns);
      const overTheWire = JSON.parse(JSON.stringify(records)) as DepthRecord[];
      expect(decodeDepthColumns({ ...run, columns: overTheWire })).toEqual(columns.map(asKept));
    }),
  );
});

test('what was read once is written the same again', () => {
  fc.assert(
    fc.property(someColumns, (columns) => {
      const { run, records } = encoded(columns);
      expect(encoded(decodeDepthColumns({ ...run, columns: records })).records).toEqual(records);
    }),
  );
});

test('a book that stands still takes next to nothing, one that moves by a bucket little', () => {
  const book = new OrderBook();
  book.loadSnapshot([100, 5, 99, 6, 98, 7], [101, 5, 102, 6]);
  const still = [0, 1].map((second) => depthColumn(TIME + 1_000 * second, book, 1));
  book.applyDelta([100, 0], []);
  book.applyDelta([], [102, 9]);
  const moved = depthColumn(TIME + 5_000, book, 1);
  expect(encoded([...still, moved]).records).toEqual([
    [0, 100, 101, [0, 5, 0, 6, 0, 7], [0, 5, 0, 6]],
    [1, 0, 0, [], []],
    [4, -1, 0, [], [1, 3]],
  ]);
  expect(bucketOf(moved.bid!, 1)).toBe(99);
});

test.each<[string, unknown]>([
  ['a fraction', [0.5, 100, 101, [], []]],
  ['no number', [0, '100', 101, [], []]],
  ['half a pair', [0, 100, 101, [0], []]],
  ['a bucket out of reach', [0, 100, 101, [BUCKETS, 1], []]],
  ['a bucket before the first', [0, 100, 101, [3, 1, -2, 1], []]],
  ['less than nothing', [0, 100, 101, [], [0, -1]]],
  ['no list', [0, 100, 101, 'all', []]],
  ['trades that are none', [0, 100, 101, [], [], [1, 2, 'x', 3, 4]]],
])('%s is refused', (_, record) => {
  const run = { time: TIME, step: 1, buckets: BUCKETS };
  expect(() => decodeDepthColumns({ ...run, columns: [record as DepthRecord] })).toThrow(
    expect.objectContaining({ code: 'malformed_frame' }),
  );
});
