import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { steadyClock, systemClock } from '@depthwire/feeds';
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
import { ScriptedFeed, silentLog } from '../../test/markets.ts';
import { freePort } from '../../test/ports.ts';
import { redisPath, startRedis } from '../../test/redis.ts';
import { serveFeeds } from '../../test/server.ts';
import { temporaryFolder } from '../../test/stores.ts';
import { certificateOf } from '../http/tls.ts';
import { BusAway, RedisLink } from './redis-link.ts';
import { BusNames } from './lanes.ts';

// Redis as operators run it, and what becomes of it.

/** Only ends a test that has failed. */
const PATIENT = { timeout: 30_000, interval: 20 };
const TEST_MS = 90_000;

const serveGateway = async (bus: object) => (await serveFeeds([], { role: 'gateway', bus })).depthwire;

async function client(url: string): Promise<Redis> {
  const redis = new Redis(url);
  onTestFinished(() => redis.disconnect());
  await redis.ping();
  return redis;
}

/** Of docs/operating.md. */
const rights =
  '~depthwire:lease:* resetchannels &depthwire:* -@all +@connection +@pubsub +info +cluster +hmget +hset +hincrby +eval +evalsha +script';

describe.skipIf(redisPath === null)('Redis', () => {
  test(
    'with TLS by an authority of one’s own, and a user who may do no more than he has to',
    async () => {
      const folder = await temporaryFolder();
      // It signs itself, and names this machine.
      await certificateOf({ tls: { development: true }, host: 'localhost' }, systemClock.now(), folder);
      const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
      const port = await freePort();
      const tls = ['--tls-port', `${port}`, '--tls-cert-file', cert, '--tls-key-file', key];
      await startRedis({
        port,
        args: [
          ...['--port', '0', ...tls, '--tls-auth-clients', 'no'],
          ...[
            '--user',
            'default',
            'off',
            '--user',
            'depthwire',
            'on',
            '>p@ss/word',
            'resetkeys',
            ...rights.split(' '),
          ],
        ],
      });
      const url = `rediss://depthwire:${encodeURIComponent('p@ss/word')}@127.0.0.1:${port}`;
      const venue = new Venue();
      const ingest = await startIngest(venue, { url, ca: cert });
      const gateway = await serveGateway({ url, ca: cert });
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
      venue.move();
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);

      // Whoever does not trust it, or has another password, is told why.
      for (const [bus, reason] of [
        [{ url }, /self-signed certificate.*bus\.ca/],
        [{ url: url.replace('word', 'w'), ca: cert }, /WRONGPASS/],
      ] as const) {
        const warn = vi.fn();
        const link = new RedisLink({
          config: { ...bus, prefix: 'depthwire' },
          timers: steadyClock,
          log: { ...silentLog, warn },
        });
        onTestFinished(() => link.close());
        await link.open();
        expect(link.isUp).toBe(false);
        expect(warn).toHaveBeenCalledWith(
          expect.objectContaining({ reason: expect.stringMatching(reason) as unknown }),
          'bus not reached',
        );
      }
    },
    TEST_MS,
  );

  test('an authority’s file that is not there, or is none, stops the start', async () => {
    const folder = await temporaryFolder();
    const url = 'rediss://127.0.0.1:1';
    await expect(serveGateway({ url, ca: join(folder, 'none.pem') })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/^bus\.ca: .*none\.pem cannot be read: ENOENT/) as unknown,
    });
    const file = join(folder, 'key.pem');
    await writeFile(file, '-----BEGIN PRIVATE KEY-----');
    await expect(serveGateway({ url, ca: file })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/^bus\.ca: .*key\.pem holds no certificate: name the file/) as unknown,
    });
  });

  test(
    'whose memory is full: leases are held and taken all the same, and books go on',
    async () => {
      const { url } = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] });
      const venue = new Venue();
      const ingests = [await startIngest(venue, { url })];
      const [first] = ingests;
      await vi.waitFor(() => expect(leaderOf(ingests)).toBe(first), PATIENT);
      const gateway = await serveGateway({ url });
      await vi.waitFor(() => expectSame(gateway, first!), PATIENT);
      const stranger = await client(url);
      await stranger.config('SET', 'maxmemory', '1mb');
      await expect(stranger.set('some', 'thing')).rejects.toThrow('OOM');
      venue.move();
      await vi.waitFor(() => expectSame(gateway, first!), PATIENT);
      const other = await startIngest(venue, { url });
      await first!.close();
      venue.feeds.shift();
      await vi.waitFor(() => expect(leaderOf([other])).toBe(other), PATIENT);
      venue.move();
      await vi.waitFor(() => expectSame(gateway, other), PATIENT);
    },
    TEST_MS,
  );

  test('that is away is told as an outage, that refuses a lease as what it says', async () => {
    const redis = await startRedis();
    const config = { url: redis.url, prefix: 'depthwire' };
    const link = new RedisLink({ config, timers: steadyClock, log: silentLog });
    onTestFinished(() => link.close());
    await link.open();
    const renewed = () => link.renew('f', 'me', 0).catch((error: unknown) => error);
    expect(await renewed()).toEqual({ holder: '', epoch: 0, beat: 0 });
    const stranger = await client(redis.url);
    await stranger.call('ACL', 'SETUSER', 'default', '-evalsha');
    const refused = await renewed();
    expect(refused).toMatchObject({
      code: 'bus_unavailable',
      message: expect.stringMatching(/^depthwire:lease:f: Redis says NOPERM/) as unknown,
    });
    expect(refused).not.toBeInstanceOf(BusAway);
    process.kill(redis.pid!, 'SIGSTOP');
    const unanswered = renewed();
    await redis.kill();
    expect(await unanswered).toBeInstanceOf(BusAway);
    expect(await unanswered).toMatchObject({
      code: 'bus_unavailable',
      message: 'bus: the connection to Redis ended before it answered',
    });
    expect(await renewed()).toMatchObject({
      code: 'bus_unavailable',
      message: 'bus: there is no connection to Redis',
    });
  });

  test(
    'that stands still is told as an outage, and the same ingest leads once it goes on',
    async () => {
      const redis = await startRedis();
      const lines: { msg: string; code?: string; reason?: string }[] = [];
      const sink = new Writable({
        write(text, _encoding, done) {
          lines.push(JSON.parse(String(text)) as (typeof lines)[number]);
          done();
        },
      });
      const feed = new ScriptedFeed();
      const { depthwire: ingest, get } = await serveFeeds(
        [feed],
        { role: 'ingest', bus: { url: redis.url } },
        { logger: pino({ level: 'warn' }, sink) },
      );
      feed.snapshot([100, 5], [101, 4]);
      feed.state('live');
      await vi.waitFor(() => expect(leaderOf([ingest])).toBe(ingest), PATIENT);
      const isConnected = () => ingest.source.busReport()!.connected;
      process.kill(redis.pid!, 'SIGSTOP');
      await vi.waitFor(() => expect(isConnected()).toBe(false), PATIENT);
      process.kill(redis.pid!, 'SIGCONT');
      await vi.waitFor(() => expect(isConnected()).toBe(true), PATIENT);
      const told = lines.filter(({ code }) => code !== undefined);
      expect(told).toMatchObject([
        { msg: 'bus not reached', code: 'bus_unavailable', reason: 'Redis has said nothing for 5 s' },
      ]);
      expect((await get('/metrics')).text).toMatch(/^depthwire_bus_unreadable_messages_total 0$/m);
    },
    TEST_MS,
  );

  test(
    'that cuts all connections: they are made anew, and the same one leads',
    async () => {
      const { url } = await startRedis();
      const venue = new Venue();
      const ingest = await startIngest(venue, { url });
      const gateway = await serveGateway({ url });
      await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
      const { epoch } = marketsOf(gateway).get(ids[0]!)!;
      const stranger = await client(url);
      for (const type of ['normal', 'pubsub'])
        for (let i = 0; i < 3; i++) {
          await stranger.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
          venue.move();
          await vi.waitFor(() => expectSame(gateway, ingest), PATIENT);
        }
      expect(marketsOf(gateway).get(ids[0]!)!.epoch).toBe(epoch);
    },
    TEST_MS,
  );

  test(
    'that cuts off a gateway which takes nothing: others go on meanwhile, and it has whole books afterwards',
    async () => {
      const { port, url } = await startRedis();
      const stranger = await client(url);
      await stranger.config('SET', 'client-output-buffer-limit', 'pubsub 4mb 1mb 1');
      const cable = await startCable(port);
      const venue = new Venue();
      const ingest = await startIngest(venue, { url });
      const near = await serveGateway({ url });
      const slow = await serveGateway({ url: cable.url });
      await vi.waitFor(() => [near, slow].forEach((gateway) => expectSame(gateway, ingest)), PATIENT);
      const listeners = async () =>
        ((await stranger.client('LIST', 'TYPE', 'PUBSUB')) as string).split('\n').filter(Boolean).length;
      expect(await listeners()).toBe(3);
      cable.cut();
      // Much is on its way, of whatever kind: the others leave it alone.
      const lane = new BusNames('depthwire').lane(3);
      const junk = Buffer.alloc(1024 * 1024);
      await vi.waitFor(async () => {
        await stranger.spublish(lane, junk);
        expect(await listeners()).toBe(2);
      }, PATIENT);
      venue.move();
      await vi.waitFor(() => expectSame(near, ingest), PATIENT);
      await vi.waitFor(() => expect(slow.source.countBooks().stale).toBe(ids.length), PATIENT);
      cable.mend();
      await vi.waitFor(() => expectSame(slow, ingest), PATIENT);
      venue.move();
      await vi.waitFor(() => expectSame(slow, ingest), PATIENT);
      expect(marketsOf(slow).get(ids[0]!)!.tape).toHaveLength(2);
    },
    TEST_MS,
  );

  test(
    'as a cluster with replicas, a master of which is killed: a replica takes over, and all books go on by themselves',
    async () => {
      const nodes = await startCluster(3, 1);
      const venue = new Venue();
      const bus = { nodes: nodes.slice(0, 2).map(({ url }) => url) };
      const ingests = [await startIngest(venue, bus), await startIngest(venue, bus)];
      const gateways = [await serveGateway(bus), await serveGateway(bus)];
      const right = () =>
        vi.waitFor(() => {
          const leader = leaderOf(ingests);
          expect(leader).toBeDefined();
          for (const gateway of gateways) expectSame(gateway, leader!);
        }, PATIENT);
      await right();
      for (const victim of nodes.slice(0, 2)) {
        const beganMs = performance.now();
        const moving = setInterval(() => venue.move(), 10);
        onTestFinished(() => clearInterval(moving));
        const live = () => gateways.map(({ source }) => source.countBooks().live);
        await victim.kill();
        await vi.waitFor(() => expect(Math.min(...live())).toBeLessThan(ids.length), PATIENT);
        await vi.waitFor(() => expect(Math.min(...live())).toBe(ids.length), PATIENT);
        process.stdout.write(`all live again after ${Math.round(performance.now() - beganMs)} ms\n`);
        clearInterval(moving);
        await right();
        await victim.restart();
      }
    },
    TEST_MS,
  );
});
