import { instrumentIdPattern, requestRanges, topics } from '@depthwire/shared';
import { z } from 'zod';
import { intervals } from './values.ts';

// The requests of a client as schemas, for the AsyncAPI document. The server reads them with `parseRequest`,
// which is faster and says more; a test holds the two together.

const within = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);

const id = within(requestRanges.id).describe('Chosen by the client, once each; the answer repeats it');
const ch = within(requestRanges.id).describe('The number of a channel, from `subscribed`');

/** Its bound is said again, as those that every integer has are left out of documents. */
const safeCount = (description: string) =>
  z
    .int()
    .min(0)
    .meta({ description, exclusiveMaximum: 2 ** 53 });

const resume = z
  .object({
    epoch: safeCount('Of the instrument’s market, from `subscribed` or `instrument`, whichever came last'),
    ch: within(requestRanges.id).describe('The channel there'),
    seq: safeCount('Of the last frame that the client took'),
    gateway: z
      .string()
      .min(requestRanges.gateway.min)
      .max(requestRanges.gateway.max)
      .optional()
      .describe(
        'Of the `hello` of that connection; without it only a server that serves its market alone goes on',
      ),
    sequence: safeCount(
      'What all gateways count alike: the updates that the book has, or the trades that the tape or the candles have',
    ).optional(),
    depth: within(requestRanges.depth)
      .optional()
      .describe(
        'Topic `book` only: as it was granted there; another gateway goes on only where it grants the same',
      ),
  })
  .describe('To go on where the client was when it lost its connection, where the server still can');

/** What zod checks by a function, said for those who only have the document. */
const fieldsOfTopics = [
  {
    if: { properties: { topic: { const: 'book' } } },
    else: { not: { required: ['depth'] } },
  },
  {
    if: { properties: { topic: { const: 'candles' } } },
    then: { required: ['interval'] },
    else: { not: { required: ['interval'] } },
  },
];

const subscribe = z
  .object({
    op: z.literal('subscribe'),
    id,
    topic: z.enum(topics),
    instrument: z.string().regex(instrumentIdPattern).describe('Its id, `VENUE:BASE-QUOTE`; REST lists them'),
    depth: within(requestRanges.depth)
      .optional()
      .describe('Topic `book` only: levels a side, 0 for the whole book; 50 where it is left out'),
    cadence: within(requestRanges.cadence)
      .optional()
      .describe(
        'Least milliseconds between two frames, 0 for every update; where it is left out 100 for `book` and `trades`, ' +
          '250 for `ticker` and `candles`, 0 for `status`',
      ),
    interval: z.enum(intervals).optional().describe('Topic `candles` only, and required there'),
    resume: resume.optional(),
  })
  .refine(
    ({ topic, depth, interval }) =>
      (topic === 'book' || depth === undefined) && (topic === 'candles') === (interval !== undefined),
  )
  .meta({
    title: 'subscribe',
    description:
      'Opens a channel: a topic of an instrument. The nearest depth and cadence that there are is granted',
    allOf: fieldsOfTopics,
  });

const unsubscribe = z
  .object({ op: z.literal('unsubscribe'), id, ch })
  .meta({ title: 'unsubscribe', description: 'Ends a channel; no frame of it follows the answer' });

const snapshot = z.object({ op: z.literal('snapshot'), id, ch }).meta({
  title: 'snapshot',
  description: 'Asks for a snapshot of a channel, for when a frame is missing or a checksum is wrong',
});

const limit = z
  .object({
    op: z.literal('limit'),
    id,
    bandwidth: within(requestRanges.bandwidth)
      .optional()
      .describe('Bytes of data a second at most, WebSocket headers included; any where it is left out'),
    rate: within(requestRanges.rate)
      .optional()
      .describe('Times a second at most that data is sent; any where it is left out'),
  })
  .meta({
    title: 'limit',
    description: 'Asks for less data: what does not fit is merged. Replaces the one before',
  });

const authenticate = z
  .object({
    op: z.literal('authenticate'),
    id,
    token: z
      .string()
      .min(requestRanges.token.min)
      .max(requestRanges.token.max)
      .describe('A secret key, a publishable key or a JSON Web Token'),
  })
  .meta({
    title: 'authenticate',
    description:
      'Says who the client is: first, where `principal` of `hello` is null, and again before `expires`, with a new token',
  });

const ping = z
  .object({ op: z.literal('ping'), id })
  .meta({ title: 'ping', description: 'Answered at once: measures a round trip, and shows life' });

export const requests = { subscribe, unsubscribe, snapshot, limit, authenticate, ping } as const;
