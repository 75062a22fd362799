import {
  backoffMs,
  DepthwireError,
  type BackoffPolicy,
  type EpochMs,
  type Instrument,
  type Timer,
} from '@depthwire/shared';
import type { FeedContext } from '../core/feed.ts';
import { InstrumentOutlet } from '../core/instrument-outlet.ts';
import type { PriceLevel } from '../core/levels.ts';
import { emptyStats, type SessionStats } from '../core/session-stats.ts';
import { copyBook, decimalText, difference, faultOf, finite, toLevels, type BookCopy } from './levels.ts';
import {
  closeExchange,
  type CcxtExchange,
  type CcxtLibrary,
  type CcxtOrderBook,
  type CcxtTicker,
  type CcxtTrade,
} from './library.ts';
import type { VenuePause } from './venue-pause.ts';

/** The library finds a dead socket after minutes, if at all: silence of the book ends it sooner. */
const SILENCE_MS = 120_000;
/** How long a book may be crossed or empty before it is taken anew. */
const DOUBT_MS = 5_000;
/** How long a new connection may show a book older than the one that was published. */
const CATCH_UP_MS = 3_000;
/** A book that stayed live this long starts its back-off anew. */
const STABLE_AFTER_MS = 60_000;
const BACKOFF: BackoffPolicy = { baseMs: 1_000, maxMs: 60_000 };
/** The library puts whole answers of a venue into its errors. */
const MAX_REASON_CHARS = 200;
/** Trades whose ids are remembered: after a reconnect venues tell some again. */
const MAX_TRADE_IDS = 2_000;

export interface BridgedInstrumentOptions {
  /** The library's name of the market. */
  readonly symbol: string;
  readonly instrument: Instrument;
  /** Most levels a side. */
  readonly depth: number;
  /** What is asked of the venue, where it is asked for a depth. */
  readonly limit: number | undefined;
  readonly library: CcxtLibrary;
  readonly context: FeedContext;
  readonly random: () => number;
  /** A fresh one, with connections of its own, that knows its markets. */
  openExchange(): Promise<CcxtExchange>;
  /** What went wrong with an exchange, which may be that the venue asks to wait. */
  onError(error: unknown, exchange: CcxtExchange | null): void;
  /** Of all instruments of the venue. */
  readonly pause: VenuePause;
}

/** One of the library's exchanges for as long as it is in use. */
interface Line {
  exchange: CcxtExchange | null;
  isOver: boolean;
  /** The book as it was seen last. */
  seen: CcxtOrderBook | null;
  nonce: number | null;
  /** Whether the published book is a state of this line's. */
  isFollowed: boolean;
  readonly openedAtMs: number;
}

interface Times {
  readonly venueTimeMs: number | null;
  readonly receiveTimeMs: EpochMs;
}

/**
 * One instrument through the library. It has an exchange object, and so sockets, of its own: where
 * its book is in doubt, all of that is thrown away and made anew, whatever state it was in, and no
 * other instrument is touched.
 */
