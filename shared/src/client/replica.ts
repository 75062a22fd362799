import { bookChecksum } from '../book/checksum.ts';
import { OrderBook } from '../book/order-book.ts';
import { DepthwireError } from '../model/errors.ts';
import type { BookState } from '../model/events.ts';
import { decodeLevels } from '../protocol/levels.ts';
import { frameCodes } from '../protocol/messages.ts';
import { decodeState } from '../protocol/records.ts';
import { show } from '../protocol/show.ts';

export type ReplicaOutcome =
  /** The book is the server's as of this frame. */
  | 'applied'
  /** Nothing to do: an old frame, or one that came while a snapshot is awaited. */
  | 'ignored'
  /** The book can no longer be trusted; `error` says why. Ask for a snapshot. */
  | 'broken';

/**
 * A book rebuilt from the frames of one channel. Pure: frames in, a verified book or a reason
 * why not out. Whatever is lost, repeated or reordered on the way, it is `live` only while it
 * is the server's book.
 */
export class BookReplica {
  readonly book = new OrderBook();
  /** Why the last frame was `broken`. */
  error: DepthwireError | null = null;
  /** Engine updates that the last delta merged. */
  merged = 0;
  /** Whether the last frame stands for some that did not reach the client in time. */
  isConflated = false;
  /** Send time less receive time of the oldest update in the last delta, milliseconds. */
  ageMs = 0;
  /** Receive time less venue time of the newest update, milliseconds; null where unknown. */
  lagMs: number | null = null;
  /** Send time of the last frame by the server's market clock, unix milliseconds. */
  timeMs = 0;
  /** Whether the last frame was a delta: only those say when they were sent. */
  isDelta = false;
  /** Checksums compared and found right since the replica began. */
  verified = 0;
  reason: string | null = null;

  #state: BookState = 'syncing';
  #awaitingSnapshot = true;
  #seq = -1;
  #reference = 0;
  #resumedTo = 0;
  /** The engine's count of the book that a frame of another gateway may go on from; null where none may. */
  #from: number | null = null;

  /** The server's word on the book; `recovering` while this replica is the one that is wrong. */
  get state(): BookState {
    return this.#seq >= 0 && (this.#awaitingSnapshot || this.#seq < this.#resumedTo)
      ? 'recovering'
      : this.#state;
  }

  /** Whether the next frame may build on what is here. */
  get isSound(): boolean {
    return !this.#awaitingSnapshot;
  }

  /** Sequence number of the last frame applied within the channel; -1 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Forgets the sequence: the next frame must be a snapshot. The levels stay to be looked at. */
  reset(): void {
    this.#awaitingSnapshot = true;
    this.#from = null;
  }

