import type { Sequencer } from '../../core/book-sync.ts';
import type { DiffOrderBook } from './messages.ts';

/**
 * How a full book is kept, after the documents of the `diff_order_book` channel:
 *
 * 1. Subscribe, and hold the diffs that come.
 * 2. GET `/api/v2/order_book/SYMBOL/?group=1`.
 * 3. Drop the diffs held whose microtimestamp is at or below the snapshot's; apply the others.
 * 4. Amounts are absolute; zero removes the level.
 *
 * What the documents leave to the reader:
 *
 * 5. The snapshot comes from a cache that lags behind the stream, by two and a half seconds in
 *    recordings. One older than the first diff held may lack what came between: get another.
 * 6. A diff does not name the one before it. All that can be asked of them is that they are in the
 *    order of their microtimestamps; a lost one shows only against another snapshot (`audit.ts`).
 */
export const diffSequencer: Sequencer<DiffOrderBook> = {
  follows: (previous, next) => (next.microtimestamp <= previous.microtimestamp ? 'old' : 'next'), // 6
  joins: (snapshotId, diff) => (diff.microtimestamp <= snapshotId ? 'old' : 'joins'), // 3
  matches: (snapshotId, diff) => diff.microtimestamp === snapshotId,
  describe: (diff) => `microtimestamp ${diff.microtimestamp}`,
  unchained: {
    reaches: (snapshotId, diff) => snapshotId >= diff.microtimestamp, // 5
    minDiffs: 6,
    lagMs: 5_000,
  },
};

/** Whether a diff comes after one that is later: the order of the stream is broken, or one is missing. */
export function isLate(diff: DiffOrderBook, newest: number): boolean {
  return diff.microtimestamp < newest; // 6
}
