import { normalShare } from './random.ts';
import type { Random } from './random.ts';

/**
 * Growth of the variance of log-volatility with the logarithm of the time scale: the
 * intermittency of multifractal volatility, about 0.03 in markets (Bacry, Delour and Muzy 2001).
 * It gives volatility clusters and fat tails at every scale.
 */
const INTERMITTENCY = 0.03;
/** Traded size grows with volatility, less than in proportion to variance. */
const VOLUME_EXPONENT = 0.6;
const VOLUME_NOISE = 0.1;

/**
 * Trades see the path only now and then, so their extremes fall short of its own: by 0.58 standard
 * deviations of what it moves between two looks (Broadie, Glasserman and Kou 1997). Measured on
 * the live flow, whose quotes follow fair value in jumps and whose trades come in clusters.
 */
const SHORTFALL = 0.58;
const SECONDS_PER_LOOK = 9;
const TRADES_PER_LOOK = 8;
/** A random walk stays within this many of its standard deviations once in thousands of times. */
const MIN_RANGE = 0.8;
/** With as many trades, some were at the bid and some at the ask. */
const TWO_SIDED_TRADES = 5;

/** A stretch of the price path. Prices in ticks, volume in lots. */
export interface PathBar {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly trades: number;
  /** Variance of the price change expected over it, in square ticks. */
  readonly variance: number;
}

/** The random numbers that split a stretch into `n` parts, all standard normal. */
export interface Shocks {
  readonly price: Float64Array;
  readonly volatility: Float64Array;
  /** Decide how far each part reaches above and below its ends. */
  readonly above: Float64Array;
  readonly below: Float64Array;
}

/** Standard deviation of the log-variance of one of `parts` parts. */
export function varianceSpread(parts: number): number {
  return Math.sqrt(4 * INTERMITTENCY * Math.log(parts));
}

/**
 * The highest excess of a Brownian bridge over the higher of its ends: exact in distribution.
 * @param distance between the ends
 * @param shock standard normal; the larger, the further
 */
export function bridgeExcess(distance: number, variance: number, shock: number): number {
  const gap = Math.abs(distance);
  return (Math.sqrt(gap * gap - 2 * variance * Math.log(normalShare(-shock))) - gap) / 2;
}

/** How far the extremes of trades stay behind those of the path, on one side. */
export function tradedShortfall(variance: number, trades: number, lengthS: number): number {
  if (trades === 0) return 0;
  return SHORTFALL * Math.sqrt(variance * (SECONDS_PER_LOOK / lengthS + TRADES_PER_LOOK / trades));
}

/** How far trades reach above and below the path: half a spread, which is never below a tick. */
export function bounceTicks(spreadTicks: number): number {
  return Math.max(1, spreadTicks) / 2;
}

/**
 * Splits a bar into `weights.length` bars which add up to it exactly: the first opens where it
 * opens, the last closes where it closes, the highest high is its high, the lowest low its low,
 * volumes and trades sum to its own. Each part opens at the close of the part before, and a part
 * without trades does not move.
 *
 * The closes are a Brownian bridge with the parts' variances. Where it is highest and lowest it
 * is lifted to the bar's high and low, and all else with it in proportion to the time between.
 * What leaves the bar's range is folded back into it, and no part ranges less than a random walk
 * of its variance would: a part of no range could never be split into anything but flat ones.
 * @param lengthS of one part
 * @param weights the expected share of each part in the variance, before the cascade
 * @param bounce see `bounceTicks`
 */
export function splitBar(
  parent: PathBar,
  lengthS: number,
  weights: Float64Array,
  shocks: Shocks,
  bounce: number,
  random: Random,
): PathBar[] {
  const parts = weights.length;
  const variances = new Float64Array(parts);
  const activity = new Float64Array(parts);
  const spread = varianceSpread(parts);
  for (let i = 0; i < parts; i++) {
    const heat = spread * shocks.volatility[i]!;
    variances[i] = weights[i]! * Math.exp(heat);
    activity[i] = weights[i]! * Math.exp(VOLUME_EXPONENT * heat + VOLUME_NOISE * random.normal());
  }
  const trades = splitCount(parent.trades, activity, random);
  for (let i = 0; i < parts; i++) if (trades[i] === 0) variances[i] = 0;
  const extra = splitCount(parent.volume - parent.trades, activityOf(trades, random), random);

  scaleTo(variances, parent.variance);
  const closes = bridge(parent.open, parent.close, parent.variance, variances, shocks.price);

  // The extremes that the parts would have by themselves.
  const highs = new Float64Array(parts);
  const lows = new Float64Array(parts);
  let highest = -1;
  let lowest = -1;
  for (let i = 0; i < parts; i++) {
    if (trades[i] === 0) continue;
    const open = i === 0 ? parent.open : closes[i - 1]!;
    const distance = closes[i]! - open;
    const short = tradedShortfall(variances[i]!, trades[i]!, lengthS);
    // As the range of that many draws between bid and ask.
    const reach = (bounce * (trades[i]! - 1)) / (trades[i]! + 1);
    const above = Math.max(0, bridgeExcess(distance, variances[i]!, shocks.above[i]!) - short) + reach;
    const below = Math.max(0, bridgeExcess(distance, variances[i]!, shocks.below[i]!) - short) + reach;
    highs[i] = Math.max(open, closes[i]!) + above;
    lows[i] = Math.min(open, closes[i]!) - below;
    if (highest < 0 || highs[i]! > highs[highest]!) highest = i;
    if (lowest < 0 || lows[i]! < lows[lowest]!) lowest = i;
  }

  const lift = liftTo(parent, variances, highest, highs, lowest, lows);
  const bars: PathBar[] = [];
  let open = parent.open;
  let elapsed = 0;
  for (let i = 0; i < parts; i++) {
    const middle = elapsed + variances[i]! / 2;
    elapsed += variances[i]!;
    const idle = trades[i] === 0;
    const close = i === parts - 1 ? parent.close : idle ? open : within(parent, closes[i]! + lift(elapsed));
    let [high, low] = [open, open];
    if (!idle) {
      high = i === highest ? parent.high : Math.max(open, close, within(parent, highs[i]! + lift(middle)));
      low = i === lowest ? parent.low : Math.min(open, close, within(parent, lows[i]! + lift(middle)));
      [low, high] = widen(parent, low, high, minRange(variances[i]!, trades[i]!, lengthS));
    }
    bars.push({
      open,
      high,
      low,
      close,
      volume: trades[i]! + extra[i]!,
      trades: trades[i]!,
      variance: variances[i]!,
    });
    open = close;
  }
  return bars;
}

