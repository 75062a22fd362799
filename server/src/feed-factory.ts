import { createSimulatorFeed, createVenueFeed, findVenue, type Feed } from '@depthwire/feeds';
import { DepthwireError } from '@depthwire/shared';
import type { FeedConfig } from './config/feeds.ts';

/** Feeds as a checked configuration names them. */
export function createFeeds(configs: readonly FeedConfig[]): Feed[] {
  return configs.map(createFeed);
}

/** What only the feeds can tell: options that are wrong, and ids that are taken. */
export function feedProblems(
  configs: readonly FeedConfig[],
): { path: (string | number)[]; message: string }[] {
  const ids = new Set<string>();
  return configs.flatMap((config, i) => {
    try {
      const { id } = createFeed(config);
      if (!ids.has(id)) {
        ids.add(id);
        return [];
      }
      return 'symbols' in config
        ? [
            {
              path: ['feeds', i, 'id'],
              message: `${id} is taken by an earlier feed; give this one an id of its own`,
            },
          ]
        : [
            {
              path: ['feeds', i, 'feed'],
              message: `there is already a feed ${id}; name all its instruments there`,
            },
          ];
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      const { key } = error.details;
      return [{ path: ['feeds', i, ...(typeof key === 'string' ? [key] : [])], message: error.message }];
    }
  });
}

function createFeed(config: FeedConfig): Feed {
  if (!('symbols' in config)) {
    const { seed, instruments, rate, historyDays } = config;
    return createSimulatorFeed({ seed, instruments, rate, historyDays });
  }
  const { feed, id, market, symbols, endpoints, httpSpacingMs } = config;
  return createVenueFeed(findVenue(feed, market), { id, market, symbols, endpoints, httpSpacingMs });
}
