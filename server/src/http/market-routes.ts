import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import {
  bookChecksum,
  DepthwireError,
  formatUnits,
  instrumentKinds,
  toDepthwireError,
  tradingStatuses,
  type Candle,
  type Clock,
  type Instrument,
} from '@depthwire/shared';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { oneOf } from '../config/schema.ts';
import type { MarketSource } from '../engine/market-source.ts';
import type { Past } from '../history/past.ts';
import type { MarketView } from '../engine/market.ts';
import { intervals } from '../protocol/values.ts';
import { book, candleList, instrumentList, instrumentState, tradeList } from './answers.ts';
import { assertGranted, assertInstrument, mayRead } from '../access/grants.ts';
import { etagOf, isFresh, revalidated } from './caching.ts';
import { principalOf } from './guard.ts';
import { cursorParameter, linkNext, linkTo } from './paging.ts';
import { instrumentPage } from './instrument-page.ts';
import { integer, word } from './schema-parts.ts';
import { tradePage, type Tape, type TradePage, type TradeQuery } from './trade-page.ts';

const MAX_INSTRUMENTS = 1_000;
const MAX_DEPTH = 5_000;
const MAX_TRADES = 1_000;
const MAX_CANDLES = 1_500;
/** They may have to be asked of the venue, or worked out. */
const CANDLES_COST = 5;
/** Past every time in question; unix seconds, or milliseconds. */
const MAX_SECONDS = 2 ** 40;
const MAX_MS = 2 ** 49;

export interface MarketRoutesOptions {
  readonly source: MarketSource;
  readonly past: Past;
  readonly marketClock: Clock;
  readonly epoch: number;
}

const params = z.object({
  id: z
    .string()
    .describe('Instrument id')
    .meta({ examples: ['sim:BTC-USD'] }),
});

const instrumentsSchema = {
  operationId: 'listInstruments',
  tags: ['Instruments'],
  summary: 'Instruments that feeds publish',
  querystring: z.object({
    venue: word('binance').optional().describe('Only of this venue'),
    base: word('BTC').optional().describe('Only those where this is traded'),
    quote: word('USD').optional().describe('Only those that are paid in this'),
    kind: oneOf(instrumentKinds).optional().describe('Only of this kind'),
    status: oneOf(tradingStatuses).optional().describe('Only those of this trading status'),
    limit: integer(1, MAX_INSTRUMENTS).default(MAX_INSTRUMENTS).describe('Most instruments of a page'),
    cursor: cursorParameter,
  }),
  response: revalidated(instrumentList),
  errors: ['cursor_expired'],
} as const;

const instrumentSchema = {
  operationId: 'getInstrument',
  tags: ['Instruments'],
  summary: 'One instrument, and the state of its book',
  params,
  response: revalidated(instrumentState),
  errors: ['unknown_instrument'],
} as const;

const bookSchema = {
  operationId: 'getBook',
  tags: ['Market data'],
  summary: 'The order book now',
  params,
  querystring: z.object({
    depth: integer(1, MAX_DEPTH).default(100).describe('Levels a side; no more than the key may read'),
  }),
  response: revalidated(book),
  errors: ['unknown_instrument'],
} as const;

const tradesSchema = {
  operationId: 'getTrades',
  tags: ['Market data'],
  summary: 'Trades',
  description:
    'The latest `limit` of those that are kept, or with `after` the first ones after it, in the order in which they ' +
    'arrived. With `before` and `after` both it is those between the two, from the earliest on: `limit` cuts off the ' +
    'later ones, and `next` goes forward to them. `next` goes on in the same direction; `newer` is what comes after this ' +
    'page, now or whenever it is asked; both keep to `before` and `after`. Where history is stored, pages go back through it, ' +
    'a restart and more. No page repeats or leaves out a trade that is ' +
    'kept, whatever is traded meanwhile.',
  params,
  querystring: z
    .object({
      limit: integer(1, MAX_TRADES).default(100).describe('Most trades of a page'),
      before: integer(0, MAX_MS).optional().describe('Only trades before this time, unix milliseconds'),
      after: integer(0, MAX_MS)
        .optional()
        .describe('Only trades after this time, unix milliseconds; less than `before`, where both are given'),
      cursor: cursorParameter,
    })
    .refine(({ before = Infinity, after = -Infinity }) => after < before, {
      path: ['after'],
      error: 'expected a time before that of `before`',
    }),
  response: revalidated(tradeList),
  errors: ['unknown_instrument', 'cursor_expired'],
} as const;

const candlesSchema = {
  operationId: 'getCandles',
  tags: ['Market data'],
  summary: 'Candles',
  description:
    'Those that opened before `before`, and without it the newest. A page can have fewer than `limit`, as there is no ' +
    'candle where there was no trade. `next` is null where there is nothing older. Of a feed that asks others for its past ' +
    'and cannot tell how far that goes, the last page leads to one without any candle, which has no `next` either. Such a ' +
    'page also comes where there was no trade for as long as `limit` intervals: an earlier `before` tells.',
  params,
  querystring: z.object({
    interval: oneOf(intervals).default('1m'),
    limit: integer(1, MAX_CANDLES).default(500).describe('Most candles of a page'),
    before: integer(0, MAX_SECONDS).optional().describe('Only candles that opened earlier, unix seconds'),
  }),
  response: revalidated(candleList),
  errors: ['unknown_instrument'],
} as const;

