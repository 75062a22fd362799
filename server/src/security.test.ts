import { once } from 'node:events';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Socket,
} from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '@depthwire/feeds';
import { codecs, DepthwireClient, type OpenWebSocket } from '@depthwire/shared';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connect, isOp, serve as start } from '../test/server.ts';
import { ScriptedFeed, testInstrument } from '../test/markets.ts';
import { RawClient } from '../test/raw-client.ts';
import { createKey, hashOf, publishablePrefix, secretPrefix } from './access/keys.ts';
import { parseConfig, type Config } from './config/config.ts';
import { limitSockets } from './http/sockets.ts';

// From outside: what docs/security.md says, against a real server.

const instrument = 'test:AAA-USD';
const subscribe = { op: 'subscribe', id: 1, topic: 'book', instrument, depth: 10, cadence: 0 };
const deskKey = createKey(secretPrefix);
const pageKey = createKey(publishablePrefix);
const shop = 'https://shop.example';
const JWT_SECRET = 'a secret of at least thirty-two bytes';
/** Whom a trusted proxy says that a request is for. */
const from = (address: string) => ({ 'x-forwarded-for': address });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** As the configuration file would have it. */
const configured = (input: object): Partial<Config> => parseConfig({ ...input, port: 0 });
const keyed = (more: object = {}, rest: object = {}) =>
  configured({
    access: {
      keys: [{ id: 'desk', hash: hashOf(deskKey), operate: true }],
      publishableKeys: [
        {
          id: 'shop',
          key: pageKey,
          origins: [shop],
          instruments: [instrument],
          topics: ['book'],
          maxDepth: 5,
          minCadenceMs: 250,
        },
      ],
      ...more,
    },
    trustedProxies: ['127.0.0.1'],
    ...rest,
  });

