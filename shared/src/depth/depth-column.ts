import type { AggressorSide } from '../model/events.ts';
import type { Lots, Ticks } from '../model/units.ts';
import type { BookSide, OrderBook } from '../book/order-book.ts';

// What a liquidity heatmap is drawn from: the book in columns, one for each second.

/** Length of the period that a column stands for, milliseconds. */
export const DEPTH_PERIOD_MS = 1_000;
/** Most buckets of a side. */
export const DEPTH_BUCKETS = 256;
/** Part of the price that these reach at the least, where the book does. */
const SPAN = 0.01;
/** In the series 1, 2, 5, 10, …: a step that is nearer to the right one stays. */
const MIN_PLACES_OFF = 2;

/** What was traded in a period, by arrival. */
export interface TradedInPeriod {
  readonly low: Ticks;
  readonly high: Ticks;
  readonly last: Ticks;
  /** By aggressors who bought, and who sold. */
  readonly bought: Lots;
  readonly sold: Lots;
}

/**
 * A book at the end of a period, its sizes added up in buckets: bucket k holds the prices from `k × step` up to
 * `(k + 1) × step`, less a tick. What came and went within the period is not in it.
 */
export interface DepthColumn {
  /** Start of the period, unix milliseconds, a whole multiple of its length. */
  readonly time: number;
  /** Ticks of a bucket. */
  readonly step: number;
  readonly bid: Ticks | null;
  readonly ask: Ticks | null;
  /** Lots of the buckets from that of the best bid down; the last is not zero. */
  readonly bids: ArrayLike<number>;
  /** Lots of the buckets from that of the best ask up; the last is not zero. */
  readonly asks: ArrayLike<number>;
  /** Null where nothing was. */
  readonly traded: TradedInPeriod | null;
}

/** Which bucket a price falls into. */
export function bucketOf(ticks: number, step: number): number {
  return Math.floor(ticks / step);
}

/** Start of the period that a moment falls into; both unix milliseconds. */
export function depthPeriodOf(timeMs: number): number {
  return Math.floor(timeMs / DEPTH_PERIOD_MS) * DEPTH_PERIOD_MS;
}

/**
 * @param time start of the period that ends now
 * @param book as it is now; it is read only
 */
export function depthColumn(
  time: number,
  book: OrderBook,
  step: number,
  traded: TradedInPeriod | null = null,
  buckets: number = DEPTH_BUCKETS,
): DepthColumn {
  return {
    time,
    step,
    bid: book.bestBid,
    ask: book.bestAsk,
    bids: sizesOf(book.bids, -1, step, buckets),
    asks: sizesOf(book.asks, 1, step, buckets),
    traded,
  };
}

/**
 * The same column in buckets of so many steps each. The outermost bucket of each side has in it what the column
 * holds of it.
 * @param multiple a whole number of 1 or more
 */
export function groupDepthColumn(column: DepthColumn, multiple: number): DepthColumn {
  if (multiple === 1) return column;
  const { bid, ask, bids, asks } = column;
  return {
    ...column,
    step: column.step * multiple,
    bids: bid === null ? none : grouped(bids, -1, bucketOf(bid, column.step), multiple),
    asks: ask === null ? none : grouped(asks, 1, bucketOf(ask, column.step), multiple),
  };
}

/** Most buckets of a side after grouping. */
export function groupedBuckets(multiple: number, buckets: number = DEPTH_BUCKETS): number {
  return multiple === 1 ? buckets : Math.floor((buckets - 2) / multiple) + 2;
}

/**
 * A step of 1, 2, 5, 10, … ticks with which the buckets reach 1 % of the price, or what the book holds where that is
 * less; they reach up to 2.5 times as far.
 * @param current the step so far: it stays while it is the next best, so that columns can be drawn side by side
 * @returns null where the book is empty
 */
