import { getLocale, type Locale } from '../paraglide/runtime.js';

/** How a language writes numbers. */
export interface NumberStyle {
  /** Between whole and fraction. */
  readonly decimal: string;
  /** Between groups of three digits. */
  readonly group: string;
  /** What follows a percentage, with its space where it has one. */
  readonly percent: string;
}

const styles = new Map<Locale, NumberStyle>();

/** Of the language of the page; read in a component it is followed. */
export function numberStyle(): NumberStyle {
  const locale = getLocale();
  let style = styles.get(locale);
  if (!style) styles.set(locale, (style = styleOf(locale)));
  return style;
}

function styleOf(locale: Locale): NumberStyle {
  const parts = new Intl.NumberFormat(locale, { minimumFractionDigits: 1 }).formatToParts(12_345_678.5);
  const find = (type: Intl.NumberFormatPartTypes) => parts.find((part) => part.type === type)?.value;
  const percent = new Intl.NumberFormat(locale, { style: 'percent' }).formatToParts(0);
  return {
    decimal: find('decimal') ?? '.',
    group: find('group') ?? ',',
    percent: percent
      .filter(({ type }) => type !== 'integer')
      .map(({ value }) => value)
      .join(''),
  };
}

/** A plain decimal as the language writes it, without groups: `63000.5` → `63000,5`. */
export function localDecimal(text: string): string {
  const { decimal } = numberStyle();
  return decimal === '.' ? text : text.replace('.', decimal);
}

/** A percentage, written plainly: `12.5` → `12.5%`, or `12,5 %`. */
export function percentText(text: string): string {
  return localDecimal(text) + numberStyle().percent;
}

/**
 * What somebody typed as a number, as a plain decimal. A point or a comma that cannot separate groups of three
 * digits is taken for the decimal one, whatever the language: who writes `63000.5` means no other number by it.
 */
export function readDecimal(text: string, style = numberStyle()): string {
  const { decimal, group } = style;
  const plain = text.trim();
  const [whole = '', ...rest] = plain.split(decimal);
  const ungrouped = new RegExp(`^[+-]?[1-9]\\d{0,2}(\\${group}\\d{3})+$`).test(whole)
    ? whole.replaceAll(group, '')
    : whole;
  if (rest.length > 0) return [ungrouped, ...rest].join('.');
  return ungrouped.split(group).length === 2 ? ungrouped.replace(group, '.') : ungrouped;
}

/** A number above zero with a `k` or an `M` where somebody wrote one, as a plain decimal; null for anything else. */
export function readShorthand(text: string): string | null {
  const [, number = '', suffix = ''] = /^([\d.,\s]*?)\s*([kKmM]?)$/.exec(text.trim()) ?? [];
  const digits = readDecimal(number);
  if (!/^(\d+\.?\d*|\.\d+)$/.test(digits)) return null;
  return shift(digits, { '': 0, k: 3, m: 6 }[suffix.toLowerCase()]!);
}

/** Moves the point to the right: a decimal text times ten to the power. */
function shift(digits: string, by: number): string {
  const [whole = '', part = ''] = digits.split('.');
  const moved = part.padEnd(by, '0');
  const rest = moved.slice(by).replace(/0+$/, '');
  return `${(whole + moved.slice(0, by)).replace(/^0+(?=\d)/, '') || '0'}${rest && `.${rest}`}`;
}

/** The months' names, short: `Jan`, `Feb` … */
export function monthName(month: number): string {
  const locale = getLocale();
  let names = months.get(locale);
  if (!names) {
    const format = new Intl.DateTimeFormat(locale, { month: 'short', timeZone: 'UTC' });
    names = Array.from({ length: 12 }, (_, index) =>
      format.format(Date.UTC(2024, index, 15)).replace(/\.$/, ''),
    );
    months.set(locale, names);
  }
  return names[month]!;
}

const months = new Map<Locale, string[]>();
