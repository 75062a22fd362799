/** A token bucket: so many requests a second, and so many at once after a pause. Clockless. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #burst: number;
  #spentAtMs = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** @returns whether there was one left to take */
  take(nowMs: number): boolean {
    const msEach = 1000 / this.#perSecond;
    const spentAtMs = Math.max(this.#spentAtMs, nowMs - this.#burst * msEach) + msEach;
    if (spentAtMs > nowMs) return false;
    this.#spentAtMs = spentAtMs;
    return true;
  }
}
