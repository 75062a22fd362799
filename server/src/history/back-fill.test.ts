import { join } from 'node:path';
import { expect, test } from 'vitest';
import { candlesOf, ID, PastVenue, runHistory, tell, type TradeAt } from '../../test/history-run.ts';
import { START_MS, testInstrument } from '../../test/markets.ts';
import { temporaryFolder } from '../../test/stores.ts';
import type { HistoryStore } from './stores/store.ts';

const { tick, lot } = testInstrument(ID);
const series = { instrument: ID, tick, lot };
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
/** Ten minutes into an hour. */
const startMs = Math.floor(START_MS / 3_600_000) * 3_600_000 + 600_000;

const freshConfig = async () =>
  ({ store: 'sqlite', path: join(await temporaryFolder(), 'history.db') }) as const;
const trade = (id: number, afterS: number, price: number): TradeAt => ({
  ...{ id, timeMs: startMs + afterS * 1000, price, size: 1 },
});
const openHoles = async (store: HistoryStore) =>
  (await store.holes(series, ALL)).filter(({ isFilled }) => !isFilled);
type Run = Awaited<ReturnType<typeof runHistory>>;

/** Time passes for the venue too. */
async function pass(running: Run, venue: PastVenue, seconds: number) {
  for (let i = 0; i < seconds; i++) {
    venue.nowMs = running.clock.now();
    await running.settle(1);
  }
}

function hear(running: Run, venue: PastVenue, one: TradeAt) {
  venue.log.push(one);
  tell(running.feed, one);
}

/** Of the store, which outlives memory. */
const stored = (running: Run, interval: '1s' | '1m' | '1h' | '1d') =>
  running.store.candles(series, interval, 1_000, Infinity);

test('a timer that fires early, as they do, wakes up again', async () => {
  const venue = Object.assign(new PastVenue(), { nowMs: startMs });
  venue.log.push(trade(1, -300, 90));
  const running = await runHistory(await freshConfig(), { feed: venue, nowMs: startMs, earlyMs: 2 });
  await pass(running, venue, 10);
  expect(running.history.figures).toMatchObject({ filling: 0, filled: 1 });
  expect(await stored(running, '1m')).toMatchObject([{ open: 90 }]);
  await running.stop();
});

test('what was not filled before the end is by whoever is next, and each bar is whole', async () => {
  const config = await freshConfig();
  const log: TradeAt[] = [];
  let nowMs = startMs;
  const start = async () => {
    const venue = Object.assign(new PastVenue(), { nowMs, log, hasSeconds: false });
    return { venue, running: await runHistory(config, { feed: venue, nowMs }) };
  };
  let { venue, running } = await start();
  let id = 0;
  const live = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      for (const part of [0, 300, 600])
        hear(running, venue, {
          id: ++id,
          timeMs: running.clock.now() + part,
          price: 100 + (id % 17),
          size: 1,
        });
      await pass(running, venue, 1);
    }
    nowMs = running.clock.now();
  };
  /** Nobody listens. */
  const away = (seconds: number) => {
    for (let i = 0; i < seconds * 3; i++)
      log.push({ id: ++id, timeMs: nowMs + i * 333, price: 100 + (id % 17), size: 1 });
    nowMs += seconds * 1_000;
  };
  await live(25);
  await running.kill();
  away(20);
  ({ venue, running } = await start());
  await live(1); // before anything was asked
  await running.kill();
  away(5);
  ({ venue, running } = await start());
  await live(8); // before the minute closed that was open
  expect((await openHoles(running.store)).length).toBeGreaterThan(0);
  await running.kill();
  away(2);
  ({ venue, running } = await start());
  await live(140);
  expect(await openHoles(running.store)).toEqual([]);
  expect((await running.stored()).map((each) => Number(each.id)).sort((a, b) => a - b)).toEqual(
    log.map((each) => each.id),
  );
  const closed = (interval: '1s' | '1m') => candlesOf(log, interval).slice(0, -2);
  for (const interval of ['1m', '1s'] as const) {
    const found = await stored(running, interval);
    expect(found.slice(0, closed(interval).length)).toEqual(closed(interval));
  }
  expect((await stored(running, '1h')).at(-1)!.trades).toBe(log.length);
  await running.stop();
});

