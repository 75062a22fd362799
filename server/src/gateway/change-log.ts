import { PriceRing } from './price-ring.ts';

/** Frames of a channel that are remembered. */
const MAX_FRAMES = 128;
/** One more, for the frame that they begin after. */
const ROWS = MAX_FRAMES + 1;
/** Prices of each side that are remembered, by the levels of the channel: past that a snapshot is smaller. */
const PRICES_A_LEVEL = 8;
const MIN_PRICES = 256;
const MAX_PRICES = 4096;

/** What changed in a book since one of its frames. */
export interface Changes {
  /** The engine's count of updates, as of that frame. */
  readonly sequence: number;
  /** When that frame was made, unix milliseconds. */
  readonly timeMs: number;
  /** Receive time of the first update after it; null where there was none. */
  readonly oldestReceiveMs: number | null;
  /** Prices of the side, each once, best first. */
  readonly bids: readonly number[];
  readonly asks: readonly number[];
}

/**
 * Which prices each of the latest frames of a book channel changed. With the book as it is now that gives
 * the difference to the book of any of them: a client that missed frames gets one instead, and nobody has
 * to keep the frames. Takes 5 KiB and, for each side, eight prices a level of the channel, 2 to 32 KiB.
 */
export class ChangeLog {
  readonly #bids: PriceRing;
  readonly #asks: PriceRing;
  /** `sequence, timeMs, receiveMs, bids written, asks written` after each frame. */
  readonly #rows = new Float64Array(5 * ROWS);
  #first = 0;
  #last = 0;

  /** @param depth levels a side of the channel, 0 for all */
  constructor(depth: number) {
    const wanted = depth === 0 ? MAX_PRICES : PRICES_A_LEVEL * depth;
    const prices = Math.min(MAX_PRICES, Math.max(MIN_PRICES, wanted));
    this.#bids = new PriceRing(prices);
    this.#asks = new PriceRing(prices);
  }

  /** The frame `seq` replaced the book: nobody gets from before to after it but by a snapshot. */
  restart(seq: number, sequence: number, timeMs: number): void {
    this.#first = this.#last = seq;
    this.#put(seq, sequence, timeMs, null);
  }

  /**
   * Takes note of the frame after the last one.
   * @param receiveMs of the oldest update in it
   * @param bids levels that it changed, as `ticks, lots` pairs
   */
  add(
    sequence: number,
    timeMs: number,
    receiveMs: number | null,
    bids: readonly number[],
    asks: readonly number[],
  ): void {
    this.#last += 1;
    if (this.#last - this.#first > MAX_FRAMES) this.#first += 1;
    this.#bids.add(bids);
    this.#asks.add(asks);
    this.#put(this.#last, sequence, timeMs, receiveMs);
  }

  /** @returns null where too much has changed since, or it is not known any more */
  since(seq: number): Changes | null {
    if (seq < this.#first || seq > this.#last) return null;
    const at = this.#at(seq);
    const bids = this.#bids.since(this.#rows[at + 3]!);
    const asks = this.#asks.since(this.#rows[at + 4]!);
    if (bids === null || asks === null) return null;
    let oldestReceiveMs = null;
    for (let later = seq + 1; later <= this.#last && oldestReceiveMs === null; later++) {
      const receiveMs = this.#rows[this.#at(later) + 2]!;
      if (!Number.isNaN(receiveMs)) oldestReceiveMs = receiveMs;
    }
    return {
      sequence: this.#rows[at]!,
      timeMs: this.#rows[at + 1]!,
      oldestReceiveMs,
      bids: [...bids].sort((a, b) => b - a),
      asks: [...asks].sort((a, b) => a - b),
    };
  }

  #put(seq: number, sequence: number, timeMs: number, receiveMs: number | null): void {
    const at = this.#at(seq);
    this.#rows[at] = sequence;
    this.#rows[at + 1] = timeMs;
    this.#rows[at + 2] = receiveMs ?? Number.NaN;
    this.#rows[at + 3] = this.#bids.written;
    this.#rows[at + 4] = this.#asks.written;
  }

  #at(seq: number): number {
    return 5 * (seq % ROWS);
  }
}
