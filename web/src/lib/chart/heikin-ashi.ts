import type { Candle } from '@depthwire/shared';

/** Averaged open, high, low and close, in ticks. */
export interface Averaged {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/**
 * Heikin-Ashi candles, written into `into` from the index on; those before it are as they were. The close is the mean of the
 * four prices, the open that of the averaged candle before.
 */
export function heikinAshi(candles: readonly Candle[], into: Averaged[], from: number): void {
  into.length = Math.min(into.length, from);
  for (let i = into.length; i < candles.length; i += 1) {
    const candle = candles[i]!;
    const before = into[i - 1];
    const open = before ? (before.open + before.close) / 2 : (candle.open + candle.close) / 2;
    const close = (candle.open + candle.high + candle.low + candle.close) / 4;
    into[i] = {
      open,
      close,
      high: Math.max(candle.high, open, close),
      low: Math.min(candle.low, open, close),
    };
  }
}
