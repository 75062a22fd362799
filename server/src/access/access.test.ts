import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@depthwire/feeds';
import type { DepthwireError } from '@depthwire/shared';
import { topics } from '@depthwire/shared';
import fc from 'fast-check';
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWTPayload,
  type KeyObject,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Access, type Caller } from './access.ts';
import { isLoopbackHost, limitedAddress } from './address.ts';
import { accessSchema } from './config.ts';
import { assertGranted, mayRead, type Principal } from './grants.ts';
import { createKey, hashOf, publishablePrefix, secretPrefix } from './keys.ts';
import { Quotas, type Lease } from './quotas.ts';

const NOW_MS = 1_760_000_000_000;
const clock = () => new VirtualClock(NOW_MS);
const origin = 'https://shop.example';
const somewhere: Caller = {
  address: '203.0.113.9',
  host: 'data.example',
  origin: undefined,
  isSameOrigin: false,
  isSecure: false,
  isForwarded: false,
};
const here: Caller = { ...somewhere, address: '127.0.0.1', host: 'localhost:8080' };
const visitor = (from: string | undefined): Caller => ({ ...somewhere, origin: from });

const access = (config: object, at = clock(), allowedOrigins: readonly string[] = []) =>
  new Access({ config: accessSchema.parse(config), allowedOrigins, clock: at });
