import * as v from 'valibot';
import { arrangements } from './entries.ts';
import { sortKeys } from './sort.ts';

/** Pixels between two columns, and at each end of a row. */
const GAP = 8;
const PADDING = 8;

/** Columns that can be chosen, with their widths in ems of the row; null is as wide as the longest price. */
const EMS = {
  spark: 3.3,
  change: 4.6,
  turnover: 4,
  spread: 3.1,
  volume: 4.4,
  bid: null,
  ask: null,
  high: null,
  low: null,
} as const;
const WIDE_SPARK_EMS = 4;
/** Narrowest that the line of the day is made by hand. A figure is never cut: its column stays as wide as by itself. */
const LEAST_SPARK_EMS = 2;
/** Width of a digit, with a little room for the flash around it. */
export const DIGIT_EMS = 0.63;
const MOST_EMS = 30;
/** What is left of the names. */
const NAME_EMS = 5;
const pixelWidth = v.pipe(v.number(), v.integer(), v.minValue(20), v.maxValue(1_000));

export type OptionalColumn = keyof typeof EMS;
export type Column = 'name' | 'last' | OptionalColumn;
export const optionalColumns = Object.keys(EMS) as [OptionalColumn, ...OptionalColumn[]];

/** What a list can do without where there is little room, the most useful first; then in the order chosen. */
const PRIORITY: readonly OptionalColumn[] = ['change', 'spark', 'turnover', 'spread'];
const DEFAULT: OptionalColumn[] = ['spark', 'change', 'turnover', 'spread'];
/** On a phone each row has two lines, and room for these. */
export const PHONE_COLUMNS: readonly Column[] = ['name', 'spark', 'last', 'change', 'turnover'];

/** A column whose width can be chosen: the name takes what the others leave. */
export type SizedColumn = Exclude<Column, 'name'>;
const sizedColumns = ['last', ...optionalColumns] as const;

export const watchlistSettings = v.object({
  /** Beside name and last price, in their order on the screen. */
  columns: v.fallback(
    v.pipe(
      v.array(v.picklist(optionalColumns)),
      v.check((columns) => new Set(columns).size === columns.length),
    ),
    DEFAULT,
  ),
  /** Pixels, of columns whose width was chosen; of the name, how far it may be cut for them. */
  widths: v.fallback(v.record(v.picklist(['name', ...sizedColumns]), pixelWidth), {}),
  sortBy: v.fallback(v.picklist(['none', ...sortKeys]), 'none'),
  sortDescending: v.fallback(v.boolean(), true),
  show: v.fallback(v.picklist(arrangements), 'all'),
  /** The group that is shown where one is. */
  group: v.fallback(v.nullable(v.string()), null),
  /** Keys of headers that are closed. */
  closed: v.fallback(v.array(v.string()), []),
});
export type Widths = Readonly<Partial<Record<Column, number>>>;

/** All in pixels. */
export interface Room {
  readonly width: number;
  /** What the longest name takes. */
  readonly name: number;
  /** What the longest price takes. */
  readonly last: number;
  readonly em: number;
  /** Characters of the longest figure of a column, where one is known. */
  readonly longest?: Lengths;
}

export type Lengths = Readonly<Partial<Record<Column, number>>>;

export interface Columns {
  /** In their order on the screen. */
  readonly shown: readonly Column[];
  /** Pixels, of all that are shown. */
  readonly widths: Widths;
  /** The narrowest that they may be made, pixels. */
  readonly least: Widths;
  /** For `grid-template-columns`. */
  readonly tracks: string;
}

/**
 * The columns that fit beside the names. A name is what tells a row from the next: it is cut only
 * where not even the price leaves room for it.
 * @param chosen beside name and last price; the price comes after the line of the day, where that is first
 * @param widths that were chosen
 * @param sortBy the column that the list is sorted by, if any
 */
