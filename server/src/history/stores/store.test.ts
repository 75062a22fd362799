import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deflateRawSync } from 'node:zlib';
import {
  candleIntervals,
  type Candle,
  type CandleInterval,
  type Lots,
  type Ticks,
  type Trade,
} from '@depthwire/shared';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchPostgres, postgresPath, type Postgres } from '../../../test/launch-postgres.ts';
import { batchOf, testSeries, trade } from '../../../test/history-batches.ts';
import { openStore, temporaryFolder } from '../../../test/stores.ts';
import { CandleSeries } from '../../engine/candles.ts';
import { packr } from '../../msgpack.ts';
import {
  MAX_ROWS,
  MAX_WRITTEN,
  storedIntervals,
  type HistoryBatch,
  type HistoryStore,
  type SeriesKey,
  type Span,
  type StoredColumn,
} from './store.ts';

const START_MS = 1_700_006_400_000; // midnight of a day
const START_S = START_MS / 1_000;
const DAY_MS = 86_400_000;
const SMALL = Number.MAX_SAFE_INTEGER;
const intervals = Object.keys(candleIntervals) as CandleInterval[];
const key = testSeries();
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

let postgres: Postgres | null = null;
/** Series of their own keep tests apart that share a database. */
let lastSeries = 0;
const freshSeries = () => testSeries(`test:S${++lastSeries}-USD`);

beforeAll(async () => {
  if (postgresPath) postgres = await launchPostgres();
});
afterAll(() => postgres?.remove());

/** Of the store in SQLite that was opened last. */
let file = '';

const stores: [
  kind: string,
  open: () => Promise<HistoryStore>,
  /** Puts something else in place of the block of a series. */
  spoil: (series: SeriesKey, data: Uint8Array) => Promise<void>,
][] = [
  [
    'sqlite',
    async () => openStore({ store: 'sqlite', path: (file = join(await temporaryFolder(), 'history.db')) }),
    ({ instrument }, data) => {
      using db = new DatabaseSync(file);
      const { changes } = db
        .prepare(
          'UPDATE column_blocks SET data = ? WHERE series = (SELECT id FROM series WHERE instrument = ?)',
        )
        .run(data, instrument);
      expect(changes).toBe(1);
      return Promise.resolve();
    },
  ],
  [
    'postgres',
    () => openStore({ store: 'postgres', url: postgres!.url }),
    async ({ instrument }, data) => {
      const client = new pg.Client({ connectionString: postgres!.url });
      await client.connect();
      const { rowCount } = await client.query(
        'UPDATE depthwire.column_blocks SET data = $1 WHERE series = (SELECT id FROM depthwire.series WHERE instrument = $2)',
        [data, instrument],
      );
      await client.end();
      expect(rowCount).toBe(1);
    },
  ],
];

const candle = (time: number, open: number, close = open, volume = 1, trades = 1): Candle => ({
  time,
  open: open as Ticks,
  high: Math.max(open, close) as Ticks,
  low: Math.min(open, close) as Ticks,
  close: close as Ticks,
  volume: volume as Lots,
  trades,
});

/** What the engine makes of trades as they arrive. */
function engineCandles(trades: readonly Trade[], interval: CandleInterval): readonly Candle[] {
  const series = new CandleSeries(interval);
  for (const { timeMs, price, size } of trades) series.add(timeMs, price, size);
  return series.all;
}

/** Trades of some minutes, some of them late, with ids of their own. */
const arbitraryTrades = (options: { readonly isOrdered: boolean }) =>
  fc
    .array(
      fc.record({
        seconds: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200_000 })),
        price: fc.integer({ min: 1, max: 1_000 }),
        size: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(SMALL)),
        isSell: fc.boolean(),
        isText: fc.boolean(),
      }),
      { maxLength: 60 },
    )
    .map((rows) => {
      if (options.isOrdered) rows.sort((a, b) => a.seconds - b.seconds);
      return rows.map(({ seconds, price, size, isSell, isText }, index) =>
        trade(
          isText ? `${index}` : index,
          START_MS + seconds * 1_000 + 7,
          price,
          size,
          isSell ? 'sell' : 'buy',
        ),
      );
    });

