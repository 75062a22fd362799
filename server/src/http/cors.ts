import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { ANY_ORIGIN, type Access } from '../access/access.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False: not for pages of other origins; `*`: for those that may not connect too. */
    cors?: false | { readonly origin: '*' };
  }
}

/** How long a browser need not ask again whether it may. */
const PREFLIGHT_MAX_AGE_S = 600;

/**
 * Lets pages of the listed origins read the API, without cookies. It goes before whatever authenticates: a
 * preflight carries no credentials.
 */
export async function registerCors(
  app: FastifyInstance,
  access: Pick<Access, 'isOpenToAnyOrigin' | 'isListedOrigin'>,
): Promise<void> {
  app.addHook('onRoute', (route) => {
    // The dashboard is for nobody else to read; `*` is the route of preflights.
    if (!route.url.startsWith('/api/') && route.url !== '*') route.config = { ...route.config, cors: false };
  });
  await app.register(fastifyCors, {
    // Asked each time, for others may be allowed by then.
    origin: (origin, allow) =>
      allow(
        null,
        access.isOpenToAnyOrigin ? ANY_ORIGIN : origin !== undefined && access.isListedOrigin(origin),
      ),
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: ['ETag', 'Link', 'Retry-After'],
    maxAge: PREFLIGHT_MAX_AGE_S,
    strictPreflight: false,
    credentials: false,
  });
}
