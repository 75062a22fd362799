import type { ErrorCode } from '../model/errors.ts';
import type { BookState, CandleInterval } from '../model/events.ts';
import type { Instrument, InstrumentId } from '../model/instrument.ts';
import type { OutgoingLevels } from './levels.ts';

/**
 * The messages of protocol version 1; `docs/protocol.md` is their specification.
 *
 * Requests and answers are maps with an `op`. Data frames are arrays whose first element is a
 * frame code: they are the bulk of the traffic, so they carry no names. Both encodings hold the
 * very same values.
 */

export const topics = ['book', 'trades', 'ticker', 'candles', 'status'] as const;
export type Topic = (typeof topics)[number];

// ── client to server ────────────────────────────────────────────────────────────────────────────

/**
 * Where a client was in a channel when it lost its connection. Without a gateway it is good for a server that
 * serves its market alone.
 */
export interface ResumePoint {
  /** Of the instrument's market, as `subscribed` or `instrument` told it last. */
  readonly epoch: number;
  readonly ch: number;
  /** The last frame that it took. */
  readonly seq: number;
  /** Of the `hello` of that connection: channels and frames are numbered by each gateway for itself. */
  readonly gateway?: string;
  /**
   * What all gateways of a market count alike: the engine's updates that the book has, or the trades of the epoch
   * that the tape or the candles have.
   */
  readonly sequence?: number;
  /** As it was granted; `book` only. */
  readonly depth?: number;
}

export interface SubscribeRequest {
  readonly op: 'subscribe';
  readonly id: number;
  readonly topic: Topic;
  readonly instrument: InstrumentId;
  /** Levels a side, 0 for all; `book` only. */
  readonly depth?: number;
  /** Smallest time between two frames in milliseconds, 0 for every update. */
  readonly cadence?: number;
  /** `candles` only. */
  readonly interval?: CandleInterval;
  /** To go on from there, where the server still can. */
  readonly resume?: ResumePoint;
}

export interface UnsubscribeRequest {
  readonly op: 'unsubscribe';
  readonly id: number;
  readonly ch: number;
}

/** Asks for a snapshot of one channel, after a gap or a wrong checksum. */
export interface SnapshotRequest {
  readonly op: 'snapshot';
  readonly id: number;
  readonly ch: number;
}

export interface PingRequest {
  readonly op: 'ping';
  readonly id: number;
}

/** Asks for less data than there is: what does not fit is merged. Each replaces the one before. */
export interface LimitRequest {
  readonly op: 'limit';
  readonly id: number;
  /** Bytes of data a second at most; any number where it is left out. */
  readonly bandwidth?: number;
  /** Times a second at most that data is sent; any number where it is left out. */
  readonly rate?: number;
}

/** Says who the client is: before anything else where the server wants to know, and again before that expires. */
export interface AuthenticateRequest {
  readonly op: 'authenticate';
  readonly id: number;
  /** A secret key, a publishable key or a JSON Web Token. */
  readonly token: string;
}

export type ClientRequest =
  SubscribeRequest | UnsubscribeRequest | SnapshotRequest | PingRequest | LimitRequest | AuthenticateRequest;

// ── server to client: maps ──────────────────────────────────────────────────────────────────────

export interface ServerLimits {
  readonly maxMessageBytes: number;
  readonly maxSubscriptions: number;
}

/** The first message of a connection. */
export interface Hello {
  readonly op: 'hello';
  readonly protocol: number;
  readonly server: string;
  /** Names this connection in the server's log; of no meaning otherwise. */
  readonly session: string;
  /** Names this run of the gateway, which channels and frames are numbered by. */
  readonly gateway: string;
  /** The newest run of a market that the gateway knows; that of each instrument comes with its subscriptions. */
  readonly epoch: number;
  /** The market clock, unix milliseconds: the present, or the recorded time in a replay. */
  readonly time: number;
  /** Either side closes after two of these without a message. */
  readonly heartbeatMs: number;
  readonly depths: readonly number[];
  readonly cadences: readonly number[];
  readonly limits: ServerLimits;
  /** Whom the server takes the client for; null where it wants `authenticate` first. */
  readonly principal: string | null;
  /** When that expires, unix milliseconds; null for never. */
  readonly expires: number | null;
}

