/** Durations counted in steps, so that millions of them take no memory. */
const STEP_MS = 0.1;
const LIMIT_MS = 10_000;

export class Durations {
  #counts = new Uint32Array(LIMIT_MS / STEP_MS);
  #count = 0;

  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** @param ms what is longer than ten seconds counts as that; what is below zero, for two clocks' sake, as zero */
  add(ms: number): void {
    const step = Math.min(this.#counts.length - 1, Math.max(0, Math.floor(ms / STEP_MS)));
    this.#counts[step]! += 1;
    this.#count += 1;
  }

  /** Takes over what another process counted. */
  addAll(counts: Uint32Array): void {
    for (const [step, count] of counts.entries()) {
      this.#counts[step]! += count;
      this.#count += count;
    }
  }

  get counts(): Uint32Array {
    return this.#counts.slice();
  }

  get count(): number {
    return this.#count;
  }

  /** Milliseconds. */
  quantile(fraction: number): number {
    let left = this.#count * fraction;
    for (const [step, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return (step + 0.5) * STEP_MS;
    }
    return Number.NaN;
  }
}
