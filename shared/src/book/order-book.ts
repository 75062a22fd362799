import { DepthwireError } from '../model/errors.ts';
import type { FlatLevels } from '../model/events.ts';
import { isLots, type Lots, type Ticks } from '../model/units.ts';

const INITIAL_CAPACITY = 64;
/** When no slot is left, a side with more levels than this part of them grows; else it is tidied. */
const MAX_FULLNESS = 0.625;
/** Removed levels that a reader may come across, behind the best one, before all are cleared away. */
const MAX_SKIPPED = 64;
/** Moving fewer entries one by one costs less than the call that moves many. */
const SHORT_MOVE = 48;
/** In place of the size: the level was removed, and stands in the order no more. */
const UNORDERED = -1;

/**
 * One side of a book. Each price has a slot, found by hash whatever the range of the prices, and an order
 * of the slots by price, best last, because that is where a market changes most. Markets come back to
 * their prices, so a removed level keeps its slot at size zero, and most updates just write a size.
 * Readers skip the removed ones, take those at the touch out of the order, and clear all away before they
 * are many.
 *
 * A processor that guesses a branch wrong loses more time than an update takes: loops that run for each
 * level have no branch that depends on which levels there are.
 */
export class BookSide {
  /** +1 for bids, -1 for asks: a larger key is a better price. */
  readonly #sign: 1 | -1;
  /** Key and size by slot; slot 0 is no level's. */
  #slots = new Float64Array(2 * INITIAL_CAPACITY);
  /** Slots by key, ascending. */
  #order = new Int32Array(INITIAL_CAPACITY);
  /** Slots by hash of the key, 0 where there is none; twice as many as slots, so that searches are short. */
  #table = new Int32Array(2 * INITIAL_CAPACITY);
  #shift = 32 - Math.log2(2 * INITIAL_CAPACITY);
  /** The slot to be given out next. */
  #next = 1;
  /** Entries of `#order`, of removed levels too. */
  #length = 0;
  #count = 0;
  /** Where in `#order` the rank is that was asked for last; -1 after a change. */
  #cursor = -1;
  #cursorRank = 0;

  constructor(side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? 1 : -1;
  }

  /** Number of levels. */
  get count(): number {
    return this.#count;
  }

  /** Levels that there is room for, removed ones that are still in the way included. */
  get capacity(): number {
    return this.#order.length;
  }

