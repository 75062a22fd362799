import { join } from 'node:path';
import { candleIntervals, type Candle, type CandleInterval, type Lots, type Ticks } from '@depthwire/shared';
import { depthColumn, TradeTally, type DepthColumn } from '@depthwire/shared/depth';
import { expect, test, vi } from 'vitest';
import { ID, PastVenue, runHistory, tell } from '../../test/history-run.ts';
import { ScriptedFeed, START_MS, testInstrument } from '../../test/markets.ts';
import { temporaryFolder } from '../../test/stores.ts';
import type { DepthHistory } from './depth-history.ts';
import { packColumn } from './stored-columns.ts';
import { unavailable } from './stores/unavailable.ts';

// Feeds that begin, end, change hands and scales while what is stored is being joined to them.

const { tick, lot } = testInstrument(ID);
const series = { instrument: ID, tick, lot };
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
const freshConfig = async () =>
  ({ store: 'sqlite', path: join(await temporaryFolder(), 'history.db') }) as const;
const trade = (id: number, afterMs: number, price = 100) => ({
  ...{ id, timeMs: START_MS + afterMs, price, size: 1 },
});
const heard = (from: number, to: number) => ({
  ...{ series, trades: [], columns: [] },
  heard: { fromMs: START_MS + from, toMs: START_MS + to },
});
const away = () => Promise.reject(unavailable('away', 'no answer'));

/** Something that waits until the test lets it go on. */
function gate() {
  let opened = Promise.withResolvers<void>();
  opened.resolve();
  let waiting = 0;
  return {
    get isReached() {
      return waiting > 0;
    },
    shut() {
      opened = Promise.withResolvers();
      waiting = 0;
    },
    open() {
      opened.resolve();
    },
    async pass() {
      waiting += 1;
      await opened.promise;
    },
  };
}

test.each(['at once', 'late'])(
  'a lease that is lost and had again while candles are read: each trade once, the second answer comes %s',
  async (when) => {
    const candles = gate();
    const heardUntil = gate();
    const running = await runHistory(await freshConfig(), {
      leads: false,
      faults: (real) => ({
        candles: async (...query) => (await candles.pass(), real.candles(...query)),
        heardUntil: async (of) => (await heardUntil.pass(), real.heardUntil(of)),
      }),
    });
    for (let id = 0; id < 3; id++) tell(running.feed, trade(id, 0));
    candles.shut();
    running.lead();
    await vi.waitFor(() => expect(candles.isReached).toBe(true));
    if (when === 'late') heardUntil.shut();
    running.cease();
    running.lead();
    candles.open();
    await new Promise((resolve) => setTimeout(resolve, 50));
    heardUntil.open();
    await running.settle(3);
    tell(running.feed, trade(10, 5_000));
    await running.settle(30);
    expect(running.history.figures!.waitingTrades).toBe(0);
    expect(await running.stored()).toHaveLength(4);
    expect(running.engine.markets.get(ID)!.candles('1d').all.at(-1)!.trades).toBe(4);
    await running.stop();
  },
);

test('what comes after the lease was had is written, also of instruments that are new or rescaled', async () => {
  const running = await runHistory(await freshConfig(), { leads: false });
  running.lead();
  await running.settle(3);
  const rescaled = { units: 5, decimals: 2 };
  running.feed.emit({ type: 'instrument', instrument: testInstrument(ID, { tick: rescaled }) });
  running.feed.emit({ type: 'instrument', instrument: testInstrument('test:NEW-USD') });
  await running.settle(2);
  running.feed.trade(20, 1, 1);
  running.feed.trade(20, 1, 1, 'test:NEW-USD');
  await running.settle(3);
  const query = { direction: 'before', limit: 10 } as const;
  expect(await running.store.trades({ ...series, tick: rescaled }, query)).toHaveLength(1);
  expect(await running.store.trades({ ...series, instrument: 'test:NEW-USD' }, query)).toHaveLength(1);
  expect(running.history.figures!.waitingTrades).toBe(0);
  await running.stop();
});

