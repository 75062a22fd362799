import { candleIntervals, DepthwireError, isInstrumentId, type CandleInterval } from '@depthwire/shared';
import type { AttributeName, commonAttributes } from '../kinds.ts';

/** How an attribute is read. */
export interface Option<Value> {
  /** What it says where it is left out. */
  readonly fallback: Value;
  /** For messages and documents: `a number from 1 to 50`. */
  readonly expected: string;
  /** What it may be one of; where the fallback is a list, some of. */
  readonly values?: readonly string[];
  /** Bounds of a number. */
  readonly least?: number;
  readonly most?: number;
  /** @returns undefined where it is no such value */
  read(text: string): Value | undefined;
}

const text = (expected: string, isGood: (text: string) => boolean = Boolean): Option<string | null> => ({
  ...{ fallback: null, expected },
  read: (value) => (isGood(value) ? value : undefined),
});

const oneOf = <Value extends string>(values: readonly Value[], fallback: Value): Option<Value> => ({
  ...{ fallback, values, expected: `one of ${values.join(', ')}` },
  read: (value) => values.find((one) => one === value),
});

const wholeNumber = (least: number, most: number, fallback: number): Option<number> => ({
  ...{ fallback, least, most, expected: `a whole number from ${least} to ${most}` },
  read(value) {
    const number = value.trim() === '' ? NaN : Number(value);
    return Number.isInteger(number) && number >= least && number <= most ? number : undefined;
  },
});

const number = (least: number, most: number): Option<number | null> => ({
  ...{ fallback: null, least, most, expected: `a number from ${least} to ${most}` },
  read(value) {
    const read = value.trim() === '' ? NaN : Number(value);
    return read >= least && read <= most ? read : undefined;
  },
});

const flag: Option<boolean> = {
  fallback: false,
  expected: 'nothing: that it is there is enough',
  read: () => true,
};

/** Words with spaces or commas between them. */
const wordsIn = (value: string) => value.split(/[\s,]+/).filter(Boolean);

const someOf = <Value extends string>(
  values: readonly Value[],
  fallback: readonly Value[],
): Option<readonly Value[]> => ({
  ...{ fallback, values, expected: `some of ${values.join(', ')}` },
  read(value) {
    const words = wordsIn(value);
    const known = words.filter((word): word is Value => values.includes(word as Value));
    return words.length > 0 && known.length === words.length ? [...new Set(known)] : undefined;
  },
});

const isPublishable = (value: string) => /^dw_pk_[\w-]{43}$/.test(value);

const MOST_INSTRUMENTS = 100;

export const tickerFields = ['name', 'bid', 'ask', 'spread', 'high', 'low', 'volume'] as const;
export type TickerField = (typeof tickerFields)[number];
export const tableColumns = [
  'instrument',
  'last',
  'change',
  'bid',
  'ask',
  'spread',
  'high',
  'low',
  'volume',
] as const;
export type TableColumn = (typeof tableColumns)[number];

const isOwnUrl = (value: string) => URL.parse(value, location.href)?.origin === location.origin;
const isUrl = (value: string) => /^https?:$/.test(URL.parse(value, location.href)?.protocol ?? '');

function isLocale(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}

function isTimeZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

/** Options that every widget has: what the attributes may hold, and what holds where they are left out. */
export const commonOptions = {
  server: text('the URL of a Depthwire server, such as https://data.example.com/', isUrl),
  key: text('a publishable key, dw_pk_ and 43 letters', isPublishable),
  worker: text('a URL of the page’s own origin', isOwnUrl),
  theme: oneOf(['auto', 'light', 'dark'], 'auto'),
  transparent: flag,
  locale: text('a language tag, such as de or en-GB', isLocale),
  'time-zone': text('a time zone, such as UTC or Europe/Berlin', isTimeZone),
  source: text('a text'),
  'source-url': text('a URL', isUrl),
  cadence: wholeNumber(50, 5_000, 250),
  background: flag,
} as const satisfies Record<keyof typeof commonAttributes, Option<unknown>>;

// Those of some kinds only, one by one: a kind carries the code of its own.
export const instrument = text('an instrument, such as binance:BTC-USDT', isInstrumentId);
export const instruments: Option<readonly string[]> = {
  fallback: [],
  expected: `1 to ${MOST_INSTRUMENTS} instruments with spaces between them, such as sim:BTC-USD sim:ETH-USD`,
  read(value) {
    const ids = [...new Set(wordsIn(value))];
    return ids.length > 0 && ids.length <= MOST_INSTRUMENTS && ids.every(isInstrumentId) ? ids : undefined;
  },
};
export const label = text('a text');
export const interval = oneOf(Object.keys(candleIntervals) as CandleInterval[], '1m');
export const type = oneOf(['area', 'line', 'candles'], 'area');
export const candles = wholeNumber(10, 500, 120);
export const rows = (fallback: number) => wholeNumber(1, 100, fallback);
export const group = wholeNumber(1, 1_000_000, 1);
export const span = number(0.1, 5_000);
export const measure = oneOf(['size', 'value'], 'size');
export const minSize = text('a size in the base currency, such as 0.5', (value) => /^\d*\.?\d+$/.test(value));
export const columns = someOf(tableColumns, ['instrument', 'last', 'change', 'volume']);
export const sort: Option<{ readonly column: TableColumn; readonly isDescending: boolean } | null> = {
  fallback: null,
  expected: `a column, or one with - before it for the largest first: ${tableColumns.join(', ')}`,
  read(value) {
    const column = tableColumns.find((one) => one === value.replace(/^-/, ''));
    return column && { column, isDescending: value.startsWith('-') };
  },
};
export const sizeBy = oneOf(['equal', 'volume'], 'volume');
export const fields = someOf(tickerFields, ['bid', 'ask', 'volume']);
export const speed = wholeNumber(0, 400, 40);
export const notation = oneOf(['standard', 'compact'], 'standard');

/** By the names of attributes. */
export type OptionTable = Readonly<Partial<Record<AttributeName, Option<unknown>>>>;

/** What the attributes say. */
export type ValuesOf<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

/**
 * @param get the text of an attribute; null where it is left out
 * @throws DepthwireError `invalid_argument`, which names the attribute, what was expected and what is there
 */
export function readOptions<Table extends OptionTable>(
  table: Table,
  get: (name: string) => string | null,
): ValuesOf<Table> {
  const read = Object.entries(table).map(([name, option]) => {
    const { fallback, expected } = option;
    const given = get(name);
    // An attribute without a value is one that somebody has not filled in.
    if (given === null || (given.trim() === '' && option !== flag)) return [name, fallback];
    const value = option.read(given);
    if (value !== undefined) return [name, value];
    const shown = given.slice(0, MOST_SHOWN);
    throw new DepthwireError('invalid_argument', `${name}: expected ${expected}, got “${shown}”`, {
      attribute: name,
    });
  });
  return Object.fromEntries(read) as ValuesOf<Table>;
}

const MOST_SHOWN = 60;
