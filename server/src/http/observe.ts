import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@depthwire/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LogFlood } from '../log-flood.ts';
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

export interface RequestObserver {
  /** Gives the request's id back. */
  begin(request: FastifyRequest, reply: FastifyReply): void;
  /** Logs and counts a request that is answered. */
  end(request: FastifyRequest, reply: FastifyReply): void;
}

export function createRequestObserver(metrics: Metrics | null, steadyClock: Clock): RequestObserver {
  const refusals = new LogFlood(steadyClock);
  return {
    begin(request, reply) {
      reply.header(REQUEST_ID_HEADER, request.id);
    },
    end(request, reply) {
      const { statusCode: status } = reply;
      const matched = request.is404 ? undefined : request.routeOptions.url;
      const route = matched ?? UNMATCHED;
      const method = matched === undefined ? 'any' : request.method;
      const ms = reply.elapsedTime || 0; // of a path that could not be read it is not known
      metrics?.onRequest({ method, route, status, seconds: ms / 1000 });
      // Somebody who may not come in is worth knowing; all other requests are for whoever looks into something.
      const isRefused = [401, 403, 429, 503].includes(status);
      const said = isRefused ? refusals.admit() : {};
      if (said === null) return;
      const level = isRefused ? 'info' : 'debug';
      const path = pathOf(request);
      request.log[level](
        { method, path, address: request.ip, status, ms: Math.round(ms), ...said },
        'request',
      );
    },
  };
}

export function observeRequests(app: FastifyInstance, observer: RequestObserver): void {
  app.addHook('onRequest', (request, reply, done) => {
    observer.begin(request, reply);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    observer.end(request, reply);
    done();
  });
}

/** Without the query, which may hold a secret. */
function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!;
}
