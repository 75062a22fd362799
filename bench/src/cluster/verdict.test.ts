import { expect, test } from 'vitest';
import type { Account, Shown } from './crowd-process.ts';
import { bookKey, candlesOf, digestOf, type TrueTrade } from './truth.ts';
import { verdictOf } from './verdict.ts';

const KEY = bookKey('kraken:BTC-USD', 10);
const [first, second, never] = [
  [
    [100, 5],
    [101, 4],
  ],
  [
    [100, 6],
    [101, 4],
  ],
  [
    [100, 7],
    [101, 4],
  ],
].map(([bids, asks]) => digestOf(bids!, asks!)) as [number, number, number];
const states = new Map([[KEY, { current: second, endedMs: new Map([[first, 1_000]]) }]]);
const quiet: Account = {
  troubleMs: null,
  reconnects: 0,
  resumed: 0,
  snapshots: 0,
  resyncs: 0,
  wentBack: 0,
  differing: 0,
  doubledTrades: 0,
  missedTrades: 0,
  summedTrades: 0,
  wrongCandles: 0,
};
const shown = (books: [number, number][], sequences: [string, number][] = []): Shown => ({
  books: new Map([[KEY, new Map(books)]]),
  sequences: new Map(sequences),
});

test('a book that never was is wrong, one that gave way is as old as that', () => {
  const right = verdictOf(
    [quiet],
    [
      shown([
        [first, 1_250],
        [second, 9_000],
      ]),
    ],
    states,
  );
  expect(right).toMatchObject({ wrongBooks: 0, oldestMs: 250, troubleMs: null });
  expect(verdictOf([quiet], [shown([[never, 1_100]])], states)).toMatchObject({ wrongBooks: 1 });
  const ofNobody: Shown = {
    books: new Map([[bookKey('kraken:BTC-USD', 20), new Map([[first, 1]])]]),
    sequences: new Map(),
  };
  expect(verdictOf([quiet], [ofNobody], states)).toMatchObject({ wrongBooks: 1 });
});

test('two processes whose clients have another book at the same sequence differ', () => {
  const one = shown([], [['a 1 7', first]]);
  expect(verdictOf([quiet, quiet], [one, shown([], [['a 1 7', first]])], states).differing).toBe(0);
  expect(verdictOf([quiet, quiet], [one, shown([], [['a 1 7', second]])], states).differing).toBe(1);
  expect(verdictOf([quiet, quiet], [one, shown([], [['a 2 7', second]])], states).differing).toBe(0);
});

test('the last trouble of any process counts, and counts are sums', () => {
  const accounts = [
    { ...quiet, troubleMs: 500, reconnects: 2 },
    { ...quiet, troubleMs: 700, reconnects: 3, doubledTrades: 1 },
  ];
  expect(verdictOf(accounts, [], states)).toMatchObject({ troubleMs: 700, reconnects: 5, doubledTrades: 1 });
});

test('candles are made of trades as a second way to them', () => {
  const trade = (timeMs: number, price: number, size: number): TrueTrade => ({
    id: 1,
    timeMs,
    price,
    size,
    side: 'buy',
  });
  expect(candlesOf([trade(59_999, 10, 1), trade(60_000, 11, 2), trade(61_000, 9, 3)], 60)).toEqual([
    { time: 0, open: 10, high: 10, low: 10, close: 10, volume: 1, trades: 1 },
    { time: 60, open: 11, high: 11, low: 9, close: 9, volume: 5, trades: 2 },
  ]);
});
