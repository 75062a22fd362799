import { createSimulatorFeed, createVenueFeed, findVenue, type Feed } from '@depthwire/feeds';
import { DepthwireError } from '@depthwire/shared';
import type { FeedConfig } from './config/config.ts';

/**
 * Feeds as the configuration names them.
 * @throws DepthwireError `invalid_config`, naming the key
 */
export function createFeeds(configs: readonly FeedConfig[]): Feed[] {
  const feeds = configs.map((config, i) => {
    try {
      return createFeed(config);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      throw new DepthwireError(
        'invalid_config',
        `feeds[${i}]: ${error.message}`,
        { key: `feeds[${i}]` },
        error,
      );
    }
  });
  const ids = feeds.map((feed) => feed.id);
  const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i);
  if (twice >= 0) {
    throw new DepthwireError(
      'invalid_config',
      `feeds[${twice}].id: ${ids[twice]} is taken by an earlier feed; give this one an id`,
      { key: `feeds[${twice}].id` },
    );
  }
  return feeds;
}

function createFeed(config: FeedConfig): Feed {
  if (!('symbols' in config)) {
    const { seed, instruments, rate, historyDays } = config as Extract<FeedConfig, { feed: 'sim' }>;
    return createSimulatorFeed({ seed, instruments, rate, historyDays });
  }
  const { feed, id, market, symbols, endpoints, httpSpacingMs } = config;
  return createVenueFeed(findVenue(feed, market), { id, market, symbols, endpoints, httpSpacingMs });
}