/** Echoes what was granted: the next larger depth and the next slower cadence that the server has. */
export interface Subscribed {
  readonly op: 'subscribed';
  readonly id: number;
  readonly ch: number;
  readonly topic: Topic;
  readonly instrument: Instrument;
  /** Names the run of the instrument's market; sequences of different epochs have nothing in common. */
  readonly epoch: number;
  readonly depth?: number;
  readonly cadence: number;
  readonly interval?: CandleInterval;
  /**
   * Only where the client goes on from where the request said: the newest frame of the channel. In the channel that it
   * was in nothing follows where it has that frame, else one frame that brings it there. In another one a frame follows
   * always, from which on the client counts as this channel does.
   */
  readonly seq?: number;
}

export interface Acknowledged {
  readonly op: 'unsubscribed' | 'snapshot';
  readonly id: number;
  readonly ch: number;
}

/** What is granted: no more than was asked for, nor than the server allows; null without a limit. */
export interface Limited {
  readonly op: 'limited';
  readonly id: number;
  readonly bandwidth: number | null;
  readonly rate: number | null;
}

export interface Authenticated {
  readonly op: 'authenticated';
  readonly id: number;
  readonly principal: string;
  readonly expires: number | null;
}

export interface Pong {
  readonly op: 'pong';
  readonly id: number;
  /** The server's wall clock, unix milliseconds. */
  readonly time: number;
}

export interface ErrorMessage {
  readonly op: 'error';
  /** The request it answers; null where the request could not be read. */
  readonly id: number | null;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retry: boolean;
}

/** The server shuts down; a client comes back after a random part of `reconnectMs`. */
export interface Goodbye {
  readonly op: 'goodbye';
  readonly reconnectMs: number;
}

/** An instrument changed (status, tick size, run of its market): affects every channel of it. */
export interface InstrumentChanged {
  readonly op: 'instrument';
  readonly instrument: Instrument;
  /** Of what follows. */
  readonly epoch: number;
}

export type ServerMessage =
  | Hello
  | Subscribed
  | Acknowledged
  | Limited
  | Authenticated
  | Pong
  | ErrorMessage
  | Goodbye
  | InstrumentChanged;

// ── server to client: data frames ───────────────────────────────────────────────────────────────

export const frameCodes = {
  bookSnapshot: 1,
  bookDelta: 2,
  bookState: 3,
  tradesSnapshot: 4,
  trades: 5,
  ticker: 6,
  candlesSnapshot: 7,
  candle: 8,
  status: 9,
  bookMerged: 10,
  tradesMerged: 11,
  candlesMerged: 12,
  bookResumed: 13,
} as const;

/** Indices into this array are how frames name a state. */
export const wireStates: readonly BookState[] = ['syncing', 'live', 'stale', 'recovering'];
export type WireState = 0 | 1 | 2 | 3;

export function wireStateOf(state: BookState): WireState {
  return wireStates.indexOf(state) as WireState;
}

/** Levels as steps and lots, best first, or what becomes that in a codec; see `encodeLevels`. */
export type WireLevels = number[] | OutgoingLevels;

/** Replaces the replica of a channel. */
export type BookSnapshotFrame = [
  code: 1,
  ch: number,
  seq: number,
  state: WireState,
  /** The engine's count of updates of this book. */
  sequence: number,
  /** Send time, unix milliseconds. */
  timeMs: number,
  /** Newest receive time less its venue time, milliseconds; null where the venue gives none. */
  lagMs: number | null,
  /** Price that the levels of this and of all following deltas are measured from. */
  reference: number,
  bids: WireLevels,
  asks: WireLevels,
  checksum: number,
  /** Why the book is not live, where that is known. */
  reason?: string,
];

export type BookDeltaFrame = [
  code: 2,
  ch: number,
  seq: number,
  /** Engine updates merged into this frame: add to the sequence. */
  merged: number,
  /** Send time less that of the channel's previous book frame, milliseconds. */
  elapsedMs: number,
  /** Send time less the receive time of the oldest merged update, milliseconds. */
  ageMs: number,
  lagMs: number | null,
  bids: WireLevels,
  asks: WireLevels,
  checksum?: number,
];

/** The state of the book changed; its levels did not. */
export type BookStateFrame = [
  code: 3,
  ch: number,
  seq: number,
  state: WireState,
  elapsedMs: number,
  reason: string | null,
];

