import type { OrderBook } from '@depthwire/shared';
import { BookShape } from './book-shape.ts';
import { OrderFlow, Pace } from './order-flow.ts';
import { pathLevelsS } from './price-path.ts';
import type { PricePath } from './price-path.ts';
import type { MarketProfile } from './profiles.ts';
import { QuotedBook } from './quotes.ts';
import type { MarketListener } from './quotes.ts';
import type { Random } from './random.ts';

/** Level updates that one step should bring, so that busy markets step more often. */
const UPDATES_PER_STEP = 5;
const MIN_STEP_MS = 10;
const MAX_STEP_MS = 400;
/** Behind by more than this (the machine slept), a market skips what it missed. */
const MAX_LAG_MS = 1000;

/** Levels that a side always keeps. */
const MIN_LEVELS = 5;
/** Levels that follow the touch at once when it moves; the flow fills in the others. */
const LADDER_LEVELS = 20;
const LADDER_SHARE = 0.5;
const TRIM_ABOVE = 1.15;
const DEEPEN_BELOW = 0.85;
const DEEPEN_LEVELS = 3;

/** The market reprices when fair value has moved by this share of a second's volatility. */
const REPRICE_VOLATILITY = 0.6;
const REPRICE_SPREAD = 0.4;
const MIN_REPRICE_TICKS = 0.8;
const THRESHOLD_SIGMA = 0.4;
/** Chance that somebody takes the quotes that a move has left behind. */
const PICK_OFF_CHANCE = 0.5;
/** Most orders awaited in exchange for those that came early to pick off quotes. */
const MAX_EARLY_ORDERS = 3;

const TOUCH_REFILLS_PER_UPDATE = 0.15;
const MIN_TOUCH_REFILL_PER_S = 0.3;
const MAX_TOUCH_REFILL_PER_S = 15;
const IMPROVE_CHANCE = 0.04;
const IMPROVE_SHARE = 0.2;
const NEW_LEVEL_CHANCE = 0.4;
/** Limit orders that look for a hole near the touch to stand in. */
const HOLE_CHANCE = 0.4;
/** Levels this near to the touch are seldom cancelled whole. */
const NEAR_LEVELS = 15;
const NEAR_CANCEL_CHANCE = 0.1;
/** A level larger than this many times its mean only shrinks. */
const MAX_LEVEL_SHARE = 4;

/** Fills of one order at one level beyond the first, on average. */
const EXTRA_FILLS = 0.4;
const MAX_FILLS = 5;
/** Fills that one market order makes on average: trades are counted in fills. */
const FILLS_PER_ORDER = 1.45;
/** Levels that an ordinary market order may reach beyond the first, on average. */
const EXTRA_LEVELS = 0.7;
const SWEEP_CHANCE = 0.04;
const MAX_SWEEP_LEVELS = 12;
const SWEEP_SIZE = 6;

const NOISE_TICKS = 0.3;
const NOISE_DECAY_PER_S = 0.1;
const SPREAD_SIGMA = 0.35;
const MAX_HEAT = 4;
const MIN_HEAT = 0.25;
const SECONDS_A_YEAR = 365.25 * 86_400;
const HOUR_LEVEL = pathLevelsS.indexOf(3600);
const MINUTE_LEVEL = pathLevelsS.indexOf(60);
/** Trades and volume are due as the history of these stretches has them. */
const ACTIVITY_S = 15;
const ACTIVITY_LEVEL = pathLevelsS.indexOf(ACTIVITY_S);

/**
 * One simulated market: limit orders, cancellations and market orders on a real book, around a
 * latent fair value. Orders come at random, as in the zero-intelligence models (Smith, Farmer,
 * Gillemot and Krishnamurthy 2003), clustered by `OrderFlow` and placed by `BookShape`. Fair
 * value moves without a tick; the quotes follow it in jumps, when it has left them far enough
 * behind that someone takes or pulls them.
 */
