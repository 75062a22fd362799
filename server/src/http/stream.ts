import { DepthwireError } from '@depthwire/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { writeHead } from '../gateway/event-stream.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { callerOf, principalOf } from './guard.ts';
import { parseStreamQuery } from './stream-query.ts';

const PATH = '/api/v1/stream';

/** Server-sent events: what a WebSocket carries, for a client that only reads. */
export function registerStream(app: FastifyInstance, gateway: Gateway): void {
  const route = { exposeHeadRoute: false };

  app.get(PATH, route, (request, reply) => {
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
