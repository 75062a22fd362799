import type { FlatLevels } from '@depthwire/shared';

/** The latest prices that were written, over and over in the same memory. */
export class PriceRing {
  /** Prices so far. */
  written = 0;
  #prices: Float64Array;
  readonly #most: number;

  /** @param most prices that it may grow to */
  constructor(size: number, most = size) {
    this.#prices = new Float64Array(size);
    this.#most = most;
  }

  /**
   * @param levels `ticks, lots` pairs
   * @param mayGrow whether prices that would be written over are worth more memory
   */
  add(levels: FlatLevels, mayGrow = false): void {
    if (mayGrow && this.written + levels.length / 2 > this.#prices.length) this.#grow();
    const prices = this.#prices;
    let at = this.written % prices.length;
    for (let i = 0; i < levels.length; i += 2) {
      prices[at] = levels[i]!;
      at = at + 1 === prices.length ? 0 : at + 1;
    }
    this.written += levels.length / 2;
  }

  /** @returns those that were written after the first `count`, each once; null where one of them is gone */
  since(count: number): Set<number> | null {
    const { length } = this.#prices;
    if (this.written - count > length) return null;
    const found = new Set<number>();
    for (let i = count; i < this.written; i++) found.add(this.#prices[i % length]!);
    return found;
  }

  #grow(): void {
    const before = this.#prices;
    if (before.length >= this.#most) return;
    this.#prices = new Float64Array(Math.min(this.#most, 2 * before.length));
    for (let i = Math.max(0, this.written - before.length); i < this.written; i++)
      this.#prices[i % this.#prices.length] = before[i % before.length]!;
  }
}
