import type { DepthColumns } from './depth-columns.ts';

/** What the lines are drawn from: a point for each pixel that has anything. */
export interface PathPoint {
  /** First period, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Best prices at the end, ticks; NaN where there was none. */
  readonly bid: number;
  readonly ask: number;
  /** Last price so far, ticks; NaN before the first trade. */
  readonly last: number;
  /** Whether the period before it is a hole: lines do not cross it. */
  readonly isBroken: boolean;
}

/**
 * @param to exclusive
 * @param every periods of a point, a whole number: points keep still while the picture is scrolled
 */
export function pathOf(columns: DepthColumns, from: number, to: number, every: number): PathPoint[] {
  const points: PathPoint[] = [];
  let last = NaN;
  let isBroken = true;
  for (let start = Math.floor(from / every) * every; start < to; start += every) {
    let slot = -1;
    for (let period = start; period < start + every; period++) {
      const at = columns.slotOf(period);
      if (at < 0) continue;
      slot = at;
      last = columns.lastIn(at) ?? last;
    }
    if (slot < 0) {
      isBroken = true;
      last = NaN;
      continue;
    }
    const [bid, ask] = [columns.bids[slot]!, columns.asks[slot]!];
    points.push({ from: start, to: start + every, bid, ask, last, isBroken });
    isBroken = false;
  }
  return points;
}

/** Trades of some periods, at the mean of their prices. */
export interface Bubble {
  readonly period: number;
  readonly ticks: number;
  readonly bought: number;
  readonly sold: number;
}

/** @param every periods of a bubble, a whole number */
export function bubblesOf(columns: DepthColumns, from: number, to: number, every: number): Bubble[] {
  const bubbles: Bubble[] = [];
  for (let start = Math.floor(from / every) * every; start < to; start += every) {
    let bought = 0;
    let sold = 0;
    let turnover = 0;
    for (let period = start; period < start + every; period++) {
      const trades = columns.tradesIn(period);
      if (!trades) continue;
      bought += trades.bought;
      sold += trades.sold;
      // A column does not tell the mean of its trades: the last price stands for it.
      turnover += trades.last * (trades.bought + trades.sold);
    }
    const volume = bought + sold;
    if (volume > 0) bubbles.push({ period: start + every / 2, ticks: turnover / volume, bought, sold });
  }
  return bubbles;
}

/** The area is in proportion to the volume. @param most volume of the largest, lots */
export function radiusOf(volume: number, most: number, largest: number): number {
  return Math.sqrt(Math.min(1, volume / most)) * largest;
}

/** The lowest best bid and the highest best ask of some periods; null where there is none. */
export function touchRange(
  columns: DepthColumns,
  from: number,
  to: number,
): { low: number; high: number } | null {
  let low = Infinity;
  let high = -Infinity;
  for (let period = from; period < to; period++) {
    const slot = columns.slotOf(period);
    if (slot < 0) continue;
    for (const ticks of [columns.bids[slot]!, columns.asks[slot]!]) {
      if (ticks < low) low = ticks;
      if (ticks > high) high = ticks;
    }
  }
  return low <= high ? { low, high } : null;
}