/** A whole price within the bar's range; what would leave it is reflected, as often as it takes. */
function within({ high, low }: PathBar, price: number): number {
  const range = high - low;
  if (range === 0) return low;
  const period = 2 * range;
  const folded = (((price - low) % period) + period) % period;
  return low + Math.round(folded > range ? period - folded : folded);
}

/** The least range, in whole ticks, of a stretch that trades. */
function minRange(variance: number, trades: number, lengthS: number): number {
  const usual = MIN_RANGE * Math.sqrt(variance) - 2 * tradedShortfall(variance, trades, lengthS);
  return Math.max(trades >= TWO_SIDED_TRADES ? 1 : 0, Math.floor(usual));
}

/** A range widened to both sides until it is `least`, as far as the bar's own range allows. */
function widen(parent: PathBar, low: number, high: number, least: number): [low: number, high: number] {
  const missing = least - (high - low);
  if (missing <= 0) return [low, high];
  const wantHigh = Math.min(parent.high, high + Math.ceil(missing / 2));
  const newLow = Math.max(parent.low, wantHigh - least);
  return [newLow, Math.min(parent.high, newLow + least)];
}

/**
 * What to add to the bridge at each point of elapsed variance so that its extremes are the bar's:
 * nothing at both ends, and linear between these and the two extremes.
 */
function liftTo(
  parent: PathBar,
  variances: Float64Array,
  highest: number,
  highs: Float64Array,
  lowest: number,
  lows: Float64Array,
): (elapsed: number) => number {
  if (highest < 0) return () => 0;
  const toHigh = parent.high - highs[highest]!;
  const toLow = parent.low - lows[lowest]!;
  // Within one part a rise has its low first, a fall its high.
  const highFirst = highest === lowest ? parent.close < parent.open : highest < lowest;
  const atHigh = elapsedWithin(variances, highest, highFirst ? 1 / 3 : 2 / 3);
  const atLow = elapsedWithin(variances, lowest, highFirst ? 2 / 3 : 1 / 3);
  const [first, firstLift, second, secondLift] = highFirst
    ? [atHigh, toHigh, atLow, toLow]
    : [atLow, toLow, atHigh, toHigh];
  const end = parent.variance;
  return (elapsed) => {
    if (elapsed <= first) return first > 0 ? (firstLift * elapsed) / first : 0;
    if (elapsed <= second)
      return firstLift + ((secondLift - firstLift) * (elapsed - first)) / (second - first);
    return end > second ? (secondLift * (end - elapsed)) / (end - second) : 0;
  };
}

function elapsedWithin(variances: Float64Array, part: number, share: number): number {
  let elapsed = variances[part]! * share;
  for (let i = 0; i < part; i++) elapsed += variances[i]!;
  return elapsed;
}

/** Partial sums of independent steps, bent so that the last one ends at `close`. */
function bridge(
  open: number,
  close: number,
  variance: number,
  variances: Float64Array,
  shocks: Float64Array,
): Float64Array {
  const parts = variances.length;
  const points = new Float64Array(parts);
  let sum = 0;
  for (let i = 0; i < parts; i++) {
    sum += Math.sqrt(variances[i]!) * shocks[i]!;
    points[i] = sum;
  }
  const missing = close - open - sum;
  let elapsed = 0;
  for (let i = 0; i < parts; i++) {
    elapsed += variances[i]!;
    points[i] = open + points[i]! + (variance > 0 ? (missing * elapsed) / variance : 0);
  }
  points[parts - 1] = close;
  return points;
}

/** Scales in place so that the values sum to `total`. */
function scaleTo(values: Float64Array, total: number): void {
  let sum = 0;
  for (const value of values) sum += value;
  if (sum > 0) for (let i = 0; i < values.length; i++) values[i]! *= total / sum;
}

function activityOf(trades: Float64Array, random: Random): Float64Array {
  return trades.map((count) => (count === 0 ? 0 : count * Math.exp(VOLUME_NOISE * random.normal())));
}

/** Splits a whole number in proportion to the shares, with a random phase in place of rounding. */
function splitCount(total: number, shares: Float64Array, random: Random): Float64Array {
  const counts = new Float64Array(shares.length);
  let sum = 0;
  let last = 0;
  for (let i = 0; i < shares.length; i++) {
    sum += shares[i]!;
    if (shares[i]! > 0) last = i;
  }
  const phase = random.uniform();
  let running = 0;
  let taken = 0;
  for (let i = 0; i < shares.length; i++) {
    running += shares[i]!;
    const upTo = i >= last ? total : Math.min(total, Math.floor((total * running) / sum + phase));
    counts[i] = upTo - taken;
    taken = upTo;
  }
  return counts;
}