export class Market {
  readonly profile: MarketProfile;
  readonly #path: PricePath;
  readonly #random: Random;
  readonly #flow: OrderFlow;
  readonly #shape: BookShape;
  readonly #tradePace = new Pace();
  readonly #volumePace = new Pace();
  readonly #quotes = new QuotedBook();
  readonly #listener: MarketListener;
  readonly #rate: number;
  readonly #stepMs: number;
  #timeMs: number;
  /** Fair value that the quotes stand around. */
  #quoted: number;
  #wantBid = 0;
  #wantAsk = 0;
  #threshold = 1;
  #noise = 0;
  #earlyOrders = 0;

  constructor(
    profile: MarketProfile,
    path: PricePath,
    random: Random,
    rate: number,
    startMs: number,
    listener: MarketListener,
  ) {
    this.profile = profile;
    this.#path = path;
    this.#random = random;
    this.#rate = rate;
    this.#listener = listener;
    this.#flow = new OrderFlow(profile, rate, random);
    this.#shape = new BookShape(profile, random);
    this.#timeMs = startMs;
    const stepMs = (1000 * UPDATES_PER_STEP) / (profile.updatesPerS * rate);
    this.#stepMs = Math.min(Math.max(stepMs, MIN_STEP_MS), MAX_STEP_MS);
    this.#quoted = this.#fairValue();
    this.#aim();
    this.#deepen('bid', profile.levels);
    this.#deepen('ask', profile.levels);
    this.#quotes.discard();
  }

  get book(): OrderBook {
    return this.#quotes.book;
  }

