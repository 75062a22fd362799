import { unitsToNumber, type Instrument, type Scale } from '@depthwire/shared';

/** How all sizes of a column are written, so that their digits stand below each other. */
export interface SizeFormat {
  /** Sizes are shown in units of 10^exponent. */
  readonly exponent: 0 | 3 | 6 | 9 | 12;
  readonly decimals: number;
}

/** What one unit of the last shown digit is worth at most, in the quote currency. */
const WORTH_SHOWING = 10;
/** Digits before the point from which on a size is shown in thousands, millions … */
const LONG = 7;
/** Digits of a long size. */
const FIGURES = 5;

/**
 * The format for the sizes of a column. Digits worth less than some ten units of money are noise
 * on a screen, and so are more than a few figures.
 * @param largestLots the largest size to be shown, kept steady: the format follows it
 */
export function sizeFormat(
  { tick, lot }: Pick<Instrument, 'tick' | 'lot'>,
  priceTicks: number | null,
  largestLots: number,
): SizeFormat {
  const largest = unitsToNumber(largestLots, lot);
  const digits = largest >= 1 ? Math.floor(Math.log10(largest) + 1e-9) + 1 : 1;
  if (digits >= LONG) {
    const exponent = Math.min(12, 3 * Math.floor((digits - 4) / 3)) as SizeFormat['exponent'];
    return { exponent, decimals: Math.max(0, FIGURES - (digits - exponent)) };
  }
  const price = priceTicks === null ? 0 : unitsToNumber(Math.abs(priceTicks), tick);
  const wanted = price > 0 ? Math.max(0, Math.ceil(Math.log10(price / WORTH_SHOWING))) : 2;
  return { exponent: 0, decimals: Math.min(lot.decimals, wanted, LONG + 1 - digits) };
}

/** A size as it is, in full. */
export function exactSize(lot: Scale): SizeFormat {
  return { exponent: 0, decimals: lot.decimals };
}
