import { createRandom } from '../harness/random.ts';

/** Prices either side that levels lie on; about 200 of them have one. */
const REACH = 256;
const NEAR = 20;
/** Part of the updates within `NEAR` of the touch. */
const NEAR_SHARE = 0.8;
/** Part of the updates to an existing level that remove it: it keeps four prices in five occupied. */
const REMOVED = 0.27;
/** Part of the batches before which the touch moves by a price. */
const MOVES = 0.15;

/** Price, size and side of a trade: ticks, lots, and who took. */
export interface Deal {
  readonly price: number;
  readonly size: number;
  readonly side: 'buy' | 'sell';
}

/** Levels as flat `ticks, lots` pairs. */
export interface Levels {
  readonly bids: number[];
  readonly asks: number[];
}

/** A made-up book of about 200 levels a side, the same for the same seed. */
export class BenchMarket {
  /** The best bid is at this price or below, the best ask above it; ticks. */
  at: number;
  readonly #random: () => number;
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();

  constructor(seed: number, at: number) {
    this.at = at;
    this.#random = createRandom(seed);
    for (let i = 0; i < REACH; i++) {
      for (const isBid of [true, false]) {
        if (this.#random() < 1 - REMOVED) this.#side(isBid).set(this.#priceAt(isBid, i), this.#size());
      }
    }
  }

  snapshot(): Levels {
    return { bids: [...this.#bids].flat(), asks: [...this.#asks].flat() };
  }

  /** At least so many level updates, and a few more where the touch has moved. */
  batch(count: number): Levels {
    const levels: Levels = { bids: [], asks: [] };
    if (this.#random() < MOVES) this.#move(levels);
    for (let i = 0; i < count; i++) {
      const isBid = this.#random() < 0.5;
      const isNear = this.#random() < NEAR_SHARE;
      const distance = Math.floor(this.#random() * (isNear ? NEAR : REACH));
      const price = this.#priceAt(isBid, distance);
      const isRemoved = this.#side(isBid).has(price) && this.#random() < REMOVED;
      this.#put(levels, isBid, price, isRemoved ? 0 : this.#size());
    }
    return levels;
  }

  /** A trade at the touch. */
  deal(): Deal {
    const side = this.#random() < 0.5 ? 'buy' : 'sell';
    return { price: side === 'sell' ? this.at : this.at + 1, size: this.#size(), side };
  }

  /** The touch goes by one price: what it runs over is gone, and so is what is now out of reach. */
  #move(levels: Levels): void {
    const isUp = this.#random() < 0.5;
    const over = isUp ? this.at + 1 : this.at;
    if (this.#side(!isUp).has(over)) this.#put(levels, !isUp, over, 0);
    this.at += isUp ? 1 : -1;
    const edge = this.#priceAt(isUp, REACH);
    if (this.#side(isUp).has(edge)) this.#put(levels, isUp, edge, 0);
  }

  #put(levels: Levels, isBid: boolean, price: number, lots: number): void {
    if (lots === 0) this.#side(isBid).delete(price);
    else this.#side(isBid).set(price, lots);
    (isBid ? levels.bids : levels.asks).push(price, lots);
  }

  #side(isBid: boolean): Map<number, number> {
    return isBid ? this.#bids : this.#asks;
  }

  #priceAt(isBid: boolean, distance: number): number {
    return isBid ? this.at - distance : this.at + 1 + distance;
  }

  #size(): number {
    return 1 + Math.floor(Math.exp(this.#random() * 9));
  }
}