test('a hole of the leader before stays one', async () => {
  const running = await runHistory(await freshConfig(), { leads: false });
  await running.store.open();
  await running.store.write([heard(0, 10_000), heard(20_000, 60_000)]);
  await running.advance(12_000);
  tell(running.feed, trade(1, 12_000));
  await running.advance(49_000);
  running.lead();
  await running.settle(20);
  const holes = await running.store.holes(series, ALL);
  expect(holes).toEqual([{ fromMs: START_MS + 10_000, toMs: START_MS + 20_000, isFilled: false }]);
  await running.stop();
});

test('more trades than the tape has since the leader before are asked of the venue', async () => {
  const venue = Object.assign(new PastVenue(), { nowMs: START_MS });
  const running = await runHistory(await freshConfig(), { leads: false, feed: venue });
  await running.store.open();
  await running.store.write([heard(0, 10_000)]);
  await running.advance(10_000);
  for (let id = 0; id < 1_500; id++) {
    const one = trade(id, 11_000 + id * 30);
    venue.log.push(one);
    running.steadyClock.advanceTo(one.timeMs);
    tell(venue, one);
  }
  running.lead();
  for (let i = 0; i < 120; i++) {
    venue.nowMs = running.clock.now();
    await running.settle(1);
  }
  expect(await running.stored(2_000)).toHaveLength(1_500);
  expect((await running.store.holes(series, ALL)).filter(({ isFilled }) => !isFilled)).toEqual([]);
  await running.stop();
});

test('what is held of one instrument keeps nobody from being joined', async () => {
  const OTHER = 'test:BBB-USD';
  const feed = new ScriptedFeed('scripted', [testInstrument(ID), testInstrument(OTHER)]);
  const answer = gate();
  let id = 0;
  const running = await runHistory(await freshConfig(), {
    feed,
    leads: false,
    faults: (real) => ({
      heardUntil: async (of) => {
        if (of.instrument === ID) await answer.pass();
        return real.heardUntil(of);
      },
      write: async (batches) => {
        const result = await real.write(batches);
        if (id < 3_000) feed.trade(100, 1, ++id, OTHER); // one comes while others are written
        return result;
      },
    }),
  });
  answer.shut();
  running.lead();
  for (let i = 0; i < 50_001; i++) tell(feed, trade(i, 0));
  feed.state('recovering', 'connection lost'); // and what was heard goes before
  feed.trade(100, 1, ++id, OTHER);
  await vi.waitFor(() => expect(running.history.figures!.writtenTrades).toBeGreaterThan(0), {
    timeout: 5_000,
  });
  expect(id).toBeLessThan(50);
  answer.open();
  await running.settle(10);
  expect((await running.stored(1))[0]!.id).toBe(50_000);
  await running.stop();
});

test('an instrument that its feed does not bring any more is not heard, and forgotten with its market', async () => {
  const running = await runHistory(await freshConfig());
  await running.settle(5);
  const { feed } = running;
  const lostMs = running.clock.now();
  running.engine.loseBooks(feed, 'failed');
  await running.settle(5);
  const own = feed.instruments;
  const bring = async (instruments: ScriptedFeed['instruments']) => {
    (feed as { instruments: unknown }).instruments = instruments;
    await running.engine.addFeed(feed);
    running.engine.loseGone(feed);
  };
  await bring([testInstrument('test:BBB-USD')]);
  await running.settle(100);
  await bring(own);
  feed.snapshot([100, 5], [101, 4]);
  feed.state('live');
  await running.settle(15);
  const [hole] = await running.store.holes(series, ALL);
  expect(hole!.fromMs).toBeLessThanOrEqual(lostMs);
  expect(hole!.toMs).toBe(lostMs + 105_000);
  await running.stop();
});

