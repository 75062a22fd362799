import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fresh from 'fresh';
import { z } from 'zod';

// Last-Modified is not sent: it counts whole seconds, in which a book changes many times.

/** The answer, and that it is still as the client has it: such a route revalidates, by its ETag. */
export function revalidated<Answer extends z.ZodType>(answer: Answer) {
  return { 200: answer, 304: notModified };
}

const notModified = z.undefined().describe('As the client has it: the `ETag` is one of `If-None-Match`.');

/**
 * ETags for the routes that revalidate, where they have not set one; nothing else of the API is kept by
 * caches.
 */
export function registerCaching(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const revalidates = isRevalidated(request.routeOptions.schema?.response) && reply.statusCode < 400;
    if (!reply.hasHeader('cache-control'))
      reply.header('cache-control', revalidates ? 'private, no-cache' : 'no-store');
    if (!revalidates || reply.statusCode !== 200 || typeof payload !== 'string') return done(null, payload);
    if (!reply.hasHeader('etag')) reply.header('etag', etagOf(payload));
    if (!isFresh(request, String(reply.getHeader('etag')))) return done(null, payload);
    reply.code(304).removeHeader('content-type');
    done(null, ''); // not null, which Fastify's answer to HEAD does not expect
  });
}

/** Names a state: equal parts, equal tag. Weak, as what the clock alone changes is not part of it. */
export function etagOf(...parts: readonly (string | number | null)[]): string {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(`${part}\n`);
  return `W/"${hash.digest('base64url')}"`;
}

/**
 * Whether the client has what the tag names. Its `Cache-Control: no-cache` is for caches on the way: `fetch`
 * sends it with every `If-None-Match` of its own.
 */
export function isFresh({ headers }: FastifyRequest, etag: string): boolean {
  return fresh({ 'if-none-match': headers['if-none-match'] }, { etag });
}

export function isRevalidated(response: unknown): boolean {
  return typeof response === 'object' && response !== null && '304' in response;
}
