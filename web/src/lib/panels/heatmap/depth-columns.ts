import { bucketOf, DEPTH_BUCKETS, DEPTH_PERIOD_MS, type DepthColumn } from '@depthwire/shared/depth';

// Memory: 8.4 MB of sizes and 0.3 MB of the rest for each panel, taken once, however long it is open.

/** Most periods that are kept: the past hour. */
export const MAX_PERIODS = 3_600;
/** Places for them, a power of two. */
const SLOTS = 4_096;
const SIDE = DEPTH_BUCKETS;

/** What was traded in a period: prices in ticks, the rest in lots by aggressors who bought and who sold. */
export interface PeriodTrades {
  readonly low: number;
  readonly high: number;
  readonly last: number;
  readonly bought: number;
  readonly sold: number;
}

/**
 * Columns by the number of their period since 1970, the newest hour of them, in typed arrays. Sizes are floats of 24
 * bits: they are drawn, and those of the server are within 0.1 % anyway.
 */
export class DepthColumns {
  /** Number of the newest period; null where there is none. */
  newest: number | null = null;
  /** Of the oldest that is here, or may yet be a hole before it. */
  oldest: number | null = null;
  count = 0;
  /** By slot: the period that is there, or -1. */
  readonly #periods = new Float64Array(SLOTS).fill(-1);
  readonly steps = new Float64Array(SLOTS);
  /** Ticks; NaN where there is none. */
  readonly bids = new Float64Array(SLOTS);
  readonly asks = new Float64Array(SLOTS);
  /** Buckets of each side that have a size, from the touch outwards. */
  readonly bidCounts = new Uint16Array(SLOTS);
  readonly askCounts = new Uint16Array(SLOTS);
  /** Low, high, last, bought, sold; NaN where nothing was traded. */
  readonly #traded = new Float64Array(SLOTS * 5);
  /** For each slot the buckets of the bids from the touch down, then those of the asks from the touch up. */
  readonly lots = new Float32Array(SLOTS * 2 * SIDE);

  /** @returns whether it is in the past hour, and so is here now */
  put({ time, step, bid, ask, bids, asks, traded }: DepthColumn): boolean {
    const period = time / DEPTH_PERIOD_MS;
    if (!Number.isSafeInteger(period) || period < 0) return false;
    if (this.newest !== null && period <= this.newest - MAX_PERIODS) return false;
    if (this.newest === null || period > this.newest) this.#forgetBefore(period - MAX_PERIODS + 1);
    const slot = period % SLOTS;
    const wasThere = this.#periods[slot] === period;
    if (!wasThere) this.count += 1;
    this.#periods[slot] = period;
    this.steps[slot] = step;
    this.bids[slot] = bid ?? NaN;
    this.asks[slot] = ask ?? NaN;
    this.bidCounts[slot] = this.#fill(slot * 2 * SIDE, bids);
    this.askCounts[slot] = this.#fill(slot * 2 * SIDE + SIDE, asks);
    // A server that may not tell the trades does not take back those that were seen here.
    if (traded !== null) {
      const { low, high, last, bought, sold } = traded;
      this.#traded.set([low, high, last, bought, sold], slot * 5);
    } else if (!wasThere) this.#traded.fill(NaN, slot * 5, slot * 5 + 5);
    this.newest = Math.max(this.newest ?? period, period);
    this.oldest = Math.min(this.oldest ?? period, period);
    return true;
  }

  clear(): void {
    this.#periods.fill(-1);
    this.newest = this.oldest = null;
    this.count = 0;
  }

  /** Where a period is in the arrays; -1 where it is a hole. */
  slotOf(period: number): number {
    if (period < 0) return -1;
    const slot = period % SLOTS;
    return this.#periods[slot] === period ? slot : -1;
  }

  has(period: number): boolean {
    return this.slotOf(period) >= 0;
  }

  /** Where the sizes of a slot's side begin in `lots`. */
  bidsAt(slot: number): number {
    return slot * 2 * SIDE;
  }

  asksAt(slot: number): number {
    return slot * 2 * SIDE + SIDE;
  }

  /** Null where nothing was traded, or nothing is known of it. */
  tradesIn(period: number): PeriodTrades | null {
    const slot = this.slotOf(period);
    if (slot < 0 || this.lastIn(slot) === null) return null;
    const [low, high, last, bought, sold] = this.#traded.subarray(slot * 5, slot * 5 + 5);
    return { low: low!, high: high!, last: last!, bought: bought!, sold: sold! };
  }

