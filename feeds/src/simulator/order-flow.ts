import type { MarketProfile } from './profiles.ts';
import type { Random } from './random.ts';

/**
 * Each market order brings this many others on average, over two time scales: a Hawkes process
 * with two exponential kernels (Hawkes 1971; Bacry, Mastromatteo and Muzy 2015 find branching
 * ratios of 0.5 to 0.9 in markets).
 */
const FAST_BRANCHING = 0.35;
const SLOW_BRANCHING = 0.25;
const FAST_DECAY_PER_S = 5;
const SLOW_DECAY_PER_S = 0.15;
const MAX_TRADE_INTENSITY = 25;

/** Quotes follow trades, less than in proportion. */
const QUOTE_EXPONENT = 0.5;
const MIN_QUOTE_ACTIVITY = 0.3;
const MAX_QUOTE_ACTIVITY = 4;

const BURST_MIN_S = 5;
const BURST_MEAN_EXTRA_S = 10;
/** A burst ends faster than it can be missed, but not at once. */
const BURST_FADE_PER_S = 2;

/** Trades and volume fall behind what is due, or run ahead of it, by about this share of an hour. */
const PACE_HOURS = 1 / 20;
const MIN_PACE = 0.25;
const MAX_PACE = 5;

/**
 * Chance that an order takes the same side as the one before: large orders are worked in
 * pieces (Lillo and Farmer 2004 on the long memory of order signs).
 */
const SIDE_PERSISTENCE = 0.72;

/**
 * Keeps what happens at the pace of what is due, without touching its clusters: a factor that
 * rises slowly while too little has happened. Live trades so continue the candles before them,
 * whatever the books and bursts of a market make of its orders.
 */
export class Pace {
  #owed = 0;
  #factor = 1;

  /** By how much to multiply what happens next. */
  get factor(): number {
    return this.#factor;
  }

  /** @param due in this time, and in the hour around it */
  advance(due: number, hourly: number): void {
    const horizon = Math.max(1, hourly * PACE_HOURS);
    this.#owed = Math.min(Math.max(this.#owed + due, -horizon), (MAX_PACE - 1) * horizon);
    this.#factor = Math.min(Math.max(1 + this.#owed / horizon, MIN_PACE), MAX_PACE);
  }

  happened(amount: number): void {
    this.#owed -= amount;
  }
}

/** How many orders come, and from which side: clustered, with bursts, at the profile's rates. */
export class OrderFlow {
  readonly #profile: MarketProfile;
  readonly #rate: number;
  readonly #random: Random;
  #fast = 0;
  #slow = 0;
  #burstLeftS = 0;
  #burst = 1;
  #lastSide: 'buy' | 'sell' = 'buy';

  constructor(profile: MarketProfile, rate: number, random: Random) {
    this.#profile = profile;
    this.#rate = rate;
    this.#random = random;
  }

  /** Activity of the burst under way as a multiple of the usual; 1 when there is none. */
  get burst(): number {
    return this.#burst;
  }

  /** Lets time pass: excitement decays, bursts begin and end. */
  advance(elapsedS: number): void {
    this.#fast *= Math.exp(-FAST_DECAY_PER_S * elapsedS);
    this.#slow *= Math.exp(-SLOW_DECAY_PER_S * elapsedS);
    const { burstsPerHour, burstFactor } = this.#profile;
    if (this.#burstLeftS > 0) {
      this.#burstLeftS -= elapsedS;
    } else {
      this.#burst = 1 + (this.#burst - 1) * Math.exp(-BURST_FADE_PER_S * elapsedS);
      if (this.#random.chance((burstsPerHour / 3600) * elapsedS)) {
        this.#burst = burstFactor;
        this.#burstLeftS = BURST_MIN_S + BURST_MEAN_EXTRA_S * this.#random.exponential();
      }
    }
  }

  /**
   * Number of market orders in a stretch of time.
   * @param ordersPerS their average rate now, bursts aside
   */
  marketOrders(ordersPerS: number, elapsedS: number): number {
    const own = (1 - FAST_BRANCHING - SLOW_BRANCHING) * ordersPerS * Math.sqrt(this.#burst);
    const intensity = Math.min(own + this.#fast + this.#slow, MAX_TRADE_INTENSITY * ordersPerS);
    return this.#random.poisson(intensity * elapsedS);
  }

  /** Tells of an order that came, so that others follow. */
  excite(): void {
    this.#fast += FAST_BRANCHING * FAST_DECAY_PER_S;
    this.#slow += SLOW_BRANCHING * SLOW_DECAY_PER_S;
  }

  /**
   * Number of quote changes in a stretch of time.
   * @param activity trades now against the average
   */
  quoteChanges(activity: number, elapsedS: number): number {
    const pace = Math.min(Math.max(activity ** QUOTE_EXPONENT, MIN_QUOTE_ACTIVITY), MAX_QUOTE_ACTIVITY);
    // A burst sets the pace by itself: the profile promises its rate.
    const paced = this.#burst > 2 ? this.#burst : pace * this.#burst;
    return this.#random.poisson(this.#profile.updatesPerS * this.#rate * paced * elapsedS);
  }

  /** @param pull from -1 (the price is far above fair value, sell) to 1 (far below, buy) */
  side(pull: number): 'buy' | 'sell' {
    const same = this.#random.chance(SIDE_PERSISTENCE);
    let side = same ? this.#lastSide : this.#lastSide === 'buy' ? 'sell' : 'buy';
    if (this.#random.chance(Math.abs(pull) * 0.6)) side = pull > 0 ? 'buy' : 'sell';
    this.#lastSide = side;
    return side;
  }
}
