/**
 * "sequence_num" of the venue's guide to sequence numbers, and what recordings show:
 *
 * 1. Every message of a connection has a number: 0 the first, one more each next, whatever its
 *    channel and product.
 * 2. A number above the next one: messages were dropped.
 * 3. A number that was there already: the message came late or twice, and is ignored.
 *
 * Which product a dropped message was of cannot be told, unless it arrived, and only could not be
 * read. Rules of our own for that:
 *
 * 4. Missing numbers that unreadable frames account for concern only the products that these name:
 *    by the number in them, where it is legible; any other as far as they are enough in number.
 * 5. Where no number is missing, unreadable frames were none of the venue's numbered ones.
 * 6. A run of old numbers is a count begun anew: everything before it is of no use.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview
 */
export type Verdict =
  | { readonly kind: 'old' }
  /** @property proves whether unreadable frames are explained by it */
  | { readonly kind: 'next'; readonly proves: boolean }
  /** @property products that may have missed something; null for all */
  | { readonly kind: 'gap'; readonly reason: string; readonly products: readonly string[] | null };

interface Unreadable {
  readonly sequence: number | null;
  readonly products: readonly string[] | null;
}

/** Old numbers on end that are taken for a new count: more than any frame is repeated. */
const MAX_OLD = 16;
/** Unreadable frames that are remembered; more of them explain nothing any more. */
const MAX_UNREADABLE = 64;

/** The count of one connection's messages. */
export class ConnectionSequence {
  #last: number | null = null;
  #old = 0;
  #unreadable: Unreadable[] = [];

  reset(): void {
    this.#last = null;
    this.#old = 0;
    this.#unreadable = [];
  }

  /** A frame arrived that cannot be read. */
  unreadable(frame: Unreadable): void {
    if (this.#unreadable.length < MAX_UNREADABLE) this.#unreadable.push(frame);
  }

  /** The number of a message that can be read. */
  take(sequence: number): Verdict {
    const last = this.#last;
    if (last !== null && sequence <= last) {
      this.#old += 1;
      if (this.#old < MAX_OLD) return { kind: 'old' };
      this.reset();
      this.#last = sequence;
      return { kind: 'gap', reason: `numbers began anew at ${sequence} after ${last}`, products: null };
    }
    const unreadable = this.#unreadable;
    this.#last = sequence;
    this.#old = 0;
    this.#unreadable = [];
    const missing = last === null ? 0 : sequence - last - 1;
    if (missing === 0) return { kind: 'next', proves: unreadable.length > 0 };
    const products = concerned(unreadable, last!, sequence, missing);
    if (products?.length === 0) return { kind: 'next', proves: true };
    return { kind: 'gap', reason: `message ${sequence} follows ${last}: ${missing} missing`, products };
  }
}

/** Rule 4. */
function concerned(
  unreadable: readonly Unreadable[],
  last: number,
  next: number,
  missing: number,
): readonly string[] | null {
  const isMissing = (sequence: number) => sequence > last && sequence < next;
  const named = unreadable.filter(({ sequence }) => sequence !== null && isMissing(sequence));
  const unnamed = unreadable.filter(({ sequence }) => sequence === null);
  const unexplained = missing - new Set(named.map(({ sequence }) => sequence)).size;
  if (unexplained > unnamed.length) return null;
  const lost = new Set<string>();
  for (const { products } of unexplained > 0 ? [...named, ...unnamed] : named) {
    if (products === null) return null;
    for (const product of products) lost.add(product);
  }
  return [...lost];
}
