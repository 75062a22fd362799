import fastifyRateLimit from '@fastify/rate-limit';
import { DepthwireError } from '@depthwire/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access, Caller, Credential } from '../access/access.ts';
import { limitedAddress } from '../access/address.ts';
import type { Principal } from '../access/grants.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where nobody had to say who it is, and nobody did. */
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /**
     * Who may come: `all`; whoever may `read` the market, which is the default of everything below `/api`;
     * whoever may `operate`; or whoever says so `later`, on the connection.
     */
    access?: 'all' | 'read' | 'operate' | 'later';
  }
}

/** Query parameters that hold a credential. Tickets are good once; publishable keys are for all to see. */
export const CREDENTIALS = ['ticket', 'key'] as const;

export interface GuardOptions {
  readonly access: Access;
  readonly maxRequestsPerMinute: number;
}

/** Looks at every request before anything else does: how many come, and from whom. */
export async function registerGuard(app: FastifyInstance, options: GuardOptions): Promise<void> {
  const { access, maxRequestsPerMinute } = options;
  await app.register(fastifyRateLimit, { global: false, timeWindow: 60_000, hook: 'onRequest' });
  const ofAddress = app.createRateLimit({
    max: maxRequestsPerMinute,
    keyGenerator: ({ ip }) => limitedAddress(ip) ?? '',
    allowList: ({ ip }) => limitedAddress(ip) === null,
  });
  const ofKey = app.createRateLimit({
    max: ({ principal }) => principal!.grants.maxRequestsPerMinute ?? maxRequestsPerMinute,
    keyGenerator: ({ principal }) => principal!.id,
  });
  app.decorateRequest('principal', null);

  app.addHook('onRequest', async (request, reply) => {
    const kind = accessOf(request);
    if (kind === null) return;
    await assertRate(ofAddress, request, reply);
    if (kind === 'all') return;
    const caller = callerOf(request);
    // A page that may not connect learns nothing of its credential.
    if (!access.isAllowedOrigin(caller.origin, request.host))
      throw new DepthwireError(
        'origin_not_allowed',
        `pages of ${caller.origin} may not connect: add the origin to allowedOrigins`,
      );
    const credential = credentialOf(request);
    if (credential === null) {
      request.principal = access.anonymous(caller);
    } else {
      request.principal = await access.authenticate(credential, caller.origin);
      await assertRate(ofKey, request, reply);
    }
    if (kind === 'later') return;
    if (request.principal === null) throw access.refusal(caller);
    if (kind === 'operate' && !request.principal.grants.operate)
      throw new DepthwireError('forbidden', `${request.principal.id} may not see how the server runs`);
  });
}

/** @throws DepthwireError `unauthenticated` on a route that is open to all */
export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === null) throw new DepthwireError('unauthenticated', 'expected a key or token');
  return principal;
}

export function callerOf({ ip, raw, headers, host }: FastifyRequest): Caller {
  const isRelayed = ['x-forwarded-for', 'forwarded', 'x-real-ip'].some((name) => headers[name] !== undefined);
  return {
    address: ip,
    host,
    origin: headers.origin,
    isForwarded: isRelayed && ip === raw.socket.remoteAddress,
  };
}

/** Null for what is no part of the API: files, and what there is not. */
function accessOf({ routeOptions: { config, url } }: FastifyRequest) {
  return config.access ?? (url?.startsWith('/api/') ? 'read' : null);
}

/** @throws DepthwireError `unauthenticated` */
function credentialOf({ headers, query }: FastifyRequest): Credential | null {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const [, value] = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? [];
    if (value === undefined)
      throw new DepthwireError('unauthenticated', 'Authorization: expected Bearer and a key or token');
    return { kind: 'header', value };
  }
  for (const kind of CREDENTIALS) {
    const value = (query as Record<string, unknown>)[kind];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw new DepthwireError('unauthenticated', `${kind}: expected one`);
    return { kind, value };
  }
  return null;
}

type Check = ReturnType<FastifyInstance['createRateLimit']>;

async function assertRate(check: Check, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const limit = await check(request);
  if (limit.isAllowed || !limit.isExceeded) return;
  reply.header('retry-after', limit.ttlInSeconds);
  throw new DepthwireError(
    'rate_limited',
    `${limit.max} requests a minute are allowed: try again in ${limit.ttlInSeconds} s`,
  );
}
