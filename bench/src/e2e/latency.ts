import { quantile } from '../harness/statistics.ts';
import { ROW } from './samples.ts';
import type { BookRecord } from './venue.ts';

export interface Latency {
  /** Milliseconds. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The engine counts a book's updates: the snapshot is the first, the venue's first frame the second. */
export const SEQUENCE_OF_FIRST_FRAME = 2;

/**
 * From the sending of the oldest frame of the venue that is merged in a frame of the server, to when a
 * client had decoded that.
 * @param rows what `samples.ts` noted
 */
export function latencyOf(
  rows: Float64Array,
  books: readonly BookRecord[],
  { fromMs, toMs }: Window,
): Latency {
  const delays: number[] = [];
  for (let i = 0; i < rows.length; i += ROW) {
    const [book, first, , decodedMs] = rows.subarray(i, i + ROW);
    if (decodedMs! < fromMs || decodedMs! > toMs) continue;
    const delay = decodedMs! - books[book!]!.sentMs[first! - SEQUENCE_OF_FIRST_FRAME]!;
    if (!(delay > 0)) throw new Error(`update ${first} of book ${book} came ${delay} ms after it was sent`);
    delays.push(delay);
  }
  return {
    p50: quantile(delays, 0.5),
    p90: quantile(delays, 0.9),
    p99: quantile(delays, 0.99),
    max: quantile(delays, 1),
    samples: delays.length,
  };
}
