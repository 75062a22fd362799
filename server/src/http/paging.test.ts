import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { CandleQuery } from '@depthwire/feeds';
import type { Candle, EpochMs, Lots, Ticks, Trade } from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import { createFeeds } from '../feed-factory.ts';
import { parseConfig } from '../config/config.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { serveFeeds } from '../../test/server.ts';
import type { StoredTape } from '../history/past.ts';
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
  const { tape } = server.depthwire.source.markets.get('sim:BTC-USD')!;
  return { ...server, tape };
}

type Get = Awaited<ReturnType<typeof serveFeeds>>['get'];

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

describe('candles of the past', () => {
  interface CandleList {
    readonly candles: [time: number, ...unknown[]][];
    readonly next: string | null;
  }
  const CANDLES = '/api/v1/instruments/test:AAA-USD/candles';
  const HOUR = 3_600;
  const nowS = Math.floor(Date.now() / 1000 / HOUR) * HOUR;

  /** Open times of each page, oldest page first. */
  async function pagesOf(get: Get, from: string): Promise<number[][]> {
    const pages: number[][] = [];
    for (let next: string | null = from; next !== null;) {
      const page = (await get(next)).body as CandleList;
      pages.unshift(page.candles.map(([time]) => time));
      next = page.next;
    }
    return pages;
  }

  /** Of hours before the present one. */
  function feedWith(hours: readonly number[], knownFrom?: number) {
    const candles = ({ interval, fromS, toS }: CandleQuery): Promise<Candle[]> => {
      const times = hours.map((hour) => nowS - hour * HOUR).toSorted((a, b) => a - b);
      const at = 100 as Ticks;
      return Promise.resolve(
        times
          .filter((time) => interval === '1h' && time >= fromS && time < toS)
          .map((time) => ({ time, open: at, high: at, low: at, close: at, volume: 1 as Lots, trades: 1 })),
      );
    };
    const known = knownFrom === undefined ? {} : { candlesFromS: () => nowS - knownFrom * HOUR };
    return Object.assign(new ScriptedFeed(), { candles }, known);
  }

  test('end with a page that has some, where memory is all there is', async () => {
    const feed = new ScriptedFeed();
    const { get } = await serveFeeds([feed]);
    for (const hour of [4, 3, 2, 1]) tradeAt(feed, hour, (nowS - hour * HOUR) * 1000 + 1);
    for (const [limit, sizes] of [
      [5, [4]],
      [4, [4]],
      [3, [1, 3]],
      [2, [2, 2]],
    ] as const) {
      const pages = await pagesOf(get, `${CANDLES}?interval=1h&limit=${limit}`);
      expect(pages.map(({ length }) => length)).toEqual(sizes);
      expect(pages.flat()).toEqual([4, 3, 2, 1].map((hour) => nowS - hour * HOUR));
    }
  });

  test('end with a page that has some, where the feed says how far its past goes, and do not end in a gap before', async () => {
    const hours = Array.from({ length: 600 }, (_, index) => index + 1);
    const withGap = [...hours, 603, 604];
    const { get } = await serveFeeds([feedWith(withGap, 604)]);
    const pages = await pagesOf(get, `${CANDLES}?interval=1h&limit=90`);
    expect(pages.flat()).toEqual(withGap.map((hour) => nowS - hour * HOUR).toReversed());
    expect(pages[0]!.length).toBeGreaterThan(0);
  });

  test('lead to an empty page where the feed cannot say, or in a gap of as many intervals as may come', async () => {
    const { get } = await serveFeeds([feedWith([1, 2, 3])]);
    const pages = await pagesOf(get, `${CANDLES}?interval=1h&limit=3`);
    expect(pages.map(({ length }) => length)).toEqual([0, 3]);

    const { get: getGap } = await serveFeeds([feedWith([600, 601, 610, 611], 611)]);
    const before = (hour: number) => `${CANDLES}?interval=1h&limit=4&before=${nowS - hour * HOUR}`;
    const recent = (await getGap(before(599))).body as CandleList;
    expect(recent.candles).toHaveLength(2);
    expect((await getGap(recent.next!)).body).toMatchObject({ candles: [], next: null });
    expect((await getGap(before(609))).body).toMatchObject({ candles: { length: 2 }, next: null });
  });

  test('of the simulator end where its history begins', async () => {
    const { feeds } = parseConfig({ feeds: [{ feed: 'sim', instruments: ['sim:BTC-USD'], historyDays: 3 }] });
    const { get } = await serveFeeds(createFeeds(feeds));
    const pages = await pagesOf(get, '/api/v1/instruments/sim:BTC-USD/candles?interval=15m&limit=100');
    const times = pages.flat();
    expect(times[0]! % 86_400).toBe(0);
    expect(times.length).toBeGreaterThanOrEqual(3 * 96);
    expect(pages.every(({ length }) => length > 0)).toBe(true);
  });
});

