import { join } from 'node:path';
import { candleIntervals, type Candle, type CandleInterval, type Lots, type Ticks } from '@depthwire/shared';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { candlesOf, ID, PastVenue, runHistory, tell, type TradeAt } from '../../test/history-run.ts';
import { launchPostgres, postgresPath, type Postgres } from '../../test/launch-postgres.ts';
import { ScriptedFeed, START_MS, testInstrument } from '../../test/markets.ts';
import { startPostgres } from '../../test/postgres.ts';
import { openStore, temporaryFolder } from '../../test/stores.ts';
import type { HistoryStore } from './stores/store.ts';
import { unavailable } from './stores/unavailable.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const intervals = Object.keys(candleIntervals) as CandleInterval[];
const { tick, lot } = testInstrument(ID);
const series = { instrument: ID, tick, lot };
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
const startMs = Math.floor(START_MS / DAY_MS) * DAY_MS + 6 * 3_600_000;

const freshPath = async () => join(await temporaryFolder(), 'history.db');
const trade = (id: number, afterS: number, price: number): TradeAt => ({
  ...{ id, timeMs: startMs + afterS * 1000, price, size: 1 },
});
const openHoles = async (store: HistoryStore) =>
  (await store.holes(series, ALL)).filter(({ isFilled }) => !isFilled);