  /** The last price that was traded in the period of a slot, ticks. */
  lastIn(slot: number): number | null {
    const last = this.#traded[slot * 5 + 2]!;
    return Number.isNaN(last) ? null : last;
  }

  /** The newest price that was traded, ticks; null where there is none. */
  get lastTraded(): number | null {
    for (let period = this.newest ?? -1; period >= (this.oldest ?? 0); period--) {
      const slot = this.slotOf(period);
      const last = slot < 0 ? null : this.lastIn(slot);
      if (last !== null) return last;
    }
    return null;
  }

  /**
   * Lots that rested between two prices at the end of a period: of the buckets that lie there.
   * @param to exclusive; both in ticks
   * @returns null where nothing is known of it: in a hole, and beyond the buckets
   */
  lotsBetween(period: number, from: number, to: number): { bid: number; ask: number } | null {
    const slot = this.slotOf(period);
    if (slot < 0) return null;
    const step = this.steps[slot]!;
    const first = bucketOf(from, step);
    const end = Math.max(first + 1, Math.ceil(to / step));
    const reach = this.reachOf(slot);
    if (!reach || end <= reach.first || first > reach.last) return null;
    let bid = 0;
    let ask = 0;
    const bestBid = bucketOf(this.bids[slot]!, step);
    const bestAsk = bucketOf(this.asks[slot]!, step);
    for (let bucket = first; bucket < end; bucket++) {
      const below = bestBid - bucket;
      const above = bucket - bestAsk;
      if (below >= 0 && below < this.bidCounts[slot]!) bid += this.lots[this.bidsAt(slot) + below]!;
      if (above >= 0 && above < this.askCounts[slot]!) ask += this.lots[this.asksAt(slot) + above]!;
    }
    return { bid, ask };
  }

  /** The first and the last bucket of which a column knows something; null where its book was empty. */
  reachOf(slot: number): { first: number; last: number } | null {
    const step = this.steps[slot]!;
    const bid = this.bidCounts[slot]! > 0 ? bucketOf(this.bids[slot]!, step) : null;
    const ask = this.askCounts[slot]! > 0 ? bucketOf(this.asks[slot]!, step) : null;
    if (bid === null && ask === null) return null;
    return {
      first: bid === null ? ask! : bid - this.bidCounts[slot]! + 1,
      last: ask === null ? bid! : ask + this.askCounts[slot]! - 1,
    };
  }

  #fill(at: number, sizes: ArrayLike<number>): number {
    const count = Math.min(SIDE, sizes.length);
    for (let i = 0; i < count; i++) this.lots[at + i] = sizes[i]!;
    return count;
  }

  #forgetBefore(period: number): void {
    if (this.oldest === null) return;
    if (this.newest! < period) {
      this.clear();
      return;
    }
    for (let old = this.oldest; old < period; old++) {
      const slot = old % SLOTS;
      if (this.#periods[slot] !== old) continue;
      this.#periods[slot] = -1;
      this.count -= 1;
    }
    this.oldest = Math.max(this.oldest, period);
  }
}

/** Past this, what was before the oldest column may well have been recorded, and be kept no longer. */
const NEARLY_ALL = MAX_PERIODS - 120;

/**
 * The period in which the recording begins; null while that is not known, and where only what is older than an hour
 * is missing.
 * @param hasAll whether the server has nothing before the oldest column here
 */
export function recordedSince(
  { newest, oldest }: Pick<DepthColumns, 'newest' | 'oldest'>,
  hasAll: boolean,
): number | null {
  if (!hasAll || newest === null || oldest === null || newest - oldest >= NEARLY_ALL) return null;
  return oldest;
}

/** Periods without a column. */
export interface Hole {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** The holes between two periods, oldest first; `to` is exclusive. */
export function holesBetween(columns: Pick<DepthColumns, 'has'>, from: number, to: number): Hole[] {
  const holes: Hole[] = [];
  let start: number | null = null;
  for (let period = from; period <= to; period++) {
    const isHole = period < to && !columns.has(period);
    if (isHole) start ??= period;
    else if (start !== null) {
      holes.push({ from: start, to: period });
      start = null;
    }
  }
  return holes;
}
