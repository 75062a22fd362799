import type { Candle, CandleInterval, InstrumentId, Scale, Trade } from '@depthwire/shared';

/** Candle intervals that are stored; the others are put together from these when they are read. */
export const storedIntervals = ['1s', '1m', '1h', '1d'] as const satisfies readonly CandleInterval[];
export type StoredInterval = (typeof storedIntervals)[number];

/**
 * Trades of one id are the same where their times are no further apart. They need not be equal: where a venue gives no time,
 * each process has its own, and a venue may give an id again one day.
 */
export const SAME_TRADE_MS = 3_600_000;

/** Past every candle, unix seconds. */
export const FAR_S = 2 ** 40;

/** Rows that are read at once, whatever is asked for. */
export const MAX_ROWS = 10_000;

/** Trades and columns of one `write`, or candles of one `putCandles`: of more it is refused, and whoever has more writes in parts. */
export const MAX_WRITTEN = 100_000;

/** What rows are counted in. An instrument that changes its tick or lot goes on as another series. */
export interface SeriesKey {
  readonly instrument: InstrumentId;
  readonly tick: Scale;
  readonly lot: Scale;
}

/** A stretch of time, unix milliseconds, end exclusive. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Why there may be trades that are not stored. */
export interface Hole extends Span {
  /** Whether its candles were asked of the venue since; its trades stay missing. */
  readonly isFilled: boolean;
}

/** A column of a book (`shared/src/depth`), packed on its own. */
export interface StoredColumn {
  /** Start of its second, unix milliseconds. */
  readonly time: number;
  /** Ticks of a bucket. */
  readonly step: number;
  readonly data: Uint8Array;
}

/** What came of one instrument since the last write. */
export interface HistoryBatch {
  readonly series: SeriesKey;
  /** In the order in which they arrived. */
  readonly trades: readonly Trade[];
  /** During which no trade can have been missed; null where that is not known. Follows on from the last one, or leaves a hole. */
  readonly heard: Span | null;
  readonly columns: readonly StoredColumn[];
}

export interface WriteResult {
  readonly trades: number;
  /** Trades that were there already, by their venue's id. */
  readonly duplicates: number;
}

export interface StoredTrade extends Trade {
  /** Counts up within the series in the order of arrival; has gaps. */
  readonly number: number;
}

export interface TradesQuery {
  /** In which direction: the latest before an end, or the first from a beginning. */
  readonly direction: 'before' | 'from';
  readonly limit: number;
  /** Exclusive bounds of `timeMs`. */
  readonly afterMs?: number;
  readonly beforeMs?: number;
  /** Exclusive end for `before`, inclusive beginning for `from`. */
  readonly number?: number;
}

/** How long what is kept, milliseconds. */
export interface Retention {
  readonly tradesMs: number;
  readonly columnsMs: number;
  readonly candlesMs: Readonly<Record<StoredInterval, number>>;
}

/**
 * The one way to stored history, whatever keeps it. Nothing here is on the way of live data: whoever calls decides what
 * to do where it fails.
 *
 * Each method rejects with a DepthwireError `history_unavailable` while the database is away, full or in use by another.
 */
export interface HistoryStore {
  readonly kind: 'sqlite' | 'postgres';
  /** Makes or updates the tables. To be called again after it failed. */
  open(): Promise<void>;
  /**
   * All in one transaction. A trade whose id the series has already within `SAME_TRADE_MS` is left out, so that a batch may be
   * written again; the candles of every stored interval are made of those that are new.
   */
  write(batches: readonly HistoryBatch[]): Promise<WriteResult>;
  /**
   * Takes candles that somebody else made, such as the venue, in place of what is stored.
   *
   * Minutes make the candles of their hours and days anew, where every moment of such a candle was heard or is in the span of
   * minutes that were put, until the newest moment that is known. Any other stays as it is: to leave what is stored is
   * better than to make it of half its minutes.
   * @param span what they are all of: where one is missing in it, nothing was traded. Without it from the first to the last
   */
  putCandles(
    series: SeriesKey,
    interval: StoredInterval,
    candles: readonly Candle[],
    span?: Span,
  ): Promise<void>;
  /** The newest `limit` that opened before `beforeS` (exclusive, unix seconds), oldest first. */
  candles(series: SeriesKey, interval: CandleInterval, limit: number, beforeS: number): Promise<Candle[]>;
  /** Whether any opened before that time. */
  hasCandlesBefore(series: SeriesKey, interval: CandleInterval, beforeS: number): Promise<boolean>;
  /** Oldest first, whatever the direction. */
  trades(series: SeriesKey, query: TradesQuery): Promise<StoredTrade[]>;
  /** The number of a trade by its venue's id; null where it is not stored. */
  numberOf(series: SeriesKey, id: Trade['id']): Promise<number | null>;
  /** Oldest first; those that touch the span. */
  holes(series: SeriesKey, span: Span): Promise<Hole[]>;
  /** The candles of this span were taken from elsewhere. */
  fillHole(series: SeriesKey, span: Span): Promise<void>;
  /** That the series was heard from then on was told by a clock that was ahead. */
  disbelieve(series: SeriesKey, fromMs: number): Promise<void>;
  /** Until when the series was heard last; null where it never was. */
  heardUntil(series: SeriesKey): Promise<number | null>;
  /** Oldest first: the first from `fromMs` on, or with `isNewest` the last before `toMs`. */
  columns(
    series: SeriesKey,
    span: Span,
    options: { readonly limit: number; readonly isNewest: boolean },
  ): Promise<StoredColumn[]>;
  /** Forgets what is older than it is to be kept, a bounded part at a time. @returns whether there is more of it */
  prune(nowMs: number, retention: Retention): Promise<boolean>;
  /** Bytes and rows, as far as they are cheap to tell. */
  figures(): Promise<{ readonly bytes: number; readonly trades: number; readonly candles: number }>;
  close(): Promise<void>;
  /** Whether a thread of this process is at work for it, which may be a call of the operating system that never returns. */
  readonly isBusy: boolean;
}