test('a candle that could not be taken whole is asked for again', async () => {
  const venue = Object.assign(new PastVenue(), { nowMs: startMs });
  const running = await runHistory(await freshConfig(), { feed: venue, nowMs: startMs });
  hear(running, venue, trade(1, 0, 100));
  await pass(running, venue, 5);
  venue.state('recovering', 'connection lost');
  venue.log.push(trade(2, 6, 130));
  await pass(running, venue, 5);
  venue.snapshot([100, 5], [101, 4]);
  venue.state('live');
  await pass(running, venue, 50);
  venue.keepsTrades = false;
  venue.fails = 2;
  await pass(running, venue, 120);
  expect((await stored(running, '1m'))[0]).toEqual(candlesOf(venue.log, '1m')[0]);
  expect(await openHoles(running.store)).toEqual([]);
  await running.stop();
});

test('what is asked while an instrument is rescaled is neither put under the old scales nor lost', async () => {
  const venue = Object.assign(new PastVenue(), { nowMs: startMs });
  for (let i = 0; i < 10; i++) venue.log.push(trade(i, -600 + i * 60, 100));
  const running = await runHistory(await freshConfig(), { feed: venue, nowMs: startMs });
  await pass(running, venue, 20);
  venue.state('recovering', 'connection lost');
  await pass(running, venue, 2);
  venue.snapshot([100, 5], [101, 4]);
  venue.state('live');
  const before = await stored(running, '1m');
  for (const each of venue.log) (each as { price: number }).price = 20;
  const rescaled = testInstrument(ID, { tick: { units: 5, decimals: 2 } });
  venue.emit({ type: 'instrument', instrument: rescaled });
  venue.snapshot([20, 5], [21, 4]);
  venue.state('live');
  await pass(running, venue, 100);
  expect(await stored(running, '1m')).toEqual(before);
  const found = await running.store.candles({ ...series, tick: rescaled.tick }, '1m', 100, Infinity);
  expect(found.map(({ close }) => close)).toEqual(Array(10).fill(20));
  await running.stop();
});

test('whoever does not write any more asks for nothing, and its candles stay what they are', async () => {
  const venue = Object.assign(new PastVenue(), { nowMs: startMs });
  const running = await runHistory(await freshConfig(), { feed: venue, nowMs: startMs });
  await pass(running, venue, 5);
  venue.state('recovering', 'connection lost');
  await pass(running, venue, 2);
  venue.snapshot([100, 5], [101, 4]);
  venue.state('live');
  await pass(running, venue, 8);
  hear(running, venue, trade(1, 20, 100));
  await pass(running, venue, 2);
  running.cease();
  for (let id = 2; id < 7; id++) hear(running, venue, trade(id, 20, 100));
  const { asked } = venue;
  await pass(running, venue, 150);
  expect(venue.asked).toBe(asked);
  expect(running.engine.markets.get(ID)!.candles('1d').all.at(-1)!.trades).toBe(6);
});

test('of a long hole the seconds that nobody was asked for stay told', async () => {
  const venue = Object.assign(new PastVenue(), { nowMs: startMs, keepsTrades: false });
  const running = await runHistory(await freshConfig(), { feed: venue, nowMs: startMs });
  hear(running, venue, trade(0, 0, 100));
  await pass(running, venue, 5);
  venue.state('recovering', 'connection lost');
  for (let minute = 1; minute <= 180; minute++) venue.log.push(trade(minute, minute * 60, 100));
  running.steadyClock.advanceTo(startMs + 180 * 60_000 + 5_000);
  venue.snapshot([100, 5], [101, 4]);
  venue.state('live');
  await pass(running, venue, 90);
  const holesOf = async (interval: '1s' | '1m') =>
    (await running.history.past.candles(ID, interval, 1_000)).holes;
  expect(await holesOf('1m')).toEqual([]);
  const [hole] = await holesOf('1s');
  expect(hole!.fromMs).toBeLessThanOrEqual(startMs + 5_000);
  const seconds = await stored(running, '1s');
  // None of those that are there is called missing, but for the edge of the hole.
  const inside = seconds.filter(({ time }) => time * 1000 > hole!.fromMs && time * 1000 < hole!.toMs);
  expect(inside.length).toBeLessThanOrEqual(2);
  await running.stop();
});

