import type { Feed } from '@depthwire/feeds';

/** Where a feed comes from: a fresh one for each start, for one that has failed is not used again. */
export interface FeedSource {
  /** Unique within a process. */
  readonly id: string;
  /** Opens nothing yet: that is for the feed's `start`. */
  create(): Feed;
  /** Anybody's code: it never keeps the server from its start, and is tried again whatever it fails with. */
  readonly isPluggedIn?: boolean;
  /** By the market clock. */
  readonly maxEventsPerSecond?: number;
  /** What it was loaded from. */
  readonly module?: WatchedModule;
}

/** A module that was plugged in, and may do things of its own, apart from any feed. */
export interface WatchedModule {
  /** Has errors told that the module did not catch, those of the past at once. */
  watch(onError: (error: unknown) => void): void;
}

/** Whether it can bring forth another feed after one that failed; a feed by itself cannot. */
export function isFeedSource(feed: Feed | FeedSource): feed is FeedSource {
  return 'create' in feed;
}
