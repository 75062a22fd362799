import type { Candle } from '@depthwire/shared';
import { indexAt } from './candles.ts';

/** Most that a chart holds, the newest: its pages together tell hardly as many. */
const MAX_HOLES = 500;

/** A stretch in which trades may be missing: the server did not listen, and nobody could tell it since. Unix milliseconds. */
export interface Hole {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What is known after a page came: within the page what it says, for a hole may have been filled since. Those that
 * overlap or touch are one.
 * @param known oldest first, apart from each other
 */
export function withPage(known: readonly Hole[], page: Hole, told: readonly Hole[]): Hole[] {
  const outside = known.flatMap(({ fromMs, toMs }) => [
    { fromMs, toMs: Math.min(toMs, page.fromMs) },
    { fromMs: Math.max(fromMs, page.toMs), toMs },
  ]);
  const all = [...outside, ...told].filter(({ fromMs, toMs }) => fromMs < toMs);
  all.sort((a, b) => a.fromMs - b.fromMs);
  const merged: Hole[] = [];
  for (const hole of all) {
    const before = merged.at(-1);
    if (before && hole.fromMs <= before.toMs)
      merged[merged.length - 1] = { fromMs: before.fromMs, toMs: Math.max(before.toMs, hole.toMs) };
    else merged.push(hole);
  }
  return merged.slice(-MAX_HOLES);
}

/**
 * Holes that a candle tells of: within it, and between it and its neighbours, where no candles are to point at.
 * @param index of the candle
 * @param seconds of a candle
 */
export function holesAt(
  holes: readonly Hole[],
  candles: readonly Candle[],
  index: number,
  seconds: number,
): readonly Hole[] {
  const candle = candles[index];
  if (!candle) return [];
  const before = candles[index - 1];
  const after = candles[index + 1];
  const fromMs = (before ? before.time + seconds : candle.time) * 1000;
  const toMs = (after?.time ?? candle.time + seconds) * 1000;
  return holes.filter((hole) => hole.fromMs < toMs && hole.toMs > fromMs);
}

/** Those between the first and the last candle that can be seen. */
export function holesWithin(
  holes: readonly Hole[],
  { first, last }: { readonly first: Candle; readonly last: Candle },
  seconds: number,
): readonly Hole[] {
  return holes.filter(
    ({ fromMs, toMs }) => toMs > first.time * 1000 && fromMs < (last.time + seconds) * 1000,
  );
}

/**
 * From where to where a hole is drawn, in candles: number 3 reaches from 2.5 to 3.5. Where the candles of a hole are
 * missing, it has no width: it is between two. Null where it is outside all of them.
 */
export function placeOf(
  { fromMs, toMs }: Hole,
  candles: readonly Candle[],
  seconds: number,
): { readonly from: number; readonly to: number } | null {
  const first = candles[0];
  const last = candles.at(-1);
  if (!first || !last || toMs <= first.time * 1000 || fromMs >= (last.time + seconds) * 1000) return null;
  const at = (ms: number) => {
    const time = ms / 1000;
    const next = indexAt(candles, time);
    if (candles[next]?.time === time) return next - 0.5;
    const candle = candles[next - 1];
    return candle ? next - 1.5 + Math.min(1, (time - candle.time) / seconds) : -0.5;
  };
  return { from: at(fromMs), to: at(toMs) };
}