test('columns: of other scales they are left out, unreadable ones harm nobody, and a store that opens late has them', async () => {
  const candles = gate();
  const config = await freshConfig();
  const first = await runHistory(config);
  const column = depthColumn(
    START_MS - 5_000,
    first.engine.markets.get(ID)!.book,
    1,
    new TradeTally().take(),
  );
  await first.store.open();
  await first.store.write([{ series, trades: [], heard: null, columns: [packColumn(column)] }]);
  await first.stop();

  const restored: (readonly [string, number])[] = [];
  const recent = {
    restore: (id: string, columns: readonly DepthColumn[]) => restored.push([id, columns.length]),
  } as unknown as DepthHistory;
  const second = await runHistory(config, {
    leads: false,
    faults: (real) => ({ candles: async (...query) => (await candles.pass(), real.candles(...query)) }),
  });
  second.history.keepColumns(recent, 3_600_000);
  candles.shut();
  second.lead();
  await vi.waitFor(() => expect(candles.isReached).toBe(true));
  const rescaled = testInstrument(ID, { tick: { units: 5, decimals: 2 } });
  second.feed.emit({ type: 'instrument', instrument: rescaled });
  candles.open();
  await second.settle(5);
  expect(restored.filter(([, count]) => count > 0)).toEqual([]);
  await second.stop();

  // A gateway hears of its instruments before its database answers, and one of them has a column that nobody can read.
  let isBroken = true;
  let isAway = true;
  const gateway = await runHistory(config, {
    leads: false,
    faults: (real) => ({
      open: () => (isAway ? away() : real.open()),
      columns: (...query) =>
        isAway ? away() : isBroken ? Promise.reject(new Error('incorrect header')) : real.columns(...query),
    }),
  });
  gateway.history.keepColumns(recent, 3_600_000);
  const announce = (id: string) =>
    gateway.bus.publish({ type: 'instrument', instrument: id, isRescaled: true });
  gateway.feed.emit({ type: 'instrument', instrument: testInstrument('test:BBB-USD') });
  announce('test:BBB-USD');
  isAway = false;
  await gateway.settle(30);
  expect(gateway.history.report.state).toBe('reading');
  isBroken = false;
  gateway.feed.emit({ type: 'instrument', instrument: testInstrument('test:CCC-USD') });
  await gateway.settle(10);
  expect(restored.map(([id]) => id)).toContain('test:CCC-USD');
  await gateway.stop();
});

test('trades that a wrong clock calls days off are asked for once it is right', async () => {
  const venue = Object.assign(new PastVenue(), { nowMs: START_MS });
  const running = await runHistory(await freshConfig(), { feed: venue });
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      venue.nowMs = running.steadyClock.now();
      await running.settle(1);
    }
  };
  const happens = (id: number) => {
    const one = { id, timeMs: running.steadyClock.now(), price: 100 + id, size: 1 };
    venue.log.push(one);
    tell(venue, one);
  };
  happens(1);
  await pass(5);
  running.clock.set(3 * 86_400_000);
  happens(2);
  await pass(5);
  happens(3);
  expect(running.history.figures!.dropped).toBe(2);
  running.clock.set(-3 * 86_400_000);
  await pass(1);
  happens(4);
  await pass(10);
  expect((await running.stored()).map(({ id }) => id).sort()).toEqual([1, 2, 3, 4]);
  await running.stop();
});

test('a store that stops answering holds up the start of a feed once, not once for each instrument', async () => {
  const many = Array.from({ length: 30 }, (_, i) => testInstrument(`test:A${i}-USD`));
  let asked = 0;
  const running = await runHistory(await freshConfig(), {
    feed: new ScriptedFeed('scripted', many),
    faults: () => ({
      heardUntil: () => {
        asked += 1;
        return away();
      },
    }),
  });
  expect(asked).toBe(1);
  expect(running.history.report.state).toBe('away');
  await running.stop();
});

