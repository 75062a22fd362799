import type {
  AggressorSide,
  CandleInterval,
  Clock,
  DepthwireError,
  EpochMs,
  FeedEvent,
  Instrument,
  InstrumentId,
} from '@depthwire/shared';
import type { FeedLog } from './feed.ts';
import type { SessionStats } from './session-stats.ts';

/** What came back for an HTTP GET. */
export interface HttpResponse {
  readonly status: number;
  readonly body: string;
  /** What the venue asks to wait, milliseconds; null where it says nothing. */
  readonly retryAfterMs: number | null;
  readonly receiveTimeMs: EpochMs;
}

export type HttpCallback = (result: HttpResponse | DepthwireError) => void;

/**
 * A session's only way to the outside, live or recorded. HTTP answers come by callback and not
 * by promise, so that a replay hands them over at their exact place among the frames.
 */
export interface SessionIo {
  readonly clock: Clock;
  readonly log: FeedLog;
  emit(event: FeedEvent): void;
  /** Sends a text frame, no sooner than the venue's limits allow. */
  send(text: string): void;
  /** @param spacingMs least time until the next request, where it costs more than `httpSpacingMs` tells */
  get(url: string, callback: HttpCallback, spacingMs?: number): void;
  /**
   * The venue has said that it will end this connection: another one takes over, book by book,
   * before it does.
   */
  replaceConnection(reason: string): void;
  /** This connection is of no use any more: it is closed, and opened again with back-off. */
  reconnect(reason: string): void;
}

/**
 * A venue's protocol without its sockets: frames in, events out. The live feed and the replay
 * of a capture drive the very same session.
 */
export interface VenueSession {
  readonly stats: SessionStats;
  /**
   * A socket is open: subscribe on it.
   * @param isSubscribed whether somebody has already, as in a recording
   */
  onOpen(isSubscribed?: boolean): void;
  onFrame(text: string, receiveTimeMs: EpochMs): void;
  /** The socket is gone: every book of it is `recovering` until it is back. */
  onClose(reason: string): void;
  /** Takes one book anew, for a reason that only its reader could see. */
  resync(instrument: InstrumentId, reason: string): void;
  /** Takes what the venue's metadata now says of an instrument; its book anew where the scales changed. */
  update(instrument: Instrument): void;
  /**
   * A recording has ended, in the middle of whatever it was in: what is held until a later frame
   * confirms it is told now, as far as the sequence has confirmed it.
   */
  ended?(): void;
  /** Cancels timers; nothing is emitted afterwards. */
  dispose(): void;
}

export interface SessionOptions {
  readonly market: string;
  readonly endpoints: Endpoints;
  readonly instruments: readonly Instrument[];
  readonly io: SessionIo;
}

export interface Endpoints {
  /** Base of the WebSocket URL, no trailing slash. */
  readonly ws: string;
  /** Base of the REST URL, no trailing slash. */
  readonly rest: string;
}

/** What a pass over a capture finds in its frames. */
export interface CaptureSink {
  /** A level of a symbol's book, in the venue's decimals. */
  level(symbol: string, price: string, size: string): void;
  trade(symbol: string, price: string, size: string): void;
  /** A symbol's book, where it may have no level. */
  book(symbol: string): void;
  /** A frame that may be of any book, for nothing in the capture tells of which. */
  stranger(): void;
}

/** A frame or an HTTP answer of a capture. */
export interface RecordedText {
  readonly kind: 'in' | 'rest';
  /** Of an HTTP answer; empty for a frame. */
  readonly url: string;
  readonly data: string;
}

/** What a replay must know of a venue beyond its session. */
export interface CaptureSupport {
  /** The market of a recorded socket's URL; null when it is not this venue's. */
  marketOf(url: string): string | null;
  /** Where one socket carries several markets: that of a symbol. `marketOf` names any of them then. */
  marketOfSymbol?(symbol: string): string;
  /**
   * The venue symbol whose book an HTTP answer shows, recorded or wanted, whatever host and
   * version the URL names; null for answers that no session asks for, nor one of this market.
   */
  snapshotSymbol(url: string, market?: string): string | null;
  /** Whether it is instrument metadata of this market. */
  isMetadata(text: RecordedText, market: string): boolean;
  /** Reports every level and trade. Ignores what it does not know, and never throws. */
  look(text: RecordedText, sink: CaptureSink): void;
  /** A `look` for one connection, where it takes its earlier frames to know what a frame is of. */
  createLook?(): (text: RecordedText, sink: CaptureSink) => void;
}

/** What a venue's metadata tells of the symbols asked for. */
export interface Metadata {
  readonly instruments: readonly Instrument[];
  /**
   * Whether one of the answers was an error: what is missing may be listed all the same.
   * Default: false.
   */
  readonly isPartial?: boolean;
  /** Symbols, in capitals, of which it tells nothing usable: `unknown_symbol` or `malformed_venue_frame`. */
  readonly refused: ReadonlyMap<string, DepthwireError>;
}

/** One list of a venue's metadata. */
export interface MetadataList {
  readonly url: string;
  /** Asked in turn where the venue does not answer the one before with 200. */
  readonly otherwise?: readonly string[];
  /** Whether the others are of use without it. */
  readonly isOptional?: boolean;
}

