import { bookChecksum, DepthwireError } from '@depthwire/shared';
import type { FeedEvent } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { createSimulatorFeed, simulatorInstruments } from './index.ts';
import type { SimulatorOptions } from './index.ts';
import { START_MS, startSession, textOf } from './test-harness.ts';

async function eventsOf(options: SimulatorOptions, seconds: number): Promise<string[]> {
  const events: string[] = [];
  const session = await startSession(options, (event) => events.push(textOf(event)));
  session.advanceS(seconds);
  return events;
}

const ofInstrument = (events: string[], id: string) => events.filter((event) => event.includes(`"${id}"`));

describe('a simulator feed', () => {
  it('emits instrument, snapshot and live status of each market before it has started', async () => {
    const events: FeedEvent[] = [];
    await startSession({}, (event) => events.push(event));
    expect(events.map(({ type }) => type)).toEqual(
      simulatorInstruments.flatMap(() => ['instrument', 'book-snapshot', 'book-status']),
    );
  });

  it('emits the same events for the same seed', async () => {
    const options = { seed: 7, instruments: ['sim:BTC-USD', 'sim:EUR-USD', 'sim:ES-USD'] };
    const first = await eventsOf(options, 60);
    expect(first.length).toBeGreaterThan(1000);
    expect(await eventsOf(options, 60)).toEqual(first);
  });

  it('emits other events for another seed', async () => {
    const instruments = ['sim:BTC-USD'];
    const [one, two] = [
      await eventsOf({ seed: 1, instruments }, 5),
      await eventsOf({ seed: 2, instruments }, 5),
    ];
    expect(one.slice(1)).not.toEqual(two.slice(1));
  });

  it('does not change a market when others are left out', async () => {
    const alone = await eventsOf({ instruments: ['sim:ETH-USD'] }, 20);
    const among = await eventsOf({ instruments: ['sim:BTC-USD', 'sim:ETH-USD', 'sim:AAPL-USD'] }, 20);
    expect(ofInstrument(among, 'sim:ETH-USD')).toEqual(alone);
  });

  it('stamps events with the time of the clock', async () => {
    const times: boolean[] = [];
    const session = await startSession({ instruments: ['sim:SOL-USD'] }, (event, { clock }) => {
      if (event.type === 'book-delta' || event.type === 'trade') {
        times.push(event.receiveTimeMs === clock.now() && event.venueTimeMs === clock.now());
      }
    });
    session.advanceS(10);
    expect(times.length).toBeGreaterThan(50);
    expect(times.every(Boolean)).toBe(true);
  });

  it('gives trades ids that grow, over restarts too', async () => {
    const instruments = ['sim:BTC-USD-PERP'];
    const session = await startSession({ instruments });
    session.advanceS(60);
    const later = await startSession({ instruments }, undefined, session.clock.now());
    later.advanceS(5);
    const ids = [session, later].flatMap(({ markets }) =>
      markets.get(instruments[0]!)!.trades.map(({ id }) => Number(id)),
    );
    expect(ids.length).toBeGreaterThan(100);
    expect(ids.every((id, i) => i === 0 || id > ids[i - 1]!)).toBe(true);
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });

  it('emits nothing after it has stopped, and can stop twice', async () => {
    let events = 0;
    const session = await startSession({}, () => (events += 1));
    session.advanceS(1);
    await session.feed.stop();
    const before = events;
    session.advanceS(5);
    expect(events).toBe(before);
    expect(session.clock.nextDueMs()).toBeNull();
    await session.feed.stop();
  });

  it('stays stopped when an event makes its reader stop it', async () => {
    const session = await startSession({ instruments: ['sim:BTC-USD'] }, (event, { feed }) => {
      if (event.type === 'book-delta') void feed.stop();
    });
    session.advanceS(5);
    expect(session.clock.nextDueMs()).toBeNull();
  });

  it('continues with a sound book after the machine has slept', async () => {
    const session = await startSession({ instruments: ['sim:BTC-USD', 'sim:ZN-USD'] });
    const late = START_MS + 6 * 3600_000;
    // A sleeping machine fires a timer hours late: the clock stands at the end when the task runs.
    session.clock.now = () => late as ReturnType<typeof session.clock.now>;
    session.clock.advanceTo(START_MS + 2000);
    for (const { book } of session.markets.values()) {
      expect(book.isCrossed).toBe(false);
      expect(Math.min(book.bids.count, book.asks.count)).toBeGreaterThan(5);
    }
  });

  it('leads two readers to the same book', async () => {
    const checksums: number[][] = [];
    for (let run = 0; run < 2; run++) {
      const session = await startSession({ seed: 'two readers' });
      session.advanceS(3);
      checksums.push([...session.markets.values()].map(({ book }) => bookChecksum(book)));
    }
    expect(checksums[0]).toEqual(checksums[1]);
  });
});

describe('simulator options', () => {
  const cases: [string, SimulatorOptions, string][] = [
    ['an unknown key', { speed: 2 } as SimulatorOptions, 'speed'],
    ['an empty seed', { seed: '' }, 'seed'],
    ['a fractional seed', { seed: 0.5 }, 'seed'],
    ['a rate of zero', { rate: 0 }, 'rate'],
    ['a rate that is no number', { rate: Number.NaN }, 'rate'],
    ['a negative number of days', { historyDays: -1 }, 'historyDays'],
    ['an unknown instrument', { instruments: ['sim:NOPE-USD'] }, 'instruments'],
    ['no instruments', { instruments: [] }, 'instruments'],
  ];
  it.each(cases)('refuses %s, naming the key', (_, options, key) => {
    const create = () => createSimulatorFeed(options);
    expect(create).toThrow(DepthwireError);
    expect(create).toThrow(expect.objectContaining({ code: 'invalid_config', details: { key } }));
    expect(create).toThrow(`"${key}"`);
  });

  it('multiplies activity by the rate', async () => {
    const id = 'sim:EUR-USD';
    const updates: number[] = [];
    for (const rate of [0.5, 4]) {
      const session = await startSession({ rate, instruments: [id] });
      session.advanceS(120);
      updates.push(session.market(id).updates);
    }
    expect(updates[1]! / updates[0]!).toBeGreaterThan(4);
  });
});
