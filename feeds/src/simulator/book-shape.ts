import type { MarketProfile } from './profiles.ts';
import type { Random } from './random.ts';

/**
 * Resting size rises from the touch to a maximum some levels behind it and then falls off slowly
 * (Bouchaud, Mézard and Potters 2002; Zovko and Farmer 2002 on where limit orders are placed).
 */
const TOUCH_SHARE = 0.45;
const RISE_LEVELS = 6;
const FALL_LEVELS = 70;
const FALL_EXPONENT = 0.5;
/** Orders wait at round prices: size there as a multiple of the usual. */
const WALL_SIZE = 9;
const HALF_WALL_SIZE = 3.5;
const SMALL_WALL_SIZE = 1.7;

/** Tail of the distance of new orders behind the touch, in levels. */
const PLACEMENT_SCALE = 2.5;
const PLACEMENT_TAIL = 0.8;
const LEVEL_SIZE_SIGMA = 0.8;
/** Size of a limit order against that of its level. */
const QUOTE_SHARE = 0.35;
/** Body and tail of order sizes; the tail of traded sizes is a power law of about 1.5. */
const ORDER_SIZE_SIGMA = 1;
const BLOCK_CHANCE = 0.02;
const BLOCK_TAIL = 1.6;
const MAX_BLOCK = 60;
/** Mean of `orderLots` against the profile's, so that it can be divided out. */
const BLOCK_MEAN = 1 + BLOCK_CHANCE * 4 * (1 / (BLOCK_TAIL - 1));

/** The far end of a book is this much sparser than the touch. */
const GAP_WIDENING = 4;
/** Share of empty ticks at the far end of a book that has none at the touch. */
const MAX_HOLE_CHANCE = 0.3;
/** Neighbouring levels further apart than this many usual gaps are a hole. */
const HOLE_GAPS = 2.5;
/** Levels closer than this share of the usual gap mostly merge. */
const JOIN_GAPS = 0.7;
const JOIN_CHANCE = 0.85;
const HOLE_DENSE_TICKS = 2;

const ROUND_SIZE_CHANCE = 0.45;
const ROUND_LOT = 100;
const ROUND_LOT_CHANCE = 0.5;
const ROUND_PRICE_CHANCE = 0.04;
const CLUSTER_PRICE_CHANCE = 0.45;

/** Where and how large the resting orders of one market are. */
export class BookShape {
  readonly #profile: MarketProfile;
  readonly #random: Random;
  /** Prices that people prefer where the tick is finer than they care for. */
  readonly #clusterTicks: number;

  constructor(profile: MarketProfile, random: Random) {
    this.#profile = profile;
    this.#random = random;
    this.#clusterTicks = 10 ** Math.floor(Math.log10(profile.gapTicks));
  }

  /** Mean size resting at a price that is `distanceTicks` behind the touch. */
  meanLots(ticks: number, distanceTicks: number): number {
    const { levelLots, gapTicks, roundTicks } = this.#profile;
    const levels = Math.max(0, distanceTicks) / gapTicks;
    const rise = TOUCH_SHARE + (1 - TOUCH_SHARE) * (1 - Math.exp(-levels / RISE_LEVELS));
    const fall = (1 + levels / FALL_LEVELS) ** -FALL_EXPONENT;
    let wall = 1;
    if (ticks % roundTicks === 0) wall = WALL_SIZE;
    else if ((ticks * 2) % roundTicks === 0) wall = HALF_WALL_SIZE;
    else if ((ticks * 10) % roundTicks === 0) wall = SMALL_WALL_SIZE;
    return levelLots * rise * fall * wall;
  }

  /** Size of a level that appears. */
  levelLots(ticks: number, distanceTicks: number): number {
    return this.#round(this.meanLots(ticks, distanceTicks) * this.#random.logNormal(LEVEL_SIZE_SIGMA));
  }

  /** Size of one limit order or cancellation at a level of the given mean size. */
  quoteLots(meanLots: number): number {
    return this.#round(QUOTE_SHARE * meanLots * this.#random.logNormal(ORDER_SIZE_SIGMA));
  }

