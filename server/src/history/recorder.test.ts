import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { candlesOf, ID, PastVenue, runHistory, tell, type HistoryRun } from '../../test/history-run.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { openStore, temporaryFolder } from '../../test/stores.ts';
import type { HistoryStore } from './stores/store.ts';

const { tick, lot } = testInstrument(ID);
const series = { instrument: ID, tick, lot };
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

describe('while the store is away for long', () => {
  let venue: ScriptedFeed & Partial<PastVenue>;
  let running: HistoryRun;
  /** Has the file: nobody else can open it. */
  let other: HistoryStore;
  async function start(feed: typeof venue) {
    venue = feed;
    const config = { store: 'sqlite', path: join(await temporaryFolder(), 'history.db') } as const;
    other = await openStore(config);
    running = await runHistory(config, { feed });
  }
  afterEach(() => running.stop());

  /** A second in which it is heard, and one in which it is not. */
  async function breakOff() {
    venue.state('recovering', 'connection lost');
    running.steadyClock.advanceTo(running.steadyClock.now() + 1_000);
    venue.snapshot([100, 5], [101, 4]);
    venue.state('live');
    running.steadyClock.advanceTo(running.steadyClock.now() + 1_000);
  }

  function trade(id: number) {
    const one = { id, timeMs: running.clock.now(), price: 100 + (id % 7), size: 1 };
    venue.log?.push(one);
    tell(venue, one);
  }

  test('more trades than go into one write are written in parts, before and after a break', async () => {
    await start(new ScriptedFeed());
    const COUNT = 130_000;
    for (let id = 0; id < COUNT; id++) trade(id);
    await breakOff();
    for (let id = COUNT; id < 2 * COUNT; id++) trade(id);
    expect(running.history.figures).toMatchObject({ waitingTrades: 2 * COUNT, dropped: 0 });
    await other.close();
    await running.settle(40);
    expect(running.history.figures).toMatchObject({ waitingTrades: 0, dropped: 0 });
    expect((await running.store.figures()).trades).toBe(2 * COUNT);
    const [minute] = await running.store.candles(series, '1m', 1, Infinity);
    expect(minute).toMatchObject({ trades: 2 * COUNT });
    const [last] = await running.stored(1);
    expect(last!.id).toBe(2 * COUNT - 1);
  }, 60_000);

  test('what waits stays bounded however often a feed breaks off, and what found no room is asked for', async () => {
    await start(new PastVenue());
    const BREAKS = 5_200;
    for (let id = 0; id < BREAKS; id++) {
      trade(id);
      await breakOff();
    }
    const { waitingTrades, dropped } = running.history.figures!;
    expect(dropped).toBeGreaterThan(5_000);
    expect(waitingTrades + dropped).toBe(BREAKS);
    venue.nowMs = running.clock.now();
    await other.close();
    await running.settle(60);
    expect(running.history.figures).toMatchObject({ waitingTrades: 0 });
    // It was too long ago for single trades, and their candles are there.
    const holes = await running.store.holes(series, ALL);
    expect(holes.filter(({ isFilled }) => !isFilled)).toEqual([]);
    const hours = await running.store.candles(series, '1h', 100, Infinity);
    expect(hours.slice(0, -1)).toEqual(candlesOf(venue.log!, '1h').slice(0, hours.length - 1));
  }, 60_000);
});