export function fitColumns(
  { width, name, last, em, longest = {} }: Room,
  chosen: readonly OptionalColumn[] = DEFAULT,
  widths: Widths = {},
  sortBy?: string,
): Columns {
  /** By itself: there is room for its longest figure. */
  const own = (column: SizedColumn) => {
    const ems = column === 'last' ? null : EMS[column];
    const figure = Math.ceil((longest[column] ?? 0) * DIGIT_EMS * em);
    return Math.max(figure, ems === null ? last : Math.ceil(ems * em));
  };
  const least = (column: SizedColumn) => (column === 'spark' ? Math.ceil(LEAST_SPARK_EMS * em) : own(column));
  const pixels = (column: SizedColumn) => {
    const chosenWidth = widths[column];
    if (chosenWidth === undefined) return own(column);
    // Something of the names is seen, however wide the price was made in a wider panel.
    const most = column === 'last' ? width - GAP - 2 * PADDING - Math.ceil(NAME_EMS * em) : Infinity;
    return Math.max(least(column), Math.min(chosenWidth, most));
  };
  const nameRoom = Math.max(0, width - pixels('last') - GAP - 2 * PADDING);
  const wanted = Math.min(name, widths.name ?? name);
  let free = nameRoom - wanted;
  const fitting = new Set<Column>();
  /** What the line of the day can give a figure. */
  const spare = () =>
    fitting.has('spark') && widths.spark === undefined ? pixels('spark') - least('spark') : 0;
  const rank = (column: OptionalColumn) => {
    // What the order comes from is seen.
    if (column === sortBy) return -1;
    const place = PRIORITY.indexOf(column);
    return place === -1 ? PRIORITY.length : place;
  };
  for (const column of [...chosen].sort((a, b) => rank(a) - rank(b))) {
    const taken = pixels(column) + GAP;
    if (free + spare() < taken) break;
    free -= taken;
    fitting.add(column);
  }
  // The line of the day takes some of what the names leave.
  const wider = widths.spark === undefined ? Math.ceil(WIDE_SPARK_EMS * em) : 0;
  const sized = (column: SizedColumn) =>
    column === 'spark'
      ? Math.max(least(column), Math.min(Math.max(wider, pixels(column)), pixels(column) + Math.floor(free)))
      : pixels(column);
  const [first, ...rest] = chosen.filter((column) => fitting.has(column));
  const beside: Column[] = first === undefined ? [] : [first, ...rest];
  const shown: Column[] =
    first === 'spark' ? ['name', 'spark', 'last', ...rest] : ['name', 'last', ...beside];
  const others = shown.filter((column) => column !== 'name');
  const taken = others.reduce((sum, column) => sum + sized(column) + GAP, 2 * PADDING);
  return {
    shown,
    widths: {
      name: Math.max(0, width - taken),
      ...(Object.fromEntries(others.map((column) => [column, sized(column)])) as Widths),
    },
    least: Object.fromEntries(others.map((column) => [column, least(column)])),
    tracks: [`minmax(${Math.min(wanted, nameRoom)}px, 1fr)`, ...others.map((one) => `${sized(one)}px`)].join(
      ' ',
    ),
  };
}

/** What a column may be made, in pixels. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/**
 * How wide a column may be made: the name gives way, until little of it is left.
 * @param width what it has now, as `name` has, and what it must have; pixels
 */
export function rangeOf(width: number, least: number, name: number, em: number): Range {
  const spare = Math.max(0, Math.floor(name - NAME_EMS * em));
  return { least: Math.min(least, width), most: Math.max(width, Math.min(width + spare, MOST_EMS * em)) };
}

/**
 * The widths where a column got another one.
 * @param before what it had, and the name beside it; `longest` is what the longest name takes; pixels
 */
export function resized(
  widths: Widths,
  column: SizedColumn,
  to: number,
  before: { readonly width: number; readonly name: number; readonly longest: number },
): Widths {
  const width = Math.round(to);
  const name = Math.max(20, Math.floor(before.name - (width - before.width)));
  // Names that were cut by hand stay cut; where there is room again, they are whole.
  const { name: _, ...others } = widths;
  return { ...others, [column]: width, ...(name < before.longest && { name }) };
}

/** The widths where a column is as wide as it is by itself. */
export function withoutWidth(widths: Widths, column: SizedColumn): Widths {
  const { [column]: _, ...others } = widths;
  return others;
}

/** One place to the left or right; the same where there is none. */
export function moveColumn(
  columns: readonly OptionalColumn[],
  column: OptionalColumn,
  by: -1 | 1,
): OptionalColumn[] {
  const next = [...columns];
  const from = next.indexOf(column);
  const to = from + by;
  if (from === -1 || to < 0 || to >= next.length) return next;
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}
