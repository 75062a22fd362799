import type { BookMessage } from './messages.ts';

/** How a message stands to the one before it: right after it, a copy of what is in the book, or neither. */
export type Standing = 'next' | 'old' | 'gap';

type Position = Pick<BookMessage, 'u' | 'ts'>;

/**
 * "Orderbook" of the public streams:
 *
 * 1. A snapshot comes first. A delta has absolute sizes; zero removes the level.
 * 2. "If you receive a new snapshot message, you will have to reset your local orderbook", whatever
 *    its u; a u of 1 is the snapshot after a restart of the service.
 * 3. u "is a sequence". That it goes up by one with every delta is written of the full book only;
 *    every recorded delta of 50 levels and more does so, and one that does not is a gap.
 *
 * The venue says nothing of copies. One is told by u and by time: a u that went back is no copy
 * where the time went on, but a restart whose snapshot was lost.
 */
export function follows(before: Position, next: Position): Standing {
  if (next.u === before.u + 1) return 'next'; // 3
  return next.u <= before.u && next.ts <= before.ts ? 'old' : 'gap';
}

/** Whether a snapshot is a late copy of one that the book at hand has left behind. */
export function isBehind(before: Position, snapshot: Position): boolean {
  return snapshot.u < before.u && snapshot.ts < before.ts;
}
