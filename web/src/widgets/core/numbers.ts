import type { SizeFormat } from '../../lib/format/size-format.ts';

/** Of numbers, what widgets ask of a language. */
export interface Numbers {
  /** A decimal text with so many digits behind the point, grouped. */
  decimal(text: string, digits: number): string;
  /** `1.2M`, four figures. */
  compact(value: number): string;
  /** `+1.23%`; the sign always stands there. */
  percent(ratio: number): string;
  /** Three figures: `0.0794`, `12.5`. */
  figures(value: number): string;
  /** `2.5%`, three figures, of what is never below zero. */
  share(ratio: number): string;
  /** What follows a number in units of 10^exponent; a letter where the language counts in others. */
  suffix(exponent: SizeFormat['exponent']): string;
}

/** Countries whose English has other groups or signs. */
const isPlainEnglish = /^en(-(US|GB|AU|CA|NZ|IE))?$/;

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale, options)));
  return format;
}

/** The first number that a browser formats takes some 20 ms of the page's time: English does without. */
export function numbersIn(locale: string): Numbers {
  return isPlainEnglish.test(locale) ? english : new LocalNumbers(locale);
}

class LocalNumbers implements Numbers {
  readonly #locale: string;

  constructor(locale: string) {
    this.#locale = locale;
  }

  decimal(text: string, digits: number): string {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    // As text: a number of many digits would lose the last ones.
    return numberFormat(this.#locale, options).format(text as unknown as number);
  }

  compact(value: number): string {
    return numberFormat(this.#locale, { notation: 'compact', maximumSignificantDigits: 4 }).format(value);
  }

  percent(ratio: number): string {
    return numberFormat(this.#locale, {
      ...{ style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 },
      signDisplay: 'exceptZero',
    }).format(ratio);
  }

  figures(value: number): string {
    return numberFormat(this.#locale, { maximumSignificantDigits: 3 }).format(value);
  }

  share(ratio: number): string {
    return numberFormat(this.#locale, { style: 'percent', maximumSignificantDigits: 3 }).format(ratio);
  }

  suffix(exponent: SizeFormat['exponent']): string {
    const parts = numberFormat(this.#locale, { notation: 'compact' }).formatToParts(10 ** exponent);
    const [first, ...rest] = parts;
    const isOne = first!.value === this.decimal('1', 0) && rest.some(({ type }) => type === 'compact');
    return isOne ? rest.map(({ value }) => value).join('') : english.suffix(exponent);
  }
}

const SUFFIXES = ['', 'K', 'M', 'B', 'T'];

const english: Numbers = {
  decimal(text, digits) {
    const [whole = '', part = ''] = text.split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
    return digits === 0 ? grouped : `${grouped}.${part.slice(0, digits).padEnd(digits, '0')}`;
  },
  compact(value) {
    let size = rounded(value, 4);
    let power = 0;
    for (; size >= 1000 && power < SUFFIXES.length - 1; power++) size = Number((size / 1000).toPrecision(4));
    // Past the last suffix all digits stand there.
    const text = size >= 10_000 ? english.decimal(String(size), 0) : plain(size);
    return (value < 0 ? '-' : '') + text + SUFFIXES[power];
  },
  percent(ratio) {
    const text = roundedHalfAway(Math.abs(ratio) * 100);
    const sign = Number(text) === 0 ? '' : ratio < 0 ? '-' : '+';
    return `${sign}${english.decimal(text, 2)}%`;
  },
  figures(value) {
    const [whole, part = ''] = plain(rounded(value, 3)).split('.');
    return (value < 0 ? '-' : '') + english.decimal(`${whole}.${part}`, part.length);
  },
  share: (ratio) => `${english.figures(ratio * 100)}%`,
  suffix: (exponent) => SUFFIXES[exponent / 3]!,
};

/** So many figures, without the sign; a half goes up, as it is written and not as it is kept: 0.032505 is kept a little below. */
const rounded = (value: number, figures: number) =>
  Number((Math.abs(value) * (1 + Number.EPSILON)).toPrecision(figures));
/** Without an exponent. */
const plain = (size: number) =>
  size === 0 || size >= 1e-6 ? String(size) : size.toFixed(12).replace(/0+$/, '');
/** Two decimals. */
const roundedHalfAway = (value: number) => (Math.round(value * 100 + Number.EPSILON) / 100).toFixed(2);
