import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { VirtualClock, type Feed, type PastTrades, type TradeQuery } from '@depthwire/feeds';
import {
  candleIntervals,
  type Candle,
  type CandleInterval,
  type Lots,
  type Ticks,
  type Trade,
} from '@depthwire/shared';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keepAll, ScriptedFeed, silentLog, START_MS, testInstrument } from '../../test/markets.ts';
import { openStore, temporaryFolder } from '../../test/stores.ts';
import { createMemoryBus, type MarketEvent } from '../bus/bus.ts';
import { Engine } from '../engine/engine.ts';
import { createHistoryStore } from './create-store.ts';
import { History } from './history.ts';

const ID = 'test:AAA-USD';
const intervals = Object.keys(candleIntervals) as CandleInterval[];

/** One run of a server, as far as its market goes: each has its own memory, and the same file. */
async function run(
  path: string,
  { feed = new ScriptedFeed() as ScriptedFeed & Partial<Feed>, nowMs = START_MS } = {},
) {
  const clock = new VirtualClock(nowMs);
  const bus = createMemoryBus();
  const events: MarketEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const store = createHistoryStore({ store: 'sqlite', path });
  const engine = new Engine({
    clock,
    bus,
    log: silentLog,
    loadPast: (from, markets) => history.load(from, markets),
  });
  const history: History = new History({
    ...{ clock, bus, markets: engine.markets, feedOf: (id) => engine.feedOf(id), store, log: silentLog },
    ...{ retention: keepAll, writes: () => true },
  });
  let isOver = false;
  /** As where the process is killed: what is not written is gone. */
  const kill = async () => {
    if (isOver) return;
    isOver = true;
    await store.close();
    await engine.stop();
  };
  const stop = async () => {
    if (isOver) return;
    isOver = true;
    await engine.stop();
    await history.close();
  };
  onTestFinished(kill);
  await engine.addFeed(feed);
  feed.snapshot([100, 5], [101, 4]);
  feed.state('live');
  const candles = async (interval: CandleInterval, limit = 1_500, beforeS?: number) =>
    (await history.past.candles(ID, interval, limit, beforeS)).candles;
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advanceTo(clock.now() + Math.min(1_000, left));
      if (store.kind === 'sqlite') await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, engine, history, store, feed, events, candles, kill, stop, advance };
}

interface TradeAt {
  readonly id: number;
  readonly timeMs: number;
  readonly price: number;
  readonly size: number;
}

function tell(feed: ScriptedFeed, { id, timeMs, price, size }: TradeAt): void {
  feed.emit({
    ...{ type: 'trade', instrument: ID, id, side: 'buy' },
    ...{ price: price as Ticks, size: size as Lots },
    ...{ venueTimeMs: timeMs as never, receiveTimeMs: timeMs as never },
  });
}

/** What trades in this order come to. */
function candlesOf(trades: readonly TradeAt[], interval: CandleInterval): Candle[] {
  const byTime = new Map<number, TradeAt[]>();
  const seconds = candleIntervals[interval];
  for (const trade of trades) {
    const time = Math.floor(trade.timeMs / 1000 / seconds) * seconds;
    byTime.set(time, [...(byTime.get(time) ?? []), trade]);
  }
  return [...byTime].map(([time, of]) => ({
    time,
    open: of[0]!.price as Ticks,
    high: Math.max(...of.map(({ price }) => price)) as Ticks,
    low: Math.min(...of.map(({ price }) => price)) as Ticks,
    close: of.at(-1)!.price as Ticks,
    volume: of.reduce((sum, { size }) => sum + size, 0) as Lots,
    trades: of.length,
  }));
}

