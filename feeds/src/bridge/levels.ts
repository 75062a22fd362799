import { DepthwireError, formatUnits, unitsToNumber, type Scale } from '@depthwire/shared';
import type { PriceLevel } from '../core/levels.ts';
import type { CcxtLevel, CcxtOrderBook } from './library.ts';

/** Distance from a grid, relative, up to which a number is taken to lie on it: that of sums of doubles. */
const NOISE = 8 * Number.EPSILON;
/** Digits behind the point that a grid is made finer for; what lies behind them is noise of the library's sums. */
const MAX_DECIMALS = 8;

/** Sizes by price, best first. */
export type Side = ReadonlyMap<number, number>;

/** A copy of the library's book at one moment. */
export interface BookCopy {
  readonly bids: Side;
  readonly asks: Side;
  readonly nonce: number | null;
  readonly timeMs: number | null;
}

/**
 * Copies the best levels of a book. Orders at one price are added up: some venues tell each order.
 * @throws DepthwireError `malformed_venue_frame` where a level is no pair of sensible numbers
 */
export function copyBook({ bids, asks, nonce, timestamp }: CcxtOrderBook, depth: number): BookCopy {
  return {
    bids: copySide(bids, depth, -1),
    asks: copySide(asks, depth, 1),
    nonce: finite(nonce),
    timeMs: finite(timestamp),
  };
}

function copySide(levels: readonly CcxtLevel[], depth: number, sign: 1 | -1): Side {
  const side = new Map<number, number>();
  for (const [price, amount] of levels) {
    if (!Number.isFinite(price) || !Number.isFinite(amount) || price <= 0 || amount < 0)
      throw new DepthwireError('malformed_venue_frame', `a level of ${amount} at ${price}`);
    if (amount > 0) side.set(price, (side.get(price) ?? 0) + amount);
  }
  return new Map([...side].sort(([a], [b]) => sign * (a - b)).slice(0, depth));
}

/** Why a book cannot be the venue's; null where it can. */
export function faultOf({ bids, asks }: BookCopy): string | null {
  const [bid] = bids.keys();
  const [ask] = asks.keys();
  if (bid === undefined && ask === undefined) return 'the book is empty';
  return bid !== undefined && ask !== undefined && bid >= ask
    ? `the book is crossed: ${bid} bid, ${ask} asked`
    : null;
}

/** Levels that make one side of the other; size zero where one is gone. */
export function difference(before: Side, after: Side): [price: number, size: number][] {
  const changes: [number, number][] = [];
  for (const price of before.keys()) if (!after.has(price)) changes.push([price, 0]);
  for (const [price, size] of after) if (before.get(price) !== size) changes.push([price, size]);
  return changes;
}

/** The decimal that a number stands for: the nearest on the grid, or a finer one where it lies between. */
export function decimalText(value: number, scale: Scale): string {
  const units = Math.round((value * 10 ** scale.decimals) / scale.units);
  const isOnGrid =
    Number.isSafeInteger(units) && Math.abs(unitsToNumber(units, scale) - value) <= NOISE * Math.abs(value);
  return isOnGrid ? formatUnits(units, scale) : value.toFixed(Math.max(MAX_DECIMALS, scale.decimals));
}

export function toLevels(
  side: Iterable<readonly [price: number, size: number]>,
  tick: Scale,
  lot: Scale,
): PriceLevel[] {
  return Array.from(side, ([price, size]): PriceLevel => [decimalText(price, tick), decimalText(size, lot)]);
}

export function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
