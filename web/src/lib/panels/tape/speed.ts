import type { Origin } from '@depthwire/shared';
import type { TradeBatch } from '../../state/trade-follower.ts';

const SLOT_MS = 250;
const LONGEST_MS = 60_000;
const SLOTS = LONGEST_MS / SLOT_MS;
/** Over less than this a rate would say nothing. */
const SHORTEST_MS = 2_000;

export interface Speed {
  /** Trades a second. */
  readonly trades: number;
  /** Lots a second. */
  readonly lots: number;
  /** Milliseconds that it is the mean of: the window, or less where less is known. */
  readonly overMs: number;
}

/**
 * The market's time now. The clock of a book that has not changed for long begins at its last change, so that of the
 * connection counts too where it is later; not in a replay, which may run at another speed.
 */
export function presentMs(bookMs: number | null, connectionMs: number | null, origin: Origin): number | null {
  if (bookMs === null || connectionMs === null || origin === 'replayed') return bookMs;
  return Math.max(bookMs, connectionMs);
}

/** Trades and volume a second over the last seconds, by the times of the trades. */
export class SpeedMeter {
  readonly #counts = new Float64Array(SLOTS);
  readonly #lots = new Float64Array(SLOTS);
  /** The newest slot that anything was put into. */
  #newest = -Infinity;
  /** Since when all trades are known. */
  #sinceMs: number | null = null;
  #lastMs = -Infinity;

  take({ trades, isHistory, merged, hasGap }: TradeBatch): void {
    const first = trades[0];
    if (!first) return;
    if (isHistory || hasGap || this.#sinceMs === null) this.#clear(first.timeMs);
    for (const { timeMs, size } of trades) this.#add(timeMs, 1, size);
    if (!merged) return;
    // Those that are in no list, at the time of the first that is.
    const listed = trades.reduce((sum, { size }) => sum + size, 0);
    this.#add(first.timeMs, merged.missed, Math.max(0, merged.bought + merged.sold - listed));
  }

  /**
   * The window begins with the trade from which on all are known, and without it: an average that began with
   * a trade would always begin too high.
   * @param marketMs the market's clock, not the newest trade's time: that stands still when nothing is traded
   * @returns null while too little is known
   */
  read(marketMs: number, windowMs: number): Speed | null {
    if (this.#sinceMs === null) return null;
    // Trades may be told before the book that the clock is read from.
    const nowMs = Math.max(marketMs, this.#lastMs);
    const overMs = Math.min(windowMs, LONGEST_MS, nowMs - this.#sinceMs);
    if (overMs < SHORTEST_MS) return null;
    const last = Math.floor(nowMs / SLOT_MS);
    const first = Math.floor((nowMs - overMs) / SLOT_MS) + 1;
    let [trades, lots] = [0, 0];
    for (let slot = Math.max(first, this.#newest - SLOTS + 1); slot <= Math.min(last, this.#newest); slot++) {
      trades += this.#counts[slot % SLOTS]!;
      lots += this.#lots[slot % SLOTS]!;
    }
    const seconds = overMs / 1000;
    return { trades: trades / seconds, lots: lots / seconds, overMs };
  }

  #clear(sinceMs: number): void {
    this.#counts.fill(0);
    this.#lots.fill(0);
    this.#newest = Math.floor(sinceMs / SLOT_MS);
    this.#sinceMs = sinceMs;
    this.#lastMs = -Infinity;
  }

  #add(timeMs: number, count: number, lots: number): void {
    const slot = Math.floor(timeMs / SLOT_MS);
    // Late by more than is kept, or from before what is counted.
    if (slot <= this.#newest - SLOTS || timeMs < this.#sinceMs!) return;
    for (let next = Math.max(this.#newest + 1, slot - SLOTS + 1); next <= slot; next++) {
      this.#counts[next % SLOTS] = 0;
      this.#lots[next % SLOTS] = 0;
    }
    this.#newest = Math.max(this.#newest, slot);
    this.#lastMs = Math.max(this.#lastMs, timeMs);
    this.#counts[slot % SLOTS]! += count;
    this.#lots[slot % SLOTS]! += lots;
  }
}
