import { errorCatalogue, topics, type ErrorCode } from '@depthwire/shared';
import { z } from 'zod';
import { count, epochMs, instrument, intervals, openSet, whole } from './values.ts';

// What the server sends as maps: answers to requests, and notices that nobody asked for.

/** The codes that a session sends; any other is internal to the server or to a client. */
export const sessionErrors = [
  'malformed_message',
  'invalid_request',
  'unknown_topic',
  'unknown_instrument',
  'unknown_channel',
  'too_many_subscriptions',
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'too_many_connections',
  'internal',
] as const satisfies readonly ErrorCode[];

const id = count('Of the request');
const ch = count('The number of the channel, which all of its frames carry');

const principal = z.string().describe('Whom the server takes the client for');
const expires = z
  .number()
  .nullable()
  .describe('When that ends, unix milliseconds by the wall clock; null for never');

const epoch = whole(
  'Names the run of the instrument’s market; sequences of different epochs have nothing in common',
);

const hello = z
  .object({
    op: z.literal('hello'),
    protocol: whole('1; a client that does not know the number closes'),
    server: z.string().describe('Name and version, for people'),
    session: z.string().describe('Names the connection in the server’s log'),
    gateway: z
      .string()
      .describe('Names this run of the gateway, which channels and frames are numbered by; for `resume`'),
    epoch: whole(
      'The newest run of a market that the gateway knows; `subscribed` tells that of its instrument',
    ),
    time: epochMs('The market clock'),
    heartbeatMs: count('Either side closes after two of these without a message, milliseconds'),
    depths: z
      .array(count('Levels a side'))
      .describe('What is granted, ascending; the last one, 0, is the whole book'),
    cadences: z.array(count('Milliseconds')).describe('What is granted, ascending'),
    limits: z.object({
      maxMessageBytes: count('Largest message that a client may send'),
      maxSubscriptions: count('Channels of one connection'),
    }),
    principal: principal
      .nullable()
      .describe('Whom the server takes the client for; null where it wants `authenticate` first'),
    expires,
  })
  .meta({ title: 'hello', description: 'The first message of a connection' });

const subscribed = z
  .object({
    op: z.literal('subscribed'),
    id,
    ch,
    topic: openSet(topics),
    instrument,
    epoch,
    depth: count('As granted, levels a side, 0 for the whole book; of topic `book` only').optional(),
    cadence: count('As granted, milliseconds'),
    interval: openSet(intervals).optional().describe('Of topic `candles` only'),
    seq: count(
      'Only where the client goes on as `resume` asked: the newest frame of the channel. In the channel that it was in, ' +
        'nothing follows where it has that frame, else one frame that brings it there. In another, a frame follows always',
    ).optional(),
  })
  .meta({ title: 'subscribed', description: 'Answer to `subscribe`; a snapshot of the channel follows' });

const unsubscribed = z
  .object({ op: z.literal('unsubscribed'), id, ch })
  .meta({ title: 'unsubscribed', description: 'Answer to `unsubscribe`' });

const snapshot = z
  .object({ op: z.literal('snapshot'), id, ch })
  .meta({ title: 'snapshot', description: 'Answer to `snapshot`; the snapshot frame follows' });

const limited = z
  .object({
    op: z.literal('limited'),
    id,
    bandwidth: count('Bytes of data a second; null without a limit').nullable(),
    rate: count('Times a second that data is sent; null without a limit').nullable(),
  })
  .meta({ title: 'limited', description: 'Answer to `limit`: what is granted' });

const authenticated = z
  .object({ op: z.literal('authenticated'), id, principal, expires })
  .meta({ title: 'authenticated', description: 'Answer to `authenticate`' });

const pong = z
  .object({
    op: z.literal('pong'),
    id,
    time: z.number().describe('The server’s wall clock, unix milliseconds, may have a fraction'),
  })
  .meta({ title: 'pong', description: 'Answer to `ping`' });

const error = z
  .object({
    op: z.literal('error'),
    id: id.nullable().describe('Of the refused request; null where it could not be read'),
    code: openSet(Object.keys(errorCatalogue) as ErrorCode[]).describe(
      `Stable, now one of ${sessionErrors.join(', ')}; treat one that you do not know by \`retry\``,
    ),
    message: z.string().describe('For people'),
    retry: z.boolean().describe('Whether the same request can succeed later'),
  })
  .meta({ title: 'error', description: 'Answer to a request that is refused, or cannot be read' });

const instrumentChanged = z.object({ op: z.literal('instrument'), instrument, epoch }).meta({
  title: 'instrument',
  description:
    'Unasked: an instrument of one of the channels changed. Where `tick` or `lot` did, drop all data of it and ask ' +
    'for a snapshot of each of its channels',
});

const goodbye = z
  .object({
    op: z.literal('goodbye'),
    reconnectMs: count('Come back after a random part of this, milliseconds'),
  })
  .meta({ title: 'goodbye', description: 'Unasked: the server shuts down, and closes next' });

export const answers = {
  hello,
  subscribed,
  unsubscribed,
  snapshot,
  limited,
  authenticated,
  pong,
  error,
  instrument: instrumentChanged,
  goodbye,
} as const;
