import { unitsToNumber, type Instrument, type Trade } from '@depthwire/shared';
import { quoteValue } from '../../format/scales.ts';
import type { TapeRow } from './aggregate.ts';
import type { TapeUnit } from './tape-values.ts';

/** Trades that decide what counts as large. */
export const SAMPLE = 200;
const LARGE_QUANTILE = 0.95;

export interface TapeFilter {
  /** Least value in the quote currency, or least size in the base one. */
  readonly minimum: number;
  readonly unit: TapeUnit;
  readonly side: 'both' | Trade['side'];
}

export function passes(
  row: TapeRow,
  instrument: Pick<Instrument, 'tick' | 'lot'>,
  { minimum, unit, side }: TapeFilter,
): boolean {
  if (side !== 'both' && row.side !== side) return false;
  if (minimum <= 0) return true;
  const value = unit === 'base' ? unitsToNumber(row.size, instrument.lot) : quoteValue(row.cost, instrument);
  return value >= minimum;
}

/** The size from which a trade is one of the largest twentieth of late; Infinity while too few are known. */
export function largeSize(trades: readonly { readonly size: number }[]): number {
  const sizes = trades.slice(-SAMPLE).map(({ size }) => size);
  if (sizes.length < 20) return Infinity;
  sizes.sort((a, b) => a - b);
  return sizes[Math.floor(sizes.length * LARGE_QUANTILE)]!;
}

/** The largest size of the latest trades. */
export function largestSize(trades: readonly { readonly size: number }[]): number {
  let largest = 0;
  for (const { size } of trades.slice(-SAMPLE)) if (size > largest) largest = size;
  return largest;
}

/** How many rows, the newest first, came after the one that was newest; all of them where it is no longer listed. */
export function countSince(rows: readonly TapeRow[], newest: TapeRow): number {
  const index = rows.findIndex(({ first }) => first.id === newest.first.id);
  return index < 0 ? rows.length : index;
}

/** Share of the size that buyers took in the last `windowMs`; null where nothing was traded. */
export function buyShare(trades: readonly Trade[], windowMs: number): number | null {
  const last = trades.at(-1);
  if (!last) return null;
  let bought = 0;
  let all = 0;
  for (let i = trades.length - 1; i >= 0; i--) {
    const { timeMs, size, side } = trades[i]!;
    if (timeMs < last.timeMs - windowMs) break;
    all += size;
    if (side === 'buy') bought += size;
  }
  return all > 0 ? bought / all : null;
}

/**
 * Keys of so many rows, the newest first. A trade keeps the row that it is in while it moves down, and the
 * row that has left the list is the one for the next trade: no row is made or written for the others.
 * @param arrivals how many trades have come before the one in the first row
 */
export function rowSlots(arrivals: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (((arrivals - index) % count) + count) % count);
}
