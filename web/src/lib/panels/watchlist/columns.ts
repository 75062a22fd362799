import * as v from 'valibot';

/** Pixels between two columns, and at each end of a row. */
const GAP = 8;
const PADDING = 8;

/** Columns that can be chosen, with their widths in ems of the row; null is as wide as the longest price. */
const EMS = {
  spark: 3.3,
  change: 4.6,
  turnover: 4,
  spread: 2.7,
  volume: 4.4,
  bid: null,
  ask: null,
  high: null,
  low: null,
} as const;
const WIDE_SPARK_EMS = 4;

export type OptionalColumn = keyof typeof EMS;
export type Column = 'name' | 'last' | OptionalColumn;
export const optionalColumns = Object.keys(EMS) as [OptionalColumn, ...OptionalColumn[]];

/** What a list can do without where there is little room, the most useful first; then in the order chosen. */
const PRIORITY: readonly OptionalColumn[] = ['change', 'spark', 'turnover', 'spread'];
const DEFAULT: OptionalColumn[] = ['spark', 'change', 'turnover', 'spread'];
/** On a phone each row has two lines, and room for these. */
export const PHONE_COLUMNS: readonly Column[] = ['name', 'spark', 'last', 'change', 'turnover'];

export const watchlistSettings = v.object({
  /** Beside name and last price, in their order on the screen. */
  columns: v.fallback(
    v.pipe(
      v.array(v.picklist(optionalColumns)),
      v.check((columns) => new Set(columns).size === columns.length),
    ),
    DEFAULT,
  ),
});

/** All in pixels. */
export interface Room {
  readonly width: number;
  /** What the longest name takes. */
  readonly name: number;
  /** What the longest price takes. */
  readonly last: number;
  readonly em: number;
}

export interface Columns {
  /** In their order on the screen. */
  readonly shown: readonly Column[];
  /** For `grid-template-columns`. */
  readonly tracks: string;
}

/**
 * The columns that fit beside the names. A name is what tells a row from the next: it is cut only
 * where not even the price leaves room for it.
 * @param chosen beside name and last price; the price comes after the line of the day, where that is first
 */
export function fitColumns(
  { width, name, last, em }: Room,
  chosen: readonly OptionalColumn[] = DEFAULT,
): Columns {
  const pixels = (column: Column) => {
    if (column === 'name') return name;
    const ems = column === 'last' ? null : EMS[column];
    return ems === null ? last : Math.ceil(ems * em);
  };
  const nameRoom = Math.max(0, width - pixels('last') - GAP - 2 * PADDING);
  let free = nameRoom - name;
  const fitting = new Set<Column>();
  const rank = (column: OptionalColumn) => {
    const place = PRIORITY.indexOf(column);
    return place === -1 ? PRIORITY.length : place;
  };
  for (const column of [...chosen].sort((a, b) => rank(a) - rank(b))) {
    free -= pixels(column) + GAP;
    if (free < 0) break;
    fitting.add(column);
  }
  const track = (column: Column) => {
    if (column === 'name') return `minmax(${Math.min(name, nameRoom)}px, 1fr)`;
    if (column === 'spark') return `minmax(${pixels('spark')}px, ${WIDE_SPARK_EMS}em)`;
    return `${pixels(column)}px`;
  };
  const [first, ...rest] = chosen.filter((column) => fitting.has(column));
  const beside: Column[] = first === undefined ? [] : [first, ...rest];
  const shown: Column[] =
    first === 'spark' ? ['name', 'spark', 'last', ...rest] : ['name', 'last', ...beside];
  return { shown, tracks: shown.map(track).join(' ') };
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