async function get(url: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const response = await fetch(url, { ...init, headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { error?: { code: string; message: string } } & Record<string, unknown>,
  };
}

const open = (ws: string, headers: Record<string, string> = {}, origin?: string) =>
  connect(ws, 'json', { headers, origin });

/** HTTP status of an upgrade that is refused. */
async function refusedUpgrade(
  ws: string,
  options: { headers?: Record<string, string>; origin?: string },
): Promise<number> {
  const socket = new WebSocket(ws, ['depthwire.v1.json'], options);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

describe('who may read', () => {
  test('a server that nobody configured is closed to everybody but its own machine', async () => {
    const { url, ws } = await start({ trustedProxies: ['127.0.0.1'] });
    expect((await get(`${url}/api/v1/instruments`)).status).toBe(200);
    const { status, headers, body } = await get(`${url}/api/v1/instruments`, from('203.0.113.9'));
    expect({ status, code: body.error!.code }).toEqual({ status: 401, code: 'unauthenticated' });
    expect(body.error!.message).toContain('configure access.keys');
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(await refusedHost(url, 'rebound.example')).toMatch(/^HTTP\/1\.1 401 /);
    const stranger = await open(ws, from('203.0.113.9'));
    expect(await stranger.next(isOp('hello'))).toMatchObject({ principal: null });
    stranger.send(subscribe);
    expect(await stranger.next(isOp('error'))).toMatchObject({ id: 1, code: 'unauthenticated' });
  });

  test('what a proxy passed on that is not trusted is nobody’s on this machine', async () => {
    const { url } = await start();
    for (const headers of [
      from('127.0.0.1'),
      { forwarded: 'for=127.0.0.1' },
      { 'x-real-ip': '127.0.0.1' },
    ] as Record<string, string>[]) {
      const { status, body } = await get(`${url}/api/v1/instruments`, headers);
      expect(status).toBe(401);
      expect(body.error!.message).toContain('a proxy passed this request on');
    }
  });

  test('whoever is believed of a chain is the last one that a trusted proxy names', async () => {
    const { url } = await start({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] });
    expect((await get(`${url}/api/v1/instruments`, from('127.0.0.1, 203.0.113.9, 10.1.2.3'))).status).toBe(
      401,
    );
  });

  test('keys and tokens are asked for on every route of the API, and health says little without', async () => {
    const { url } = await start(keyed());
    const paths = ['instruments', `instruments/${instrument}`, 'feeds', 'tickets'].concat(
      ['book', 'trades', 'candles', 'depth-history'].map((topic) => `instruments/${instrument}/${topic}`),
    );
    for (const path of paths) {
      const init = { method: path === 'tickets' ? 'POST' : 'GET' };
      expect([path, (await get(`${url}/api/v1/${path}`, {}, init)).status]).toEqual([path, 401]);
      expect([
        path,
        (await get(`${url}/api/v1/${path}`, bearer(createKey(secretPrefix)), init)).status,
      ]).toEqual([path, 401]);
      expect((await get(`${url}/api/v1/${path}`, bearer(deskKey), init)).status).toBeLessThan(300);
    }
    expect(Object.keys((await get(`${url}/api/v1/health`)).body)).toEqual(['status', 'time']);
    expect((await get(`${url}/api/v1/health`, bearer(deskKey))).body).toMatchObject({
      version: expect.any(String) as string,
    });
  });

  test('a secret key in a URL is refused', async () => {
    const { url } = await start(keyed());
    const { status, body } = await get(`${url}/api/v1/instruments?key=${deskKey}`);
    expect(status).toBe(401);
    expect(body.error!.message).toContain('only publishable keys may be in a URL');
  });

  test('a connection says who it is by header, by ticket, by key, or by its first request', async () => {
    const { url, ws } = await start(keyed());
    const asDesk = { principal: 'key:desk', expires: null };
    expect(await (await open(ws, bearer(deskKey))).next(isOp('hello'))).toMatchObject(asDesk);

    const { body } = await get(
      `${url}/api/v1/tickets`,
      { ...bearer(deskKey), origin: shop },
      { method: 'POST' },
    );
    const withTicket = `${ws}?ticket=${String(body.ticket)}`;
    expect(await (await open(withTicket, {}, shop)).next(isOp('hello'))).toMatchObject(asDesk);
    expect(await refusedUpgrade(withTicket, { origin: shop })).toBe(401);

    expect(await (await open(`${ws}?key=${pageKey}`, {}, shop)).next(isOp('hello'))).toMatchObject({
      principal: 'page:shop',
    });

    const later = await open(ws);
    expect(await later.next(isOp('hello'))).toMatchObject({ principal: null });
    later.send({ op: 'authenticate', id: 7, token: deskKey });
    later.send(subscribe); // right behind it
    expect(await later.next()).toEqual({ op: 'authenticated', id: 7, ...asDesk });
    expect(await later.next()).toMatchObject({ op: 'subscribed', id: 1 });
  });

  test('a connection that does not say in time who it is ends, and so does one that guesses', async () => {
    const { ws } = await start(keyed({ authenticateWithinMs: 100 }));
    expect(await (await open(ws)).end()).toMatchObject({ code: 4401, reason: 'no key or token in time' });
    const { ws: patient, url: metricsUrl } = await start(keyed());
    const guessing = await open(patient);
    for (let id = 0; id < 5; id++) guessing.send({ op: 'authenticate', id, token: createKey(secretPrefix) });
    expect(await guessing.end()).toMatchObject({ code: 4401, reason: 'too often no right key or token' });
    const scraped = await (await fetch(`${metricsUrl}/metrics`, { headers: bearer(deskKey) })).text();
    expect(scraped).toContain('depthwire_requests_total{op="authenticate",outcome="unauthenticated"} 5');
    expect(scraped).not.toContain('outcome="ok"');
    const errors = guessing.messages.filter((message) => isOp('error')(message as Record<string, unknown>));
    expect(errors.map((message) => (message as { code: string }).code)).toEqual(
      Array(5).fill('unauthenticated'),
    );
  });

  test('a publishable key does not work from another origin, or from none', async () => {
    const { ws, url } = await start(keyed());
    expect(await refusedUpgrade(`${ws}?key=${pageKey}`, { origin: 'https://evil.example' })).toBe(403);
    expect(await refusedUpgrade(`${ws}?key=${pageKey}`, {})).toBe(403);
    expect(await get(`${url}/api/v1/instruments?key=${pageKey}`, { origin: shop })).toMatchObject({
      status: 200,
      body: { instruments: [{ id: instrument }] },
    });
  });
});

describe('what it may read', () => {
  test('is looked at with every request', async () => {
    const other = testInstrument('test:BBB-USD');
    const { ws, url, feed } = await start(
      keyed(),
      new ScriptedFeed('test', [testInstrument(instrument), other]),
    );
    const client = await open(`${ws}?key=${pageKey}`, {}, shop);
    const refused = async (request: object) => {
      client.send(request);
      return (await client.next(isOp('error'))) as { code: string };
    };
    expect(await refused({ ...subscribe, topic: 'trades', depth: undefined })).toMatchObject({
      code: 'forbidden',
    });
    expect(await refused({ ...subscribe, instrument: other.id })).toMatchObject({ code: 'forbidden' });
    // Not whether there is such an instrument.
    expect(await refused({ ...subscribe, instrument: 'no:SUCH-ONE' })).toMatchObject({ code: 'forbidden' });
    client.send({ ...subscribe, depth: 0, cadence: 0 });
    expect(await client.next(isOp('subscribed'))).toMatchObject({ depth: 5, cadence: 250 });

    const rest = (path: string) =>
      get(`${url}/api/v1/instruments/${path}`, { ...bearer(pageKey), origin: shop });
    const sixDeep = (best: number, step: number) =>
      Array.from({ length: 6 }, (_, i) => [best + i * step, 5]).flat();
    feed.snapshot(sixDeep(100, -1), sixDeep(101, 1));
    const { status, body } = await rest(`${instrument}/book?depth=6`);
    expect({ status, levels: (body.bids as unknown[]).length }).toEqual({ status: 200, levels: 5 });
    for (const path of [`${instrument}/trades`, `${other.id}/book`, other.id])
      expect(await rest(path)).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
    expect((await get(`${url}/api/v1/feeds`, { ...bearer(pageKey), origin: shop })).body.error!.code).toBe(
      'forbidden',
    );
  });

  test('ends with the token, and goes on with a new one on the same connection', async () => {
    const { jwt, sign } = await tokens();
    const { ws } = await start(keyed({ jwt }));
    const soon = () => Math.floor(Date.now() / 1000) + 2;
    const lapsing = await open(ws, bearer(await sign({ exp: soon() })));
    const renewed = await open(ws, bearer(await sign({ exp: soon() })));
    const hello = await lapsing.next(isOp('hello'));
    expect(hello).toMatchObject({ principal: 'jwt:alice', expires: expect.any(Number) as number });
    for (const client of [lapsing, renewed]) client.send(subscribe);
    const until = soon() + 3_600;
    renewed.send({ op: 'authenticate', id: 2, token: await sign({ exp: until }) });
    expect(await renewed.next(isOp('authenticated'))).toMatchObject({ id: 2, expires: until * 1000 });
    expect(await lapsing.end()).toMatchObject({ code: 4401, reason: 'the key or token has expired' });
    renewed.send({ op: 'snapshot', id: 3, ch: 1 });
    expect(await renewed.next(isOp('snapshot'))).toMatchObject({ id: 3 });
  });

  test('may become less: then the connection ends', async () => {
    const { jwt, sign } = await tokens();
    const { ws } = await start(keyed({ jwt }));
    for (const less of [
      { topics: ['ticker'] },
      { maxDepth: 5 },
      { minCadenceMs: 100 },
      { instruments: ['sim:*'] },
    ]) {
      const client = await open(ws, bearer(await sign({})));
      client.send(subscribe);
      await client.next(isOp('subscribed'));
      client.send({ op: 'authenticate', id: 2, token: await sign({ depthwire: less }) });
      expect(await client.next(isOp('error'))).toMatchObject({ id: null, code: 'forbidden' });
      expect((await client.end()).code).toBe(4403);
    }
  });

  test('is bounded in connections and subscriptions, of a key and of an address', async () => {
    const limits = { maxConnectionsPerAddress: 2, maxSubscriptionsPerAddress: 2 };
    const keys = [{ id: 'small', hash: hashOf(deskKey), maxConnections: 2, maxSubscriptions: 1 }];
    const { ws } = await start(
      configured({ access: { keys }, gateway: limits, trustedProxies: ['127.0.0.1'] }),
    );
    const [first, second] = [await open(ws, bearer(deskKey)), await open(ws, bearer(deskKey))];
    expect(await (await open(ws, bearer(deskKey))).end()).toEqual({
      code: 1013,
      reason: 'key:small may hold 2 connections',
    });
    first.send(subscribe);
    await first.next(isOp('subscribed'));
    second.send(subscribe);
    expect(await second.next(isOp('error'))).toMatchObject({
      code: 'too_many_subscriptions',
      message: 'key:small may hold 1 subscriptions',
    });
    first.socket.close();
    await vi.waitFor(async () => {
      second.send(subscribe);
      expect(
        await second.next((message) => message.op === 'subscribed' || message.op === 'error'),
      ).toMatchObject({ op: 'subscribed' });
    });

    const { ws: publicly } = await start(
      configured({ access: { public: true }, gateway: limits, trustedProxies: ['127.0.0.1'] }),
    );
    const far = from('2001:db8::1');
    const neighbours = [await open(publicly, far), await open(publicly, from('2001:db8::2'))];
    expect(await (await open(publicly, from('2001:db8::3'))).end()).toMatchObject({ code: 1013 });
    await (await open(publicly, from('2001:db8:0:1::1'))).next(isOp('hello'));
    for (const [i, topic] of ['book', 'ticker', 'status'].entries()) {
      neighbours[i % 2]!.send({ ...subscribe, topic, depth: undefined });
      const answer = await neighbours[i % 2]!.next(({ op }) => op === 'subscribed' || op === 'error');
      expect(answer).toMatchObject(i < 2 ? { op: 'subscribed' } : { code: 'too_many_subscriptions' });
    }
  });
});

describe('how much it may ask', () => {
  test('requests past the rate are refused, then the connection ends', async () => {
    const { ws } = await start(configured({ gateway: { maxRequestsPerSecond: 1, maxSubscriptions: 10 } }));
    const client = await open(ws);
    await client.next(isOp('hello'));
    for (let id = 0; id < 130; id++) client.send({ op: 'ping', id });
    expect(await client.end()).toMatchObject({ code: 4429 });
    const ops = client.messages.map((message) => message as { op: string; code?: string });
    const pongs = ops.filter(({ op }) => op === 'pong').length;
    expect(pongs).toBeGreaterThanOrEqual(20);
    expect(pongs).toBeLessThan(30);
    expect(ops.filter(({ code }) => code === 'rate_limited')).toHaveLength(100);
  });

  test('REST requests and upgrades past the rate are refused, by address and by key', async () => {
    const http = { maxRequestsPerMinute: 5 };
    const { url, ws } = await start(keyed({ public: true }, { http }));
    const ask = (headers: Record<string, string>) => get(`${url}/api/v1/instruments`, headers);
    for (let i = 0; i < 5; i++) expect((await ask(from('203.0.113.1'))).status).toBe(200);
    const { status, headers, body } = await ask(from('203.0.113.1'));
    expect({ status, code: body.error!.code }).toEqual({ status: 429, code: 'rate_limited' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refusedUpgrade(ws, { headers: from('203.0.113.1') })).toBe(429);
    // Wrong keys count too.
    for (let i = 0; i < 5; i++)
      expect((await ask({ ...from('203.0.113.2'), ...bearer('dw_sk_guess') })).status).toBe(401);
    expect((await ask({ ...from('203.0.113.2'), ...bearer('dw_sk_guess') })).status).toBe(429);
    const by = (i: number) => ask({ ...from(`203.0.113.${10 + i}`), ...bearer(deskKey) });
    for (let i = 0; i < 5; i++) expect((await by(i)).status).toBe(200);
    expect((await by(5)).status).toBe(429);
    expect((await ask(from('203.0.113.3'))).status).toBe(200);
  });

  test('a connection that holds no subscription ends', async () => {
    const { ws } = await start(configured({ gateway: { idleMs: 1_000 } }));
    const busy = await open(ws);
    busy.send(subscribe);
    expect(await (await open(ws)).end()).toMatchObject({ code: 4411 });
    busy.send({ op: 'unsubscribe', id: 2, ch: 1 });
    expect(await busy.end()).toMatchObject({ code: 4411 });
  });

  test('a handshake that never ends is cut off', async () => {
    const { url } = await start(configured({ http: { headersTimeoutMs: 300 } }));
    const { hostname, port } = new URL(url);
    const begun = [
      '', // nothing at all
      'GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ',
      'POST /api/v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    ];
    const ends = begun.map(async (text) => {
      const socket = connectTcp(Number(port), hostname);
      onTestFinished(() => void socket.destroy());
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      if (text !== '') socket.write(text);
      await once(socket, 'close');
      return answer.split('\r\n')[0];
    });
    const answers = await Promise.all(ends);
    expect(answers.slice(1)).toEqual(Array(2).fill('HTTP/1.1 408 Request Timeout'));
  }, 30_000);
});

describe('who does not keep to it', () => {
  test('a session that was ended is not listened to any more, and is cut off', async () => {
    const { ws, url } = await start(
      configured({ gateway: { maxRequestsPerSecond: 1, maxSubscriptions: 10 } }),
    );
    const socket = new WebSocket(ws, ['depthwire.v1.json']);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    const raw = (socket as unknown as { _socket: Socket })._socket;
    raw.removeAllListeners('data'); // it does not see the close frame, and so does not answer it
    raw.resume();
    const ended = once(raw, 'close');
    for (let id = 0; id < 2_000; id++) socket.send(JSON.stringify({ op: 'ping', id }));
    await ended;
    const { text } = await metricsOf(url);
    const of = (outcome: string) =>
      Number(new RegExp(`requests_total\\{op="ping",outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1]);
    expect(of('rate_limited')).toBe(100);
    expect(of('ok')).toBeLessThan(40);
  }, 20_000);

  test('a flood of pings or pongs ends the connection', async () => {
    const { ws } = await start();
    for (const kind of ['ping', 'pong'] as const) {
      const client = await open(ws);
      for (let i = 0; i < 150; i++) client.socket[kind]();
      expect((await client.end()).code).toBe(1006);
    }
  });

  test('requests that nobody waits for are not answered without end', async () => {
    const { url } = await start();
    const { hostname, port } = new URL(url);
    const socket = connectTcp(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    let received = '';
    socket.on('data', (data) => (received += data.toString()));
    const ask = `GET /api/v1/instruments/${instrument}/candles HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    socket.on('error', () => undefined);
    socket.write(ask.repeat(50));
    await once(socket, 'close');
    expect(received.split('HTTP/1.1 200').length - 1).toBeLessThanOrEqual(8);
    expect((await get(`${url}/api/v1/live`)).status).toBe(200);
  });

  test('no path but /ws is upgraded, and none of its query is in the log', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    const { ws } = await start({}, undefined, { logger });
    for (const path of ['/ws/', '/', '/api/v1/stream', '/api/v1/live', '/nothing']) {
      const url = `${new URL(path, ws).href}?ticket=a-secret-ticket`;
      expect([path, await refusedUpgrade(url, {})]).toEqual([path, 404]);
    }
    expect(lines.join('\n')).not.toContain('a-secret-ticket');
  });

  test('a TLS handshake that never begins ends', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'depthwire-tls-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
    await writeFile(cert, pems.cert);
    await writeFile(key, pems.private);
    const { url } = await start(configured({ tls: { cert, key }, http: { headersTimeoutMs: 300 } }));
    const { port } = new URL(url);
    const ends = ['', 'GET / HTTP/1.1\r\n'].map(async (text) => {
      const socket = connectTcp(Number(port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      socket.resume();
      if (text !== '') socket.write(text);
      await once(socket, 'close');
    });
    await Promise.all(ends);
  });

  test('what stands beside Host does not say who this server is', async () => {
    const { url } = await start({ trustedProxies: ['127.0.0.1'] });
    expect(
      (await get(`${url}/api/v1/instruments`, { origin: shop, 'x-forwarded-host': 'shop.example' })).status,
    ).toBe(403);
    expect(await refusedHost(url, 'rebound.example\r\nX-Forwarded-Host: localhost')).toMatch(
      /^HTTP\/1\.1 401 /,
    );
    for (const name of ['via', 'cf-connecting-ip', 'x-forwarded-proto'])
      expect([name, (await get(`${url}/api/v1/instruments`, { [name]: '1.1 proxy' })).status]).toEqual([
        name,
        401,
      ]);
  });

  test('a ticket opens connections, and nothing else', async () => {
    const { url } = await start(keyed());
    const { body } = await get(`${url}/api/v1/tickets`, bearer(deskKey), { method: 'POST' });
    for (const [method, path] of [
      ['POST', '/api/v1/tickets'],
      ['GET', '/api/v1/instruments'],
      ['GET', '/metrics'],
    ] as const) {
      const answer = await get(`${url}${path}?ticket=${String(body.ticket)}`, {}, { method });
      expect([path, answer.status, answer.body.error!.code]).toEqual([path, 401, 'unauthenticated']);
    }
  });

  test('visitors of a page do not share what one of them uses up', async () => {
    const { url } = await start(keyed({}, { http: { maxRequestsPerMinute: 3 } }));
    const ask = (address: string) =>
      get(`${url}/api/v1/instruments?key=${pageKey}`, { origin: shop, ...from(address) });
    for (let i = 0; i < 3; i++) expect((await ask('203.0.113.1')).status).toBe(200);
    expect((await ask('203.0.113.1')).status).toBe(429);
    expect((await ask('203.0.113.2')).status).toBe(200);
  });

  test('sockets of one address are limited, those of trusted proxies and of this machine are not', async () => {
    const server = createTcpServer();
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const warnings: object[] = [];
    const logger = { warn: (details: object) => warnings.push(details) } as never;
    limitSockets(server, {
      maxConnectionsPerAddress: 1,
      trustedProxies: ['198.51.100.0/24'],
      logger,
      wallClock: systemClock,
    });
    const openFrom = async (address: string) => {
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      // As it comes from elsewhere, which a test cannot: the address is set before the limit looks at it.
      server.prependOnceListener('connection', (socket: Socket) =>
        Object.defineProperty(socket, 'remoteAddress', { value: address }),
      );
      const client = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
      onTestFinished(() => void client.destroy());
      client.on('error', () => undefined);
      const [socket] = await accepted;
      return { socket, client };
    };
    const first = await openFrom('203.0.113.1');
    const opened = [first, await openFrom('203.0.113.1'), await openFrom('203.0.113.1')];
    expect(opened.map(({ socket }) => socket.destroyed)).toEqual([false, false, true]);
    expect(warnings).toEqual([{ address: '203.0.113.1', most: 2 }]);
    for (const address of ['198.51.100.7', '127.0.0.1', '203.0.113.2'])
      for (let i = 0; i < (address === '203.0.113.2' ? 2 : 4); i++)
        expect((await openFrom(address)).socket.destroyed).toBe(false);
    const closed = once(first.socket, 'close');
    first.client.destroy();
    first.socket.resume();
    await closed;
    expect((await openFrom('203.0.113.1')).socket.destroyed).toBe(false);
  });
});

describe('what it is told', () => {
  const hostile: [string, string | Uint8Array, 'json' | 'msgpack', string][] = [
    [
      'a prototype in JSON',
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"op":"ping","id":1}',
      'json',
      'pong',
    ],
    ['a prototype in place of a request', '{"__proto__":{"op":"ping","id":1}}', 'json', 'invalid_request'],
    [
      'a prototype in MessagePack',
      Buffer.from('\x83\xa9__proto__\x81\xa8polluted\x01\xa2op\xa4ping\xa2id\x01', 'latin1'),
      'msgpack',
      'pong',
    ],
    [
      'a list of four billion',
      Uint8Array.of(0x82, 0xa2, 0x6f, 0x70, 0xdd, 0xff, 0xff, 0xff, 0xff),
      'msgpack',
      'malformed_message',
    ],
    [
      'a list of fifty million, in a list',
      Uint8Array.of(0x91, 0xdd, 0x02, 0xfa, 0xf0, 0x80),
      'msgpack',
      'malformed_message',
    ],
    ['a map of four billion', Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff), 'msgpack', 'malformed_message'],
    ['a text of four gigabytes', Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff), 'msgpack', 'malformed_message'],
    ['lists in lists', Buffer.alloc(16_000, 0x91), 'msgpack', 'malformed_message'],
    ['maps in maps', Buffer.from('\x81\xa1a'.repeat(5_000), 'latin1'), 'msgpack', 'malformed_message'],
    ['lists in lists, in JSON', '['.repeat(8_000) + ']'.repeat(8_000), 'json', 'invalid_request'],
    ['a number that no integer holds', '{"op":"subscribe","id":1e308}', 'json', 'invalid_request'],
    ['2^53 as its id', '{"op":"ping","id":9007199254740993}', 'json', 'invalid_request'],
    [
      '2^64 − 1 as its id',
      Buffer.from('\x82\xa2op\xa4ping\xa2id\xcf\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1'),
      'msgpack',
      'invalid_request',
    ],
    [
      'an extension type',
      Buffer.from('\x82\xa2op\xa4ping\xa2id\xc7\x04\x72\x01\x02\x03\x04', 'latin1'),
      'msgpack',
      'malformed_message',
    ],
    [
      'an instrument without end',
      JSON.stringify({ ...subscribe, instrument: `a:${'b'.repeat(15_000)}` }),
      'json',
      'invalid_request',
    ],
  ];
  test.each(hostile)('does no harm: %s', async (_, message, encoding, answer) => {
    const { ws } = await start();
    const client = await connect(ws, encoding);
    await client.next(isOp('hello'));
    const before = process.memoryUsage();
    client.socket.send(message);
    const { op, code } = await client.next();
    expect(op === 'error' ? code : op).toBe(answer);
    const after = process.memoryUsage();
    expect(after.rss - before.rss).toBeLessThan(64e6);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    client.send({ op: 'ping', id: 5 });
    expect(await client.next()).toMatchObject({ op: 'pong', id: 5 });
  });

  test('is never compressed: an offer is not taken, and a compressed frame ends the connection', async () => {
    const { ws } = await start();
    const socket = new WebSocket(ws, ['depthwire.v1.json'], { perMessageDeflate: true });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    expect(socket.extensions).toBe('');
    const raw = (socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket;
    raw.write(Uint8Array.of(0xc1, 0x81, 0, 0, 0, 0, 0x00)); // RSV1: compressed
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1002);
  });

  test('answers carry headers that let no page do more than it has to', async () => {
    const { url } = await start();
    const { headers } = await get(`${url}/api/v1/health`);
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe-eval');
    expect(
      Object.fromEntries(
        ['x-content-type-options', 'referrer-policy', 'x-frame-options', 'x-powered-by', 'server'].map(
          (name) => [name, headers.get(name)],
        ),
      ),
    ).toEqual({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'x-powered-by': null,
      server: null,
    });
    expect(headers.get('strict-transport-security')).toBeNull();
  });

  test('secrets are in no log and in no answer', async () => {
    const { jwt, sign } = await tokens();
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    const { url, ws } = await start(keyed({ jwt, authenticateWithinMs: 100 }), undefined, { logger });
    const wrong = createKey(secretPrefix);
    const token = await sign({ exp: 1 });
    const { body } = await get(`${url}/api/v1/tickets`, bearer(deskKey), { method: 'POST' });
    const ticket = String(body.ticket);
    const answers = [
      await get(`${url}/api/v1/instruments`, bearer(wrong)),
      await get(`${url}/api/v1/instruments`, bearer(token)),
      await get(`${url}/api/v1/instruments?key=${wrong}`),
      await get(`${url}/api/v1/nothing?key=${wrong}`),
      await get(`${url}/api/v1/instruments/no:ONE/book?key=${pageKey}`, { origin: shop }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 404, 403]);
    const client = await open(`${ws}?ticket=${ticket}`);
    client.send({ op: 'authenticate', id: 1, token: wrong });
    client.send({ op: 'authenticate', id: 2, token: [wrong] });
    client.send({ op: 'authenticate', id: 3, token });
    for (let i = 0; i < 3; i++) await client.next(isOp('error'));
    await (await open(ws)).end();
    const secrets = [deskKey, wrong, token, ticket];
    expect(lines.length).toBeGreaterThan(1);
    const told = [
      ...lines,
      ...answers.map(({ body: answer }) => JSON.stringify(answer)),
      ...client.messages.map((message) => JSON.stringify(message)),
    ].join('\n');
    for (const secret of secrets) expect(told).not.toContain(secret);
  });
});

describe('TLS', () => {
  test('is spoken with the certificate that is given, and browsers are told to stay with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'depthwire-tls-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
    await writeFile(cert, pems.cert);
    await writeFile(key, pems.private);
    const { url, ws } = await start(configured({ tls: { cert, key } }));
    expect(ws).toMatch(/^wss:/);
    const client = await connect(ws, 'json', {
      ca: pems.cert,
      checkServerIdentity: (() => undefined) as unknown as () => boolean,
    });
    expect(await client.next(isOp('hello'))).toMatchObject({ principal: 'local' });
    const { port } = new URL(url);
    const socket = connectTls({
      port: Number(port),
      host: '127.0.0.1',
      ca: pems.cert,
      servername: 'localhost',
    });
    onTestFinished(() => void socket.destroy());
    socket.write('GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const answer = await textOf(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toMatch(/strict-transport-security: max-age=\d{8}/i);
    const old = connectTls({
      port: Number(port),
      host: '127.0.0.1',
      ca: pems.cert,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = (await once(old, 'error')) as [Error];
    expect(error.message).toMatch(/alert protocol version|unsupported protocol/i);

    await writeFile(key, pems.cert);
    await expect(start(configured({ tls: { cert, key } }))).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(
        /^tls: expected cert and key in PEM form that belong together/,
      ) as string,
    });
  });
});

describe('the SDK', () => {
  const openWebSocket: OpenWebSocket = (url, protocols) =>
    new WebSocket(url, protocols) as unknown as ReturnType<OpenWebSocket>;
  const backoff = { baseMs: 20, maxMs: 50 };

  test('says who it is, and again before that expires', async () => {
    const { jwt, sign } = await tokens();
    const { ws, feed } = await start(keyed({ jwt }));
    const token = vi.fn(() => sign({ exp: Math.floor(Date.now() / 1000) + 2 }));
    const client = new DepthwireClient({ url: ws, token, openWebSocket, backoff });
    onTestFinished(() => client.close());
    const errors: string[] = [];
    client.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
    const book = client.book(instrument, { cadenceMs: 0 });
    client.connect();
    await vi.waitFor(() => expect(book.state).toBe('live'));
    expect(client.principal).toBe('jwt:alice');
    await vi.waitFor(() => expect(token.mock.calls.length).toBeGreaterThan(2), { timeout: 10_000 });
    feed.delta([100, 8], []);
    await vi.waitFor(() => expect(book.book.bids.lotsAt(0)).toBe(8));
    expect(errors).toEqual([]);
  }, 20_000);

  test('shows its traffic without the token', async () => {
    const { ws } = await start(keyed());
    for (const encoding of ['json', 'msgpack'] as const) {
      const client = new DepthwireClient({ url: ws, encoding, token: deskKey, openWebSocket, backoff });
      onTestFinished(() => client.close());
      const sent: unknown[] = [];
      client.on('frame', ({ direction, data }) => {
        if (direction === 'out') sent.push(codecs[encoding].decode(data));
      });
      client.connect();
      await vi.waitFor(() => expect(client.principal).toBe('key:desk'));
      expect(sent[0]).toEqual({ op: 'authenticate', id: expect.any(Number) as number, token: '…' });
    }
  });

  test('says what is wrong where it has no token or a wrong one, and stops asking', async () => {
    const { ws } = await start(keyed());
    for (const [token, message] of [
      [undefined, 'the server wants a key or token: hand it in as `token`'],
      [createKey(secretPrefix), 'token: no such key'],
    ] as const) {
      const client = new DepthwireClient({ url: ws, token, openWebSocket, backoff });
      const [error] = await new Promise<[{ code: string; message: string }]>((resolve) => {
        client.on('error', (thrown) => resolve([thrown]));
        client.connect();
      });
      expect(error).toMatchObject({ code: 'unauthenticated', message });
      expect(client.state).toBe('closed');
    }
  });

  test('comes back with a fresh token where one was refused', async () => {
    const { ws } = await start(keyed());
    const token = vi
      .fn()
      .mockRejectedValueOnce(new Error('login first'))
      .mockReturnValueOnce('dw_sk_old')
      .mockReturnValue(deskKey);
    const client = new DepthwireClient({ url: ws, token: token as () => string, openWebSocket, backoff });
    onTestFinished(() => client.close());
    const errors: string[] = [];
    client.on('error', ({ message }) => errors.push(message));
    client.connect();
    await vi.waitFor(() => expect(client.state).toBe('open'), { timeout: 5_000 });
    expect(errors).toEqual(['no token: login first', 'token: no such key']);
    expect(client.principal).toBe('key:desk');
  });
});

async function tokens() {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-jwt-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, JWT_SECRET);
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 3_600, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(JWT_SECRET));
  return { jwt: { secretFile }, sign };
}

/** What a page sees of a name that was made to point here. */
async function refusedHost(url: string, host: string): Promise<string> {
  const { port, hostname } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  socket.write(`GET /api/v1/instruments HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return textOf(socket);
}

async function metricsOf(url: string) {
  const response = await fetch(`${url}/metrics`);
  return { text: await response.text() };
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  await once(socket, 'end');
  return text;
}

test('a client that sends what is no WebSocket is told so, and nothing else is disturbed', async () => {
  const { ws } = await start();
  const client = new RawClient(ws, 'json');
  onTestFinished(() => client.socket.terminate());
  await client.open();
  const raw = (client.socket as unknown as { _socket: { write(text: string): void } })._socket;
  raw.write('not a frame at all');
  expect((await client.end()).code).toBe(1002);
  await (await connect(ws)).next(isOp('hello'));
});
