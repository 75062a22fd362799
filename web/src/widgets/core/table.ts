import type { TableColumn } from './options.ts';

export interface Sort {
  readonly column: TableColumn;
  readonly isDescending: boolean;
}

/**
 * Which columns there is room for: those that are kept, and of the others the first ones.
 * @param widths of the columns, in any unit
 * @param room in the same
 */
export function fitColumns<Column>(
  columns: readonly Column[],
  widths: readonly number[],
  room: number,
  keep: ReadonlySet<Column>,
): Set<Column> {
  const kept = columns.filter((column) => keep.has(column));
  let left = room - kept.reduce((sum, column) => sum + widths[columns.indexOf(column)]!, 0);
  const shown = new Set(kept);
  for (const [index, column] of columns.entries()) {
    if (keep.has(column)) continue;
    left -= widths[index]!;
    if (left < 0) break;
    shown.add(column);
  }
  return shown;
}

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
