import {
  bookStates,
  candleIntervals,
  DepthwireError,
  every,
  isInstrumentId,
  type BookState,
  type BookStatusEvent,
  type Candle,
  type CandleInterval,
  type Clock,
  type FeedEvent,
  type Instrument,
  type InstrumentId,
  type Timer,
  type TradeEvent,
} from '@depthwire/shared';
import type { Feed, FeedLog } from '@depthwire/feeds';
import type { Bus } from '../bus/bus.ts';
import { Market, type MarketView } from './market.ts';

/** How often silence and crossed books are looked for. */
const WATCH_PERIOD_MS = 1_000;
/** A book crossed for longer is taken anew. */
const MAX_CROSSED_MS = 1_000;
/** Candles of the past taken over at the start; older ones are asked for when somebody looks at them. */
const SEED_CANDLES = 500;
/** One-minute candles feed the 24 h statistics. */
const DAY_MINUTES = 1_440;
/** Instruments of one process. */
const MAX_INSTRUMENTS = 10_000;

export interface EngineOptions {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly log: FeedLog;
}

/** What a feed has done since it started. */
export interface FeedCounters {
  events: number;
  /** Events the engine could not accept. */
  refused: number;
}

/** Feed events in, markets and market events out. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #markets = new Map<InstrumentId, Market>();
  readonly #owners = new Map<InstrumentId, Feed>();
  readonly #feeds = new Map<Feed, FeedCounters>();
  readonly #watch: Timer;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#watch = every(options.clock, WATCH_PERIOD_MS, () => this.#lookForTrouble());
  }

  get markets(): ReadonlyMap<InstrumentId, MarketView> {
    return this.#markets;
  }

  get feeds(): ReadonlyMap<Feed, Readonly<FeedCounters>> {
    return this.#feeds;
  }

  /** How many books are in each state, of all feeds or of one. */
  countBooks(feed?: Feed): Record<BookState, number> {
    const count: Record<BookState, number> = { syncing: 0, live: 0, stale: 0, recovering: 0 };
    for (const [id, { state }] of this.#markets) {
      if (feed === undefined || this.#owners.get(id) === feed) count[state] += 1;
    }
    return count;
  }

  /**
   * Starts a feed and takes its events; resolves once its history is loaded.
   * @throws DepthwireError when the feed cannot start; other feeds are not affected
   */
  async addFeed(feed: Feed): Promise<void> {
    const counters: FeedCounters = { events: 0, refused: 0 };
    this.#feeds.set(feed, counters);
    const { clock, log } = this.#options;
    await feed.start({
      clock,
      log,
      emit: (event) => {
        counters.events += 1;
        try {
          this.#accept(feed, event);
        } catch (error) {
          if (!(error instanceof DepthwireError)) throw error;
          counters.refused += 1;
          log.error({ feed: feed.id, code: error.code, reason: error.message }, 'event refused');
          this.#onRefused(feed, event, error);
        }
      },
    });
    await this.#seedHistory(feed);
  }

  async stop(): Promise<void> {
    this.#watch.cancel();
    await Promise.all([...this.#feeds.keys()].map((feed) => feed.stop()));
  }

  /**
   * Candles from memory, and from the feed where they are older.
   * @param beforeS exclusive open time, unix seconds
   * @throws DepthwireError `unknown_instrument`
   */
  async candles(
    id: InstrumentId,
    interval: CandleInterval,
    limit: number,
    beforeS: number = Infinity,
  ): Promise<Candle[]> {
    const market = this.#market(id);
    const kept = market.candles(interval).latest(limit, beforeS);
    const feed = this.#owners.get(id);
    if (kept.length >= limit || !feed?.candles) return kept;
    const seconds = candleIntervals[interval];
    const endS =
      kept[0]?.time ?? Math.min(beforeS, Math.floor(this.#options.clock.now() / 1000 / seconds) * seconds);
    const missing = limit - kept.length;
    const older = await feed.candles({
      instrument: id,
      interval,
      fromS: endS - missing * seconds,
      toS: endS,
    });
    return [...older.filter((candle) => candle.time < endS), ...kept];
  }

  #market(id: InstrumentId): Market {
    const market = this.#markets.get(id);
    if (!market)
      throw new DepthwireError('unknown_instrument', `no feed publishes ${id}`, { instrument: id });
    return market;
  }

  #accept(feed: Feed, event: FeedEvent): void {
    if (event.type === 'instrument') {
      this.#acceptInstrument(feed, event.instrument);
      return;
    }
    const market = this.#markets.get(event.instrument);
    if (!market || this.#owners.get(event.instrument) !== feed) {
      throw new DepthwireError(
        'invalid_event',
        `${feed.id} sent ${event.type} of ${String(event.instrument)}, which it has not announced`,
      );
    }
    const { bus, clock } = this.#options;
    switch (event.type) {
      case 'book-snapshot':
      case 'book-delta': {
        assertTimes(event);
        market.applyBook(event);
        const { instrument, receiveTimeMs, venueTimeMs, bids, asks } = event;
        // The state is settled before anybody reads the levels: nobody sees a crossed book as live.
        const hasNewState = market.settleState(clock.now());
        bus.publish({
          type: event.type,
          instrument,
          sequence: market.book.sequence,
          receiveTimeMs,
          venueTimeMs,
          bids,
          asks,
        });
        if (hasNewState) this.#publishState(market);
        return;
      }
      case 'trade':
        assertTimes(event);
        assertTrade(event);
        bus.publish({ type: 'trade', instrument: event.instrument, trade: market.applyTrade(event) });
        return;
      case 'ticker':
        assertTimes(event);
        market.applyTicker(event);
        return;
      case 'book-status':
        assertStatus(event);
        market.setFeedState(event.state, event.reason);
        market.watchSilence(clock.now());
        this.#settle(market);
        return;
      default:
        throw new DepthwireError(
          'invalid_event',
          `${feed.id} sent an event of unknown type ${String((event as { type: unknown }).type)}`,
        );
    }
  }

  /** A book that misses an update is wrong: it is not live until the feed has taken it anew. */
  #onRefused(feed: Feed, event: FeedEvent, error: DepthwireError): void {
    if (event?.type !== 'book-delta' && event?.type !== 'book-snapshot') return;
    const market = this.#markets.get(event.instrument);
    if (!market || this.#owners.get(event.instrument) !== feed) return;
    const reason = `an update was refused: ${error.message}`;
    market.breach(reason);
    this.#settle(market);
    feed.resync?.(event.instrument, reason);
  }

  #acceptInstrument(feed: Feed, instrument: Instrument): void {
    const { bus, clock } = this.#options;
    if (!isInstrumentId(instrument?.id)) {
      throw new DepthwireError(
        'invalid_event',
        `${feed.id}: instrument id: expected VENUE:BASE-QUOTE, got ${String(instrument?.id)}`,
      );
    }
    const owner = this.#owners.get(instrument.id);
    if (owner && owner !== feed) {
      throw new DepthwireError(
        'invalid_event',
        `${feed.id}: ${instrument.id} is already published by ${owner.id}`,
      );
    }
    const market = this.#markets.get(instrument.id);
    // Ticks of another scale cannot be compared: book, tape and candles begin anew.
    const isRescaled = market !== undefined && !hasSameScales(market.instrument, instrument);
    if (market && !isRescaled) {
      market.instrument = instrument;
    } else {
      if (!market && this.#markets.size >= MAX_INSTRUMENTS) {
        throw new DepthwireError(
          'invalid_event',
          `${feed.id}: ${instrument.id} is past the limit of ${MAX_INSTRUMENTS} instruments`,
        );
      }
      this.#markets.set(instrument.id, new Market(instrument, clock.now()));
      this.#owners.set(instrument.id, feed);
    }
    bus.publish({ type: 'instrument', instrument: instrument.id, isRescaled });
    const current = this.#markets.get(instrument.id)!;
    if (isRescaled) this.#publishState(current);
    this.#settle(current);
  }

  #settle(market: Market): void {
    if (market.settleState(this.#options.clock.now())) this.#publishState(market);
  }

  #publishState(market: Market): void {
    const { state, reason } = market;
    this.#options.bus.publish({ type: 'book-state', instrument: market.instrument.id, state, reason });
  }

  #lookForTrouble(): void {
    const now = this.#options.clock.now();
    for (const market of this.#markets.values()) {
      market.watchSilence(now);
      this.#settle(market);
      if (market.crossedSinceMs !== null && now - market.crossedSinceMs > MAX_CROSSED_MS) {
        const { id } = market.instrument;
        market.crossedSinceMs = now;
        this.#options.log.warn({ instrument: id }, 'book crossed for over a second, resyncing');
        this.#owners.get(id)?.resync?.(id, 'the book was crossed for over a second');
      }
    }
  }

  async #seedHistory(feed: Feed): Promise<void> {
    if (!feed.candles) return;
    const nowS = this.#options.clock.now() / 1000;
    for (const [id, market] of this.#markets) {
      if (this.#owners.get(id) !== feed) continue;
      for (const [interval, seconds] of Object.entries(candleIntervals) as [CandleInterval, number][]) {
        const toS = Math.ceil(nowS / seconds) * seconds;
        const count = interval === '1m' ? DAY_MINUTES : SEED_CANDLES;
        const history = await feed.candles({ instrument: id, interval, fromS: toS - count * seconds, toS });
        market.seedCandles(interval, history);
      }
    }
  }
}

