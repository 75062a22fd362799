import type { OrderBook } from '../book/order-book.ts';
import type { BookState } from '../model/events.ts';
import type { InstrumentId } from '../model/instrument.ts';
import type { DataFrame } from '../protocol/messages.ts';
import { BookReplica } from './replica.ts';
import type { StreamClient } from './stream-client.ts';
import { Subscription, type Held, type SubscriptionOptions } from './subscription.ts';

export interface BookOptions extends SubscriptionOptions {
  /** Levels a side, 0 for all. The server may grant more. */
  readonly depth?: number;
}

/** A replica of the book, verified against the server's checksums. */
export class BookSubscription extends Subscription {
  readonly #replica = new BookReplica();

  get book(): OrderBook {
    return this.#replica.book;
  }

  /** `recovering` too while the connection is away: the levels are then a picture of the past. */
  get state(): BookState {
    if (this.channel === null) return this.#replica.seq < 0 ? 'syncing' : 'recovering';
    return this.#replica.state;
  }

  /** Why the book is not live; null when it is, or when the reason is not known. */
  get reason(): string | null {
    if (this.refusal) return this.refusal.message;
    if (this.channel === null) return this.#replica.seq < 0 ? null : 'connection lost';
    return this.#replica.error?.message ?? this.#replica.reason;
  }

  /** Figures of the last frame, and how many checksums were found right. */
  get replica(): Readonly<
    Pick<
      BookReplica,
      'merged' | 'isConflated' | 'ageMs' | 'lagMs' | 'timeMs' | 'isDelta' | 'verified' | 'seq'
    >
  > {
    return this.#replica;
  }

  protected override get held(): Held | null {
    const { isSound, seq, book } = this.#replica;
    return isSound ? { seq, sequence: book.sequence } : null;
  }

  protected override resumed(newestSeq: number): void {
    this.#replica.resume(newestSeq);
  }

  protected override moved(): void {
    this.#replica.move();
  }

  protected restart(): void {
    this.#replica.restart();
  }

  protected clear(): void {
    this.book.clear();
  }

  protected accept(frame: DataFrame): void {
    const stateBefore = this.#replica.state;
    const outcome = this.#replica.apply(frame);
    if (outcome === 'ignored') return;
    if (outcome === 'broken') {
      this.resync(this.#replica.error!);
      return;
    }
    this.changed();
    if (this.#replica.state !== stateBefore) this.emit('state');
  }
}

/** A book for a client that need not have any: pages that show none do without the code. */
export function subscribeBook(
  client: StreamClient,
  instrument: InstrumentId,
  { depth = 0, cadenceMs }: BookOptions = {},
): BookSubscription {
  return client.subscribe(
    { op: 'subscribe', topic: 'book', instrument, depth, cadence: cadenceMs },
    BookSubscription,
  );
}