  /** Size of one market order with the given mean: log-normal, now and then a block. */
  orderLots(meanLots: number): number {
    let size = (meanLots / BLOCK_MEAN) * this.#random.logNormal(ORDER_SIZE_SIGMA);
    if (this.#random.chance(BLOCK_CHANCE)) {
      size += (meanLots / BLOCK_MEAN) * Math.min(MAX_BLOCK, 4 * this.#random.lomax(BLOCK_TAIL));
    }
    return this.#round(size);
  }

  /** Distance of a new order behind the touch, in ticks, 0 being at it. */
  placementTicks(): number {
    const { gapTicks, levels } = this.#profile;
    let distance = PLACEMENT_SCALE * this.#random.lomax(PLACEMENT_TAIL);
    if (distance > levels) distance = levels * this.#random.uniform();
    return Math.floor(distance * gapTicks);
  }

  /** Rank of the level that a change hits; most changes are near the touch. */
  rank(count: number): number {
    const rank = Math.floor(PLACEMENT_SCALE * this.#random.lomax(PLACEMENT_TAIL));
    return rank < count ? rank : Math.floor(count * this.#random.uniform());
  }

  /** Whether a level this near to another one would rather join it. */
  joins(distanceTicks: number): boolean {
    return distanceTicks < JOIN_GAPS * this.#profile.gapTicks && this.#random.chance(JOIN_CHANCE);
  }

  /** A price within the hole between two levels; null when they are not far apart. */
  ticksInHole(nearTicks: number, farTicks: number): number | null {
    const { gapTicks } = this.#profile;
    const distance = Math.abs(farTicks - nearTicks);
    if (distance < (gapTicks < 2 ? HOLE_DENSE_TICKS : HOLE_GAPS * gapTicks)) return null;
    return (
      nearTicks + Math.sign(farTicks - nearTicks) * (1 + Math.floor((distance - 1) * this.#random.uniform()))
    );
  }

  /** Moves a price away from the touch to one that people prefer, at times. */
  preferredTicks(ticks: number, side: 'bid' | 'ask'): number {
    const { roundTicks } = this.#profile;
    let step = 1;
    if (this.#random.chance(ROUND_PRICE_CHANCE)) step = roundTicks / (this.#random.chance(0.5) ? 1 : 10);
    else if (this.#clusterTicks > 1 && this.#random.chance(CLUSTER_PRICE_CHANCE)) step = this.#clusterTicks;
    if (step <= 1 || !Number.isInteger(step)) return ticks;
    return (side === 'bid' ? Math.floor(ticks / step) : Math.ceil(ticks / step)) * step;
  }

  /** Ticks from one level of a fresh book to the next; wider where the book is thin. */
  nextGapTicks(rank: number): number {
    const { gapTicks, levels } = this.#profile;
    const depth = rank / levels;
    if (gapTicks < 2) return this.#random.chance(MAX_HOLE_CHANCE * depth + (gapTicks - 1) / 2) ? 2 : 1;
    const widening = 1 + GAP_WIDENING * depth;
    return Math.max(1, Math.round(gapTicks * widening * this.#random.exponential()));
  }

  /** Whole lots, at least one, often in a round number of them. */
  #round(size: number): number {
    const lots = Math.max(1, Math.round(size));
    if (lots < 10) return lots;
    if (this.#profile.instrument.kind === 'equity') {
      if (lots < ROUND_LOT / 2 || !this.#random.chance(ROUND_LOT_CHANCE)) return lots;
      return Math.max(ROUND_LOT, Math.round(lots / ROUND_LOT) * ROUND_LOT);
    }
    if (!this.#random.chance(ROUND_SIZE_CHANCE)) return lots;
    const unit = 10 ** Math.floor(Math.log10(lots));
    const digit = lots / unit;
    if (digit < 3) return Math.round(digit * 2) * (unit / 2);
    return Math.round(digit) * unit;
  }
}
