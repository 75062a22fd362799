import type { Socket } from 'node:net';
import { DepthwireError, type Clock } from '@depthwire/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access, Caller, Credential } from '../access/access.ts';
import { limitedAddress } from '../access/address.ts';
import type { Principal } from '../access/grants.ts';
import { pollsTooOften } from '../access/polls.ts';
import { RequestRates } from '../access/request-rates.ts';

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
    /** In ordinary requests; default 1. */
    cost?: number;
    /** Whether it tells of the market as it is now: no more often than the key's least time between two frames. */
    isLive?: boolean;
  }
}

/** Query parameters that hold a credential. Tickets are good once; publishable keys are for all to see. */
export const CREDENTIALS = ['ticket', 'key'] as const;

/** The only route that is upgraded. */
const UPGRADED = '/ws';
/** Connections that live; other requests can send a header. */
const TICKETED: ReadonlySet<string> = new Set([UPGRADED, '/api/v1/stream']);
/** What proxies and content networks add. */
const FORWARDING = [
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'x-real-ip', 'via'],
  ...['cf-connecting-ip', 'true-client-ip', 'x-client-ip'],
];
/** Requests of one connection that wait for their answers: browsers send one at a time. */
const MAX_UNANSWERED = 8;
/** A page has many files, which cost little. */
const FILE_COST = 0.1;
/** What may come at once, of what may come in a minute; and at least so many. */
const BURST_MINUTES = 0.05;
const LEAST_BURST = 20;

export interface GuardOptions {
  readonly access: Access;
  readonly maxRequestsPerMinute: number;
  readonly steadyClock: Clock;
}

/** Looks at every request before anything else does: how many come, and from whom. */
export function registerGuard(app: FastifyInstance, options: GuardOptions): void {
  const { access, maxRequestsPerMinute, steadyClock } = options;
  const ofAddress = new RequestRates(steadyClock);
  const ofKey = new RequestRates(steadyClock);
  const take = (rates: RequestRates, name: string, perMinute: number, cost: number, reply: FastifyReply) => {
    const burst = Math.min(perMinute, Math.max(LEAST_BURST, perMinute * BURST_MINUTES));
    const told = `${perMinute} requests a minute are allowed, ${burst} of them at once`;
    refuseFor(rates.waitFor(name, { perMinute, burst }, cost), reply, (seconds) => {
      throw new DepthwireError('rate_limited', `${told}: try again in ${seconds} s`);
    });
  };
  const unanswered = new WeakMap<Socket, number>();
  app.decorateRequest('principal', null);
  app.addHook('onError', (request, _reply, error, done) => {
    if (error instanceof DepthwireError) access.onRefused(error.code, refusedOne(request));
    done();
  });

  app.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw;
    const waiting = (unanswered.get(socket) ?? 0) + 1;
    if (waiting > MAX_UNANSWERED) {
      // Whoever asks on without reading would have the answers pile up here.
      socket.destroy();
      return reply.hijack();
    }
    unanswered.set(socket, waiting);
    reply.raw.once('close', () => unanswered.set(socket, unanswered.get(socket)! - 1));

    const { config, url } = request.routeOptions;
    // The plug-in would take upgrades of every path.
    if (request.ws && url !== UPGRADED)
      throw new DepthwireError('not_found', 'there is no WebSocket but at /ws');
    const kind = accessOf(request);
    const cost = kind === null ? FILE_COST : (config.cost ?? 1);
    const address = limitedAddress(request.ip);
    if (address !== null) take(ofAddress, address, maxRequestsPerMinute, cost, reply);
    if (kind === null || kind === 'all') return;
    const caller = callerOf(request);
    if (!access.isAllowedOrigin(caller)) throw access.originRefusal(caller, sentCredential(request));
    const credential = credentialOf(request);
    if (credential === null) {
      request.principal = access.anonymous(caller);
    } else {
      if (credential.kind === 'ticket' && !TICKETED.has(url ?? ''))
        throw new DepthwireError('unauthenticated', `ticket: only ${[...TICKETED].join(' and ')} take one`);
      const principal = await access.authenticate(credential, caller);
      const { maxRequestsPerMinute: ofItsOwn } = principal.grants;
      // Visitors of a page do not share what one of them could use up, but where the key says so.
      const isShared = !principal.id.startsWith('page:') || ofItsOwn !== undefined;
      if (isShared) take(ofKey, principal.id, ofItsOwn ?? maxRequestsPerMinute, cost, reply);
      request.principal = principal;
    }
    if (kind === 'later') return;
    if (request.principal === null) throw access.refusal(caller);
    if (kind === 'operate' && !request.principal.grants.operate)
      throw new DepthwireError('forbidden', `${request.principal.id} may not see how the server runs`);
    if (!config.isLive) return;
    const { principal } = request;
    const { id: instrument } = request.params as { id: string };
    refuseFor(access.polls.waitFor(principal, address, `${url} ${instrument}`), reply, (seconds) => {
      throw pollsTooOften(principal, seconds);
    });
  });
}

function refuseFor(seconds: number, reply: FastifyReply, refuse: (seconds: number) => never): void {
  if (seconds === 0) return;
  void reply.header('retry-after', seconds);
  refuse(seconds);
}

/** @throws DepthwireError `unauthenticated` on a route that is open to all */
export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === null) throw new DepthwireError('unauthenticated', 'expected a key or token');
  return principal;
}

export function callerOf({ ip, raw, headers, protocol }: FastifyRequest): Caller {
  const isRelayed = FORWARDING.some((name) => headers[name] !== undefined);
  return {
    address: ip,
    // As the browser sent it: what a header beside it says, a page could have written.
    host: headers.host,
    origin: headers.origin,
    isSameOrigin: headers['sec-fetch-site'] === 'same-origin',
    isSecure: protocol === 'https',
    isForwarded: isRelayed && ip === raw.socket.remoteAddress,
  };
}

function refusedOne(request: FastifyRequest): Principal | Credential | null {
  return request.principal ?? sentCredential(request);
}

/** Of a request that is refused anyway. */
function sentCredential(request: FastifyRequest): Credential | null {
  try {
    return credentialOf(request);
  } catch {
    return null; // it can't be read, which may be why
  }
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
