export type { CandleQuery, Feed, FeedContext, FeedLog } from './core/feed.ts';
export { systemClock } from './core/system.ts';
export { VirtualClock } from './core/virtual-clock.ts';
export { createVenueFeed, type VenueFeedOptions } from './core/venue-feed.ts';
export type { Endpoints, SessionStats, VenueAdapter } from './core/venue.ts';
export { findVenue, venues } from './registry.ts';
export { inspectCapture, type CaptureInfo, type CaptureSelection } from './capture/inspect.ts';
export {
  createReplayFeed,
  firstTimeMs,
  inspectCaptures,
  type Pacemaker,
  type ReplayFeed,
} from './capture/replay.ts';
export { readCapture, type CaptureRecord, type ReadProgress } from './capture/read.ts';
export { createSimulatorFeed, type SimulatorOptions } from './simulator/index.ts';
