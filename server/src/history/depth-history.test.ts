import { VirtualClock } from '@depthwire/feeds';
import { DEPTH_PERIOD_MS, depthColumn, type DepthColumn } from '@depthwire/shared/depth';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMemoryBus } from '../bus/bus.ts';
import { Engine } from '../engine/engine.ts';
import { ScriptedFeed, silentLog, START_MS, testInstrument } from '../../test/markets.ts';
import { DepthHistory, type DepthHistoryLimits } from './depth-history.ts';
import type { DepthSeries } from './depth-series.ts';

const HOUR_MS = 3_600_000;
const idOf = (index: number) => `test:A${index}-USD`;
const instrumentsOf = (count: number) => Array.from({ length: count }, (_, i) => testInstrument(idOf(i)));

async function start(limits: Partial<DepthHistoryLimits> = {}, instruments = instrumentsOf(1)) {
  const clock = new VirtualClock(START_MS);
  const bus = createMemoryBus();
  const engine = new Engine({ clock, bus, log: silentLog });
  const history = new DepthHistory({
    clock,
    bus,
    markets: engine.markets,
    limits: { depthMinutes: 60, maxInstruments: 100, maxBytes: 100_000_000, ...limits },
  });
  onTestFinished(async () => {
    history.close();
    await engine.stop();
  });
  const feed = new ScriptedFeed('scripted', instruments);
  await engine.addFeed(feed);
  for (const { id } of instruments) {
    feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6], id);
    feed.state('live', null, id);
  }
  const advance = (periods: number) => clock.advanceTo(clock.now() + periods * DEPTH_PERIOD_MS);
  /** With an update a second in each book, so that none falls silent. */
  const live = (periods: number) => {
    for (let i = 0; i < periods; i++) {
      for (const { id } of instruments) feed.delta([99, 7 + (i % 5)], [], id);
      advance(1);
    }
  };
  return { clock, engine, history, feed, advance, live };
}

function columnsOf(series: DepthSeries): DepthColumn[] {
  const all = { isForward: false, from: 0, before: Infinity, limit: Infinity };
  return series.select(all).parts.flatMap(({ stretch, from, to }) => [...stretch.columns(from, to)]);
}
const secondsOf = (series: DepthSeries) => columnsOf(series).map(({ time }) => (time - START_MS) / 1_000);