const bearer = (value: string) => ({ kind: 'header', value }) as const;
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe('who says nothing', () => {
  test('may read all from this machine, and nothing from elsewhere, where nothing is configured', () => {
    const open = access({});
    expect(open.anonymous(here)).toMatchObject({ id: 'local', grants: { operate: true } });
    for (const caller of [
      somewhere,
      { ...here, address: '10.0.0.8' },
      { ...here, isForwarded: true },
      { ...here, host: 'rebound.example' },
      { ...here, host: undefined },
    ]) {
      expect(open.anonymous(caller)).toBeNull();
      expect(open.refusal(caller)).toMatchObject({
        code: 'unauthenticated',
        message: expect.stringContaining('configure access.keys') as string,
      });
    }
    expect(open.refusal({ ...here, isForwarded: true }).message).toContain('a proxy passed this request on');
  });

  test('gets what is public, which is never how the server runs', () => {
    expect(access({ public: true }).anonymous(somewhere)).toMatchObject({
      id: 'public',
      grants: { instruments: ['*'], topics, operate: false },
    });
    const { grants } = access({ public: { topics: ['ticker'], minCadenceMs: 1_000 } }).anonymous(somewhere)!;
    expect(grants).toMatchObject({ topics: ['ticker'], minCadenceMs: 1_000, operate: false });
  });

  test('gets nothing where keys are configured, from this machine neither', () => {
    const closed = access({ keys: [{ id: 'desk', hash: hashOf(createKey(secretPrefix)) }] });
    expect(closed.anonymous(here)).toBeNull();
    expect(closed.refusal(here)).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('pages of its own machine', () => {
  const pages = [
    'http://localhost:3000',
    'http://127.0.0.1:5500',
    'http://[::1]:8000',
    'https://localhost',
    'http://app.localhost:1234',
  ];
  const others = [
    'null',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://10.0.0.8:3000',
    'https://page.example',
    'chrome-extension://localhost',
  ];
  const admits = (open: Access, from: string) => open.isAllowedOrigin({ ...here, origin: from });

  test('may connect where nothing is configured, and no others', () => {
    const open = access({});
    expect(pages.filter((page) => !admits(open, page))).toEqual([]);
    expect(others.filter((page) => admits(open, page))).toEqual([]);
  });

  test('may not as soon as anything says who may read', () => {
    const open = access({});
    const [page] = pages;
    const local = open.anonymous(here)!;
    expect(open.current(local, { ...here, origin: page })).toBe(local);
    open.reload({ config: accessSchema.parse({ public: true }), allowedOrigins: [] });
    expect(pages.filter((one) => admits(open, one))).toEqual([]);
    expect(open.current(local, { ...here, origin: page })).toBeNull();
  });
});

describe('keys', () => {
  const key = createKey(secretPrefix);
  const pageKey = createKey(publishablePrefix);
  const page = { id: 'shop', key: pageKey, origins: [origin], instruments: ['sim:*'], topics: ['ticker'] };
  const config = {
    keys: [{ id: 'desk', hash: hashOf(key), expires: '2026-01-31' }],
    publishableKeys: [page],
  };

  test('are known by their hash alone, and refused after their last day', async () => {
    const at = clock();
    const open = access(config, at);
    const expiresMs = Date.parse('2026-02-01T00:00:00Z');
    expect(await open.authenticate(bearer(key), somewhere)).toMatchObject({ id: 'key:desk', expiresMs });
    at.advanceTo(expiresMs);
    await expect(open.authenticate(bearer(key), somewhere)).rejects.toEqual(
      refusal('unauthenticated', /^key:desk has expired$/),
    );
  });

  test.each([
    ['of nobody', createKey(secretPrefix), /no such key/],
    ['with a letter less', key.slice(0, -1), /no such key/],
    ['of no kind', 'opensesame', /begins with dw_sk_/],
    ['too long', `${secretPrefix}${'x'.repeat(9_000)}`, /longer than 8192/],
  ])('are refused: one %s', async (_, value, message) => {
    await expect(access(config).authenticate(bearer(value), somewhere)).rejects.toEqual(
      refusal('unauthenticated', message),
    );
  });

  test('for pages are good for their origins only, and operate nothing', async () => {
    const open = access(config);
    const principal = await open.authenticate({ kind: 'key', value: pageKey }, visitor(origin));
    expect(principal).toMatchObject({
      id: 'page:shop',
      grants: { maxDepth: 20, minCadenceMs: 100, topics: ['ticker'], operate: false },
    });
    for (const other of [undefined, 'https://shop.example.evil', 'http://shop.example', 'null']) {
      await expect(open.authenticate(bearer(pageKey), visitor(other))).rejects.toEqual(
        refusal('forbidden', /^page:shop is good for pages of https:\/\/shop\.example, not for /),
      );
    }
  });

  test('for pages are good for frames of this server too, and for no program that says nothing of itself', async () => {
    const open = access(config);
    const frame: Caller = { ...visitor('https://data.example'), isSecure: true };
    const itsGet: Caller = { ...somewhere, isSameOrigin: true };
    for (const caller of [frame, itsGet]) {
      const principal = await open.authenticate(bearer(pageKey), caller);
      expect(principal.id).toBe('page:shop');
      expect(open.current(principal, caller)).toBe(principal);
      open.reload({ config: accessSchema.parse({ ...config, publishableKeys: [] }), allowedOrigins: [] });
      expect(open.current(principal, caller)).toBeNull();
      open.reload({ config: accessSchema.parse(config), allowedOrigins: [] });
    }
    for (const caller of [
      somewhere,
      // Whoever is on the way could have written it.
      { ...frame, origin: 'http://data.example' },
      { ...frame, host: 'other.example' },
      // What the browser says of a page does not count where it names another one.
      { ...itsGet, origin: 'null' },
      { ...itsGet, origin: 'https://evil.example' },
    ])
      await expect(open.authenticate(bearer(pageKey), caller)).rejects.toThrow();
  });

  test('that are secret do not work in a URL', async () => {
    await expect(access(config).authenticate({ kind: 'key', value: key }, somewhere)).rejects.toEqual(
      refusal('unauthenticated', /only publishable keys may be in a URL/),
    );
  });

  test('let the pages of their origins connect, and no others', () => {
    const open = access(config);
    const allowed = (from: string, isSecure = false) => open.isAllowedOrigin({ ...visitor(from), isSecure });
    expect(allowed(origin)).toBe(true);
    expect(allowed('https://evil.example')).toBe(false);
    expect(allowed('null')).toBe(false);
    expect(allowed('https://data.example')).toBe(true);
    expect(allowed('http://data.example')).toBe(true);
    // Whoever is on the way could have written a page that came without encryption.
    expect(allowed('https://data.example', true)).toBe(true);
    expect(allowed('http://data.example', true)).toBe(false);
  });

  test('may be taken back, exchanged, or permit something else while it runs', async () => {
    const open = access(config);
    const desk = await open.authenticate(bearer(key), somewhere);
    const shop = await open.authenticate(bearer(pageKey), visitor(origin));
    const reload = (changes: object) =>
      open.reload({ config: accessSchema.parse({ ...config, ...changes }), allowedOrigins: [] });

    reload({});
    expect(open.current(desk, somewhere)).toEqual(desk);
    expect(open.current(shop, visitor(origin))).toEqual(shop);
    reload({ keys: [{ id: 'desk', hash: hashOf(key), maxDepth: 10 }] });
    expect(open.current(desk, somewhere)).toMatchObject({ id: 'key:desk', grants: { maxDepth: 10 } });
    // The same name, and another key: whoever has the old one is nobody any more.
    reload({ keys: [{ id: 'desk', hash: hashOf(createKey(secretPrefix)) }] });
    expect(open.current(desk, somewhere)).toBeNull();
    await expect(open.authenticate(bearer(key), somewhere)).rejects.toEqual(
      refusal('unauthenticated', /no such key/),
    );
    reload({ publishableKeys: [{ ...config.publishableKeys[0], origins: ['https://other.example'] }] });
    expect(open.current(shop, visitor(origin))).toBeNull();

    const unset = access({});
    const local = unset.anonymous(here)!;
    unset.reload({ config: accessSchema.parse(config), allowedOrigins: [] });
    expect(unset.current(local, here)).toBeNull();
  });
});

describe('who may frame a page', () => {
  const key = createKey(publishablePrefix);
  const config = (more: object = {}) => ({
    publishableKeys: [
      {
        id: 'shop',
        key,
        origins: [origin],
        instruments: ['*'],
        topics: ['book'],
        expires: '2026-01-31',
        ...more,
      },
    ],
  });
  const partner = 'https://partner.example';

  test('with a publishable key: pages of its origins, whatever others may connect', () => {
    expect(access(config(), clock(), ['*']).framersOf(key)).toEqual(["'self'", origin]);
    // As a browser would send it in a header.
    expect(access(config()).framersOf(` ${key}\n`)).toEqual(["'self'", origin]);
    expect(access({ ...config(), public: true }).framersOf(key)).toEqual(["'self'", origin]);
  });

  test('with a key that is none: everybody, to be told so', () => {
    const at = clock();
    const open = access(config(), at);
    for (const wrong of [createKey(publishablePrefix), createKey(secretPrefix), '', 'x'.repeat(9_000)])
      expect(open.framersOf(wrong)).toEqual(['*']);
    at.advanceTo(Date.parse('2026-02-01T00:00:00Z'));
    expect(open.framersOf(key)).toEqual(['*']);
  });

  test('without one: pages that may connect without', () => {
    expect(access(config()).framersOf(null)).toEqual(["'self'"]);
    expect(access(config(), clock(), [partner]).framersOf(null)).toEqual(["'self'", partner]);
    expect(access(config(), clock(), ['*', partner]).framersOf(null)).toEqual(['*']);
  });

  test('where nothing is configured: pages of its own machine, whatever key they name', () => {
    const open = access({}, clock(), [partner]);
    const machine = ['http', 'https'].flatMap((scheme) => [
      `${scheme}://localhost:*`,
      `${scheme}://127.0.0.1:*`,
    ]);
    for (const named of [null, key]) expect(open.framersOf(named)).toEqual(["'self'", partner, ...machine]);
  });

  test('follows what is configured', () => {
    const open = access(config());
    open.reload({ config: accessSchema.parse(config({ origins: [partner] })), allowedOrigins: [] });
    expect(open.framersOf(key)).toEqual(["'self'", partner]);
    open.reload({ config: accessSchema.parse({ public: true }), allowedOrigins: [origin] });
    expect([open.framersOf(key), open.framersOf(null)]).toEqual([['*'], ["'self'", origin]]);
  });
});

describe('what is refused', () => {
  const [secret, page] = [createKey(secretPrefix), createKey(publishablePrefix)];
  const config = {
    keys: [{ id: 'desk', hash: hashOf(secret) }],
    publishableKeys: [{ id: 'shop', key: page, origins: [origin], instruments: ['*'], topics: ['book'] }],
  };

  test('is counted by whose it was, of configured keys alone by name', async () => {
    const open = access(config);
    const header = (value: string) => ({ kind: 'header', value }) as const;
    for (const [who, kind, key] of [
      [null, 'none', ''],
      [header(secret), 'secret', 'desk'],
      [header(page), 'publishable', 'shop'],
      [header(createKey(secretPrefix)), 'secret', ''],
      [header(createKey(publishablePrefix)), 'publishable', ''],
      [header('a.b.c'), 'token', ''],
      [header('x'.repeat(9_000)), 'none', ''],
      [{ kind: 'ticket', value: secret }, 'ticket', ''],
      [await open.authenticate(header(secret), somewhere), 'secret', 'desk'],
      [await open.authenticate(header(page), visitor(origin)), 'publishable', 'shop'],
      [{ id: 'jwt:alice', grants: {}, expiresMs: null } as Principal, 'token', ''],
      [access({}).anonymous(here), 'none', ''],
    ] as const) {
      const before = new Map([...open.refusals.counts].map((one) => [`${one.kind} ${one.key}`, one.count]));
      open.onRefused('forbidden', who);
      const after = new Map([...open.refusals.counts].map((one) => [`${one.kind} ${one.key}`, one.count]));
      expect(after.get(`${kind} ${key}`)).toBe((before.get(`${kind} ${key}`) ?? 0) + 1);
    }
  });

  test('is no more than what somebody may not', () => {
    const open = access(config);
    for (const code of ['unknown_instrument', 'malformed_message', 'internal'] as const)
      open.onRefused(code, null);
    expect([...open.refusals.counts]).toEqual([]);
  });
});

describe('a ticket', () => {
  test('is good once, for half a minute, and for the origin that asked', async () => {
    const at = clock();
    const open = access({}, at, [origin]);
    const principal = open.anonymous(here)!;
    const redeem = (value: string, from: string | undefined) =>
      open.authenticate({ kind: 'ticket', value }, { ...here, origin: from });
    const refused = refusal('unauthenticated', /^ticket: expected one that was issued to this origin/);

    const { ticket, expires } = open.tickets.issue(principal, origin);
    expect(expires).toBe(NOW_MS + 30_000);
    await expect(redeem(ticket, undefined)).rejects.toEqual(refused);
    expect(await redeem(ticket, origin)).toBe(principal);
    await expect(redeem(ticket, origin)).rejects.toEqual(refused);

    const late = open.tickets.issue(principal, undefined).ticket;
    at.advanceTo(NOW_MS + 30_000);
    await expect(redeem(late, undefined)).rejects.toEqual(refused);
  });

  test('ends with the key that it stands for, and is for nobody who needs none', () => {
    const at = clock();
    const open = access({ public: true }, at);
    const everybody = open.anonymous(somewhere)!;
    expect(() => open.tickets.issue(everybody, undefined)).toThrow(
      refusal('forbidden', /without a ticket/) as Error,
    );
    const brief = { ...everybody, id: 'jwt:alice', expiresMs: NOW_MS + 5_000 };
    expect(open.tickets.issue(brief, undefined).expires).toBe(NOW_MS + 5_000);
  });

  test('is refused where a thousand of one key wait, and there is room again when those have expired', () => {
    const at = clock();
    const open = access({}, at);
    const principal = open.anonymous(here)!;
    for (let i = 0; i < 1_000; i++) open.tickets.issue(principal, undefined);
    expect(() => open.tickets.issue(principal, undefined)).toThrow(
      refusal('rate_limited', /tickets wait/) as Error,
    );
    at.advanceTo(NOW_MS + 30_000);
    expect(open.tickets.issue(principal, undefined).ticket).toHaveLength(32);
  });
});

describe('JSON Web Tokens', () => {
  const secret = 'a secret of at least thirty-two bytes';
  let folder: string;
  let rsa: { publicKey: CryptoKey | KeyObject; privateKey: CryptoKey | KeyObject };
  const secretFile = () => join(folder, 'secret');
  const jwksFile = () => join(folder, 'keys.json');

  const writeKeySet = async (kid: string, key: CryptoKey | KeyObject) =>
    writeFile(jwksFile(), JSON.stringify({ keys: [{ ...(await exportJWK(key)), kid, alg: 'RS256' }] }));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'depthwire-jwt-'));
    rsa = await generateKeyPair('RS256', { extractable: true });
    await writeFile(secretFile(), `${secret}\n`);
    await writeKeySet('one', rsa.publicKey);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const sign = (
    claims: JWTPayload,
    {
      alg = 'HS256',
      kid,
      key = new TextEncoder().encode(secret),
    }: { alg?: string; kid?: string; key?: Parameters<SignJWT['sign']>[0] } = {},
  ) =>
    new SignJWT({ sub: 'alice', exp: NOW_MS / 1000 + 60, ...claims })
      .setProtectedHeader({ alg, kid })
      .sign(key);
  const verify = (token: string, jwt: object = { secretFile: secretFile() }, at = clock()) =>
    access({ jwt }, at).authenticate(bearer(token), somewhere);

  test('of a shared secret and of a key set are taken, with what they grant', async () => {
    expect(await verify(await sign({ depthwire: { topics: ['trades'], maxDepth: 10 } }))).toEqual({
      id: 'jwt:alice',
      grants: { instruments: ['*'], topics: ['trades'], maxDepth: 10, minCadenceMs: 0, operate: false },
      expiresMs: NOW_MS + 60_000,
    });
    const both = { secretFile: secretFile(), jwksFile: jwksFile(), grants: { instruments: ['sim:*'] } };
    const token = await sign({}, { alg: 'RS256', kid: 'one', key: rsa.privateKey });
    expect(await verify(token, both)).toMatchObject({ id: 'jwt:alice', grants: { instruments: ['sim:*'] } });
    expect(await verify(await sign({}), both)).toMatchObject({ id: 'jwt:alice' });
  });

  test('grant what all of them do where they do not say otherwise', async () => {
    const jwt = { secretFile: secretFile(), grants: { instruments: ['sim:*'], maxDepth: 5 } };
    for (const depthwire of [{}, { maxDepth: 20 }]) {
      expect((await verify(await sign({ depthwire }), jwt)).grants).toEqual({
        ...{ instruments: ['sim:*'], topics, maxDepth: 5, minCadenceMs: 0, operate: false },
        ...depthwire,
      });
    }
  });

  const refused: [string, () => Promise<string>, RegExp, (() => object)?][] = [
    ['expired', () => sign({ exp: NOW_MS / 1000 - 6 }), /it has expired/],
    ['without an end', () => sign({ exp: undefined }), /claim exp: missing/],
    ['without a subject', () => sign({ sub: undefined }), /claim sub: missing/],
    ['that begins later', () => sign({ nbf: NOW_MS / 1000 + 60 }), /claim nbf/],
    [
      'of another secret',
      () => sign({}, { key: new TextEncoder().encode('x'.repeat(40)) }),
      /its signature is wrong/,
    ],
    [
      'without a signature',
      () => Promise.resolve(new UnsecuredJWT({ sub: 'a' }).encode()),
      /algorithm|no JSON Web Token/,
    ],
    ['that is none', () => Promise.resolve('a.b.c'), /it is no JSON Web Token/],
    [
      'with a grant that makes no sense',
      () => sign({ depthwire: { maxDepth: -1 } }),
      /claim depthwire\.maxDepth: expected a whole/,
    ],
    [
      'with a grant that does not exist',
      () => sign({ depthwire: { root: true } }),
      /claim depthwire: unknown key/,
    ],
    [
      'of another issuer',
      () => sign({ iss: 'b' }),
      /claim iss/,
      () => ({ secretFile: secretFile(), issuer: 'a' }),
    ],
    [
      'for another audience',
      () => sign({ aud: 'b' }),
      /claim aud/,
      () => ({ secretFile: secretFile(), audience: 'a' }),
    ],
    [
      'of an unknown key',
      () => sign({}, { alg: 'RS256', kid: 'two', key: rsa.privateKey }),
      /signed with a key that this server does not know/,
      () => ({ jwksFile: jwksFile() }),
    ],
    [
      'signed with the public key as if it were a secret',
      async () => sign({}, { key: new TextEncoder().encode(JSON.stringify(await exportJWK(rsa.publicKey))) }),
      /algorithm is not one/,
      () => ({ jwksFile: jwksFile() }),
    ],
  ];
  test.each(refused)('are refused: one %s', async (_, make, message, jwt) => {
    const token = await make();
    const error = await verify(token, jwt?.()).catch((thrown: unknown) => thrown as DepthwireError);
    expect(error).toEqual(refusal('unauthenticated', message));
    expect((error as DepthwireError).message).not.toContain(token);
  });

  test('keys can be rotated while it runs, and a broken file changes nothing', async () => {
    const next = await generateKeyPair('RS256', { extractable: true });
    const open = access({ jwt: { jwksFile: jwksFile() } });
    const token = await sign({}, { alg: 'RS256', kid: 'next', key: next.privateKey });
    await expect(open.authenticate(bearer(token), somewhere)).rejects.toThrow('does not know');
    await writeFile(jwksFile(), '{"keys": [');
    await utimes(jwksFile(), 1, 1);
    const old = await sign({}, { alg: 'RS256', kid: 'one', key: rsa.privateKey });
    expect(await open.authenticate(bearer(old), somewhere)).toMatchObject({ id: 'jwt:alice' });
    await writeKeySet('next', next.publicKey);
    await utimes(jwksFile(), 2, 2);
    expect(await open.authenticate(bearer(token), somewhere)).toMatchObject({ id: 'jwt:alice' });
    await expect(open.authenticate(bearer(old), somewhere)).rejects.toThrow('does not know');
    await writeKeySet('one', rsa.publicKey);
  });

  test('stop the start where a file cannot be used', async () => {
    await writeFile(join(folder, 'short'), 'short');
    await writeFile(join(folder, 'empty.json'), '{"keys": []}');
    await writeFile(join(folder, 'oct.json'), '{"keys": [{"kty": "oct", "k": "AAAA"}]}');
    for (const [jwt, message] of [
      [{ secretFile: join(folder, 'none') }, /^access\.jwt\.secretFile: .*cannot be read/],
      [{ secretFile: join(folder, 'short') }, /expected at least 32 bytes, got 5/],
      [{ jwksFile: secretFile() }, /^access\.jwt\.jwksFile: .*expected a JSON Web Key Set/],
      [{ jwksFile: join(folder, 'oct.json') }, /symmetric key: use secretFile/],
      [{ jwksFile: join(folder, 'empty.json') }, /it holds no key$/],
    ] as const) {
      expect(() => access({ jwt })).toThrow(refusal('invalid_config', message) as Error);
    }
  });
});

describe('grants', () => {
  test('patterns match as their regular expression would', () => {
    const piece = fc.constantFrom('a', 'b', 'ab', ':', '*');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(piece, { maxLength: 8 }), (pattern, text) => {
        const shown = text.filter((part) => part !== '*').join('');
        const oracle = new RegExp(`^${pattern.map((part) => (part === '*' ? '.*' : part)).join('')}$`);
        const grants = { instruments: [pattern.join('')], topics, minCadenceMs: 0, operate: false };
        expect(mayRead(grants, shown)).toBe(oracle.test(shown));
      }),
      { numRuns: 2_000 },
    );
  });

  test('say what is not among them', () => {
    const desk: Principal = {
      id: 'key:desk',
      grants: { instruments: ['sim:*'], topics: ['ticker'], minCadenceMs: 0, operate: false },
      expiresMs: null,
    };
    assertGranted(desk, 'ticker', 'sim:BTC-USD');
    expect(() => assertGranted(desk, 'book', 'sim:BTC-USD')).toThrow(
      refusal('forbidden', /^key:desk may not read book: it has ticker$/) as Error,
    );
    expect(() => assertGranted(desk, 'ticker', 'kraken:BTC-USD')).toThrow(
      refusal('forbidden', /^key:desk may not read kraken:BTC-USD$/) as Error,
    );
  });
});