  /** Starts over for a new channel, as after a reconnect. */
  restart(): void {
    this.reset();
    this.#resumedTo = 0;
    if (this.#seq >= 0) this.#seq = 0;
  }

  /**
   * Goes on in the same channel after a reconnect.
   * @param newest the number of its newest frame: until the replica is there it is `recovering`
   */
  resume(newest: number): void {
    this.#resumedTo = newest;
  }

  /** Goes on in a channel of another gateway: with what differs from the book that is here, or a snapshot. */
  move(): void {
    const from = this.isSound ? this.book.sequence : null;
    this.restart();
    this.#from = from;
  }

  /** @param frame a decoded book frame of this replica's channel */
  apply(frame: readonly unknown[]): ReplicaOutcome {
    try {
      return this.#apply(frame);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      return this.#break(error);
    }
  }

  #apply(frame: readonly unknown[]): ReplicaOutcome {
    const seq = integer(frame[2], 'seq');
    if (frame[0] === frameCodes.bookSnapshot) {
      if (!this.#awaitingSnapshot && seq <= this.#seq) return 'ignored';
      return this.#load(frame, seq, null);
    }
    if (this.#from !== null) {
      if (frame[0] === frameCodes.bookResumed && frame[4] === this.#from)
        return this.#load(frame, seq, this.#from);
      throw new DepthwireError('sequence_gap', `expected a frame from update ${this.#from}`);
    }
    if (this.#awaitingSnapshot || seq <= this.#seq) return 'ignored';
    this.isDelta = false;
    this.isConflated = false;
    const isMerged = frame[0] === frameCodes.bookMerged;
    const before = isMerged ? integer(frame[3], 'from') : seq - 1;
    if (before !== this.#seq) {
      throw new DepthwireError('sequence_gap', `expected frame ${this.#seq + 1}, got ${before + 1}`, {
        expected: this.#seq + 1,
        got: before + 1,
      });
    }
    if (isMerged) return this.#merge(frame, seq);
    if (frame[0] === frameCodes.bookState) {
      this.#state = decodeState(frame[3]);
      this.timeMs += integer(frame[4], 'elapsedMs');
      this.reason = typeof frame[5] === 'string' ? frame[5] : null;
      this.#seq = seq;
      return 'applied';
    }
    if (frame[0] !== frameCodes.bookDelta) throw malformed('frame code', frame[0]);

    const merged = integer(frame[3], 'merged');
    const elapsedMs = integer(frame[4], 'elapsedMs');
    const ageMs = integer(frame[5], 'ageMs');
    const bids = decodeLevels(frame[7], -1, this.#reference);
    const asks = decodeLevels(frame[8], 1, this.#reference);
    this.book.applyDelta(bids, asks);
    this.book.sequence += merged;
    this.merged = merged;
    this.timeMs += elapsedMs;
    this.ageMs = ageMs;
    this.lagMs = frame[6] === null ? null : integer(frame[6], 'lagMs');
    this.isDelta = true;
    this.#seq = seq;
    if (frame[9] !== undefined) this.#verify(frame[9]);
    return 'applied';
  }

  /** Takes what stands for all frames since the last one. */
  #merge(frame: readonly unknown[], seq: number): ReplicaOutcome {
    const state = decodeState(frame[4]);
    const merged = integer(frame[5], 'merged');
    const elapsedMs = integer(frame[6], 'elapsedMs');
    const ageMs = integer(frame[7], 'ageMs');
    const lagMs = frame[8] === null ? null : integer(frame[8], 'lagMs');
    this.book.applyDelta(
      decodeLevels(frame[9], -1, this.#reference),
      decodeLevels(frame[10], 1, this.#reference),
    );
    this.book.sequence += merged;
    this.#state = state;
    this.#seq = seq;
    this.merged = merged;
    this.isConflated = true;
    this.timeMs += elapsedMs;
    this.ageMs = ageMs;
    this.lagMs = lagMs;
    this.reason = typeof frame[12] === 'string' ? frame[12] : null;
    this.#verify(frame[11]);
    return 'applied';
  }

  /**
   * Takes what begins the channel.
   * @param from the update of the book that it goes on from; null where it is the whole book
   */
  #load(frame: readonly unknown[], seq: number, from: number | null): ReplicaOutcome {
    const elements = from === null ? frame.slice(3) : [frame[3], ...frame.slice(5, 7), ...frame.slice(8)];
    const state = decodeState(elements[0]);
    const sequence = integer(elements[1], 'sequence');
    const timeMs = integer(elements[2], 'timeMs');
    const lagMs = elements[3] === null ? null : integer(elements[3], 'lagMs');
    const reference = integer(elements[4], 'reference');
    const ageMs = from === null ? 0 : integer(frame[7], 'ageMs');
    const bids = decodeLevels(elements[5], -1, reference);
    const asks = decodeLevels(elements[6], 1, reference);
    if (from === null) this.book.loadSnapshot(bids, asks);
    else this.book.applyDelta(bids, asks);
    this.book.sequence = sequence;
    this.#reference = reference;
    this.#state = state;
    this.#seq = seq;
    this.#awaitingSnapshot = false;
    this.#from = null;
    this.timeMs = timeMs;
    this.lagMs = lagMs;
    this.isDelta = false;
    this.isConflated = from !== null;
    this.merged = sequence - (from ?? sequence);
    this.ageMs = ageMs;
    this.reason = typeof elements[8] === 'string' ? elements[8] : null;
    this.error = null;
    this.#verify(elements[7]);
    return 'applied';
  }

  #verify(expected: unknown): void {
    const actual = bookChecksum(this.book);
    if (actual !== expected) {
      throw new DepthwireError(
        'checksum_mismatch',
        `the replica’s checksum is ${actual}, the server’s ${show(expected)}`,
        {
          sequence: this.book.sequence,
        },
      );
    }
    this.verified += 1;
  }

  #break(error: DepthwireError): ReplicaOutcome {
    this.error = error;
    this.reset();
    if (this.#seq < 0) this.#seq = 0;
    return 'broken';
  }
}

function integer(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value)) throw malformed(name, value);
  return value as number;
}

function malformed(name: string, value: unknown): DepthwireError {
  return new DepthwireError(
    'malformed_frame',
    `${name}: expected an integer of the protocol, got ${show(value)}`,
  );
}
