import type { Candle } from '@depthwire/shared';

/**
 * Two runs of candles, each oldest first, as one. Where both have a candle of the same time, the
 * one of `newer` counts.
 */
export function mergeCandles(older: readonly Candle[], newer: readonly Candle[]): Candle[] {
  const merged: Candle[] = [];
  let i = 0;
  let j = 0;
  while (i < older.length || j < newer.length) {
    const a = older[i];
    const b = newer[j];
    if (!b || (a && a.time < b.time)) {
      merged.push(a!);
      i += 1;
    } else {
      merged.push(b);
      j += 1;
      if (a && a.time === b.time) i += 1;
    }
  }
  return merged;
}

/** Index of the candle that opened at the time or, without one, of the first later; a binary search. */
export function indexAt(candles: readonly Candle[], time: number): number {
  let low = 0;
  let high = candles.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (candles[middle]!.time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The candle that a legend tells: that at the crosshair; without one, the last in sight, else the newest. */
export function candleToTell(
  candles: readonly Candle[],
  crosshair: number | null,
  lastInSight: Candle | null,
): Candle | null {
  const at = crosshair === null ? undefined : candles[indexAt(candles, crosshair)];
  return (at?.time === crosshair ? at : undefined) ?? lastInSight ?? candles.at(-1) ?? null;
}

/**
 * The newest candles, so many or all from a time on.
 * @param count how many are kept where none before them is needed
 * @param from the oldest time that is needed, unix seconds
 * @param margin candles kept before that time
 * @param least how many it takes to leave any out: until then they are returned as they are
 */
export function newestOf(
  candles: Candle[],
  count: number,
  from: number,
  { margin, least }: { readonly margin: number; readonly least: number },
): Candle[] {
  const surplus = Math.min(candles.length - count, indexAt(candles, from) - margin);
  return surplus < least ? candles : candles.slice(surplus);
}
