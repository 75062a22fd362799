import { OrderBook } from '@depthwire/shared';
import type { BookSide } from '@depthwire/shared';

/** What happens in a market, in order. The arrays are reused after the call. */
export interface MarketListener {
  /** Absolute sizes, `ticks, lots` pairs, each price once a side; zero removes. */
  onDelta(bids: readonly number[], asks: readonly number[]): void;
  /** A fill; the delta that takes it off the book follows before any other. */
  onTrade(ticks: number, lots: number, side: 'buy' | 'sell'): void;
}

/** Changes of one side that are not yet published. */
class PendingSide {
  readonly levels: number[] = [];
  readonly #at = new Map<number, number>();

  put(ticks: number, lots: number): void {
    const at = this.#at.get(ticks);
    if (at === undefined) {
      this.#at.set(ticks, this.levels.length);
      this.levels.push(ticks, lots);
    } else {
      this.levels[at + 1] = lots;
    }
  }

  clear(): void {
    this.levels.length = 0;
    this.#at.clear();
  }
}

/** A book whose changes are collected until `publish`. */
export class QuotedBook {
  readonly book = new OrderBook();
  readonly #bids = new PendingSide();
  readonly #asks = new PendingSide();

  side(side: 'bid' | 'ask'): BookSide {
    return side === 'bid' ? this.book.bids : this.book.asks;
  }

  put(side: 'bid' | 'ask', ticks: number, lots: number): void {
    this.side(side).set(ticks, lots);
    (side === 'bid' ? this.#bids : this.#asks).put(ticks, lots);
  }

  /** Drops what is collected: the reader gets it with a snapshot. */
  discard(): void {
    this.#bids.clear();
    this.#asks.clear();
  }

  publish(listener: MarketListener): void {
    if (this.#bids.levels.length === 0 && this.#asks.levels.length === 0) return;
    listener.onDelta(this.#bids.levels, this.#asks.levels);
    this.discard();
  }
}
