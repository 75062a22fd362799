import type { BookSide } from '@depthwire/shared';

/** Cumulative size by price, from the touch outwards; `count` entries are in use. */
export interface DepthCurve {
  count: number;
  ticks: Float64Array;
  /** Size from the touch to this level, lots. */
  lots: Float64Array;
  /** Sum of ticks × lots to this level: a statistic, so floating point. */
  cost: Float64Array;
}

export function createDepthCurve(): DepthCurve {
  return { count: 0, ticks: new Float64Array(256), lots: new Float64Array(256), cost: new Float64Array(256) };
}

export function fillDepthCurve(curve: DepthCurve, side: BookSide): void {
  const { count } = side;
  if (count > curve.ticks.length) {
    const capacity = 2 ** Math.ceil(Math.log2(count));
    curve.ticks = new Float64Array(capacity);
    curve.lots = new Float64Array(capacity);
    curve.cost = new Float64Array(capacity);
  }
  let lots = 0;
  let cost = 0;
  for (let rank = 0; rank < count; rank++) {
    const ticks = side.ticksAt(rank);
    const size = side.lotsAt(rank);
    lots += size;
    cost += ticks * size;
    curve.ticks[rank] = ticks;
    curve.lots[rank] = lots;
    curve.cost[rank] = cost;
  }
  curve.count = count;
}

/** Levels of the curve at or better than a price `distance` ticks away from the mid; a binary search. */
export function countWithin(curve: DepthCurve, midTicks: number, distance: number): number {
  let low = 0;
  let high = curve.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Math.abs(curve.ticks[middle]! - midTicks) <= distance) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface DepthReading {
  /** The last level within the distance, ticks. */
  readonly ticks: number;
  readonly lots: number;
  readonly cost: number;
  readonly averageTicks: number;
}

/** What rests between the mid and a price `distance` ticks away; null where nothing does. */
export function readDepth(curve: DepthCurve, midTicks: number, distance: number): DepthReading | null {
  const count = countWithin(curve, midTicks, distance);
  if (count === 0) return null;
  const lots = curve.lots[count - 1]!;
  const cost = curve.cost[count - 1]!;
  return { ticks: curve.ticks[count - 1]!, lots, cost, averageTicks: cost / lots };
}
