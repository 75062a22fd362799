/** A token bucket: so many requests a second, and so many at once after a pause. Clockless. */
export class RequestRate {
  readonly #msEach: number;
  readonly #burst: number;
  #spentAtMs = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#msEach = 1000 / perSecond;
    this.#burst = burst;
  }

  /**
   * @param cost of this request, in ordinary ones
   * @returns whether there was enough left to take
   */
  take(nowMs: number, cost = 1): boolean {
    if (this.#spentAtMs > nowMs) this.#spentAtMs = nowMs; // the clock was set back
    const spentAtMs = Math.max(this.#spentAtMs, nowMs - this.#burst * this.#msEach) + cost * this.#msEach;
    if (spentAtMs > nowMs) return false;
    this.#spentAtMs = spentAtMs;
    return true;
  }

  /** Until there is enough for a request of that cost, milliseconds. */
  waitMs(nowMs: number, cost = 1): number {
    return Math.max(0, this.#spentAtMs + cost * this.#msEach - nowMs);
  }
}
