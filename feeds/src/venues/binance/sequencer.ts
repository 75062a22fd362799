import type { Sequencer } from '../../core/book-sync.ts';
import type { DepthUpdate } from './messages.ts';

/**
 * Spot, "How to manage a local order book correctly" of web-socket-streams.md:
 *
 * 1. Buffer the events of the diff stream.
 * 2. Get a depth snapshot.
 * 3. If its lastUpdateId is below the U of the first buffered event, get another one.
 * 4. Drop buffered events with u ≤ lastUpdateId; the first that is left has lastUpdateId + 1
 *    within [U; u].
 * 5. Set the book to the snapshot, its id being lastUpdateId.
 * 6. Apply events: below the book's id they are ignored; a U above the id + 1 means that events
 *    were missed: start over.
 * 7. Quantities are absolute; zero removes the level.
 *
 * Rule 3 is read together with rule 4: a snapshot with lastUpdateId + 1 = U joins exactly.
 */
export const spotSequencer: Sequencer<DepthUpdate> = {
  follows(previous, next) {
    if (next.u <= previous.u) return 'old'; // 6
    return next.U <= previous.u + 1 ? 'next' : 'gap'; // 6
  },
  joins(snapshotId, diff) {
    if (diff.u <= snapshotId) return 'old'; // 4
    return diff.U <= snapshotId + 1 ? 'joins' : 'gap'; // 3, 4
  },
  matches: (snapshotId, diff) => diff.u === snapshotId,
  describe: (diff) => `U ${diff.U} u ${diff.u}`,
};

/**
 * USD-M and COIN-M futures, "How to manage a local order book correctly": as on spot, but ids are shared by
 * all symbols and so not consecutive within one.
 *
 * 4. Drop events with u < lastUpdateId.
 * 5. The first event applied has U ≤ lastUpdateId and u ≥ lastUpdateId.
 * 6. Each next event's pu equals the u of the one before; otherwise start over.
 *
 * An event whose pu is lastUpdateId follows the snapshot exactly, by rule 6.
 */
export const futuresSequencer: Sequencer<DepthUpdate> = {
  follows(previous, next) {
    if (next.u <= previous.u) return 'old';
    return next.pu === previous.u ? 'next' : 'gap'; // 6
  },
  joins(snapshotId, diff) {
    if (diff.u < snapshotId) return 'old'; // 4
    return diff.U <= snapshotId || diff.pu === snapshotId ? 'joins' : 'gap'; // 5
  },
  matches: (snapshotId, diff) => diff.u === snapshotId,
  describe: (diff) => `U ${diff.U} u ${diff.u} pu ${diff.pu}`,
};
