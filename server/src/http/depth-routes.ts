import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import { DepthwireError } from '@depthwire/shared';
import { DEPTH_PERIOD_MS, DepthEncoder, groupDepthColumn, type DepthRecord } from '@depthwire/shared/depth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { assertGranted, type Principal } from '../access/grants.ts';
import type { MarketSource } from '../engine/market-source.ts';
import type { DepthHistory } from '../history/depth-history.ts';
import type { Past } from '../history/past.ts';
import type { DepthSelection } from '../history/depth-series.ts';
import { packr } from '../msgpack.ts';
import { depthHistory } from './answers.ts';
import { etagOf, isFresh, revalidated } from './caching.ts';
import { depthPage, type OlderColumns } from './depth-page.ts';
import { principalOf } from './guard.ts';
import { cursorParameter, linkNext, linkTo } from './paging.ts';
import { integer } from './schema-parts.ts';

const MAX_COLUMNS = 3_600;
/** They have to be unpacked, and perhaps grouped. */
const DEPTH_HISTORY_COST = 5;
/** Past every time and every price in question. */
const MAX_MS = 2 ** 49;
const MAX_STEP = 2 ** 49;

const MSGPACK_TYPE = 'application/vnd.msgpack';

export interface DepthRoutesOptions {
  readonly source: MarketSource;
  readonly depthHistory: DepthHistory;
  readonly past: Past;
  readonly epoch: number;
}

const depthHistorySchema = {
  operationId: 'getDepthHistory',
  tags: ['Market data'],
  summary: 'The order book of the past',
  description:
    'The book at the end of each second in which it was live, its sizes added up in buckets of `step` ticks, and what ' +
    'was traded in that second: what a liquidity heatmap is drawn from. Each column tells how it differs from the one ' +
    'before it; docs/protocol.md has how to read them. Sizes are within 0.1 %. The latest `limit` columns, or with ' +
    '`from` the first ones from then on; `next` goes on in the same direction, `newer` is what comes after this page. ' +
    `With \`Accept: ${MSGPACK_TYPE}\` the same as MessagePack, half as long. A key with \`maxDepth\`, or with ` +
    '`minCadenceMs` above a second, is refused, and one that may not read trades gets none here.',
  params: z.object({
    id: z
      .string()
      .describe('Instrument id')
      .meta({ examples: ['sim:BTC-USD'] }),
  }),
  querystring: z.object({
    limit: integer(1, MAX_COLUMNS).default(600).describe('Most columns of a page'),
    from: integer(0, MAX_MS)
      .optional()
      .describe('Only seconds that began at this time or later, unix milliseconds'),
    before: integer(0, MAX_MS)
      .optional()
      .describe('Only seconds that began before this time, unix milliseconds'),
    step: integer(1, MAX_STEP)
      .optional()
      .describe(
        'Least ticks of a bucket: the answer has the next whole multiple of those that were recorded',
      ),
    cursor: cursorParameter,
  }),
  response: revalidated(depthHistory),
  errors: ['unknown_instrument', 'not_found', 'cursor_expired'],
} as const;

export function registerDepthRoutes(root: FastifyInstance, options: DepthRoutesOptions): void {
  const { source, past, epoch } = options;
  root
    .withTypeProvider<ZodTypeProvider>()
    .get(
      '/api/v1/instruments/:id/depth-history',
      { schema: depthHistorySchema, config: { cost: DEPTH_HISTORY_COST } },
      async (request, reply) => {
        const principal = principalOf(request);
        assertGranted(principal, 'book', request.params.id);
        assertWholeBook(principal);
        const market = source.markets.get(request.params.id);
        if (!market)
          throw new DepthwireError('unknown_instrument', `no feed publishes ${request.params.id}`, {
            instrument: request.params.id,
          });
        const { instrument } = market;
        const recording = options.depthHistory.ask(instrument.id);
        if (!recording)
          throw new DepthwireError(
            'not_found',
            'this server keeps no depth history: history.depthMinutes is 0',
          );
        const older: OlderColumns = (...of) => past.columns(market, ...of);
        const { selection, ...cursors } = await depthPage(recording, epoch, request.query, older);
        const [oldest] = await older({ fromMs: 0, toMs: recording.series.time ?? MAX_MS }, 1, false);
        const { step, buckets, count, time, end } = selection;
        const hasTrades = principal.grants.topics.includes('trades');
        const isPacked = wantsMsgpack(request);
        const next = cursors.next === null ? null : linkTo(request, { cursor: cursors.next });
        linkNext(reply, next);
        const varies = reply.getHeader('vary');
        void reply.header('vary', varies === undefined ? 'Accept' : `${String(varies)}, Accept`);
        const about = {
          instrument: instrument.id,
          tick: instrument.tick,
          lot: instrument.lot,
          period: DEPTH_PERIOD_MS as typeof DEPTH_PERIOD_MS,
          step: step ?? recording.step,
          buckets,
          time,
          since: oldest?.time ?? recording.series.time,
        };
        // Known before a column is unpacked: none that is kept ever changes.
        const etag = etagOf(
          JSON.stringify([epoch, recording.run, about, count, end, next, hasTrades, isPacked]),
        );
        void reply.header('etag', etag);
        if (isFresh(request, etag)) {
          void reply.code(304).send();
          return;
        }
        const columns = recordsOf(selection, hasTrades);
        const answer = { ...about, columns, next, newer: linkTo(request, { cursor: cursors.newer }) };
        if (!isPacked) return answer;
        void (reply as FastifyReply).type(MSGPACK_TYPE).send(packr.pack(answer));
        return;
      },
    );
}

/**
 * A bucket may hold any number of levels, and there is a column each second.
 * @throws DepthwireError `forbidden`
 */
function assertWholeBook({ id, grants: { maxDepth, minCadenceMs } }: Principal): void {
  if (maxDepth !== undefined)
    throw new DepthwireError('forbidden', `${id} may read ${maxDepth} levels a side: columns have them all`);
  if (minCadenceMs > DEPTH_PERIOD_MS)
    throw new DepthwireError(
      'forbidden',
      `${id} may read a book every ${minCadenceMs} ms: there is a column every ${DEPTH_PERIOD_MS} ms`,
    );
}

function recordsOf({ step, buckets, time, parts }: DepthSelection, hasTrades: boolean): DepthRecord[] {
  if (step === null || time === null) return [];
  const encoder = new DepthEncoder({ step, buckets, time });
  const records: DepthRecord[] = [];
  for (const { stretch, from, to } of parts) {
    for (const column of stretch.columns(from, to)) {
      const grouped = groupDepthColumn(column, step / stretch.step);
      records.push(encoder.encode(hasTrades ? grouped : { ...grouped, traded: null }));
    }
  }
  return records;
}

function wantsMsgpack({ headers }: FastifyRequest): boolean {
  return headers.accept?.split(',').some((type) => type.split(';')[0]!.trim() === MSGPACK_TYPE) ?? false;
}