describe('quotas', () => {
  const limits = {
    maxConnections: 8,
    maxConnectionsPerAddress: 2,
    maxSubscriptionsPerAddress: 3,
    maxConnectionsPerKey: 3,
    maxSubscriptionsPerKey: 4,
  };
  const principal = (id: string): Principal => ({
    id,
    grants: { instruments: ['*'], topics, minCadenceMs: 0, operate: false },
    expiresMs: null,
  });

  test('bound what an address and a key have, whatever they do in between', () => {
    const action = fc.record({
      what: fc.constantFrom('open', 'close', 'subscribe', 'unsubscribe', 'rebind'),
      address: fc.constantFrom('203.0.113.1', '203.0.113.2', '2001:db8::1', '2001:db8::2', '127.0.0.1'),
      who: fc.constantFrom(null, 'key:a', 'key:b', 'jwt:c'),
      which: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const quotas = new Quotas(limits);
        const open: { lease: Lease; address: string | null; who: string | null; subscriptions: number }[] =
          [];
        const count = (fits: (entry: (typeof open)[number]) => boolean) => {
          const found = open.filter(fits);
          return {
            connections: found.length,
            subscriptions: found.reduce((sum, { subscriptions }) => sum + subscriptions, 0),
          };
        };
        for (const { what, address, who, which } of actions) {
          const network = limitedAddress(address);
          const entry = open[which % Math.max(1, open.length)];
          const ofAddress = (at: string | null) => count((other) => at !== null && other.address === at);
          const ofKey = (id: string | null) => count((other) => other.who === id);
          if (what === 'open') {
            const ofNobody = (at: string | null) =>
              count((other) => other.who === null && other.address === at).connections;
            const mayOpen =
              ofAddress(network).connections < limits.maxConnectionsPerAddress &&
              (who === null
                ? ofNobody(network) < (network === null ? limits.maxConnections / 4 : 20)
                : ofKey(who).connections < limits.maxConnectionsPerKey);
            const attempt = () => quotas.open(address, who === null ? null : principal(who));
            if (mayOpen) open.push({ lease: attempt(), address: network, who, subscriptions: 0 });
            else
              expect(attempt).toThrow(refusal('too_many_connections', /may hold \d+ connections/) as Error);
          } else if (!entry) continue;
          else if (what === 'close') {
            entry.lease.release();
            entry.lease.release();
            open.splice(open.indexOf(entry), 1);
          } else if (what === 'subscribe') {
            const mayAdd =
              ofAddress(entry.address).subscriptions < limits.maxSubscriptionsPerAddress &&
              ofKey(entry.who).subscriptions < (entry.who === null ? 0 : limits.maxSubscriptionsPerKey);
            if (mayAdd) {
              entry.lease.assertRoom();
              entry.lease.addSubscription();
              entry.subscriptions += 1;
            } else
              expect(() => entry.lease.assertRoom()).toThrow(
                refusal('too_many_subscriptions', /may hold/) as Error,
              );
          } else if (what === 'unsubscribe') {
            if (entry.subscriptions === 0) continue;
            entry.lease.removeSubscription();
            entry.subscriptions -= 1;
          } else if (who !== null) {
            const mayBecome =
              who === entry.who ||
              (ofKey(who).connections < limits.maxConnectionsPerKey &&
                ofKey(who).subscriptions + entry.subscriptions <= limits.maxSubscriptionsPerKey);
            if (mayBecome) {
              entry.lease.rebind(principal(who));
              entry.who = who;
            } else expect(() => entry.lease.rebind(principal(who))).toThrow();
          }
        }
        for (const { lease } of open) lease.release();
        expect(quotas.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('addresses', () => {
  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    ['unknown', 'unknown'],
    ['_hidden', 'unknown'],
    ['127.0.0.8', null],
    ['::1', null],
    ['::ffff:127.0.0.1', null],
  ])('%s counts as %s', (address, counted) => {
    expect(limitedAddress(address)).toBe(counted);
  });

  test.each([
    ['localhost', true],
    ['localhost:8080', true],
    ['app.localhost', true],
    ['127.0.0.1:80', true],
    ['[::1]:8080', true],
    ['localhost.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['evil.example:8080', false],
    ['0.0.0.0', false],
    ['', false],
    [undefined, false],
  ])('the host %s is this machine: %s', (host, expected) => {
    expect(isLoopbackHost(host)).toBe(expected);
  });
});
