import { setTimeout as delay } from 'node:timers/promises';
import { DepthwireClient, type OpenWebSocket } from '@depthwire/shared';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { EventReader } from '../../test/event-reader.ts';
import {
  bearer,
  deskKey,
  from,
  get,
  instrument,
  keyed,
  open,
  pageKey,
  refusedUpgrade,
  shop,
  subscribe,
} from '../../test/guarded.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { Scrape } from '../../test/scrape.ts';
import { isFrame, isOp, serve as start } from '../../test/server.ts';

// A publishable key in the hands of somebody who writes programs: what a browser says of its page, a program makes up.
// What docs/security.md says of that, against a real server.

const other = testInstrument('test:BBB-USD');
const [leaker, visitor] = ['203.0.113.66', '203.0.113.7'];
const forged = (address = leaker) => ({ ...from(address), origin: shop });
const withKey = (path: string) => `${path}${path.includes('?') ? '&' : '?'}key=${pageKey}`;
const cheaply = { ...subscribe, depth: 5, cadence: 250 };

const page = (more: object = {}) => ({
  publishableKeys: [
    {
      ...{ id: 'shop', key: pageKey, origins: [shop], instruments: [instrument] },
      ...{ topics: ['book'], maxDepth: 5, minCadenceMs: 250, ...more },
    },
  ],
});
const serve = (access: object = {}, rest: object = {}, more: Parameters<typeof start>[2] = {}) =>
  start(keyed(access, rest), new ScriptedFeed('test', [testInstrument(instrument), other]), more);

const openForged = (ws: string, address?: string) => open(withKey(ws), from(address ?? leaker), shop);

/** What was refused to the key so far, by code. */
async function refusedOf(url: string): Promise<Record<string, number>> {
  const response = await fetch(`${url}/metrics`, { headers: bearer(deskKey) });
  const { series } = new Scrape(await response.text());
  return Object.fromEntries(
    series
      .filter(({ name, labels }) => name === 'depthwire_refusals_total' && labels.key === 'shop')
      .map(({ labels, value }) => [labels.code!, value]),
  );
}

