import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { Registry } from 'prom-client';
import { describe, expect, test, vi } from 'vitest';
import { emptyStats } from '@depthwire/feeds';
import { ScriptedFeed, START_MS, startMarket } from '../../test/markets.ts';
import { scrape } from '../../test/scrape.ts';
import { temporaryFolder } from '../../test/stores.ts';
import { connect, serve } from '../../test/server.ts';
import { webSocketFrame } from '../gateway/websocket-frame.ts';
import { BusFigures } from '../bus/bus-figures.ts';
import { Buckets } from './buckets.ts';
import { addBusMetrics } from './bus-metrics.ts';

const subscribe = {
  ...{ op: 'subscribe', id: 1, topic: 'book', instrument: 'test:AAA-USD', depth: 10, cadence: 0 },
};

/** The timeout only ends a test that has failed. */
const PATIENT = { timeout: 10_000 };

describe('/metrics', () => {
  test('tells exactly the frames and bytes that clients got, by topic and encoding', async () => {
    const { url, ws, feed } = await serve();
    const json = await Promise.all([connect(ws), connect(ws)]);
    const msgpack = await connect(ws, 'msgpack');
    for (const client of [...json, msgpack]) {
      client.send(subscribe);
      await client.next((message) => message[0] === 1);
    }
    const before = json.map(({ frames }) => frames.length);
    expect(before).toEqual([3, 3]); // hello, subscribed, snapshot
    for (let i = 1; i <= 7; i++) feed.delta([100, 5 + i], []);
    for (const client of [...json, msgpack])
      await vi.waitFor(() => expect(client.frames).toHaveLength(3 + 7));

    const found = await scrape(url);
    const control = { topic: 'control', encoding: 'json' };
    const books = { topic: 'book', encoding: 'json' };
    expect(found.value('depthwire_frames_sent_total', books)).toBe(2 * (1 + 7));
    expect(found.value('depthwire_frames_sent_total', { topic: 'book', encoding: 'msgpack' })).toBe(1 + 7);
    expect(found.value('depthwire_frames_sent_total', control)).toBe(4);
    const bytes = json.flatMap(({ frames }) => frames.map((frame) => webSocketFrame(frame).length));
    expect(
      found.value('depthwire_sent_bytes_total', books)! + found.value('depthwire_sent_bytes_total', control)!,
    ).toBe(bytes.reduce((sum, count) => sum + count, 0));
    expect(found.value('depthwire_connections', { encoding: 'json' })).toBe(2);
    expect(found.value('depthwire_channels', { topic: 'book' })).toBe(1);
    expect(found.value('depthwire_subscriptions', { topic: 'book' })).toBe(3);
    expect(found.value('depthwire_requests_total', { op: 'subscribe', outcome: 'ok' })).toBe(3);
    expect(found.value('depthwire_frame_wait_seconds_count')).toBe(7);
  });

  test('tells why sessions ended and which requests were refused', async () => {
    const { url, ws } = await serve({ gateway: { maxConnections: 1 } });
    const client = await connect(ws);
    client.send({ op: 'subscribe', id: 1, topic: 'book', instrument: 'test:NO-ONE' });
    await client.next(({ op }) => op === 'error');
    const refused = await connect(ws);
    expect((await refused.end()).code).toBe(1013);
    client.socket.close(1000);
    await client.end();
    await vi.waitFor(async () =>
      expect((await scrape(url)).value('depthwire_sessions_ended_total', { code: '1000' })).toBe(1),
    );
    const found = await scrape(url);
    expect(found.value('depthwire_requests_total', { op: 'subscribe', outcome: 'unknown_instrument' })).toBe(
      1,
    );
    expect(found.value('depthwire_connections_refused_total', { code: '1013' })).toBe(1);
    expect(found.value('depthwire_sessions_opened_total', { encoding: 'json' })).toBe(1);
    expect(found.value('depthwire_connections', { encoding: 'json' })).toBe(0);
  });

  test('tells of each feed what it brings, and its books', async () => {
    const feed = Object.assign(new ScriptedFeed('venue-spot'), {
      stats: () => ({ ...emptyStats(), frames: 9, gaps: 2, checksumsBad: 1 }),
      reconnects: () => 3,
    });
    const { url } = await serve({}, feed);
    const found = await scrape(url);
    const of = { feed: 'venue-spot' };
    expect(found.value('depthwire_feed_state', { ...of, state: 'running' })).toBe(1);
    expect(found.value('depthwire_feed_state', { ...of, state: 'failed' })).toBe(0);
    expect(found.value('depthwire_feed_books', { ...of, state: 'live' })).toBe(1);
    expect(found.value('depthwire_feed_events_total', of)).toBe(3);
    expect(found.value('depthwire_feed_frames_total', of)).toBe(9);
    expect(found.value('depthwire_feed_gaps_total', of)).toBe(2);
    expect(found.value('depthwire_feed_checksums_bad_total', of)).toBe(1);
    expect(found.value('depthwire_feed_reconnects_total', of)).toBe(3);
    expect(found.value('depthwire_ready')).toBe(1);
    expect(found.value('depthwire_build_info', { protocol: '1', node: process.version })).toBe(1);
    expect(found.value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });

  test('has no more series however many paths, requests, instruments and close codes clients make up', async () => {
    const { url, ws } = await serve();
    const harass = async (round: number) => {
      const paths = Array.from({ length: 100 }, (_, i) => `/${round}/${i}?key=${i}`);
      const instruments = paths.map((path) => `/api/v1/instruments/x:${encodeURIComponent(path)}/book`);
      await Promise.all(
        [...paths, ...instruments].map((path) => fetch(url + path, { headers: { 'x-request-id': path } })),
      );
      await Promise.all(paths.slice(0, 5).map((path) => fetch(url + path, { method: 'PATCH' })));
      for (const key of [`dw_pk_${round}`, `dw_sk_${round}`, `${round}.b.c`])
        await fetch(`${url}/api/v1/feeds`, { headers: { authorization: `Bearer ${key}` } });
      const client = await connect(ws);
      for (let id = 1; id <= 1_000; id++) {
        const op = id % 2 === 0 ? 'subscribe' : `op-${round}-${id}`;
        client.send({ op, id, topic: 'book', instrument: `x:${round}-${id}` });
      }
      await client.next(({ id }) => id === 1_000);
      await Promise.all(
        Array.from({ length: 5 }, async (_, i) => {
          const { socket } = await connect(ws, i % 2 === 0 ? 'json' : 'msgpack');
          socket.close(3_000 + round * 10 + i);
          await once(socket, 'close');
        }),
      );
      const other = await connect(ws, 'json', { protocols: [`made-up-${round}`] }).catch(() => null);
      await other?.end();
    };
    await scrape(url); // its own request counts too
    await harass(0);
    const before = await vi.waitFor(async () => {
      const found = await scrape(url);
      expect(found.value('depthwire_sessions_ended_total', { code: 'other' })).toBe(5);
      expect(found.find('depthwire_feed_book_age_seconds')).not.toBeNull(); // taken every second
      return found;
    }, PATIENT);
    for (let round = 1; round <= 3; round++) await harass(round);
    await vi.waitFor(async () =>
      expect((await scrape(url)).value('depthwire_sessions_ended_total', { code: 'other' })).toBe(20),
    );
    const after = await scrape(url);
    const names = (found: typeof after) =>
      found.series.filter(({ name }) => name.startsWith('depthwire_')).map((one) => key(one));
    expect(names(after)).toEqual(names(before));
    expect(after.value('depthwire_requests_total', { op: 'other', outcome: 'invalid_request' })).toBe(2_000);
    expect(
      after.value('depthwire_http_requests_total', { method: 'any', route: 'unmatched', status: '404' }),
    ).toBe(4 * (100 + 5));
    expect(
      after.value('depthwire_http_requests_total', { route: '/api/v1/instruments/:id/book', status: '404' }),
    ).toBe(4 * 100);
    expect(after.series.filter(({ labels }) => Object.values(labels).some((l) => l.includes('x:')))).toEqual(
      [],
    );
  });

  test('counts paths that cannot be read, which have an id too', async () => {
    const { url } = await serve();
    const { status, headers } = await fetch(`${url}/%E0%A4%A`);
    expect([status, headers.get('x-request-id')]).toEqual([400, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    const labels = { method: 'any', route: 'unmatched', status: '400' };
    expect((await scrape(url)).value('depthwire_http_requests_total', labels)).toBe(1);
    const seconds = (await scrape(url)).value('depthwire_http_request_seconds_sum', { route: 'unmatched' });
    expect(seconds).toBeGreaterThanOrEqual(0);
  });

  test('is not there where the configuration says so', async () => {
    const { url } = await serve({ metrics: false });
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });
});

test('the wait for a book frame is from the oldest update in it, the cadence included', async () => {
  const { clock, feed, hub } = await startMarket();
  feed.snapshot([100, 5], [101, 4]);
  const channel = hub.open({
    op: 'subscribe',
    id: 1,
    topic: 'book',
    instrument: 'test:AAA-USD',
    cadence: 100,
  });
  hub.join(channel, { encoding: 'json', deliver() {}, onInstrument() {} });
  clock.advanceTo(START_MS + 20);
  feed.delta([100, 6], []);
  clock.advanceTo(START_MS + 70);
  feed.delta([100, 7], []);
  clock.advanceTo(START_MS + 250);
  const { counts, sumMs } = hub.figures.frameWait;
  expect(sumMs).toBe(80);
  expect(counts[Buckets.boundsMs.indexOf(100)]).toBe(1);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
});

test('a book that waited between its feed and the engine is told as such', async () => {
  const { clock, engine, feed } = await startMarket();
  clock.advanceTo(START_MS + 40);
  feed.emit({
    ...{ type: 'book-snapshot', instrument: 'test:AAA-USD', bids: [100, 5], asks: [101, 4] },
    ...{ venueTimeMs: START_MS as never, receiveTimeMs: (START_MS + 7) as never },
  });
  const { quality } = engine.feeds.get(feed)!;
  expect(quality.venueLatency.sumMs).toBe(7);
  expect(quality.engineWait.sumMs).toBe(33);
});

test('buckets take what is on a bound as up to it, and what is below zero as zero', () => {
  const buckets = new Buckets();
  for (const ms of [-5, 0.1, 0.11, 30_000, 30_001]) buckets.observe(ms);
  expect([...buckets.counts].flatMap((count, index) => (count ? [[index, count]] : []))).toEqual([
    [0, 2],
    [1, 1],
    [Buckets.boundsMs.length - 1, 1],
    [Buckets.boundsMs.length, 1],
  ]);
  expect(buckets.sumMs).toBeCloseTo(60_001.21);
});

describe('the table of docs/operating.md', () => {
  const operating = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
  const rows = [...operating.matchAll(/^\| `(depthwire_\w+)` *\| (\w+) *\| ([^|]*)\|/gm)].map(
    ([, name, type, labels]) => ({
      ...{ name: name!, type: type! },
      labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!).sort(),
    }),
  );

  test('has every metric of a real scrape and no other, in its order, with type and labels', async () => {
    const feed = Object.assign(new ScriptedFeed(), { stats: emptyStats, reconnects: () => 0 });
    const history = { store: 'sqlite', path: join(await temporaryFolder(), 'history.db') };
    const { url, ws } = await serve({ gateway: { maxConnections: 1 }, history }, feed);
    const client = await connect(ws);
    client.send({ op: 'ping', id: 1 });
    await (await connect(ws)).end();
    await fetch(`${url}/api/v1/feeds?key=dw_pk_none`);
    client.socket.close();
    await client.end();
    await scrape(url);
    const found = await vi.waitFor(async () => {
      const latest = await scrape(url);
      expect(latest.find('depthwire_sessions_ended_total')).not.toBeNull();
      expect(latest.find('depthwire_feed_book_age_seconds')).not.toBeNull();
      return latest;
    }, PATIENT);
    const ours = [...found.types].filter(([name]) => name.startsWith('depthwire_'));
    const described = ours.map(([name, type]) => {
      const suffix = type === 'histogram' ? '_count' : '';
      return { name, type, labels: Object.keys(found.find(name + suffix)!.labels).sort() };
    });
    expect(rows.filter(({ name }) => !name.startsWith('depthwire_bus_'))).toEqual(described);
  });

  test('has every metric of the bus, which a process has that is one of several', async () => {
    const registry = new Registry();
    const feed = { feed: 'sim', leader: 'one', epoch: 1, silentLanes: 0 };
    addBusMetrics(registry, new BusFigures(), () => ({ name: 'one', connected: true, feeds: [feed] }));
    const described = (await registry.getMetricsAsJSON()).map(({ name, type, values }) => ({
      ...{ name, type },
      labels: Object.keys(values[0]!.labels).filter((label) => label !== 'le'),
    }));
    expect(rows.filter(({ name }) => name.startsWith('depthwire_bus_'))).toEqual(described);
  });

  test('names metrics of the process that there are', async () => {
    const { url } = await serve();
    const { types } = await scrape(url);
    const named = [...operating.matchAll(/`((?:process|nodejs)_[a-z0-9_]+[a-z0-9])`/g)].map(
      ([, name]) => name!,
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !types.has(name))).toEqual([]);
  });
});

function key({ name, labels }: { name: string; labels: object }): string {
  return `${name} ${JSON.stringify(labels)}`;
}
