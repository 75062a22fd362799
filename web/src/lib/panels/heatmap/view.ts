import { niceCeiling } from '../../format/steady.ts';

// Where a moment and a price are on the screen. Periods are numbered since 1970, prices are in ticks, lengths in CSS
// pixels of the plot; y goes down.

export interface TimeView {
  /** Period at the right edge, where it begins; may have a fraction. */
  readonly end: number;
  /** Pixels of a period. */
  readonly scale: number;
}

export interface PriceView {
  /** Ticks at half the height. */
  readonly centre: number;
  /** Ticks from the lower edge to the upper one. */
  readonly span: number;
}

/** Periods that there are, `to` exclusive. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

const MAX_SCALE = 32;
/** Across the plot can be as many periods as there are, and never fewer than these. */
const LEAST_SHOWN = 300;
const FEWEST_TICKS = 8;
/** A row of the picture is at least so high. */
const MIN_ROW = 2;
/** Of the height, that an automatic range keeps the path of the price in. */
const KEEP = 0.86;
/** Part of the height below which that path is small enough to come closer. */
const SHRINK_BELOW = 0.3;
const HEADROOM = 1.7;
/** Buckets that are seen at the least. */
const FEWEST_BUCKETS = 60;

export function xOf(period: number, { end, scale }: TimeView, width: number): number {
  return width - (end - period) * scale;
}

export function periodAt(x: number, { end, scale }: TimeView, width: number): number {
  return end - (width - x) / scale;
}

export function yOf(ticks: number, { centre, span }: PriceView, height: number): number {
  return height / 2 - ((ticks - centre) / span) * height;
}

export function ticksAtY(y: number, { centre, span }: PriceView, height: number): number {
  return centre + ((height / 2 - y) / height) * span;
}

function scaleWithin(scale: number, width: number, { from, to }: Extent): number {
  return Math.min(MAX_SCALE, Math.max(scale, width / Math.max(LEAST_SHOWN, to - from)));
}

/** Within what there is, as far as that goes: what is shorter than the plot ends at its right edge. */
export function clampTime({ end, scale }: TimeView, width: number, { from, to }: Extent): TimeView {
  const bounded = scaleWithin(scale, width, { from, to });
  const least = Math.min(to, from + width / bounded);
  return { end: Math.min(to, Math.max(least, end)), scale: bounded };
}

/** What was at `x` stays there. */
export function zoomTime(view: TimeView, factor: number, x: number, width: number, extent: Extent): TimeView {
  const scale = scaleWithin(view.scale * factor, width, extent);
  return clampTime({ end: periodAt(x, view, width) + (width - x) / scale, scale }, width, extent);
}

/** @param dx to the right: to what was before */
export function panTime(view: TimeView, dx: number, width: number, extent: Extent): TimeView {
  return clampTime({ ...view, end: view.end - dx / view.scale }, width, extent);
}

/** What was at `y` stays there. A factor above 1 comes closer. */
export function zoomPrice(view: PriceView, factor: number, y: number, height: number): PriceView {
  const span = Math.max(FEWEST_TICKS, view.span / factor);
  const ticks = ticksAtY(y, view, height);
  return { centre: ticks - ((height / 2 - y) / height) * span, span };
}

/** @param dy downwards: to higher prices */
export function panPrice(view: PriceView, dy: number, height: number): PriceView {
  return { ...view, centre: view.centre + (dy / height) * view.span };
}

/**
 * A range about the path of the price, which stays while the path is well within it.
 * @param low of the best bids that are shown, ticks
 * @param high of the best asks that are shown
 * @param step ticks of a bucket
 */
export function autoRange(current: PriceView | null, low: number, high: number, step: number): PriceView {
  const path = high - low;
  const least = FEWEST_BUCKETS * step;
  if (current !== null) {
    const half = (current.span / 2) * KEEP;
    const isWithin = low >= current.centre - half && high <= current.centre + half;
    const isSmall = path < current.span * SHRINK_BELOW && current.span > least * 2.5;
    if (isWithin && !isSmall && current.span >= least) return current;
  }
  return { centre: (low + high) / 2, span: Math.max(niceCeiling(path * HEADROOM), least) };
}

/** Ticks of a row: so many buckets, 1, 2, 5, 10, …, that it is high enough to be seen. */
export function rowTicksFor(step: number, { span }: PriceView, height: number): number {
  const pixels = (step / span) * height;
  return step * Math.max(1, niceCeiling(MIN_ROW / pixels));
}

/** Periods of a column of the picture, a power of two: no column is narrower than a pixel of the screen. */
export function periodsPerTexel(scale: number, pixelRatio: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(1 / (scale * pixelRatio))));
}
