import type { Candle, Lots, Ticks } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndicatorRun } from './indicator-run.ts';
import { indicatorKinds, newIndicator, type Indicator, type IndicatorKind } from './indicators.ts';

const DAY = 86_400;

const candle = (time: number, [open, high, low, close]: number[], volume = 1): Candle => ({
  time,
  open: open as Ticks,
  high: high as Ticks,
  low: low as Ticks,
  close: close as Ticks,
  volume: volume as Lots,
  trades: 1,
});

const closes = (...prices: number[]): Candle[] =>
  prices.map((price, i) => candle(i * 60, [price, price, price, price]));

function run(indicator: Indicator, candles: readonly Candle[]): number[][] {
  const made = new IndicatorRun(indicator);
  expect(made.advance(candles)).toBe(true);
  return made.columns.map((column) => [...column]);
}

const of = (kind: IndicatorKind, settings: object = {}) => newIndicator(kind, [], settings);

/** Closes of a table that is often printed to explain the index, times a hundred. */
const TABLE = [
  44_34, 44_09, 44_15, 43_61, 44_33, 44_83, 45_10, 45_42, 45_84, 46_08, 45_89, 46_03, 45_61, 46_28, 46_28,
  46_00,
];

describe('worked out by hand', () => {
  it('SMA: the mean of the last', () => {
    const [average] = run(of('sma', { length: 3 }), closes(1, 2, 6, 7, 11));
    expect(average).toEqual([NaN, NaN, 3, 5, 8]);
  });

  it('SMA of another source', () => {
    const candles = [candle(0, [1, 9, 3, 2]), candle(60, [2, 11, 5, 4])];
    expect(run(of('sma', { length: 2, source: 'hl2' }), candles)).toEqual([[NaN, 7]]);
    expect(run(of('sma', { length: 1, source: 'hlc3' }), candles)).toEqual([[14 / 3, 20 / 3]]);
    expect(run(of('sma', { length: 1, source: 'ohlc4' }), candles)).toEqual([[3.75, 5.5]]);
  });

  it('EMA: begins with the first close, and is told from a whole length on', () => {
    // Weight 1/2: 2, (2 + 4) / 2 = 3, (3 + 8) / 2 = 5.5, (5.5 + 1) / 2 = 3.25
    const [average] = run(of('ema', { length: 3 }), closes(2, 4, 8, 1));
    expect(average).toEqual([NaN, NaN, 5.5, 3.25]);
  });

  it('Bollinger bands: the deviation of all of the length, not of a sample', () => {
    // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, deviation 2
    const bands = run(of('bollinger', { length: 8, deviations: 1.5 }), closes(2, 4, 4, 4, 5, 5, 7, 9));
    expect(bands.map((column) => column.at(-1))).toEqual([8, 5, 2]);
    expect(bands[0]!.slice(0, 7)).toEqual(Array(7).fill(NaN));
  });

  it('VWAP: typical prices by volume, anew each day', () => {
    const candles = [
      candle(DAY - 120, [5, 9, 3, 6], 2), // typical price 6
      candle(DAY - 60, [6, 12, 6, 9], 4), // 9: (6 × 2 + 9 × 4) / 6 = 8
      candle(DAY, [9, 9, 9, 9], 0), // nothing was traded yet
      candle(DAY + 60, [3, 4, 2, 3], 5),
    ];
    expect(run(of('vwap'), candles)).toEqual([[6, 8, NaN, 3]]);
    // (6 × 2 + 9 × 4 + 3 × 5) / 11, for both days are of one month
    expect(run(of('vwap', { anchor: 'month' }), candles)[0]![3]).toBeCloseTo(63 / 11, 12);
  });

  it('RSI: Wilder’s smoothing', () => {
    // Gains of the first 14 changes sum to 334, losses to 140 (in hundredths); then one of −28.
    const gains = 334 / 14;
    const losses = 140 / 14;
    const [strength] = run(of('rsi', { length: 14 }), closes(...TABLE));
    expect(strength!.slice(0, 14)).toEqual(Array(14).fill(NaN));
    expect(strength![14]).toBeCloseTo(100 - 100 / (1 + gains / losses), 9);
    const next = (gains * 13) / (losses * 13 + 28);
    expect(strength![15]).toBeCloseTo(100 - 100 / (1 + next), 9);
    expect(strength![14]).toBeCloseTo(70.46, 2);
    expect(strength![15]).toBeCloseTo(66.25, 2);
  });

  it('MACD: the difference of two averages, and the average of that', () => {
    // Fast (weight 1): the closes. Slow (weight 1/2): 2, 3, 5.5, 3.25. From the second on:
    // 1, 2.5, −2.25; the signal (weight 2/3) begins with the first: 1, 2, −5/6.
    const [macd, signal, histogram] = run(of('macd', { fast: 1, slow: 3, signal: 2 }), closes(2, 4, 8, 1));
    expect(macd!.slice(0, 2)).toEqual([NaN, NaN]);
    expect(macd!.slice(2)).toEqual([2.5, -2.25]);
    expect(signal!.slice(0, 3)).toEqual([NaN, NaN, NaN]);
    // From the third on, where the slow one is whole: 2.5, then 2.5 / 3 − 2.25 × 2 / 3
    expect(signal![3]).toBeCloseTo(2.5 / 3 - 1.5, 12);
    expect(histogram![3]).toBeCloseTo(-2.25 - (2.5 / 3 - 1.5), 12);
  });
});

const prices = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 1, max: 10_000 })));
const data = fc.tuple(prices, fc.integer({ min: 0, max: 50 }));
const changes = fc.array(
  fc.record({ what: fc.constantFrom('last', 'next', 'older', 'middle'), data, steps: fc.nat(5) }),
  { minLength: 1, maxLength: 60 },
);

describe.each(indicatorKinds)('%s, candle by candle', (kind) => {
  it('comes to what all candles at once come to', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const short = { length: 4, fast: 2, slow: 5, signal: 3 };
        const indicator = of(kind, short);
        const made = new IndicatorRun(indicator);
        let candles: Candle[] = [];
        const make = (time: number, [values, volume]: [number[], number]) => candle(time, values, volume);
        for (const { what, data: given, steps } of list) {
          const end = candles.at(-1)?.time ?? DAY - 600;
          if (what === 'next' || candles.length === 0) {
            candles.push(make(end + 60, given));
            made.invalidate(candles.length - 1);
          } else if (what === 'last') {
            candles[candles.length - 1] = make(end, given);
            made.invalidate(candles.length - 1);
          } else if (what === 'older') {
            candles = [make(candles[0]!.time - 60, given), ...candles];
            made.invalidate(0);
          } else {
            const index = Math.floor(candles.length / 2);
            candles[index] = make(candles[index]!.time, given);
            made.invalidate(index);
          }
          // Some of the work is left for later.
          made.advance(candles, steps);
        }
        while (!made.advance(candles, 3));
        const whole = run(indicator, candles);
        made.columns.forEach((column, line) => {
          expect(column).toHaveLength(candles.length);
          column.forEach((value, i) => {
            if (Number.isNaN(whole[line]![i])) expect(value).toBeNaN();
            else expect(value).toBeCloseTo(whole[line]![i]!, 6);
          });
        });
      }),
    );
  });
});
