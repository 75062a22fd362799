// Sizes of a heatmap's columns, of which there are millions: whole numbers with ten significant bits, told by a code
// that grows with the size, so that a small change is a small difference.

/** Bits behind the leading one. */
const BITS = 9;
const LEADING = 2 ** BITS;
/** By exponent, past that of the sum of all buckets. */
const POWERS = Float64Array.from({ length: 128 }, (_, exponent) => 2 ** exponent);

/** @returns a whole number below 2^15: the lots themselves up to 1,023, of more lots the nearest within 0.1 % */
export function codeOfLots(lots: number): number {
  if (lots < 2 * LEADING) return lots;
  const log2 = lots < 2 ** 32 ? 31 - Math.clz32(lots) : Math.floor(Math.log2(lots));
  const exponent = log2 - BITS;
  return LEADING * exponent + Math.round(lots / POWERS[exponent]!);
}

export function lotsOfCode(code: number): number {
  if (code < 2 * LEADING) return code;
  const exponent = (code >> BITS) - 1;
  return (code - LEADING * exponent) * POWERS[exponent]!;
}