  /** Price of the level at `rank`, 0 being the best. The rank must be below `count`. */
  ticksAt(rank: number): Ticks {
    const slot = this.#slotAt(rank); // which may replace the slots
    return (this.#slots[2 * slot]! * this.#sign) as Ticks;
  }

  /** Size of the level at `rank`, 0 being the best. The rank must be below `count`. */
  lotsAt(rank: number): Lots {
    const slot = this.#slotAt(rank);
    return this.#slots[2 * slot + 1]! as Lots;
  }

  /** Whether one price is better than another on this side. */
  isBetter(ticks: number, other: number): boolean {
    return (ticks - other) * this.#sign > 0;
  }

  /** Size resting at a price, zero where there is none. */
  lotsAtPrice(ticks: number): Lots {
    return Math.max(0, this.#slots[2 * this.#table[this.#find(ticks)]! + 1]!) as Lots;
  }

  /** Number of levels better than the price: the rank it has, or would have. */
  rankOf(ticks: number): number {
    const key = ticks * this.#sign;
    const slots = this.#slots;
    const order = this.#order;
    let first = this.#place(key);
    if (first < this.#length && slots[2 * order[first]!] === key) first += 1;
    if (this.#length === this.#count) return this.#length - first;
    let rank = 0;
    for (let i = first; i < this.#length; i++) rank += +(slots[2 * order[i]! + 1] !== 0);
    return rank;
  }

  /**
   * Copies the best levels, best first, into arrays of the caller's, and allocates nothing.
   * @returns how many there were: at most `depth`
   */
  top(depth: number, ticks: Float64Array, lots: Float64Array): number {
    const count = Math.min(depth, this.#count);
    if (count === 0) return 0;
    const slots = this.#slots;
    const order = this.#order;
    const sign = this.#sign;
    const best = this.#best();
    let i = best;
    // Removed levels are written too, and then over.
    for (let rank = 0; rank < count; i--) {
      const at = 2 * order[i]!;
      const size = slots[at + 1]!;
      ticks[rank] = slots[at]! * sign;
      lots[rank] = size;
      rank += +(size !== 0);
    }
    if (best - i - count > MAX_SKIPPED) this.#tidy(order.length);
    return count;
  }

  /**
   * Puts `lots` at `ticks`; zero removes the level, which need not exist.
   * @throws DepthwireError `invalid_event` on what is no level
   */
  set(ticks: number, lots: number): void {
    single[0] = ticks;
    single[1] = lots;
    if (this.apply(single, singleBefore) >= 0) assertLevels(single);
  }

  /**
   * Puts many levels, in the given order, as `set` does.
   * @param before room for the size that each of them had; see `revert`
   * @returns index of the first that is no level, -1 where all are; the side is then as it was
   */
  apply(levels: FlatLevels, before: Float64Array): number {
    const sign = this.#sign;
    let slots = this.#slots;
    let table = this.#table;
    let shift = this.#shift;
    let count = this.#count;
    this.#cursor = -1;
    for (let i = 0; i < levels.length; i += 2) {
      const ticks = levels[i]!;
      const lots = levels[i + 1]!;
      if (!isTicks(ticks) || !isSize(lots)) {
        this.#count = count;
        this.revert(levels, before, i);
        return i / 2;
      }
      const key = ticks * sign;
      let at = hash(ticks) >>> shift;
      let slot = table[at]!;
      while (slot !== 0 && slots[2 * slot] !== key) {
        at = (at + 1) & (table.length - 1);
        slot = table[at]!;
      }
      const old = slots[2 * slot + 1]!;
      before[i >> 1] = old;
      if (slot !== 0 && old !== UNORDERED) {
        slots[2 * slot + 1] = lots;
        count += +(lots !== 0) - +(old !== 0);
        continue;
      }
      before[i >> 1] = 0;
      if (lots === 0) continue;
      this.#count = count + 1;
      if (slot === 0) this.#insert(key, lots, at);
      else this.#revive(slot, lots);
      slots = this.#slots;
      table = this.#table;
      shift = this.#shift;
      count = this.#count;
    }
    this.#count = count;
    return -1;
  }

  /** Undoes `apply`, of as many numbers as `end` says. */
  revert(levels: FlatLevels, before: Float64Array, end: number = levels.length): void {
    for (let i = end - 2; i >= 0; i -= 2) this.set(levels[i]!, before[i >> 1]!);
  }

  /**
   * Replaces all levels; of a price that is named twice, the last word counts. Linear where the
   * levels come sorted, best first or best last.
   */
  load(levels: FlatLevels): void {
    const count = levels.length / 2;
    this.#reset(count);
    const sign = this.#sign;
    const bestFirst = count < 2 || levels[0]! * sign > levels[levels.length - 2]! * sign;
    let previous = -Infinity;
    for (let i = 0; i < count; i++) {
      const at = bestFirst ? count - 1 - i : i;
      const key = levels[2 * at]! * sign;
      if (key <= previous) {
        this.#reset(count);
        for (let j = 0; j < levels.length; j += 2) this.set(levels[j]!, levels[j + 1]!);
        return;
      }
      previous = key;
      const lots = levels[2 * at + 1]!;
      if (lots !== 0) this.#append(key, lots);
    }
  }

  /** Drops all but the best `depth` levels. */
  truncate(depth: number): void {
    if (this.#count <= depth) return;
    const slots = this.#slots;
    let i = 0;
    for (; this.#count > depth; i++) {
      const at = 2 * this.#order[i]! + 1;
      this.#count -= +(slots[at] !== 0);
      slots[at] = 0;
    }
    this.#cursor = -1;
    if (i > MAX_SKIPPED) this.#tidy(this.#order.length);
  }

  /** The best `depth` levels, best first, as `ticks, lots` pairs. */
  toFlat(depth: number = this.#count): number[] {
    const count = Math.min(depth, this.#count);
    const slots = this.#slots;
    const flat = new Array<number>(count * 2);
    for (let i = this.#length - 1, rank = 0; rank < count; i--) {
      const at = 2 * this.#order[i]!;
      const lots = slots[at + 1]!;
      if (lots === 0) continue;
      flat[2 * rank] = slots[at]! * this.#sign;
      flat[2 * rank + 1] = lots;
      rank += 1;
    }
    return flat;
  }

  /** Where in the table a price is, or would be. */
  #find(ticks: number): number {
    const key = ticks * this.#sign;
    const table = this.#table;
    let at = hash(ticks) >>> this.#shift;
    for (let slot = table[at]!; slot !== 0 && this.#slots[2 * slot] !== key; slot = table[at]!)
      at = (at + 1) & (table.length - 1);
    return at;
  }

  /** Index in `#order` of the best level, where there is one; removed ones before it leave the order. */
  #best(): number {
    const slots = this.#slots;
    const order = this.#order;
    let index = this.#length - 1;
    if (slots[2 * order[index]! + 1] !== 0) return index;
    for (; slots[2 * order[index]! + 1] === 0; index--) slots[2 * order[index]! + 1] = UNORDERED;
    this.#length = index + 1;
    this.#cursor = -1;
    return index;
  }

  /** Index in `#order` of the first key that is not below this one. Looks near the best first. */
  #place(key: number): number {
    const slots = this.#slots;
    const order = this.#order;
    // All from `high` on are at or above the key, all before `low` below it.
    let high = this.#length;
    let low = high;
    for (let step = 1; low > 0 && slots[2 * order[low - 1]!]! >= key; step *= 2) {
      high = low - 1;
      low = Math.max(0, low - step);
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (slots[2 * order[middle]!]! < key) low = middle + 1;
      else high = middle;
    }
    return high;
  }

  /** Slot of the level at a rank. Ranks one after the other take one walk along the order. */
  #slotAt(rank: number): number {
    const order = this.#order;
    const length = this.#length;
    if (length === this.#count) return order[length - 1 - rank]!;
    let index = this.#cursor;
    let at = this.#cursorRank;
    if (index < 0 || at > rank) {
      index = length;
      at = -1;
    }
    while (at < rank) at += +(this.#slots[2 * order[--index]! + 1] !== 0);
    if (length - index - 1 - rank > MAX_SKIPPED) {
      this.#tidy(order.length);
      return this.#slotAt(rank);
    }
    this.#cursor = index;
    this.#cursorRank = rank;
    return order[index]!;
  }

  /** @param at where in the table the key belongs */
  #insert(key: number, lots: number, at: number): void {
    const capacity = this.#order.length;
    if (this.#next === capacity) {
      const count = this.#count;
      this.#tidy(count > capacity * MAX_FULLNESS ? capacity * 2 : capacity);
      this.#count = count;
      at = this.#find(key * this.#sign);
    }
    const slot = this.#next++;
    this.#table[at] = slot;
    this.#slots[2 * slot] = key;
    this.#revive(slot, lots);
  }

  /** Gives a slot its place in the order. */
  #revive(slot: number, lots: number): void {
    const order = this.#order;
    const place = this.#place(this.#slots[2 * slot]!);
    if (this.#length - place > SHORT_MOVE) order.copyWithin(place + 1, place, this.#length);
    else for (let i = this.#length; i > place; i--) order[i] = order[i - 1]!;
    order[place] = slot;
    this.#length += 1;
    this.#slots[2 * slot + 1] = lots;
  }

  /** Adds a level that is better than all others. */
  #append(key: number, lots: number): void {
    const slot = this.#next++;
    this.#slots[2 * slot] = key;
    this.#slots[2 * slot + 1] = lots;
    this.#table[this.#find(key * this.#sign)] = slot;
    this.#order[this.#length++] = slot;
    this.#count += 1;
  }

  /** Gives all levels new slots, in order of price, and so clears the removed ones away. */
  #tidy(capacity: number): void {
    const slots = this.#slots;
    const order = this.#order;
    const length = this.#length;
    this.#allocate(capacity);
    for (let i = 0; i < length; i++) {
      const at = 2 * order[i]!;
      if (slots[at + 1] !== 0) this.#append(slots[at]!, slots[at + 1]!);
    }
  }

  #reset(levels: number): void {
    let capacity = this.#order.length;
    while (capacity <= levels) capacity *= 2;
    if (capacity > this.#order.length) {
      this.#allocate(capacity);
      return;
    }
    this.#table.fill(0);
    this.#next = 1;
    this.#length = this.#count = 0;
    this.#cursor = -1;
  }

  #allocate(capacity: number): void {
    this.#slots = new Float64Array(2 * capacity);
    this.#order = new Int32Array(capacity);
    this.#table = new Int32Array(2 * capacity);
    this.#shift = 32 - Math.log2(2 * capacity);
    this.#next = 1;
    this.#length = this.#count = 0;
    this.#cursor = -1;
  }
}

/** Spreads the bits of whole numbers, neighbours or far apart, over the upper ones. */
function hash(ticks: number): number {
  const low = ticks | 0;
  const bits = low === ticks ? low : low ^ Math.imul((ticks * 2 ** -21) | 0, 0x85ebca6b);
  return Math.imul(bits, 0x9e3779b1);
}

const isTicks = (value: number) =>
  typeof value === 'number' && ((value | 0) === value || Number.isSafeInteger(value));
const isSize = (value: number) => typeof value === 'number' && (value >>> 0 === value || isLots(value));

const single: number[] = [0.5, 0.5]; // an array of floating-point numbers, whatever comes
const singleBefore = new Float64Array(1);
/** Sizes before an update, by side. Updates are applied one after the other: all books share the room. */
let bidsBefore = new Float64Array(256);
let asksBefore = new Float64Array(256);

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
    if (bids.length > 2 * bidsBefore.length) bidsBefore = new Float64Array(bids.length);
    if (asks.length > 2 * asksBefore.length) asksBefore = new Float64Array(asks.length);
    if (bids.length % 2 !== 0 || this.bids.apply(bids, bidsBefore) >= 0) assertLevels(bids);
    if (asks.length % 2 !== 0 || this.asks.apply(asks, asksBefore) >= 0) {
      this.bids.revert(bids, bidsBefore);
      assertLevels(asks);
    }
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
