export * from './model/errors.ts';
export { errorCatalogue } from './model/error-catalogue.ts';
export * from './model/units.ts';
export * from './model/instrument.ts';
export * from './model/clock.ts';
export * from './model/events.ts';
export { RecentSamples, type Percentiles } from './model/samples.ts';
export { BookSide, OrderBook } from './book/order-book.ts';
export { bookChecksum, CHECKSUM_DEPTH } from './book/checksum.ts';
export { crc32 } from './book/crc32.ts';
export * from './protocol/version.ts';
export * from './protocol/close-codes.ts';
export * from './protocol/messages.ts';
export * from './protocol/levels.ts';
export * from './protocol/codec.ts';
export * from './protocol/requests.ts';
export * from './protocol/records.ts';
export { backoffMs, defaultBackoff, type BackoffPolicy } from './client/backoff.ts';
export { Emitter } from './client/emitter.ts';
export { LatencyMeter, type Hop, type Latency } from './client/latency.ts';
export { BookReplica, type ReplicaOutcome } from './client/replica.ts';
export { BookSubscription, subscribeBook, type BookOptions } from './client/book-subscription.ts';
export {
  CandlesSubscription,
  StatusSubscription,
  Subscription,
  TickerSubscription,
  TradesSubscription,
  type CandlesOptions,
  type MergedTrades,
  type SubscriptionOptions,
} from './client/subscription.ts';
export type {
  BookView,
  CandlesView,
  ClientView,
  StatusView,
  StreamView,
  SubscriptionView,
  TickerView,
  TradesView,
} from './client/views.ts';
export { changes, whenOpen, whenReady, type AbortSignalLike, type WaitOptions } from './client/wait.ts';
export { StreamClient } from './client/stream-client.ts';
export { DepthwireClient, type ClientOptions, type ConnectionState } from './client/client.ts';
export { platformClock, type OpenWebSocket, type WebSocketLike } from './client/platform.ts';
