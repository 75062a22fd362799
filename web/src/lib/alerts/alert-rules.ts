import {
  DepthwireError,
  parseLots,
  parseTicks,
  type Instrument,
  type MergedTrades,
  type OrderBook,
  type Ticker,
  type Trade,
} from '@depthwire/shared';
import { reasonText } from '../format/codes.ts';
import { percentText } from '../format/locale.ts';
import { formatBps, formatPercent } from '../format/number.ts';
import { formatPrice } from '../format/price.ts';
import { formatSize } from '../format/size.ts';
import { exactSize } from '../format/size-format.ts';
import { formatAge } from '../format/time.ts';
import { m } from '../paraglide/messages.js';
import type { Condition, ConditionOf } from './alert-model.ts';
import { halfTick, hasMoved, hundredths, isSpreadAbove, restingWithin, ValueLimit } from './exact.ts';
import { PriceWindow } from './moves.ts';

export type Topic = 'book' | 'trades' | 'ticker' | 'status';

/** What is known of a market now. What a rule did not ask for is null. */
export interface MarketView {
  /** By the market's clock. */
  readonly timeMs: number;
  /** Whether what the rule looks at is in sequence and fresh. */
  readonly isLive: boolean;
  readonly ticker: Ticker | null;
  readonly book: OrderBook | null;
  /** Levels a side that the book has at most; 0 for all. */
  readonly heldLevels: number;
  readonly trades: NewTrades | null;
  /** For how long the book has not been live; null while it is. */
  readonly notLiveMs: number | null;
  readonly reason: string | null;
}

/** The trades since the last look, oldest first. */
export interface NewTrades {
  readonly fresh: readonly Trade[];
  /** Of trades that came as sums alone. */
  readonly merged: Pick<MergedTrades, 'low' | 'high' | 'missed'> | null;
  /** The newest of all, also where none is new. */
  readonly newest: Trade | null;
}

/** What made an alert go off. */
export interface Sighting {
  /** For people. */
  readonly value: string;
  /** It is the first value after a time without live data. */
  readonly afterGap: boolean;
}

/** What has to be followed. The state of the last of them says whether the market is live. */
export function topicsOf(condition: Condition): readonly Topic[] {
  switch (condition.kind) {
    case 'price':
      // Every trade is looked at; a ticker has only the last one of a tenth of a second.
      return condition.of === 'last' ? ['trades', 'status'] : ['ticker'];
    case 'spread':
    case 'move':
      return ['ticker'];
    case 'imbalance':
      return ['book'];
    case 'trade':
      return ['trades'];
    case 'stale':
      return ['status'];
  }
}

/** An event (a price crosses, a trade is made) is sighted when it happens; a state at each look while it lasts. */
export function isEvent({ kind }: Condition): boolean {
  return kind === 'price' || kind === 'trade';
}

/** The condition of one alert, with what it remembers of the market. */
export interface Rule {
  /** @returns what was sighted; null where nothing was, undefined where there was nothing to look at */
  look(view: MarketView): Sighting | null | undefined;
  /** In how many milliseconds to look again though nothing changes; null where that is of no use. */
  dueMs(view: MarketView): number | null;
  /** Whether the book held is too shallow to tell. */
  readonly wantsDeeper: boolean;
}

/** @throws DepthwireError `invalid_decimal`, `off_grid` or `out_of_range` where the instrument has no such price or size */
export function ruleOf(condition: Condition, instrument: Instrument): Rule {
  switch (condition.kind) {
    case 'price':
      return new PriceRule(condition, instrument);
    case 'spread':
      return new SpreadRule(condition, instrument);
    case 'imbalance':
      return new ImbalanceRule(condition);
    case 'trade':
      return new TradeRule(condition, instrument);
    case 'stale':
      return new StaleRule(condition);
    case 'move':
      return new MoveRule(condition, instrument);
  }
}

abstract class LiveRule implements Rule {
  wantsDeeper = false;
  /** A value was seen, and then there was a time without live data. */
  #isGap = false;
  #hasSeen = false;

  look(view: MarketView): Sighting | null | undefined {
    if (!view.isLive) {
      this.#isGap ||= this.#hasSeen;
      return undefined;
    }
    const value = this.see(view, this.#isGap);
    if (value === undefined) return undefined;
    const afterGap = this.#isGap;
    this.#isGap = false;
    this.#hasSeen = true;
    return value === null ? null : { value, afterGap };
  }

  dueMs(_view: MarketView): number | null {
    return null;
  }

  /** @returns the value where the condition is met, null where it is not, undefined where there is no value to see */
  protected abstract see(view: MarketView, isGap: boolean): string | null | undefined;
}

/**
 * A price crosses a level upwards where it is at the level or above, and the value before was below; downwards
 * likewise. There is always a value before: the first one crosses nothing. Of a time without live data the
 * value before is the last one seen until then.
 */
class PriceRule extends LiveRule {
  readonly #condition: ConditionOf<'price'>;
  readonly #scale: Instrument['tick'];
  readonly #level: number;
  #before: number | null = null;

