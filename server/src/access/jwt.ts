import { readFileSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { DepthwireError, type Clock } from '@depthwire/shared';
import {
  createLocalJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose';
import type { AccessConfig } from './config.ts';
import { claimSchema } from './config.ts';
import type { Grants, Principal } from './grants.ts';

const MIN_SECRET_BYTES = 32;
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_SUBJECT_CHARS = 64;
/** Of a token: what it may read. */
const GRANTS_CLAIM = 'depthwire';

/** Which algorithms go with a key decides the configuration, never the token. */
const SYMMETRIC = ['HS256'];
const ASYMMETRIC = ['RS256', 'ES256', 'PS256', 'EdDSA'];

type JwtConfig = NonNullable<AccessConfig['jwt']>;
type Verify = (token: string, options: JWTVerifyOptions) => Promise<JWTVerifyResult>;

/** A token that was found right. */
export interface Token {
  readonly verifier: JwtVerifier;
  readonly subject: string;
  readonly expiresMs: number;
  /** What it grants beside, or instead of, what all of them do. */
  readonly claim: Partial<Grants>;
}

/** JSON Web Tokens of an identity provider: HS256 with a shared secret, or the keys of a JWKS file. */
export class JwtVerifier {
  #config: JwtConfig;
  readonly #clock: Clock;
  readonly #verifiers: readonly Verify[];
  /** Of the shared secret: whoever has a token of another one is nobody. */
  readonly #secret: string | null;

  /** @throws DepthwireError `invalid_config` where a file cannot be used */
  constructor(config: JwtConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#secret = config.secretFile === undefined ? null : readSecret(config.secretFile);
    this.#verifiers = [
      ...(this.#secret === null ? [] : [withSecret(this.#secret)]),
      ...(config.jwksFile === undefined ? [] : [withKeySet(config.jwksFile)]),
    ];
  }

  /** Whether both take the very same tokens. A key set may change while it is in use: there the file counts. */
  takesWhat(other: JwtVerifier): boolean {
    const keysOf = ({ jwksFile, issuer, audience }: JwtConfig) => [jwksFile, issuer, audience];
    return this.#secret === other.#secret && isDeepStrictEqual(keysOf(this.#config), keysOf(other.#config));
  }

  /** Other grants, for tokens that are the same. */
  configure(config: JwtConfig): void {
    this.#config = config;
  }

  principalOf({ subject, claim, expiresMs }: Token): Principal {
    return { id: `jwt:${subject}`, grants: { ...this.#config.grants, ...claim }, expiresMs };
  }

  /** @throws DepthwireError `unauthenticated`, saying what is wrong with the token */
  async verify(token: string): Promise<Token> {
    const options: JWTVerifyOptions = {
      currentDate: new Date(this.#clock.now()),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'sub'],
      ...(this.#config.issuer === undefined ? {} : { issuer: this.#config.issuer }),
      ...(this.#config.audience === undefined ? {} : { audience: this.#config.audience }),
    };
    let failure: unknown;
    for (const verify of this.#verifiers) {
      try {
        return this.#read((await verify(token, options)).payload);
      } catch (error) {
        if (error instanceof DepthwireError) throw error;
        // Where both kinds of keys are there, the one whose algorithm it is has more to say.
        if (!(error instanceof errors.JOSEAlgNotAllowed) || failure === undefined) failure = error;
      }
    }
    throw new DepthwireError('unauthenticated', `token: ${reasonOf(failure)}`);
  }

  #read(payload: JWTPayload): Token {
    const { sub } = payload as { sub: unknown };
    if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT_CHARS)
      throw new DepthwireError(
        'unauthenticated',
        `token: claim sub: expected a text of 1 to ${MAX_SUBJECT_CHARS} characters`,
      );
    const claim = claimSchema.safeParse(payload[GRANTS_CLAIM] ?? {});
    if (!claim.success) {
      const [issue] = claim.error.issues;
      throw new DepthwireError(
        'unauthenticated',
        `token: claim ${[GRANTS_CLAIM, ...issue!.path].join('.')}: ${issue!.message}`,
      );
    }
    return { verifier: this, subject: sub, expiresMs: payload.exp! * 1000, claim: claim.data };
  }
}

function readSecret(file: string): string {
  const secret = read(file, 'access.jwt.secretFile').trim();
  const { length } = new TextEncoder().encode(secret);
  if (length < MIN_SECRET_BYTES)
    throw invalid(
      'access.jwt.secretFile',
      `${file}: expected at least ${MIN_SECRET_BYTES} bytes, got ${length}`,
    );
  return secret;
}

function withSecret(secret: string): Verify {
  const bytes = new TextEncoder().encode(secret);
  return (token, options) => jwtVerify(token, bytes, { ...options, algorithms: SYMMETRIC });
}

/** The file is read again when it has changed, so that keys can be rotated while it runs. */
function withKeySet(file: string): Verify {
  let changedMs = NaN;
  let keys: ReturnType<typeof createLocalJWKSet>;
  const load = () => {
    const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: changedMs };
    if (mtimeMs === changedMs) return;
    keys = parseKeySet(file);
    changedMs = mtimeMs;
  };
  parseKeySet(file);
  load();
  return async (token, options) => {
    try {
      load();
    } catch {
      // half written; those of before are good until it is whole
    }
    return jwtVerify(token, keys, { ...options, algorithms: ASYMMETRIC });
  };
}

function parseKeySet(file: string): ReturnType<typeof createLocalJWKSet> {
  const key = 'access.jwt.jwksFile';
  const text = read(file, key);
  try {
    const set = JSON.parse(text) as JSONWebKeySet;
    if (set.keys.length === 0) throw new Error('it holds no key');
    if (set.keys.some(({ kty }) => kty === 'oct'))
      throw new Error('it holds a symmetric key: use secretFile');
    return createLocalJWKSet(set);
  } catch (error) {
    throw invalid(key, `${file}: expected a JSON Web Key Set, {"keys": [...]}: ${(error as Error).message}`);
  }
}

function read(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(key, `${file}: cannot be read: ${(error as Error).message}`);
  }
}

function invalid(key: string, message: string): DepthwireError {
  return new DepthwireError('invalid_config', `${key}: ${message}`, { key });
}

/** Of a token that is refused; nothing of the token itself. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `claim ${error.claim}: ${error.reason.replace('_', ' ')}`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not one that this server takes';
  if (error instanceof errors.JWKSNoMatchingKey)
    return 'it was signed with a key that this server does not know';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it is no JSON Web Token';
}
