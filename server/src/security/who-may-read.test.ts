import { describe, expect, test, vi } from 'vitest';
import { EventReader } from '../../test/event-reader.ts';
import { isOp, serve as start } from '../../test/server.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { parseConfig } from '../config/config.ts';
import { createKey, hashOf, secretPrefix } from '../access/keys.ts';
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
  tokens,
  refusedHost,
} from '../../test/guarded.ts';

// From outside: what docs/security.md says, against a real server.

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

test('a publishable key is good for frames of this server, whose own requests carry no Origin', async () => {
  const { ws, url } = await start(keyed());
  const list = `${url}/api/v1/instruments`;
  const ofKey = { status: 200, body: { instruments: [{ id: instrument }] } };
  const asFrame = { 'sec-fetch-site': 'same-origin' };
  for (const ask of [
    get(`${list}?key=${pageKey}`, asFrame),
    get(list, { ...bearer(pageKey), ...asFrame }),
    get(list, { ...bearer(pageKey), origin: url }),
  ])
    expect(await ask).toMatchObject(ofKey);
  expect(await (await open(`${ws}?key=${pageKey}`, {}, url)).next(isOp('hello'))).toMatchObject({
    principal: 'page:shop',
  });
  const stream = await EventReader.open(`${url}/api/v1/stream?book=${instrument}&key=${pageKey}`, asFrame);
  expect(await stream.next((_, event) => event === 'hello')).toMatchObject({ principal: 'page:shop' });
  stream.destroy();
  // Somebody who types the address, a page of another site, and a program.
  for (const site of ['none', 'cross-site', 'same-site', undefined])
    expect(
      (await get(`${list}?key=${pageKey}`, site === undefined ? {} : { 'sec-fetch-site': site })).body.error!
        .code,
    ).toBe('forbidden');
});

test('pages of its own machine may read what nobody configured, and no longer than that', async () => {
  const { ws, url, depthwire } = await start({ trustedProxies: ['127.0.0.1'] });
  const list = `${url}/api/v1/instruments`;
  const stream = `${url}/api/v1/stream?book=${instrument}`;
  const pages = ['http://localhost:3000', 'http://127.0.0.1:5500', 'http://[::1]:8000'];
  const readable = async (origin: string) => {
    const { status, headers } = await get(list, { origin });
    return { status, allowed: headers.get('access-control-allow-origin') };
  };
  for (const origin of pages) {
    expect(await readable(origin)).toEqual({ status: 200, allowed: origin });
    expect(await (await open(ws, {}, origin)).next(isOp('hello'))).toMatchObject({ principal: 'local' });
    const reader = await EventReader.open(stream, { origin });
    expect(reader.response.headers['access-control-allow-origin']).toBe(origin);
    expect(await reader.next((_, event) => event === 'hello')).toMatchObject({ principal: 'local' });
    reader.destroy();
  }
  for (const origin of ['null', 'https://evil.example', 'http://localhost.evil.example', 'http://10.0.0.8']) {
    expect(await readable(origin)).toEqual({ status: 403, allowed: null });
    expect(await refusedUpgrade(ws, { origin })).toBe(403);
  }
  // Such a page on another machine is of that machine.
  expect((await get(list, { ...from('203.0.113.9'), origin: pages[0]! })).status).toBe(401);

  const client = await open(ws, {}, pages[0]);
  depthwire.reload(parseConfig({ access: { public: true } }));
  expect((await client.end()).code).toBe(4401);
  expect(await readable(pages[0]!)).toEqual({ status: 403, allowed: null });
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

  test('has no state of books for whoever may read neither books nor status', async () => {
    const { url } = await start(configured({ access: { public: { topics: ['ticker'] } } }));
    expect(Object.keys((await get(`${url}/api/v1/instruments/${instrument}`)).body)).toEqual(['instrument']);
    const { url: other } = await start(configured({ access: { public: { topics: ['status'] } } }));
    expect((await get(`${other}/api/v1/instruments/${instrument}`)).body).toMatchObject({ state: 'live' });
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
