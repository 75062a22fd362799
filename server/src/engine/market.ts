import {
  candleIntervals,
  DepthwireError,
  OrderBook,
  type BookDeltaEvent,
  type BookSnapshotEvent,
  type BookState,
  type Candle,
  type CandleInterval,
  type Instrument,
  type Ticker,
  type TickerEvent,
  type Trade,
  type TradeEvent,
} from '@depthwire/shared';
import { CandleSeries } from './candles.ts';
import { SilenceCure } from './silence.ts';
import { RollingStatistics, type DayStatistics } from './statistics.ts';

/** Trades kept for each instrument. */
export const MAX_TAPE = 1_000;

/** The venue's own 24 h figures are taken for so long after it sent them. */
const TICKER_VALID_MS = 300_000;

/** What a gateway may read of an instrument. */
export interface MarketView {
  readonly instrument: Instrument;
  /** Names the run that the book's sequence and the count of trades belong to: those of another one have nothing in common. */
  readonly epoch: number;
  readonly book: OrderBook;
  readonly state: BookState;
  readonly reason: string | null;
  /** When the state began, unix milliseconds. */
  readonly stateSinceMs: number;
  /** Receive time of the newest book update; null before the first. */
  readonly receiveTimeMs: number | null;
  readonly venueTimeMs: number | null;
  /** Oldest first. */
  readonly tape: readonly Trade[];
  /** Trades there ever were, of which the tape keeps the latest. */
  readonly tradeCount: number;
  candles(interval: CandleInterval): CandleSeries;
  ticker(nowMs: number): Ticker;
}

/** One instrument: its book, tape, candles and statistics. Clockless: every time is handed in. */
export class Market implements MarketView {
  instrument: Instrument;
  readonly epoch: number;
  readonly book = new OrderBook();
  readonly tape: Trade[] = [];
  tradeCount = 0;
  receiveTimeMs: number | null = null;
  venueTimeMs: number | null = null;
  /** Since when the book has been crossed; null while it is not. */
  crossedSinceMs: number | null = null;

  /** When the newest book update came, by the engine's clock: the feed's word on it may be anything. */
  heardAtMs: number | null = null;
  readonly silence = new SilenceCure();

  readonly #tapeIds = new Set<Trade['id']>();
  #venueTicker: TickerEvent | null = null;
  #tickerAtMs = -Infinity;
  /** The feed's word. */
  #feedState: BookState = 'syncing';
  #feedReason: string | null = null;
  #isSilent = false;
  /** Why the book misses an update; null while it misses none. */
  #breach: string | null = null;
  /** Whether there is a book that deltas can change. */
  #hasSnapshot = false;
  #state: BookState = 'syncing';
  #reason: string | null = null;
  #stateSinceMs: number;
  readonly #series: Readonly<Record<CandleInterval, CandleSeries>>;
  /** The same as a list, for each trade adds to all. */
  readonly #allSeries: readonly CandleSeries[];
  readonly #statistics = new RollingStatistics();

