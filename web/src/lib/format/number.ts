import { localDecimal, percentText } from '../format/locale.ts';
import { m } from '../paraglide/messages.js';
import { groupThousands } from './price.ts';

export const MINUS = '\u2212';
const COMPACT = [
  { from: 1e12, suffix: m.suffix_trillion },
  { from: 1e9, suffix: m.suffix_billion },
  { from: 1e6, suffix: m.suffix_million },
  { from: 1e3, suffix: m.suffix_thousand },
];

/** Four figures at most and a suffix: `1.234B`, `56.78M`, `912.3K`, `45.67`; three where the suffix is no letter. */
export function formatCompact(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : '';
  for (const { from, suffix } of COMPACT) {
    // 999,950 and more would round to 1,000.0K
    if (size < from * 0.99995) continue;
    const unit = suffix();
    return sign + (unit.length > 1 ? threeFigures(size / from) : fourFigures(size / from)) + unit;
  }
  return sign + fourFigures(size);
}

function fourFigures(size: number): string {
  if (size === 0) return '0';
  const decimals = size >= 999.95 ? 0 : size >= 99.995 ? 1 : size >= 9.9995 ? 2 : 3;
  return localDecimal(size.toFixed(decimals));
}

function threeFigures(size: number): string {
  return localDecimal(size.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2));
}

/** An amount of money or size, with the given decimals and grouped digits. */
export function formatAmount(value: number, decimals: number): string {
  return groupThousands(value.toFixed(decimals));
}

/** `+1.23%`, `−0.40%`: the sign always takes its place, so that no digit moves. */
export function formatPercent(ratio: number, decimals = 2): string {
  const text = Math.abs(ratio * 100).toFixed(decimals);
  const isZero = Number(text) === 0;
  return `${isZero ? '\u2007' : ratio < 0 ? MINUS : '+'}${percentText(text)}`;
}

/** The least basis points that are written as they are. */
const LEAST_BPS = 1e-6;

/**
 * Basis points with two decimals below 10, one below 100, none above; two figures where two decimals would all but be
 * zeros, for what is not zero never reads as if it were.
 */
export function formatBps(bps: number): string {
  const size = Math.abs(bps);
  if (size > 0 && size < LEAST_BPS) return `<${localDecimal(LEAST_BPS.toFixed(6))}`;
  return (bps < 0 ? MINUS : '') + localDecimal(size.toFixed(bpsDecimals(size)));
}

function bpsDecimals(size: number): number {
  if (size >= 99.95) return 0;
  if (size >= 9.995) return 1;
  return size === 0 || size >= 0.00995 ? 2 : Math.floor(-Math.log10(size)) + 2;
}

/** Puts a sign before a formatted distance; the figure space stands where zero has none. */
export function withSign(text: string, sign: number): string {
  return (sign < 0 ? MINUS : sign > 0 ? '+' : '\u2007') + text.replace(/^-/, '');
}
