import { Redis } from 'ioredis';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { codecs } from '@depthwire/shared';
import { ScriptedFeed } from '../../test/markets.ts';
import { redisPath, startRedis } from '../../test/redis.ts';
import { serveFeeds } from '../../test/server.ts';
import type { Depthwire } from '../depthwire.ts';
import { BusNames, LANES } from './lanes.ts';

/** Only ends a test that has failed. */
const PATIENT = { timeout: 20_000, interval: 20 };
const TEST_MS = 60_000;
const ID = 'test:AAA-USD';

interface Line {
  readonly msg: string;
  readonly reason?: string;
}

/** A log that keeps what it is told of refusals. */
function keptLog() {
  const lines: Line[] = [];
  const sink = new Writable({
    write(text, _encoding, done) {
      const line = JSON.parse(String(text)) as Line;
      if (line.msg.endsWith('refused')) lines.push(line);
      done();
    },
  });
  return { lines, logger: pino({ level: 'warn' }, sink) };
}

const leads = ({ source }: Depthwire) => source.busReport()!.feeds.some(({ epoch }) => epoch !== null);

describe.skipIf(redisPath === null)('others write to the same Redis', () => {
  test(
    'whatever comes by each channel is refused with one line, and books go on',
    async () => {
      const { url } = await startRedis();
      const [ofIngest, ofGateway] = [keptLog(), keptLog()];
      const feed = new ScriptedFeed();
      const { depthwire: ingest } = await serveFeeds([feed], { role: 'ingest', bus: { url } }, ofIngest);
      feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
      feed.state('live');
      const gateway = await serveFeeds([], { role: 'gateway', bus: { url } }, ofGateway);
      const market = () => gateway.depthwire.source.markets.get(ID);
      await vi.waitFor(() => expect(market()?.state).toBe('live'), PATIENT);

      const names = new BusNames('depthwire');
      const stranger = new Redis(url);
      onTestFinished(() => stranger.disconnect());
      const lanes = Array.from({ length: LANES }, (_, lane) => names.lane(lane));
      const older = Buffer.from(
        codecs.msgpack.encode([1, 0, 'old', 'scripted', 1, 1, 0, 0, []] as never) as Uint8Array,
      );
      for (const channel of [...lanes, names.asks, names.reports]) {
        for (const message of [older, '', 'hello', '{}', '{"version":99,"op":"given"}', 'null'])
          for (let i = 0; i < 5; i++) await stranger.spublish(channel, message);
      }
      for (const channel of [lanes[0]!, names.asks, names.reports])
        await stranger.spublish(channel, Buffer.alloc(17 * 1024 * 1024));
      feed.delta([100, 9], []);
      await vi.waitFor(() => expect(market()?.book.bids.lotsAt(0)).toBe(9), PATIENT);
      expect(market()!.state).toBe('live');
      expect(ofGateway.lines.map(({ msg }) => msg).sort()).toEqual([
        'message on a lane of the bus refused',
        'report on the bus refused',
      ]);
      expect(ofGateway.lines[0]!.reason).toMatch(
        /version 1, expected \d+: run ingests and gateways of one release/,
      );
      expect(ofIngest.lines.map(({ msg }) => msg).sort()).toEqual([
        'report on the bus refused',
        'request on the bus refused',
      ]);
      expect(leads(ingest)).toBe(true);
      expect((await gateway.get('/metrics')).text).toMatch(/depthwire_bus_unreadable_messages_total [1-9]/);
    },
    TEST_MS,
  );

  test.for<[string, (redis: Redis, key: string) => Promise<unknown>]>([
    ['another kind of key', (redis, key) => redis.set(key, 'mine')],
    ['a beat that is no number', (redis, key) => redis.hset(key, 'beat', 'x')],
    ['an epoch beyond counting', (redis, key) => redis.hset(key, 'epoch', '9e99', 'holder', 'me')],
  ])(
    'a lease that is spoilt by %s is left as it is, and told; it is taken once it is gone',
    { timeout: TEST_MS },
    async ([, spoil]) => {
      const { url } = await startRedis();
      const log = keptLog();
      const feed = new ScriptedFeed();
      const { depthwire: ingest } = await serveFeeds([feed], { role: 'ingest', bus: { url } }, log);
      feed.snapshot([100, 5], [101, 4]);
      feed.state('live');
      await vi.waitFor(() => expect(leads(ingest)).toBe(true), PATIENT);
      const key = new BusNames('depthwire').lease('scripted');
      const stranger = new Redis(url);
      onTestFinished(() => stranger.disconnect());
      await spoil(stranger, key);
      await vi.waitFor(() => expect(log.lines).toHaveLength(1), PATIENT);
      expect(log.lines[0]).toMatchObject({
        msg: 'lease in Redis refused',
        reason: expect.stringMatching(/^depthwire:lease:scripted: expected a hash .* delete it/) as unknown,
      });
      const { epoch } = ingest.source.busReport()!.feeds[0]!;
      await stranger.del(key);
      await vi.waitFor(() => {
        expect(ingest.source.busReport()!.feeds[0]!.epoch).toBeGreaterThan(epoch ?? 0);
      }, PATIENT);
      expect(log.lines).toHaveLength(1);
    },
  );
});
