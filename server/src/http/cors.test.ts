import { request } from 'node:http';
import { expect, test } from 'vitest';
import { ScriptedFeed } from '../../test/markets.ts';
import { serveFeeds } from '../../test/server.ts';

const PARTNER = 'https://partner.example';
const STRANGER = 'https://evil.example';
const PATH = '/api/v1/instruments';

/** By hand, as `fetch` outside of a browser sets no `Origin` and hides what came back. */
function send(url: string, method: string, headers: Record<string, string>) {
  return new Promise<{ status: number; headers: Record<string, string | undefined> }>((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode!, headers: response.headers as Record<string, string> });
    });
    sent.on('error', reject).end();
  });
}

const preflight = (origin: string) => ({
  origin,
  'access-control-request-method': 'GET',
  'access-control-request-headers': 'authorization',
});

test('pages of a listed origin may read, and no others', async () => {
  const { url } = await serveFeeds([new ScriptedFeed()], { allowedOrigins: [PARTNER, 'https://b.example'] });
  const partner = await send(url + PATH, 'GET', { origin: PARTNER });
  expect(partner.status).toBe(200);
  expect(partner.headers['access-control-allow-origin']).toBe(PARTNER);
  expect(partner.headers['access-control-allow-credentials']).toBeUndefined();
  expect(partner.headers['access-control-expose-headers']).toMatch(/ETag.*Link/);
  for (const origin of [STRANGER, `${PARTNER}.evil.example`, 'null', 'http://partner.example']) {
    const { headers } = await send(url + PATH, 'GET', { origin });
    expect(headers['access-control-allow-origin'], origin).toBeUndefined();
  }
  // A cache must not hand the answer of one origin to another, nor to a page of our own.
  for (const headers of [{ origin: PARTNER }, { origin: STRANGER }, {}])
    expect((await send(url + PATH, 'GET', headers as never)).headers.vary).toMatch(/\borigin\b/i);
});

test('errors can be read as well, and what is not modified', async () => {
  const { url } = await serveFeeds([new ScriptedFeed()], { allowedOrigins: [PARTNER] });
  for (const [path, status, headers] of [
    [`${PATH}/test:NONE-USD`, 404, {}],
    [`${PATH}?limit=0`, 400, {}],
    ['/api/v1/nothing', 404, {}],
    [PATH, 304, { 'if-none-match': '*' }],
  ] as const) {
    const answer = await send(url + path, 'GET', { origin: PARTNER, ...headers });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin'], path).toBe(PARTNER);
  }
});

test('a preflight is answered for listed origins', async () => {
  const { url } = await serveFeeds([new ScriptedFeed()], { allowedOrigins: [PARTNER] });
  const { status, headers } = await send(url + PATH, 'OPTIONS', preflight(PARTNER));
  expect(status).toBe(204);
  expect(headers).toMatchObject({
    'access-control-allow-origin': PARTNER,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': 'authorization',
    'access-control-max-age': '600',
  });
  const refused = await send(url + PATH, 'OPTIONS', preflight(STRANGER));
  expect(refused.headers['access-control-allow-origin']).toBeUndefined();
});

test('without a list, nobody of another origin', async () => {
  const { url } = await serveFeeds([new ScriptedFeed()]);
  const { headers } = await send(url + PATH, 'GET', { origin: PARTNER });
  expect(headers['access-control-allow-origin']).toBeUndefined();
  const answer = await send(url + PATH, 'OPTIONS', preflight(PARTNER));
  expect(answer.status).toBe(404);
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
});

test('everybody, where the list says so', async () => {
  const { url } = await serveFeeds([new ScriptedFeed()], { allowedOrigins: ['*'] });
  const { headers } = await send(url + PATH, 'GET', { origin: STRANGER });
  expect(headers['access-control-allow-origin']).toBe('*');
  expect(headers['access-control-allow-credentials']).toBeUndefined();
  const upgrade = {
    origin: STRANGER,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const status = await new Promise((resolve, reject) => {
    const sent = request(`${url}/ws`, { headers: upgrade }, ({ statusCode }) => resolve(statusCode));
    sent.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    sent.on('error', reject).end();
  });
  expect(status).toBe(101);
});

test('a page that may not connect learns why, and nothing of the market', async () => {
  const { url } = await serveFeeds([new ScriptedFeed()], { allowedOrigins: [PARTNER] });
  const told = await send(`${url}/api/v1/access`, 'GET', { origin: STRANGER });
  expect(told.status).toBe(403);
  expect(told.headers['access-control-allow-origin']).toBe('*');
  const own = await (await fetch(`${url}/api/v1/access`)).json();
  expect(own).toMatchObject({ principal: 'local', instruments: ['*'], maxDepth: null });
});
