/** Pixels between two columns, and at each end of a row. */
const GAP = 8;
const PADDING = 8;
/** Widths in ems of the row; `spark` may be wider where there is room. */
const EMS = { spark: 3.3, change: 4.6, turnover: 4, spread: 2.7 };
const WIDE_SPARK_EMS = 4;
/** What a list can do without, the most useful first. */
const OPTIONAL = ['change', 'spark', 'turnover', 'spread'] as const;
const ORDER = ['name', 'spark', 'last', 'change', 'turnover', 'spread'] as const;

export type Column = (typeof ORDER)[number];

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
  /** For `grid-template-areas` and `grid-template-columns`. */
  readonly areas: string;
  readonly tracks: string;
}

/**
 * The columns that fit beside the names. A name is what tells a row from the next: it is cut only
 * where not even the price leaves room for it.
 */
export function fitColumns({ width, name, last, em }: Room): Columns {
  const pixels = (column: Column) =>
    column === 'name' ? name : column === 'last' ? last : Math.ceil(EMS[column] * em);
  const nameRoom = Math.max(0, width - pixels('last') - GAP - 2 * PADDING);
  let free = nameRoom - name;
  const shown = new Set<Column>(['name', 'last']);
  for (const column of OPTIONAL) {
    free -= pixels(column) + GAP;
    if (free < 0) break;
    shown.add(column);
  }
  const track = (column: Column) => {
    if (column === 'name') return `minmax(${Math.min(name, nameRoom)}px, 1fr)`;
    if (column === 'spark') return `minmax(${pixels('spark')}px, ${WIDE_SPARK_EMS}em)`;
    return `${pixels(column)}px`;
  };
  const inOrder = ORDER.filter((column) => shown.has(column));
  return { shown: inOrder, areas: `'${inOrder.join(' ')}'`, tracks: inOrder.map(track).join(' ') };
}
