import { Random } from '../simulator/random.ts';
import { TruthBook, type Side } from './truth-book.ts';

/** Levels lie this many ticks from the best on average. */
const MEAN_DISTANCE_TICKS = 8;
const MEAN_QUANTITY_LOTS = 500;
const TRADE_CHANCE = 0.2;
const REMOVE_CHANCE = 0.3;

export interface WalkOptions {
  readonly seed: number;
  /** All in units of 10^-8. */
  readonly price: number;
  readonly tick: number;
  readonly lot: number;
  /** Levels a side that the walk keeps about. */
  readonly levels: number;
}

/** A level as it is after a change; quantity zero where it is gone. */
export interface Change {
  readonly side: Side;
  readonly price: number;
  readonly quantity: number;
}

export interface WalkTrade {
  readonly price: number;
  readonly quantity: number;
  /** Side of the taker. */
  readonly taker: 'buy' | 'sell';
}

export interface Step {
  readonly changes: readonly Change[];
  readonly trade: WalkTrade | null;
}

/** A book that changes at random, the same way for the same seed, and never crosses. */
export class MarketWalk {
  readonly book = new TruthBook();
  readonly #random: Random;
  readonly #levels: number;
  readonly #lot: number;
  #tick: number;

  constructor({ seed, price, tick, lot, levels }: WalkOptions) {
    this.#random = new Random(seed, levels, 0x9e3779b9);
    this.#levels = levels;
    this.#lot = lot;
    this.#tick = tick;
    const middle = onGrid(price, tick);
    for (let i = 1; i <= levels; i++) {
      if (middle - i * tick > 0) this.book.set('bid', middle - i * tick, this.#quantity());
      this.book.set('ask', middle + i * tick, this.#quantity());
    }
  }

  /** New prices keep to this tick from here on; levels between its multiples stay. */
  setTick(tick: number): void {
    this.#tick = tick;
  }

  /** Changes one level at random, or the levels that a trade takes. */
  step(): Step {
    const side: Side = this.#random.chance(0.5) ? 'bid' : 'ask';
    const count = this.book.count(side);
    if (count > 2 && this.#random.chance(TRADE_CHANCE)) return this.#trade(side);
    if (count > this.#levels || (count > this.#levels / 2 && this.#random.chance(REMOVE_CHANCE))) {
      const prices = this.book.prices(side);
      const rank = count > this.#levels ? count - 1 : Math.min(count - 1, this.#distance());
      return { changes: [this.#put(side, prices[rank]!, 0)], trade: null };
    }
    const price = this.#newPrice(side);
    return { changes: [this.#put(side, price, this.#quantity())], trade: null };
  }

  /** Puts a level, on the grid or off it. */
  set(side: Side, price: number, quantity: number): Change {
    return this.#put(side, price, quantity);
  }

  #trade(side: Side): Step {
    const price = this.book.best(side)!;
    const resting = this.book.at(side, price);
    const wanted = this.#quantity();
    const quantity = Math.min(resting, wanted);
    const change = this.#put(side, price, resting - quantity);
    return { changes: [change], trade: { price, quantity, taker: side === 'bid' ? 'sell' : 'buy' } };
  }

  /** A price of the side that does not cross the other, sometimes better than its best. */
  #newPrice(side: Side): number {
    const sign = side === 'bid' ? 1 : -1;
    const other = this.book.best(side === 'bid' ? 'ask' : 'bid');
    const best = this.book.best(side) ?? (other ?? this.#tick * 100) - sign * 2 * this.#tick;
    const price = onGrid(best + sign * this.#tick * (1 - this.#distance()), this.#tick);
    const crosses = other !== null && sign * (other - price) <= 0;
    return Math.max(this.#tick, crosses ? best : price);
  }

  #put(side: Side, price: number, quantity: number): Change {
    this.book.set(side, price, quantity);
    return { side, price, quantity };
  }

  #distance(): number {
    return Math.floor(this.#random.exponential() * MEAN_DISTANCE_TICKS);
  }

  #quantity(): number {
    return (1 + Math.floor(this.#random.exponential() * MEAN_QUANTITY_LOTS)) * this.#lot;
  }
}

function onGrid(price: number, tick: number): number {
  return Math.round(price / tick) * tick;
}
