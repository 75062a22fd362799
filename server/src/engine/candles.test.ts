import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candleIntervals, type Candle, type CandleInterval, type Lots, type Ticks } from '@depthwire/shared';
import { CandleSeries, MAX_CANDLES } from './candles.ts';
import { RollingStatistics } from './statistics.ts';
import { testInstrument } from '../../test/markets.ts';

const trade = fc.record({
  afterMs: fc.integer({ min: 0, max: 90_000 }),
  price: fc.integer({ min: -50, max: 500 }),
  size: fc.integer({ min: 1, max: 1_000 }),
});

describe('CandleSeries', () => {
  test('keeps a volume past all counting an exact integer', () => {
    const most = Number.MAX_SAFE_INTEGER as Lots;
    const series = new CandleSeries('1m');
    for (let i = 0; i < 3; i++) series.add(60_000, 5 as Ticks, most);
    expect(series.all).toMatchObject([{ volume: most, trades: 3 }]);
    series.seed([{ ...series.all[0]!, trades: most }]);
    expect(series.all).toMatchObject([{ volume: most, trades: most }]);
  });

  test('equals a naive grouping of the trades for every interval', () => {
    fc.assert(
      fc.property(
        fc.array(trade, { minLength: 1, maxLength: 80 }),
        fc.constantFrom(...(Object.keys(candleIntervals) as CandleInterval[])),
        (trades, interval) => {
          const series = new CandleSeries(interval);
          const groups = new Map<number, { price: number; size: number }[]>();
          let timeMs = 1_700_000_000_000;
          for (const { afterMs, price, size } of trades) {
            timeMs += afterMs;
            series.add(timeMs, price as Ticks, size as Lots);
            const time = Math.floor(timeMs / 1000 / candleIntervals[interval]) * candleIntervals[interval];
            groups.set(time, [...(groups.get(time) ?? []), { price, size }]);
          }
          const expected = [...groups].map(([time, group]) => ({
            time,
            open: group[0]!.price,
            high: Math.max(...group.map(({ price }) => price)),
            low: Math.min(...group.map(({ price }) => price)),
            close: group.at(-1)!.price,
            volume: group.reduce((sum, { size }) => sum + size, 0),
            trades: group.length,
          }));
          expect(series.all).toEqual(expected);
        },
      ),
    );
  });

  test('puts a late trade into the candle it belongs to without moving the close', () => {
    const series = new CandleSeries('1m');
    for (const [timeMs, price] of [
      [60_000, 10],
      [120_000, 20],
      [180_000, 30],
      [125_000, 99],
    ] as const) {
      series.add(timeMs, price as Ticks, 1 as Lots);
    }
    expect(series.all.map(({ time, high, close }) => [time, high, close])).toEqual([
      [60, 10, 10],
      [120, 99, 20],
      [180, 30, 30],
    ]);
  });

  test('stays bounded', () => {
    const series = new CandleSeries('1s');
    for (let i = 0; i < MAX_CANDLES + 100; i++) series.add(i * 1000, 1 as Ticks, 1 as Lots);
    expect(series.all).toHaveLength(MAX_CANDLES);
    expect(series.all[0]!.time).toBe(100);
    series.add(0, 5 as Ticks, 1 as Lots);
    expect(series.all[0]!.time).toBe(100);
  });
});

describe('RollingStatistics', () => {
  const minute = 60_000;
  const add = (statistics: RollingStatistics, minutes: number, price: number, size: number) =>
    statistics.add(testInstrument(), minutes * minute, price as Ticks, size as Lots);

  test('covers exactly the last 24 hours', () => {
    const statistics = new RollingStatistics();
    add(statistics, 0, 500, 1);
    add(statistics, 1, 100, 2);
    add(statistics, 1439, 200, 4);
    expect(statistics.at(1439 * minute)).toMatchObject({
      open: 500,
      high: 500,
      low: 100,
      last: 200,
      volume: 7,
      trades: 3,
    });
    expect(statistics.at(1440 * minute)).toMatchObject({
      open: 100,
      high: 200,
      low: 100,
      last: 200,
      volume: 6,
      trades: 2,
    });
    expect(statistics.at(5000 * minute)).toMatchObject({
      open: null,
      high: null,
      last: 200,
      volume: 0,
      trades: 0,
    });
  });

  test('values turnover at price times size in the quote currency', () => {
    const statistics = new RollingStatistics();
    add(statistics, 0, 1_050, 2_000); // 10.50 × 2.000
    expect(statistics.at(0).turnover).toBeCloseTo(21, 10);
  });

  test('takes history for the minutes before the first live trade only', () => {
    const statistics = new RollingStatistics();
    add(statistics, 10, 300, 1);
    const bar = (at: number, price: number) =>
      ({ time: at * 60, open: price, high: price, low: price, close: price, volume: 5, trades: 1 }) as Candle;
    statistics.seed(testInstrument(), [bar(8, 90), bar(9, 100), bar(10, 1)]);
    expect(statistics.at(10 * minute)).toMatchObject({
      open: 90,
      high: 300,
      low: 90,
      last: 300,
      volume: 11,
      trades: 3,
    });
  });
});
