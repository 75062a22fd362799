import { packr } from '../../msgpack.ts';
import type { StoredColumn } from './store.ts';

/** Columns of so long are put together in one row once they are all there. */
export const BLOCK_MS = 60_000;

/** Each series ends its blocks at a second of its own, so that not all of them are packed at once. */
const STAGGER_MS = 1_000;

/** Start of the block that a column belongs to, unix milliseconds. */
export function blockTimeOf(series: number, timeMs: number): number {
  const shift = (series * STAGGER_MS) % BLOCK_MS;
  return Math.floor((timeMs + shift) / BLOCK_MS) * BLOCK_MS - shift;
}

export function packColumns(columns: readonly StoredColumn[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(packr.pack(columns.map(({ time, step, data }) => [time, step, data])));
}

/** Leaves out what nobody packed: what can be read beside it is worth more than an error. */
export function unpackColumns(packed: Uint8Array): StoredColumn[] {
  let rows: unknown;
  try {
    rows = packr.unpack(packed);
  } catch {
    return [];
  }
  return Array.isArray(rows) ? rows.flatMap(columnsOfRow) : [];
}

/** @returns none where it is no row of a column */
function columnsOfRow(row: unknown): StoredColumn[] {
  const [time, step, data] = Array.isArray(row) ? (row as unknown[]) : [];
  if (!Number.isSafeInteger(time) || !Number.isInteger(step) || !(data instanceof Uint8Array)) return [];
  const own = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return [{ time: time as number, step: step as number, data: own }];
}

/** Of both, oldest first; where both have a second, the later word counts. */
export function mergeColumns(
  earlier: readonly StoredColumn[],
  later: readonly StoredColumn[],
): StoredColumn[] {
  const byTime = new Map<number, StoredColumn>();
  for (const column of [...earlier, ...later]) byTime.set(column.time, column);
  return [...byTime.values()].sort((a, b) => a.time - b.time);
}

/** Those of a span that were asked for. @param columns oldest first */
export function selectColumns(
  columns: readonly StoredColumn[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  { limit, isNewest }: { readonly limit: number; readonly isNewest: boolean },
): StoredColumn[] {
  const inside = columns.filter(({ time }) => time >= fromMs && time < toMs);
  return isNewest ? inside.slice(Math.max(0, inside.length - limit)) : inside.slice(0, limit);
}
