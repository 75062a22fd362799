import type { Clock, DepthwireError, EpochMs, FeedEvent, Instrument, InstrumentId } from '@depthwire/shared';
import type { FeedLog } from './feed.ts';

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
  /** Sends a text frame on the socket that opened last. */
  send(text: string): void;
  get(url: string, callback: HttpCallback): void;
}

/** What a session counted; `verify` and the feed pages show it. */
export interface SessionStats {
  /** Frames of any kind. */
  frames: number;
  /** Order-book messages among them. */
  bookUpdates: number;
  trades: number;
  /** Frames that could not be understood. */
  malformed: number;
  /** Pairs of consecutive book messages that the venue's sequence rule joins. */
  links: number;
  /** Pairs that it does not. */
  gaps: number;
  checksumsOk: number;
  checksumsBad: number;
  /** Books that had to be taken anew after having been live. */
  resyncs: number;
}

export function emptyStats(): SessionStats {
  return {
    frames: 0,
    bookUpdates: 0,
    trades: 0,
    malformed: 0,
    links: 0,
    gaps: 0,
    checksumsOk: 0,
    checksumsBad: 0,
    resyncs: 0,
  };
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

/** Prices and sizes as they stand in recorded frames, from which scales can be told. */
export interface DigitSink {
  price(symbol: string, text: string): void;
  size(symbol: string, text: string): void;
}

/** What a replay must know of a venue beyond its session. */
export interface CaptureSupport {
  /** The market of a recorded socket's URL; null when it is not this venue's. */
  marketOf(url: string): string | null;
  /**
   * Names what a recorded or wanted HTTP answer is about, so that one serves for the other
   * whatever host and version the URL names; null for answers that no session asks for.
   */
  restKey(url: string): string | null;
  /** Whether the answer is the venue's instrument metadata. */
  isMetadata(url: string): boolean;
  /** Reports every price and size in a recorded frame. Ignores what it does not know. */
  digits(text: string, sink: DigitSink): void;
  /** The same for a recorded HTTP answer. */
  restDigits(url: string, body: string, sink: DigitSink): void;
}

/** What a venue's metadata answer tells of the symbols asked for. */
export interface Metadata {
  readonly instruments: readonly Instrument[];
  /** Symbols, in capitals, of which it tells nothing usable: `unknown_symbol` or `malformed_venue_frame`. */
  readonly refused: ReadonlyMap<string, DepthwireError>;
}

/** One venue: the whole of what the rest of the project knows about it. */
export interface VenueAdapter {
  readonly venue: string;
  /** Endpoints by market. */
  readonly markets: Readonly<Record<string, Endpoints>>;
  /** Most symbols that one connection may carry. */
  readonly maxSymbols: number;
  /** Least time between two REST requests that keeps within the venue's limits, milliseconds. */
  readonly httpSpacingMs: number;
  /** Silence on a socket after which it is taken for dead, milliseconds. */
  readonly silenceMs: number;
  metadataUrl(market: string, endpoints: Endpoints): string;
  /**
   * Instruments from the venue's metadata answer.
   * @param symbols venue symbols or `BASE-QUOTE`, in any case; empty for all that trade
   * @throws DepthwireError `malformed_venue_frame` where the answer as a whole makes no sense
   */
  parseMetadata(market: string, body: string, symbols: readonly string[]): Metadata;
  /** An instrument of which only the symbol and the digits of its numbers are known. */
  guessInstrument(market: string, symbol: string, tickDecimals: number, lotDecimals: number): Instrument;
  socketUrl(endpoints: Endpoints): string;
  createSession(options: SessionOptions): VenueSession;
  readonly capture: CaptureSupport;
}