/** Batches as somebody might have written them. */
function cut(trades: readonly Trade[], sizes: readonly number[]): Trade[][] {
  const batches: Trade[][] = [];
  for (let from = 0, index = 0; from < trades.length; index++) {
    const size = sizes[index % sizes.length]!;
    batches.push(trades.slice(from, from + size));
    from += size;
  }
  return batches;
}
const arbitrarySizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
const strip = (trades: readonly object[]) => trades.map((each) => ({ ...each, number: undefined }));

describe.each(stores)('a store in %s', (kind, open, spoil) => {
  const inStore = test.skipIf(kind === 'postgres' && postgresPath === null);

  inStore('has candles as the engine makes them of the same trades', async () => {
    const store = await open();
    await fc.assert(
      fc.asyncProperty(arbitraryTrades({ isOrdered: false }), arbitrarySizes, async (trades, sizes) => {
        const series = freshSeries();
        for (const part of cut(trades, sizes)) await store.write([batchOf(part, { series })]);
        for (const interval of storedIntervals)
          expect(await store.candles(series, interval, 1_000, Infinity)).toEqual(
            engineCandles(trades, interval),
          );
      }),
      { numRuns: 25 },
    );
  });

  inStore('puts the other intervals together as if they had been made of the trades', async () => {
    const store = await open();
    await fc.assert(
      fc.asyncProperty(
        arbitraryTrades({ isOrdered: true }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: -100, max: 210_000 }),
        async (trades, limit, beforeS) => {
          const series = freshSeries();
          await store.write([batchOf(trades, { series })]);
          for (const interval of intervals) {
            const all = engineCandles(trades, interval);
            expect(await store.candles(series, interval, 1_000, Infinity)).toEqual(all);
            const before = all.filter(({ time }) => time < START_S + beforeS);
            expect(await store.candles(series, interval, limit, START_S + beforeS)).toEqual(
              before.slice(-limit),
            );
            expect(await store.hasCandlesBefore(series, interval, START_S + beforeS)).toBe(before.length > 0);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  inStore('is not changed by what is written again', async () => {
    const store = await open();
    await fc.assert(
      fc.asyncProperty(arbitraryTrades({ isOrdered: false }), arbitrarySizes, async (trades, sizes) => {
        const series = freshSeries();
        const batches: HistoryBatch[] = cut(trades, sizes).map((part, index) => ({
          series,
          trades: part,
          heard: { fromMs: START_MS + index * 1_000, toMs: START_MS + index * 1_000 + 1_000 },
          columns: [{ time: START_MS + index * 30_000, step: 1, data: Uint8Array.of(index) }],
        }));
        const state = async () => ({
          candles: await Promise.all(intervals.map((each) => store.candles(series, each, 1_000, Infinity))),
          trades: await store.trades(series, { direction: 'from', limit: 1_000 }),
          holes: await store.holes(series, ALL),
          heard: await store.heardUntil(series),
          columns: await store.columns(series, ALL, { limit: 1_000, isNewest: false }),
        });
        expect(await store.write(batches)).toEqual({ trades: trades.length, duplicates: 0 });
        const once = await state();
        expect(strip(once.trades)).toEqual(strip(trades));
        expect(once.columns.length).toBe(batches.length);
        expect(await store.write(batches)).toEqual({ trades: 0, duplicates: trades.length });
        for (const batch of batches) await store.write([batch]);
        expect(await state()).toEqual(once);
      }),
      { numRuns: 20 },
    );
  });

  inStore('pages trades so that each is seen once, whatever the direction', async () => {
    const store = await open();
    const series = freshSeries();
    // more than one block of numbers, with some that are late
    const trades = Array.from({ length: 9_500 }, (_, i) =>
      trade(i, START_MS + (i % 97 === 0 ? Math.max(0, i - 5_000) : i) * 10_000, 100 + (i % 7)),
    );
    for (const part of cut(trades, [1, 4_000, 700])) await store.write([batchOf(part, { series })]);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 700, max: 5_000 }),
        fc.option(fc.integer({ min: 0, max: 9_500 })),
        fc.option(fc.integer({ min: 0, max: 9_500 })),
        async (limit, after, before) => {
          const bounds = {
            ...(after !== null && { afterMs: START_MS + after * 10_000 }),
            ...(before !== null && { beforeMs: START_MS + before * 10_000 }),
          };
          const wanted = trades.filter(
            ({ timeMs }) => timeMs > (bounds.afterMs ?? 0) && timeMs < (bounds.beforeMs ?? Infinity),
          );
          const forward = [];
          for (let number = 0; ;) {
            const page = await store.trades(series, { direction: 'from', limit, number, ...bounds });
            forward.push(...page);
            if (page.length < limit) break;
            number = page.at(-1)!.number + 1;
          }
          expect(strip(forward)).toEqual(strip(wanted));
          const backward = [];
          for (let number: number | undefined; ;) {
            const page = await store.trades(series, { direction: 'before', limit, number, ...bounds });
            backward.unshift(...page);
            if (page.length < limit) break;
            number = page[0]!.number;
          }
          expect(backward).toEqual(forward);
        },
      ),
      { numRuns: 15 },
    );
    const last = await store.trades(series, { direction: 'before', limit: 1 });
    expect(await store.numberOf(series, 9_499)).toBe(last[0]!.number);
    expect(await store.numberOf(series, '9499')).toBeNull();
    const most = await store.trades(series, { direction: 'from', limit: 1e9 });
    expect(most.length).toBeLessThanOrEqual(MAX_ROWS);
  });

  inStore('keeps an id of a number apart from the same in text, and the largest figures', async () => {
    const store = await open();
    const series = freshSeries();
    const trades = [
      trade(12, START_MS, SMALL, SMALL),
      trade('12', START_MS, 1, SMALL, 'sell'),
      trade('n12', START_MS),
      trade(SMALL, START_MS + 1),
      trade('', START_MS + 1),
      trade(1.5, START_MS + 1),
      trade(`it's "{\\}", ünï`, START_MS + 1),
    ];
    expect(await store.write([batchOf(trades, { series })])).toEqual({ trades: 7, duplicates: 0 });
    expect(strip(await store.trades(series, { direction: 'from', limit: 10 }))).toEqual(strip(trades));
    const [day] = await store.candles(series, '1d', 1, Infinity);
    expect(day).toMatchObject({ high: SMALL, low: 1, volume: SMALL, trades: 7 });
    for (const { id } of trades) expect(await store.numberOf(series, id)).not.toBeNull();
  });

  inStore('takes an id for the same trade within an hour, and for another one long after', async () => {
    const store = await open();
    const series = freshSeries();
    await store.write([batchOf([trade(1, START_MS), trade(1, START_MS + 5)], { series })]);
    const again = [trade(1, START_MS + 2_000), trade(1, START_MS + DAY_MS)];
    expect(await store.write([batchOf(again, { series })])).toEqual({ trades: 1, duplicates: 1 });
  });

  inStore(
    'keeps series apart that count in other ticks, and knows nothing of those it never had',
    async () => {
      const store = await open();
      const coarse = freshSeries();
      const fine = { ...coarse, tick: { units: 1, decimals: 3 } };
      await store.write([
        batchOf([trade(1, START_MS, 10)], { series: coarse }),
        batchOf([trade(1, START_MS, 100)], { series: fine }),
      ]);
      expect((await store.candles(fine, '1m', 9, Infinity)).map(({ open }) => open)).toEqual([100]);
      const never = freshSeries();
      expect(await store.candles(never, '5m', 9, Infinity)).toEqual([]);
      expect(await store.hasCandlesBefore(never, '1m', Infinity)).toBe(false);
      expect(await store.trades(never, { direction: 'before', limit: 9 })).toEqual([]);
      expect(await store.numberOf(never, 1)).toBeNull();
      expect(await store.holes(never, ALL)).toEqual([]);
      expect(await store.heardUntil(never)).toBeNull();
      expect(await store.columns(never, ALL, { limit: 9, isNewest: true })).toEqual([]);
    },
  );

  inStore('tells the holes between what was heard, in parts where a part was filled', async () => {
    const store = await open();
    const series = freshSeries();
    const hear = (from: number, to: number) =>
      store.write([batchOf([], { series, heard: { fromMs: START_MS + from, toMs: START_MS + to } })]);
    const holes = async (from = 0, to = 100) =>
      (await store.holes(series, { fromMs: START_MS + from, toMs: START_MS + to })).map(
        ({ fromMs, toMs, isFilled }) => [fromMs - START_MS, toMs - START_MS, isFilled],
      );
    await hear(0, 10);
    await hear(10, 20);
    expect(await holes()).toEqual([]);
    await hear(40, 50);
    await hear(50, 60);
    await hear(70, 80);
    expect(await store.heardUntil(series)).toBe(START_MS + 80);
    expect(await holes()).toEqual([
      [20, 40, false],
      [60, 70, false],
    ]);
    expect(await holes(40, 60)).toEqual([]);
    expect(await holes(39, 40)).toEqual([[20, 40, false]]);
    await store.fillHole(series, { fromMs: START_MS + 15, toMs: START_MS + 30 });
    await store.fillHole(series, { fromMs: START_MS + 60, toMs: START_MS + 70 });
    expect(await holes()).toEqual([
      [20, 30, true],
      [30, 40, false],
      [60, 70, true],
    ]);
    await hear(35, 75); // another process heard it after all
    expect(await holes()).toEqual([
      [20, 30, true],
      [30, 35, false],
    ]);
  });

  inStore('takes what the venue says in place of its own, and later trades go on from there', async () => {
    const store = await open();
    const series = freshSeries();
    await store.write([batchOf([trade(1, START_MS, 50), trade(2, START_MS + 60_000, 60)], { series })]);
    await store.putCandles(series, '1m', [candle(START_S - 60, 5), candle(START_S, 10, 20, 7, 3)]);
    await store.write([batchOf([trade(3, START_MS + 1, 90), trade(4, START_MS + 60_001, 70)], { series })]);
    expect(await store.candles(series, '1m', 9, Infinity)).toEqual([
      candle(START_S - 60, 5),
      { ...candle(START_S, 10, 20, 8, 4), high: 90 },
      candle(START_S + 60, 60, 70, 2, 2),
    ]);
  });

  inStore('makes an hour anew of its minutes where all of them are known, and leaves it else', async () => {
    const store = await open();
    const series = freshSeries();
    const minute = (index: number) => candle(START_S + index * 60, 100 + index, 100 + index, 2, 1);
    const put = (from: number, to: number, all: readonly number[]) =>
      store.putCandles(series, '1m', all.map(minute), {
        fromMs: START_MS + from * 60_000,
        toMs: START_MS + to * 60_000,
      });
    const hours = async () =>
      (await store.candles(series, '1h', 9, Infinity)).map(({ time, open, close, volume }) => [
        (time - START_S) / 3_600,
        open,
        close,
        volume,
      ]);
    // heard of the first hour: minutes 0 to 20; of the second one all but its first 10 minutes
    const heard = (from: number, to: number) => ({
      fromMs: START_MS + from * 60_000,
      toMs: START_MS + to * 60_000,
    });
    await store.write([
      batchOf([trade('a', START_MS + 60_000, 101, 2)], { series, heard: heard(0, 20) }),
      batchOf([trade('b', START_MS + 80 * 60_000, 180, 2)], { series, heard: heard(70, 125) }),
    ]);
    expect(await hours()).toEqual([
      [0, 101, 101, 2],
      [1, 180, 180, 2],
    ]);
    await put(20, 50, [25, 49]); // ten minutes of the first hour are still missing
    expect((await hours())[0]).toEqual([0, 101, 101, 2]);
    await put(50, 65, [64]); // nothing was traded in the others
    expect(await hours()).toEqual([
      [0, 101, 149, 6],
      [1, 180, 180, 2],
    ]);
    await put(65, 70, [66]);
    expect(await hours()).toEqual([
      [0, 101, 149, 6],
      [1, 164, 180, 6],
    ]);
    // the day is known from its beginning until the newest moment
    expect(await store.candles(series, '1d', 9, Infinity)).toMatchObject([
      { open: 101, close: 180, volume: 12 },
    ]);
  });

  inStore('keeps columns as they are, in blocks and before they are in one', async () => {
    const store = await open();
    const series = freshSeries();
    const column = (second: number): StoredColumn => ({
      time: START_MS + second * 1_000,
      step: 1 + (second % 3),
      data: Uint8Array.from({ length: second % 50 }, (_, i) => (i * second) % 256),
    });
    const all: StoredColumn[] = [];
    for (let second = 0; second < 400; second += 10) {
      if (second > 150 && second < 250) continue; // a hole
      const columns = Array.from({ length: 10 }, (_, i) => column(second + i));
      all.push(...columns);
      await store.write([batchOf([], { series, columns })]);
    }
    const read = (from: number, to: number, limit: number, isNewest: boolean) =>
      store.columns(
        series,
        { fromMs: START_MS + from * 1_000, toMs: START_MS + to * 1_000 },
        { limit, isNewest },
      );
    expect(await read(0, 9_999, 9_999, false)).toEqual(all);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -10, max: 410 }),
        fc.integer({ min: -10, max: 410 }),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        async (from, to, limit, isNewest) => {
          const inside = all.filter(
            ({ time }) => time >= START_MS + from * 1_000 && time < START_MS + to * 1_000,
          );
          const wanted = isNewest ? inside.slice(-limit) : inside.slice(0, limit);
          expect(await read(from, to, limit, isNewest)).toEqual(wanted);
        },
      ),
      { numRuns: 30 },
    );
    const late = { ...column(3), data: Uint8Array.of(1, 2, 3) };
    await store.write([batchOf([], { series, columns: [late] })]);
    expect(await read(3, 4, 9, false)).toEqual([late]);
    await store.write([batchOf([], { series, columns: [column(900)] })]);
    expect(await read(0, 9_999, 9_999, false)).toEqual([
      ...all.slice(0, 3),
      late,
      ...all.slice(4),
      column(900),
    ]);
  });

  inStore('leaves out of columns what cannot be read, and goes on writing', async () => {
    const store = await open();
    const column = (second: number): StoredColumn => ({
      time: START_MS + second * 1_000,
      step: 1,
      data: Uint8Array.of(second),
    });
    const rowOf = ({ time, step, data }: StoredColumn) => [time, step, data];
    const rows = [rowOf(column(20)), 5, null, [null, 1, Uint8Array.of(1)], [START_MS, 1, 'x'], []];
    const deflated = (value: unknown) => deflateRawSync(packr.pack(value));
    const blocks: [data: Uint8Array, seconds: number[]][] = [
      [Uint8Array.of(), []],
      [Uint8Array.from({ length: 50 }, (_, i) => (i * 37) % 256), []],
      [deflated(5), []],
      [deflated({ length: 1 }), []],
      [deflateRawSync(Uint8Array.of(0xc1)), []],
      [deflated(rows), [20]],
    ];
    for (const [data, readable] of blocks) {
      const series = freshSeries();
      await store.write([batchOf([], { series, columns: [column(20)] })]);
      await store.write([batchOf([], { series, columns: [column(90)] })]); // that of before is in a block now
      await spoil(series, data);
      const seconds = async () => {
        const columns = await store.columns(series, ALL, { limit: 9, isNewest: true });
        return columns.map(({ time }) => (time - START_MS) / 1_000);
      };
      expect(await seconds()).toEqual([...readable, 90]);
      await store.write([batchOf([], { series, columns: [column(20)] })]);
      expect(await seconds()).toEqual([20, 90]);
    }
  });

  inStore('forgets what is older than it is kept, and nothing else', async () => {
    const store = await open();
    const series = freshSeries();
    const dayOf = (day: number) => START_MS + day * DAY_MS;
    const days = Array.from({ length: 40 }, (_, day) => day);
    for (const day of days) {
      await store.write([
        batchOf(
          Array.from({ length: 300 }, (_, i) => trade(day * 300 + i, dayOf(day) + i * 250_000)),
          {
            series,
            heard: { fromMs: dayOf(day) + 1, toMs: dayOf(day) + DAY_MS - 1 },
            columns: [{ time: dayOf(day), step: 1, data: Uint8Array.of(day) }],
          },
        ),
      ]);
    }
    const nowMs = dayOf(40);
    const retention = {
      tradesMs: 5 * DAY_MS,
      columnsMs: 3 * DAY_MS,
      candlesMs: { '1s': 2 * DAY_MS, '1m': 8 * DAY_MS, '1h': 20 * DAY_MS, '1d': 9_999 * DAY_MS },
    };
    let calls = 1;
    while (await store.prune(nowMs, retention)) calls += 1;
    expect(calls).toBeLessThan(100);
    expect(await store.prune(nowMs, retention)).toBe(false);
    /** Whole partitions go: where those are longer than a day, more than was asked for is kept. */
    const oldestDay = (timeMs: number | undefined) => Math.floor((timeMs! - START_MS) / DAY_MS);
    const oldestCandle = async (interval: CandleInterval) => {
      const candles = await store.candles(series, interval, MAX_ROWS, Infinity);
      return oldestDay(candles[0]!.time * 1_000);
    };
    const oldestTrade = (await store.trades(series, { direction: 'from', limit: MAX_ROWS }))[0]!;
    expect(oldestDay(oldestTrade.timeMs)).toBe(35);
    expect(await oldestCandle('1s')).toBe(38);
    expect(await oldestCandle('1d')).toBe(0);
    if (kind === 'sqlite') {
      expect(await oldestCandle('1m')).toBe(32);
      expect(await oldestCandle('1h')).toBe(20);
    } else {
      expect(await oldestCandle('1m')).toBeLessThanOrEqual(32);
      expect(await oldestCandle('1h')).toBeLessThanOrEqual(20);
    }
    const columns = await store.columns(series, ALL, { limit: MAX_ROWS, isNewest: false });
    expect(columns.slice(-3).map(({ time }) => oldestDay(time))).toEqual([37, 38, 39]);
    expect(columns.length).toBeLessThanOrEqual(kind === 'sqlite' ? 3 : 4);
    const holes = await store.holes(series, ALL);
    expect(oldestDay(holes[0]!.fromMs)).toBe(32);
    expect(await store.heardUntil(series)).toBe(nowMs - 1);
    const figures = await store.figures();
    expect(figures.bytes).toBeGreaterThan(0);
    // what is heard late of a time that is gone is taken like anything else
    await store.write([batchOf([trade('late', dayOf(1))], { series })]);
    expect(await store.numberOf(series, 'late')).not.toBeNull();
  });

  inStore('knows of spans that overlap where what is older is forgotten', async () => {
    const store = await open();
    const [heard, filled] = [freshSeries(), freshSeries()];
    const span = (from: number, to: number) => ({ fromMs: START_MS + from, toMs: START_MS + to });
    const hear = (series: SeriesKey, from: number, to: number) =>
      store.write([batchOf([], { series, heard: span(from, to) })]);
    await hear(heard, 50, 120);
    await hear(heard, 10, 300);
    await hear(heard, 400, 500);
    await hear(filled, 0, 70);
    await hear(filled, 300, 400);
    await store.fillHole(filled, span(50, 120));
    await store.fillHole(filled, span(10, 300));
    const holesOf = async (series: SeriesKey) =>
      (await store.holes(series, ALL)).map(({ fromMs, toMs, isFilled }) => [
        fromMs - START_MS,
        toMs - START_MS,
        isFilled,
      ]);
    const retention = {
      tradesMs: DAY_MS,
      columnsMs: DAY_MS,
      candlesMs: { '1s': DAY_MS, '1m': DAY_MS, '1h': DAY_MS, '1d': DAY_MS },
    };
    for (const atMs of [60, 60, 65]) {
      await store.prune(START_MS + DAY_MS + atMs, retention);
      expect(await holesOf(heard)).toEqual([[300, 400, false]]);
      expect(await holesOf(filled)).toEqual([[70, 300, true]]);
    }
  });

  inStore('takes times with fractions, as clocks have them, and bounds without an end', async () => {
    const store = await open();
    const series = freshSeries();
    const hear = (from: number, to: number) => ({ fromMs: START_MS + from, toMs: START_MS + to });
    await store.write([
      batchOf([trade(1, START_MS), trade(2, START_MS + 10)], {
        series,
        heard: hear(0.3, 10.7),
        columns: [{ time: START_MS, step: 1, data: Uint8Array.of(1) }],
      }),
      batchOf([], { series, heard: hear(10.7, 20.2) }),
    ]);
    expect(await store.heardUntil(series)).toBe(START_MS + 20);
    expect(await store.holes(series, { fromMs: -Infinity, toMs: Infinity })).toEqual([]);
    await store.fillHole(series, hear(3.3, 4.4));
    const ids = async (bounds: object) =>
      (await store.trades(series, { direction: 'from', limit: 9, ...bounds })).map(({ id }) => id);
    expect(await ids({ afterMs: -Infinity, beforeMs: Infinity })).toEqual([1, 2]);
    expect(await ids({ afterMs: START_MS - 0.5, beforeMs: START_MS + 9.5 })).toEqual([1]);
    expect(await ids({ afterMs: START_MS + 0.5, beforeMs: START_MS + 10.5 })).toEqual([2]);
    expect(await store.candles(series, '5s', 9, START_S + 0.5)).toMatchObject([{ trades: 2 }]);
    const columns = (span: Span) => store.columns(series, span, { limit: 9, isNewest: true });
    expect(await columns({ fromMs: -Infinity, toMs: Infinity })).toHaveLength(1);
    expect(await columns({ fromMs: START_MS + 0.5, toMs: START_MS + 900.5 })).toHaveLength(0);
    const retention = {
      tradesMs: DAY_MS,
      columnsMs: DAY_MS,
      candlesMs: { '1s': DAY_MS, '1m': DAY_MS, '1h': DAY_MS, '1d': DAY_MS },
    };
    await store.prune(START_MS + 1_000.5, retention);
    expect(await ids({})).toEqual([1, 2]);
  });

  inStore('leaves out a span that a clock turned round which was set back', async () => {
    const store = await open();
    const series = freshSeries();
    const span = (from: number, to: number) => ({ fromMs: START_MS + from, toMs: START_MS + to });
    await store.write([batchOf([], { series, heard: span(0, 1_000) })]);
    await store.write([batchOf([], { series, heard: span(9_000, 5_000) })]);
    expect(await store.heardUntil(series)).toBe(START_MS + 1_000);
    await store.write([batchOf([], { series, heard: span(20_000, 21_000) })]);
    await store.fillHole(series, span(8_000, 2_000));
    const holes = (await store.holes(series, ALL)).filter(({ isFilled }) => !isFilled);
    expect(holes.map(({ fromMs, toMs }) => [fromMs - START_MS, toMs - START_MS])).toEqual([[1_000, 20_000]]);
    expect(await store.heardUntil(series)).toBe(START_MS + 21_000);
  });

  inStore('believes nothing of what a clock told that was ahead', async () => {
    const store = await open();
    const series = freshSeries();
    const span = (from: number, to: number) => ({ fromMs: START_MS + from, toMs: START_MS + to });
    await store.write([batchOf([trade(1, START_MS)], { series, heard: span(0, 10_000) })]);
    await store.write([batchOf([], { series, heard: span(20_000, 3_600_000) })]);
    await store.write([batchOf([], { series, heard: span(3_700_000, 3_800_000) })]);
    await store.disbelieve(series, START_MS + 30_000.5);
    expect(await store.heardUntil(series)).toBe(START_MS + 30_001);
    expect(await store.holes(series, ALL)).toEqual([{ ...span(10_000, 20_000), isFilled: false }]);
  });

  inStore('refuses more rows at once than it has room for', async () => {
    const store = await open();
    const trades = Array.from({ length: MAX_WRITTEN + 1 }, (_, i) => trade(i, START_MS));
    await expect(store.write([batchOf(trades)])).rejects.toMatchObject({ code: 'history_unavailable' });
    const candles = trades.map((_, i) => candle(START_S + i * 60, 1));
    await expect(store.putCandles(key, '1m', candles)).rejects.toMatchObject({ code: 'history_unavailable' });
  });

  inStore('answers with an error before it is opened and after it is closed', async () => {
    const store = await open();
    await store.close();
    await expect(store.heardUntil(key)).rejects.toMatchObject({ code: 'history_unavailable' });
    await expect(store.write([])).rejects.toMatchObject({ code: 'history_unavailable' });
    await store.open();
    expect(await store.write([])).toEqual({ trades: 0, duplicates: 0 });
  });
});
