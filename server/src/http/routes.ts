import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Access } from '../access/access.ts';
import type { FeedReport } from '../engine/market-source.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { History } from '../history/history.ts';
import { registerAccessRoute } from './access-route.ts';
import { feedReports, health, readiness } from './answers.ts';
import { registerDepthRoutes, type DepthRoutesOptions } from './depth-routes.ts';
import { registerMarketRoutes, type MarketRoutesOptions } from './market-routes.ts';
import { registerTickets } from './tickets.ts';

export interface RoutesOptions extends MarketRoutesOptions, DepthRoutesOptions {
  /** For an ingest: clients are served by gateways. */
  readonly servesOperatorsOnly: boolean;
  readonly gateway: Gateway;
  readonly history: History;
  readonly access: Access;
  readonly version: string;
  /** False while feeds start and during shutdown. */
  isReady(): boolean;
}

/** The REST API: `/api/v1`. Prices and sizes are decimal text, exact to the instrument's scales. */
export function registerRoutes(root: FastifyInstance, options: RoutesOptions): void {
  const app = root.withTypeProvider<ZodTypeProvider>();
  const { source, gateway, marketClock, epoch } = options;

  function readinessNow(reply: FastifyReply) {
    const isReady = options.isReady();
    void reply.code(isReady ? 200 : 503);
    return {
      status: isReady ? ('ready' as const) : ('unavailable' as const),
      time: Math.floor(marketClock.now()),
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
  app.get('/api/v1/feeds', { schema: feedsSchema, config: { access: 'operate' } }, () => ({
    time: Math.floor(marketClock.now()),
    feeds: source.feedReports(),
    bus: source.busReport(),
  }));

  const healthSchema = {
    operationId: 'getHealth',
    tags: ['Server'],
    summary: 'Whether it is ready, and the state of each feed',
    description:
      'Ready also while a venue is away: watch `feeds` and `books` for that. Whoever may not operate ' +
      'gets no figures.',
    response: {
      200: z.union([health, readiness]),
      503: z.union([health, readiness]),
    },
  };
  app.get('/api/v1/health', { schema: healthSchema, config: { access: 'later' } }, ({ principal }, reply) => {
    const status = readinessNow(reply);
    if (!principal?.grants.operate) return status;
    return {
      ...status,
      version: options.version,
      epoch,
      connections: gateway.connectionCount,
      instruments: source.markets.size,
      books: source.countBooks(),
      feeds: source.feedReports().map(healthOf),
      bus: source.busReport(),
      history: options.history.report,
    };
  });

  // For what restarts a process: it looks at nothing that another process could mend.
  const liveSchema = {
    operationId: 'getLive',
    tags: ['Server'],
    summary: 'Whether the process answers',
    response: { 200: z.object({ status: z.literal('live') }) },
  };
  app.get('/api/v1/live', { schema: liveSchema, config: { access: 'all' } }, () => ({
    status: 'live' as const,
  }));

  // For what sends clients here.
  const readySchema = {
    operationId: 'getReady',
    tags: ['Server'],
    summary: 'Whether it takes clients',
    response: { 200: readiness, 503: readiness },
  };
  app.get('/api/v1/ready', { schema: readySchema, config: { access: 'all' } }, (_request, reply) =>
    readinessNow(reply),
  );

  if (options.servesOperatorsOnly) return;
  registerMarketRoutes(root, options);
  registerDepthRoutes(root, options);
  registerAccessRoute(root);
  registerTickets(root, options);
}

/** Without what is measured of it. */
function healthOf({ id, state, since, error, retryAt, books, events, refused, problems }: FeedReport) {
  return { id, state, since, error, retryAt, books, events, refused, problems };
}
