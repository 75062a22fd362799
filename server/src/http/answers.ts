import { errorCatalogue, topics, type ErrorCode } from '@depthwire/shared';
import { DEPTH_PERIOD_MS } from '@depthwire/shared/depth';
import { z } from 'zod';
import {
  bookState,
  count,
  epochMs,
  instrument,
  instrumentId,
  intervals,
  openSet,
  whole,
} from '../protocol/values.ts';
import { nextLink } from './paging.ts';

// What the REST API answers: the compiler holds the routes to it, tests hold the answers.

const price = (meaning: string) => z.string().describe(`${meaning}: decimal text, exact`);
const time = (meaning: string) => z.number().describe(`${meaning}, unix milliseconds, may have a fraction`);
const reason = z.string().nullable().describe('For people; null when live');

export const errorAnswer = z
  .object({
    error: z.object({
      code: openSet(Object.keys(errorCatalogue) as ErrorCode[]).describe(
        'Stable. Treat one that you do not know by `retry`',
      ),
      message: z.string().describe('For people'),
      retry: z.boolean().describe('Whether the same request can succeed later'),
    }),
  })
  .meta({ id: 'Error' });

export const instrumentList = z
  .object({
    instruments: z.array(instrument).describe('In the order in which their feeds brought them'),
    next: nextLink,
  })
  .meta({ id: 'InstrumentList' });

export const instrumentState = z
  .object({
    instrument,
    state: bookState.optional(),
    reason: reason.optional(),
    since: epochMs('When the state began').optional(),
  })
  .describe('A key that may read neither `book` nor `status` is not told the state')
  .meta({ id: 'InstrumentState' });

const levels = (order: string) =>
  z
    .array(z.tuple([price('Price'), price('Size')]))
    .describe(`Best, which is the ${order}, first: price and size of each level`);

export const book = z
  .object({
    instrument: instrumentId,
    state: bookState,
    reason,
    epoch: whole('Names this run of the server; sequences of different epochs have nothing in common'),
    sequence: count('Updates of this book since the epoch began, or its scales changed'),
    time: epochMs('Market clock of the answer'),
    receiveTime: time('When the newest update came; null before the first').nullable(),
    venueTime: time('When the venue says that it happened; null where it says nothing').nullable(),
    checksum: count('CRC-32 of the best 25 levels of each side, whatever `depth` is; see docs/protocol.md'),
    bids: levels('highest'),
    asks: levels('lowest'),
  })
  .meta({
    id: 'Book',
    examples: [
      {
        instrument: 'sim:BTC-USD',
        state: 'live',
        reason: null,
        epoch: 1760000000000,
        sequence: 18250,
        time: 1760000012345,
        receiveTime: 1760000012298.5,
        venueTime: 1760000012286,
        checksum: 395983713,
        bids: [
          ['67042.15', '0.4500'],
          ['67042.14', '1.2000'],
        ],
        asks: [
          ['67042.16', '0.3000'],
          ['67042.20', '0.8000'],
        ],
      },
    ],
  });

const trade = z
  .object({
    id: z.union([z.string(), z.int()]).describe('The venue’s own'),
    time: epochMs('Of the venue, or of arrival where it tells none'),
    price: price('Price'),
    size: price('Size'),
    side: z.enum(['buy', 'sell']).describe('Who took liquidity'),
  })
  .meta({ id: 'Trade' });

export const tradeList = z
  .object({
    instrument: instrumentId,
    trades: z.array(trade).describe('In the order in which they arrived'),
    next: nextLink,
    newer: z
      .string()
      .describe('Path and query of whatever comes after these trades, now or later: for polling'),
    missed: count('Trades after those of the page before that are not kept any more'),
  })
  .meta({
    id: 'TradeList',
    examples: [
      {
        instrument: 'sim:BTC-USD',
        trades: [{ id: 't-91', time: 1760000012001, price: '67042.16', size: '0.0200', side: 'buy' }],
        next: '/api/v1/instruments/sim:BTC-USD/trades?limit=1&cursor=WzE3NjAwMDAwMDAwMDAsMSwiYmVmb3JlIiw5MF0',
        newer: '/api/v1/instruments/sim:BTC-USD/trades?limit=1&cursor=WzE3NjAwMDAwMDAwMDAsMSwiZnJvbSIsOTFd',
        missed: 0,
      },
    ],
  });

