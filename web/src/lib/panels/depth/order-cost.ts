import { DepthwireError, parseLots, type Instrument, type Scale } from '@depthwire/shared';
import { readShorthand } from '../../format/locale.ts';
import { splitTrailingZeros } from '../../format/price.ts';
import { formatSize } from '../../format/size.ts';
import { exactSize, type SizeFormat } from '../../format/size-format.ts';
import { m } from '../../paraglide/messages.js';
import type { DepthCurve } from './depth-curve.ts';

/** What a market order of a size would get. Statistics, so floating point. */
export interface OrderCost {
  /** Size of the order, lots. */
  readonly lots: number;
  /** How much of it the levels that are known fill. */
  readonly filled: number;
  /** Sum of ticks × lots; of what is not filled too, at the worst price that is known. */
  readonly cost: number;
  readonly averageTicks: number;
  readonly worstTicks: number;
  /** How much worse than the mid the average is, basis points. */
  readonly slippageBps: number;
  /** Whether the levels fill it: where they do not, it is worse than this, by nobody knows how much. */
  readonly isFilled: boolean;
}

/** Walks the levels from the touch; null where there are none, or nothing is ordered. */
export function orderCost(curve: DepthCurve, lots: number, midTicks: number): OrderCost | null {
  if (curve.count === 0 || !(lots > 0)) return null;
  const rank = rankOf(curve, lots);
  const isFilled = rank < curve.count;
  const last = isFilled ? rank : curve.count - 1;
  const [before, costBefore] =
    isFilled && rank > 0
      ? [curve.lots[rank - 1]!, curve.cost[rank - 1]!]
      : isFilled
        ? [0, 0]
        : [curve.lots[last]!, curve.cost[last]!];
  const worstTicks = curve.ticks[last]!;
  const cost = costBefore + (lots - before) * worstTicks;
  const averageTicks = cost / lots;
  return {
    lots,
    filled: isFilled ? lots : before,
    cost,
    averageTicks,
    worstTicks,
    slippageBps: (Math.abs(averageTicks - midTicks) / Math.abs(midTicks)) * 10_000,
    isFilled,
  };
}

/** An order on both sides of a book. */
export interface OrderCosts {
  readonly sell: OrderCost | null;
  readonly buy: OrderCost | null;
  /** Whether the levels that are known are all that there are. */
  readonly isWhole: boolean;
}

/** How much less than was asked for the book has; null where it has all. */
export function shortText(
  { sell, buy, isWhole }: OrderCosts,
  { lot, base }: Pick<Instrument, 'lot' | 'base'>,
  format: SizeFormat,
): string | null {
  const isShort = { sell: sell?.isFilled === false, buy: buy?.isFilled === false };
  if (!isShort.sell && !isShort.buy) return null;
  const filled = (cost: OrderCost | null) => formatSize(cost?.filled ?? 0, lot, format);
  const { lots } = (sell ?? buy)!;
  const inputs = {
    of: isShort.sell && isShort.buy ? 'both' : isShort.sell ? 'sell' : 'buy',
    sell: filled(sell),
    buy: filled(buy),
    size: `${splitTrailingZeros(formatSize(lots, lot, exactSize(lot))).lead} ${base}`,
  } as const;
  return isWhole ? m.order_short_whole(inputs) : m.order_short(inputs);
}

/** The first level that has the size together with those before it; a binary search. */
function rankOf(curve: DepthCurve, lots: number): number {
  let low = 0;
  let high = curve.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (curve.lots[middle]! < lots) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A size as people write it: `50`, `0.5`, `1,000`, `2.5k`; in another language as that writes numbers.
 * @returns lots, or what is wrong with it
 */
export function readSize(text: string, lot: Scale): number | string | null {
  if (text.trim() === '') return null;
  const digits = readShorthand(text);
  if (digits === null) return m.order_want_size();
  try {
    return parseLots(digits, lot) || null;
  } catch (error) {
    if (error instanceof DepthwireError) return error.message;
    throw error;
  }
}
