import { formatUnits, unitsToNumber, type Scale } from '@depthwire/shared';
import type { SizeFormat } from '../../lib/format/size-format.ts';
import { numbersIn, type Numbers } from './numbers.ts';

export const NOTHING = '\u2013';

/** Digits of a price beyond the places that the money has are noise in a page; of a size, those worth next to nothing. */
const SIZE_FIGURES = 6;

/** How numbers and times are written: by the locale, the time zone and the notation of a widget. */
export class Formats {
  readonly locale: string;
  readonly #timeZone: string | undefined;
  readonly #isCompact: boolean;
  readonly #numbers: Numbers;
  #time: Intl.DateTimeFormat | null = null;

  constructor(locale: string, timeZone: string | null, notation: 'standard' | 'compact') {
    this.locale = locale;
    this.#numbers = numbersIn(locale);
    this.#timeZone = timeZone ?? undefined;
    this.#isCompact = notation === 'compact';
  }

  /**
   * A price, exactly.
   * @param ticks null for none
   * @param decimals fewer than the tick has, where the prices are of a coarser step
   */
  price(ticks: number | null, tick: Scale, decimals = tick.decimals): string {
    return ticks === null ? NOTHING : this.decimal(formatUnits(ticks, tick, decimals), decimals);
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
    return this.#cut(lots, lot, digits);
  }

  /** A size as all of its column are written; or compact, where the page wants that. */
  sizeIn({ exponent, decimals }: SizeFormat, lots: number, lot: Scale): string {
    if (this.#isCompact) return this.compact(unitsToNumber(lots, lot));
    const scale = { units: lot.units, decimals: lot.decimals + exponent };
    return this.#cut(lots, scale, decimals) + this.#numbers.suffix(exponent);
  }

  /** Cut, not rounded: never more than there is; and what is too little to be written is no zero. */
  #cut(lots: number, scale: Scale, digits: number): string {
    const cut = formatUnits(lots, scale, digits);
    if (lots > 0 && Number(cut) === 0) return `<${this.decimal((10 ** -digits).toFixed(digits), digits)}`;
    return this.decimal(cut, digits);
  }

  /** A decimal text with so many digits behind the point. */
  decimal(text: string, digits: number): string {
    return this.#numbers.decimal(text, digits);
  }

  /** `1.2M`. */
  compact(value: number): string {
    return this.#numbers.compact(value);
  }

  /** Three figures: `0.0794`, `12.5`. */
  figures(value: number): string {
    return this.#numbers.figures(value);
  }

  /** `2.5%`, of what is never below zero. */
  share(ratio: number): string {
    return this.#numbers.share(ratio);
  }

  /** `+1.23%`; the sign always stands there. */
  percent(ratio: number | null): string {
    return ratio === null || !Number.isFinite(ratio) ? NOTHING : this.#numbers.percent(ratio);
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
