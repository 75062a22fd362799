import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { Feed } from '@depthwire/feeds';
import type { FastifyInstance } from 'fastify';
import type { FeedStatus, FeedSupervisor } from '../engine/feed-supervisor.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { feedReports, health } from './answers.ts';
import { registerMarketRoutes, type MarketRoutesOptions } from './market-routes.ts';

/** Books that are not live, named for each feed. */
const MAX_TROUBLES = 100;
/** What an operator should mend, named for each feed. */
const MAX_PROBLEMS = 20;

export interface RoutesOptions extends MarketRoutesOptions {
  readonly supervisor: FeedSupervisor;
  readonly gateway: Gateway;
  readonly version: string;
  /** False while feeds start and during shutdown. */
  isReady(): boolean;
}

/** The REST API: `/api/v1`. Prices and sizes are decimal text, exact to the instrument's scales. */
export function registerRoutes(root: FastifyInstance, options: RoutesOptions): void {
  const app = root.withTypeProvider<ZodTypeProvider>();
  const { engine, supervisor, gateway, marketClock, epoch } = options;

  function feedHealth(feed: Feed, { state, sinceMs, error, retryAtMs }: FeedStatus) {
    const { events = 0, refused = 0 } = engine.feeds.get(feed) ?? {};
    return {
      id: feed.id,
      state,
      since: Math.floor(sinceMs),
      error: error && { code: error.code, message: error.message, retry: error.retry },
      retryAt: retryAtMs === null ? null : Math.floor(retryAtMs),
      books: engine.countBooks(feed),
      events,
      refused,
      problems: [...engine.conflictsOf(feed), ...(feed.problems?.() ?? [])].slice(0, MAX_PROBLEMS),
    };
  }

  const feedsSchema = {
    operationId: 'getFeeds',
    tags: ['Server'],
    summary: 'How good each feed is',
    description:
      'As in health, with rates, latencies, what its sessions counted, and the books that are not live.',
    response: { 200: feedReports },
  };
  app.get('/api/v1/feeds', { schema: feedsSchema }, () => ({
    time: Math.floor(marketClock.now()),
    feeds: [...supervisor.statuses].map(([feed, status]) => ({
      ...feedHealth(feed, status),
      ...(engine.feeds.get(feed)?.quality.figures() ?? null),
      source: feed.stats?.() ?? null,
      reconnects: feed.reconnects?.() ?? null,
      troubles: engine
        .marketsOf(feed)
        .filter(({ state }) => state !== 'live')
        .slice(0, MAX_TROUBLES)
        .map(({ instrument, state, reason, stateSinceMs }) => ({
          instrument: instrument.id,
          state,
          reason,
          since: Math.floor(stateSinceMs),
        })),
    })),
  }));

  const healthSchema = {
    operationId: 'getHealth',
    tags: ['Server'],
    summary: 'Whether it is ready, and the state of each feed',
    description: 'Ready also while a venue is away: watch `feeds` and `books` for that.',
    response: {
      200: health,
      503: health,
    },
  };
  app.get('/api/v1/health', { schema: healthSchema }, (_request, reply) => {
    const isReady = options.isReady();
    void reply.code(isReady ? 200 : 503);
    return {
      status: isReady ? ('ready' as const) : ('unavailable' as const),
      version: options.version,
      epoch,
      time: Math.floor(marketClock.now()),
      connections: gateway.connectionCount,
      instruments: engine.markets.size,
      books: engine.countBooks(),
      feeds: [...supervisor.statuses].map(([feed, status]) => feedHealth(feed, status)),
    };
  });

  registerMarketRoutes(root, options);
}
