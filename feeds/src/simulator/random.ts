const TWO_32 = 2 ** 32;
const WARM_UP_ROUNDS = 12;

/** FNV-1a of the UTF-16 units: turns a seed or an instrument id into 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** Share of a standard normal below `x` (Abramowitz and Stegun 26.2.17), within (0, 1). */
export function normalShare(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = Math.max(1e-12, (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * poly);
  return x < 0 ? tail : 1 - tail;
}

/**
 * A stream of random numbers: sfc32 (Chris Doty-Humphrey, PractRand), keyed by three 32-bit
 * words. The same key gives the same stream on every machine.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;
  #spare = Number.NaN;

  constructor(key0: number, key1: number, key2: number) {
    this.rekey(key0, key1, key2);
  }

  /** Starts the stream of another key; cheap enough to do for every bar of a chart. */
  rekey(key0: number, key1: number, key2: number): void {
    this.#a = key0 | 0;
    this.#b = key1 | 0;
    this.#c = key2 | 0;
    this.#counter = 1;
    this.#spare = Number.NaN;
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.#next();
  }

  #next(): number {
    const result = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform in (0, 1): never 0, so that its logarithm is finite. */
  uniform(): number {
    return (this.#next() + 0.5) / TWO_32;
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -Math.log(this.uniform());
  }

  /** Log-normal with mean 1. */
  logNormal(sigma: number): number {
    return Math.exp(sigma * this.normal() - (sigma * sigma) / 2);
  }

  /** Lomax (Pareto II) with scale 1: `P(X > x) = (1 + x)^-alpha`. */
  lomax(alpha: number): number {
    return this.uniform() ** (-1 / alpha) - 1;
  }

  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count += 1;
    return count;
  }
}