function hasSameScales(a: Instrument, b: Instrument): boolean {
  return (['tick', 'lot'] as const).every(
    (key) => a[key].units === b[key].units && a[key].decimals === b[key].decimals,
  );
}

function assertTimes(event: { receiveTimeMs: number; venueTimeMs: number | null }): void {
  if (
    !Number.isFinite(event.receiveTimeMs) ||
    !(event.venueTimeMs === null || Number.isFinite(event.venueTimeMs))
  ) {
    throw new DepthwireError('invalid_event', 'receiveTimeMs and venueTimeMs: expected unix milliseconds');
  }
}

function assertTrade(event: TradeEvent): void {
  const isId = typeof event.id === 'string' ? event.id.length <= 64 : Number.isSafeInteger(event.id);
  if (!isId || !Number.isSafeInteger(event.price) || !Number.isSafeInteger(event.size) || event.size <= 0) {
    throw new DepthwireError('invalid_event', 'trade: expected an id, whole ticks and whole lots above zero');
  }
  if (event.side !== 'buy' && event.side !== 'sell')
    throw new DepthwireError('invalid_event', 'trade: side: expected buy or sell');
}

function assertStatus(event: BookStatusEvent): void {
  if (!bookStates.includes(event.state)) {
    throw new DepthwireError(
      'invalid_event',
      `book-status: state: expected ${bookStates.join(', ')}, got ${String(event.state)}`,
    );
  }
}