describe('a restart', () => {
  test('whatever is traded and whenever it comes: every interval has each trade once, in memory and in the store', async () => {
    const trade = fc.record({
      afterMs: fc.integer({ min: 0, max: 40_000 }),
      price: fc.integer({ min: 1, max: 50 }),
      size: fc.integer({ min: 1, max: 9 }),
      restarts: fc.constantFrom('no', 'no', 'no', 'stopped', 'written and killed'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(trade, { minLength: 1, maxLength: 15 }), async (walk) => {
        const path = join(await mkdtemp(join(tmpdir(), 'depthwire-history-')), 'history.db');
        let timeMs = START_MS;
        let running = await run(path);
        const told: TradeAt[] = [];
        for (const [id, { afterMs, price, size, restarts }] of walk.entries()) {
          timeMs += afterMs;
          running.clock.advanceTo(timeMs);
          const next = { id, timeMs, price, size };
          tell(running.feed, next);
          told.push(next);
          if (restarts === 'no') continue;
          if (restarts === 'stopped') await running.stop();
          else {
            await running.history.flush();
            await running.kill();
          }
          running = await run(path, { nowMs: timeMs });
        }
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
    const path = join(await temporaryFolder(), 'history.db');
    const hourS = Math.floor(START_MS / 3_600_000) * 3600;
    const bar = (time: number, price: number): Candle => ({
      ...{ time, open: price as Ticks, high: (price + 2) as Ticks, low: (price - 2) as Ticks },
      ...{ close: price as Ticks, volume: 10 as Lots, trades: 3 },
    });
    const past = Object.assign(new ScriptedFeed(), {
      candles: ({ interval, fromS, toS }: { interval: string; fromS: number; toS: number }) =>
        Promise.resolve(
          [-3, -2, -1, 0]
            .map((i) => bar(hourS + i * 3600, 100 + i))
            .filter(({ time }) => interval === '1h' && time >= fromS && time < toS),
        ),
    });
    const first = await run(path, { feed: past });
    tell(first.feed, { id: 1, timeMs: START_MS, price: 107, size: 4 });
    const joined = { time: hourS, open: 100, high: 107, low: 98, close: 107, volume: 14, trades: 4 };
    expect((await first.candles('1h')).at(-1)).toEqual(joined);
    await first.stop();
    // The next one has nothing of its own to tell.
    const second = await run(path, { nowMs: START_MS + 5_000 });
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
    const path = join(await temporaryFolder(), 'history.db');
    const first = await run(path);
    tell(first.feed, { id: 1, timeMs: START_MS, price: 100, size: 1 });
    await first.advance(2_000);
    await first.stop();
    const second = await run(path, { nowMs: START_MS + 600_000 });
    tell(second.feed, { id: 2, timeMs: START_MS + 600_000, price: 101, size: 1 });
    await second.advance(1_000);
    await second.history.flush();
    const { holes, candles } = await second.history.past.candles(ID, '1m', 10);
    expect(candles).toHaveLength(2);
    expect(holes).toEqual([{ fromMs: START_MS + 2_000, toMs: START_MS + 600_000 }]);
  });

  test('the 24 h figures go on', async () => {
    const path = join(await temporaryFolder(), 'history.db');
    const first = await run(path);
    tell(first.feed, { id: 1, timeMs: START_MS - 3_600_000, price: 90, size: 2 });
    tell(first.feed, { id: 2, timeMs: START_MS, price: 100, size: 1 });
    await first.stop();
    const second = await run(path, { nowMs: START_MS + 1_000 });
    expect(second.engine.markets.get(ID)!.ticker(START_MS + 1_000)).toMatchObject({
      ...{ last: 100, open: 90, high: 100, low: 90, volume: 3, trades: 2 },
    });
  });
});

describe('a venue that tells its past', () => {
  const minuteS = Math.floor(START_MS / 60_000) * 60;
  const startMs = minuteS * 1000;

  /** A venue with a log of all trades, whoever listens. */
  class Venue extends ScriptedFeed {
    readonly candlesEnd = 'now';
    readonly log: TradeAt[] = [];
    nowMs = startMs;
    asked = 0;
    fails = 0;
    keepsTrades = true;

    candles({
      interval,
      fromS,
      toS,
    }: {
      interval: CandleInterval;
      fromS: number;
      toS: number;
    }): Promise<Candle[]> {
      this.asked += 1;
      if (this.fails > 0) {
        this.fails -= 1;
        return Promise.reject(new Error('busy'));
      }
      const past = this.log.filter(({ timeMs }) => timeMs <= this.nowMs);
      return Promise.resolve(candlesOf(past, interval).filter(({ time }) => time >= fromS && time < toS));
    }

    trades({ fromMs, toMs }: TradeQuery): Promise<PastTrades> {
      const found = this.keepsTrades
        ? this.log.filter(({ timeMs }) => timeMs >= fromMs && timeMs < Math.min(toMs, this.nowMs + 1))
        : [];
      const trades = found.map(({ id, timeMs, price, size }): Trade => ({
        ...{ id, timeMs, side: 'buy', price: price as Ticks, size: size as Lots },
      }));
      return Promise.resolve({
        trades,
        fromMs,
        toMs: this.keepsTrades ? toMs : fromMs,
        isWhole: this.keepsTrades,
      });
    }
  }

  async function settled(running: { history: History; advance(ms: number): Promise<void> }) {
    for (let i = 0; i < 20; i++) {
      await running.advance(1_000);
      await running.history.flush();
    }
  }

  const trade = (id: number, afterS: number, price: number): TradeAt => ({
    ...{ id, timeMs: startMs + afterS * 1000, price, size: 1 },
  });

  test.each([true, false])(
    'after an outage the candles are whole again, whether it still has the trades (%s) or not',
    async (keepsTrades) => {
      const venue = new Venue();
      venue.keepsTrades = keepsTrades;
      const running = await run(join(await temporaryFolder(), 'history.db'), { feed: venue, nowMs: startMs });
      const hear = (one: TradeAt) => {
        venue.log.push(one);
        venue.nowMs = one.timeMs;
        running.clock.advanceTo(one.timeMs);
        tell(venue, one);
      };
      hear(trade(1, 1, 100));
      await settled(running);
      venue.state('recovering', 'connection lost');
      const unheard = [trade(2, 30, 120), trade(3, 70, 80), trade(4, 130, 95)];
      venue.log.push(...unheard);
      await running.advance(130_000);
      venue.nowMs = running.clock.now();
      venue.snapshot([100, 5], [101, 4]);
      venue.state('live');
      hear(trade(5, (running.clock.now() - startMs) / 1000 + 1, 96));
      await settled(running);
      const minutes = () => candlesOf(venue.log, '1m');
      const closed = minutes().slice(0, -1);
      expect((await running.candles('1m')).slice(0, closed.length)).toEqual(closed);
      // The one that was open when it came back is taken whole once it has closed.
      await running.advance(90_000);
      venue.nowMs = running.clock.now();
      await settled(running);
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
    const venue = new Venue();
    venue.log.push(trade(1, -600, 90));
    venue.fails = 3;
    const running = await run(join(await temporaryFolder(), 'history.db'), { feed: venue, nowMs: startMs });
    venue.nowMs = startMs;
    await settled(running);
    const { tick, lot } = testInstrument();
    const stored = () => running.store.candles({ instrument: ID, tick, lot }, '1m', 10, startMs);
    expect(await stored()).toEqual([]);
    await running.advance(200_000);
    await settled(running);
    expect(await stored()).toMatchObject([{ open: 90 }]);
    await running.stop();
  });
});

describe('a store that is away', () => {
  test('stops nothing: trades wait, and are written once it is back', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'history.db');
    const holder = await openStore({ store: 'sqlite', path });
    const running = await run(path);
    tell(running.feed, { id: 1, timeMs: START_MS, price: 100, size: 1 });
    await expect(running.history.flush()).rejects.toMatchObject({ code: 'history_unavailable' });
    expect(running.history.figures).toMatchObject({
      waitingTrades: 1,
      awayReason: expect.any(String) as string,
    });
    expect(await running.candles('1m')).toHaveLength(1);
    await holder.close();
    await running.advance(60_000);
    await running.history.flush();
    expect(running.history.figures).toMatchObject({ waitingTrades: 0, writtenTrades: 1, awaySinceMs: null });
    await running.stop();
    const reader = await openStore({ store: 'sqlite', path });
    const { tick, lot } = testInstrument();
    expect(await reader.trades({ instrument: ID, tick, lot }, { direction: 'from', limit: 10 })).toHaveLength(
      1,
    );
  });
});