/** Instruments, and what is known of the market of each. */
export function registerMarketRoutes(root: FastifyInstance, options: MarketRoutesOptions): void {
  const app = root.withTypeProvider<ZodTypeProvider>();
  const { source, past, marketClock } = options;
  const runs = new Runs();

  function market(id: string): MarketView {
    const found = source.markets.get(id);
    if (!found) throw new DepthwireError('unknown_instrument', `no feed publishes ${id}`, { instrument: id });
    return found;
  }

  /** The tape goes on being told while what is stored cannot be read. */
  async function kept(view: MarketView, tape: Tape, query: TradeQuery): Promise<TradePage> {
    try {
      return await tradePage(view, tape, query, past.storedTape(view));
    } catch (error) {
      if (toDepthwireError(error).code !== 'history_unavailable') throw error;
      return tradePage(view, tape, query);
    }
  }

  app.get('/api/v1/instruments', { schema: instrumentsSchema }, (request, reply) => {
    const { grants } = principalOf(request);
    const all = [...source.markets.values()]
      .map(({ instrument }) => instrument)
      .filter(({ id }) => mayRead(grants, id));
    const { instruments, cursor } = instrumentPage(all, request.query);
    const next = cursor === null ? null : linkTo(request, { cursor });
    linkNext(reply, next);
    return { instruments, next };
  });

  app.get('/api/v1/instruments/:id', { schema: instrumentSchema, config: { isLive: true } }, (request) => {
    const { params } = request;
    const principal = principalOf(request);
    assertInstrument(principal, params.id);
    const { instrument, state, reason, stateSinceMs } = market(params.id);
    const { topics } = principal.grants;
    if (!topics.includes('book') && !topics.includes('status')) return { instrument };
    return { instrument, state, reason, since: Math.floor(stateSinceMs) };
  });

  app.get(
    '/api/v1/instruments/:id/book',
    { schema: bookSchema, config: { isLive: true } },
    (request, reply) => {
      const principal = principalOf(request);
      assertGranted(principal, 'book', request.params.id);
      const view = market(request.params.id);
      const depth = Math.min(request.query.depth, principal.grants.maxDepth ?? MAX_DEPTH);
      const { book, instrument, state, reason } = view;
      // Known before a level is written: most who ask again and again have the book as it is.
      const etag = etagOf(view.epoch, runs.of(view), book.sequence, depth, state, reason);
      void reply.header('etag', etag);
      if (isFresh(request, etag)) {
        void reply.code(304).send();
        return;
      }
      return {
        instrument: instrument.id,
        state,
        reason,
        epoch: view.epoch,
        sequence: book.sequence,
        time: Math.floor(marketClock.now()),
        receiveTime: view.receiveTimeMs,
        venueTime: view.venueTimeMs,
        checksum: bookChecksum(book),
        bids: levels(book.bids.toFlat(depth), instrument),
        asks: levels(book.asks.toFlat(depth), instrument),
      };
    },
  );

  app.get(
    '/api/v1/instruments/:id/trades',
    { schema: tradesSchema, config: { isLive: true } },
    async (request, reply) => {
      assertGranted(principalOf(request), 'trades', request.params.id);
      const view = market(request.params.id);
      const { instrument } = view;
      const page = await kept(view, { epoch: view.epoch, run: runs.of(view) }, request.query);
      const next = page.next === null ? null : linkTo(request, { cursor: page.next });
      linkNext(reply, next);
      return {
        instrument: instrument.id,
        trades: page.trades.map((trade) => ({
          id: trade.id,
          time: trade.timeMs,
          price: formatUnits(trade.price, instrument.tick),
          size: formatUnits(trade.size, instrument.lot),
          side: trade.side,
        })),
        next,
        newer: linkTo(request, { cursor: page.newer }),
        missed: page.missed,
      };
    },
  );

  app.get(
    '/api/v1/instruments/:id/candles',
    { schema: candlesSchema, config: { cost: CANDLES_COST } },
    async (request, reply) => {
      assertGranted(principalOf(request), 'candles', request.params.id);
      const { instrument } = market(request.params.id);
      const { interval, limit, before } = request.query;
      const { candles, hasMore, holes } = await past.candles(instrument.id, interval, limit, before);
      const next = hasMore ? linkTo(request, { before: String(candles[0]!.time) }) : null;
      linkNext(reply, next);
      return {
        instrument: instrument.id,
        interval,
        candles: candles.map((candle) => row(candle, instrument)),
        holes: holes.map(({ fromMs, toMs }): [number, number] => [fromMs, toMs]),
        next,
      };
    },
  );
}

/** Numbers the markets: one that begins anew under the same id, as with another tick size, is another. */
class Runs {
  readonly #numbers = new WeakMap<MarketView, number>();
  #count = 0;

  of(view: MarketView): number {
    let number = this.#numbers.get(view);
    if (number === undefined) this.#numbers.set(view, (number = ++this.#count));
    return number;
  }
}

function levels(flat: readonly number[], { tick, lot }: Instrument): [price: string, size: string][] {
  const rows: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2)
    rows.push([formatUnits(flat[i]!, tick), formatUnits(flat[i + 1]!, lot)]);
  return rows;
}

function row({ time, open, high, low, close, volume, trades }: Candle, { tick, lot }: Instrument) {
  const price = (ticks: number) => formatUnits(ticks, tick);
  return [
    time,
    price(open),
    price(high),
    price(low),
    price(close),
    formatUnits(volume, lot),
    trades,
  ] satisfies [number, string, string, string, string, string, number];
}
