import type { ClientOptions, ConnectionState } from '../client/client.ts';
import type { CandlesOptions, MergedTrades, SubscriptionEvents } from '../client/subscription.ts';
import type { BookView, SubscriptionView, TickerView } from '../client/views.ts';
import type { ErrorCode, ErrorDetails } from '../model/errors.ts';
import type { BookState, Candle } from '../model/events.ts';
import type { InstrumentId } from '../model/instrument.ts';
import type { EpochMs } from '../model/units.ts';
import type { RawFrame } from '../protocol/codec.ts';
import type { Hello, Limited, Topic } from '../protocol/messages.ts';
import type { Trade } from '../protocol/records.ts';

/** Options of a client that can be sent to another thread: functions cannot. */
export type RemoteOptions = Pick<ClientOptions, 'url' | 'limit' | 'encoding' | 'backoff'>;

export type AnyOptions = { readonly depth?: number } & Partial<CandlesOptions>;

/** What the reader's thread tells that of the client. */
export type RemoteRequest =
  | { readonly do: 'open'; readonly options: RemoteOptions; readonly hasToken: boolean }
  | { readonly do: 'connect' | 'reconnect' | 'close' | 'end' }
  | {
      readonly do: 'subscribe';
      readonly id: number;
      readonly topic: Topic;
      readonly instrument: InstrumentId;
      readonly options: AnyOptions;
    }
  | { readonly do: 'unsubscribe'; readonly id: number }
  /** What was asked for by `ask`, or why there is none. */
  | { readonly do: 'token'; readonly ask: number; readonly value: string | null; readonly error?: string }
  /** Whether the messages on the wire are wanted too. */
  | { readonly do: 'frames'; readonly wanted: boolean }
  /** The newest changes are taken: more may come. */
  | { readonly do: 'taken' };

/** An error as data, for classes do not cross threads. */
export interface ErrorWord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** All of a client that changes but for its subscriptions. */
export interface ClientWord {
  readonly state: ConnectionState;
  readonly hello: Hello | null;
  readonly principal: string | null;
  readonly limited: Pick<Limited, 'bandwidth' | 'rate'> | null;
  readonly roundTripMs: number | null;
  readonly clockOffsetMs: number | null;
  readonly clockUncertaintyMs: number | null;
  readonly retryAtMs: number | null;
}

/** Something that happened to the client, in its order. */
export type ClientEvent =
  | { readonly kind: 'state' | 'latency'; readonly client: ClientWord }
  | { readonly kind: 'error'; readonly error: ErrorWord };

/** What every topic has. */
export interface CommonWord extends Pick<SubscriptionView, 'granted' | 'hasData' | 'resyncs'> {
  /** Left out where it is that of before. */
  readonly instrument?: SubscriptionView['instrument'];
  readonly refusal: ErrorWord | null;
  readonly receivedAtMs: EpochMs | null;
}

export interface BookWord {
  readonly state: BookState;
  readonly reason: string | null;
  readonly sequence: number;
  readonly replica: BookView['replica'];
  /** Ticks and lots in turns, best first; left out where they are those of before. */
  readonly bids?: Float64Array;
  readonly asks?: Float64Array;
}

/** Rows that a frame brought, each told once. */
export interface TradesPart {
  readonly latest: readonly Trade[];
  readonly merged: MergedTrades | null;
  /** Whether they take the place of all that were there. */
  readonly isAll: boolean;
}

export interface CandlesPart {
  readonly latest: readonly Candle[];
  readonly isAll: boolean;
}

export type TopicWord =
  | ({ readonly topic: 'book' } & BookWord)
  | { readonly topic: 'trades'; readonly parts: readonly TradesPart[] }
  | { readonly topic: 'candles'; readonly parts: readonly CandlesPart[] }
  | { readonly topic: 'ticker'; readonly state: BookState; readonly ticker: TickerView['ticker'] }
  | {
      readonly topic: 'status';
      readonly state: BookState;
      readonly sinceMs: number | null;
      readonly reason: string | null;
    };

export interface Update {
  readonly id: number;
  /** What to tell those who listen, each once, in the order in which it happened first. */
  readonly events: readonly Exclude<keyof SubscriptionEvents, 'error' | 'close'>[];
  readonly errors: readonly ErrorWord[];
  readonly common: CommonWord;
  readonly word: TopicWord;
}

/** What the thread of the client tells the reader's. */
export type RemoteMessage =
  | { readonly tell: 'token'; readonly ask: number }
  | { readonly tell: 'frame'; readonly frame: RawFrame }
  | {
      readonly tell: 'changes';
      readonly traffic: { readonly framesIn: number; readonly bytesIn: number };
      readonly events: readonly ClientEvent[];
      readonly updates: readonly Update[];
    };

/** The part of a `MessagePort` that is used: a browser's or Node's. */
export interface PortLike {
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  close(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
}
