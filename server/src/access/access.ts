import { isDeepStrictEqual } from 'node:util';
import { DepthwireError, topics, type Clock, type ErrorCode } from '@depthwire/shared';
import type { AccessConfig } from './config.ts';
import { isLoopback, isLoopbackHost, isLoopbackOrigin } from './address.ts';
import type { Grants, Principal } from './grants.ts';
import { JwtVerifier, type Token } from './jwt.ts';
import { hashOf, publishablePrefix, secretPrefix } from './keys.ts';
import { Polls } from './polls.ts';
import { Refusals, refusedNobody, refusedOf, type Refused } from './refusals.ts';
import { Tickets } from './tickets.ts';

/** Longest credential that is looked at. */
const MAX_CREDENTIAL_CHARS = 8_192;

/** In the list of allowed origins: pages of any site. */
export const ANY_ORIGIN = '*';

/** In a `frame-ancestors` directive: pages of this server, and of its own machine. */
const OWN_PAGES = "'self'";
const PAGES_OF_THIS_MACHINE = ['http', 'https'].flatMap((scheme) =>
  // An IPv6 address is no host of a policy.
  ['localhost', '127.0.0.1'].map((name) => `${scheme}://${name}:*`),
);

const everything: Grants = { instruments: ['*'], topics, minCadenceMs: 0, operate: true };

/** Where a request comes from, as far as it can be believed. */
export interface Caller {
  /** Of the peer, or what a trusted proxy says of it. */
  readonly address: string;
  readonly host: string | undefined;
  /** Of the page; browsers alone say it. */
  readonly origin: string | undefined;
  /**
   * Whether the browser says that a page of this very server asks (`Sec-Fetch-Site: same-origin`): with a GET of its own
   * origin it sends no Origin. No page can set that header; a program can, and could set Origin as well.
   */
  readonly isSameOrigin: boolean;
  /** Whether it came by TLS, to this server or to a trusted proxy. */
  readonly isSecure: boolean;
  /** Whether a proxy that is not trusted says that it came for somebody else. */
  readonly isForwarded: boolean;
}

/** What tells whose page it is. */
type PageCaller = Pick<Caller, 'origin' | 'host' | 'isSameOrigin' | 'isSecure'>;

/** A credential and how it came. */
export interface Credential {
  readonly kind: 'header' | 'key' | 'ticket';
  readonly value: string;
}

/** The part of the configuration that says who may read. */
export interface AccessRules {
  readonly config: AccessConfig;
  readonly allowedOrigins: readonly string[];
}

export interface AccessOptions extends AccessRules {
  readonly clock: Clock;
}

/** What the configuration comes to. */
interface Rules {
  /** By their hashes. */
  readonly secretKeys: ReadonlyMap<string, Principal>;
  readonly publishableKeys: ReadonlyMap<string, { principal: Principal; origins: readonly string[] }>;
  readonly jwt: JwtVerifier | null;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Those, and all of publishable keys. */
  readonly origins: ReadonlySet<string>;
  readonly public: Principal | null;
  readonly local: Principal | null;
}

/** Who may read what: keys, tokens, tickets, and whoever needs none of them. */
export class Access {
  readonly #clock: Clock;
  readonly tickets: Tickets;
  readonly polls: Polls;
  readonly refusals = new Refusals();
  #rules: Rules;
  /** The hash of the key, or the token, that somebody came with. */
  readonly #sources = new WeakMap<Principal, string | Token>();

  /** @throws DepthwireError `invalid_config` where a file of keys cannot be used */
  constructor({ clock, ...rules }: AccessOptions) {
    this.#clock = clock;
    this.tickets = new Tickets(clock);
    this.polls = new Polls(clock);
    this.#rules = this.#read(rules);
  }

  /**
   * Takes other keys and origins; who is connected already is asked for with `current`.
   * @throws DepthwireError `invalid_config`, and nothing has changed
   */
  reload(rules: AccessRules): void {
    const next = this.#read(rules);
    if (rules.config.jwt) next.jwt?.configure(rules.config.jwt);
    this.#rules = next;
  }

