import type { TableColumn } from './list-options.ts';

export interface Sort {
  readonly column: TableColumn;
  readonly isDescending: boolean;
}

/**
 * Which columns there is room for: first those that are wanted most, of which the first two stay in any case, and of
 * the others the first ones.
 * @param widths of the columns, in any unit
 * @param room in the same
 */
export function fitColumns<Column>(
  columns: readonly Column[],
  widths: readonly number[],
  room: number,
  wanted: readonly Column[],
): Set<Column> {
  const shown = new Set<Column>();
  let left = room;
  for (const column of new Set([...wanted, ...columns])) {
    const index = columns.indexOf(column);
    if (index < 0) continue;
    left -= widths[index]!;
    if (left < 0 && shown.size >= LEAST_COLUMNS) break;
    shown.add(column);
  }
  return shown;
}

const LEAST_COLUMNS = 2;

/** By what is known of them; those of which nothing is known last, whichever way. Equals stay as they were. */
export function sortRows<Row>(
  rows: readonly Row[],
  values: readonly (number | string | null)[],
  isDescending: boolean,
  locale: string,
): Row[] {
  const { compare } = new Intl.Collator(locale, { numeric: true });
  const sign = isDescending ? -1 : 1;
  return rows
    .map((row, index) => ({ row, value: values[index]! }))
    .sort(({ value: a }, { value: b }) => {
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
      return sign * compare(String(a), String(b));
    })
    .map(({ row }) => row);
}
