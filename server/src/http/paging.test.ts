import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { Lots, Ticks, Trade } from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import { createFeeds } from '../feed-factory.ts';
import { parseConfig } from '../config/config.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { serveFeeds } from '../../test/server.ts';
import { tradePage, type TradeQuery } from './trade-page.ts';

interface TradeList {
  readonly trades: { id: string | number; time: number }[];
  readonly next: string | null;
  readonly newer: string;
  readonly missed: number;
}

async function simulator(rate: number) {
  const { feeds } = parseConfig({ feeds: [{ feed: 'sim', instruments: ['sim:BTC-USD'], rate }] });
  const server = await serveFeeds(createFeeds(feeds));
  const { tape } = server.depthwire.engine.markets.get('sim:BTC-USD')!;
  return { ...server, tape };
}

const TRADES = '/api/v1/instruments/sim:BTC-USD/trades';

describe('trades of a market that goes on', () => {
  test('pages back neither miss nor repeat one', async () => {
    const { get, tape } = await simulator(20);
    while (tape.length < 60) await delay(20);
    const atStart = tape.map(({ id }) => id);
    const seen: (string | number)[] = [];
    let next: string | null = `${TRADES}?limit=7`;
    let pages = 0;
    for (; next !== null && pages < 200; pages++) {
      const { body, headers } = await get(next);
      const page = body as TradeList;
      seen.unshift(...page.trades.map(({ id }) => id));
      expect(headers.get('link')).toBe(page.next && `<${page.next}>; rel="next"`);
      next = page.next;
      const before = tape.length;
      while (tape.length === before && pages < 3) await delay(5); // new ones arrive between the pages
    }
    expect(pages).toBeGreaterThan(8);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.slice(0, atStart.length)).toEqual(atStart);
    expect(tape.slice(0, seen.length).map(({ id }) => id)).toEqual(seen);
  });

  test('whoever polls what is newer gets each trade once', async () => {
    const { get, tape } = await simulator(20);
    while (tape.length < 5) await delay(20);
    const first = (await get(`${TRADES}?limit=5`)).body as TradeList;
    const seen = first.trades.map(({ id }) => id);
    let { newer } = first;
    while (seen.length < 80) {
      const page = (await get(newer)).body as TradeList;
      expect(page.missed).toBe(0);
      seen.push(...page.trades.map(({ id }) => id));
      newer = page.newer;
      await delay(5);
    }
    const all = tape.map(({ id }) => id);
    const start = all.indexOf(seen[0]!);
    expect(seen).toEqual(all.slice(start, start + seen.length));
  });

  test('candles page back over what is kept and what the feed has to tell', async () => {
    const { get } = await simulator(1);
    const times: number[] = [];
    let next: string | null = '/api/v1/instruments/sim:BTC-USD/candles?interval=1m&limit=700';
    for (let pages = 0; pages < 4; pages++) {
      const page = (await get(next!)).body as { candles: [number][]; next: string | null };
      expect(page.candles.length).toBeLessThanOrEqual(700);
      times.unshift(...page.candles.map(([time]) => time));
      next = page.next;
    }
    expect(times.length).toBeGreaterThan(2_000); // more than the 1,500 in memory
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBe(60);
  });
});

test('the past of a market ends with a page without candles', async () => {
  const feed = new ScriptedFeed();
  const { get } = await serveFeeds([feed]);
  feed.trade(100, 1, 1);
  const page = (await get('/api/v1/instruments/test:AAA-USD/candles')).body as { next: string };
  expect((await get(page.next)).body).toMatchObject({ candles: [], next: null });
});