  #read({ config, allowedOrigins }: AccessRules): Rules {
    const before = this.#rules as Rules | undefined; // there is none yet when it begins
    const known = (hash: string, principal: Principal) => {
      this.#sources.set(principal, hash);
      return principal;
    };
    return {
      secretKeys: new Map(
        config.keys.map(({ id, hash, expires, ...grants }) => [
          hash,
          known(hash, { id: `key:${id}`, grants, expiresMs: expires ?? null }),
        ]),
      ),
      publishableKeys: new Map(
        config.publishableKeys.map(({ id, key, origins, expires, ...grants }) => {
          const hash = hashOf(key);
          const principal = {
            id: `page:${id}`,
            grants: { ...grants, operate: false },
            expiresMs: expires ?? null,
          };
          return [hash, { principal: known(hash, principal), origins }];
        }),
      ),
      jwt: config.jwt === undefined ? null : this.#verifier(config.jwt, before?.jwt ?? null),
      allowedOrigins: new Set(allowedOrigins),
      origins: new Set([...allowedOrigins, ...config.publishableKeys.flatMap(({ origins }) => origins)]),
      public: publicPrincipal(config),
      local: isUnset(config) ? { id: 'local', grants: everything, expiresMs: null } : null,
    };
  }

  /** The one of before where it takes the same tokens: who came with one goes on then. */
  #verifier(config: NonNullable<AccessConfig['jwt']>, before: JwtVerifier | null): JwtVerifier {
    const next = new JwtVerifier(config, this.#clock);
    return before?.takesWhat(next) ? before : next;
  }

  /**
   * Who somebody is by now that was known before: what a key permits may have been changed since.
   * @returns null where the key, the token or the page's origin is no longer good
   */
  current(principal: Principal, caller: Caller): Principal | null {
    if (!this.isAllowedOrigin(caller)) return null;
    const source = this.#sources.get(principal);
    if (source === undefined) return this.anonymous(caller);
    if (typeof source !== 'string')
      return source.verifier === this.#rules.jwt ? this.#identified(source, principal) : null;
    const secret = this.#rules.secretKeys.get(source);
    if (secret) return secret;
    const publishable = this.#rules.publishableKeys.get(source);
    return publishable && this.#isGoodFor(publishable.origins, caller) ? publishable.principal : null;
  }

  /** @param known who had the token before, which is the same still where nothing has changed */
  #identified(token: Token, known?: Principal): Principal {
    const principal = token.verifier.principalOf(token);
    if (isDeepStrictEqual(principal, known)) return known!;
    this.#sources.set(principal, token);
    return principal;
  }

  /** Whether nothing is configured, so that only this machine may read. */
  get isLocalOnly(): boolean {
    return this.#rules.local !== null;
  }

  /** Whether pages of any site may connect. */
  get isOpenToAnyOrigin(): boolean {
    return this.#rules.origins.has(ANY_ORIGIN);
  }

  /**
   * Whether pages of an origin may connect, beside those of the server's own. Where nothing is configured, so may those of
   * its machine: whoever serves them is a process there, and those are trusted already.
   */
  isListedOrigin(origin: string): boolean {
    return (
      this.isOpenToAnyOrigin ||
      this.#rules.origins.has(origin) ||
      (this.isLocalOnly && isLoopbackOrigin(origin))
    );
  }

  /** Whether the page that it comes from may connect at all: one of this server's own, or of a listed origin. */
  isAllowedOrigin(caller: PageCaller): boolean {
    return caller.origin === undefined || this.isListedOrigin(caller.origin) || isOwnPage(caller);
  }

  /**
   * Whose pages may show a page of this server in a frame, in the words of the directive `frame-ancestors`: those that
   * could read with the key by themselves. A frame asks from the server's own origin, so this alone binds it to the key's.
   * @param key what stands in the frame's address; null where none does
   */
  framersOf(key: string | null): readonly string[] {
    const { allowedOrigins, publishableKeys } = this.#rules;
    // Browsers trim what they send in a header: what is good there has to be known here.
    const known = key === null ? undefined : publishableKeys.get(hashOf(key.trim()));
    if (known && !this.#hasExpired(known.principal)) return [OWN_PAGES, ...known.origins];
    // The frame gets nothing by its key, and says why: one that the browser blocks could not.
    if (key !== null && !this.isLocalOnly) return [ANY_ORIGIN];
    if (allowedOrigins.has(ANY_ORIGIN)) return [ANY_ORIGIN];
    return [OWN_PAGES, ...allowedOrigins, ...(this.isLocalOnly ? PAGES_OF_THIS_MACHINE : [])];
  }

  /** Whoever says nothing of who it is; null where it has to. */
  anonymous({ address, host, isForwarded }: Caller): Principal | null {
    if (this.#rules.public) return this.#rules.public;
    return !isForwarded && isLoopback(address) && isLoopbackHost(host) ? this.#rules.local : null;
  }

  /** @throws DepthwireError `unauthenticated` or `forbidden` */
  async authenticate(credential: Credential, caller: Caller): Promise<Principal> {
    const principal = this.current(await this.#identify(credential, caller), caller);
    if (principal === null)
      throw new DepthwireError('unauthenticated', `${credential.kind}: its key or token is no longer good`);
    if (this.#hasExpired(principal))
      throw new DepthwireError('unauthenticated', `${principal.id} has expired`);
    return principal;
  }

  #hasExpired({ expiresMs }: Principal): boolean {
    return expiresMs !== null && expiresMs <= this.#clock.now();
  }

  async #identify({ kind, value }: Credential, caller: Caller): Promise<Principal> {
    if (kind === 'ticket') return this.tickets.redeem(value, caller.origin);
    if (kind === 'key' && !value.startsWith(publishablePrefix))
      throw new DepthwireError(
        'unauthenticated',
        'key: only publishable keys may be in a URL: send others as Authorization: Bearer, or get a ticket',
      );
    return this.#principalOf(value, caller);
  }

  /**
   * Why a page gets nothing, and what would help. Of what it came with it learns at most that a publishable key is known
   * here, and that is for all to see.
   */
  originRefusal({ origin }: Caller, credential: Credential | null): DepthwireError {
    const owner = credential === null ? null : this.#ownerOf(credential);
    const isOfPages = owner?.kind === 'publishable' && owner.key !== '';
    const lists = isOfPages ? "the key's origins, or to allowedOrigins" : 'allowedOrigins';
    return new DepthwireError(
      'origin_not_allowed',
      `pages of ${origin} may not connect: add the origin to ${lists}`,
    );
  }

  /** Why somebody without a credential gets nothing, and what would help. */
  refusal({ address, host, isForwarded }: Caller): DepthwireError {
    if (!this.#rules.local)
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

  async #principalOf(value: string, caller: Caller): Promise<Principal> {
    if (value.length > MAX_CREDENTIAL_CHARS)
      throw new DepthwireError('unauthenticated', `token: longer than ${MAX_CREDENTIAL_CHARS} characters`);
    if (value.startsWith(publishablePrefix)) return this.#publishable(value, caller);
    if (value.startsWith(secretPrefix)) {
      // By its hash: how long the search takes tells nothing of the key.
      const known = this.#rules.secretKeys.get(hashOf(value));
      if (known) return known;
      throw new DepthwireError('unauthenticated', 'token: no such key');
    }
    const { jwt } = this.#rules;
    if (jwt) {
      return this.#identified(await jwt.verify(value));
    }
    throw new DepthwireError('unauthenticated', `token: expected a key, which begins with ${secretPrefix}`);
  }

  #publishable(value: string, caller: Caller): Principal {
    const known = this.#rules.publishableKeys.get(hashOf(value));
    if (!known) throw new DepthwireError('unauthenticated', 'key: no such publishable key');
    const { principal, origins } = known;
    const { origin } = caller;
    if (!this.#isGoodFor(origins, caller))
      throw new DepthwireError(
        'forbidden',
        `${principal.id} is good for pages of ${origins.join(', ')}, not for ${origin ?? 'programs, which send no Origin'}`,
        { origin },
      );
    return principal;
  }

  /** Of a publishable key: also for frames of this server, which `framersOf` binds to the same origins. */
  #isGoodFor(origins: readonly string[], caller: PageCaller): boolean {
    return (caller.origin !== undefined && origins.includes(caller.origin)) || isOwnPage(caller);
  }

  /** Counts what somebody was refused: by who that is, or what it came with. */
  onRefused(code: ErrorCode, who: Principal | Credential | null): void {
    this.refusals.add(
      code,
      who === null ? refusedNobody : 'grants' in who ? refusedOf(who) : this.#ownerOf(who),
    );
  }

  /** Whose a credential is, whether it is good or not. */
  #ownerOf({ kind, value }: Credential): Refused {
    if (kind === 'ticket') return { kind, key: '' };
    if (value.length > MAX_CREDENTIAL_CHARS) return refusedNobody;
    const hash = hashOf(value);
    const { secretKeys, publishableKeys } = this.#rules;
    const known = secretKeys.get(hash) ?? publishableKeys.get(hash)?.principal;
    if (known) return refusedOf(known);
    if (value.startsWith(publishablePrefix)) return { kind: 'publishable', key: '' };
    return { kind: value.startsWith(secretPrefix) ? 'secret' : 'token', key: '' };
  }
}

/** Whether a page of this server asks. */
function isOwnPage({ origin, host, isSameOrigin, isSecure }: PageCaller): boolean {
  if (origin === undefined) return isSameOrigin;
  const own = URL.parse(origin);
  // What came without encryption may be anybody's page on the way.
  return own?.host === host && (own?.protocol === 'https:' || !isSecure);
}

export function isUnset(config: AccessConfig): boolean {
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
