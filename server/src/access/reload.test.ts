import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { expect, onTestFinished, test, vi } from 'vitest';
import { EventReader } from '../../test/event-reader.ts';
import { connect, isOp, serve } from '../../test/server.ts';
import { parseConfig } from '../config/config.ts';
import { createKey, hashOf, secretPrefix } from './keys.ts';

// From outside: keys that change under connections that are open.

const instrument = 'test:AAA-USD';
const subscribe = { op: 'subscribe', id: 1, topic: 'book', instrument, depth: 10, cadence: 0 };
const [desk, guest] = [createKey(secretPrefix), createKey(secretPrefix)];
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const withKeys = (keys: Record<string, object>, rest: object = {}) => ({
  access: { keys: Object.entries(keys).map(([hash, key]) => ({ ...key, hash })) },
  ...rest,
});
const both = { [hashOf(desk)]: { id: 'desk' }, [hashOf(guest)]: { id: 'guest' } };

async function secretFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-jwt-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'secret');
}

const sign = (secret: string, claims: object = {}) =>
  new SignJWT({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));

async function open(ws: string, key: string) {
  const client = await connect(ws, 'json', { headers: bearer(key) });
  client.send(subscribe);
  await client.next(isOp('subscribed'));
  return client;
}

test('a key that is taken back ends its connections, and no others', async () => {
  const { depthwire, ws, url, get } = await serve(withKeys(both));
  const [kept, revoked] = [await open(ws, desk), await open(ws, guest)];
  const stream = await EventReader.open(`${url}/api/v1/stream?book=${instrument}`, bearer(guest));
  const { body } = await get('/api/v1/tickets', bearer(guest), 'post');

  depthwire.reload(parseConfig(withKeys({ [hashOf(desk)]: { id: 'desk' } })));
  expect(await revoked.end()).toEqual({ code: 4401, reason: 'the key or token is no longer good' });
  expect(await stream.next((_, event) => event === 'close')).toMatchObject({ code: 4401 });
  expect((await get('/api/v1/instruments', bearer(guest))).status).toBe(401);
  const late = new WebSocket(`${ws}?ticket=${(body as { ticket: string }).ticket}`);
  await vi.waitFor(() => expect(late.readyState).toBe(WebSocket.CLOSED));

  kept.send({ op: 'snapshot', id: 2, ch: 1 });
  expect(await kept.next(isOp('snapshot'))).toMatchObject({ id: 2 });
});

test('what a key permits from now on holds for connections that are open', async () => {
  const { depthwire, ws } = await serve(withKeys(both));
  const [more, less] = [await open(ws, desk), await open(ws, guest)];
  depthwire.reload(
    parseConfig(
      withKeys({
        [hashOf(desk)]: { id: 'desk', topics: ['book'] },
        [hashOf(guest)]: { id: 'guest', maxDepth: 5 },
      }),
    ),
  );
  expect(await less.next(isOp('error'))).toMatchObject({ id: null, code: 'forbidden' });
  expect(await less.end()).toEqual({ code: 4403, reason: 'the key or token permits less by now' });
  more.send({ ...subscribe, id: 2, topic: 'trades', depth: undefined });
  expect(await more.next(isOp('error'))).toMatchObject({ id: 2, code: 'forbidden' });
});

test('a server that is closed from now on ends whoever came without a key', async () => {
  const { depthwire, ws, get } = await serve({});
  const client = await connect(ws);
  client.send(subscribe);
  await client.next(isOp('subscribed'));
  depthwire.reload(parseConfig(withKeys(both)));
  expect((await client.end()).code).toBe(4401);
  expect((await get('/api/v1/instruments')).status).toBe(401);
});

test('origins that are no longer listed are refused, and their connections end', async () => {
  const origin = 'https://page.example';
  const { depthwire, ws, get } = await serve({ allowedOrigins: [origin] });
  const ask = async () => {
    const { status, headers } = await get('/api/v1/instruments', { origin });
    return { status, allowed: headers.get('access-control-allow-origin') };
  };
  expect(await ask()).toEqual({ status: 200, allowed: origin });
  const client = await connect(ws, 'json', { origin });
  depthwire.reload(parseConfig({ allowedOrigins: [] }));
  expect((await client.end()).code).toBe(4401);
  expect(await ask()).toEqual({ status: 403, allowed: null });
});

test('what cannot be used changes nothing', async () => {
  const { depthwire, ws, get } = await serve(withKeys(both));
  const client = await open(ws, desk);
  const broken = parseConfig({ access: { jwt: { jwksFile: '/none.json' } } });
  expect(() => depthwire.reload(broken)).toThrow(
    expect.objectContaining({ code: 'invalid_config' }) as Error,
  );
  client.send({ op: 'snapshot', id: 2, ch: 1 });
  expect(await client.next(isOp('snapshot'))).toMatchObject({ id: 2 });
  expect((await get('/api/v1/instruments', bearer(guest))).status).toBe(200);
});

test('what all tokens grant may change: who holds more ends, all others go on', async () => {
  const file = await secretFile();
  const secret = 'a secret of at least thirty-two bytes';
  await writeFile(file, secret);
  const jwt = (grants: object) => ({ access: { jwt: { secretFile: file, grants } } });
  const { depthwire, ws } = await serve(jwt({ maxDepth: 10 }));
  const general = await open(ws, await sign(secret));
  const own = await open(ws, await sign(secret, { depthwire: { maxDepth: 20 } }));
  depthwire.reload(parseConfig(jwt({ maxDepth: 50 })));
  general.send({ ...subscribe, id: 2, depth: 50 });
  expect(await general.next(isOp('subscribed'))).toMatchObject({ id: 2, depth: 50 });
  depthwire.reload(parseConfig(jwt({ maxDepth: 5 })));
  expect((await general.end()).code).toBe(4403);
  own.send({ op: 'snapshot', id: 2, ch: 1 });
  expect(await own.next(isOp('snapshot'))).toMatchObject({ id: 2 });
});

test('a shared secret that leaked is exchanged: tokens of the old one end', async () => {
  const file = await secretFile();
  const [leaked, fresh] = ['a secret of at least thirty-two bytes', 'another secret of thirty-two bytes!'];
  await writeFile(file, leaked);
  const config = { access: { jwt: { secretFile: file } } };
  const { depthwire, ws, get } = await serve(config);
  const client = await open(ws, await sign(leaked));
  await writeFile(file, fresh);
  depthwire.reload(parseConfig(config));
  expect((await client.end()).code).toBe(4401);
  expect((await get('/api/v1/instruments', bearer(await sign(leaked)))).status).toBe(401);
  expect((await get('/api/v1/instruments', bearer(await sign(fresh)))).status).toBe(200);
});

test('a key that may have fewer connections keeps as many', async () => {
  const { depthwire, ws } = await serve(withKeys(both));
  const clients = await Promise.all([1, 2, 3, 4].map(() => open(ws, desk)));
  depthwire.reload(parseConfig(withKeys({ [hashOf(desk)]: { id: 'desk', maxConnections: 1 } })));
  const ended = await Promise.all(clients.slice(0, 3).map((client) => client.end()));
  expect(ended.map(({ code }) => code)).toEqual([4403, 4403, 4403]);
  const [left] = clients.slice(3);
  left!.send({ op: 'snapshot', id: 2, ch: 1 });
  expect(await left!.next(isOp('snapshot'))).toMatchObject({ id: 2 });
});