const candle = z
  .tuple([
    whole('Open time, unix seconds, a whole multiple of the interval'),
    price('Open'),
    price('High'),
    price('Low'),
    price('Close'),
    price('Volume'),
    count('Number of trades'),
  ])
  .meta({ id: 'Candle', description: 'Open time, open, high, low, close, volume, number of trades' });

export const candleList = z
  .object({
    instrument: instrumentId,
    interval: openSet(intervals),
    candles: z
      .array(candle)
      .describe('Oldest first; none of an interval without a trade. The newest may still be open'),
    holes: z
      .array(z.tuple([time('Since when'), time('Until when')]))
      .describe(
        'Stretches of the page in which trades may be missing: nobody listened, and nobody could be asked',
      ),
    next: nextLink,
  })
  .meta({
    id: 'CandleList',
    examples: [
      {
        instrument: 'sim:BTC-USD',
        interval: '1m',
        candles: [[1759999980, '67042.00', '67042.16', '67041.50', '67042.16', '5.2000', 12]],
        holes: [],
        next: '/api/v1/instruments/sim:BTC-USD/candles?interval=1m&limit=1&before=1759999980',
      },
    ],
  });

const differences = (side: string) =>
  z
    .array(z.int())
    .describe(
      `${side} buckets that differ from the column before, each as two numbers: how many are passed over before it, and the difference of its code`,
    );

const depthColumn = z
  .tuple([
    count('Periods since the column before, 0 in the first one; more than 1 leaves holes between'),
    z.int().nullable().describe('Best bid less the last one told; null where there is none'),
    z.int().nullable().describe('Best ask, likewise'),
    differences('Bid'),
    differences('Ask'),
    z
      .tuple([z.int(), z.int(), z.int(), count('Lots bought'), count('Lots sold')])
      .optional()
      .describe('Only where something was traded: low, high and last less the bid, lots bought, lots sold'),
  ])
  .meta({ id: 'DepthColumn', description: 'A second of a book, as it differs from the column before it' });

const scale = instrument.shape.tick;

export const depthHistory = z
  .object({
    instrument: instrumentId,
    tick: scale,
    lot: scale,
    period: z.literal(DEPTH_PERIOD_MS).describe('Of a column, milliseconds'),
    step: z
      .int()
      .min(1)
      .nullable()
      .describe(
        'Ticks of a bucket: of these columns, or where there are none of those to come; null before there is a book',
      ),
    buckets: count('Most buckets of a side'),
    time: epochMs('Start of the period of the first column; null where there is none').nullable(),
    since: epochMs('Start of the oldest period that is kept; null where none is').nullable(),
    columns: z.array(depthColumn).describe('Oldest first'),
    next: nextLink,
    newer: z.string().describe('Path and query of whatever comes after these columns, now or later'),
  })
  .meta({
    id: 'DepthHistory',
    examples: [
      {
        instrument: 'sim:BTC-USD',
        tick: { units: 1, decimals: 2 },
        lot: { units: 1, decimals: 5 },
        period: 1000,
        step: 500,
        buckets: 256,
        time: 1760000010000,
        since: 1759996380000,
        columns: [
          [0, 6704215, 6704216, [0, 4536, 1, 3480], [0, 3370, 0, 4100]],
          [1, 0, 4, [2, -12], [], [-15, 1, 1, 42000, 1500]],
          [3, -520, -518, [0, 5020], [0, 2900, 0, 7]],
        ],
        next: '/api/v1/instruments/sim:BTC-USD/depth-history?limit=3&cursor=WzE3NjAwMDAwMDAwMDAsMSwiYmVmb3JlIiwxNzYwMDAwMDEwMDAwXQ',
        newer:
          '/api/v1/instruments/sim:BTC-USD/depth-history?limit=3&cursor=WzE3NjAwMDAwMDAwMDAsMSwiZnJvbSIsMTc2MDAwMDAxNTAwMF0',
      },
    ],
  });

const books = z
  .object({
    syncing: count('Books'),
    live: count('Books'),
    stale: count('Books'),
    recovering: count('Books'),
  })
  .meta({ id: 'BookCounts', description: 'How many books are in each state' });

