import type { BookSide } from '@depthwire/shared';
import { groupOf } from './grouping.ts';

/**
 * One side of the ladder, best price first, in arrays that are filled anew each frame: `count` of
 * them are in use.
 */
export interface LadderSide {
  count: number;
  /** Price of the group, ticks. */
  readonly price: Float64Array;
  /** Size resting in the group, lots. */
  readonly lots: Float64Array;
  /** Size from the touch to the end of the group, lots. */
  readonly total: Float64Array;
  /** Cost of that size: the sum of ticks × lots of its levels. A statistic, so floating point. */
  readonly cost: Float64Array;
  /** Whether the book had levels left over when the last row was full. */
  more: boolean;
}

export function createLadderSide(capacity: number): LadderSide {
  return {
    count: 0,
    price: new Float64Array(capacity),
    lots: new Float64Array(capacity),
    total: new Float64Array(capacity),
    cost: new Float64Array(capacity),
    more: false,
  };
}

/** Groups the levels of a side by `step` ticks into at most `rows` rows. */
export function fillLadderSide(
  out: LadderSide,
  levels: BookSide,
  side: 'bid' | 'ask',
  step: number,
  rows: number,
): void {
  const limit = Math.min(rows, out.price.length);
  let row = -1;
  let group = NaN;
  let total = 0;
  let cost = 0;
  out.more = false;
  for (let rank = 0; rank < levels.count; rank++) {
    const ticks = levels.ticksAt(rank);
    const lots = levels.lotsAt(rank);
    const at = step === 1 ? ticks : groupOf(ticks, step, side);
    if (at !== group) {
      if (row + 1 === limit) {
        out.more = true;
        break;
      }
      row += 1;
      group = at;
      out.price[row] = at;
      out.lots[row] = 0;
    }
    total += lots;
    cost += ticks * lots;
    out.lots[row]! += lots;
    out.total[row] = total;
    out.cost[row] = cost;
  }
  out.count = row + 1;
}

/** What it takes to trade through to a row: everything from the touch to it. */
export interface Sweep {
  readonly lots: number;
  /** Average price, ticks; between ticks as a rule. */
  readonly averageTicks: number;
  /** Ticks × lots. */
  readonly cost: number;
  /** How much worse than the mid the average is, basis points. */
  readonly slippageBps: number;
}

/** @param cost of the lots: the sum of ticks × lots */
export function sweepOf(lots: number, cost: number, midTicks: number): Sweep | null {
  if (lots === 0) return null;
  const averageTicks = cost / lots;
  return {
    lots,
    averageTicks,
    cost,
    slippageBps: (Math.abs(averageTicks - midTicks) / Math.abs(midTicks)) * 10_000,
  };
}
