import { formatUnits, unitsToNumber, type Scale } from '@depthwire/shared';

export const MINUS = '\u2212';
export const NOTHING = '\u2013';

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale, options)));
  return format;
}

/** Digits of a price beyond the places that the money has are noise in a page; of a size, those worth next to nothing. */
const SIZE_FIGURES = 6;

/** How numbers and times are written: by the locale, the time zone and the notation of a widget. */
export class Formats {
  readonly locale: string;
  readonly #timeZone: string | undefined;
  readonly #isCompact: boolean;
  #time: Intl.DateTimeFormat | null = null;

  constructor(locale: string, timeZone: string | null, notation: 'standard' | 'compact') {
    this.locale = locale;
    this.#timeZone = timeZone ?? undefined;
    this.#isCompact = notation === 'compact';
  }

  /** A price, exactly. @param ticks null for none */
  price(ticks: number | null, tick: Scale): string {
    return ticks === null ? NOTHING : this.decimal(formatUnits(ticks, tick), tick.decimals);
  }

  /** A price between ticks, with one decimal more. */
  between(ticks: number, tick: Scale): string {
    const scale = { units: tick.units, decimals: tick.decimals + 1 };
    return this.decimal(formatUnits(Math.round(ticks * 10), scale), scale.decimals);
  }

  /** A size in the base currency; in full, or compact. */
  size(lots: number, lot: Scale): string {
    if (this.#isCompact) return this.compact(unitsToNumber(lots, lot));
    const text = formatUnits(lots, lot);
    const whole = text.indexOf('.') < 0 ? text.length : text.indexOf('.');
    const digits = Math.max(0, Math.min(lot.decimals, SIZE_FIGURES - whole));
    // Cut, not rounded: never more than there is; and what is too little to be written is no zero.
    const cut = formatUnits(lots, lot, digits);
    if (lots > 0 && Number(cut) === 0) return `<${this.decimal((10 ** -digits).toFixed(digits), digits)}`;
    return this.decimal(cut, digits);
  }

  /** A decimal text with so many digits behind the point. */
  decimal(text: string, digits: number): string {
    // As text: a number of many digits would lose the last ones.
    return numberFormat(this.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
      text as unknown as number,
    );
  }

  /** `1.2M`. */
  compact(value: number): string {
    return numberFormat(this.locale, { notation: 'compact', maximumSignificantDigits: 4 }).format(value);
  }

  /** `+1.23%`; the sign always stands there. */
  percent(ratio: number | null): string {
    if (ratio === null || !Number.isFinite(ratio)) return NOTHING;
    return numberFormat(this.locale, {
      style: 'percent',
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
      signDisplay: 'exceptZero',
    }).format(ratio);
  }

  /** `13:04:59`. @param timeMs unix milliseconds */
  time(timeMs: number): string {
    this.#time ??= this.dates({
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
      hourCycle: 'h23',
    });
    return this.#time.format(timeMs);
  }

  dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return new Intl.DateTimeFormat(this.locale, { ...options, timeZone: this.#timeZone });
  }
}