describe('a tape', () => {
  test('says how many trades a client was too late for', async () => {
    const feed = new ScriptedFeed();
    const { get } = await serveFeeds([feed]);
    for (let id = 0; id < 10; id++) feed.trade(100, 1, id);
    const { newer } = (await get('/api/v1/instruments/test:AAA-USD/trades')).body as TradeList;
    for (let id = 10; id < 1_020; id++) feed.trade(100, 1, id);
    const page = (await get(newer)).body as TradeList;
    expect(page.missed).toBe(10); // 1,000 are kept
    expect(page.trades[0]!.id).toBe(20);
  });

  test('that began anew takes no cursor of before', async () => {
    const feed = new ScriptedFeed();
    const { get } = await serveFeeds([feed]);
    feed.trade(100, 1, 1);
    const { newer } = (await get('/api/v1/instruments/test:AAA-USD/trades')).body as TradeList;
    feed.emit({
      type: 'instrument',
      instrument: testInstrument(undefined, { tick: { units: 5, decimals: 2 } }),
    });
    expect(await get(newer)).toMatchObject({ status: 410, body: { error: { code: 'cursor_expired' } } });
  });

  test('in pages is the tape: whatever is asked for, each trade that fits comes once and in order', () => {
    const query = fc.record<TradeQuery>(
      { limit: fc.integer({ min: 1, max: 9 }), before: fc.nat(40), after: fc.nat(40) },
      { requiredKeys: ['limit'] },
    );
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 40 }), fc.nat(100), query, (times, dropped, asked) => {
        const tape = times.map((timeMs, id): Trade => trade(id, timeMs));
        const market = { tape, tradeCount: dropped + tape.length };
        const pages: Trade[][] = [];
        let page = tradePage(market, { epoch: 1, run: 1 }, asked);
        pages.push(page.trades);
        while (page.next !== null && pages.length <= times.length) {
          page = tradePage(market, { epoch: 1, run: 1 }, { ...asked, cursor: page.next });
          pages.push(page.trades);
        }
        if (asked.after === undefined) pages.reverse();
        const { before = Infinity, after = -Infinity } = asked;
        expect(pages.flat()).toEqual(tape.filter(({ timeMs }) => timeMs < before && timeMs > after));
        expect(pages.every((page) => page.length <= asked.limit)).toBe(true);
      }),
    );
  });
});

describe('instruments', () => {
  const names = ['test:AAA-USD', 'test:BBB-EUR', 'test:CCC-USD', 'test:DDD-EUR', 'test:EEE-USD'];
  const instruments = names.map((id) =>
    testInstrument(id, {
      base: id.slice(5, 8),
      quote: id.slice(9),
      ...(id.includes('EEE') && { status: 'halted' }),
    }),
  );
  interface List {
    readonly instruments: { id: string }[];
    readonly next: string | null;
  }
  const ids = ({ body }: { body: unknown }) => (body as List).instruments.map(({ id }) => id);

  test.each([
    ['quote=EUR', ['test:BBB-EUR', 'test:DDD-EUR']],
    ['base=AAA', ['test:AAA-USD']],
    ['status=halted', ['test:EEE-USD']],
    ['venue=test&quote=USD&status=trading', ['test:AAA-USD', 'test:CCC-USD']],
    ['kind=option', []],
    ['venue=elsewhere', []],
  ])('by %s', async (query, expected) => {
    const { get } = await serveFeeds([new ScriptedFeed('scripted', instruments)]);
    expect(ids(await get(`/api/v1/instruments?${query}`))).toEqual(expected);
  });

  test('come in pages, which go on through what is listed meanwhile', async () => {
    const feed = new ScriptedFeed('scripted', instruments);
    const { get } = await serveFeeds([feed]);
    const first = await get('/api/v1/instruments?limit=2&venue=test');
    expect(ids(first)).toEqual(names.slice(0, 2));
    feed.emit({ type: 'instrument', instrument: testInstrument('test:AA0-USD') });
    const second = await get((first.body as List).next!);
    const third = await get((second.body as List).next!);
    expect([...ids(second), ...ids(third)]).toEqual([...names.slice(2), 'test:AA0-USD']);
    expect((third.body as List).next).toBeNull();
  });
});

test.each([
  ['instruments?limit=1001', 'limit: expected an integer from 1 to 1000, got "1001"'],
  ['instruments?status=asleep', 'status: expected trading, halted or closed, got "asleep"'],
  ['instruments?venue=', 'venue: expected a text such as binance, got ""'],
  ['instruments?cursor=%00', 'cursor: expected one from the `next` of an answer, got "\\u0000"'],
  ['instruments/test:AAA-USD/book?depth=1e3', 'depth: expected an integer from 1 to 5000, got "1e3"'],
  [
    'instruments/test:AAA-USD/trades?limit=1&limit=2',
    'limit: expected an integer from 1 to 1000, got ["1","2"]',
  ],
  [
    'instruments/test:AAA-USD/candles?interval=2m',
    'interval: expected 1s, 5s, 15s, 1m, 5m, 15m, 1h, 4h or 1d, got "2m"',
  ],
])('GET %s is refused with the field, what it expects and what it got', async (path, message) => {
  const { get } = await serveFeeds([new ScriptedFeed()]);
  const { status, body } = await get(`/api/v1/${path}`);
  expect(status).toBe(400);
  expect(body).toEqual({ error: { code: 'invalid_request', message, retry: false } });
});

function trade(id: number, timeMs: number): Trade {
  return { id, price: 100 as Ticks, size: 1 as Lots, side: 'buy', timeMs };
}
