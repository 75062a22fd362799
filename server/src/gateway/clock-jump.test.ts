import { every, frameCodes, type BookState, type Clock } from '@depthwire/shared';
import { VirtualClock } from '@depthwire/feeds';
import { describe, expect, test } from 'vitest';
import { WanderingClient } from '../../test/clients.ts';
import { JumpingClock } from '../../test/jumping-clock.ts';
import { ScriptedFeed, silentLog, START_MS } from '../../test/markets.ts';
import { createMemoryBus } from '../bus/bus.ts';
import { Engine } from '../engine/engine.ts';
import { Hub } from './hub.ts';
import { RequestRate } from './request-rate.ts';

const HOUR_MS = 3_600_000;
const instrument = 'test:AAA-USD';

/** A market that changes every 30 ms, whatever its clock says. */
async function startMarket() {
  const steadyClock = new VirtualClock(START_MS);
  const clock = new JumpingClock(steadyClock);
  const bus = createMemoryBus();
  const engine = new Engine({ clock, steadyClock, bus, log: silentLog });
  const hub = new Hub({ clock, steadyClock, bus, markets: engine.markets, checksumIntervalMs: 1_000 });
  const feed = new ScriptedFeed();
  await engine.addFeed(feed);
  feed.snapshot([100, 5], [101, 5]);
  feed.state('live');
  let updates = 0;
  every(steadyClock, 30, () => feed.delta([99 - (updates % 40), (updates += 1)], [101, updates]));
  const pass = (ms: number) => steadyClock.advanceTo(steadyClock.now() + ms);
  return { clock, steadyClock, engine, hub, feed, pass, market: engine.markets.get(instrument)! };
}

const jumps = [HOUR_MS, -HOUR_MS, 90, -90, 4_000, -4_000, HOUR_MS, HOUR_MS, -2 * HOUR_MS];

describe('a clock that is set while the server runs', () => {
  test('stops no cadence, makes no book wrong or stale, and ends no session', async () => {
    const { clock, steadyClock, hub, pass, market } = await startMarket();
    const client = new WanderingClient(
      hub,
      clock,
      { clock: steadyClock },
      { steadyClock, heartbeatMs: 5_000 },
    );
    const cadences = [0, 100, 250, 1_000];
    const books = cadences.map((cadenceMs) => client.client.book(instrument, { depth: 0, cadenceMs }));
    const states: BookState[] = [];
    const errors: unknown[] = [];
    for (const book of books) {
      book.on('state', () => states.push(book.state));
      book.on('error', (error) => errors.push(error));
    }
    client.client.on('error', (error) => errors.push(error));
    for (const jump of jumps) {
      pass(1_500);
      clock.set(jump);
      const taken = books.map(({ replica }) => replica.seq);
      const verified = books.map(({ replica }) => replica.verified);
      for (const [i, book] of books.entries()) {
        // Each has a frame within two of its periods, and goes on at its pace.
        pass(Math.max(60, 2 * cadences[i]!));
        expect(book.replica.seq, `cadence ${cadences[i]} after ${jump} ms`).toBeGreaterThan(taken[i]!);
      }
      pass(2_000);
      for (const [i, book] of books.entries()) {
        const frames = book.replica.seq - taken[i]!;
        const mostMs = 2 * cadences.reduce((sum, each) => sum + each, 60) + 2_000;
        if (cadences[i]! >= 100) expect(frames).toBeLessThanOrEqual(mostMs / cadences[i]! + 3);
        expect(frames).toBeGreaterThanOrEqual(2_000 / Math.max(30, cadences[i]!) - 2);
        expect(book.replica.verified).toBeGreaterThan(verified[i]!);
        expect(book.state).toBe('live');
      }
      expect(books[0]!.book.sequence).toBe(market.book.sequence);
      expect(books[0]!.book.bids.toFlat()).toEqual(market.book.bids.toFlat());
    }
    expect(states).toEqual([]);
    expect(errors).toEqual([]);
    expect(client.closeCode).toBeNull();
    hub.close();
  });

  test('does not hide silence, and is none', async () => {
    const { clock, pass, feed, market } = await startMarket();
    const { staleAfterMs } = market.instrument;
    feed.delta = () => undefined; // nothing comes any more
    pass(staleAfterMs / 2);
    clock.set(HOUR_MS);
    pass(1_500);
    expect(market.state).toBe('live');
    pass(staleAfterMs / 2 + 1_000);
    expect(market.state).toBe('stale');
  });

  test('lets a client that was lost come back for half a minute, not for an hour', async () => {
    for (const jump of [HOUR_MS, -HOUR_MS]) {
      const { clock, steadyClock, hub, pass } = await startMarket();
      const client = new WanderingClient(hub, clock, { clock: steadyClock }, { steadyClock });
      client.client.book(instrument, { depth: 5, cadenceMs: 100 });
      client.leave();
      clock.set(jump);
      pass(20_000);
      expect(hub.census().lingering).toBe(1);
      pass(11_000);
      expect(hub.census().lingering).toBe(0);
    }
  });

  test('keeps nobody from asking', () => {
    const rate = new RequestRate(10, 5);
    for (let i = 0; i < 5; i++) expect(rate.take(HOUR_MS)).toBe(true);
    expect(rate.take(HOUR_MS)).toBe(false);
    expect(rate.take(0)).toBe(false);
    expect(rate.take(200)).toBe(true);
  });
});

describe('a period', () => {
  test.each(jumps)('goes on after a clock was set by %i ms, by whole multiples of its time then', (jump) => {
    const steady = new VirtualClock(START_MS + 30);
    const clock = new JumpingClock(steady);
    const ticks: [passed: number, at: number][] = [];
    every(clock, 100, () => ticks.push([steady.now() - START_MS, clock.now()]));
    steady.advanceTo(START_MS + 1_030);
    expect(ticks).toHaveLength(10);
    clock.set(jump);
    steady.advanceTo(START_MS + 2_000);
    expect(ticks.length).toBeGreaterThanOrEqual(18);
    expect(ticks.length).toBeLessThanOrEqual(21);
    for (const [i, [passed]] of ticks.entries())
      if (i > 0) expect(passed - ticks[i - 1]![0]).toBeLessThan(201);
    for (const [, at] of ticks.slice(12)) expect(at % 100).toBe(0);
  });
});

test('frames of a channel go on as deltas when the clock is set', async () => {
  const { clock, steadyClock, hub, pass } = await startMarket();
  const client = new WanderingClient(hub, clock, { clock: steadyClock as Clock }, { steadyClock });
  client.client.book(instrument, { depth: 5, cadenceMs: 100 });
  for (const jump of jumps) {
    pass(500);
    clock.set(jump);
  }
  pass(500);
  const codes = client.received.map(([code]) => code);
  expect(new Set(codes.slice(1))).toEqual(new Set([frameCodes.bookDelta]));
});
