import { DEPTH_PERIOD_MS } from '@depthwire/shared/depth';
import type { DepthColumns, PeriodTrades } from './depth-columns.ts';

/** What is under the crosshair. */
export interface HeatReading {
  readonly period: number;
  /** Start of the period, unix milliseconds. */
  readonly timeMs: number;
  /** The row's prices, ticks; `to` exclusive. */
  readonly from: number;
  readonly to: number;
  /** Without a column: before the oldest that is kept, or where the book was not live. */
  readonly hole: 'before' | 'within' | null;
  /** Null where nothing is known. */
  readonly lots: { readonly bid: number; readonly ask: number } | null;
  readonly trades: PeriodTrades | null;
}

export function readAt(columns: DepthColumns, at: number, ticks: number, rowTicks: number): HeatReading {
  const period = Math.floor(at);
  const slot = columns.slotOf(period);
  // A bucket may be larger than a row, where an older column has larger ones.
  const size = slot < 0 ? rowTicks : Math.max(rowTicks, columns.steps[slot]!);
  const from = Math.floor(ticks / size) * size;
  return {
    period,
    timeMs: period * DEPTH_PERIOD_MS,
    from,
    to: from + size,
    hole: slot >= 0 ? null : period < (columns.oldest ?? Infinity) ? 'before' : 'within',
    lots: columns.lotsBetween(period, from, from + size),
    trades: columns.tradesIn(period),
  };
}

/** Where most rests on each side at the end of a period, between two prices; null where nothing does. */
export function largestIn(
  columns: DepthColumns,
  period: number,
  low: number,
  high: number,
): { bid: { ticks: number; lots: number } | null; ask: { ticks: number; lots: number } | null } {
  const found = { bid: null, ask: null } as ReturnType<typeof largestIn>;
  const slot = columns.slotOf(period);
  if (slot < 0) return found;
  const step = columns.steps[slot]!;
  for (const [side, best, at, count, direction] of [
    ['bid', columns.bids[slot]!, columns.bidsAt(slot), columns.bidCounts[slot]!, -1],
    ['ask', columns.asks[slot]!, columns.asksAt(slot), columns.askCounts[slot]!, 1],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const ticks = (Math.floor(best / step) + direction * i) * step;
      const lots = columns.lots[at + i]!;
      if (ticks < low || ticks > high || lots <= (found[side]?.lots ?? 0)) continue;
      found[side] = { ticks, lots };
    }
  }
  return found;
}