describe('a recording', () => {
  test('has the book at the end of each second, and what was traded in it', async () => {
    const { history, feed, engine, advance } = await start();
    feed.trade(101, 3, 1);
    feed.delta([100, 50], []);
    feed.delta([100, 0], []); // what comes and goes within a second is not seen
    advance(1);
    const first = depthColumn(START_MS, engine.markets.get(idOf(0))!.book, 1, {
      low: 101,
      high: 101,
      last: 101,
      bought: 3,
      sold: 0,
    } as DepthColumn['traded']);
    feed.delta([100, 2], [101, 0]);
    advance(2);
    const series = history.ask(idOf(0))!.series;
    expect(columnsOf(series)).toEqual([
      first,
      {
        time: START_MS + 1_000,
        step: 1,
        bid: 100,
        ask: 102,
        bids: Float64Array.of(2, 7),
        asks: Float64Array.of(6),
        traded: null,
      },
      // silent, but live
      expect.objectContaining({ time: START_MS + 2_000, bids: Float64Array.of(2, 7) }),
    ]);
    expect(first).toMatchObject({ bid: 99, ask: 101, asks: Float64Array.of(4, 6) });
  });

  test('has a hole where the book was not live, and no trades of it', async () => {
    const { history, feed, advance, live } = await start();
    live(2);
    feed.state('recovering', 'gap');
    feed.trade(100, 1, 1);
    advance(3);
    feed.snapshot([100, 5], [101, 4]);
    feed.state('live');
    live(2);
    advance(20); // silent for longer than the 10 s that the instrument allows
    const { series } = history.ask(idOf(0))!;
    // the newest update came at 6 s
    expect(secondsOf(series)).toEqual([0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(columnsOf(series).every(({ traded }) => traded === null)).toBe(true);
  });

  test('has none of the old scale after a change of tick size', async () => {
    const { history, feed, advance, live } = await start();
    live(3);
    const before = history.ask(idOf(0))!;
    feed.emit({
      type: 'instrument',
      instrument: testInstrument(idOf(0), { tick: { units: 5, decimals: 2 } }),
    });
    expect(history.figures).toMatchObject({ instruments: 1, columns: 0, bytes: 0 });
    feed.snapshot([20, 5], [21, 4]);
    feed.state('live');
    advance(2);
    const after = history.ask(idOf(0))!;
    expect(after.run).not.toBe(before.run);
    expect(secondsOf(after.series)).toEqual([3, 4]);
    expect(columnsOf(after.series)[0]).toMatchObject({ ask: 21 });
  });

  test('goes on in a coarser step where the book has outgrown the one so far, at a whole minute', async () => {
    const { history, feed, live } = await start();
    live(50);
    feed.snapshot([1_000_000, 5, 500_000, 1], [1_000_010, 5, 1_500_000, 1]);
    live(70);
    const steps = columnsOf(history.ask(idOf(0))!.series).map(({ time, step }) => [time % 60_000, step]);
    const changed = steps.findIndex(([, step]) => step !== 1);
    expect(steps[changed]).toEqual([59_000, 50]); // that of the book at the end of the minute
    expect(steps.slice(changed).every(([, step]) => step === 50)).toBe(true);
  });

  test('is the same at whatever speed a clock moves', async () => {
    const play = async (pieces: number) => {
      const { history, feed, clock } = await start();
      for (let i = 0; i < 20; i++) {
        feed.delta([99, i + 1], []);
        if (i % 3 === 0) feed.trade(101, i + 1, i);
        for (let piece = 0; piece < pieces; piece++) clock.advanceTo(clock.now() + 700 / pieces);
      }
      return columnsOf(history.ask(idOf(0))!.series);
    };
    const whole = await play(1);
    expect(whole.length).toBe(14);
    expect(await play(7)).toEqual(whole);
  });

  test('keeps the last hour, packed', async () => {
    const { history, live } = await start();
    live(3_600 + 700);
    const { series } = history.ask(idOf(0))!;
    const times = secondsOf(series);
    expect(times.at(-1)).toBe(4_299);
    expect(times.length).toBeGreaterThanOrEqual(3_600);
    expect(times.length).toBeLessThan(3_600 + 240);
    expect(history.figures.columns).toBe(times.length);
    expect(new Set(times).size).toBe(times.length);
    expect(history.figures.bytes / times.length).toBeLessThan(20);
    expect(4_300 - times[0]!).toBeLessThan(HOUR_MS / 1_000 + 240);
  });
});

describe('where not all fit', () => {
  test('the first are recorded, and who is asked for takes the place of who was asked for longest ago', async () => {
    const { history, live } = await start({ maxInstruments: 2 }, instrumentsOf(4));
    live(3);
    expect(history.figures).toMatchObject({ instruments: 2, columns: 6 });
    expect(history.ask(idOf(0))!.series.count).toBe(3);
    expect(history.ask(idOf(2))!.series.count).toBe(0); // in the place of 1
    live(2);
    expect(history.ask(idOf(0))!.series.count).toBe(5);
    expect(history.ask(idOf(2))!.series.count).toBe(2);
    expect(history.ask(idOf(3))!.series.count).toBe(0); // in the place of 0
    expect(history.figures).toMatchObject({ instruments: 2, columns: 2 });
    expect(history.ask(idOf(0))!.series.count).toBe(0);
  });

  test('the oldest columns of those that nobody asked for go first', async () => {
    const { history, live } = await start({ maxBytes: 40_000 }, instrumentsOf(3));
    live(10);
    history.ask(idOf(1));
    let most = 0;
    for (let i = 0; i < 40; i++) {
      live(100);
      most = Math.max(most, history.figures.bytes);
    }
    expect(most).toBeLessThanOrEqual(40_000);
    const counts = [1, 0, 2].map((index) => history.ask(idOf(index))!.series.count);
    expect(counts[0]).toBeGreaterThanOrEqual(3_600);
    expect(counts[1]).toBeLessThan(2_000);
    expect(counts[2]).toBeLessThan(2_000);
    expect(history.figures.columns).toBe(counts.reduce((sum, count) => sum + count));
  });

  test('an instrument that is gone is forgotten, and none is recorded where none shall be', async () => {
    const { history, engine, live } = await start({ depthMinutes: 0 });
    live(3);
    expect(engine.markets.size).toBe(1);
    expect(history.ask(idOf(0))).toBeNull();
    expect(history.figures).toEqual({ instruments: 0, columns: 0, bytes: 0 });
    const other = await start();
    const markets = new Map(other.engine.markets);
    const history2 = new DepthHistory({
      clock: other.clock,
      bus: createMemoryBus(),
      markets,
      limits: { depthMinutes: 60, maxInstruments: 100, maxBytes: 100_000_000 },
    });
    onTestFinished(() => history2.close());
    other.live(3);
    expect(history2.figures).toMatchObject({ instruments: 1, columns: 3 });
    expect(history2.ask('test:NONE-USD')).toBeNull();
    markets.clear();
    other.advance(1);
    expect(history2.figures).toEqual({ instruments: 0, columns: 0, bytes: 0 });
  });
});
