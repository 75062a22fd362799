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
import { systemClock } from '@depthwire/feeds';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { isOp, serve as start } from '../../test/server.ts';
import { limitSockets } from '../http/sockets.ts';
import {
  instrument,
  subscribe,
  deskKey,
  pageKey,
  shop,
  from,
  bearer,
  configured,
  keyed,
  get,
  open,
  refusedUpgrade,
  refusedHost,
  metricsOf,
} from '../../test/guarded.ts';

// From outside: what docs/security.md says, against a real server.

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

  test('a key that may have a frame now and then does not ask for more than that by REST', async () => {
    const { url, feed } = await start(keyed());
    const ask = (path: string, address = '203.0.113.1') =>
      get(`${url}/api/v1/instruments/${instrument}${path}`, {
        ...bearer(pageKey),
        ...from(address),
        origin: shop,
      });
    for (let i = 0; i < 5; i++) {
      feed.delta([100, i + 10], []);
      expect((await ask(`/book?depth=${i + 1}`)).status).toBe(200);
    }
    const { status, headers, body } = await ask('/book');
    expect({ status, after: headers.get('retry-after'), code: body.error!.code }).toEqual({
      ...{ status: 429, after: '1', code: 'rate_limited' },
    });
    expect(body.error!.message).toContain('once in 250 ms');
    // Its other requests, and other visitors of its pages, have rates of their own.
    expect((await ask('')).status).toBe(200);
    expect((await ask('/book', '203.0.113.2')).status).toBe(200);
  });

  test('a key that may have a frame now and then gets no more by subscribing again and again', async () => {
    const { ws, feed } = await start(keyed());
    const client = await open(ws, bearer(pageKey), shop);
    const ask = { ...subscribe, depth: 5, cadence: 250 };
    let refused = 0;
    const seen = new Set<number>();
    for (let id = 1; id <= 20; id++) {
      feed.delta([100, id + 10], []);
      client.send({ ...ask, id });
      const answer = await client.next(({ op }) => op === 'subscribed' || op === 'error');
      if (answer.op === 'error') {
        expect(answer).toMatchObject({ code: 'rate_limited' });
        refused += 1;
        continue;
      }
      seen.add(id);
      client.send({ op: 'unsubscribe', id: 100 + id, ch: answer.ch });
      await client.next(isOp('unsubscribed'));
    }
    expect(refused).toBeGreaterThan(5);
    expect(seen.size).toBeLessThan(15);
  });

  test('refusals in a flood are counted in the log, not listed', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    const { url } = await start(keyed(), undefined, { logger });
    const refuse = () => get(`${url}/api/v1/instruments`);
    for (let i = 0; i < 300; i++) expect((await refuse()).status).toBe(401);
    const told = () => lines.filter((line) => line.includes('"status":401')).length;
    expect(told()).toBeLessThan(250);
    await vi.waitFor(async () => {
      await refuse();
      expect(lines.some((line) => line.includes('"leftOut":'))).toBe(true);
    });
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
      steadyClock: systemClock,
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
