import type { Instrument, InstrumentId } from './instrument.ts';
import type { EpochMs, Lots, Ticks } from './units.ts';

export const bookStates = ['syncing', 'live', 'stale', 'recovering'] as const;
/**
 * - `syncing`: no verified book yet
 * - `live`: in sequence and fresh
 * - `stale`: in sequence, but silent for longer than the instrument allows
 * - `recovering`: known to be wrong or cut off; a resync is under way
 */
export type BookState = (typeof bookStates)[number];

/** The reason of every book once a recording has been played to its end: nothing will follow. */
export const RECORDING_ENDED = 'the recording has ended';

/** The side that took liquidity. */
export type AggressorSide = 'buy' | 'sell';

/** Levels as a flat run of `ticks, lots` pairs; lots are absolute, zero removes the level. */
export type FlatLevels = ArrayLike<number>;

interface Timed {
  readonly instrument: InstrumentId;
  /** When the venue says it happened; null where the venue gives no time. */
  readonly venueTimeMs: EpochMs | null;
  /** When the frame reached this process, or the machine that recorded it. */
  readonly receiveTimeMs: EpochMs;
}

export interface InstrumentEvent {
  readonly type: 'instrument';
  readonly instrument: Instrument;
}

export interface BookSnapshotEvent extends Timed {
  readonly type: 'book-snapshot';
  readonly bids: FlatLevels;
  readonly asks: FlatLevels;
}

export interface BookDeltaEvent extends Timed {
  readonly type: 'book-delta';
  readonly bids: FlatLevels;
  readonly asks: FlatLevels;
}

export interface TradeEvent extends Timed {
  readonly type: 'trade';
  /** The venue's own id. */
  readonly id: string | number;
  readonly price: Ticks;
  readonly size: Lots;
  readonly side: AggressorSide;
}

/** The venue's own rolling 24 h figures; null where it gives none. */
export interface TickerEvent extends Timed {
  readonly type: 'ticker';
  readonly last: Ticks | null;
  readonly open: Ticks | null;
  readonly high: Ticks | null;
  readonly low: Ticks | null;
  readonly volume: Lots | null;
  /** In the quote currency. */
  readonly turnover: number | null;
}

export interface BookStatusEvent {
  readonly type: 'book-status';
  readonly instrument: InstrumentId;
  readonly timeMs: EpochMs;
  readonly state: BookState;
  /** For people, and null when live: `gap: expected 101, got 105`. */
  readonly reason: string | null;
}

/** What a feed may emit. */
export type FeedEvent =
  InstrumentEvent | BookSnapshotEvent | BookDeltaEvent | TradeEvent | TickerEvent | BookStatusEvent;

export interface Candle {
  /** Open time, unix seconds, a whole multiple of the interval. */
  readonly time: number;
  readonly open: Ticks;
  readonly high: Ticks;
  readonly low: Ticks;
  readonly close: Ticks;
  readonly volume: Lots;
  readonly trades: number;
}

/** Candle intervals and their length in seconds. */
export const candleIntervals = {
  '1s': 1,
  '5s': 5,
  '15s': 15,
  '1m': 60,
  '5m': 300,
  '15m': 900,
  '1h': 3600,
  '4h': 14_400,
  '1d': 86_400,
} as const;
export type CandleInterval = keyof typeof candleIntervals;

export function isCandleInterval(value: unknown): value is CandleInterval {
  return typeof value === 'string' && Object.hasOwn(candleIntervals, value);
}

/** Rolling 24 h figures of an instrument; null where nothing is known yet. */
export interface Ticker {
  readonly last: Ticks | null;
  readonly open: Ticks | null;
  readonly high: Ticks | null;
  readonly low: Ticks | null;
  /** Traded size. */
  readonly volume: Lots;
  /** Traded value in the quote currency: a statistic, so a floating-point number. */
  readonly turnover: number;
  readonly trades: number;
  readonly bid: Ticks | null;
  readonly bidSize: Lots;
  readonly ask: Ticks | null;
  readonly askSize: Lots;
}
