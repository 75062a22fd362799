import { DepthwireError } from '@depthwire/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { frameEvent, messageEvent, positionEvent, retryEvent } from '../gateway/event.ts';
import { writeHead } from '../gateway/event-stream.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { examples } from '../protocol/examples.ts';
import { callerOf, principalOf } from './guard.ts';
import { parseStreamQuery, streamHeaders, streamQuery } from './stream-query.ts';

const PATH = '/api/v1/stream';

const [gateway] = examples.answers.hello.map((hello) => hello.gateway);
const [snapshot] = examples.frames.bookSnapshot;
const [delta] = examples.frames.bookDelta;
/** How a stream with one book begins. */
const exampleOfStream = Buffer.concat([
  retryEvent(1_737),
  ...examples.answers.hello.map(messageEvent),
  ...examples.answers.subscribed.map(messageEvent),
  frameEvent('book', JSON.stringify(snapshot), null),
  positionEvent({ gateway: gateway!, number: 90_412 }),
  frameEvent('book', JSON.stringify(delta), { gateway: gateway!, number: 90_417 }),
]).toString();

const schema = {
  operationId: 'openStream',
  tags: ['Market data'],
  summary: 'Server-sent events: what a WebSocket carries, for a client that only reads',
  description:
    'Needs one subscription at least; topics may be named any number of times. Each event is a message of the JSON ' +
    'subprotocol of [asyncapi.json](/api/v1/asyncapi.json), its `data` one line: `hello`, `limited`, `subscribed`, `instrument` ' +
    'and `goodbye` are maps, `book`, `trades`, `ticker`, `candles` and `status` data frames; `position` only has an id, and ' +
    '`close`, the last one, a `code` and a `reason`. Errors come before the stream begins. docs/protocol.md has more.',
  produces: ['text/event-stream'],
  security: [{}, { bearer: [] }, { key: [] }, { ticket: [] }],
  querystring: streamQuery,
  headers: streamHeaders,
  response: {
    200: z
      .string()
      .describe('Events, until either side ends the connection')
      .meta({ examples: [exampleOfStream] }),
  },
  errors: ['too_many_subscriptions', 'unknown_instrument', 'too_many_connections', 'unavailable'],
} as const;

/** Server-sent events: what a WebSocket carries, for a client that only reads. */
export function registerStream(app: FastifyInstance, gateway: Gateway): void {
  const route = { exposeHeadRoute: false };
  // The order of its subscriptions counts, and what is wrong with one is said in the words of the protocol.
  const validatorCompiler = () => (value: unknown) => ({ value });

  app.get(PATH, { ...route, schema, validatorCompiler }, (request, reply) => {
    const wanted = streamRequest(request);
    const { socket } = reply.raw;
    // Somebody sent requests without waiting for the answers, or has left.
    if (socket === null || socket.destroyed)
      throw new DepthwireError('invalid_request', 'a stream needs a connection that owes no other answer');
    const peer = { requestId: request.id, ...callerOf(request) };
    gateway.acceptStream(reply.raw, reply.getHeaders(), wanted, peer, principalOf(request));
    reply.hijack(); // from here on the bytes are the gateway's
  });

  app.head(PATH, route, (request, reply) => {
    streamRequest(request);
    reply.hijack();
    writeHead(reply.raw, reply.getHeaders());
    reply.raw.end();
  });
}

function streamRequest({ raw, headers }: FastifyRequest) {
  const [, search = ''] = raw.url!.split(/\?(.*)/s);
  const lastEventId = headers['last-event-id'];
  return parseStreamQuery(search, typeof lastEventId === 'string' ? lastEventId : undefined);
}
