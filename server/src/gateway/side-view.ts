import { BookSide } from '@depthwire/shared';

/** What the subscribers of a channel hold of one side of a book. */
export interface SideView {
  /** Takes the side over as a whole. */
  load(side: BookSide): void;
  /** A price of the side has changed. */
  touch(ticks: number): void;
  /**
   * Takes the side over.
   * @returns what makes the view as it was what it is now: `ticks, lots` pairs, best first, zero removes
   */
  update(side: BookSide): number[];
  /** All levels, best first, as `ticks, lots` pairs. */
  toFlat(): number[];
  readonly count: number;
  /** Size resting at a price, zero where there is none. */
  lotsAtPrice(ticks: number): number;
  /** As of `BookSide`. */
  top(depth: number, ticks: Float64Array, lots: Float64Array): number;
}

/** The best levels of a side. */
export class TopView implements SideView {
  readonly #sign: 1 | -1;
  readonly #depth: number;
  readonly #ticks: Float64Array;
  readonly #lots: Float64Array;
  #count = 0;

  constructor(side: 'bid' | 'ask', depth: number) {
    this.#sign = side === 'bid' ? 1 : -1;
    this.#depth = depth;
    this.#ticks = new Float64Array(depth);
    this.#lots = new Float64Array(depth);
  }

  get count(): number {
    return this.#count;
  }

  load(side: BookSide): void {
    this.#count = side.top(this.#depth, this.#ticks, this.#lots);
  }

  touch(): void {}

  update(side: BookSide): number[] {
    const { ticks, lots, changes } = roomFor(this.#depth);
    const count = side.top(this.#depth, ticks, lots);
    const oldTicks = this.#ticks;
    const oldLots = this.#lots;
    let length = 0;
    let i = 0;
    // Mostly sizes change, and prices stay: up to the first other price only sizes are written.
    for (const common = Math.min(count, this.#count); i < common && ticks[i] === oldTicks[i]; i++) {
      const now = lots[i]!;
      if (now === oldLots[i]) continue;
      oldLots[i] = now;
      changes[length++] = ticks[i]!;
      changes[length++] = now;
    }
    if (i < count || i < this.#count) length = this.#merge(i, count, length);
    const exact = new Array<number>(length);
    for (let j = 0; j < length; j++) exact[j] = changes[j]!;
    return exact;
  }

  /**
   * @param from the rank from which on prices differ
   * @param length numbers that `changes` has already
   * @returns those that it has then
   */
  #merge(from: number, count: number, length: number): number {
    const { ticks, lots, changes } = roomFor(this.#depth);
    const sign = this.#sign;
    const oldTicks = this.#ticks;
    const oldLots = this.#lots;
    const oldCount = this.#count;
    let i = from;
    let j = from;
    const put = (price: number, size: number) => {
      changes[length++] = price;
      changes[length++] = size;
    };
    while (i < count && j < oldCount) {
      const price = ticks[i]!;
      const oldPrice = oldTicks[j]!;
      if (price === oldPrice) {
        if (lots[i] !== oldLots[j]) put(price, lots[i]!);
        i += 1;
        j += 1;
      } else if ((price - oldPrice) * sign > 0) {
        put(price, lots[i]!);
        i += 1;
      } else {
        put(oldPrice, 0);
        j += 1;
      }
    }
    for (; i < count; i++) put(ticks[i]!, lots[i]!);
    for (; j < oldCount; j++) put(oldTicks[j]!, 0);
    for (i = from; i < count; i++) {
      oldTicks[i] = ticks[i]!;
      oldLots[i] = lots[i]!;
    }
    this.#count = count;
    return length;
  }

  toFlat(): number[] {
    const flat: number[] = [];
    for (let i = 0; i < this.#count; i++) flat.push(this.#ticks[i]!, this.#lots[i]!);
    return flat;
  }

  lotsAtPrice(ticks: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ticks[middle]! - ticks) * this.#sign > 0) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#ticks[low] === ticks ? this.#lots[low]! : 0;
  }

  top(depth: number, ticks: Float64Array, lots: Float64Array): number {
    const count = Math.min(depth, this.#count);
    for (let i = 0; i < count; i++) {
      ticks[i] = this.#ticks[i]!;
      lots[i] = this.#lots[i]!;
    }
    return count;
  }
}

/** A whole side: only the prices that were touched are looked at. */
export class WholeView implements SideView {
  readonly #sign: 1 | -1;
  readonly #view: BookSide;
  readonly #touched = new Set<number>();

  constructor(side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? 1 : -1;
    this.#view = new BookSide(side);
  }

  load(side: BookSide): void {
    this.#view.load(side.toFlat());
    this.#touched.clear();
  }

  touch(ticks: number): void {
    this.#touched.add(ticks);
  }

  update(side: BookSide): number[] {
    const changes: number[] = [];
    for (const ticks of [...this.#touched].sort((a, b) => (b - a) * this.#sign)) {
      const lots = side.lotsAtPrice(ticks);
      if (lots === this.#view.lotsAtPrice(ticks)) continue;
      this.#view.set(ticks, lots);
      changes.push(ticks, lots);
    }
    this.#touched.clear();
    return changes;
  }

  get count(): number {
    return this.#view.count;
  }

  toFlat(): number[] {
    return this.#view.toFlat();
  }

  lotsAtPrice(ticks: number): number {
    return this.#view.lotsAtPrice(ticks);
  }

  top(depth: number, ticks: Float64Array, lots: Float64Array): number {
    return this.#view.top(depth, ticks, lots);
  }
}

/** Where levels are put to be compared: one place for all views, for it stays in the processor's cache. */
let room = createRoom(200);

function createRoom(depth: number) {
  const levels = () => new Float64Array(depth);
  // All old levels may go, and as many come.
  return { ticks: levels(), lots: levels(), changes: new Float64Array(4 * depth) };
}

function roomFor(depth: number): typeof room {
  if (room.ticks.length < depth) room = createRoom(depth);
  return room;
}
