import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { DepthwireClient, type ConnectionState, type OpenWebSocket } from '@depthwire/shared';
import { WebSocket } from 'ws';
import { nginxPath, startNginx, type Nginx } from '../test/nginx.ts';
import { serve } from '../test/server.ts';
import { createKey, hashOf, secretPrefix } from './access/keys.ts';

/** The proxy is believed, and whoever comes through it may read. */
const behind = { trustedProxies: ['127.0.0.1'], access: { public: { operate: true } } };

/** Over a connection of its own, trusting the proxy's certificate. */
async function get(url: string, ca?: string): Promise<{ response: IncomingMessage; body: string }> {
  const options = { agent: false, headers: { 'accept-encoding': 'identity' } };
  const sent = url.startsWith('https') ? requestTls(url, { ...options, ca }) : request(url, options);
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { response, body: await text(response) };
}

function client({ url, ca }: Nginx, origin?: string, token?: string): DepthwireClient {
  const openWebSocket: OpenWebSocket = (address, protocols) =>
    new WebSocket(address, protocols, { ca, origin }) as unknown as ReturnType<OpenWebSocket>;
  const backoff = { baseMs: 10, maxMs: 50 };
  const made = new DepthwireClient({
    url: `${url.replace('https', 'wss')}/ws`,
    openWebSocket,
    backoff,
    token,
  });
  onTestFinished(() => made.close());
  return made;
}

describe.skipIf(nginxPath === null)('behind nginx with TLS, by deploy/nginx/depthwire.conf', () => {
  test('REST answers, with the request id of the proxy; /metrics is for the inside alone', async () => {
    const { url: inside } = await serve(behind);
    const proxy = await startNginx([inside]);
    const health = await get(`${proxy.url}/api/v1/health`, proxy.ca);
    expect(health.response.statusCode).toBe(200);
    expect(JSON.parse(health.body)).toMatchObject({ status: 'ready', books: { live: 1 } });
    expect(health.response.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(health.response.headers['strict-transport-security']).toContain('max-age');
    expect((await get(`${proxy.url}/metrics`, proxy.ca)).response.statusCode).toBe(404);
    expect((await get(`${inside}/metrics`)).response.statusCode).toBe(200);
    const plain = await get(`${proxy.plainUrl}/api/v1/live?x=1`);
    expect(plain.response.statusCode).toBe(301);
    expect(plain.response.headers.location).toBe(`${proxy.url}/api/v1/live?x=1`);
  });

  test('a book goes over wss, verified, to a page of this site and to no other', async () => {
    const { url: inside, feed } = await serve({ ...behind, gateway: { checksumIntervalMs: 0 } });
    const proxy = await startNginx([inside]);
    const sdk = client(proxy, proxy.url);
    sdk.connect();
    const book = sdk.book('test:AAA-USD', { cadenceMs: 0 });
    await vi.waitFor(() => expect(book.state).toBe('live'));
    for (let lots = 10; lots < 30; lots++) feed.delta([100, lots], []);
    await vi.waitFor(() => expect(book.book.bids.lotsAtPrice(100)).toBe(29));
    expect(book.replica.verified).toBeGreaterThan(1);
    expect(book.resyncs).toBe(0);

    const stranger = new WebSocket(`${proxy.url.replace('https', 'wss')}/ws`, {
      ca: proxy.ca,
      origin: 'https://elsewhere.example',
    });
    const [error] = (await once(stranger, 'error')) as [Error];
    expect(error.message).toContain('403');
  });

  test('server-sent events go out as they come', async () => {
    const { url: inside, feed } = await serve(behind);
    const proxy = await startNginx([inside]);
    const asked = requestTls(`${proxy.url}/api/v1/stream?book=test:AAA-USD,depth=0,cadence=0`, {
      ...{ agent: false, ca: proxy.ca, headers: { 'accept-encoding': 'gzip' } },
    });
    onTestFinished(() => void asked.destroy());
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    expect(response.headers['content-type']).toContain('text/event-stream');
    let received = '';
    response.on('data', (data: Buffer) => (received += data.toString()));
    // The snapshot, and then one update after the other: none waits for the next.
    await vi.waitFor(() => expect(received.match(/^event: book$/gm)).toHaveLength(1));
    for (let lots = 6; lots < 9; lots++) {
      feed.delta([100, lots], []);
      await vi.waitFor(() => expect(received.match(/^event: book$/gm)).toHaveLength(lots - 4));
    }
  });

  test('keys are asked for, and each visitor is counted by the address that the proxy saw', async () => {
    const key = createKey(secretPrefix);
    const { url: inside } = await serve({
      trustedProxies: ['127.0.0.1'],
      access: { keys: [{ id: 'desk', hash: hashOf(key) }] },
    });
    const proxy = await startNginx([inside]);
    expect((await get(`${proxy.url}/api/v1/instruments`, proxy.ca)).response.statusCode).toBe(401);
    const sdk = client(proxy, proxy.url, key);
    sdk.connect();
    const book = sdk.book('test:AAA-USD', { cadenceMs: 0 });
    await vi.waitFor(() => expect(book.state).toBe('live'));
    expect(sdk.principal).toBe('key:desk');
  });

  test('a client whose server goes finds its book at another one, for nothing is sticky', async () => {
    const servers = [await serve(behind), await serve(behind)];
    const proxy = await startNginx(servers.map(({ url }) => url));
    const sdk = client(proxy);
    const states: ConnectionState[] = [];
    sdk.on('state', (state) => states.push(state));
    sdk.connect();
    const book = sdk.book('test:AAA-USD', { cadenceMs: 0 });
    await vi.waitFor(() => expect(book.state).toBe('live'));
    const { session } = sdk.hello!;
    const health = await Promise.all(servers.map(({ url }) => get(`${url}/api/v1/health`)));
    const first = health.findIndex(
      ({ body }) => (JSON.parse(body) as { connections: number }).connections === 1,
    );
    await servers[first]!.depthwire.close();
    await vi.waitFor(() => expect([book.state, sdk.hello?.session !== session]).toEqual(['live', true]), {
      timeout: 10_000,
    });
    expect(states).toContain('waiting');
    servers[1 - first]!.feed.delta([100, 77], []);
    await vi.waitFor(() => expect(book.book.bids.lotsAtPrice(100)).toBe(77));
    expect((await get(`${proxy.url}/api/v1/ready`, proxy.ca)).response.statusCode).toBe(200);
  });
});
