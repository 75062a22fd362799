import type { Candle, Lots, Ticks } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { heikinAshi, type Averaged } from './heikin-ashi.ts';

const candle = (time: number, open: number, high: number, low: number, close: number): Candle => ({
  time,
  open: open as Ticks,
  high: high as Ticks,
  low: low as Ticks,
  close: close as Ticks,
  volume: 1 as Lots,
  trades: 1,
});

describe('Heikin-Ashi', () => {
  const candles = [candle(0, 10, 16, 8, 14), candle(60, 14, 15, 4, 7)];

  it('averages, and each begins amid the one before', () => {
    const averaged: Averaged[] = [];
    heikinAshi(candles, averaged, 0);
    expect(averaged).toEqual([
      { open: 12, high: 16, low: 8, close: 12 },
      { open: 12, high: 15, low: 4, close: 10 },
    ]);
  });

  it('goes on from the candle that changed', () => {
    const averaged: Averaged[] = [];
    heikinAshi(candles.slice(0, 1), averaged, 0);
    heikinAshi([candles[0]!, candle(60, 14, 20, 14, 16)], averaged, 1);
    expect(averaged[1]).toEqual({ open: 12, high: 20, low: 12, close: 16 });
    expect(averaged).toHaveLength(2);
  });
});