describe('trades between two times', () => {
  const path = (query: string) => `/api/v1/instruments/test:AAA-USD/trades?${query}`;

  test('come from the earliest on, page by page, and what is newer keeps to them too', async () => {
    const feed = new ScriptedFeed();
    const { get } = await serveFeeds([feed]);
    for (let id = 0; id < 10; id++) tradeAt(feed, id, 1_000 + id);
    const first = (await get(path('after=1001&before=1008&limit=4'))).body as TradeList;
    expect(first.trades.map(({ id }) => id)).toEqual([2, 3, 4, 5]);
    const second = (await get(first.next!)).body as TradeList;
    expect(second).toMatchObject({ trades: [{ id: 6 }, { id: 7 }], next: null, missed: 0 });
    tradeAt(feed, 10, 1_020);
    tradeAt(feed, 11, 1_005); // late
    expect((await get(second.newer)).body).toMatchObject({ trades: [{ id: 11 }], next: null });
  });

  test.each(['after=8&before=8', 'after=9&before=8'])(
    'of which there can be none are refused: %s',
    async (query) => {
      const { get } = await serveFeeds([new ScriptedFeed()]);
      const { status, body } = await get(path(query));
      const message = `after: expected a time before that of \`before\`, got "${/\d/.exec(query)![0]}"`;
      expect([status, body]).toEqual([400, { error: { code: 'invalid_request', message, retry: false } }]);
    },
  );
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

  test('goes on in the store, and repeats none: whatever of the tape is stored there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(12),
        fc.nat(12),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        async (older, latest, isStored, limit) => {
          const all = Array.from({ length: older + latest }, (_, i) => trade(i, i));
          const tape = all.slice(older);
          const rows = all.flatMap((one, i) =>
            i < older || isStored[i - older] ? [{ ...one, number: i }] : [],
          );
          const stored: StoredTape = {
            scales: 'one',
            numberOf: (one) => Promise.resolve(rows.find(({ id }) => id === one?.id)?.number),
            trades({ direction, limit: most, number = direction === 'before' ? Infinity : 0 }) {
              const found = rows.filter((row) =>
                direction === 'before' ? row.number < number : row.number >= number,
              );
              return Promise.resolve(direction === 'before' ? found.slice(-most) : found.slice(0, most));
            },
          };
          const market = { tape, tradeCount: 100 + latest };
          const pages: Trade[][] = [];
          let cursor: string | null | undefined;
          while (cursor !== null && pages.length <= all.length) {
            const page = await tradePage(market, { epoch: 1, run: 1 }, { limit, cursor }, stored);
            pages.unshift(page.trades);
            cursor = page.next;
          }
          expect(pages.flat().map(({ id }) => id)).toEqual(all.map(({ id }) => id));
        },
      ),
    );
  });

  test('in pages is the tape: whatever is asked for, each trade that fits comes once and in order', async () => {
    const query = fc.record<TradeQuery>(
      { limit: fc.integer({ min: 1, max: 9 }), before: fc.nat(40), after: fc.nat(40) },
      { requiredKeys: ['limit'] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(40), { maxLength: 40 }),
        fc.nat(100),
        query,
        async (times, dropped, asked) => {
          const tape = times.map((timeMs, id): Trade => trade(id, timeMs));
          const market = { tape, tradeCount: dropped + tape.length };
          const pages: Trade[][] = [];
          let page = await tradePage(market, { epoch: 1, run: 1 }, asked);
          pages.push(page.trades);
          while (page.next !== null && pages.length <= times.length) {
            page = await tradePage(market, { epoch: 1, run: 1 }, { ...asked, cursor: page.next });
            pages.push(page.trades);
          }
          if (asked.after === undefined) pages.reverse();
          const { before = Infinity, after = -Infinity } = asked;
          expect(pages.flat()).toEqual(tape.filter(({ timeMs }) => timeMs < before && timeMs > after));
          expect(pages.every((page) => page.length <= asked.limit)).toBe(true);
        },
      ),
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

function tradeAt(feed: ScriptedFeed, id: number, timeMs: number): void {
  feed.emit({
    ...{ type: 'trade', instrument: 'test:AAA-USD', side: 'buy', id },
    ...{ price: 100 as Ticks, size: 1 as Lots },
    ...{ venueTimeMs: timeMs as EpochMs, receiveTimeMs: timeMs as EpochMs },
  });
}