  /** @param before the one of other scales whose place it takes: within an epoch no count goes back */
  constructor(instrument: Instrument, nowMs: number, epoch: number, before?: MarketView) {
    this.instrument = instrument;
    this.epoch = epoch;
    if (before) {
      this.book.sequence = before.book.sequence + 1;
      this.tradeCount = before.tradeCount;
    }
    this.#stateSinceMs = nowMs;
    const intervals = Object.keys(candleIntervals) as CandleInterval[];
    this.#series = Object.fromEntries(
      intervals.map((interval) => [interval, new CandleSeries(interval)]),
    ) as Record<CandleInterval, CandleSeries>;
    this.#allSeries = Object.values(this.#series);
  }

  get state(): BookState {
    return this.#state;
  }

  get reason(): string | null {
    return this.#reason;
  }

  get stateSinceMs(): number {
    return this.#stateSinceMs;
  }

  /** @throws DepthwireError `invalid_event`; the book is then unchanged */
  applyBook(event: BookSnapshotEvent | BookDeltaEvent, nowMs: number): void {
    if (event.type === 'book-snapshot') {
      this.book.loadSnapshot(event.bids, event.asks);
      this.#breach = null;
      this.#hasSnapshot = true;
    } else if (!this.#hasSnapshot) {
      throw new DepthwireError(
        'invalid_event',
        `a book-delta of ${event.instrument} before its book-snapshot`,
      );
    } else this.book.applyDelta(event.bids, event.asks);
    this.book.sequence += 1;
    this.receiveTimeMs = event.receiveTimeMs;
    this.venueTimeMs = event.venueTimeMs;
    this.heardAtMs = nowMs;
    this.#isSilent = false;
    if (!this.book.isCrossed) this.crossedSinceMs = null;
    else this.crossedSinceMs ??= nowMs;
  }

  /** @returns null where the tape has it already: some venues send their latest trades again after a reconnect */
  applyTrade(event: TradeEvent): Trade | null {
    if (this.#tapeIds.has(event.id)) return null;
    const timeMs = Math.floor(event.venueTimeMs ?? event.receiveTimeMs);
    const trade: Trade = { id: event.id, price: event.price, size: event.size, side: event.side, timeMs };
    this.tape.push(trade);
    this.#tapeIds.add(event.id);
    this.tradeCount += 1;
    if (this.tape.length > MAX_TAPE) this.#tapeIds.delete(this.tape.shift()!.id);
    for (const series of this.#allSeries) series.add(timeMs, trade.price, trade.size);
    this.#statistics.add(this.instrument, timeMs, trade.price, trade.size);
    return trade;
  }

  /** The venue's own 24 h figures, which know of the hours before this process began. */
  applyTicker(event: TickerEvent, nowMs: number): void {
    this.#venueTicker = event;
    this.#tickerAtMs = nowMs;
  }

  setFeedState(state: BookState, reason: string | null): void {
    this.#feedState = state;
    this.#feedReason = reason;
    if (state !== 'live') this.crossedSinceMs = null;
  }

  /** The book misses an update from here on, until the next snapshot. */
  breach(reason: string): void {
    this.#breach = reason;
  }

  /** The clock was set forward: nothing was silent for as long. */
  setForward(byMs: number): void {
    if (this.heardAtMs !== null) this.heardAtMs += byMs;
    if (this.crossedSinceMs !== null) this.crossedSinceMs += byMs;
  }

  /** Marks the book silent once it was without an update for longer than the instrument allows. */
  watchSilence(nowMs: number): void {
    if (this.heardAtMs !== null) this.heardAtMs = Math.min(this.heardAtMs, nowMs); // a clock may be set back
    this.#isSilent = this.heardAtMs !== null && nowMs - this.heardAtMs > this.instrument.staleAfterMs;
  }

  /** Whether silence is all that is wrong with the book: it is traded, and the feed calls it live. */
  get isOnlySilent(): boolean {
    return this.#state === 'stale' && this.#feedState === 'live' && this.instrument.status === 'trading';
  }

  /**
   * Works the state out anew.
   * @returns whether it changed
   */
  settleState(nowMs: number): boolean {
    const [state, reason] = this.#judge();
    if (state === this.#state && reason === this.#reason) return false;
    if (state !== this.#state) this.#stateSinceMs = nowMs;
    this.#state = state;
    this.#reason = reason;
    return true;
  }

  candles(interval: CandleInterval): CandleSeries {
    return this.#series[interval];
  }

  seedCandles(interval: CandleInterval, history: readonly Candle[]): void {
    this.#series[interval].seed(history);
    if (interval === '1m') this.#statistics.seed(this.instrument, history);
  }

  /** Candles become what is stored, with the trades that are not stored yet. */
  takeCandles(interval: CandleInterval, stored: readonly Candle[], since: readonly Trade[]): void {
    const series = this.#series[interval];
    series.take(stored, since);
    if (interval === '1m') this.#statistics.take(this.instrument, series.all);
  }

  ticker(nowMs: number): Ticker {
    const { bids, asks, bestBid, bestAsk } = this.book;
    return {
      ...this.#dayAt(nowMs),
      bid: bestBid,
      bidSize: bestBid === null ? zeroLots : bids.lotsAt(0),
      ask: bestAsk,
      askSize: bestAsk === null ? zeroLots : asks.lotsAt(0),
    };
  }

  #dayAt(nowMs: number): DayStatistics {
    const own = this.#statistics.at(nowMs);
    const told = this.#venueTicker;
    if (!told || nowMs - this.#tickerAtMs > TICKER_VALID_MS) return own;
    return {
      ...own,
      last: own.last ?? told.last,
      open: told.open ?? own.open,
      high: told.high ?? own.high,
      low: told.low ?? own.low,
      volume: told.volume ?? own.volume,
      turnover: told.turnover ?? own.turnover,
    };
  }

  #judge(): [BookState, string | null] {
    if (this.#feedState !== 'live') return [this.#feedState, this.#feedReason];
    if (!this.#hasSnapshot) return ['syncing', 'the feed has sent no snapshot yet'];
    if (this.#breach !== null) return ['recovering', this.#breach];
    const { status } = this.instrument;
    if (status === 'halted') return ['stale', 'the venue has halted trading'];
    if (status === 'closed') return ['stale', 'the venue does not trade this instrument any more'];
    if (this.crossedSinceMs !== null) return ['recovering', 'the book is crossed'];
    if (this.#isSilent) return ['stale', `no update for over ${this.instrument.staleAfterMs / 1000} s`];
    return ['live', null];
  }
}

const zeroLots = 0 as Ticker['bidSize'];
