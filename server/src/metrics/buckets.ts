/** Upper bounds of what is counted together, milliseconds. */
const BOUNDS_MS = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

/** How long something took, counted by size: two additions for each, for it is done with every event. */
export class Buckets {
  static readonly boundsMs: readonly number[] = BOUNDS_MS;
  /** For each bound those up to it and above the one before; then those above all. */
  readonly counts = new Float64Array(BOUNDS_MS.length + 1);
  sumMs = 0;

  /** @param durationMs below zero, where two clocks do not agree, counts as zero: a sum must not fall */
  observe(durationMs: number): void {
    let index = 0;
    while (index < BOUNDS_MS.length && durationMs > BOUNDS_MS[index]!) index += 1;
    this.counts[index]! += 1;
    if (durationMs > 0) this.sumMs += durationMs;
  }
}
