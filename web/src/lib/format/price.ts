import { formatUnits, type Scale } from '@depthwire/shared';
import { numberStyle } from '../format/locale.ts';

/** Digits in groups of three, as the language writes them: `1234567.5` → `1,234,567.5`. */
export function groupThousands(text: string): string {
  const point = text.indexOf('.');
  const end = point < 0 ? text.length : point;
  const start = text.charCodeAt(0) === 45 ? 1 : 0;
  const { decimal, group } = numberStyle();
  let grouped = end === text.length ? '' : decimal + text.slice(end + 1);
  for (let i = end; i > start; i -= 3) {
    const from = Math.max(start, i - 3);
    grouped = (from > start ? group : '') + text.slice(from, i) + grouped;
  }
  return text.slice(0, start) + grouped;
}

/** A price in full: as many decimals as the instrument's tick size has. */
export function formatPrice(ticks: number, tick: Scale): string {
  return groupThousands(formatUnits(ticks, tick));
}

export interface PriceParts {
  readonly lead: string;
  /** Zeros that say nothing, to be dimmed; with the point where all decimals are zeros. */
  readonly trail: string;
}

/** A price split before its trailing zeros. The parts together have the same length at any price. */
export function priceParts(ticks: number, tick: Scale): PriceParts {
  return splitTrailingZeros(formatPrice(ticks, tick));
}

export function splitTrailingZeros(text: string): PriceParts {
  const point = text.indexOf(numberStyle().decimal);
  if (point < 0) return { lead: text, trail: '' };
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end -= 1;
  if (end === point + 1) end -= 1;
  return { lead: text.slice(0, end), trail: text.slice(end) };
}

/** A price between ticks (an average, a mid): one decimal more than the tick size. */
export function formatBetweenTicks(ticks: number, tick: Scale): string {
  return groupThousands(
    formatUnits(Math.round(ticks * 10), { units: tick.units, decimals: tick.decimals + 1 }),
  );
}
