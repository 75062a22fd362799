import { bookChecksum, type BookSubscription, type OrderBook } from '@depthwire/shared';

/** Checksums of a book by its sequence. */
export type Checksums = Map<number, number>;

/** Compares books of clients with the server's: both note checksums for a while, by the book's sequence. */
export class BookNotes {
  #books: { readonly instrument: string; readonly checksums: Checksums }[] = [];
  #unfollow: (() => void)[] = [];

  forget(): void {
    this.#books = [];
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
  }

  /** Begins anew with the books of the SDK's clients. */
  followAll(subscriptions: readonly BookSubscription[]): void {
    this.forget();
    this.#unfollow = subscriptions.map((subscription) =>
      subscription.on('change', this.follow(subscription.instrumentId, subscription.book)),
    );
  }

  /** @returns what to call after each change of the book */
  follow(instrument: string, book: OrderBook): () => void {
    const checksums: Checksums = new Map();
    this.#books.push({ instrument, checksums });
    return () => checksums.set(book.sequence, bookChecksum(book));
  }

  /** @param served by instrument */
  compare(served: ReadonlyMap<string, Checksums>): Comparison {
    const comparison = { books: 0, equal: 0, wrong: 0, checksums: 0 };
    for (const { instrument, checksums } of this.#books) {
      let [same, other] = [0, 0];
      for (const [sequence, checksum] of checksums) {
        const expected = served.get(instrument)?.get(sequence);
        if (expected === undefined) continue;
        if (expected === checksum) same += 1;
        else other += 1;
      }
      comparison.books += 1;
      comparison.checksums += same + other;
      if (other > 0) comparison.wrong += 1;
      else if (same > 0) comparison.equal += 1;
    }
    return comparison;
  }
}

export interface Comparison {
  readonly books: number;
  /** Books that had the server's checksum each time that both noted the same sequence, at least once. */
  readonly equal: number;
  /** Books that had another checksum at the same sequence. */
  readonly wrong: number;
  readonly checksums: number;
}

export function sumOf(comparisons: readonly Comparison[]): Comparison {
  const sum = (name: keyof Comparison) => comparisons.reduce((all, each) => all + each[name], 0);
  return { books: sum('books'), equal: sum('equal'), wrong: sum('wrong'), checksums: sum('checksums') };
}