  /** When the next step is due: steps come at uneven times, as messages of a venue do. */
  nextStepMs(): number {
    const stepMs = Math.max(MIN_STEP_MS, this.#stepMs / this.#flow.burst);
    return this.#timeMs + stepMs * (0.5 + this.#random.uniform());
  }

  /** Simulates the market up to `timeMs` and tells the listener what happened. */
  step(timeMs: number): void {
    if (timeMs - this.#timeMs > MAX_LAG_MS + MAX_STEP_MS) this.#timeMs = timeMs - MAX_STEP_MS;
    const elapsedS = Math.max(0, timeMs - this.#timeMs) / 1000;
    this.#timeMs = timeMs;
    this.#noise +=
      -NOISE_DECAY_PER_S * this.#noise * elapsedS +
      Math.sqrt(2 * NOISE_DECAY_PER_S * elapsedS) * this.#random.normal();
    this.#flow.advance(elapsedS);

    const fair = this.#fairValue();
    if (Math.abs(fair - this.#quoted) > this.#threshold) this.#reprice(fair);
    this.#refillTouch(elapsedS);

    const { trades, volume } = this.#path.bar(ACTIVITY_LEVEL, Math.floor(timeMs / 1000 / ACTIVITY_S));
    const hour = this.#path.bar(HOUR_LEVEL, Math.floor(timeMs / 3_600_000));
    this.#tradePace.advance((trades * elapsedS) / ACTIVITY_S, hour.trades);
    this.#volumePace.advance((volume * elapsedS) / ACTIVITY_S, hour.volume);
    const activity = trades / (this.profile.tradesPerS * this.#rate * ACTIVITY_S);
    const ordersPerS = (trades / ACTIVITY_S / FILLS_PER_ORDER) * this.#tradePace.factor;
    const changes = this.#flow.quoteChanges(activity, elapsedS);
    let orders = this.#flow.marketOrders(ordersPerS, elapsedS);
    const repaid = Math.min(orders, this.#earlyOrders);
    this.#earlyOrders -= repaid;
    orders -= repaid;
    let done = 0;
    for (let order = 1; order <= orders; order++) {
      const until = Math.floor((changes * order) / (orders + 1));
      for (; done < until; done++) this.#changeQuote();
      this.#marketOrder();
    }
    for (; done < changes; done++) this.#changeQuote();
    this.#keepDepth();
    this.#quotes.publish(this.#listener);
  }

  #fairValue(): number {
    const { spreadTicks } = this.profile;
    return this.#path.priceAt(this.#timeMs) + this.#noise * Math.max(NOISE_TICKS, 0.1 * spreadTicks);
  }

  /** Sets where the touch should be, and how far fair value may move until it is set again. */
  #aim(): void {
    const { spreadTicks, annualVolatility } = this.profile;
    const usual = ((annualVolatility * this.#quoted) ** 2 * 60) / SECONDS_A_YEAR;
    const { variance } = this.#path.bar(MINUTE_LEVEL, Math.floor(this.#timeMs / 60_000));
    const heat = Math.min(Math.max(Math.sqrt(variance / usual), MIN_HEAT), MAX_HEAT);
    const spread = spreadTicks * Math.sqrt(Math.max(1, heat)) * this.#random.logNormal(SPREAD_SIGMA);
    const half = Math.max(0, spread - 1) / 2;
    this.#wantBid = Math.max(1, Math.floor(this.#quoted - half));
    this.#wantAsk = Math.max(Math.ceil(this.#quoted + half), this.#wantBid + 1);
    const perSecond = Math.sqrt(usual / 60) * heat;
    this.#threshold =
      Math.max(MIN_REPRICE_TICKS, REPRICE_VOLATILITY * perSecond, REPRICE_SPREAD * spreadTicks) *
      this.#random.logNormal(THRESHOLD_SIGMA);
  }

  /** Moves the quotes to a new fair value; those left behind are taken or pulled. */
  #reprice(fair: number): void {
    const up = fair > this.#quoted;
    this.#quoted = fair;
    this.#aim();
    const behind = up ? 'ask' : 'bid';
    const ahead = up ? 'bid' : 'ask';
    if (this.#earlyOrders < MAX_EARLY_ORDERS && this.#random.chance(PICK_OFF_CHANCE)) {
      const limit = up ? this.#wantAsk - 1 : this.#wantBid + 1;
      const lots = this.#shape.orderLots(2 * this.profile.tradeLots);
      if (this.#take(up ? 'buy' : 'sell', lots, limit, MAX_SWEEP_LEVELS)) this.#earlyOrders += 1;
    }
    this.#pull(behind);
    this.#pull(ahead);
    this.#advance(ahead);
  }

  /** Cancels what stands better than the touch should be, and puts the touch there. */
  #pull(side: 'bid' | 'ask'): void {
    const want = side === 'bid' ? this.#wantBid : this.#wantAsk;
    const levels = this.#quotes.side(side);
    if (levels.rankOf(want) > 0 && levels.lotsAtPrice(want) === 0) this.#appear(side, want, 1);
    this.#deepen(side, levels.rankOf(want) + 2 * MIN_LEVELS);
    for (let left = levels.rankOf(want); left > 0; left--) this.#quotes.put(side, levels.ticksAt(0), 0);
  }

  /** Brings the side that has fallen behind up to the touch, with some levels below it. */
  #advance(side: 'bid' | 'ask'): void {
    const sign = side === 'bid' ? -1 : 1;
    const levels = this.#quotes.side(side);
    let ticks = side === 'bid' ? this.#wantBid : this.#wantAsk;
    const before = levels.ticksAt(0);
    for (let rank = 0; rank < LADDER_LEVELS && (before - ticks) * sign > 0; rank++) {
      this.#appear(side, ticks, LADDER_SHARE);
      ticks += sign * this.#shape.nextGapTicks(0);
    }
  }

  #refillTouch(elapsedS: number): void {
    const { updatesPerS } = this.profile;
    const perS = TOUCH_REFILLS_PER_UPDATE * updatesPerS * this.#rate;
    const pace = Math.min(Math.max(perS, MIN_TOUCH_REFILL_PER_S), MAX_TOUCH_REFILL_PER_S);
    const chance = 1 - Math.exp(-pace * elapsedS);
    const { bestBid, bestAsk } = this.book;
    if (bestBid! < this.#wantBid && this.#wantBid < bestAsk! && this.#random.chance(chance)) {
      this.#appear('bid', this.#wantBid, LADDER_SHARE);
    }
    if (bestAsk! > this.#wantAsk && this.#wantAsk > this.book.bestBid! && this.#random.chance(chance)) {
      this.#appear('ask', this.#wantAsk, LADDER_SHARE);
    }
  }

  /** One limit order or cancellation. */
  #changeQuote(): void {
    const side = this.#random.chance(0.5) ? 'bid' : 'ask';
    const levels = this.#quotes.side(side);
    const scarcity = Math.min(1.5, this.profile.levels / levels.count);
    if (this.#random.chance(NEW_LEVEL_CHANCE * scarcity ** 4)) {
      this.#limitOrder(side);
      return;
    }
    const rank = this.#shape.rank(levels.count);
    const ticks = levels.ticksAt(rank);
    const lots = levels.lotsAt(rank);
    const mean = this.#shape.meanLots(ticks, this.#behindTouch(side, ticks));
    const size = this.#shape.quoteLots(mean);
    if (lots < MAX_LEVEL_SHARE * mean && this.#random.chance(mean / (mean + lots))) {
      this.#quotes.put(side, ticks, lots + size);
      return;
    }
    const crowded = levels.count > this.profile.levels && this.#random.chance(0.6);
    const keep =
      levels.count <= MIN_LEVELS || (rank < NEAR_LEVELS && !this.#random.chance(NEAR_CANCEL_CHANCE));
    if (crowded && rank > NEAR_LEVELS) this.#quotes.put(side, ticks, 0);
    else if (lots - size > 0) this.#quotes.put(side, ticks, lots - size);
    else if (!keep) this.#quotes.put(side, ticks, 0);
    else if (lots > 1) this.#quotes.put(side, ticks, Math.ceil(lots / 2));
  }

  #limitOrder(side: 'bid' | 'ask'): void {
    const sign = side === 'bid' ? -1 : 1;
    const want = side === 'bid' ? this.#wantBid : this.#wantAsk;
    const levels = this.#quotes.side(side);
    const rank = this.#shape.rank(levels.count - 1);
    const hole = this.#random.chance(HOLE_CHANCE)
      ? this.#shape.ticksInHole(levels.ticksAt(rank), levels.ticksAt(rank + 1))
      : null;
    let ticks = hole ?? this.#shape.preferredTicks(want + sign * this.#shape.placementTicks(), side);
    const improves = this.#random.chance(IMPROVE_CHANCE);
    if (improves) {
      const within = this.profile.spreadTicks * IMPROVE_SHARE * this.#random.uniform();
      ticks = levels.ticksAt(0) - sign * Math.max(1, Math.floor(within));
    }
    const opposite = side === 'bid' ? this.book.bestAsk! : this.book.bestBid!;
    if (ticks < 1 || (side === 'bid' ? ticks >= opposite : ticks <= opposite)) return;
    if (!improves && levels.lotsAtPrice(ticks) === 0) ticks = this.#neighbour(side, ticks) ?? ticks;
    const resting = levels.lotsAtPrice(ticks);
    const mean = this.#shape.meanLots(ticks, this.#behindTouch(side, ticks));
    if (resting === 0) this.#appear(side, ticks, 1);
    else if (resting < MAX_LEVEL_SHARE * mean)
      this.#quotes.put(side, ticks, resting + this.#shape.quoteLots(mean));
  }

  /** The level that an order joins instead of standing right before or behind it. */
  #neighbour(side: 'bid' | 'ask', ticks: number): number | null {
    if (this.profile.gapTicks < 2) return null;
    const levels = this.#quotes.side(side);
    const rank = levels.rankOf(ticks);
    for (const near of [rank - 1, rank]) {
      if (near < 0 || near >= levels.count) continue;
      const other = levels.ticksAt(near);
      if (this.#shape.joins(Math.abs(other - ticks))) return other;
    }
    return null;
  }

  /** One order that takes liquidity, of ordinary size or sweeping several levels. */
  #marketOrder(): void {
    const mid = (this.book.bestBid! + this.book.bestAsk!) / 2;
    const gap = (this.#fairValue() - mid) / Math.max(this.#threshold, this.profile.spreadTicks / 2);
    const side = this.#flow.side(Math.min(1, Math.max(-1, gap)));
    const sweep = this.#random.chance(SWEEP_CHANCE * Math.min(3, this.#flow.burst));
    const pace = this.#volumePace.factor;
    const mean = this.profile.tradeLots * FILLS_PER_ORDER * pace;
    const lots = this.#shape.orderLots(mean * (sweep ? SWEEP_SIZE : 1));
    const levels = sweep
      ? 2 + Math.floor(this.#random.uniform() * MAX_SWEEP_LEVELS)
      : 1 + this.#random.poisson(EXTRA_LEVELS * pace);
    const limit = side === 'buy' ? Number.MAX_SAFE_INTEGER : 0;
    this.#take(side, lots, limit, levels);
  }

  /** @returns whether anything traded */
  #take(side: 'buy' | 'sell', lots: number, limitTicks: number, maxLevels: number): boolean {
    this.#quotes.publish(this.#listener);
    const against = side === 'buy' ? 'ask' : 'bid';
    const levels = this.#quotes.side(against);
    let left = lots;
    for (let taken = 0; left > 0 && taken < maxLevels && levels.count > MIN_LEVELS; taken++) {
      const ticks = levels.ticksAt(0);
      if (side === 'buy' ? ticks > limitTicks : ticks < limitTicks) break;
      const resting = levels.lotsAt(0);
      const filled = Math.min(left, resting);
      this.#report(ticks, filled, side);
      this.#quotes.put(against, ticks, resting - filled);
      left -= filled;
    }
    if (left === lots) return false;
    this.#flow.excite();
    this.#quotes.publish(this.#listener);
    return true;
  }

  /** Reports what filled at one level: against one resting order or several. */
  #report(ticks: number, lots: number, side: 'buy' | 'sell'): void {
    const fills = Math.min(1 + this.#random.poisson(EXTRA_FILLS), MAX_FILLS);
    let left = lots;
    for (let fill = 1; fill < fills && left > 1; fill++) {
      const part = Math.max(1, Math.floor(left * this.#random.uniform()));
      if (part === left) break;
      this.#fill(ticks, part, side);
      left -= part;
    }
    this.#fill(ticks, left, side);
  }

  #fill(ticks: number, lots: number, side: 'buy' | 'sell'): void {
    this.#tradePace.happened(1);
    this.#volumePace.happened(lots);
    this.#listener.onTrade(ticks, lots, side);
  }

  #behindTouch(side: 'bid' | 'ask', ticks: number): number {
    return side === 'bid' ? this.#wantBid - ticks : ticks - this.#wantAsk;
  }

  #appear(side: 'bid' | 'ask', ticks: number, share: number): void {
    if (ticks < 1) return;
    const lots = this.#shape.levelLots(ticks, this.#behindTouch(side, ticks));
    this.#quotes.put(side, ticks, Math.max(1, Math.round(lots * share)));
  }

  /** Adds a level behind the last one, in any case behind the touch. */
  #extend(side: 'bid' | 'ask'): void {
    const levels = this.#quotes.side(side);
    const sign = side === 'bid' ? -1 : 1;
    const want = side === 'bid' ? this.#wantBid : this.#wantAsk;
    if (levels.count === 0) {
      this.#appear(side, want, 1);
      return;
    }
    const last = levels.ticksAt(levels.count - 1);
    const from = side === 'bid' ? Math.min(last, want) : Math.max(last, want);
    const ticks = from + sign * this.#shape.nextGapTicks(levels.count);
    this.#appear(side, this.#shape.preferredTicks(ticks, side), 1);
  }

  /** Drops the levels furthest away once there are clearly too many, and replaces missing ones. */
  #keepDepth(): void {
    for (const side of ['bid', 'ask'] as const) {
      const levels = this.#quotes.side(side);
      while (levels.count > this.profile.levels * TRIM_ABOVE) {
        this.#quotes.put(side, levels.ticksAt(levels.count - 1), 0);
      }
      if (levels.count < this.profile.levels * DEEPEN_BELOW) this.#deepen(side, levels.count + DEEPEN_LEVELS);
    }
  }

  /** Adds levels at the far end until there are `count`, as far as prices above zero allow. */
  #deepen(side: 'bid' | 'ask', count: number): void {
    const levels = this.#quotes.side(side);
    for (let missing = count - levels.count; missing > 0; missing--) this.#extend(side);
  }
}
