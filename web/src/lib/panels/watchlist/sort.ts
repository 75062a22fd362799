export const sortKeys = ['name', 'last', 'change', 'turnover', 'spread'] as const;
export type SortKey = (typeof sortKeys)[number];

/** Those that change with the market. */
export const liveKeys: ReadonlySet<string> = new Set<SortKey>(['last', 'change', 'turnover', 'spread']);

/** What a row is sorted and searched by; null where nothing is known yet. */
export interface Sortable {
  readonly id: string;
  readonly name: string;
  readonly last: number | null;
  readonly change: number | null;
  readonly turnover: number | null;
  readonly spread: number | null;
}

/** A sorted copy. What is not known comes last either way; equals are in order of name, then id. */
export function sortRows<Row extends Sortable>(
  rows: readonly Row[],
  key: SortKey,
  descending: boolean,
): Row[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const order = key === 'name' ? sign * compareText(a.name, b.name) : compareKnown(a[key], b[key], sign);
    return order || compareText(a.name, b.name) || compareText(a.id, b.id);
  });
}

function compareKnown(a: number | null, b: number | null, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return sign * (a - b);
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export interface Searchable {
  readonly id: string;
  readonly venue: string;
  readonly base: string;
  readonly quote: string;
  readonly name: string;
}

/** Whether every word of the query is somewhere in the id, the names or `BASEQUOTE`. */
export function matches(instrument: Searchable, query: string): boolean {
  const { id, venue, base, quote, name } = instrument;
  const text = `${id} ${venue} ${base}/${quote} ${base}${quote} ${name}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