  constructor(condition: ConditionOf<'price'>, { tick }: Instrument) {
    super();
    this.#condition = condition;
    this.#scale = condition.of === 'mid' ? halfTick(tick) : tick;
    this.#level = parseTicks(condition.level, this.#scale);
  }

  protected see(view: MarketView, isGap: boolean): string | null | undefined {
    if (this.#condition.of !== 'last') {
      const value = this.#quote(view.ticker);
      return value === null ? undefined : this.#take(value);
    }
    const { trades } = view;
    if (!trades?.newest) return undefined;
    if (this.#before === null || isGap) return this.#take(trades.newest.price);
    const merged = this.#takeMerged(trades.merged);
    const each = trades.fresh.map(({ price }) => this.#take(price));
    return merged ?? each.find((value) => value !== null) ?? null;
  }

  #quote(ticker: Ticker | null): number | null {
    const bid = ticker?.bid ?? null;
    const ask = ticker?.ask ?? null;
    if (this.#condition.of === 'bid') return bid;
    if (this.#condition.of === 'ask') return ask;
    if (bid === null || ask === null) return null;
    // The mid in half ticks.
    return bid + ask;
  }

  #take(value: number): string | null {
    const hasCrossed = this.#before !== null && this.#crosses(this.#before, value);
    this.#before = value;
    return hasCrossed ? formatPrice(value, this.#scale) : null;
  }

  /** In which order the lowest and the highest of them came is not known: each is held against what was before. */
  #takeMerged(merged: NewTrades['merged']): string | null {
    if (merged === null || merged.missed === 0 || this.#before === null) return null;
    const crossed = [merged.high, merged.low].find((value) => this.#crosses(this.#before!, value));
    return crossed === undefined ? null : formatPrice(crossed, this.#scale);
  }

  #crosses(before: number, value: number): boolean {
    const { way } = this.#condition;
    const isUp = before < this.#level && value >= this.#level;
    const isDown = before > this.#level && value <= this.#level;
    return (isUp && way !== 'below') || (isDown && way !== 'above');
  }
}

class SpreadRule extends LiveRule {
  readonly #condition: ConditionOf<'spread'>;
  readonly #instrument: Instrument;

  constructor(condition: ConditionOf<'spread'>, instrument: Instrument) {
    super();
    this.#condition = condition;
    this.#instrument = instrument;
  }

  protected see({ ticker }: MarketView): string | null | undefined {
    const bid = ticker?.bid ?? null;
    const ask = ticker?.ask ?? null;
    if (bid === null || ask === null) return undefined;
    const { unit, above } = this.#condition;
    const isWide = unit === 'ticks' ? ask - bid > above : isSpreadAbove(bid, ask, hundredths(above));
    if (!isWide) return null;
    const bps = ((ask - bid) / (bid + ask)) * 20_000;
    const ticks = m.ticks({ count: ask - bid });
    return unit === 'ticks'
      ? m.seen_spread_ticks({ ticks, price: formatPrice(ask - bid, this.#instrument.tick) })
      : m.seen_spread_bps({ bps: formatBps(bps), ticks });
  }
}

class ImbalanceRule extends LiveRule {
  readonly #condition: ConditionOf<'imbalance'>;
  readonly #limit: bigint;

  constructor(condition: ConditionOf<'imbalance'>) {
    super();
    this.#condition = condition;
    this.#limit = hundredths(condition.share);
  }

  protected see({ book, heldLevels }: MarketView): string | null | undefined {
    const { unit, reach, way } = this.#condition;
    const resting = book && restingWithin(book, unit, reach, heldLevels);
    this.wantsDeeper = resting !== null && !resting.isWhole;
    if (!resting?.isWhole) return undefined;
    const all = resting.bids + resting.asks;
    const [share, limit] = [resting.bids * 10_000n, this.#limit * all];
    if (way === 'above' ? share <= limit : share >= limit) return null;
    const bids = (Number((resting.bids * 100_000n) / all) / 1000).toFixed(1);
    return m.seen_imbalance({ share: percentText(bids) });
  }
}

/** One trade alone: those that a slow connection had merged are not known one by one. */
class TradeRule implements Rule {
  readonly wantsDeeper = false;
  readonly #instrument: Instrument;
  readonly #isLarge: (trade: Trade) => boolean;

  constructor({ unit, atLeast }: ConditionOf<'trade'>, instrument: Instrument) {
    this.#instrument = instrument;
    if (unit === 'base') {
      const lots = parseLots(atLeast, instrument.lot);
      this.#isLarge = ({ size }) => size >= lots;
    } else {
      const limit = new ValueLimit(atLeast, instrument);
      this.#isLarge = (trade) => limit.isReached(trade);
    }
  }

  /** A trade is news, whatever the state of the book. */
  look({ trades }: MarketView): Sighting | null {
    const trade = trades?.fresh.find(this.#isLarge);
    if (!trade) return null;
    const { tick, lot, base } = this.#instrument;
    const size = formatSize(trade.size, lot, exactSize(lot));
    const price = formatPrice(trade.price, tick);
    return { value: m.seen_trade({ side: trade.side, size, base, price }), afterGap: false };
  }

  dueMs(): number | null {
    return null;
  }
}

class StaleRule implements Rule {
  readonly wantsDeeper = false;
  readonly #limitMs: number;

  constructor({ seconds }: ConditionOf<'stale'>) {
    this.#limitMs = seconds * 1000;
  }

  look({ notLiveMs, reason }: MarketView): Sighting | null {
    if (notLiveMs === null || notLiveMs <= this.#limitMs) return null;
    const age = formatAge(notLiveMs);
    const value = reason ? m.seen_stale_because({ age, reason: reasonText(reason) }) : m.seen_stale({ age });
    return { value, afterGap: false };
  }

  dueMs({ notLiveMs }: MarketView): number | null {
    return notLiveMs === null || notLiveMs > this.#limitMs ? null : this.#limitMs - notLiveMs + 1;
  }
}

/** From the lowest, or the highest, last price within the minutes until now. */
class MoveRule extends LiveRule {
  readonly #condition: ConditionOf<'move'>;
  readonly #tick: Instrument['tick'];
  readonly #limit: bigint;
  readonly #window: PriceWindow;

  constructor(condition: ConditionOf<'move'>, { tick }: Instrument) {
    super();
    this.#condition = condition;
    this.#tick = tick;
    this.#limit = hundredths(condition.percent);
    this.#window = new PriceWindow(condition.minutes);
  }

  protected see({ ticker, timeMs }: MarketView): string | null | undefined {
    const last = ticker?.last ?? null;
    if (last === null) return undefined;
    this.#window.add(timeMs, last);
    const { way } = this.#condition;
    const from = [way === 'down' ? null : this.#window.low, way === 'up' ? null : this.#window.high].find(
      (price) => price !== null && hasMoved(price, last, this.#limit),
    );
    if (from == null) return null;
    return m.seen_move({
      change: formatPercent(last / from - 1),
      from: formatPrice(from, this.#tick),
      to: formatPrice(last, this.#tick),
    });
  }
}

/** When an alert that may repeat goes off again. */
export class Trigger {
  readonly #isEvent: boolean;
  readonly #pauseMs: number;
  #firedAtMs: number | null;
  /** Of a state that lasts: it was told already. */
  #isTold = false;

  constructor(isEvent: boolean, pauseMs: number, firedAtMs: number | null) {
    this.#isEvent = isEvent;
    this.#pauseMs = pauseMs;
    this.#firedAtMs = firedAtMs;
  }

  /**
   * An event within the pause is let go. A state is told once each time it comes about; where that was within
   * the pause, after it, if it still lasts.
   */
  take(isSighted: boolean, nowMs: number): boolean {
    if (!isSighted) {
      this.#isTold = false;
      return false;
    }
    if (this.#isTold || this.restMs(nowMs) > 0) return false;
    this.#isTold = !this.#isEvent;
    this.#firedAtMs = nowMs;
    return true;
  }

  /** What is left of the pause. */
  restMs(nowMs: number): number {
    // A clock that was set back must not make the pause longer.
    if (this.#firedAtMs === null || nowMs < this.#firedAtMs) return 0;
    return Math.max(0, this.#firedAtMs + this.#pauseMs - nowMs);
  }
}

/** What is wrong with a condition for an instrument; null where nothing is. */
export function mismatch(condition: Condition, instrument: Instrument): string | null {
  try {
    ruleOf(condition, instrument);
    return null;
  } catch (error) {
    if (error instanceof DepthwireError) return error.message;
    throw error;
  }
}
