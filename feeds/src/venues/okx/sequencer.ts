import type { BookData } from './messages.ts';

/** How a message stands to the one before it: right after it, a copy of what is in the book, or neither. */
export type Standing = 'next' | 'old' | 'gap';

type Position = Pick<BookData, 'seqId' | 'prevSeqId' | 'ts'>;

/**
 * "Sequence ID" of the order book channel:
 *
 * 1. The prevSeqId of a snapshot is -1. It replaces the book.
 * 2. The prevSeqId of an update is the seqId of the message before.
 * 3. After a long time without changes a message with empty sides comes, its prevSeqId and seqId
 *    both those of the last message: the connection is alive.
 * 4. Maintenance may reset the sequence: an update has a seqId below its prevSeqId, and the next
 *    ones follow on that. Its prevSeqId is still that of rule 2.
 *
 * The venue says nothing of copies. One is told by both ids: where a reset could be meant as well,
 * by its time. The checksum is 0 in every message and proves nothing.
 */
export function follows(before: Position, next: Position): Standing {
  const { seqId, prevSeqId = -1 } = next;
  if (prevSeqId === before.seqId) return 'next'; // 2, 3, 4
  const isSame = seqId === before.seqId && (prevSeqId < seqId || prevSeqId === before.prevSeqId);
  return isSame || isBehind(before, next) ? 'old' : 'gap';
}

/** Whether a whole book is a late copy of one that the book at hand has left behind. */
export function isBehind(before: Position, next: Position): boolean {
  return next.seqId < before.seqId && Number(next.ts) < Number(before.ts);
}