describe('a leaked publishable key', () => {
  test('reads what it may read, for a program that forges the Origin', async () => {
    const { ws, url } = await serve();
    const client = await openForged(ws);
    client.send(cheaply);
    expect(await client.next(isFrame(1))).toBeDefined();
    const stream = await EventReader.open(
      withKey(`${url}/api/v1/stream?book=${instrument},depth=5,cadence=250`),
      forged(),
    );
    expect(await stream.next((_, event) => event === 'book')).toBeDefined();
    const book = `${url}/api/v1/instruments/${instrument}/book`;
    expect((await get(book, { ...bearer(pageKey), ...forged() })).status).toBe(200);
    // What a browser says of its own pages can be made up just as well.
    const asFrame = { ...bearer(pageKey), ...from(leaker), 'sec-fetch-site': 'same-origin' };
    expect((await get(book, asFrame)).status).toBe(200);
  });

  test('reads no more than that: no other instrument or topic, no deeper and no faster', async () => {
    const { ws, url, feed } = await serve();
    const client = await openForged(ws);
    for (const more of [{ instrument: other.id }, { topic: 'trades', depth: undefined }]) {
      client.send({ ...cheaply, ...more });
      expect(await client.next(isOp('error'))).toMatchObject({ code: 'forbidden' });
    }
    for (const path of [`${other.id}/book`, `${instrument}/trades`, `${instrument}/candles`])
      expect((await get(withKey(`${url}/api/v1/instruments/${path}`), forged())).body.error!.code).toBe(
        'forbidden',
      );
    for (const query of [`book=${other.id}`, `trades=${instrument}`])
      expect((await get(withKey(`${url}/api/v1/stream?${query}`), forged())).body.error!.code).toBe(
        'forbidden',
      );
    expect((await get(withKey(`${url}/api/v1/instruments`), forged())).body).toMatchObject({
      instruments: [{ id: instrument }],
    });

    client.send({ ...cheaply, depth: 0, cadence: 0 });
    expect(await client.next(isOp('subscribed'))).toMatchObject({ depth: 5, cadence: 250 });
    const levels = (best: number, step: number) => Array.from({ length: 9 }, (_, i) => [best + i * step, 5]);
    feed.snapshot(levels(100, -1).flat(), levels(101, 1).flat());
    const began = client.frames.length;
    const beganMs = performance.now();
    for (let i = 0; performance.now() - beganMs < 1_100; i++) {
      feed.delta([100, 10 + i], []);
      await delay(10);
    }
    const most = (performance.now() - beganMs) / 250 + 1;
    expect(client.frames.length - began).toBeLessThanOrEqual(most);
    const book = withKey(`${url}/api/v1/instruments/${instrument}/book?depth=9`);
    expect((await get(book, forged())).body.bids).toHaveLength(5);
    expect(await refusedOf(url)).toEqual({ forbidden: 7 });
  });

  test('operates nothing, and its tickets are worth no more', async () => {
    const { ws, url } = await serve();
    for (const path of ['/metrics', '/api/v1/feeds'])
      expect((await get(withKey(url + path), forged())).body.error!.code).toBe('forbidden');
    const health = await get(withKey(`${url}/api/v1/health`), forged());
    expect(Object.keys(health.body)).toEqual(['status', 'time']);
    const { body } = await get(withKey(`${url}/api/v1/tickets`), forged(), { method: 'POST' });
    const byTicket = `${ws}?ticket=${String(body.ticket)}`;
    expect(await refusedUpgrade(byTicket, { origin: 'https://evil.example' })).toBe(403);
    const client = await open(byTicket, from(leaker), shop);
    expect(await client.next(isOp('hello'))).toMatchObject({ principal: 'page:shop' });
    client.send({ ...cheaply, instrument: other.id });
    expect(await client.next(isOp('error'))).toMatchObject({ code: 'forbidden' });
  });

  test('holds as many connections as its address may, and uses up what its visitors share', async () => {
    const { ws, url } = await serve({}, { gateway: { maxConnectionsPerAddress: 2 } });
    for (let i = 0; i < 2; i++) await openForged(ws);
    expect((await (await openForged(ws)).end()).code).toBe(1013);
    await (await openForged(ws, visitor)).next(isOp('hello'));
    expect(await refusedOf(url)).toEqual({ too_many_connections: 1 });

    const { ws: shared } = await serve(page({ maxConnections: 3 }));
    for (let i = 0; i < 3; i++) await openForged(shared);
    expect(await (await openForged(shared, visitor)).end()).toEqual({
      code: 1013,
      reason: 'page:shop may hold 3 connections',
    });
    await (await open(shared, bearer(deskKey))).next(isOp('hello'));
  });

  test('takes no more of the network than the key may, whatever it asks for', async () => {
    const { ws, feed } = await serve(page({ minCadenceMs: 0, maxBandwidth: 2_000 }));
    const client = await openForged(ws);
    client.send({ op: 'limit', id: 1, bandwidth: 1_000_000 });
    expect(await client.next(isOp('limited'))).toMatchObject({ bandwidth: 2_000 });
    client.send({ ...cheaply, id: 2, cadence: 0 });
    await client.next(isFrame(1));
    const began = client.frames.length;
    const beganMs = performance.now();
    for (let i = 0; performance.now() - beganMs < 1_500; i++) {
      feed.delta([100, 10 + i], []);
      await delay(2);
    }
    const bytes = client.frames.slice(began).reduce((sum, frame) => sum + frame.length, 0);
    // What was saved up in the first second counts too, and the frame that went over.
    const seconds = (performance.now() - beganMs) / 1_000;
    expect(bytes).toBeLessThan(2_000 * (seconds + 1) + 1_000);
    expect(bytes).toBeGreaterThan(1_000);
  });

  test('asks no more often than its address may, and visitors elsewhere go on', async () => {
    const { url } = await serve({}, { http: { maxRequestsPerMinute: 5 } });
    const ask = (address: string) => get(withKey(`${url}/api/v1/instruments`), forged(address));
    const answers = [];
    for (let i = 0; i < 20; i++) answers.push((await ask(leaker)).body.error?.code);
    expect(answers.filter((code) => code === undefined)).toHaveLength(5);
    expect(answers.slice(5)).toEqual(Array(15).fill('rate_limited'));
    expect((await ask(visitor)).status).toBe(200);
    expect(await refusedOf(url)).toEqual({ rate_limited: 15 });
  });

  test('is good for no other origin, and what is refused to it is typed and counted', async () => {
    const { ws, url } = await serve({}, { allowedOrigins: ['https://partner.example'] });
    const list = withKey(`${url}/api/v1/instruments`);
    for (const [origin, code] of [
      ['https://evil.example', 'origin_not_allowed'],
      ['null', 'origin_not_allowed'],
      ['https://partner.example', 'forbidden'],
    ] as const) {
      expect((await get(list, { origin })).body.error!.code).toBe(code);
      expect(await refusedUpgrade(withKey(ws), { origin })).toBe(403);
    }
    expect((await get(list)).body.error!.code).toBe('forbidden');
    const evil = { origin: 'https://evil.example' };
    const helpOf = async (path: string, headers = {}) =>
      (await get(path, { ...evil, ...headers })).body.error!.message.split(': ').at(-1);
    const known = "add the origin to the key's origins, or to allowedOrigins";
    const unknown = 'add the origin to allowedOrigins';
    const instruments = `${url}/api/v1/instruments`;
    expect(await helpOf(list)).toBe(known);
    expect(await helpOf(instruments, bearer(pageKey))).toBe(known);
    expect(await helpOf(`${list}x`)).toBe(unknown);
    expect(await helpOf(instruments, bearer(deskKey))).toBe(unknown);
    expect(await helpOf(instruments, { authorization: 'nonsense' })).toBe(unknown);
    const later = await open(ws, {}, 'https://partner.example');
    later.send({ op: 'authenticate', id: 1, token: pageKey });
    expect(await later.next(isOp('error'))).toMatchObject({ id: 1, code: 'forbidden' });
    expect(await refusedOf(url)).toEqual({ origin_not_allowed: 6, forbidden: 4 });
  });

  test('is taken back at once: what it had open ends, and nothing else', async () => {
    const { depthwire, ws, url } = await serve();
    const client = await openForged(ws);
    client.send(cheaply);
    const stream = await EventReader.open(withKey(`${url}/api/v1/stream?book=${instrument}`), forged());
    const { body } = await get(withKey(`${url}/api/v1/tickets`), forged(), { method: 'POST' });
    const desk = await open(ws, bearer(deskKey));
    desk.send(subscribe);
    const { ch } = await desk.next(isOp('subscribed'));

    depthwire.reload(keyed({ publishableKeys: [] }) as never);
    expect((await client.end()).code).toBe(4401);
    expect(await stream.next((_, event) => event === 'close')).toMatchObject({ code: 4401 });
    // Its origin went with it.
    expect((await get(withKey(`${url}/api/v1/instruments`), forged())).status).toBe(403);
    expect(await refusedUpgrade(withKey(ws), { origin: shop })).toBe(403);
    expect(await refusedUpgrade(`${ws}?ticket=${String(body.ticket)}`, {})).toBe(401);
    desk.send({ op: 'snapshot', id: 2, ch });
    expect(await desk.next(isOp('snapshot'))).toMatchObject({ id: 2 });
  });

  test('is seen: its sessions with their addresses, its refusals by its id, and the key itself in no line', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    const { ws, url } = await serve({}, {}, { logger });
    await (await openForged(ws)).next(isOp('hello'));
    await get(withKey(`${url}/api/v1/instruments/${other.id}/book`), forged());
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toContainEqual(
      expect.objectContaining({ msg: 'session opened', principal: 'page:shop', address: leaker }),
    );
    await vi.waitFor(() =>
      expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
        expect.objectContaining({ msg: 'request', status: 403, address: leaker }),
      ),
    );
    expect(await refusedOf(url)).toEqual({ forbidden: 1 });
    expect(lines.join('\n')).not.toContain(pageKey);
  });

  test('disturbs nobody: a bystander’s book stays right, and a visitor of the page goes on', async () => {
    const { ws, url, feed } = await serve(
      {},
      {
        gateway: {
          maxConnectionsPerAddress: 20,
          maxRequestsPerSecond: 5,
          maxSubscriptions: 60,
          checksumIntervalMs: 0,
        },
        http: { maxRequestsPerMinute: 200 },
      },
    );
    const bystander = new DepthwireClient({
      url: ws,
      token: deskKey,
      openWebSocket: ((address, protocols) => new WebSocket(address, protocols)) as OpenWebSocket,
    });
    onTestFinished(() => bystander.close());
    const errors: string[] = [];
    bystander.on('error', ({ code }) => errors.push(code));
    const book = bystander.book(instrument, { depth: 0, cadenceMs: 0 });
    bystander.connect();
    await vi.waitFor(() => expect(book.state).toBe('live'));
    const guest = await openForged(ws, visitor);
    guest.send(cheaply);
    await guest.next(isFrame(1));

    let lots = 10;
    const market = setInterval(() => feed.delta([100, (lots += 1), 99, lots + 5], [101, lots + 7]), 2);
    onTestFinished(() => clearInterval(market));
    const codes = new Set<unknown>();
    const attack = async () => {
      const client = await openForged(ws);
      for (let id = 0; id < 400; id++) {
        const wrong = [{ instrument: other.id }, { topic: 'trades' }, { depth: -1 }, {}][id % 4];
        client.send({ ...cheaply, id, ...wrong });
      }
      codes.add((await client.end()).code);
      for (const message of client.messages) codes.add((message as { code?: string }).code);
    };
    const poll = async () => {
      for (let i = 0; i < 100; i++)
        codes.add(
          (await get(withKey(`${url}/api/v1/instruments/${instrument}/book`), forged())).body.error?.code,
        );
    };
    await Promise.all([...Array.from({ length: 8 }, attack), ...Array.from({ length: 4 }, poll)]);
    clearInterval(market);

    expect([...codes]).toEqual(expect.arrayContaining(['forbidden', 'rate_limited', 4429]));
    await vi.waitFor(() => expect(book.book.bids.lotsAt(0)).toBe(lots));
    expect([book.book.bids.lotsAt(1), book.book.asks.lotsAt(0)]).toEqual([lots + 5, lots + 7]);
    expect({ errors, resyncs: book.resyncs, state: book.state }).toEqual({
      ...{ errors: [], resyncs: 0, state: 'live' },
    });
    expect(book.replica!.verified).toBeGreaterThan(20);
    guest.send({ op: 'ping', id: 9 });
    expect(await guest.next(isOp('pong'))).toMatchObject({ id: 9 });
    expect(guest.closed).toBeNull();
    const refused = await refusedOf(url);
    expect(refused.forbidden).toBeGreaterThan(100);
    expect(refused.rate_limited).toBeGreaterThan(100);
  }, 30_000);
});