export function depthStep({ bids, asks }: OrderBook, current: number | null = null): number | null {
  if (bids.count === 0 && asks.count === 0) return current;
  const reaches = [bids, asks].filter(({ count }) => count > 0).map(reachOf);
  const right = Math.max(0, Math.ceil(placeOf(Math.max(...reaches) / DEPTH_BUCKETS)));
  if (current !== null && Math.abs(right - placeOf(current)) < MIN_PLACES_OFF) return current;
  return stepAt(right);
}

/** Adds up what is traded until the period ends. */
export class TradeTally {
  #traded: { -readonly [Key in keyof TradedInPeriod]: TradedInPeriod[Key] } | null = null;

  add(price: Ticks, size: Lots, side: AggressorSide): void {
    const none = { low: price, high: price, last: price, bought: 0 as Lots, sold: 0 as Lots };
    const traded = (this.#traded ??= none);
    if (price < traded.low) traded.low = price;
    if (price > traded.high) traded.high = price;
    traded.last = price;
    const key = side === 'buy' ? 'bought' : 'sold';
    // An exact integer always: past 2^53 it stands still.
    traded[key] = Math.min(traded[key] + size, Number.MAX_SAFE_INTEGER) as Lots;
  }

  /** What was added since it was last taken. */
  take(): TradedInPeriod | null {
    const traded = this.#traded;
    this.#traded = null;
    return traded;
  }
}

const none = new Float64Array(0);

/** Room for the levels in reach, and for the buckets: columns are made one after the other. */
let ticksInReach = new Float64Array(1_024);
let lotsInReach = new Float64Array(1_024);
let room = new Float64Array(DEPTH_BUCKETS);

/** @param direction -1 for bids, +1 for asks: away from the touch */
function sizesOf(side: BookSide, direction: -1 | 1, step: number, buckets: number): Float64Array {
  if (side.count === 0) return none;
  const first = bucketOf(side.ticksAt(0), step);
  // The first price that is out of reach.
  const count = side.rankOf(direction === 1 ? (first + buckets) * step : (first - buckets + 1) * step - 1);
  if (count > ticksInReach.length) {
    ticksInReach = new Float64Array(2 * count);
    lotsInReach = new Float64Array(2 * count);
  }
  const ticks = ticksInReach;
  const lots = lotsInReach;
  side.top(count, ticks, lots);
  const sizes = roomFor(buckets);
  let last = 0;
  for (let rank = 0; rank < count; rank++) {
    last = distance(first, Math.floor(ticks[rank]! / step), direction);
    sizes[last]! += lots[rank]!;
  }
  return sizes.slice(0, last + 1);
}

function grouped(sizes: ArrayLike<number>, direction: -1 | 1, first: number, multiple: number): Float64Array {
  const groupedFirst = bucketOf(first, multiple);
  const groups = roomFor(groupedBuckets(multiple, sizes.length));
  let last = -1;
  for (let i = 0; i < sizes.length; i++) {
    last = distance(groupedFirst, bucketOf(first + direction * i, multiple), direction);
    groups[last]! += sizes[i]!;
  }
  return groups.slice(0, last + 1);
}

/** Buckets from one to another; never -0, which is slow as an index. */
function distance(from: number, to: number, direction: -1 | 1): number {
  return direction === 1 ? to - from : from - to;
}

function roomFor(buckets: number): Float64Array {
  if (room.length < buckets) room = new Float64Array(buckets);
  return room.fill(0, 0, buckets);
}

/** Ticks from the best price that the buckets of a side should reach. */
function reachOf(side: BookSide): number {
  const best = side.ticksAt(0);
  const held = Math.abs(side.ticksAt(side.count - 1) - best) + 1;
  return best === 0 ? held : Math.min(held, Math.abs(best) * SPAN);
}

/** The step at a place in 1, 2, 5, 10, … */
function stepAt(place: number): number {
  return [1, 2, 5][place % 3]! * 10 ** Math.floor(place / 3);
}

/** Where in 1, 2, 5, 10, … a step is; between two places where it is none of these. */
function placeOf(step: number): number {
  let place = 0;
  while (stepAt(place) < step) place += 1;
  return place === 0 || stepAt(place) === step ? place : place - 0.5;
}
