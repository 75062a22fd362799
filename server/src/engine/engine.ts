import {
  candleIntervals,
  DepthwireError,
  every,
  toDepthwireError,
  type BookState,
  type Candle,
  type CandleInterval,
  type Clock,
  type FeedEvent,
  type Instrument,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import type { CandleQuery, Feed, FeedLog } from '@depthwire/feeds';
import type { Bus } from '../bus/bus.ts';
import { checkedInstrument, checkEvent } from './event-checks.ts';
import { FeedQuality } from './feed-quality.ts';
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
/** Levels of one side; no venue's book has so many. */
const MAX_BOOK_LEVELS = 250_000;

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
  readonly quality: FeedQuality;
}

/** Feed events in, markets and market events out. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #markets = new Map<InstrumentId, Market>();
  readonly #owners = new Map<InstrumentId, Feed>();
  readonly #feeds = new Map<Feed, FeedCounters>();
  /** Whose history was taken over: once is enough, however often their feed is started. */
  readonly #seeded = new WeakSet<Market>();
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
    for (const { state } of feed ? this.marketsOf(feed) : this.#markets.values()) count[state] += 1;
    return count;
  }

  marketsOf(feed: Feed): MarketView[] {
    return [...this.#markets].filter(([id]) => this.#owners.get(id) === feed).map(([, market]) => market);
  }

  /**
   * Starts a feed and takes its events; resolves once its history is loaded.
   * @param onRefused told of each event that could not be accepted
   * @throws DepthwireError when the feed cannot start; other feeds are not affected
   */
  async addFeed(feed: Feed, onRefused: (error: DepthwireError) => void = () => {}): Promise<void> {
    const counters: FeedCounters = { events: 0, refused: 0, quality: new FeedQuality() };
    this.#feeds.set(feed, counters);
    const { clock, log } = this.#options;
    await feed.start({
      clock,
      log,
      emit: (event) => {
        counters.events += 1;
        try {
          this.#accept(feed, event);
          counters.quality.event(latencyOf(event));
        } catch (error) {
          if (!(error instanceof DepthwireError)) throw error;
          counters.refused += 1;
          log.error({ feed: feed.id, code: error.code, reason: error.message }, 'event refused');
          onRefused(error);
          this.#onRefused(feed, event, error);
        }
      },
      fail(error) {
        throw error; // nobody watches over this feed
      },
    });
    await this.#seedHistory(feed);
  }

  /**
   * The feed is gone, or brings these books no more; where they come again, they count from a snapshot on.
   * @param except instruments that it goes on to bring
   */
  loseBooks(
    feed: Feed,
    state: 'recovering' | 'stale',
    reason: string,
    except: ReadonlySet<InstrumentId> = new Set(),
  ): void {
    for (const [id, market] of this.#markets) {
      if (this.#owners.get(id) !== feed || except.has(id)) continue;
      market.setFeedState(state, reason);
      market.breach(reason);
      this.#settle(market);
    }
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
    const older = await this.#history(feed, {
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
    checkEvent(event);
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
        market.applyBook(event);
        if (Math.max(market.book.bids.count, market.book.asks.count) > MAX_BOOK_LEVELS) {
          market.book.clear();
          throw new DepthwireError('invalid_event', `the book has over ${MAX_BOOK_LEVELS} levels a side`);
        }
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
        bus.publish({ type: 'trade', instrument: event.instrument, trade: market.applyTrade(event) });
        return;
      case 'ticker':
        market.applyTicker(event);
        return;
      case 'book-status':
        market.setFeedState(event.state, event.reason);
        market.watchSilence(clock.now());
        this.#settle(market);
        return;
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

  #acceptInstrument(feed: Feed, told: Instrument): void {
    const { bus, clock } = this.#options;
    const instrument = checkedInstrument(told);
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

  /** How old the newest update of each of a feed's books is, milliseconds. */
  *#agesOf(feed: Feed, nowMs: number): Generator<number> {
    for (const { receiveTimeMs } of this.marketsOf(feed)) {
      if (receiveTimeMs !== null) yield nowMs - receiveTimeMs;
    }
  }

  #lookForTrouble(): void {
    const now = this.#options.clock.now();
    for (const [feed, { quality }] of this.#feeds) quality.tick(this.#agesOf(feed, now));
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
      if (this.#owners.get(id) !== feed || this.#seeded.has(market)) continue;
      this.#seeded.add(market);
      for (const [interval, seconds] of Object.entries(candleIntervals) as [CandleInterval, number][]) {
        const toS = Math.ceil(nowS / seconds) * seconds;
        const count = interval === '1m' ? DAY_MINUTES : SEED_CANDLES;
        const fromS = toS - count * seconds;
        market.seedCandles(interval, await this.#history(feed, { instrument: id, interval, fromS, toS }));
      }
    }
  }

  /** A feed's candles of the past; none where it cannot tell them now: that keeps nobody from its live data. */
  async #history(feed: Feed, query: CandleQuery): Promise<readonly Candle[]> {
    try {
      return (await feed.candles?.(query)) ?? [];
    } catch (error) {
      const { code, message } = toDepthwireError(error);
      const { instrument, interval } = query;
      this.#options.log.warn({ feed: feed.id, instrument, interval, code, reason: message }, 'no candles');
      return [];
    }
  }
}

/** From the venue's time to the receive time, where the event tells both. */
function latencyOf(event: FeedEvent): number | null {
  if (event.type === 'instrument' || event.type === 'book-status' || event.venueTimeMs === null) return null;
  return event.receiveTimeMs - event.venueTimeMs;
}

function hasSameScales(a: Instrument, b: Instrument): boolean {
  return (['tick', 'lot'] as const).every(
    (key) => a[key].units === b[key].units && a[key].decimals === b[key].decimals,
  );
}
