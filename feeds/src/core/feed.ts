import type { Candle, CandleInterval, Clock, FeedEvent, InstrumentId, Trade } from '@depthwire/shared';
import type { SessionStats } from './session-stats.ts';

/** Where a feed writes what an operator should know; a pino logger fits. */
export interface FeedLog {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** All that a feed gets from outside. It reads no clock and holds no global of its own. */
export interface FeedContext {
  readonly clock: Clock;
  readonly log: FeedLog;
  /**
   * Takes one event. An `instrument` event comes before any other of that instrument; a
   * `book-snapshot` before its first `book-delta` and after each loss. The arrays of an event
   * are read before `emit` returns, so a feed may reuse them.
   */
  emit(event: FeedEvent): void;
  /**
   * Tells that this feed cannot go on: it is stopped, its books are `recovering` with the reason, and
   * a fresh one is started after a while. What a task of `clock.at` throws comes to the same.
   */
  fail(error: unknown): void;
}

export interface CandleQuery {
  readonly instrument: InstrumentId;
  readonly interval: CandleInterval;
  /** Open times, unix seconds: from the first (inclusive) to the last (exclusive). */
  readonly fromS: number;
  readonly toS: number;
}

export interface TradeQuery {
  readonly instrument: InstrumentId;
  /** Unix milliseconds: from the first (inclusive) to the last (exclusive). */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Trades of the past, as the stream told them or would have: the same ids, sides and venue times. */
export interface PastTrades {
  /** Oldest first, all of them within the query. */
  readonly trades: readonly Trade[];
  /** The stretch of the query in which there can be none missing; empty (`toMs` is `fromMs`) where that is nowhere. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * Whether that stretch is all of the query. It is not where the venue keeps only its newest trades, where there
   * are more of them than one call reads, or where the query reaches past the present.
   */
  readonly isWhole: boolean;
}

/** A source of market data: a venue's adapter, the simulator, a replay. */
export interface Feed {
  /** Unique within a process: `sim`, `binance-spot`. */
  readonly id: string;
  /**
   * Starts the flow of events.
   * @returns once the instruments are known and emitted; books follow
   * @throws DepthwireError when the feed cannot start at all
   */
  start(context: FeedContext): Promise<void>;
  /** Ends the flow: no event is emitted after it resolves. Safe to call twice. */
  stop(): Promise<void>;
  /** Takes one instrument's book anew, because the engine found it wrong; others go on. */
  resync?(instrument: InstrumentId, reason: string): void;
  /** What its sessions counted since the start; for feeds that read a venue's frames. */
  stats?(): SessionStats;
  /** What an operator should mend, such as symbols that the venue does not list. */
  problems?(): readonly string[];
  /** Connections lost and made anew since the start. */
  reconnects?(): number;
  /**
   * Candles of the past, oldest first; where there are more than one call reads, the newest of them. None of an
   * interval that it does not have. `trades` of a candle is 0 where the venue does not count them.
   */
  candles?(query: CandleQuery): Promise<Candle[]>;
  /**
   * Where its candles end. `start`, the default: where the feed started, the open one as it stood then, to be joined
   * with the live trades since. `now`: at the moment of the answer, the open one with the trades until then.
   */
  readonly candlesEnd?: 'start' | 'now';
  /**
   * Trades of the past. Left out where they cannot be had with the ids that the stream has, or not by time.
   * Ask for stretches that have ended: what has only just happened may not be told yet.
   */
  trades?(query: TradeQuery): Promise<PastTrades>;
  /**
   * From which open time on it has candles, unix seconds: so whoever pages back knows where the past ends.
   * Undefined, or left out, where it is not known; `Infinity` where there are none.
   */
  candlesFromS?(instrument: InstrumentId): number | undefined;
}
