import { DepthwireError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** A price as a whole number of an instrument's ticks. May be negative (spreads). */
export type Ticks = Branded<'Ticks'>;
/** A size as a whole number of an instrument's lots. Zero removes a level. */
export type Lots = Branded<'Lots'>;
/** Unix time in milliseconds; may carry a fraction. */
export type EpochMs = Branded<'EpochMs'>;

/**
 * The unit that the integers of one instrument count: `units × 10^-decimals`.
 * A tick size of 0.25 is `{ units: 25, decimals: 2 }`.
 */
export interface Scale {
  readonly units: number;
  readonly decimals: number;
}

const MAX_DECIMALS = 18;
const MAX_UNITS = BigInt(Number.MAX_SAFE_INTEGER);
const MAX_LOTS = 2n ** 63n - 1n;
const ZERO = 48;
const NINE = 57;
const DOT = 46;
const POW10 = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/** A plain decimal taken apart: `value = (negative ? -1 : 1) × digits × 10^-decimals`. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: bigint;
  readonly decimals: number;
}

function parseDecimal(text: string): Decimal {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (!match || (!match[2] && !match[3])) {
    throw new DepthwireError(
      'invalid_decimal',
      `expected a decimal number, got ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  const fraction = match[3] ?? '';
  let digits = BigInt((match[2] ?? '') + fraction);
  let decimals = fraction.length - Number(match[4] ?? 0);
  while (decimals > 0 && digits % 10n === 0n && digits !== 0n) {
    digits /= 10n;
    decimals -= 1;
  }
  if (digits === 0n) decimals = 0;
  if (decimals < 0) {
    digits *= 10n ** BigInt(-decimals);
    decimals = 0;
  }
  return { negative: match[1] === '-', digits, decimals };
}

/**
 * The scale whose unit is the given tick or lot size.
 * @throws DepthwireError `invalid_decimal` when the text is no positive decimal,
 *   `out_of_range` past 18 decimals or 2^53.
 */
export function scaleOf(size: string): Scale {
  const { negative, digits, decimals } = parseDecimal(size);
  if (negative || digits === 0n) {
    throw new DepthwireError(
      'invalid_decimal',
      `a tick or lot size must be above zero, got ${JSON.stringify(size)}`,
    );
  }
  if (decimals > MAX_DECIMALS || digits > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new DepthwireError(
      'out_of_range',
      `tick or lot size ${size} has more digits than Depthwire counts in`,
    );
  }
  return { units: Number(digits), decimals };
}

/** The scale that counts units of `10^-decimals`. */
export function decimalScale(decimals: number): Scale {
  return { units: 1, decimals };
}

/** Digits behind the point that the decimal needs, trailing zeros left out. */
export function decimalsOf(text: string): number {
  return parseDecimal(text).decimals;
}

/**
 * The integer number of units in a decimal text, exactly.
 * @throws DepthwireError `invalid_decimal`, `off_grid` or `out_of_range`.
 */
export function parseUnits(text: string, scale: Scale): number {
  return parseUpTo(text, scale, MAX_UNITS);
}

/** Most ticks of a price, either way: the difference of any two is an exact integer, on the wire too. */
export const MAX_TICKS = 2 ** 50;

/**
 * As `parseUnits`, for prices.
 * @throws DepthwireError also `out_of_range` past `MAX_TICKS`
 */
export function parseTicks(text: string, scale: Scale): number {
  const ticks = parseUnits(text, scale);
  if (Math.abs(ticks) > MAX_TICKS)
    throw new DepthwireError('out_of_range', `${text} is past 2^50 ticks of ${formatUnits(1, scale)}`);
  return ticks;
}

/**
 * As `parseUnits`, for sizes, which may be far larger in some orders than in others: past 2^53 those
 * that a double holds exactly are taken, as it does round ones, up to 2^63.
 */
export function parseLots(text: string, scale: Scale): number {
  return parseUpTo(text, scale, MAX_LOTS);
}

/** Whether a value is a whole number of lots, as `parseLots` gives them. */
export function isLots(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 63;
}

function parseUpTo(text: string, scale: Scale, limit: bigint): number {
  // The venues' hot path: plain digits with one point, few enough to be exact in a double.
  const length = text.length;
  if (length > 0 && length <= 17) {
    let value = 0;
    let digits = 0;
    let decimals = -1;
    let negative = false;
    let i = 0;
    if (text.charCodeAt(0) === 45) {
      negative = true;
      i = 1;
    }
    let plain = true;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= ZERO && code <= NINE) {
        if (decimals >= scale.decimals) {
          // digits finer than the scale must be zeros
          if (code !== ZERO) {
            plain = false;
            break;
          }
          continue;
        }
        value = value * 10 + (code - ZERO);
        digits += 1;
        if (decimals >= 0) decimals += 1;
      } else if (code === DOT && decimals < 0) {
        decimals = 0;
      } else {
        plain = false;
        break;
      }
    }
    if (plain && digits > 0) {
      const missing = scale.decimals - (decimals < 0 ? 0 : decimals);
      if (digits + missing <= 15) {
        if (missing > 0) value *= POW10[missing]!;
        const units = scale.units === 1 ? value : value / scale.units;
        if (Number.isInteger(units)) return negative && units !== 0 ? -units : units;
      }
    }
  }
  return parseUnitsSlow(text, scale, limit);
}

function parseUnitsSlow(text: string, scale: Scale, limit: bigint): number {
  const decimal = parseDecimal(text);
  if (decimal.decimals > scale.decimals) throw offGrid(text, scale);
  const scaled = decimal.digits * 10n ** BigInt(scale.decimals - decimal.decimals);
  const step = BigInt(scale.units);
  if (scaled % step !== 0n) throw offGrid(text, scale);
  const units = scaled / step;
  if (units > limit || BigInt(Number(units)) !== units) {
    throw new DepthwireError('out_of_range', `${text} is past 2^53 units of ${formatUnits(1, scale)}`);
  }
  return decimal.negative && units !== 0n ? -Number(units) : Number(units);
}

function offGrid(text: string, scale: Scale): DepthwireError {
  const unit = formatUnits(1, scale);
  return new DepthwireError('off_grid', `${text} is not a multiple of ${unit}`, { value: text, unit });
}

/**
 * Units as decimal text, exactly.
 * @param decimals digits behind the point; the scale's own when left out
 */
export function formatUnits(units: number, scale: Scale, decimals: number = scale.decimals): string {
  const negative = units < 0;
  const product = Math.abs(units) * scale.units;
  let digits = Number.isSafeInteger(product)
    ? String(product)
    : (BigInt(Math.abs(units)) * BigInt(scale.units)).toString();
  if (scale.decimals > 0) {
    digits = digits.padStart(scale.decimals + 1, '0');
    digits = `${digits.slice(0, -scale.decimals)}.${digits.slice(-scale.decimals)}`;
  }
  if (decimals > scale.decimals) {
    digits = `${digits}${scale.decimals === 0 ? '.' : ''}${'0'.repeat(decimals - scale.decimals)}`;
  } else if (decimals < scale.decimals) {
    digits = digits.slice(0, digits.length - (scale.decimals - decimals) - (decimals === 0 ? 1 : 0));
  }
  return negative ? `-${digits}` : digits;
}

/** Units as the shortest plain decimal: no exponent, no trailing zeros. */
export function formatUnitsShortest(units: number, scale: Scale): string {
  const text = formatUnits(units, scale);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Units as a floating-point number: for drawing only, never for a book. */
export function unitsToNumber(units: number, scale: Scale): number {
  return (units * scale.units) / 10 ** scale.decimals;
}
