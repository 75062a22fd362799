import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyStats } from '@depthwire/feeds';
import { bookChecksum, DepthwireError } from '@depthwire/shared';
import { serve as start } from '../test/server.ts';
import { ScriptedFeed, testInstrument } from '../test/markets.ts';
import type { Depthwire } from './depthwire.ts';

describe('REST', () => {
  async function get(depthwire: Depthwire, url: string) {
    const response = await depthwire.app.inject({ url });
    return {
      status: response.statusCode,
      body: response.json<Record<string, never>>(),
      headers: response.headers,
    };
  }

  /** The path as it stands: `inject` and `fetch` would put it right first. */
  async function getUnread(url: string, path: string, accept: string) {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, path, headers: { accept } });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }

  test('health tells readiness, books by state and feeds', async () => {
    const { depthwire } = await start();
    const { status, body } = await get(depthwire, '/api/v1/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ready',
      instruments: 1,
      books: { live: 1 },
      feeds: [{ id: 'scripted', state: 'running', error: null, books: { live: 1, syncing: 0 }, refused: 0 }],
    });
  });

  test('health tells how the books of each feed are', async () => {
    const other = new ScriptedFeed('other', [testInstrument('other:AAA-USD')]);
    const { depthwire } = await start({}, undefined, { feeds: [other] });
    other.state('recovering', 'connection lost');
    const { body } = await get(depthwire, '/api/v1/health');
    expect(body).toMatchObject({
      books: { live: 1, recovering: 1 },
      feeds: [
        { id: 'scripted', books: { live: 1, recovering: 0 } },
        { id: 'other', state: 'running', books: { live: 0, recovering: 1 } },
      ],
    });
  });

  test('health tells that a venue is away, since when, why, and when it is tried again', async () => {
    const away = new ScriptedFeed('away', []);
    away.start = () => Promise.reject(new DepthwireError('venue_http', 'GET https://venue.example failed'));
    const { depthwire } = await start({}, undefined, { feeds: [{ id: 'away', create: () => away }] });
    const { status, body } = await get(depthwire, '/api/v1/health');
    expect(status).toBe(200); // the others are served
    const [running, failed] = body.feeds as unknown as { since: number; retryAt: number }[];
    expect(running).toMatchObject({ id: 'scripted', state: 'running', retryAt: null });
    expect(failed).toMatchObject({
      id: 'away',
      state: 'failed',
      error: { code: 'venue_http', message: 'GET https://venue.example failed', retry: true },
      books: { syncing: 0, live: 0, stale: 0, recovering: 0 },
    });
    expect(failed!.retryAt).toBeGreaterThan(failed!.since);
  });

  test('feeds tells how good each one is, and names the books that are not live', async () => {
    const other = new ScriptedFeed('other', [testInstrument('other:AAA-USD'), testInstrument()]);
    const stats = { ...emptyStats(), frames: 12, links: 9, gaps: 1, checksumsOk: 3 };
    Object.assign(other, { stats: () => stats, reconnects: () => 2, problems: () => ['no MOON-USD'] });
    const { depthwire } = await start({}, undefined, { feeds: [other] });
    other.state('recovering', 'connection lost');
    const { body } = await get(depthwire, '/api/v1/feeds');
    expect(body.feeds).toMatchObject([
      {
        ...{ id: 'scripted', source: null, reconnects: null, troubles: [], problems: [] },
        latencyMs: { p50: 0, p99: 0 },
      },
      {
        id: 'other',
        state: 'running',
        source: stats,
        reconnects: 2,
        problems: ['test:AAA-USD is brought by feed scripted already', 'no MOON-USD'],
        stalenessMs: null,
        latencyMs: null,
        troubles: [{ instrument: 'other:AAA-USD', state: 'recovering', reason: 'connection lost' }],
      },
    ]);
  });

  test('book: exact decimals, state, sequence and checksum', async () => {
    const { depthwire } = await start();
    const { body } = await get(depthwire, '/api/v1/instruments/test:AAA-USD/book?depth=1');
    expect(body).toMatchObject({
      instrument: 'test:AAA-USD',
      state: 'live',
      sequence: 1,
      bids: [['1.00', '0.005']],
      asks: [['1.01', '0.004']],
    });
    expect(body.checksum).toBe(bookChecksum(depthwire.source.markets.get('test:AAA-USD')!.book));
  });

  test('instruments, trades and candles', async () => {
    const { depthwire, feed } = await start();
    feed.trade(101, 2_000, 7);
    expect((await get(depthwire, '/api/v1/instruments')).body).toMatchObject({
      instruments: [{ id: 'test:AAA-USD', tick: { units: 1, decimals: 2 } }],
    });
    expect((await get(depthwire, '/api/v1/instruments/test%3AAAA-USD')).body).toMatchObject({
      state: 'live',
      instrument: { id: 'test:AAA-USD' },
    });
    expect((await get(depthwire, '/api/v1/instruments/test:AAA-USD/trades')).body).toMatchObject({
      trades: [{ id: 7, price: '1.01', size: '2.000', side: 'buy' }],
    });
    expect((await get(depthwire, '/api/v1/instruments/test:AAA-USD/candles?interval=1m')).body).toMatchObject(
      {
        candles: [[expect.any(Number), '1.01', '1.01', '1.01', '1.01', '2.000', 1]],
      },
    );
  });

  test.each([
    ['/api/v1/instruments/test:NONE-USD/book', 404, 'unknown_instrument'],
    ['/api/v1/instruments/test:AAA-USD/book?depth=0', 400, 'invalid_request'],
    ['/api/v1/instruments/test:AAA-USD/book?depth=1&depth=2', 400, 'invalid_request'],
    ['/api/v1/instruments/test:AAA-USD/trades?limit=-1', 400, 'invalid_request'],
    ['/api/v1/instruments/test:AAA-USD/candles?interval=2m', 400, 'invalid_request'],
    ['/api/v1/instruments/test:AAA-USD/candles?before=now', 400, 'invalid_request'],
    ['/api/v1/instruments/%E0%A4%A', 400, 'invalid_request'],
    ['/nowhere', 404, 'not_found'],
  ])('GET %s answers %i %s', async (url, status, code) => {
    const { depthwire } = await start();
    const response = await get(depthwire, url);
    expect(response.status).toBe(status);
    expect(response.body).toMatchObject({ error: { code, retry: false, message: expect.any(String) } });
  });

  test('serves the dashboard with a policy that admits its inline script only, and says where nothing is', async () => {
    const web = await mkdtemp(join(tmpdir(), 'depthwire-web-'));
    onTestFinished(() => rm(web, { recursive: true }));
    await mkdir(join(web, '_app/immutable'), { recursive: true });
    await writeFile(join(web, 'index.html'), '<!doctype html><script>start()</script>');
    await writeFile(join(web, 'feeds.html'), '<p>all the feeds</p>');
    await writeFile(join(web, 'feeds.html.br'), 'feeds');
    await writeFile(join(web, '404.html'), '<p>not here</p>');
    await writeFile(join(web, '_app/immutable/app.abc.js'), 'long();');
    await writeFile(join(web, '_app/immutable/app.abc.js.br'), 'short');
    const { depthwire, url } = await start({ web });
    const page = await depthwire.app.inject('/');
    expect(page.body).toContain('start()');
    expect(page.headers['cache-control']).toBe('no-cache');
    expect(page.headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-[A-Za-z0-9+/=]{44}';/);
    const accept = 'text/html,application/xhtml+xml';
    for (const path of ['/nowhere', '/404', '//evil', '/a/../b', '/%25E0']) {
      const missing = await getUnread(url, path, accept);
      expect([path, missing.status, missing.body]).toEqual([path, 404, '<p>not here</p>']);
      expect(missing.headers['content-security-policy']).toContain("default-src 'self'");
      const told = await getUnread(url, path, '*/*');
      expect(JSON.parse(told.body)).toMatchObject({
        error: { code: expect.stringMatching(/^(not_found|invalid_request)$/) },
      });
    }
    for (const [path, to] of [
      ['/%E0%A4%A?to=%E0', '/%25E0%25A4%25A'],
      ['//evil.example/%', '/evil.example/%25'],
      ['/\\evil.example/%', '/evil.example/%25'],
    ] as const) {
      const led = await getUnread(url, path, accept);
      expect([led.status, led.headers.location]).toEqual([302, to]);
      expect((await getUnread(url, path, '*/*')).status).toBe(400);
    }
    const short = await depthwire.app.inject('/feeds?instrument=a');
    expect([short.statusCode, short.body]).toEqual([200, '<p>all the feeds</p>']);
    const packedPage = await depthwire.app.inject({ url: '/feeds', headers: { 'accept-encoding': 'br' } });
    expect(packedPage.body).toBe('feeds');
    expect(packedPage.headers).toMatchObject({
      'content-encoding': 'br',
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    const route = await depthwire.app.inject({ url: '/api/v1/nowhere', headers: { accept } });
    expect([route.statusCode, route.json()]).toMatchObject([404, { error: { code: 'not_found' } }]);
    const asset = await depthwire.app.inject('/_app/immutable/app.abc.js');
    expect(asset.headers['cache-control']).toContain('immutable');
    expect(asset.body).toBe('long();');
    const packed = await depthwire.app.inject({
      url: '/_app/immutable/app.abc.js',
      headers: { 'accept-encoding': 'gzip, br' },
    });
    expect(packed.body).toBe('short');
    expect(packed.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' });
    expect(packed.headers['content-type']).toContain('javascript');
    expect(packed.headers['cache-control']).toContain('immutable');
  });
});
