export type { CandleQuery, Feed, FeedContext, FeedLog, PastTrades, TradeQuery } from './core/feed.ts';
export { steadyClock, systemClock } from './core/system.ts';
export { VirtualClock } from './core/virtual-clock.ts';
export { createVenueFeed, type VenueFeed, type VenueFeedOptions } from './core/venue-feed.ts';
export { emptyStats, type SessionStats } from './core/session-stats.ts';
export {
  type CandleAsk,
  type CandlePage,
  type CaptureSink,
  type CaptureSupport,
  type Endpoints,
  type HttpResponse,
  type Metadata,
  type MetadataSource,
  type RecordedText,
  type SessionIo,
  type SessionOptions,
  type TradeAsk,
  type TradePage,
  type TradeRows,
  type VenueAdapter,
  type VenueCandle,
  type VenueLimits,
  type VenuePast,
  type VenuePastTrade,
  type VenueSession,
} from './core/venue.ts';
export { candleWindows, newestTrades, queryUrl, tradePages, tradesFrom } from './core/past.ts';
export { defineVenue, type VenueDefinition } from './core/define-venue.ts';
export { Session, type Protocol, type SessionBook } from './core/session.ts';
export { StreamBook } from './core/stream-book.ts';
export { JoinedBook, type JoinedBookOptions, type RestSnapshot } from './core/joined-book.ts';
export type { Sequencer } from './core/book-sync.ts';
export type {
  FlatUpdate,
  InstrumentOutlet,
  LevelUpdate,
  OutletOptions,
  VenueTicker,
  VenueTrade,
} from './core/instrument-outlet.ts';
export { checkLevels, flattenLevels, type PriceLevel } from './core/levels.ts';
export { checkIntegers, checkTexts, isRecord, malformed, parseJson } from './core/frame-checks.ts';
export { findVenue, venues } from './registry.ts';
export { inspectCapture, type CaptureInfo, type CaptureSelection } from './capture/inspect.ts';
export {
  createReplayFeed,
  firstTimeMs,
  inspectCaptures,
  type Pacemaker,
  type ReplayFeed,
} from './capture/replay.ts';
export { Recorder, type RecorderOptions } from './capture/record.ts';
export { fsyncPolicies, type FsyncPolicy } from './capture/write.ts';
export type { SocketTap, WireTap } from './core/wire-tap.ts';
export { readCapture, type CaptureRecord, type ReadProgress } from './capture/read.ts';
export { createCcxtFeed, type CcxtFeedOptions } from './bridge/ccxt.ts';
export { createSimulatorFeed, type SimulatorOptions } from './simulator/index.ts';
