import {
  DepthwireError,
  every,
  hasSameScales,
  type BookState,
  type Clock,
  type FeedEvent,
  type Instrument,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import type { Feed, FeedContext, FeedLog } from '@depthwire/feeds';
import type { Bus } from '../bus/bus.ts';
import { readEvent, type RefusedEvent } from './event-checks.ts';
import { FeedQuality } from './feed-quality.ts';
import { Market, type MarketView } from './market.ts';

/** Less is the correction of a clock, not its being set, milliseconds. */
const MIN_STEP_MS = 100;
/** How often silence and crossed books are looked for. */
const WATCH_PERIOD_MS = 1_000;
/** A book crossed for longer is taken anew. */
const MAX_CROSSED_MS = 1_000;
/** Instruments of one process; and as many of all that is plugged in, which so keeps no other feed out. */
const MAX_INSTRUMENTS = 10_000;
/** An instrument that a plugged-in feed does not bring any more is remembered for so long. */
const FORGET_AFTER_MS = 600_000;
/** Instruments of each feed that another one has, that are told of. */
const MAX_CONFLICTS_TOLD = 20;
/** Levels of one side; no venue's book has so many. */
const MAX_BOOK_LEVELS = 250_000;

export interface EngineOptions {
  readonly clock: Clock;
  /** One that nobody sets, but as fast: tells silence from a clock that was set forward. Default: `clock`. */
  readonly steadyClock?: Clock;
  readonly bus: Bus;
  readonly log: FeedLog;
  /** Names this run of the market. Default: 0. */
  readonly epoch?: number;
  /** Gives markets that are new what is known of their past; a feed counts as started once that is done. Never rejects. */
  readonly loadPast?: (feed: Feed, markets: readonly Market[]) => Promise<void>;
}

/** What a feed has done since it started. */
export interface FeedCounters {
  events: number;
  /** Events the engine could not accept. */
  refused: number;
  readonly quality: FeedQuality;
}

export interface AddFeedOptions {
  /** Anybody's code: its instruments give way to those of a feed that Depthwire brings along. */
  readonly isPluggedIn?: boolean;
  /** Told of each event that could not be accepted, but for those of an instrument that another feed has. */
  onRefused?(error: DepthwireError): void;
}

/** What a feed gets, and a guard before it. */
export interface EngineContext extends FeedContext {
  /** Takes what `readEvent` made of an event, as `emit` does. */
  accept(read: FeedEvent | RefusedEvent): void;
}

interface FeedRecord extends FeedCounters {
  readonly feed: Feed;
  /** Whether what it announces now comes after its start. */
  isStarted: boolean;
  isPluggedIn: boolean;
  quality: FeedQuality;
  /** Those that it has, of earlier starts too. */
  readonly instruments: Set<InstrumentId>;
  /** Those of earlier starts that it has not announced since the last one. */
  gone: Set<InstrumentId>;
  /** Since when it is known that they will not come; null while it starts. */
  goneSinceMs: number | null;
  /** Instruments that it would have and another feed has, with what is said of it. */
  readonly conflicts: Map<InstrumentId, string>;
}

/** Feed events in, markets and market events out. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #markets = new Map<InstrumentId, Market>();
  readonly #owners = new Map<InstrumentId, FeedRecord>();
  readonly #feeds = new Map<Feed, FeedRecord>();
  readonly #watch: Timer;
  /** How far the clock is ahead of the steady one. */
  #aheadMs: number;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { clock, steadyClock = clock } = options;
    this.#aheadMs = clock.now() - steadyClock.now();
    this.#watch = every(options.clock, WATCH_PERIOD_MS, () => this.#lookForTrouble());
  }

  get markets(): ReadonlyMap<InstrumentId, MarketView> {
    return this.#markets;
  }

  get feeds(): ReadonlyMap<Feed, Readonly<FeedCounters>> {
    return this.#feeds;
  }

  /** The feed that an instrument is brought by; undefined where none does. */
  feedOf(id: InstrumentId): Feed | undefined {
    return this.#owners.get(id)?.feed;
  }

  /** How many books are in each state, of all feeds or of one. */
  countBooks(feed?: Feed): Record<BookState, number> {
    const count: Record<BookState, number> = { syncing: 0, live: 0, stale: 0, recovering: 0 };
    for (const { state } of feed ? this.marketsOf(feed) : this.#markets.values()) count[state] += 1;
    return count;
  }

  marketsOf(feed: Feed): readonly MarketView[] {
    const record = this.#feeds.get(feed);
    return record ? this.#marketsOf(record) : [];
  }

  /** What an operator should mend: instruments that this feed would have and another one has. */
  conflictsOf(feed: Feed): string[] {
    return [...(this.#feeds.get(feed)?.conflicts.values() ?? [])].slice(0, MAX_CONFLICTS_TOLD);
  }

  /**
   * Starts a feed and takes its events; resolves once the past of its markets is loaded.
   * @throws DepthwireError when the feed cannot start; other feeds are not affected
   */
  async addFeed(feed: Feed, { isPluggedIn = false, onRefused }: AddFeedOptions = {}): Promise<void> {
    const record = this.#begin(feed, isPluggedIn);
    const { clock, log } = this.#options;
    const refuse = (error: DepthwireError, book: InstrumentId | null) => {
      record.refused += 1;
      log.error({ feed: feed.id, code: error.code, reason: error.message }, 'event refused');
      onRefused?.(error);
      if (book !== null) this.#onMissed(record, book, error);
    };
    const accept = (read: FeedEvent | RefusedEvent) => {
      record.events += 1;
      if (read.type === 'refused') {
        refuse(read.error, read.book);
        return;
      }
      try {
        this.#accept(record, read);
      } catch (error) {
        if (!(error instanceof DepthwireError)) throw error;
        const isBook = read.type === 'book-delta' || read.type === 'book-snapshot';
        refuse(error, isBook ? read.instrument : null);
        return;
      }
      record.quality.event(latencyOf(read));
    };
    const context: EngineContext = {
      clock,
      log,
      accept,
      emit: (event) => accept(readEvent(event)),
      fail(error) {
        throw error; // nobody watches over this feed
      },
    };
    await feed.start(context);
    record.isStarted = true;
    await this.#options.loadPast?.(feed, this.#marketsOf(record));
  }

  /** The feed's start is over: what it brought before and has not announced again will not come. */
  loseGone(feed: Feed): void {
    const record = this.#feeds.get(feed);
    if (!record) return;
    record.goneSinceMs = this.#options.clock.now();
    this.#lose(record.gone, 'stale', `feed ${feed.id} does not bring it any more`);
  }

  /** The feed is gone; where its books come again, they count from a snapshot on. */
  loseBooks(feed: Feed, reason: string): void {
    this.#lose(this.#feeds.get(feed)?.instruments ?? [], 'recovering', reason);
  }

  async stop(): Promise<void> {
    this.#watch.cancel();
    await Promise.all([...this.#feeds.keys()].map((feed) => feed.stop()));
  }

  #marketsOf({ instruments }: FeedRecord): Market[] {
    return [...instruments].map((id) => this.#markets.get(id)!);
  }

  #begin(feed: Feed, isPluggedIn: boolean): FeedRecord {
    let record = this.#feeds.get(feed);
    if (!record) {
      const counters = { events: 0, refused: 0, quality: new FeedQuality() };
      const none = {
        instruments: new Set<string>(),
        gone: new Set<string>(),
        goneSinceMs: null,
        isStarted: false,
      };
      record = { feed, isPluggedIn, ...counters, ...none, conflicts: new Map() };
      this.#feeds.set(feed, record);
      return record;
    }
    record.isStarted = false;
    record.events = record.refused = 0;
    record.quality = new FeedQuality();
    record.gone = new Set(record.instruments);
    record.goneSinceMs = null;
    record.conflicts.clear();
    return record;
  }

  #lose(ids: Iterable<InstrumentId>, state: 'recovering' | 'stale', reason: string): void {
    for (const id of ids) {
      const market = this.#markets.get(id)!;
      market.setFeedState(state, reason);
      market.breach(reason);
      this.#settle(market);
    }
  }

  #accept(record: FeedRecord, event: FeedEvent): void {
    if (event.type === 'instrument') {
      this.#acceptInstrument(record, event.instrument);
      return;
    }
    const market = this.#markets.get(event.instrument);
    if (!market || this.#owners.get(event.instrument) !== record) {
      if (record.conflicts.has(event.instrument)) {
        record.refused += 1; // it has been told, and is no fault of the feed's
        return;
      }
      throw new DepthwireError(
        'invalid_event',
        `${record.feed.id} sent ${event.type} of ${event.instrument}, which it has not announced`,
      );
    }
    const { bus, clock } = this.#options;
    switch (event.type) {
      case 'book-snapshot':
      case 'book-delta': {
        const now = clock.now();
        market.applyBook(event, now);
        if (Math.max(market.book.bids.count, market.book.asks.count) > MAX_BOOK_LEVELS) {
          market.book.clear();
          throw new DepthwireError('invalid_event', `the book has over ${MAX_BOOK_LEVELS} levels a side`);
        }
        const { instrument, receiveTimeMs, venueTimeMs, bids, asks } = event;
        record.quality.taken(now - receiveTimeMs);
        // The state is settled before anybody reads the levels: nobody sees a crossed book as live.
        const hasNewState = market.settleState(now);
        bus.publish({
          type: event.type,
          instrument,
          sequence: market.book.sequence,
          receiveTimeMs,
          takenAtMs: now,
          venueTimeMs,
          bids,
          asks,
        });
        if (hasNewState) this.#publishState(market);
        return;
      }
      case 'trade': {
        const trade = market.applyTrade(event);
        if (trade) bus.publish({ type: 'trade', instrument: event.instrument, trade });
        return;
      }
      case 'ticker':
        market.applyTicker(event, clock.now());
        return;
      case 'book-status':
        market.setFeedState(event.state, event.reason);
        market.watchSilence(clock.now());
        this.#settle(market);
        return;
    }
  }

  /** A book that misses an update is wrong: it is not live until the feed has taken it anew. */
  #onMissed(record: FeedRecord, id: InstrumentId, error: DepthwireError): void {
    const market = this.#markets.get(id);
    if (!market || this.#owners.get(id) !== record) return;
    const reason = `an update was refused: ${error.message}`;
    market.breach(reason);
    this.#settle(market);
    record.feed.resync?.(id, reason);
  }

  #acceptInstrument(record: FeedRecord, instrument: Instrument): void {
    const { bus, clock } = this.#options;
    const { id } = instrument;
    const owner = this.#owners.get(id);
    if (owner && owner !== record) {
      if (record.isPluggedIn || !owner.isPluggedIn) {
        record.refused += 1;
        this.#tellConflict(record, id, `${id} is brought by feed ${owner.feed.id} already`);
        return;
      }
      this.#forget(id);
      this.#tellConflict(owner, id, `${id} is brought by feed ${record.feed.id}, which comes with Depthwire`);
    }
    record.conflicts.delete(id);
    const market = this.#markets.get(id);
    // Ticks of another scale cannot be compared: book, tape and candles begin anew. Somebody may still
    // look at what was here under this name before.
    const isRescaled = !market || !hasSameScales(market.instrument, instrument);
    if (market && !isRescaled) {
      market.instrument = instrument;
    } else {
      if (!market) this.#makeRoom(record, id);
      this.#markets.set(id, new Market(instrument, clock.now(), this.#options.epoch ?? 0, market));
      this.#owners.set(id, record);
      record.instruments.add(id);
    }
    record.gone.delete(id);
    bus.publish({ type: 'instrument', instrument: id, isRescaled });
    const current = this.#markets.get(id)!;
    if (isRescaled) this.#publishState(current);
    this.#settle(current);
    if (isRescaled && record.isStarted) void this.#options.loadPast?.(record.feed, [current]);
  }

  /** Once for each start of the feed: its events of this instrument are dropped from here on. */
  #tellConflict(record: FeedRecord, id: InstrumentId, reason: string): void {
    if (record.conflicts.has(id)) return;
    record.conflicts.set(id, reason);
    if (record.conflicts.size > MAX_CONFLICTS_TOLD) return;
    this.#options.log.error({ feed: record.feed.id, instrument: id, reason }, 'instrument of another feed');
  }

  /** @throws DepthwireError `invalid_event` where there are too many instruments */
  #makeRoom(record: FeedRecord, id: InstrumentId): void {
    const alike = [...this.#feeds.values()].filter(({ isPluggedIn }) => isPluggedIn === record.isPluggedIn);
    if (alike.reduce((count, { instruments }) => count + instruments.size, 0) < MAX_INSTRUMENTS) return;
    const [oldest] = record.isPluggedIn ? [record, ...alike].flatMap(({ gone }) => firstOf(gone)) : [];
    if (oldest === undefined) {
      throw new DepthwireError(
        'invalid_event',
        `${record.feed.id}: ${id} is past the limit of ${MAX_INSTRUMENTS} instruments`,
      );
    }
    this.#forget(oldest);
  }

  #forget(id: InstrumentId): void {
    const owner = this.#owners.get(id);
    owner?.instruments.delete(id);
    owner?.gone.delete(id);
    this.#owners.delete(id);
    this.#markets.delete(id);
  }

  #settle(market: Market): void {
    if (market.settleState(this.#options.clock.now())) this.#publishState(market);
  }

  #publishState(market: Market): void {
    const { state, reason } = market;
    this.#options.bus.publish({ type: 'book-state', instrument: market.instrument.id, state, reason });
  }

  /** How old the newest update of each of a feed's books is, milliseconds. */
  *#agesOf(record: FeedRecord, nowMs: number): Generator<number> {
    for (const id of record.instruments) {
      const { heardAtMs } = this.#markets.get(id)!;
      if (heardAtMs !== null) yield nowMs - heardAtMs;
    }
  }

  #lookForTrouble(): void {
    const { clock, steadyClock = clock } = this.#options;
    const now = clock.now();
    const aheadMs = now - steadyClock.now();
    const setForwardMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (setForwardMs > MIN_STEP_MS)
      for (const market of this.#markets.values()) market.setForward(setForwardMs);
    for (const record of this.#feeds.values()) {
      record.quality.tick(this.#agesOf(record, now));
      const { isPluggedIn, gone, goneSinceMs } = record;
      if (isPluggedIn && goneSinceMs !== null && now - goneSinceMs > FORGET_AFTER_MS)
        for (const id of gone) this.#forget(id);
    }
    for (const market of this.#markets.values()) {
      market.watchSilence(now);
      this.#settle(market);
      this.#cureSilence(market, now);
      if (market.crossedSinceMs !== null && now - market.crossedSinceMs > MAX_CROSSED_MS) {
        const { id } = market.instrument;
        market.crossedSinceMs = now;
        this.#options.log.warn({ instrument: id }, 'book crossed for over a second, resyncing');
        this.#owners.get(id)?.feed.resync?.(id, 'the book was crossed for over a second');
      }
    }
  }

  /** A book may be silent because its feed lost it unawares, and not because nothing happens. */
  #cureSilence(market: Market, nowMs: number): void {
    const { id, staleAfterMs, origin } = market.instrument;
    if (!market.silence.isDue(market.isOnlySilent, market.state, staleAfterMs, nowMs)) return;
    if (origin === 'replayed') return; // a recording cannot be asked
    this.#options.log.info({ instrument: id, silentMs: staleAfterMs }, 'book silent, resyncing');
    this.#owners.get(id)?.feed.resync?.(id, `no update for over ${staleAfterMs / 1000} s`);
  }
}

function firstOf<T>(values: Iterable<T>): T[] {
  for (const value of values) return [value];
  return [];
}

/** From the venue's time to the receive time, where the event tells both. */
function latencyOf(event: FeedEvent): number | null {
  if (event.type === 'instrument' || event.type === 'book-status' || event.venueTimeMs === null) return null;
  return event.receiveTimeMs - event.venueTimeMs;
}
