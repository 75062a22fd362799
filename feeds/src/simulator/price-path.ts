import { bounceTicks, bridgeExcess, splitBar, tradedShortfall, varianceSpread } from './bar-cascade.ts';
import type { PathBar, Shocks } from './bar-cascade.ts';
import type { MarketProfile } from './profiles.ts';
import { hashText, Random } from './random.ts';
import { dayWeight, hourWeight } from './session.ts';

/** Lengths of the bars of the path, each splitting into whole numbers of the next. */
export const pathLevelsS = [86_400, 14_400, 3600, 900, 300, 60, 15, 5, 1] as const;
const SECOND_LEVEL = pathLevelsS.length - 1;
const DAY_S = pathLevelsS[0];
/** Below this, the time of day weighs the parts of a bar equally. */
const HOUR_WEIGHT_MIN_S = 900;

/** Days between the moments at which the price is drawn around its long-run level. */
const BLOCK_DAYS = 128;
const DAYS_A_YEAR = 365.25;
/** How far the price strays at those moments, as a share of a free random walk's. */
const ANCHOR_SPREAD = 0.35;
/** Share of the markets' common part in changes of volatility (standard deviation). */
const COMMON_VOLATILITY = 0.9;
const DAILY_VOLUME_NOISE = 0.25;
const VOLUME_PER_VARIANCE = 0.35;

const BARS_CACHED_PER_LEVEL = 32;
const BLOCKS_CACHED = 4;

/** Keys that separate the uses of random numbers: levels below 16 are those of the bars. */
const BLOCK_LEVEL = 16;
const ANCHOR_LEVEL = 32;
const DAY_KEY = 33;

interface Block {
  readonly index: number;
  /** Log-price against the long-run level at each midnight, both ends included. */
  readonly logs: Float64Array;
  /** Variance of the log-price over each day. */
  readonly variances: Float64Array;
}

/**
 * The latent price of one market as a function of absolute time: every bar at every level is
 * a pure function of seed, market and time, so two processes agree on the past and a restarted
 * one continues where it was.
 *
 * Days come from midpoint displacement within blocks whose ends lie near the long-run level, so
 * that a price never drifts to absurd values; bars within a day are split top-down
 * (`splitBar`), so every interval is exactly the sum of the finer ones. Variance is split by a
 * multiplicative cascade (Mandelbrot, Calvet and Fisher 1997). Common factors move markets
 * together: shocks are the factors', weighted by the profile's loadings, and the market's own.
 */
export class PricePath {
  readonly #profile: MarketProfile;
  readonly #rate: number;
  readonly #seed: number;
  readonly #ownKey: number;
  readonly #factorKeys: readonly (readonly [number, number])[];
  readonly #ownLoading: number;
  readonly #ownVolatility: number;
  readonly #random = new Random(0, 0, 0);
  readonly #factorRandom = new Random(0, 0, 0);
  readonly #splits: ({ index: number; bars: PathBar[] } | undefined)[][] = pathLevelsS.map(() => []);
  readonly #blocks: (Block | undefined)[] = [];

  /** @param rate multiplies trades and volume */
  constructor(seed: number, profile: MarketProfile, rate: number) {
    this.#seed = seed;
    this.#profile = profile;
    this.#rate = rate;
    this.#ownKey = hashText(profile.pathOf);
    this.#factorKeys = profile.loadings.map(([factor, loading]) => [hashText(`factor:${factor}`), loading]);
    const common = profile.loadings.reduce((sum, [, loading]) => sum + loading * loading, 0);
    this.#ownLoading = Math.sqrt(Math.max(0, 1 - common));
    this.#ownVolatility = Math.sqrt(Math.max(0, 1 - COMMON_VOLATILITY ** 2 * common));
  }

  /** The bar of a level (an index into `pathLevelsS`) that opens at `index × length` seconds. */
  bar(level: number, index: number): PathBar {
    if (level === 0) return this.#day(index);
    const parts = partsOf(level - 1);
    return this.#split(level - 1, Math.floor(index / parts))[index % parts]!;
  }

  /** The bar of one second. */
  second(timeS: number): PathBar {
    return this.bar(SECOND_LEVEL, timeS);
  }

  /** The price at a moment, in ticks with a fraction. */
  priceAt(timeMs: number): number {
    const timeS = Math.floor(timeMs / 1000);
    const { open, close } = this.second(timeS);
    return open + (close - open) * (timeMs / 1000 - timeS);
  }

  #split(level: number, index: number): readonly PathBar[] {
    const cache = this.#splits[level]!;
    const slot = index % BARS_CACHED_PER_LEVEL;
    const cached = cache[slot];
    if (cached?.index === index) return cached.bars;

