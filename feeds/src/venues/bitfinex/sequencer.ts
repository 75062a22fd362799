/** What a sequence number tells. */
export type Verdict =
  | {
      readonly order: 'next';
      /** Whether it shows that what could not be read before it was no frame of the sequence. */
      readonly isProof: boolean;
    }
  | { readonly order: 'old' }
  | {
      readonly order: 'gap';
      /** Symbols whose books miss something; null for all. */
      readonly lost: readonly string[] | null;
      readonly reason: string;
    };

/**
 * SEQ_ALL, "adds sequence numbers to each event":
 *
 * 1. The first frame of a channel on a connection has number 1.
 * 2. One counter goes over all channels of the connection, heartbeats and checksums among them;
 *    events (objects) have none.
 * 3. Each frame has the number of the one before plus one; otherwise frames are missing, and nothing
 *    tells of which channel they were.
 *
 * Where exactly those are missing that came but could not be read, and each of them still names its
 * channel, only the books of these channels miss something.
 */
export class ConnectionSequence {
  #last: number | null = null;
  /** Frames that could not be read since the last one that could, and the books each may have been of. */
  #unread: (readonly string[] | null)[] = [];
  #isDoubted = false;

  /** Whether frames of this connection were numbered. */
  get isNumbered(): boolean {
    return this.#last !== null;
  }

  reset(): void {
    this.#last = null;
    this.#unread = [];
    this.#isDoubted = false;
  }

  /**
   * Something came that could not be read.
   * @param isCounted whether it is, or was, a frame that the sequence counts
   * @param symbols whose books it may have been of; null for any
   */
  unread(isCounted: boolean, symbols: readonly string[] | null): void {
    this.#isDoubted = true;
    if (isCounted) this.#unread.push(symbols);
  }

  take(number: number): Verdict {
    const last = this.#last;
    if (last !== null && number <= last) return { order: 'old' };
    this.#last = number;
    const unread = this.#unread;
    const isProof = this.#isDoubted;
    this.#unread = [];
    this.#isDoubted = false;
    const missing = last === null ? 0 : number - last - 1; // 3
    if (missing === 0) return { order: 'next', isProof };
    const named = unread.flatMap((symbols) => (symbols === null ? [] : [symbols]));
    if (named.length === missing && unread.length === missing)
      return { order: 'gap', lost: named.flat(), reason: `frame ${last! + 1} could not be read` };
    return { order: 'gap', lost: null, reason: `sequence gap: ${number} after ${last} on the connection` };
  }
}