test('what a feed knew at its start is taken once, however often this process begins to write', async () => {
  const bar = (time: number): Candle => ({
    ...{ time, open: 100 as Ticks, high: 105 as Ticks, low: 95 as Ticks, close: 101 as Ticks },
    ...{ volume: 10 as Lots, trades: 3 },
  });
  const feed = Object.assign(new ScriptedFeed(), {
    candles: ({ interval, fromS, toS }: { interval: CandleInterval; fromS: number; toS: number }) => {
      const told: Candle[] = [];
      for (let time = fromS; time < toS; time += candleIntervals[interval])
        if (time * 1000 < START_MS) told.push(bar(time));
      return Promise.resolve(told);
    },
  });
  const running = await runHistory(await freshConfig(), {
    feed,
    leads: false,
    faults: () => ({ heardUntil: away }),
  });
  const oldest = () => running.engine.markets.get(ID)!.candles('1h').all[0];
  const before = oldest();
  running.lead();
  await running.settle(3);
  running.cease();
  running.lead();
  await running.settle(3);
  expect(oldest()).toEqual(before);
  await running.stop();
});

test('a clock that was an hour ahead does not hide what was missed later', async () => {
  const config = await freshConfig();
  const log = [trade(1, 1_000)];
  const venueAt = (nowMs: number) => Object.assign(new PastVenue(), { nowMs, log });
  const first = await runHistory(config, { feed: venueAt(START_MS) });
  await first.settle(1);
  tell(first.feed, log[0]!);
  await first.settle(3);
  first.clock.set(3_600_000);
  await first.settle(15);
  first.clock.set(-3_600_000);
  await first.settle(2);
  const stopMs = first.clock.now();
  await first.stop();
  for (let id = 2; id < 8; id++) log.push(trade(id, stopMs - START_MS + id * 1_000));
  const nowMs = stopMs + 60_000;
  const venue = venueAt(nowMs);
  const second = await runHistory(config, { feed: venue, nowMs });
  for (let i = 0; i < 10; i++) {
    venue.nowMs = second.clock.now();
    await second.settle(1);
  }
  expect((await second.stored()).map(({ id }) => id)).toEqual(log.map(({ id }) => id));
  expect(await second.store.heardUntil(series)).toBeLessThanOrEqual(second.clock.now());
  await second.stop();
});

test('many instruments that are taken over are not asked for all at once', async () => {
  const many = Array.from({ length: 300 }, (_, i) => testInstrument(`test:A${i}-USD`));
  let asked = 0;
  let most = 0;
  const running = await runHistory(await freshConfig(), {
    feed: new ScriptedFeed('scripted', many),
    leads: false,
    faults: (real) => ({
      heardUntil: async (of) => {
        asked += 1;
        most = Math.max(most, asked);
        return real.heardUntil(of).finally(() => (asked -= 1));
      },
    }),
  });
  running.lead();
  for (const { id } of many) running.feed.trade(100, 1, 1, id);
  await running.settle(60);
  expect(most).toBeLessThanOrEqual(8);
  expect(running.history.figures).toMatchObject({ waitingTrades: 0, writtenTrades: 300 });
  await running.stop();
});

test('what was heard of one scale is not told of the next', async () => {
  const running = await runHistory(await freshConfig());
  const rescale = (units: number) => {
    running.feed.emit({
      type: 'instrument',
      instrument: testInstrument(ID, { tick: { units, decimals: 2 } }),
    });
    running.feed.snapshot([20, 5], [21, 4]);
    running.feed.state('live');
  };
  await running.settle(20);
  const leftMs = running.clock.now();
  rescale(5);
  await running.settle(600);
  rescale(1);
  await running.settle(20);
  const [hole] = await running.store.holes(series, ALL);
  expect(hole!.fromMs).toBeLessThanOrEqual(leftMs);
  expect(hole!.toMs).toBeGreaterThanOrEqual(leftMs + 600_000);
  await running.stop();
});

test('another machine whose clock is a little ahead is believed', async () => {
  const config = await freshConfig();
  const first = await runHistory(config, { nowMs: START_MS + 3_000 });
  tell(first.feed, trade(1, 3_000));
  for (let i = 0; i < 60; i++) {
    first.feed.delta([100, 5 + (i % 2)], []);
    await first.settle(1);
  }
  await first.stop();
  const second = await runHistory(config, { nowMs: START_MS + 60_000 });
  await second.settle(3);
  expect(await second.store.holes(series, ALL)).toEqual([]);
  await second.stop();
});