/** Where a venue's instrument metadata comes from. */
export type MetadataSource =
  | {
      readonly via: 'http';
      /** To be fetched one after the other; a bare URL is a list that has to be there. */
      urls(
        market: string,
        endpoints: Endpoints,
        symbols: readonly string[],
      ): readonly (string | MetadataList)[];
      /** The page that follows an answer, where the venue lists in pages; null after the last. */
      next?(url: string, body: string): string | null;
    }
  | {
      readonly via: 'socket';
      /** Sent on a socket of its own. */
      readonly request: string;
      /** Whether a frame is the whole of the metadata. */
      isAnswer(text: string): boolean;
    };

/** What a venue allows, and when its silence means trouble. */
export interface VenueLimits {
  /** Most symbols that one connection may carry; more take more connections. */
  readonly symbolsPerConnection: number;
  /** Least time between two frames sent on a connection, milliseconds. */
  readonly sendSpacingMs: number;
  /** Least time between two REST requests, milliseconds. */
  readonly httpSpacingMs: number;
  /** Silence on a socket after which it is taken for dead, milliseconds. */
  readonly silenceMs: number;
  /** Age at which a connection is replaced, before the venue ends it; null where it does not. */
  readonly maxAgeMs: number | null;
}

export interface PastAsk {
  readonly market: string;
  readonly endpoints: Endpoints;
  readonly instrument: Instrument;
  /** The feed's clock. */
  readonly nowMs: number;
}

export interface CandleAsk extends PastAsk {
  readonly interval: CandleInterval;
  /** Open times, unix seconds, whole multiples of the interval: from the first (inclusive) to the last (exclusive). */
  readonly fromS: number;
  readonly toS: number;
}

export interface TradeAsk extends PastAsk {
  /** Whole unix milliseconds: from the first (inclusive) to the last (exclusive). */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A candle in the venue's decimals. */
export interface VenueCandle {
  /** Open time, unix seconds. */
  readonly time: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  /** In the units that sizes are in. */
  readonly volume: string;
  /** 0 where the venue does not count them. */
  readonly trades: number;
}

/** A trade of the past in the venue's decimals, with the id that the stream gives it. */
export interface VenuePastTrade {
  readonly id: string | number;
  readonly price: string;
  readonly size: string;
  /** Of the taker. */
  readonly side: AggressorSide;
  /** May carry a fraction, as on the stream. */
  readonly timeMs: number;
}

/** One request, and how its answer is read. */
export interface CandlePage {
  readonly url: string;
  /**
   * Rows in any order; those that were not asked for are left out later.
   * @throws DepthwireError `malformed_venue_frame`
   */
  read(this: void, body: string): readonly VenueCandle[];
  /** The page before it in time; null before the first. */
  readonly next: () => CandlePage | null;
}

/** One request, and how its answer is read. */
export interface TradePage {
  readonly url: string;
  /** @throws DepthwireError `malformed_venue_frame` */
  read(this: void, body: string): TradeRows;
}

export interface TradeRows {
  /** In the order in which they were, oldest first; those that were not asked for are left out later. */
  readonly trades: readonly VenuePastTrade[];
  /** With this page and those before it: the stretch, unix milliseconds, in which there is none missing. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Null after the last. */
  readonly next: TradePage | null;
}

/** What a venue's REST tells of the past. */
export interface VenuePast {
  /** Intervals that the venue has in a market; of others there are no candles. */
  intervals(market: string): readonly CandleInterval[];
  /** Least time between two of these requests, milliseconds. */
  readonly spacingMs: number;
  /** The page of the newest candles asked for, which names the others; null where the venue keeps none of them. */
  candles(ask: CandleAsk): CandlePage | null;
  /** The first page; left out where the venue does not tell trades by time with the ids of its stream. */
  trades?(ask: TradeAsk): TradePage;
  /** Whether the prices of an instrument may be zero or below, as those of spreads. */
  isSigned?(this: void, instrument: Instrument): boolean;
}

/** One venue: the whole of what the rest of the project knows about it. */
export interface VenueAdapter {
  readonly venue: string;
  /** Endpoints by market. */
  readonly markets: Readonly<Record<string, Endpoints>>;
  readonly limits: VenueLimits;
  readonly metadata: MetadataSource;
  /**
   * Instruments from the venue's metadata.
   * @param texts answers or frames, in the order they came; later ones win
   * @param symbols venue symbols or `BASE-QUOTE`, in any case; empty for all that trade
   * @throws DepthwireError `malformed_venue_frame` where one as a whole makes no sense
   */
  parseMetadata(market: string, texts: readonly string[], symbols: readonly string[]): Metadata;
  /** An instrument of which only the symbol and the digits of its numbers are known. */
  guessInstrument(market: string, symbol: string, tickDecimals: number, lotDecimals: number): Instrument;
  socketUrl(market: string, endpoints: Endpoints): string;
  createSession(options: SessionOptions): VenueSession;
  /** Candles and trades of the past; left out where its REST has none. */
  readonly past?: VenuePast;
  readonly capture: CaptureSupport;
}