export class BridgedInstrument {
  readonly stats: SessionStats = emptyStats();
  /** Exchanges made after the first, since the start. */
  reconnects = 0;
  readonly #options: BridgedInstrumentOptions;
  readonly #outlet: InstrumentOutlet;
  #line: Line | null = null;
  #published: BookCopy | null = null;
  /** Whether `live` is what was told last. */
  #isLive = false;
  #liveSinceMs: number | null = null;
  #attempt = 0;
  #lastBookAtMs = 0;
  #silenceTimer: Timer | null = null;
  /** While a book cannot be published, for a reason that may pass. */
  #doubtTimer: Timer | null = null;
  #retryTimer: Timer | null = null;
  readonly #tradeIds = new Set<string>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: BridgedInstrumentOptions) {
    this.#options = options;
    const { clock, log, emit } = options.context;
    this.#outlet = new InstrumentOutlet(options.instrument, { clock, log, emit }, this.stats);
  }

  get instrument(): Instrument {
    return this.#outlet.instrument;
  }

  open(): void {
    if (this.#isClosed) return;
    if (!this.#published) this.#outlet.state('syncing', null);
    this.#openLine();
  }

  resync(reason: string): void {
    if (this.#line) this.#lose(this.#line, reason);
  }

  update(instrument: Instrument): void {
    const reason = this.#outlet.update(instrument);
    if (reason !== null) this.resync(reason);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retryTimer?.cancel();
    if (this.#line) this.#end(this.#line);
    await Promise.all(this.#closing);
  }

  #openLine(): void {
    const { clock } = this.#options.context;
    const openedAtMs = (this.#lastBookAtMs = clock.now());
    const line: Line = {
      exchange: null,
      isOver: false,
      seen: null,
      nonce: null,
      isFollowed: false,
      openedAtMs,
    };
    this.#line = line;
    this.#watchSilence(line);
    void this.#run(line);
  }

  async #run(line: Line): Promise<void> {
    try {
      const exchange = await this.#options.openExchange();
      line.exchange = exchange;
      if (line.isOver) {
        this.#close(exchange);
        return;
      }
      const { symbol, limit } = this.#options;
      if (exchange.has.watchTrades)
        void this.#follow(line, 'trades', () => exchange.watchTrades(symbol), this.#takeTrades);
      if (exchange.has.watchTicker)
        void this.#follow(line, 'ticker', () => exchange.watchTicker(symbol), this.#takeTicker);
      for (;;) {
        const book = await exchange.watchOrderBook(symbol, limit);
        if (line.isOver) return;
        this.stats.frames += 1;
        this.#options.pause.succeeded(this);
        this.#takeBook(line, book);
      }
    } catch (error) {
      this.#options.onError(error, line.exchange);
      if (line.isOver) return;
      if (error instanceof this.#options.library.InvalidNonce) this.stats.gaps += 1;
      this.#lose(line, describe(error));
    }
  }

  /** Trades or the ticker: trouble with them alone does not touch the book. */
  async #follow<News>(
    line: Line,
    what: string,
    watch: () => Promise<News>,
    take: (news: News) => void,
  ): Promise<void> {
    const { context, random, library } = this.#options;
    let attempt = 0;
    while (!line.isOver) {
      try {
        const news = await watch();
        if (line.isOver) return;
        take(news);
        attempt = 0;
      } catch (error) {
        this.#options.onError(error, line.exchange);
        if (line.isOver) return;
        const details = { instrument: this.instrument.id, what, reason: describe(error) };
        if (error instanceof library.NotSupported || error instanceof library.AuthenticationError) {
          context.log.warn(details, 'not to be had through ccxt');
          return;
        }
        context.log.warn(details, 'lost, trying again');
        const dueMs = context.clock.now() + backoffMs(BACKOFF, attempt, random());
        attempt += 1;
        await new Promise<void>((resolve) => context.clock.at(dueMs, resolve));
      }
    }
  }

  #takeBook(line: Line, book: CcxtOrderBook): void {
    const { context, depth } = this.#options;
    const now = (this.#lastBookAtMs = context.clock.now());
    this.stats.bookUpdates += 1;
    line.seen = book;
    let copy: BookCopy;
    try {
      copy = copyBook(book, depth);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      this.stats.malformed += 1;
      this.#lose(line, `${error.code}: ${error.message}`);
      return;
    }
    if (copy.nonce !== null && line.nonce !== null && copy.nonce < line.nonce) {
      this.stats.gaps += 1;
      this.#lose(line, `the book went back from ${line.nonce} to ${copy.nonce}`);
      return;
    }
    line.nonce = copy.nonce;
    const fault = faultOf(copy);
    if (fault !== null) {
      this.#doubt(line, fault);
      return;
    }
    if (this.#isBehind(line, copy, now)) return;
    this.#publish(line, copy, now);
  }

  /**
   * The library hands out the first state of a connection before it has been proven to join the
   * stream: one older than what was published waits. A venue whose numbers begin anew with each
   * connection is let through after a while.
   */
  #isBehind(line: Line, copy: BookCopy, now: EpochMs): boolean {
    const floor = this.#published?.nonce ?? null;
    if (this.#isLive || floor === null || copy.nonce === null || copy.nonce >= floor) return false;
    const { clock } = this.#options.context;
    const dueMs = line.openedAtMs + CATCH_UP_MS;
    if (now >= dueMs) return false;
    this.#doubtTimer?.cancel();
    this.#doubtTimer = clock.at(dueMs, () => {
      this.#doubtTimer = null;
      if (!line.isOver && line.seen) this.#takeBook(line, line.seen);
    });
    return true;
  }

  #publish(line: Line, copy: BookCopy, now: EpochMs): void {
    const times: Times = { venueTimeMs: copy.timeMs, receiveTimeMs: now };
    const before = line.isFollowed ? this.#published : null;
    this.#doubtTimer?.cancel();
    this.#doubtTimer = null;
    try {
      if (before) this.#delta(before, copy, times);
      else this.#snapshot(copy, times);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      this.stats.malformed += 1;
      this.#lose(line, `${error.code}: ${error.message}`);
      return;
    }
    this.#published = copy;
    line.isFollowed = true;
    this.#tellLive();
  }

  #delta(before: BookCopy, after: BookCopy, times: Times): void {
    const { tick, lot } = this.instrument;
    const bids = toLevels(difference(before.bids, after.bids), tick, lot);
    const asks = toLevels(difference(before.asks, after.asks), tick, lot);
    if (bids.length + asks.length === 0) return;
    try {
      this.#outlet.delta({ bids, asks, ...times });
    } catch (error) {
      if (!(error instanceof DepthwireError && error.code === 'off_grid')) throw error;
      this.#snapshot(after, times); // on a finer grid
    }
  }

  #snapshot(copy: BookCopy, times: Times): void {
    const { tick, lot } = this.instrument;
    const bids = toLevels(copy.bids, tick, lot);
    const asks = toLevels(copy.asks, tick, lot);
    this.#outlet.snapshot({ bids, asks, ...times });
    if (this.instrument.tick !== tick || this.instrument.lot !== lot) this.#isLive = false;
  }

  readonly #takeTrades = (trades: readonly CcxtTrade[]): void => {
    for (const trade of trades) this.#takeTrade(trade);
  };

  #takeTrade({ id, side, price, amount, timestamp }: CcxtTrade): void {
    if (typeof price !== 'number' || typeof amount !== 'number' || (side !== 'buy' && side !== 'sell'))
      return;
    const timeMs = finite(timestamp);
    const key = id ?? `${timeMs}-${side}-${price}-${amount}`;
    if (this.#tradeIds.has(key)) return;
    this.#tradeIds.add(key);
    if (this.#tradeIds.size > MAX_TRADE_IDS) this.#tradeIds.delete(this.#tradeIds.values().next().value!);
    const { clock, log } = this.#options.context;
    const tell = () => {
      const [text, size] = this.#level(price, amount);
      const times = { venueTimeMs: timeMs, receiveTimeMs: clock.now() };
      this.#outlet.trade({ id: key, price: text, size, side, ...times });
    };
    try {
      try {
        tell();
      } catch (error) {
        const copy = this.#published;
        if (!(error instanceof DepthwireError && error.code === 'off_grid') || !copy || !this.#isLive)
          throw error;
        this.#outlet.refine([this.#level(price, amount)]);
        this.#snapshot(copy, { venueTimeMs: copy.timeMs, receiveTimeMs: clock.now() });
        this.#tellLive();
        tell();
      }
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      this.stats.malformed += 1;
      const { code, message: reason } = error;
      log.warn({ instrument: this.instrument.id, code, reason }, 'trade skipped');
    }
  }

  #level(price: number, amount: number): PriceLevel {
    const { tick, lot } = this.instrument;
    return [decimalText(price, tick), decimalText(amount, lot)];
  }

  readonly #takeTicker = (ticker: CcxtTicker): void => {
    this.#outlet.ticker({
      last: ticker.last ?? undefined,
      open: ticker.open ?? undefined,
      high: ticker.high ?? undefined,
      low: ticker.low ?? undefined,
      volume: ticker.baseVolume ?? undefined,
      turnover: ticker.quoteVolume ?? undefined,
      venueTimeMs: finite(ticker.timestamp),
      receiveTimeMs: this.#options.context.clock.now(),
    });
  };

  #tellLive(): void {
    if (this.#isLive) return;
    this.#isLive = true;
    this.#liveSinceMs = this.#options.context.clock.now();
    this.#outlet.state('live', null);
  }

  /** The library's book cannot be right as it is now; it may be with its next change. */
  #doubt(line: Line, reason: string): void {
    if (this.#isLive) this.#outlet.state('recovering', reason);
    this.#isLive = false;
    const { clock } = this.#options.context;
    this.#doubtTimer ??= clock.at(clock.now() + DOUBT_MS, () => this.#lose(line, reason));
  }

  /** Throws the line away, and opens another after a while. */
  #lose(line: Line, reason: string): void {
    if (line.isOver) return;
    const { context, random } = this.#options;
    const now = context.clock.now();
    if (line.isFollowed) this.stats.resyncs += 1;
    if (this.#liveSinceMs !== null && now - this.#liveSinceMs >= STABLE_AFTER_MS) this.#attempt = 0;
    this.#liveSinceMs = null;
    this.#isLive = false;
    this.#end(line);
    this.#options.pause.failed(this);
    const delayMs = backoffMs(BACKOFF, this.#attempt, random());
    this.#attempt += 1;
    const details = { instrument: this.instrument.id, reason, retryInMs: Math.round(delayMs) };
    context.log.warn(details, 'book lost, taking it anew');
    this.#outlet.state('recovering', reason);
    this.#openAgain(now + delayMs);
  }

  #openAgain(dueMs: number): void {
    const { context, pause } = this.#options;
    this.#retryTimer = context.clock.at(dueMs, () => {
      const waitMs = pause.waitMs(this);
      if (waitMs > 0) {
        this.#openAgain(context.clock.now() + waitMs);
        return;
      }
      this.reconnects += 1;
      this.#openLine();
    });
  }

  #end(line: Line): void {
    line.isOver = true;
    this.#line = null;
    this.#silenceTimer?.cancel();
    this.#doubtTimer?.cancel();
    this.#doubtTimer = null;
    if (line.exchange) this.#close(line.exchange);
  }

  #close(exchange: CcxtExchange): void {
    const closing = closeExchange(exchange)
      .catch((error: unknown) => {
        this.#options.context.log.warn({ reason: describe(error) }, 'ccxt could not be closed');
      })
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #watchSilence(line: Line): void {
    const { clock } = this.#options.context;
    this.#silenceTimer?.cancel();
    this.#silenceTimer = clock.at(this.#lastBookAtMs + SILENCE_MS, () => {
      const silentMs = clock.now() - this.#lastBookAtMs;
      // Nothing changes in a market that does not trade.
      const isQuiet = line.isFollowed && this.instrument.status !== 'trading';
      if (silentMs >= SILENCE_MS && !isQuiet) {
        this.#lose(line, `no book for ${Math.round(silentMs / 1000)} s`);
        return;
      }
      if (isQuiet) this.#lastBookAtMs = clock.now();
      this.#watchSilence(line);
    });
  }
}

/** A thrown value in a line: the name says what happened, and the first sentence what it was about. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_REASON_CHARS);
  const [sentence = ''] = error.message.split('. ');
  return `${error.name}: ${sentence}`.slice(0, MAX_REASON_CHARS);
}
