import { createCcxtFeed, createSimulatorFeed, createVenueFeed, findVenue, type Feed } from '@depthwire/feeds';
import { DepthwireError } from '@depthwire/shared';
import type { FeedConfig } from './config/feeds.ts';
import type { FeedSource } from './engine/feed-source.ts';
import { typedError } from './engine/typed-error.ts';
import { isFeedId } from './plugins/check.ts';

/** Events in a second of a feed that is plugged in, unless the configuration says otherwise. */
const MAX_PLUGIN_EVENTS_PER_SECOND = 50_000;

/** Feeds as a checked configuration names them. */
export function createFeeds(configs: readonly FeedConfig[]): FeedSource[] {
  return configs.map((config) => {
    const isPluggedIn = 'plugin' in config;
    const limit = 'maxEventsPerSecond' in config ? config.maxEventsPerSecond : undefined;
    return {
      id: idOf(config),
      create: () => createFeed(config),
      isPluggedIn,
      module: isPluggedIn ? config.plugin.module : undefined,
      maxEventsPerSecond: limit ?? (isPluggedIn ? MAX_PLUGIN_EVENTS_PER_SECOND : undefined),
    };
  });
}

/** What only the feeds can tell: options that are wrong, and ids that are taken. */
export function feedProblems(
  configs: readonly FeedConfig[],
): { path: (string | number)[]; message: string }[] {
  const ids = new Set<string>();
  return configs.flatMap((config, i) => {
    try {
      const id = idOf(config);
      if (!ids.has(id)) {
        ids.add(id);
        return [];
      }
      return config.feed === 'sim'
        ? [
            {
              path: ['feeds', i, 'feed'],
              message: `there is already a feed ${id}; name all its instruments there`,
            },
          ]
        : [
            {
              path: ['feeds', i, 'id'],
              message: `${id} is taken by an earlier feed; give this one an id of its own`,
            },
          ];
    } catch (error) {
      const isPluggedIn = 'plugin' in config;
      if (!isPluggedIn && !(error instanceof DepthwireError)) throw error;
      const { code, message: reason, details } = typedError(error);
      const { key } = details;
      const message = code === 'feed_failed' ? `the factory threw: ${reason}` : reason;
      return [{ path: ['feeds', i, ...(typeof key === 'string' ? [key] : [])], message }];
    }
  });
}

/** By a look at a feed, which is made for that alone. */
function idOf(config: FeedConfig): string {
  const { id } = 'plugin' in config ? config.plugin.module.run(() => createFeed(config)) : createFeed(config);
  if (!isFeedId(id)) throw new DepthwireError('invalid_config', 'the feed’s id: it is not the same twice');
  return ('options' in config && config.options.id) || id;
}

function createFeed(config: FeedConfig): Feed {
  if ('options' in config) return config.plugin.create(config.options);
  if ('exchange' in config) {
    const { id, exchange, symbols, depth, hostname, urls, exchangeOptions: options } = config;
    return createCcxtFeed({ id, exchange, symbols, depth, hostname, urls, options });
  }
  if (!('symbols' in config)) {
    const { seed, instruments, rate, historyDays } = config;
    return createSimulatorFeed({ seed, instruments, rate, historyDays });
  }
  const { feed, id, market, symbols, endpoints, httpSpacingMs } = config;
  const adapter = 'plugin' in config ? config.plugin.adapter : findVenue(feed, market);
  return createVenueFeed(adapter, { id, market, symbols, endpoints, httpSpacingMs });
}
