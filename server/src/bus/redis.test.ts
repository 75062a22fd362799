import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  expectSame,
  ids,
  leaderOf,
  marketsOf,
  startCable,
  startCluster,
  startIngest,
  Venue,
} from '../../test/bus.ts';
import { connect, serveFeeds } from '../../test/server.ts';
import { redisPath, startRedis } from '../../test/redis.ts';
import type { BusReport } from '../engine/market-source.ts';

/** Only ends a test that has failed. */
const PATIENT = { timeout: 20_000, interval: 20 };
const TEST_MS = 60_000;

describe.skipIf(redisPath === null)('with a real Redis', () => {
  test(
    'gateways have the books of the ingest that leads, and another leads at once where it gives up',
    async () => {
      const { url } = await startRedis();
      const venue = new Venue();
      const ingests = [await startIngest(venue, { url }), await startIngest(venue, { url })];
      const gateways = await Promise.all([1, 2].map(() => serveFeeds([], { role: 'gateway', bus: { url } })));
      const leader = await vi.waitFor(() => {
        const found = leaderOf(ingests);
        expect(found).toBeDefined();
        return found!;
      }, PATIENT);
      await vi.waitFor(() => gateways.forEach(({ depthwire }) => expectSame(depthwire, leader)), PATIENT);
      const client = await connect(gateways[1]!.ws);
      client.send({ op: 'subscribe', id: 1, topic: 'trades', instrument: ids[0], cadence: 0 });
      await client.next(({ op }) => op === 'subscribed');

      for (let i = 0; i < 50; i++) venue.move();
      await vi.waitFor(() => gateways.forEach(({ depthwire }) => expectSame(depthwire, leader)), PATIENT);
      const before = marketsOf(gateways[0]!.depthwire).get(ids[0]!)!.epoch;

      await leader.close();
      const other = ingests.find((ingest) => ingest !== leader)!;
      venue.feeds.splice(ingests.indexOf(leader), 1);
      await vi.waitFor(() => expect(leaderOf([other])).toBe(other), PATIENT);
      venue.move();
      await vi.waitFor(() => gateways.forEach(({ depthwire }) => expectSame(depthwire, other)), PATIENT);
      const { epoch, tape } = marketsOf(gateways[0]!.depthwire).get(ids[0]!)!;
      expect(epoch).toBeGreaterThan(before);
      // Not one trade twice, none left out, whoever told of it.
      const numbers = tape.map(({ id }) => Number(id));
      expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i * ids.length));
      expect(numbers).toHaveLength(51);
    },
    TEST_MS,
  );

  test(
    'Redis that is killed and comes back empty: books are stale meanwhile, and right again afterwards',
    async () => {
      const redis = await startRedis();
      const venue = new Venue();
      const ingest = await startIngest(venue, { url: redis.url });
      const { depthwire: gateway, get } = await serveFeeds([], { role: 'gateway', bus: { url: redis.url } });
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
      await redis.kill();
      await vi.waitFor(() => expect(gateway.source.countBooks().stale).toBe(ids.length), PATIENT);
      expect(marketsOf(gateway).get(ids[0]!)!.reason).toMatch(/the bus cannot be reached/);
      for (let i = 0; i < 5; i++) venue.move();
      expect((await get('/api/v1/health')).body).toMatchObject({
        status: 'ready',
        books: { stale: ids.length },
        bus: { connected: false },
      });
      await redis.restart();
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
      venue.move();
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
      expect(marketsOf(gateway).get(ids[0]!)!.tape).toHaveLength(6);
    },
    TEST_MS,
  );

  test(
    'a network that swallows everything: the ingest behind it is followed no more, the gateway behind it shows nothing as live',
    async () => {
      const { port, url } = await startRedis();
      const [ofIngest, ofGateway] = [await startCable(port), await startCable(port)];
      const venue = new Venue();
      const cut = await startIngest(venue, { url: ofIngest.url });
      await vi.waitFor(() => expect(leaderOf([cut])).toBe(cut), PATIENT);
      const other = await startIngest(venue, { url });
      const { depthwire: near } = await serveFeeds([], { role: 'gateway', bus: { url } });
      const { depthwire: far } = await serveFeeds([], { role: 'gateway', bus: { url: ofGateway.url } });
      await vi.waitFor(() => [near, far].forEach((gateway) => expectSame(gateway, cut)), PATIENT);
      const { epoch } = marketsOf(near).get(ids[0]!)!;

      ofIngest.cut();
      ofGateway.cut();
      venue.move();
      await vi.waitFor(() => expect(leaderOf([other])).toBe(other), PATIENT);
      await vi.waitFor(() => expectSame(near, other), PATIENT);
      await vi.waitFor(() => expect(far.source.countBooks().stale).toBe(ids.length), PATIENT);

      venue.move();
      ofIngest.mend();
      ofGateway.mend();
      await vi.waitFor(() => [near, far].forEach((gateway) => expectSame(gateway, other)), PATIENT);
      await vi.waitFor(() => expect(leaderOf([cut])).toBeUndefined(), PATIENT);
      venue.move();
      await vi.waitFor(() => [near, far].forEach((gateway) => expectSame(gateway, other)), PATIENT);
      expect(marketsOf(far).get(ids[0]!)!.epoch).toBeGreaterThan(epoch);
      for (const gateway of [near, far])
        expect(
          marketsOf(gateway)
            .get(ids[0]!)!
            .tape.map(({ id }) => id),
        ).toEqual([1, 9, 17]);
    },
    TEST_MS,
  );

  test(
    'candles of the past come from the ingest, for REST and for channels',
    async () => {
      const { url } = await startRedis();
      const venue = new Venue();
      const ingest = await startIngest(venue, { url });
      for (let i = 0; i < 3; i++) venue.move();
      const gateway = await serveFeeds([], { role: 'gateway', bus: { url } });
      await vi.waitFor(() => expectSame(gateway.depthwire, ingest), PATIENT);
      const { body } = await gateway.get(`/api/v1/instruments/${ids[0]}/candles?interval=1d`);
      expect(body).toMatchObject({
        candles: [[expect.anything(), '1.00', '1.00', '1.00', '1.00', '0.009', 3]],
      });
    },
    TEST_MS,
  );

  test('an ingest serves operators and no clients', async () => {
    const { url } = await startRedis();
    const { get } = await serveFeeds([new Venue().feed()], { role: 'ingest', bus: { url } });
    for (const path of ['live', 'ready', 'health', 'feeds'])
      expect((await get(`/api/v1/${path}`)).status).toBe(200);
    expect((await get('/metrics')).text).toContain('depthwire_bus_published_messages_total');
    for (const path of ['/api/v1/instruments', '/ws', '/api/v1/stream', '/'])
      expect((await get(path)).status).toBe(404);
  });

  test('health tells two ingests of one machine apart, by the name under which others see the leader', async () => {
    const { url } = await startRedis();
    const venue = new Venue();
    const serveIngest = async () => {
      const feed = venue.feed();
      const running = await serveFeeds([feed], { role: 'ingest', bus: { url } });
      venue.open(feed);
      return running;
    };
    const ingests = [await serveIngest(), await serveIngest()];
    const gateway = await serveFeeds([], { role: 'gateway', bus: { url } });
    const busOf = async ({ get }: typeof gateway) =>
      ((await get('/api/v1/health')).body as { bus: BusReport }).bus;
    await vi.waitFor(async () => {
      const [first, second] = await Promise.all(ingests.map(busOf));
      const leader = first!.feeds[0]!.leader;
      expect([first!.name, second!.name]).toContain(leader);
      expect(first!.name).not.toBe(second!.name);
      expect(await busOf(gateway)).toMatchObject({ name: null, feeds: [{ leader }] });
    }, PATIENT);
  });

  test('a Redis that is too old for the bus stops the start, and is told', async () => {
    const info = 'redis_version:6.2.14\r\nloading:0\r\n';
    const old = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        const commands = bytes.toString().match(/^\*\d+\r\n\$\d+\r\n\w+/gm) ?? [];
        for (const command of commands)
          socket.write(/info$/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(old, 'listening');
    onTestFinished(() => void old.close());
    const url = `redis://127.0.0.1:${(old.address() as AddressInfo).port}`;
    await expect(serveFeeds([], { role: 'gateway', bus: { url } })).rejects.toMatchObject({
      code: 'bus_unavailable',
      message: 'bus: Redis 6.2.14 has no sharded channels: use Redis 7 or later',
    });
  });

  test('a gateway whose Redis is away listens all the same', async () => {
    const redis = await startRedis();
    await redis.kill();
    const { get } = await serveFeeds([], { role: 'gateway', bus: { url: redis.url } });
    expect((await get('/api/v1/health')).body).toMatchObject({ instruments: 0, bus: { connected: false } });
  });
});

describe.skipIf(redisPath === null)('with a cluster of Redis', () => {
  test(
    'lanes are spread over it, and one of its nodes may fail and come back',
    async () => {
      const nodes = await startCluster(3);
      const venue = new Venue();
      const bus = { nodes: nodes.map(({ url }) => url) };
      const ingest = await startIngest(venue, bus);
      const { depthwire: gateway } = await serveFeeds([], { role: 'gateway', bus });
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
      for (let i = 0; i < 20; i++) venue.move();
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);

      await nodes[1]!.kill();
      await vi.waitFor(() => expect(gateway.source.countBooks().stale).toBeGreaterThan(0), PATIENT);
      venue.move();
      await nodes[1]!.restart();
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
      venue.move();
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
    },
    TEST_MS,
  );
});