test('of what a venue does not keep any more nothing is called filled', async () => {
  const config = await freshConfig();
  const first = await runHistory(config, {
    feed: Object.assign(new PastVenue(), { nowMs: startMs }),
    nowMs: startMs,
  });
  tell(first.feed, trade(0, 0, 100));
  await first.settle(3);
  await first.stop();
  const nowMs = startMs + 20 * 3_600_000;
  const venue = Object.assign(new PastVenue(), { nowMs, keptMs: 12 * 3_600_000, keepsTrades: false });
  for (let minute = 1; minute < 20 * 60; minute++) venue.log.push(trade(minute, minute * 60, 100));
  const second = await runHistory(config, { feed: venue, nowMs });
  await pass(second, venue, 90);
  const [hole, ...others] = await openHoles(second.store);
  expect(others).toEqual([]);
  expect(hole!.fromMs).toBe(startMs + 3_000);
  expect(Math.abs(hole!.toMs - (nowMs - 12 * 3_600_000))).toBeLessThanOrEqual(60_000);
  await second.stop();
});

test('what a dead connection did not bring is asked for, from the last that it brought', async () => {
  const config = await freshConfig();
  const venue = Object.assign(new PastVenue(), { nowMs: startMs, hasSeconds: false });
  const running = await runHistory(config, { feed: venue, nowMs: startMs });
  for (let id = 1; id <= 20; id++) {
    hear(running, venue, { id, timeMs: running.clock.now(), price: 100, size: 1 });
    await pass(running, venue, 1);
  }
  // Its socket is found dead 40 s after it was, and the market goes on all that time.
  for (let id = 21; id <= 60; id++) {
    venue.log.push({ id, timeMs: running.clock.now(), price: 100 + id, size: 1 });
    await pass(running, venue, 1);
  }
  expect(await running.store.heardUntil(series)).toBeLessThanOrEqual(startMs + 30_000);
  venue.state('recovering', 'nothing for 40 s');
  await pass(running, venue, 2);
  venue.snapshot([100, 5], [101, 4]);
  venue.state('live');
  await pass(running, venue, 90);
  expect((await running.stored()).map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(
    venue.log.map(({ id }) => id),
  );
  expect((await stored(running, '1m'))[0]).toEqual(candlesOf(venue.log, '1m')[0]);
  expect(await openHoles(running.store)).toEqual([]);
  await running.stop();
});

test('the seconds of a hole that was filled hours later stay told', async () => {
  const config = await freshConfig();
  const first = await runHistory(config, {
    feed: Object.assign(new PastVenue(), { nowMs: startMs }),
    nowMs: startMs,
  });
  tell(first.feed, trade(0, 0, 100));
  await first.settle(3);
  await first.stop();
  const nowMs = startMs + 10 * 3_600_000;
  const venue = Object.assign(new PastVenue(), { nowMs, hasSeconds: false, keepsTrades: false });
  for (let minute = 1; minute < 600; minute++) venue.log.push(trade(minute, minute * 60, 100));
  const second = await runHistory(config, { feed: venue, nowMs });
  tell(venue, { id: 9_999, timeMs: nowMs, price: 100, size: 1 });
  await pass(second, venue, 90);
  const holesOf = async (interval: '1s' | '1m') =>
    (await second.history.past.candles(ID, interval, 1_000)).holes;
  expect(await holesOf('1m')).toEqual([]);
  expect(await holesOf('1s')).not.toEqual([]);
  await second.stop();
});