const feedHealth = z.object({
  id: z.string(),
  state: openSet(['starting', 'running', 'failed']).describe(
    '`running`: it has started; how it does now is told by its `books`',
  ),
  since: epochMs('When that state began, by the machine’s clock'),
  error: errorAnswer.shape.error.nullable().describe('Why it failed the last time'),
  retryAt: epochMs(
    'When it is tried again; null while it is being tried, and where that is of no use',
  ).nullable(),
  books,
  events: count('Events taken since its last start'),
  refused: count('Events that the engine could not accept'),
  problems: z.array(z.string()).describe('What an operator should mend'),
});

export const accessAnswer = z
  .object({
    principal: z
      .string()
      .describe('Whom the server takes you for: `local`, `public`, `key:desk`, `page:shop`, `jwt:alice`'),
    expires: epochMs('When that ends; null for never').nullable(),
    instruments: z.array(z.string()).describe('What may be read: ids, or patterns with `*`'),
    topics: z.array(openSet(topics)).describe('Of those'),
    maxDepth: count('Levels a side at most; null for all').nullable(),
    minCadenceMs: count('Least time between two frames of a channel, milliseconds'),
    operate: z.boolean().describe('Whether it may see how the server runs'),
  })
  .meta({ id: 'Access' });

export const ticketAnswer = z
  .object({
    ticket: z.string().describe('For the URL of one connection'),
    expires: epochMs('When it is of no use any more'),
  })
  .meta({ id: 'Ticket' });

export const readiness = z
  .object({ status: z.enum(['ready', 'unavailable']), time: epochMs('The market clock') })
  .meta({ id: 'Readiness' });

const bus = z
  .object({
    name: z
      .string()
      .nullable()
      .describe('Of this process, which others see as `leader` where it leads; null for a gateway'),
    connected: z.boolean().describe('Whether its channels are connected'),
    feeds: z.array(
      z.object({
        feed: z.string(),
        leader: z.string().nullable().describe('Which ingest leads it, as far as is known here'),
        epoch: z.number().int().nullable().describe('Under which epoch'),
        silentLanes: count('At a gateway: its lanes that are not heard, whose books are stale'),
      }),
    ),
  })
  .nullable()
  .describe('The bus between ingests and gateways; null where one process does all');

const history = z
  .object({
    store: z.enum(['sqlite', 'postgres', 'none']),
    state: z
      .enum(['off', 'reading', 'writing', 'away'])
      .describe('away: it cannot be written or read now, and live data goes on without it'),
    awaySince: epochMs('Since when it is away').nullable(),
    reason: z.string().nullable().describe('Why it is away'),
    waitingTrades: count('Trades that wait to be written'),
    filling: count('Instruments whose past their feed is asked for'),
  })
  .describe('What is stored of candles, trades and books');

export const health = z
  .object({
    status: z.enum(['ready', 'unavailable']),
    version: z.string(),
    epoch: whole('Names this run of the server'),
    time: epochMs('The market clock'),
    connections: count('WebSocket clients'),
    instruments: count('Instruments that feeds publish'),
    books,
    feeds: z.array(feedHealth.meta({ id: 'FeedHealth' })),
    bus,
    history,
  })
  .meta({ id: 'Health' });

const percentiles = (of: string) =>
  z.object({ p50: z.number(), p99: z.number() }).describe(`${of}, milliseconds`).nullable();

export const feedReport = feedHealth
  .extend({
    eventsPerSecond: z.number().describe('Mean of the last ten seconds').optional(),
    stalenessMs: percentiles('Age of the newest update of each book, sampled every second').optional(),
    latencyMs: percentiles('From the venue’s time to the receive time').optional(),
    source: z
      .object({
        frames: count('Frames of any kind'),
        bookUpdates: count('Order-book messages among them'),
        trades: count('Trades'),
        malformed: count('Frames that could not be understood'),
        links: count('Pairs of book messages that the venue’s sequence joins'),
        gaps: count('Pairs that it does not'),
        checksumsOk: count('Checksums that were right'),
        checksumsBad: count('Checksums that were not'),
        resyncs: count('Books taken anew after having been live'),
      })
      .nullable()
      .describe('What its sessions counted; null for a feed without frames'),
    reconnects: count('Connections lost and made anew; null where the feed has none').nullable(),
    troubles: z
      .array(z.object({ instrument: instrumentId, state: bookState, reason, since: epochMs('Since when') }))
      .describe('Up to 100 books that are not live'),
  })
  .meta({ id: 'FeedReport' });

export const feedReports = z
  .object({ time: epochMs('The market clock'), feeds: z.array(feedReport), bus })
  .meta({ id: 'FeedReports' });
