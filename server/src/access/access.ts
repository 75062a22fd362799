import { DepthwireError, topics, type Clock } from '@depthwire/shared';
import type { AccessConfig } from './config.ts';
import { isLoopback, isLoopbackHost } from './address.ts';
import type { Grants, Principal } from './grants.ts';
import { JwtVerifier } from './jwt.ts';
import { hashOf, publishablePrefix, secretPrefix } from './keys.ts';
import { Tickets } from './tickets.ts';

/** Longest credential that is looked at. */
const MAX_CREDENTIAL_CHARS = 8_192;

/** In the list of allowed origins: pages of any site. */
export const ANY_ORIGIN = '*';

const everything: Grants = { instruments: ['*'], topics, minCadenceMs: 0, operate: true };

/** Where a request comes from, as far as it can be believed. */
export interface Caller {
  /** Of the peer, or what a trusted proxy says of it. */
  readonly address: string;
  readonly host: string | undefined;
  /** Of the page; browsers alone say it. */
  readonly origin: string | undefined;
  /** Whether a proxy that is not trusted says that it came for somebody else. */
  readonly isForwarded: boolean;
}

/** A credential and how it came. */
export interface Credential {
  readonly kind: 'header' | 'key' | 'ticket';
  readonly value: string;
}

export interface AccessOptions {
  readonly config: AccessConfig;
  readonly allowedOrigins: readonly string[];
  readonly clock: Clock;
}

/** Who may read what: keys, tokens, tickets, and whoever needs none of them. */
export class Access {
  readonly #options: AccessOptions;
  readonly tickets: Tickets;
  readonly #secretKeys: ReadonlyMap<string, Principal>;
  readonly #publishableKeys: ReadonlyMap<string, { principal: Principal; origins: readonly string[] }>;
  readonly #jwt: JwtVerifier | null;
  /** Whose pages may connect, beside those of the server's own; may hold `*`. */
  readonly origins: ReadonlySet<string>;
  readonly #public: Principal | null;
  readonly #local: Principal | null;

  /** @throws DepthwireError `invalid_config` where a file of keys cannot be used */
  constructor(options: AccessOptions) {
    this.#options = options;
    const { config, allowedOrigins, clock } = options;
    this.tickets = new Tickets(clock);
    this.#secretKeys = new Map(
      config.keys.map(({ id, hash, expires, ...grants }) => [
        hash,
        { id: `key:${id}`, grants, expiresMs: expires ?? null },
      ]),
    );
    this.#publishableKeys = new Map(
      config.publishableKeys.map(({ id, key, origins, expires, ...grants }) => [
        hashOf(key),
        {
          principal: { id: `page:${id}`, grants: { ...grants, operate: false }, expiresMs: expires ?? null },
          origins,
        },
      ]),
    );
    this.#jwt = config.jwt === undefined ? null : new JwtVerifier(config.jwt, clock);
    this.origins = new Set([...allowedOrigins, ...config.publishableKeys.flatMap(({ origins }) => origins)]);
    this.#public = publicPrincipal(config);
    this.#local = isUnset(config) ? { id: 'local', grants: everything, expiresMs: null } : null;
  }

  /** Whether nothing is configured, so that only this machine may read. */
  get isLocalOnly(): boolean {
    return this.#local !== null;
  }

  /** Whether pages of this origin may connect at all; `host` is the server's own, as the page names it. */
  isAllowedOrigin(origin: string | undefined, host: string | undefined): boolean {
    return (
      origin === undefined ||
      URL.parse(origin)?.host === host ||
      this.origins.has(ANY_ORIGIN) ||
      this.origins.has(origin)
    );
  }

  /** Whoever says nothing of who it is; null where it has to. */
  anonymous({ address, host, isForwarded }: Caller): Principal | null {
    if (this.#public) return this.#public;
    return !isForwarded && isLoopback(address) && isLoopbackHost(host) ? this.#local : null;
  }

  /**
   * @param origin of the page that it came from
   * @throws DepthwireError `unauthenticated` or `forbidden`
   */
  async authenticate({ kind, value }: Credential, origin: string | undefined): Promise<Principal> {
    if (kind === 'ticket') return this.tickets.redeem(value, origin);
    if (kind === 'key' && !value.startsWith(publishablePrefix))
      throw new DepthwireError(
        'unauthenticated',
        'key: only publishable keys may be in a URL: send others as Authorization: Bearer, or get a ticket',
      );
    const principal = await this.#principalOf(value, origin);
    if (principal.expiresMs !== null && principal.expiresMs <= this.#options.clock.now())
      throw new DepthwireError('unauthenticated', `${principal.id} has expired`);
    return principal;
  }

  /** Why somebody without a credential gets nothing, and what would help. */
  refusal({ address, host, isForwarded }: Caller): DepthwireError {
    if (!this.#local)
      return new DepthwireError(
        'unauthenticated',
        'expected a key or token: Authorization: Bearer …, or the request authenticate on a WebSocket',
      );
    const why = isForwarded
      ? 'a proxy passed this request on'
      : isLoopback(address)
        ? `the host ${host} is not this machine's own name`
        : `${address} is another machine`;
    return new DepthwireError(
      'unauthenticated',
      `this server is open to its own machine only, and ${why}: configure access.keys, access.jwt or access.public`,
    );
  }

  async #principalOf(value: string, origin: string | undefined): Promise<Principal> {
    if (value.length > MAX_CREDENTIAL_CHARS)
      throw new DepthwireError('unauthenticated', `token: longer than ${MAX_CREDENTIAL_CHARS} characters`);
    if (value.startsWith(publishablePrefix)) return this.#publishable(value, origin);
    if (value.startsWith(secretPrefix)) {
      // By its hash: how long the search takes tells nothing of the key.
      const known = this.#secretKeys.get(hashOf(value));
      if (known) return known;
      throw new DepthwireError('unauthenticated', 'token: no such key');
    }
    if (this.#jwt) return this.#jwt.verify(value);
    throw new DepthwireError('unauthenticated', `token: expected a key, which begins with ${secretPrefix}`);
  }

  #publishable(value: string, origin: string | undefined): Principal {
    const known = this.#publishableKeys.get(hashOf(value));
    if (!known) throw new DepthwireError('unauthenticated', 'key: no such publishable key');
    const { principal, origins } = known;
    if (origin === undefined || !origins.includes(origin))
      throw new DepthwireError(
        'forbidden',
        `${principal.id} is good for pages of ${origins.join(', ')}, not for ${origin ?? 'programs, which send no Origin'}`,
        { origin },
      );
    return principal;
  }
}

function isUnset(config: AccessConfig): boolean {
  return (
    config.public === false && config.keys.length === 0 && config.publishableKeys.length === 0 && !config.jwt
  );
}

function publicPrincipal({ public: granted }: AccessConfig): Principal | null {
  if (granted === false) return null;
  // What feeds do and what an operator reads is nobody else's business, unless it is said to be.
  const grants = granted === true ? { ...everything, operate: false } : granted;
  return { id: 'public', grants, expiresMs: null };
}
