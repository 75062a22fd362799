import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { candleIntervals, type Candle, type CandleInterval, type Lots, type Ticks } from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import {
  candlesOf,
  ID,
  PastVenue,
  runHistory,
  tell,
  type HistoryRunOptions,
  type TradeAt,
} from '../../test/history-run.ts';
import { ScriptedFeed, START_MS, testInstrument } from '../../test/markets.ts';
import { openStore, temporaryFolder } from '../../test/stores.ts';
import { createHistoryStore } from './stores/create-store.ts';

const intervals = Object.keys(candleIntervals) as CandleInterval[];

const runAt = (path: string, options?: HistoryRunOptions) => runHistory({ store: 'sqlite', path }, options);
const freshPath = async () => join(await temporaryFolder(), 'history.db');
const bar = (time: number, price: number): Candle => ({
  ...{ time, open: price as Ticks, high: (price + 2) as Ticks, low: (price - 2) as Ticks },
  ...{ close: price as Ticks, volume: 10 as Lots, trades: 3 },
});

describe('a restart', () => {
  test('whatever is traded and whenever it comes: every interval has each trade once, in memory and in the store', async () => {
    const trade = fc.record({
      afterMs: fc.integer({ min: 0, max: 40_000 }),
      price: fc.integer({ min: 1, max: 50 }),
      size: fc.integer({ min: 1, max: 9 }),
      restarts: fc.constantFrom('no', 'no', 'no', 'stopped', 'written and killed', 'while the store is away'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(trade, { minLength: 1, maxLength: 15 }), async (walk) => {
        const path = join(await mkdtemp(join(tmpdir(), 'depthwire-history-')), 'history.db');
        let timeMs = START_MS;
        let running = await runAt(path);
        const told: TradeAt[] = [];
        /** Has the file: nobody else can open it. */
        const other = createHistoryStore({ store: 'sqlite', path });
        const back = async () => {
          await other.close();
          await running.settle();
          timeMs = running.clock.now();
        };
        for (const [id, { afterMs, price, size, restarts }] of walk.entries()) {
          timeMs += afterMs;
          running.steadyClock.advanceTo(timeMs);
          const next = { id, timeMs, price, size };
          tell(running.feed, next);
          told.push(next);
          if (restarts === 'no') continue;
          await back();
          if (restarts !== 'written and killed') await running.stop();
          else {
            await running.history.flush();
            await running.kill();
          }
          if (restarts === 'while the store is away') await other.open();
          running = await runAt(path, { nowMs: timeMs });
        }
        await back();
        for (const interval of intervals) {
          const expected = candlesOf(told, interval);
          expect(running.engine.markets.get(ID)!.candles(interval).all).toEqual(expected);
          expect(await running.candles(interval)).toEqual(expected);
        }
        await running.stop();
      }),
      { numRuns: 5 }, // each is several stores, and threads of theirs
    );
  }, 60_000);

  test('what the feed knew at its start goes before, the open candle is made of both parts', async () => {
    const path = await freshPath();
    const hourS = Math.floor(START_MS / 3_600_000) * 3600;
    const past = Object.assign(new ScriptedFeed(), {
      candles: ({ interval, fromS, toS }: { interval: string; fromS: number; toS: number }) =>
        Promise.resolve(
          [-3, -2, -1, 0]
            .map((i) => bar(hourS + i * 3600, 100 + i))
            .filter(({ time }) => interval === '1h' && time >= fromS && time < toS),
        ),
    });
    const first = await runAt(path, { feed: past });
    tell(first.feed, { id: 1, timeMs: START_MS, price: 107, size: 4 });
    const joined = { time: hourS, open: 100, high: 107, low: 98, close: 107, volume: 14, trades: 4 };
    expect((await first.candles('1h')).at(-1)).toEqual(joined);
    await first.stop();
    // The next one has nothing of its own to tell.
    const second = await runAt(path, { nowMs: START_MS + 5_000 });
    expect((await second.candles('1h')).map(({ time }) => (time - hourS) / 3600)).toEqual([-3, -2, -1, 0]);
    expect((await second.candles('1h')).at(-1)).toEqual(joined);
    tell(second.feed, { id: 2, timeMs: START_MS + 5_000, price: 90, size: 1 });
    expect((await second.candles('1h')).at(-1)).toEqual({
      ...joined,
      low: 90,
      close: 90,
      volume: 15,
      trades: 5,
    });
  });

  test('the time between is a hole: told where nobody can fill it', async () => {
    const path = await freshPath();
    const first = await runAt(path);
    tell(first.feed, { id: 1, timeMs: START_MS, price: 100, size: 1 });
    await first.advance(2_000);
    await first.stop();
    const second = await runAt(path, { nowMs: START_MS + 600_000 });
    tell(second.feed, { id: 2, timeMs: START_MS + 600_000, price: 101, size: 1 });
    await second.advance(1_000);
    await second.history.flush();
    const { holes, candles } = await second.history.past.candles(ID, '1m', 10);
    expect(candles).toHaveLength(2);
    expect(holes).toEqual([{ fromMs: START_MS + 2_000, toMs: START_MS + 600_000 }]);
  });

  test('the 24 h figures go on', async () => {
    const path = await freshPath();
    const first = await runAt(path);
    tell(first.feed, { id: 1, timeMs: START_MS - 3_600_000, price: 90, size: 2 });
    tell(first.feed, { id: 2, timeMs: START_MS, price: 100, size: 1 });
    await first.stop();
    const second = await runAt(path, { nowMs: START_MS + 1_000 });
    expect(second.engine.markets.get(ID)!.ticker(START_MS + 1_000)).toMatchObject({
      ...{ last: 100, open: 90, high: 100, low: 90, volume: 3, trades: 2 },
    });
  });
});

describe('a venue that tells its past', () => {
  const minuteS = Math.floor(START_MS / 60_000) * 60;
  const startMs = minuteS * 1000;
  const venueAt = (nowMs: number) => Object.assign(new PastVenue(), { nowMs });

  const trade = (id: number, afterS: number, price: number): TradeAt => ({
    ...{ id, timeMs: startMs + afterS * 1000, price, size: 1 },
  });

  test.each([true, false])(
    'after an outage the candles are whole again, whether it still has the trades (%s) or not',
    async (keepsTrades) => {
      const venue = venueAt(startMs);
      venue.keepsTrades = keepsTrades;
      const running = await runAt(await freshPath(), { feed: venue, nowMs: startMs });
      const hear = (one: TradeAt) => {
        venue.log.push(one);
        venue.nowMs = one.timeMs;
        running.steadyClock.advanceTo(one.timeMs);
        tell(venue, one);
      };
      hear(trade(1, 1, 100));
      await running.settle();
      venue.state('recovering', 'connection lost');
      const unheard = [trade(2, 30, 120), trade(3, 70, 80), trade(4, 130, 95)];
      venue.log.push(...unheard);
      await running.advance(130_000);
      venue.nowMs = running.clock.now();
      venue.snapshot([100, 5], [101, 4]);
      venue.state('live');
      hear(trade(5, (running.clock.now() - startMs) / 1000 + 1, 96));
      await running.settle();
      const minutes = () => candlesOf(venue.log, '1m');
      const closed = minutes().slice(0, -1);
      expect((await running.candles('1m')).slice(0, closed.length)).toEqual(closed);
      // The one that was open when it came back is taken whole once it has closed.
      await running.advance(90_000);
      venue.nowMs = running.clock.now();
      await running.settle();
      expect(await running.candles('1m')).toEqual(minutes());
      expect((await running.history.past.candles(ID, '1m', 100)).holes).toEqual([]);
      const series = testInstrument();
      const stored = await running.store.trades(
        { instrument: ID, tick: series.tick, lot: series.lot },
        { direction: 'before', limit: 100 },
      );
      expect(stored.map(({ id }) => id).sort()).toEqual(keepsTrades ? [1, 2, 3, 4, 5] : [1, 5]);
      expect(running.events.some(({ type }) => type === 'candles')).toBe(true);
      await running.stop();
    },
  );

  test('is asked again where it fails, and live trades go on meanwhile', async () => {
    const venue = venueAt(startMs);
    venue.log.push(trade(1, -600, 90));
    venue.fails = 3;
    const running = await runAt(await freshPath(), { feed: venue, nowMs: startMs });
    venue.nowMs = startMs;
    await running.settle();
    const { tick, lot } = testInstrument();
    const stored = () => running.store.candles({ instrument: ID, tick, lot }, '1m', 10, startMs);
    expect(await stored()).toEqual([]);
    await running.advance(200_000);
    await running.settle();
    expect(await stored()).toMatchObject([{ open: 90 }]);
    await running.stop();
  });
});

describe('a store that is away', () => {
  test('stops nothing: trades wait, and are written once it is back', async () => {
    const path = await freshPath();
    const holder = await openStore({ store: 'sqlite', path });
    const running = await runAt(path);
    tell(running.feed, { id: 1, timeMs: START_MS, price: 100, size: 1 });
    await expect(running.history.flush()).rejects.toMatchObject({ code: 'history_unavailable' });
    expect(running.history.figures).toMatchObject({
      waitingTrades: 1,
      awayReason: expect.any(String) as string,
    });
    expect(await running.candles('1m')).toHaveLength(1);
    await holder.close();
    await running.settle(60);
    expect(running.history.figures).toMatchObject({ waitingTrades: 0, writtenTrades: 1, awaySinceMs: null });
    await running.stop();
    const reader = await openStore({ store: 'sqlite', path });
    const { tick, lot } = testInstrument();
    expect(await reader.trades({ instrument: ID, tick, lot }, { direction: 'from', limit: 10 })).toHaveLength(
      1,
    );
  });
});
