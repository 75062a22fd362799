import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False: not for pages of other origins. */
    cors?: false;
  }
}

/** How long a browser need not ask again whether it may. */
const PREFLIGHT_MAX_AGE_S = 600;
/** In the list of allowed origins: pages of any site. */
const ANY_ORIGIN = '*';

/**
 * Lets pages of the listed origins read the API, without cookies. It goes before whatever authenticates: a
 * preflight carries no credentials.
 */
export async function registerCors(app: FastifyInstance, allowed: readonly string[]): Promise<void> {
  app.addHook('onRoute', (route) => {
    // The dashboard is for nobody else to read; `*` is the route of preflights.
    if (!route.url.startsWith('/api/') && route.url !== '*') route.config = { ...route.config, cors: false };
  });
  await app.register(fastifyCors, {
    origin: allowed.length === 0 ? false : allowed.includes(ANY_ORIGIN) ? ANY_ORIGIN : [...allowed],
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: ['ETag', 'Link', 'Retry-After'],
    maxAge: PREFLIGHT_MAX_AGE_S,
    strictPreflight: false,
    credentials: false,
  });
}

/** Same-origin pages, listed origins, and clients that are no browser. */
export function isAllowedOrigin(
  { origin, host }: { readonly origin?: string; readonly host?: string },
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes(ANY_ORIGIN)) return true;
  return URL.parse(origin)?.host === host || allowed.includes(origin);
}
