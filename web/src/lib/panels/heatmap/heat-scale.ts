// Which colour a size has: by the logarithm of it, between two percentiles of the sizes that are shown. The bits of a
// float of 32 bits, read as a whole number, grow as its logarithm does, within 6 %, and cost nothing.

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

export function codeOf(lots: number): number {
  float[0] = lots;
  return bits[0]!;
}

function lotsOf(code: number): number {
  bits[0] = code;
  return float[0]!;
}

/** Sizes at the lower and the upper end of the ramp, lots. */
export interface HeatScale {
  readonly low: number;
  readonly high: number;
}

/** Bits of a code that no histogram needs: what is left tells sizes apart that differ by 1.6 %. */
const DROPPED = 17;
const BINS = 2 ** (31 - DROPPED);
/** A scale that would change by less stays: in the code's own measure, 0.3 of a doubling. */
const MIN_CHANGE = 0.3 * 2 ** 23;

/** Sizes, counted to find percentiles of. */
export class SizeHistogram {
  readonly #counts = new Uint32Array(BINS);
  count = 0;

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
  }

  /** @param lots above zero */
  add(lots: number): void {
    this.#counts[codeOf(lots) >> DROPPED]! += 1;
    this.count += 1;
  }

  /** @param share 0 to 1; @returns lots, null where nothing was added */
  percentile(share: number): number | null {
    if (this.count === 0) return null;
    let left = share * this.count;
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.#counts[bin]!;
      if (this.#counts[bin]! > 0 && left <= 0) return lotsOf(bin << DROPPED);
    }
    return lotsOf((BINS - 1) << DROPPED);
  }
}

/** The scale between two percentiles; the current one while it differs little, so that the colours keep still. */
export function heatScale(
  current: HeatScale | null,
  sizes: SizeHistogram,
  percentiles: { readonly from: number; readonly to: number },
): HeatScale | null {
  const low = sizes.percentile(percentiles.from / 100);
  const high = sizes.percentile(percentiles.to / 100);
  if (low === null || high === null) return current;
  const isNear = (a: number, b: number) => Math.abs(codeOf(a) - codeOf(b)) < MIN_CHANGE;
  if (current && isNear(current.low, low) && isNear(current.high, high)) return current;
  return { low, high: Math.max(high, low * 1.5) };
}

export type Rgb = readonly [number, number, number];

/** Colours of the ramp. */
export const SHADES = 256;

/**
 * Pixels as `ImageData` has them, on a machine whose lowest byte is first.
 * @param stops the first is that of no size at all, the others are spread evenly over the scale
 */
export function rampOf(stops: readonly Rgb[]): Uint32Array {
  const ramp = new Uint32Array(SHADES);
  const [none, ...shades] = stops;
  for (let i = 0; i < SHADES; i++) {
    const place = (i / (SHADES - 1)) * (shades.length - 1);
    const at = Math.min(shades.length - 2, Math.floor(place));
    const part = place - at;
    const mix = (k: 0 | 1 | 2) => Math.round(shades[at]![k] * (1 - part) + shades[at + 1]![k] * part);
    const [r, g, b] = i === 0 ? none! : [mix(0), mix(1), mix(2)];
    ramp[i] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return ramp;
}