let databases = 0;
async function freshDatabase({ url }: Postgres): Promise<string> {
  const name = `joining_${++databases}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return url.replace(/[^/]+$/, name);
}

/** A market of a venue that goes on whether somebody listens or not. */
function venueAt(nowMs: number): PastVenue {
  return Object.assign(new PastVenue(), { nowMs });
}

describe('a store that is away while a server starts', () => {
  test('is joined once it is back: what a feed knew until its start, what it stored before, and what is traded since, each once', async () => {
    const path = await freshPath();
    const config = { store: 'sqlite', path } as const;
    const bar = (time: number): Candle => ({
      ...{ time, open: 100 as Ticks, high: 105 as Ticks, low: 95 as Ticks, close: 101 as Ticks },
      ...{ volume: 10 as Lots, trades: 3 },
    });
    /** Knows the market until it starts, as a simulator does. */
    const feedAt = (nowMs: number) =>
      Object.assign(new ScriptedFeed(), {
        candles: ({ interval, fromS, toS }: { interval: CandleInterval; fromS: number; toS: number }) => {
          const seconds = candleIntervals[interval];
          const told: Candle[] = [];
          for (let time = Math.ceil(fromS / seconds) * seconds; time < toS; time += seconds)
            if (time * 1000 < nowMs && time * 1000 > nowMs - 30 * seconds * 1000) told.push(bar(time));
          return Promise.resolve(told);
        },
      });
    const first = await runHistory(config, { feed: feedAt(startMs), nowMs: startMs });
    tell(first.feed, trade(1, 0, 120));
    await first.settle(3);
    await first.stop();

    const laterMs = startMs + 65 * MINUTE_MS;
    const other = await openStore(config);
    const second = await runHistory(config, { feed: feedAt(laterMs), nowMs: laterMs });
    tell(second.feed, trade(2, 65 * 60, 90));
    await second.settle(3);
    const hour = (candles: readonly Candle[], ms: number) => candles.find(({ time }) => time * 1000 === ms);
    const hourMs = startMs + 3_600_000;
    // Meanwhile it has what its feed told, with what was traded since.
    expect(second.history.report.state).toBe('away');
    expect(hour(await second.candles('1h'), hourMs)).toMatchObject({ trades: 4, low: 90 });
    await other.close();
    tell(second.feed, trade(3, 65 * 60 + 3, 95));
    await second.settle();
    tell(second.feed, trade(4, 65 * 60 + 23, 97));
    await second.settle(2);
    for (const candles of [
      await second.candles('1h'),
      second.engine.markets.get(ID)!.candles('1h').all,
      await second.store.candles(series, '1h', 100, Infinity),
    ]) {
      // The one in which the first run ended is whole as its feed has it, the one of the start has both parts.
      expect(hour(candles, startMs)).toEqual(bar(startMs / 1000));
      expect(hour(candles, hourMs)).toMatchObject({ trades: 6, low: 90, close: 97, open: 100 });
      expect(hour(candles, startMs - 20 * 3_600_000)).toEqual(bar(startMs / 1000 - 20 * 3600));
      const times = candles.map(({ time }) => time);
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    }
    const day = (await second.candles('1d')).at(-1);
    expect(day).toMatchObject({ trades: 6 });
    expect((await second.stored()).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    expect(await openHoles(second.store)).toEqual([]);
    await second.stop();
  });

  test('is joined once it is back: what was missed before is asked of the venue', async () => {
    const config = { store: 'sqlite', path: await freshPath() } as const;
    const venue = venueAt(startMs);
    const first = await runHistory(config, { feed: venue, nowMs: startMs });
    const hear = (running: typeof first, one: TradeAt) => {
      venue.log.push(one);
      running.steadyClock.advanceTo(one.timeMs);
      venue.nowMs = running.clock.now();
      tell(running.feed, one);
    };
    hear(first, trade(1, 1, 100));
    await first.settle(10);
    await first.stop();
    venue.log.push(trade(2, 100, 120), trade(3, 400, 80));
    const other = await openStore(config);
    const again = Object.assign(venueAt(startMs + 600_000), { log: venue.log });
    const second = await runHistory(config, { feed: again, nowMs: startMs + 600_000 });
    hear(second, trade(4, 601, 90));
    await second.settle(5);
    await other.close();
    for (let i = 0; i < 120; i++) {
      await second.settle(1);
      again.nowMs = second.clock.now();
    }
    hear(second, trade(5, (second.clock.now() - startMs) / 1000 + 1, 91));
    await second.settle(2);
    for (const interval of intervals) {
      const expected = candlesOf(venue.log, interval);
      expect(await second.store.candles(series, interval, 100, Infinity)).toEqual(expected);
      expect(second.engine.markets.get(ID)!.candles(interval).all).toEqual(expected);
    }
    const ids = (await second.stored()).map(({ id }) => id);
    expect(ids.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(await openHoles(second.store)).toEqual([]);
    await second.stop();
  });

  test('keeps nobody waiting that never answers, and is joined once it does', async () => {
    const answer = Promise.withResolvers<void>();
    const running = await runHistory(
      { store: 'sqlite', path: await freshPath() },
      {
        nowMs: startMs,
        startMs: 11_000,
        faults: (real) => ({ open: () => answer.promise.then(() => real.open()) }),
      },
    );
    tell(running.feed, trade(1, 20, 100));
    expect(running.history.report).toMatchObject({ state: 'away', waitingTrades: 1 });
    expect(await running.candles('1m')).toHaveLength(1);
    answer.resolve();
    await running.settle(40);
    expect((await running.stored()).map(({ id }) => id)).toEqual([1]);
    expect(running.history.report.state).toBe('writing');
    await running.stop();
  });
});

describe('an ingest that takes over', () => {
  let postgres: Postgres | null = null;
  beforeAll(async () => {
    if (postgresPath) postgres = await launchPostgres();
  });
  afterAll(() => postgres?.remove());
  const inPostgres = test.skipIf(postgresPath === null);

  async function pair(feeds: [PastVenue | ScriptedFeed, PastVenue | ScriptedFeed]) {
    const config = { store: 'postgres', url: await freshDatabase(postgres!) } as const;
    const leader = await runHistory(config, { feed: feeds[0], nowMs: startMs });
    const standby = await runHistory(config, { feed: feeds[1], nowMs: startMs, leads: false });
    for (const { history } of [leader, standby]) await history.flush(); // it is open
    const advance = async (ms: number) => {
      await leader.advance(ms);
      await standby.advance(ms);
    };
    return { leader, standby, advance };
  }

  inPostgres(
    'writes only what the one before it cannot have written, where each sees trades of its own',
    async () => {
      const { leader, standby, advance } = await pair([new ScriptedFeed(), new ScriptedFeed()]);
      const second = async (index: number) => {
        if (index < 30) tell(leader.feed, trade(1_000 + index, index, 100));
        tell(standby.feed, trade(2_000 + index, index, 100));
        await advance(1_000);
      };
      for (let index = 0; index < 30; index++) await second(index);
      await leader.stop();
      standby.lead();
      for (let index = 30; index < 40; index++) await second(index);
      await standby.settle(3);
      const ids = (await standby.stored()).map(({ id }) => Number(id));
      const ofLeader = ids.filter((id) => id < 2_000).map((id) => id - 1_000);
      const ofStandby = ids.filter((id) => id >= 2_000).map((id) => id - 2_000);
      expect(ofLeader).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(ofStandby.at(-1)).toBe(39);
      expect(ofStandby[0]).toBeGreaterThanOrEqual(24); // five seconds, which the other may not have written
      expect(await openHoles(standby.store)).toEqual([]);
    },
  );

  inPostgres('asks for nothing where it heard all along', async () => {
    const venues = [venueAt(startMs), venueAt(startMs)] as const;
    const { leader, standby, advance } = await pair([...venues]);
    await advance(20_000);
    await leader.history.flush();
    await leader.kill();
    const { asked } = venues[1];
    standby.lead();
    await standby.settle(30);
    expect(venues[1].asked).toBe(asked);
    expect(await openHoles(standby.store)).toEqual([]);
  });

  inPostgres('fills what neither of the two heard', async () => {
    const venues = [venueAt(startMs), venueAt(startMs)] as const;
    const { leader, standby, advance } = await pair([...venues]);
    const happens = (one: TradeAt, heardBy: readonly ScriptedFeed[]) => {
      for (const venue of venues) venue.log.push(one);
      for (const feed of heardBy) tell(feed, one);
    };
    happens(trade(1, 0, 100), venues);
    await advance(20_000);
    await leader.history.flush();
    // The leader dies; the other one has lost its connection before, and comes back after.
    venues[1].state('recovering', 'connection lost');
    await leader.kill();
    await standby.advance(5_000);
    happens(trade(2, 25, 130), []);
    standby.lead();
    await standby.advance(60_000);
    happens(trade(3, 85, 70), []);
    await standby.advance(1_000);
    venues[1].snapshot([100, 5], [101, 4]);
    venues[1].state('live');
    for (let i = 0; i < 150; i++) {
      venues[1].nowMs = standby.clock.now();
      await standby.settle(1);
    }
    expect((await standby.stored()).map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(await standby.store.candles(series, '1m', 10, Infinity)).toEqual(candlesOf(venues[1].log, '1m'));
    expect(await openHoles(standby.store)).toEqual([]);
  });

  inPostgres(
    'while the database is away: its own is written once it is back, without what the other had',
    async () => {
      const own = await startPostgres();
      const config = { store: 'postgres', url: own.url } as const;
      const leader = await runHistory(config, { nowMs: startMs });
      const standby = await runHistory(config, { nowMs: startMs, leads: false });
      for (let index = 0; index < 20; index++) {
        tell(leader.feed, trade(1_000 + index, index, 100));
        tell(standby.feed, trade(2_000 + index, index, 100));
        await leader.advance(1_000);
        await standby.advance(1_000);
      }
      await leader.stop();
      await own.stop('fast');
      standby.lead();
      await standby.settle(5);
      tell(standby.feed, trade(2_022, 22, 100));
      await own.restart();
      await standby.settle(40);
      const ids = (await standby.stored()).map(({ id }) => Number(id));
      expect(ids.filter((id) => id < 2_000)).toHaveLength(20);
      const ofStandby = ids.filter((id) => id >= 2_000).map((id) => id - 2_000);
      expect(ofStandby.at(-1)).toBe(22);
      expect(ofStandby[0]).toBeGreaterThanOrEqual(14);
      expect(await openHoles(standby.store)).toEqual([]);
    },
  );
});

describe('a hole', () => {
  test('that is longer than is asked for is filled as far as that', async () => {
    const config = { store: 'sqlite', path: await freshPath() } as const;
    const first = await runHistory(config, { feed: venueAt(startMs), nowMs: startMs });
    tell(first.feed, trade(1, 0, 100));
    await first.settle(3);
    await first.stop();
    const laterMs = startMs + 20 * DAY_MS;
    const log = Array.from({ length: 20 * 24 }, (_, hour) => trade(2 + hour, (hour + 1) * 3_600 - 60, 90));
    const venue = Object.assign(venueAt(laterMs), { log });
    const second = await runHistory(config, { feed: venue, nowMs: laterMs });
    await second.settle(30);
    const [hole, ...others] = await openHoles(second.store);
    expect(others).toEqual([]);
    expect(hole!.fromMs).toBe(startMs + 3_000);
    expect(Math.abs(hole!.toMs - (laterMs - 14 * DAY_MS))).toBeLessThanOrEqual(3_600_000);
    const minutes = await second.store.candles(series, '1m', 1_000, Infinity);
    expect(minutes.filter(({ open }) => open === 90).length).toBeGreaterThanOrEqual(14 * 24);
    await second.stop();
  });
});

describe('a clock that is set back', () => {
  test('delays neither what waits for the store nor what is asked of a venue', async () => {
    const config = { store: 'sqlite', path: await freshPath() } as const;
    const venue = venueAt(startMs);
    const other = await openStore(config);
    const running = await runHistory(config, { feed: venue, nowMs: startMs });
    tell(running.feed, trade(1, 0, 100));
    await running.settle(3);
    running.clock.set(-3_600_000);
    await other.close();
    await running.settle(30);
    expect((await running.stored()).map(({ id }) => id)).toEqual([1]);
    const { asked } = venue;
    venue.state('recovering', 'connection lost');
    await running.advance(130_000);
    venue.snapshot([100, 5], [101, 4]);
    venue.state('live');
    running.clock.set(-3_600_000);
    await running.settle(10);
    expect(venue.asked).toBeGreaterThan(asked);
    await running.stop();
  });
});

describe.skipIf(postgresPath === null)('a gateway', () => {
  test('reads history as soon as the database is there, and says so while it is not', async () => {
    const postgres = await startPostgres();
    const config = { store: 'postgres', url: postgres.url } as const;
    const ingest = await runHistory(config, { nowMs: startMs });
    tell(ingest.feed, trade(1, 0, 100));
    await ingest.settle(2);
    await ingest.stop();
    await postgres.stop();
    const gateway = await runHistory(config, { nowMs: startMs + MINUTE_MS, leads: false });
    await gateway.settle(3);
    expect(gateway.history.report.state).toBe('away');
    await postgres.restart();
    await gateway.settle(20);
    expect(gateway.history.report.state).toBe('reading');
    expect(await gateway.candles('1m')).toMatchObject([{ open: 100 }]);
    // It writes nothing, and so learns of the next time by what it is asked.
    await postgres.stop('immediate');
    expect(await gateway.candles('1m')).toEqual([]);
    expect(gateway.history.report).toMatchObject({ state: 'away', awaySince: expect.any(Number) as number });
    await postgres.restart();
    await gateway.settle(20);
    expect(gateway.history.report.state).toBe('reading');
    expect(await gateway.candles('1m')).toMatchObject([{ open: 100 }]);
    await gateway.stop();
  });
});

test.skipIf(postgresPath === null)(
  'tables that are gone are made anew, and what waits is written',
  async () => {
    const postgres = await startPostgres();
    const running = await runHistory({ store: 'postgres', url: postgres.url }, { nowMs: startMs });
    tell(running.feed, trade(1, 0, 100));
    await running.settle(3);
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query('DROP SCHEMA depthwire CASCADE');
    await client.end();
    tell(running.feed, trade(2, 4, 100));
    await running.settle(3);
    expect(running.history.report.state).toBe('away');
    await running.settle(40);
    expect(running.history.report.state).toBe('writing');
    expect((await running.stored()).map(({ id }) => id)).toEqual([2]);
    await running.stop();
  },
);

describe('a store that does not answer', () => {
  test('keeps nobody waiting who asks for candles, once it is known', async () => {
    let isStuck = false;
    const running = await runHistory(
      { store: 'sqlite', path: await freshPath() },
      {
        nowMs: startMs,
        faults: (real) => ({
          write: (batches) =>
            isStuck ? Promise.reject(unavailable('away', 'no answer')) : real.write(batches),
          candles: (...query) => (isStuck ? new Promise(() => undefined) : real.candles(...query)),
          holes: (...query) => (isStuck ? new Promise(() => undefined) : real.holes(...query)),
          hasCandlesBefore: (...query) =>
            isStuck ? new Promise(() => undefined) : real.hasCandlesBefore(...query),
        }),
      },
    );
    onTestFinished(() => running.stop());
    tell(running.feed, trade(1, 0, 100));
    await running.settle(2);
    isStuck = true;
    tell(running.feed, trade(2, 2, 101));
    await running.settle(2);
    expect(running.history.report.state).toBe('away');
    expect(await running.candles('1m')).toMatchObject([{ trades: 2 }]);
    isStuck = false;
    await running.settle(20);
    expect((await running.stored()).map(({ id }) => id)).toEqual([1, 2]);
  });
});
