import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics/metrics.ts';

const REQUEST_ID_HEADER = 'x-request-id';
/** Of a proxy's request id, so that it is safe in a log and in a header. */
const REQUEST_ID = /^[\w.:-]{1,64}$/;
/** The route of what has none. */
const UNMATCHED = 'unmatched';

/** The id that a proxy gave the request, or a fresh one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Gives each request's id back, and logs and counts it once it is answered. */
export function observeRequests(app: FastifyInstance, metrics: Metrics | null): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { statusCode: status, elapsedTime } = reply;
    const matched = request.is404 ? undefined : request.routeOptions.url;
    const route = matched ?? UNMATCHED;
    const method = matched === undefined ? 'any' : request.method;
    metrics?.onRequest({ method, route, status, seconds: elapsedTime / 1000 });
    // Somebody who may not come in is worth knowing; all other requests are for whoever looks into something.
    const level = status === 401 || status === 403 || status === 429 ? 'info' : 'debug';
    const ms = Math.round(elapsedTime);
    request.log[level]({ method, path: pathOf(request), address: request.ip, status, ms }, 'request');
    done();
  });
}

/** Without the query, which may hold a secret. */
function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!;
}
