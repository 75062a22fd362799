export const sortKeys = ['name', 'last', 'change', 'turnover', 'spread'] as const;
export type SortKey = (typeof sortKeys)[number];

/** Those that change with the market. */
export const liveKeys: ReadonlySet<string> = new Set<SortKey>(['last', 'change', 'turnover', 'spread']);

/** What a row is sorted and searched by; null where nothing is known yet. */
export interface Sortable {
  readonly id: string;
  readonly name: string;
  /** Last price: of each instrument in the same unit, so not in ticks. */
  readonly price: number | null;
  readonly change: number | null;
  readonly turnover: number | null;
  readonly spread: number | null;
}

/** What a list is sorted by: `none` is the order in which the server lists the instruments. */
export interface Sort {
  readonly sortBy: SortKey | 'none';
  readonly sortDescending: boolean;
}

/** Where the head of a column is pressed: figures the largest first, names from A; then the other way; then none. */
export function nextSort({ sortBy, sortDescending }: Sort, key: SortKey): Sort {
  const isDescendingFirst = key !== 'name';
  if (key !== sortBy) return { sortBy: key, sortDescending: isDescendingFirst };
  if (sortDescending === isDescendingFirst) return { sortBy, sortDescending: !isDescendingFirst };
  return { sortBy: 'none', sortDescending: true };
}

/** A sorted copy. What is not known comes last either way; equals are in order of name, then id. */
export function sortRows<Row extends Sortable>(
  rows: readonly Row[],
  key: SortKey,
  descending: boolean,
): Row[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const order =
      key === 'name'
        ? sign * compareText(a.name, b.name)
        : compareKnown(valueOf(a, key), valueOf(b, key), sign);
    return order || compareText(a.name, b.name) || compareText(a.id, b.id);
  });
}

const valueOf = (row: Sortable, key: Exclude<SortKey, 'name'>) => row[key === 'last' ? 'price' : key];

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

/** The better a match, the lower: the whole of a name, its beginning, the beginning of a part, anything else. */
function rankOf({ id, venue, base, quote, name }: Searchable, query: string): number {
  const text = query.trim().toLowerCase();
  const symbol = id.slice(id.indexOf(':') + 1);
  const names = [id, symbol, base, base + quote, `${base}/${quote}`].map((one) => one.toLowerCase());
  if (names.slice(0, 2).includes(text)) return 0;
  if (names.includes(text)) return 1;
  // An id begins with its venue, which tells little.
  const begins = text.includes(':') ? names : names.slice(1);
  if (begins.some((one) => one.startsWith(text))) return 2;
  const parts = [...names, venue.toLowerCase(), name.toLowerCase()].flatMap((one) => one.split(/[\s:/-]+/));
  return text.split(/\s+/).every((word) => parts.some((part) => part.startsWith(word))) ? 3 : 4;
}

/** Those that match, the best first; equally good ones the shortest id first, then by id: no figure moves them. */
export function search<Item>(
  items: readonly Item[],
  query: string,
  instrumentOf: (item: Item) => Searchable,
): Item[] {
  return items
    .map((item) => ({ item, instrument: instrumentOf(item) }))
    .filter(({ instrument }) => matches(instrument, query.trim()))
    .map((one) => ({ ...one, id: one.instrument.id, rank: rankOf(one.instrument, query) }))
    .sort((a, b) => a.rank - b.rank || a.id.length - b.id.length || compareText(a.id, b.id))
    .map(({ item }) => item);
}