/** One trade: id, ticks, lots, 0 for an aggressive buy and 1 for a sell, venue time in ms. */
export type WireTrade = [id: string | number, ticks: number, lots: number, side: 0 | 1, timeMs: number];

/** The latest trades, oldest first. */
export type TradesSnapshotFrame = [
  code: 4,
  ch: number,
  seq: number,
  timeMs: number,
  trades: WireTrade[],
  /** Trades of the epoch up to the newest of these. */
  sequence: number,
];
export type TradesFrame = [code: 5, ch: number, seq: number, timeMs: number, trades: WireTrade[]];

export type TickerFrame = [
  code: 6,
  ch: number,
  seq: number,
  timeMs: number,
  state: WireState,
  last: number | null,
  open: number | null,
  high: number | null,
  low: number | null,
  volume: number,
  turnover: number,
  trades: number,
  bid: number | null,
  bidSize: number,
  ask: number | null,
  askSize: number,
];

/** Open time in unix seconds, then ticks, lots and the number of trades. */
export type WireCandle = [
  time: number,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
  trades: number,
];

/** Oldest first; the last one is still open. */
export type CandlesSnapshotFrame = [
  code: 7,
  ch: number,
  seq: number,
  timeMs: number,
  candles: WireCandle[],
  /** Trades of the epoch that the candles have. */
  sequence: number,
];
/** Replaces the candle of the same open time, or appends one. */
export type CandleFrame = [
  code: 8,
  ch: number,
  seq: number,
  timeMs: number,
  candles: WireCandle[],
  sequence: number,
];

export type StatusFrame = [
  code: 9,
  ch: number,
  seq: number,
  timeMs: number,
  state: WireState,
  /** When the state began, unix milliseconds. */
  sinceMs: number,
  reason: string | null,
];

/**
 * In place of all book frames after `from`, up to `seq`: for a client that could not take them one by one.
 * Says the state too.
 */
export type BookMergedFrame = [
  code: 10,
  ch: number,
  seq: number,
  /** The frame that the client holds. */
  from: number,
  state: WireState,
  /** Engine updates since that frame. */
  merged: number,
  /** Milliseconds from that frame to the newest. */
  elapsedMs: number,
  /** Send time less receive time of the oldest update, milliseconds. */
  ageMs: number,
  lagMs: number | null,
  bids: WireLevels,
  asks: WireLevels,
  checksum: number,
  reason?: string,
];

/** In place of all trades after frame `from`, of which it has the latest one by one and all as sums. */
export type TradesMergedFrame = [
  code: 11,
  ch: number,
  seq: number,
  from: number,
  timeMs: number,
  /** Since the first of the frames that it stands for was made, milliseconds. */
  ageMs: number,
  /** All trades since `from`. */
  count: number,
  /** Lots of those whose aggressor bought, and of those whose aggressor sold. */
  bought: number,
  sold: number,
  /** Ticks of the cheapest and of the dearest. */
  low: number,
  high: number,
  /** The latest of them, oldest first. */
  trades: WireTrade[],
];

/** In place of all candle frames after `from`: every candle that changed since. */
export type CandlesMergedFrame = [
  code: 12,
  ch: number,
  seq: number,
  from: number,
  timeMs: number,
  /** Since the first of the frames that it stands for was made, milliseconds. */
  ageMs: number,
  candles: WireCandle[],
  sequence: number,
];

/**
 * Begins a channel for a client that held the book in a channel of another gateway: what differs from the book as it
 * was after update `from`.
 */
export type BookResumedFrame = [
  code: 13,
  ch: number,
  seq: number,
  state: WireState,
  /** The engine's count of updates of the book that the client holds. */
  from: number,
  /** And of the book that it holds then. */
  sequence: number,
  timeMs: number,
  /** Send time less receive time of the oldest update after `from`, milliseconds. */
  ageMs: number,
  lagMs: number | null,
  /** Price that the levels of this and of all following deltas are measured from. */
  reference: number,
  bids: WireLevels,
  asks: WireLevels,
  checksum: number,
  reason?: string,
];

export type DataFrame =
  | BookSnapshotFrame
  | BookDeltaFrame
  | BookStateFrame
  | TradesSnapshotFrame
  | TradesFrame
  | TickerFrame
  | CandlesSnapshotFrame
  | CandleFrame
  | StatusFrame
  | BookMergedFrame
  | TradesMergedFrame
  | CandlesMergedFrame
  | BookResumedFrame;
