import { DepthwireError } from '../model/errors.ts';
import type { FlatLevels } from '../model/events.ts';
import { isLots, type Lots, type Ticks } from '../model/units.ts';

const INITIAL_CAPACITY = 64;

/**
 * One side of a book: levels sorted by price in two typed arrays, the best one last, because
 * that is where a market changes most and where an insert moves the least.
 */
export class BookSide {
  /** +1 for bids, -1 for asks: a larger key is a better price. */
  readonly #sign: 1 | -1;
  #keys = new Float64Array(INITIAL_CAPACITY);
  #lots = new Float64Array(INITIAL_CAPACITY);
  #count = 0;

  constructor(side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? 1 : -1;
  }

  /** Number of levels. */
  get count(): number {
    return this.#count;
  }

  /** Price of the level at `rank`, 0 being the best. The rank must be below `count`. */
  ticksAt(rank: number): Ticks {
    return (this.#keys[this.#count - 1 - rank]! * this.#sign) as Ticks;
  }

  /** Size of the level at `rank`, 0 being the best. The rank must be below `count`. */
  lotsAt(rank: number): Lots {
    return this.#lots[this.#count - 1 - rank]! as Lots;
  }

  /** Size resting at a price, zero where there is none. */
  lotsAtPrice(ticks: number): Lots {
    const index = this.#find(ticks * this.#sign);
    return (index < this.#count && this.#keys[index] === ticks * this.#sign ? this.#lots[index]! : 0) as Lots;
  }

  /** Number of levels better than the price: the rank it has, or would have. */
  rankOf(ticks: number): number {
    const key = ticks * this.#sign;
    const index = this.#find(key);
    return this.#count - index - (index < this.#count && this.#keys[index] === key ? 1 : 0);
  }

  /** Puts `lots` at `ticks`; zero removes the level, which need not exist. */
  set(ticks: number, lots: number): void {
    const key = ticks * this.#sign;
    const index = this.#find(key);
    const count = this.#count;
    const exists = index < count && this.#keys[index] === key;
    if (lots === 0) {
      if (!exists) return;
      this.#keys.copyWithin(index, index + 1, count);
      this.#lots.copyWithin(index, index + 1, count);
      this.#count = count - 1;
      return;
    }
    if (!exists) {
      if (count === this.#keys.length) this.#grow(count * 2);
      this.#keys.copyWithin(index + 1, index, count);
      this.#lots.copyWithin(index + 1, index, count);
      this.#keys[index] = key;
      this.#count = count + 1;
    }
    this.#lots[index] = lots;
  }

  /**
   * Replaces all levels; of a price that is named twice, the last word counts. Linear where the
   * levels come sorted, best first or best last.
   */
  load(levels: FlatLevels): void {
    this.#count = 0;
    const count = levels.length / 2;
    if (count > this.#keys.length) this.#grow(count);
    const bestFirst = count < 2 || levels[0]! * this.#sign > levels[levels.length - 2]! * this.#sign;
    let previous = -Infinity;
    for (let i = 0; i < count; i++) {
      const at = bestFirst ? count - 1 - i : i;
      const key = levels[2 * at]! * this.#sign;
      if (key <= previous) {
        this.#loadUnsorted(levels);
        return;
      }
      previous = key;
      const lots = levels[2 * at + 1]!;
      if (lots === 0) continue;
      this.#keys[this.#count] = key;
      this.#lots[this.#count] = lots;
      this.#count += 1;
    }
  }

  /** Drops all but the best `depth` levels. */
  truncate(depth: number): void {
    const excess = this.#count - depth;
    if (excess <= 0) return;
    this.#keys.copyWithin(0, excess, this.#count);
    this.#lots.copyWithin(0, excess, this.#count);
    this.#count = depth;
  }

  /** The best `depth` levels, best first, as `ticks, lots` pairs. */
  toFlat(depth: number = this.#count): number[] {
    const count = Math.min(depth, this.#count);
    const flat = new Array<number>(count * 2);
    for (let rank = 0; rank < count; rank++) {
      flat[2 * rank] = this.ticksAt(rank);
      flat[2 * rank + 1] = this.lotsAt(rank);
    }
    return flat;
  }

  #loadUnsorted(levels: FlatLevels): void {
    this.#count = 0;
    for (let i = 0; i < levels.length; i += 2) this.set(levels[i]!, levels[i + 1]!);
  }

  /** Index of the key, or where it would stand. */
  #find(key: number): number {
    const keys = this.#keys;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(capacity: number): void {
    const keys = new Float64Array(capacity);
    const lots = new Float64Array(capacity);
    keys.set(this.#keys.subarray(0, this.#count));
    lots.set(this.#lots.subarray(0, this.#count));
    this.#keys = keys;
    this.#lots = lots;
  }
}

/**
 * A limit order book by price (L2). The same class serves the engine, the gateway, the browser
 * and a client; `applyDelta` is the one place where a delta changes a book.
 */
export class OrderBook {
  readonly bids = new BookSide('bid');
  readonly asks = new BookSide('ask');
  /** Number of updates since the epoch began; the owner of the book counts. */
  sequence = 0;

  /**
   * Replaces the book.
   * @throws DepthwireError `invalid_event` on a level whose price is no safe integer or whose size is no
   *   whole number of lots; the book is then unchanged
   */
  loadSnapshot(bids: FlatLevels, asks: FlatLevels): void {
    assertLevels(bids);
    assertLevels(asks);
    this.bids.load(bids);
    this.asks.load(asks);
  }

  /**
   * Applies absolute sizes, bids and asks, in the given order; zero removes.
   * @throws DepthwireError `invalid_event`, see `loadSnapshot`
   */
  applyDelta(bids: FlatLevels, asks: FlatLevels): void {
    assertLevels(bids);
    assertLevels(asks);
    for (let i = 0; i < bids.length; i += 2) this.bids.set(bids[i]!, bids[i + 1]!);
    for (let i = 0; i < asks.length; i += 2) this.asks.set(asks[i]!, asks[i + 1]!);
  }

  clear(): void {
    this.bids.truncate(0);
    this.asks.truncate(0);
  }

  get bestBid(): Ticks | null {
    return this.bids.count > 0 ? this.bids.ticksAt(0) : null;
  }

  get bestAsk(): Ticks | null {
    return this.asks.count > 0 ? this.asks.ticksAt(0) : null;
  }

  /** Whether the best bid is at or above the best ask: never true of a right book. */
  get isCrossed(): boolean {
    return this.bids.count > 0 && this.asks.count > 0 && this.bids.ticksAt(0) >= this.asks.ticksAt(0);
  }
}

function assertLevels(levels: FlatLevels): void {
  if (levels.length % 2 !== 0) {
    throw new DepthwireError(
      'invalid_event',
      `levels come in pairs of ticks and lots, got ${levels.length} numbers`,
    );
  }
  for (let i = 0; i < levels.length; i += 2) {
    const lots = levels[i + 1]!;
    if (!Number.isSafeInteger(levels[i]) || !isLots(lots)) {
      throw new DepthwireError(
        'invalid_event',
        `level ${i / 2}: expected whole ticks and whole lots of zero or more, got ${levels[i]} and ${lots}`,
      );
    }
  }
}
