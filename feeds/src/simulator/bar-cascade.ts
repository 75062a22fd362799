import type { Random } from './random.ts';

/**
 * Growth of the variance of log-volatility with the logarithm of the time scale: the
 * intermittency of multifractal volatility, 0.02 to 0.03 in markets (Bacry, Delour and Muzy 2001).
 * It gives volatility clusters and fat tails at every scale.
 */
const INTERMITTENCY = 0.02;
/** Traded size grows with volatility, less than in proportion to variance. */
const VOLUME_EXPONENT = 0.6;
const VOLUME_NOISE = 0.3;

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
}

/** Standard deviation of the log-variance of one of `parts` parts. */
export function varianceSpread(parts: number): number {
  return Math.sqrt(4 * INTERMITTENCY * Math.log(parts));
}

/**
 * The highest excess of a Brownian bridge over the higher of its ends: exact in distribution.
 * @param distance between the ends
 */
export function bridgeExcess(distance: number, variance: number, random: Random): number {
  const gap = Math.abs(distance);
  return (Math.sqrt(gap * gap - 2 * variance * Math.log(random.uniform())) - gap) / 2;
}

/**
 * Splits a bar into `weights.length` bars which add up to it exactly: the first opens where it
 * opens, the last closes where it closes, the highest high is its high, the lowest low its low,
 * volumes and trades sum to its own. Each part opens at the close of the part before, and a part
 * without trades does not move.
 *
 * The closes are a Brownian bridge with the parts' variances; it is then stretched, above and
 * below the ends, to touch the bar's high and low.
 * @param weights the expected share of each part in the variance, before the cascade
 * @param bounce how far trades reach above and below the path: half a spread, in ticks
 */
export function splitBar(
  parent: PathBar,
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
  let highest = 0;
  let lowest = 0;
  for (let i = 0; i < parts; i++) {
    const open = i === 0 ? parent.open : closes[i - 1]!;
    const distance = closes[i]! - open;
    const reach = trades[i]! > 1 ? bounce : 0;
    highs[i] = Math.max(open, closes[i]!) + bridgeExcess(distance, variances[i]!, random) + reach;
    lows[i] = Math.min(open, closes[i]!) - bridgeExcess(distance, variances[i]!, random) - reach;
    if (trades[i] === 0) continue;
    if (trades[highest] === 0 || highs[i]! > highs[highest]!) highest = i;
    if (trades[lowest] === 0 || lows[i]! < lows[lowest]!) lowest = i;
  }

  const top = Math.max(parent.open, parent.close);
  const bottom = Math.min(parent.open, parent.close);
  const above = highs[highest]! > top ? (parent.high - top) / (highs[highest]! - top) : 0;
  const below = lows[lowest]! < bottom ? (bottom - parent.low) / (bottom - lows[lowest]!) : 0;
  const fit = (price: number): number => {
    if (price > top) return Math.round(top + (price - top) * above);
    if (price < bottom) return Math.round(bottom - (bottom - price) * below);
    return Math.round(price);
  };

  const bars: PathBar[] = [];
  let open = parent.open;
  for (let i = 0; i < parts; i++) {
    const close = i === parts - 1 ? parent.close : trades[i] === 0 ? open : fit(closes[i]!);
    const idle = trades[i] === 0;
    bars.push({
      open,
      high: idle ? open : i === highest ? parent.high : Math.max(open, close, fit(highs[i]!)),
      low: idle ? open : i === lowest ? parent.low : Math.min(open, close, fit(lows[i]!)),
      close,
      volume: trades[i]! + extra[i]!,
      trades: trades[i]!,
      variance: variances[i]!,
    });
    open = close;
  }
  return bars;
}

/** Partial sums of independent steps, bent so that the last one ends at `close`. */
export function bridge(
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
export function scaleTo(values: Float64Array, total: number): void {
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
