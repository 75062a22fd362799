import type { Candle, Lots, Ticks } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { candleToTell, indexAt, mergeCandles, newestOf } from './candles.ts';

const candle = (time: number, close = 1): Candle => ({
  time,
  open: 1 as Ticks,
  high: 1 as Ticks,
  low: 1 as Ticks,
  close: close as Ticks,
  volume: 1 as Lots,
  trades: 1,
});

describe('merging candles', () => {
  it('keeps the newer of two for the same time and the order of all', () => {
    const merged = mergeCandles([candle(1), candle(2), candle(4)], [candle(2, 9), candle(3), candle(5)]);
    expect(merged.map(({ time, close }) => [time, close])).toEqual([
      [1, 1],
      [2, 9],
      [3, 1],
      [4, 1],
      [5, 1],
    ]);
  });

  it('takes either run alone', () => {
    expect(mergeCandles([], [candle(1)])).toHaveLength(1);
    expect(mergeCandles([candle(1)], [])).toHaveLength(1);
  });
});

describe('finding a candle', () => {
  it('finds the one of the time or the next', () => {
    const candles = [candle(10), candle(20), candle(30)];
    expect(indexAt(candles, 20)).toBe(1);
    expect(indexAt(candles, 21)).toBe(2);
    expect(indexAt(candles, 31)).toBe(3);
  });
});

describe('the candle that a legend tells', () => {
  const candles = [candle(10), candle(20), candle(30)];

  it('is that at the crosshair, in sight or not', () => {
    expect(candleToTell(candles, 10, candles[1]!)?.time).toBe(10);
  });

  it('is the last in sight where there is no crosshair, or none at a candle', () => {
    expect(candleToTell(candles, null, candles[1]!)?.time).toBe(20);
    expect(candleToTell(candles, 15, candles[1]!)?.time).toBe(20);
  });

  it('is the newest where nothing is in sight yet', () => {
    expect(candleToTell(candles, null, null)?.time).toBe(30);
    expect(candleToTell([], null, null)).toBeNull();
  });
});

describe('letting old candles go', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => candle(index));
  const bounds = { margin: 5, least: 10 };

  it('keeps the newest, and what is needed before them with a margin', () => {
    expect(newestOf(hundred, 40, Infinity, bounds)[0]!.time).toBe(60);
    expect(newestOf(hundred, 40, 30, bounds)[0]!.time).toBe(25);
    expect(newestOf(hundred, 40, 30, bounds).at(-1)!.time).toBe(99);
  });

  it('leaves them as they are where too few would go, or all are needed', () => {
    expect(newestOf(hundred, 91, Infinity, bounds)).toBe(hundred);
    expect(newestOf(hundred, 40, 0, bounds)).toBe(hundred);
    expect(newestOf(hundred, 200, Infinity, bounds)).toBe(hundred);
  });
});
