import type { BookMove } from '../bus/bus.ts';
import { PriceRing } from './price-ring.ts';

/** Updates of a book that are remembered. */
const MAX_UPDATES = 1_024;
/** Prices of each side that are: of larger updates there are fewer. */
const MAX_PRICES = 4_096;
/** It begins small, for most books change little. */
const FIRST_UPDATES = 32;
const FIRST_PRICES = 64;
/** Updates that are older are not worth more memory: nobody comes back so late. */
const HELD_MS = 60_000;
/** Numbers of a row. */
const WIDTH = 4;

/** What changed in a book since one of its updates. */
export interface BookChanges {
  /** Prices of the side. */
  readonly bids: ReadonlySet<number>;
  readonly asks: ReadonlySet<number>;
  /** Receive time of the first update after it; null where there was none. */
  readonly oldestReceiveMs: number | null;
}

/**
 * Which prices each of the latest updates of an instrument's book changed, by the engine's count of them, which all
 * gateways share. With the book as it is now that tells how it differs from what a client of another gateway holds.
 * Takes 3 KiB for a quiet book and 96 KiB at most.
 */
export class BookLog {
  readonly #bids = new PriceRing(FIRST_PRICES, MAX_PRICES);
  readonly #asks = new PriceRing(FIRST_PRICES, MAX_PRICES);
  /** `takenAtMs, receiveMs, bids written, asks written` after each update. */
  #rows = new Float64Array(WIDTH * FIRST_UPDATES);
  /** The updates that the oldest and the newest row are of. */
  #first: number;
  #last: number;

  /** @param sequence of the book as it is */
  constructor(sequence: number) {
    this.#first = this.#last = sequence;
    this.restart(sequence);
  }

  /** The book was replaced: nobody gets from before to after it but by a snapshot. */
  restart(sequence: number): void {
    this.#first = this.#last = sequence;
    this.#put(-Infinity, Number.NaN);
  }

  /** Takes note of an update; one that does not follow the last is as good as a new book. */
  add({ sequence, takenAtMs, receiveTimeMs, bids, asks }: BookMove): void {
    if (sequence !== this.#last + 1) {
      this.restart(sequence);
      return;
    }
    const isFull = this.#last - this.#first + 1 === this.#capacity;
    const isYoung = takenAtMs - this.#rows[this.#at(this.#first)]! < HELD_MS;
    if (isFull && !(isYoung && this.#grow())) this.#first += 1;
    this.#bids.add(bids, isYoung);
    this.#asks.add(asks, isYoung);
    this.#last = sequence;
    this.#put(takenAtMs, receiveTimeMs);
  }

  /**
   * @param sequence of the book that a client has
   * @param newest of the book as it is
   * @returns null where that is not known, or not any more
   */
  since(sequence: number, newest: number): BookChanges | null {
    if (newest !== this.#last || sequence < this.#first || sequence > this.#last) return null;
    const at = this.#at(sequence);
    const bids = this.#bids.since(this.#rows[at + 2]!);
    const asks = this.#asks.since(this.#rows[at + 3]!);
    if (bids === null || asks === null) return null;
    const oldestReceiveMs = sequence === this.#last ? null : this.#rows[this.#at(sequence + 1) + 1]!;
    return { bids, asks, oldestReceiveMs };
  }

  get #capacity(): number {
    return this.#rows.length / WIDTH;
  }

  #grow(): boolean {
    const before = this.#rows;
    const count = before.length / WIDTH;
    if (count >= MAX_UPDATES) return false;
    this.#rows = new Float64Array(2 * before.length);
    for (let sequence = this.#first; sequence <= this.#last; sequence++) {
      const from = WIDTH * (sequence % count);
      this.#rows.set(before.subarray(from, from + WIDTH), this.#at(sequence));
    }
    return true;
  }

  #put(takenAtMs: number, receiveMs: number): void {
    const at = this.#at(this.#last);
    this.#rows[at] = takenAtMs;
    this.#rows[at + 1] = receiveMs;
    this.#rows[at + 2] = this.#bids.written;
    this.#rows[at + 3] = this.#asks.written;
  }

  #at(sequence: number): number {
    return WIDTH * (sequence % this.#capacity);
  }
}
