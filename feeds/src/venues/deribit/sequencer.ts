import type { BookMessage } from './messages.ts';

/** Change ids that are remembered, to tell a message that comes twice. */
const MAX_TAKEN = 256;

/**
 * `book.{instrument_name}.{interval}`:
 *
 * 1. The first notification contains the whole book, as `new` levels.
 * 2. Those after it contain changed levels with their new amount: `new`, `change` or `delete`.
 * 3. Each contains change_id, and each but the first prev_change_id. Where prev_change_id equals the
 *    change_id of the message before, no message was missed.
 *
 * Otherwise the channel is unsubscribed and subscribed again: rule 1 begins anew. A message that was
 * taken already is known by its change_id; that it is a low one alone proves nothing.
 */
export class ChangeSequence {
  #last: number;
  readonly #taken = new Set<number>();

  /** @param snapshotId 1: change_id of the whole book */
  constructor(snapshotId: number) {
    this.#last = snapshotId;
    this.#taken.add(snapshotId);
  }

  /** Change id of the book as it is. */
  get last(): number {
    return this.#last;
  }

  take({ changeId, prevChangeId }: Pick<BookMessage, 'changeId' | 'prevChangeId'>): 'next' | 'old' | 'gap' {
    if (this.#taken.has(changeId)) return 'old';
    // 1: a snapshot replaces whatever was there; 3: a change follows the message before.
    const follows = prevChangeId === null ? changeId > this.#last : prevChangeId === this.#last;
    if (!follows) return 'gap';
    this.#last = changeId;
    this.#taken.add(changeId);
    if (this.#taken.size > MAX_TAKEN) this.#taken.delete(this.#taken.values().next().value!);
    return 'next';
  }
}
