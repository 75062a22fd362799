/** The middle and the bad end of a figure's recent samples. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** The latest samples of a figure, in memory of a fixed size. */
export class RecentSamples {
  readonly #values: Float64Array;
  #count = 0;

  /** @param size samples that are kept */
  constructor(size: number) {
    this.#values = new Float64Array(size);
  }

  add(value: number): void {
    this.#values[this.#count % this.#values.length] = value;
    this.#count += 1;
  }

  /** Null before the first. */
  get last(): number | null {
    return this.#count === 0 ? null : this.#values[(this.#count - 1) % this.#values.length]!;
  }

  /** By nearest rank; null before the first. Sorts them: not for a hot path. */
  percentiles(): Percentiles | null {
    const count = Math.min(this.#count, this.#values.length);
    if (count === 0) return null;
    const sorted = this.#values.slice(0, count).sort();
    const at = (share: number) => sorted[Math.ceil(share * count) - 1]!;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
