import { niceCeiling, niceFloor } from '../../format/steady.ts';

/** Shares of the reach between which a span is left as it is: an edge that is empty for a while is better than a jump. */
const KEEP_FROM = 0.25;
const KEEP_TO = 1.6;
/** How long the reach must be beyond them before the span changes: one large order takes levels away for a moment. */
const SETTLE_MS = 5_000;
const NARROWEST_BPS = 0.1;
const WIDEST_BPS = 5000;

/**
 * How far to each side of the mid the chart goes, in basis points, when that is not chosen by hand: 1, 2, 5, 10 …, within
 * what both sides reach. It changes only where it fits badly, and that for a while.
 */
export class AutoSpan {
  #span: number | null = null;
  /** Since when it fits badly; null while it does not. */
  #badSinceMs: number | null = null;

  reset(): void {
    this.#span = this.#badSinceMs = null;
  }

  at(reachBps: number, nowMs: number): number {
    const current = this.#span;
    if (current !== null) {
      const isGood = current >= reachBps * KEEP_FROM && current <= reachBps * KEEP_TO;
      this.#badSinceMs = isGood ? null : (this.#badSinceMs ?? nowMs);
      if (this.#badSinceMs === null || nowMs - this.#badSinceMs < SETTLE_MS) return current;
    }
    this.#badSinceMs = null;
    return (this.#span = Math.max(NARROWEST_BPS, niceFloor(reachBps)));
  }
}

/** The next wider or narrower span. */
export function zoomSpan(span: number, direction: 'in' | 'out'): number {
  const next = direction === 'in' ? niceFloor(span * 0.99) : niceCeiling(span * 1.01);
  return Math.min(WIDEST_BPS, Math.max(NARROWEST_BPS, next));
}