    const parent = this.bar(level, index);
    const parts = partsOf(level);
    const lengthS = pathLevelsS[level + 1]!;
    const weights = new Float64Array(parts).fill(1);
    if (lengthS >= HOUR_WEIGHT_MIN_S) {
      const fromS = (index * pathLevelsS[level]!) % DAY_S;
      for (let i = 0; i < parts; i++)
        weights[i] = meanHourWeight(this.#profile, fromS + i * lengthS, lengthS);
    }
    const shocks = this.#shocks(level, index, parts);
    const bars = splitBar(
      parent,
      lengthS,
      weights,
      shocks,
      bounceTicks(this.#profile.spreadTicks),
      this.#random,
    );
    cache[slot] = { index, bars };
    return bars;
  }

  #day(day: number): PathBar {
    const block = this.#block(Math.floor(day / BLOCK_DAYS));
    const at = day % BLOCK_DAYS;
    const { priceTicks, session, tradesPerS, tradeLots, annualVolatility, spreadTicks } = this.#profile;
    const open = Math.max(1, Math.round(priceTicks * Math.exp(block.logs[at]!)));
    const close = Math.max(1, Math.round(priceTicks * Math.exp(block.logs[at + 1]!)));
    const logVariance = block.variances[at]!;
    const variance = logVariance * open * open;
    const shocks = this.#shocks(DAY_KEY, day, 1);
    const random = this.#random;
    const weight = dayWeight(session, day);
    const heat = logVariance / ((weight * annualVolatility ** 2) / DAYS_A_YEAR);
    const trades = Math.ceil(
      tradesPerS *
        this.#rate *
        DAY_S *
        weight *
        heat ** VOLUME_PER_VARIANCE *
        random.logNormal(DAILY_VOLUME_NOISE),
    );
    const volume = trades + Math.round(trades * (tradeLots - 1) * random.logNormal(DAILY_VOLUME_NOISE / 4));
    const reach = bounceTicks(spreadTicks) - tradedShortfall(variance, trades, DAY_S);
    const above = Math.max(0, bridgeExcess(close - open, variance, shocks.above[0]!) + reach);
    const below = Math.max(0, bridgeExcess(close - open, variance, shocks.below[0]!) + reach);
    return {
      open,
      high: Math.round(Math.max(open, close) + above),
      low: Math.max(1, Math.round(Math.min(open, close) - below)),
      close,
      volume,
      trades,
      variance,
    };
  }

  #block(index: number): Block {
    const slot = index % BLOCKS_CACHED;
    const cached = this.#blocks[slot];
    if (cached?.index === index) return cached;
    const block = this.#makeBlock(index);
    this.#blocks[slot] = block;
    return block;
  }

  #makeBlock(index: number): Block {
    const { annualVolatility, session } = this.#profile;
    const logs = new Float64Array(BLOCK_DAYS + 1);
    const variances = new Float64Array(BLOCK_DAYS);
    const total = (annualVolatility ** 2 * BLOCK_DAYS) / DAYS_A_YEAR;
    const reach = ANCHOR_SPREAD * Math.sqrt(total);
    logs[0] = reach * this.#shocks(ANCHOR_LEVEL, index, 1).price[0]!;
    logs[BLOCK_DAYS] = reach * this.#shocks(ANCHOR_LEVEL, index + 1, 1).price[0]!;
    variances[0] = total;
    const spread = varianceSpread(2);
    const firstDay = index * BLOCK_DAYS;
    for (let length = BLOCK_DAYS, depth = 0; length > 1; length /= 2, depth++) {
      const half = length / 2;
      for (let at = 0; at < BLOCK_DAYS; at += length) {
        const shocks = this.#shocks(BLOCK_LEVEL + depth, (firstDay + at) / length, 2);
        const left = daysWeight(session, firstDay + at, half) * Math.exp(spread * shocks.volatility[0]!);
        const right =
          daysWeight(session, firstDay + at + half, half) * Math.exp(spread * shocks.volatility[1]!);
        const share = left / (left + right);
        const variance = variances[at]!;
        const from = logs[at]!;
        logs[at + half] =
          from +
          share * (logs[at + length]! - from) +
          Math.sqrt(share * (1 - share) * variance) * shocks.price[0]!;
        variances[at] = variance * share;
        variances[at + half] = variance * (1 - share);
      }
    }
    return { index, logs, variances };
  }

  /** Draws the shocks of a split; afterwards `#random` is the market's own stream for it. */
  #shocks(level: number, index: number, parts: number): Shocks {
    const price = new Float64Array(parts);
    const volatility = new Float64Array(parts);
    const above = new Float64Array(parts);
    const below = new Float64Array(parts);
    const common = this.#factorRandom;
    for (const [key, loading] of this.#factorKeys) {
      common.rekey(this.#seed, key ^ level, index);
      // A market that falls when the factor rises is low where the factor is high.
      const [up, down] = loading > 0 ? [above, below] : [below, above];
      const size = Math.abs(loading);
      for (let i = 0; i < parts; i++) {
        price[i]! += loading * common.normal();
        volatility[i]! += COMMON_VOLATILITY * size * common.normal();
        up[i]! += size * common.normal();
        down[i]! += size * common.normal();
      }
    }
    const own = this.#random;
    own.rekey(this.#seed, this.#ownKey ^ level, index);
    for (let i = 0; i < parts; i++) {
      price[i]! += this.#ownLoading * own.normal();
      volatility[i]! += this.#ownVolatility * own.normal();
      above[i]! += this.#ownLoading * own.normal();
      below[i]! += this.#ownLoading * own.normal();
    }
    return { price, volatility, above, below };
  }
}

/** Number of bars of the next level in one of this level. */
function partsOf(level: number): number {
  return pathLevelsS[level]! / pathLevelsS[level + 1]!;
}

function daysWeight(session: MarketProfile['session'], firstDay: number, days: number): number {
  let sum = 0;
  for (let i = 0; i < days; i++) sum += dayWeight(session, firstDay + i);
  return sum;
}

function meanHourWeight({ session }: MarketProfile, fromS: number, lengthS: number): number {
  let sum = 0;
  let count = 0;
  for (let at = fromS + HOUR_WEIGHT_MIN_S / 2; at < fromS + lengthS; at += HOUR_WEIGHT_MIN_S) {
    sum += hourWeight(session, at);
    count += 1;
  }
  return sum / count;
}
