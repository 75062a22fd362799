import {
  bookChecksum,
  candleIntervals,
  DepthwireError,
  formatUnits,
  isCandleInterval,
  type Candle,
  type Clock,
  type Instrument,
} from '@depthwire/shared';
import type { Feed } from '@depthwire/feeds';
import type { FastifyInstance } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import type { FeedStatus, FeedSupervisor } from '../engine/feed-supervisor.ts';
import type { MarketView } from '../engine/market.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { assertGranted, assertInstrument, mayRead } from '../access/grants.ts';
import { principalOf } from './guard.ts';

const MAX_DEPTH = 5_000;
const MAX_TRADES = 1_000;
const MAX_CANDLES = 1_500;
/** Books that are not live, named for each feed. */
const MAX_TROUBLES = 100;
/** What an operator should mend, named for each feed. */
const MAX_PROBLEMS = 20;

export interface RoutesOptions {
  readonly engine: Engine;
  readonly supervisor: FeedSupervisor;
  readonly gateway: Gateway;
  readonly marketClock: Clock;
  readonly epoch: number;
  readonly version: string;
  /** False while feeds start and during shutdown. */
  isReady(): boolean;
}

type Query = Readonly<Record<string, string | string[] | undefined>>;

/** The REST API: `/api/v1`. Prices and sizes are decimal text, exact to the instrument's scales. */
export function registerRoutes(app: FastifyInstance, options: RoutesOptions): void {
  const { engine, supervisor, gateway, marketClock, epoch } = options;

  function market(id: string): MarketView {
    const found = engine.markets.get(id);
    if (!found) throw new DepthwireError('unknown_instrument', `no feed publishes ${id}`, { instrument: id });
    return found;
  }

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

  app.get('/api/v1/feeds', { config: { access: 'operate' } }, () => ({
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

  app.get('/api/v1/health', { config: { access: 'later' } }, ({ principal }, reply) => {
    const status = {
      status: options.isReady() ? 'ready' : 'unavailable',
      time: Math.floor(marketClock.now()),
    };
    reply.code(options.isReady() ? 200 : 503);
    if (!principal?.grants.operate) return reply.send(status); // enough for a load balancer
    return reply.send({
      ...status,
      version: options.version,
      epoch,
      connections: gateway.connectionCount,
      instruments: engine.markets.size,
      books: engine.countBooks(),
      feeds: [...supervisor.statuses].map(([feed, status]) => feedHealth(feed, status)),
    });
  });

  // For what restarts a process: it looks at nothing that another process could mend.
  app.get('/api/v1/live', { config: { access: 'all' } }, () => ({ status: 'live' }));

  // For what sends clients here.
  app.get('/api/v1/ready', { config: { access: 'all' } }, (_request, reply) =>
    reply.code(options.isReady() ? 200 : 503).send({ status: options.isReady() ? 'ready' : 'unavailable' }),
  );

  app.get('/api/v1/instruments', (request) => {
    const { grants } = principalOf(request);
    return {
      instruments: [...engine.markets.values()]
        .map((view) => view.instrument)
        .filter(({ id }) => mayRead(grants, id)),
    };
  });

  app.get<{ Params: { id: string } }>('/api/v1/instruments/:id', (request) => {
    const { params } = request;
    assertInstrument(principalOf(request), params.id);
    const { instrument, state, reason, stateSinceMs } = market(params.id);
    return { instrument, state, reason, since: Math.floor(stateSinceMs) };
  });

  app.get<{ Params: { id: string }; Querystring: Query }>('/api/v1/instruments/:id/book', (request) => {
    const { params, query } = request;
    const principal = principalOf(request);
    assertGranted(principal, 'book', params.id);
    const view = market(params.id);
    const { maxDepth = MAX_DEPTH } = principal.grants;
    const depth = integer(query, 'depth', Math.min(100, maxDepth), 1, MAX_DEPTH);
    if (depth > maxDepth)
      throw new DepthwireError('forbidden', `${principal.id} may read ${maxDepth} levels a side`, { depth });
    const { book, instrument, state, reason } = view;
    return {
      instrument: instrument.id,
      state,
      reason,
      epoch,
      sequence: book.sequence,
      time: Math.floor(marketClock.now()),
      receiveTime: view.receiveTimeMs,
      venueTime: view.venueTimeMs,
      checksum: bookChecksum(book),
      bids: levels(book.bids.toFlat(depth), instrument),
      asks: levels(book.asks.toFlat(depth), instrument),
    };
  });

  app.get<{ Params: { id: string }; Querystring: Query }>('/api/v1/instruments/:id/trades', (request) => {
    const { params, query } = request;
    assertGranted(principalOf(request), 'trades', params.id);
    const { instrument, tape } = market(params.id);
    const limit = integer(query, 'limit', 100, 1, MAX_TRADES);
    return {
      instrument: instrument.id,
      trades: tape.slice(-limit).map((trade) => ({
        id: trade.id,
        time: trade.timeMs,
        price: formatUnits(trade.price, instrument.tick),
        size: formatUnits(trade.size, instrument.lot),
        side: trade.side,
      })),
    };
  });

  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/api/v1/instruments/:id/candles',
    async (request) => {
      const { params, query } = request;
      assertGranted(principalOf(request), 'candles', params.id);
      const { instrument } = market(params.id);
      const interval = query.interval ?? '1m';
      if (!isCandleInterval(interval)) {
        throw invalid('interval', Object.keys(candleIntervals).join(', '), interval);
      }
      const limit = integer(query, 'limit', 500, 1, MAX_CANDLES);
      const before = query.before === undefined ? undefined : integer(query, 'before', 0, 0, 2 ** 40);
      const candles = await engine.candles(instrument.id, interval, limit, before);
      return {
        instrument: instrument.id,
        interval,
        candles: candles.map((candle) => row(candle, instrument)),
      };
    },
  );
}

function levels(flat: readonly number[], { tick, lot }: Instrument): [price: string, size: string][] {
  const rows: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2)
    rows.push([formatUnits(flat[i]!, tick), formatUnits(flat[i + 1]!, lot)]);
  return rows;
}

function row({ time, open, high, low, close, volume, trades }: Candle, { tick, lot }: Instrument) {
  return [
    time,
    formatUnits(open, tick),
    formatUnits(high, tick),
    formatUnits(low, tick),
    formatUnits(close, tick),
    formatUnits(volume, lot),
    trades,
  ];
}

/** @throws DepthwireError `invalid_request` */
function integer(query: Query, name: string, fallback: number, min: number, max: number): number {
  const text = query[name];
  if (text === undefined) return fallback;
  const value = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw invalid(name, `an integer from ${min} to ${max}`, text);
  return value;
}

function invalid(name: string, expected: string, got: unknown): DepthwireError {
  return new DepthwireError('invalid_request', `${name}: expected ${expected}, got ${JSON.stringify(got)}`, {
    field: name,
  });
}
