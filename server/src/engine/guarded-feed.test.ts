import type { Feed, FeedContext } from '@depthwire/feeds';
import { DepthwireError, type Candle, type EpochMs } from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import { ScriptedFeed, silentLog, START_MS, startMarket, testInstrument } from '../../test/markets.ts';
import type { FeedSource } from './feed-source.ts';
import { FeedSupervisor } from './feed-supervisor.ts';
import type { GuardedFeed } from './guarded-feed.ts';

const BAD = 'bad:BBB-USD';

/** A feed that is all right, but for what a test makes of it. */
class BadFeed extends ScriptedFeed {
  context: FeedContext | null = null;
  stops = 0;

  constructor() {
    super('bad', [testInstrument(BAD)]);
  }

  override async start(context: FeedContext): Promise<void> {
    this.context = context;
    await super.start(context);
    this.snapshot([100, 5], [101, 4]);
    this.state('live');
  }

  override stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }
}

/** The bad feed beside a good one whose book is live; each start gets a fresh one, misbehaving or not. */
async function beside(
  misbehave: (feed: BadFeed, count: number) => void = () => {},
  changes: Partial<FeedSource> = {},
) {
  const good = new ScriptedFeed('good', [testInstrument('test:AAA-USD', { staleAfterMs: 600_000 })]);
  const { engine, clock, events, past, candles } = await startMarket(
    new ScriptedFeed('first', [testInstrument('first:A-B')]),
  );
  const made: BadFeed[] = [];
  const source: FeedSource = {
    id: 'bad',
    create() {
      const feed = new BadFeed();
      made.push(feed);
      misbehave(feed, made.length);
      return feed;
    },
    isPluggedIn: true,
    ...changes,
  };
  const supervisor = new FeedSupervisor({ engine, clock, log: silentLog });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advanceTo(clock.now() + Math.min(1_000, left));
      await settle();
    }
  };
  const started = supervisor.start([good, source]);
  await settle();
  good.snapshot([100, 5], [101, 4]);
  good.state('live');
  const status = (id = 'bad') => [...supervisor.statuses].find(([feed]) => feed.id === id)![1];
  const book = () => engine.markets.get(BAD)!;
  /** The other feed goes on as if nothing had happened. */
  const expectOtherUndisturbed = () => {
    expect(status('good')).toMatchObject({ state: 'running', error: null });
    good.delta([100, 6], []);
    const theirs = engine.markets.get('test:AAA-USD')!;
    expect(theirs.state).toBe('live');
    expect(theirs.book.bids.lotsAtPrice(100)).toBe(6);
    const states = events.filter(
      (event) =>
        event.type === 'book-state' && event.instrument === 'test:AAA-USD' && event.state !== 'syncing',
    );
    expect(states.map((event) => event.type === 'book-state' && event.state)).toEqual(['live']);
  };
  const expectFailure = (code: string, message: string | RegExp) => {
    expect(status()).toMatchObject({
      state: 'failed',
      error: { code, message: typeof message === 'string' ? message : expect.stringMatching(message) },
    });
    expectOtherUndisturbed();
  };
  return {
    engine,
    candles,
    past,
    clock,
    supervisor,
    started,
    made,
    advance,
    settle,
    status,
    book,
    expectFailure,
    expectOtherUndisturbed,
  };
}

const bookOf = (instrument: string) => ({
  ...{ type: 'book-snapshot', instrument, venueTimeMs: null, receiveTimeMs: START_MS },
  ...{ bids: [1, 1], asks: [] },
});

/** An error that makes trouble where it is looked at. */
function evilError(changes: PropertyDescriptorMap): DepthwireError {
  return Object.defineProperties(new DepthwireError('venue_http', 'away'), changes);
}
const gotcha = {
  get(): never {
    throw new Error('gotcha');
  },
};

const rejecting = (value: unknown) => (feed: BadFeed) => {
  feed.start = () => Promise.reject(value as Error);
};

describe('a feed that throws', () => {
  test.each<[name: string, misbehave: (feed: BadFeed) => void, code: string, message: string]>([
    [
      'at once, in its start',
      (feed) => {
        feed.start = () => {
          throw new TypeError('no such thing');
        };
      },
      'feed_failed',
      'TypeError: no such thing',
    ],
    ['later, in its start', rejecting(new Error('later')), 'feed_failed', 'Error: later'],
    ['a typed error', rejecting(new DepthwireError('venue_rejected', 'banned')), 'venue_rejected', 'banned'],
    [
      'a code of its own',
      rejecting(new DepthwireError('my_code' as never, 'the venue said no')),
      'feed_failed',
      'my_code: the venue said no',
    ],
    ['a code that is none', rejecting(evilError({ code: { value: 10n } })), 'feed_failed', 'away'],
    [
      'a code that throws',
      rejecting(evilError({ code: gotcha })),
      'feed_failed',
      'it threw what cannot be shown',
    ],
    [
      'a message that throws',
      rejecting(evilError({ message: gotcha })),
      'feed_failed',
      'it threw what cannot be shown',
    ],
    [
      'details that throw',
      rejecting(evilError({ details: gotcha })),
      'feed_failed',
      'it threw what cannot be shown',
    ],
    ['null', rejecting(null), 'feed_failed', 'it threw null'],
    ['a text', rejecting('text'), 'feed_failed', 'it threw text'],
    ['what cannot be shown', rejecting(Object.create(null)), 'feed_failed', 'it threw what cannot be shown'],
  ])('%s, has failed, and is tried again', async (_name, misbehave, code, message) => {
    const { expectFailure, status, made, advance } = await beside((feed, count) => {
      if (count === 1) misbehave(feed);
    });
    expectFailure(code, message);
    expect(status().retryAtMs).toBe(START_MS + 2_000);
    expect(made[0]!.stops).toBe(1);
    await advance(2_000);
    expect(made).toHaveLength(2);
    expect(status()).toMatchObject({ state: 'running', error: null });
  });

  test('while it is made', async () => {
    const { expectFailure } = await beside(() => {
      throw new Error('in the factory');
    });
    expectFailure('feed_failed', 'Error: in the factory');
  });

  test.each<[name: string, task: () => unknown]>([
    [
      'in a timer',
      () => {
        throw new Error('tick');
      },
    ],
    ['in an async timer', () => Promise.reject(new Error('tick'))],
  ])('%s: its books tell why, and take nothing but a fresh snapshot', async (_name, task) => {
    const { expectFailure, made, advance, book, status } = await beside();
    const { clock } = made[0]!.context!;
    clock.at(clock.now() + 500, task as () => void);
    expect(book().state).toBe('live');
    await advance(500);
    expectFailure('feed_failed', 'Error: tick');
    expect(book()).toMatchObject({ state: 'recovering', reason: 'feed bad failed: Error: tick' });

    await advance(2_000);
    expect(status().state).toBe('running');
    expect(book()).toMatchObject({ state: 'live', reason: null });
    expect(made[1]).not.toBe(made[0]);
  });

  test('a fresh feed that begins with a delta does not bring the old book to life', async () => {
    const { made, advance, book } = await beside((feed, count) => {
      if (count === 1) return;
      feed.start = async (context) => {
        await ScriptedFeed.prototype.start.call(feed, context);
        feed.state('live');
        feed.delta([99, 1], []);
      };
    });
    made[0]!.context!.fail(new Error('gone'));
    await advance(2_000);
    expect(book()).toMatchObject({ state: 'recovering', reason: expect.stringContaining('gone') });
  });

  test('what it says after its failure is not heard, and its loops end', async () => {
    const { made, settle, book, expectOtherUndisturbed } = await beside();
    made[0]!.context!.fail(new Error('gone'));
    await settle();
    expect(() => made[0]!.snapshot([1, 1], [2, 2])).toThrow('gone');
    expect(book().state).toBe('recovering');
    expect(book().book.bids.lotsAtPrice(100)).toBe(5);
    expectOtherUndisturbed();
  });

  test('fails later each time, and begins anew after it was stable', async () => {
    const { made, advance, status, clock } = await beside();
    const fail = () => made.at(-1)!.context!.fail(new Error('gone'));
    for (const waitMs of [2_000, 4_000, 8_000]) {
      fail();
      expect(status().retryAtMs).toBe(clock.now() + waitMs);
      await advance(waitMs);
      expect(status().state).toBe('running');
    }
    await advance(300_000);
    fail();
    expect(status().retryAtMs).toBe(clock.now() + 2_000);
  });

  test('tells that an instrument is gone which it does not bring again', async () => {
    const { made, advance, book } = await beside((feed, count) => {
      if (count > 1) feed.start = () => Promise.resolve();
    });
    made[0]!.context!.fail(new Error('gone'));
    await advance(2_000);
    expect(book()).toMatchObject({ state: 'stale', reason: 'feed bad does not bring it any more' });
  });

  test('and was handed over by itself is not used again', async () => {
    const { engine, clock } = await startMarket();
    const supervisor = new FeedSupervisor({ engine, clock, log: silentLog });
    const feed = new BadFeed();
    await supervisor.start([feed]);
    feed.context!.fail(new DepthwireError('venue_http', 'away'));
    const [[, status]] = [...supervisor.statuses] as [[Feed, unknown]];
    expect(status).toMatchObject({ state: 'failed', error: { code: 'venue_http' }, retryAtMs: null });
  });
});

describe('a feed that hangs', () => {
  test('in its start has failed after a minute', async () => {
    const { advance, expectFailure, expectOtherUndisturbed, status } = await beside((feed, count) => {
      if (count === 1) feed.start = () => new Promise(() => {});
    });
    await advance(59_000);
    expect(status().state).toBe('starting');
    expectOtherUndisturbed();
    await advance(1_000);
    expectFailure('feed_timeout', 'start took longer than 60 s');
    await advance(2_000);
    expect(status().state).toBe('running');
  });

  test('in its stop is begun anew all the same, and keeps no server from its end', async () => {
    const { engine, supervisor, made, advance, status } = await beside((feed) => {
      feed.stop = () => new Promise(() => {});
    });
    made[0]!.context!.fail(new Error('gone'));
    await advance(2_000);
    expect(made).toHaveLength(1); // the old one may still take its five seconds
    await advance(3_000);
    expect(made).toHaveLength(2);
    expect(status().state).toBe('running');
    supervisor.stop();
    const stopped = engine.stop();
    await advance(5_000);
    await stopped;
  });

  test('when asked for candles has failed, and the question is answered without it', async () => {
    const { candles, made, advance, expectFailure } = await beside();
    Object.assign(made[0]!, { candles: () => new Promise(() => {}) });
    const answer = candles(BAD, '1m', 10);
    await advance(0); // until it is asked
    await advance(30_000);
    expect(await answer).toEqual([]);
    expectFailure('feed_timeout', 'candles took longer than 30 s');
  });
});

describe('a feed that floods', () => {
  const flood = (feed: BadFeed) => {
    feed.start = async (context) => {
      await BadFeed.prototype.start.call(feed, context);
      for (;;) feed.delta([100, 5], []);
    };
  };

  test('is stopped in the middle of its endless loop', async () => {
    const { engine, expectFailure, book } = await beside((feed, count) => count === 1 && flood(feed), {
      maxEventsPerSecond: 1_000,
    });
    expectFailure('feed_flooded', 'over 1000 events within a second');
    expect(book().state).toBe('recovering');
    expect([...engine.feeds.values()].at(-1)!.events).toBeLessThanOrEqual(1_000);
  });

  test('with few events of very many levels, too', async () => {
    const levels = Array.from({ length: 60_000 }, (_, i) => (i % 2 === 0 ? 100 - i / 2 : 1));
    const { made, expectFailure } = await beside(undefined, { maxEventsPerSecond: 1_000 });
    expect(() => made[0]!.delta(levels, [])).toThrow('20000 levels');
    expectFailure('feed_flooded', /within a second/);
  });

  test('with changes of tick, each of which begins a book anew', async () => {
    const { made, engine, status, expectFailure, advance } = await beside();
    const tell = (decimals: number) =>
      made[0]!.context!.emit({
        type: 'instrument',
        instrument: testInstrument(BAD, { tick: { units: 1, decimals } }),
      });
    const change = (times: number) => {
      for (let i = 0; i < times; i++) tell(i % 2 === 0 ? 5 : 6);
    };
    change(20);
    for (let i = 0; i < 100; i++) tell(6); // the same again is no change
    await advance(11_000);
    change(20);
    expect(status().state).toBe('running');
    expect(() => change(10)).toThrow('changes of tick or lot');
    expectFailure('feed_flooded', 'over 20 changes of tick or lot within 10 s');
    expect(engine.markets.get(BAD)!.state).toBe('recovering');
  });

  test('is one by the market clock: as many events in more time are none', async () => {
    const { made, advance, status } = await beside(undefined, { maxEventsPerSecond: 1_000 });
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 900; i++) made[0]!.delta([100, 5 + (i % 2)], []);
      await advance(1_000);
    }
    expect(status().state).toBe('running');
  });
});

describe('a feed that sends what cannot be accepted', () => {
  test.each<[name: string, event: unknown]>([
    ['nothing', null],
    ['a text', 'snapshot'],
    ['an unknown type', { type: 'gossip', instrument: BAD }],
    ['no levels', { type: 'book-delta', instrument: BAD, venueTimeMs: null, receiveTimeMs: START_MS }],
    ['no time', { type: 'book-delta', instrument: BAD, bids: [], asks: [] }],
    [
      'half a level',
      {
        type: 'book-delta',
        instrument: BAD,
        venueTimeMs: null,
        receiveTimeMs: START_MS,
        bids: [1],
        asks: [],
      },
    ],
    [
      'an instrument without scales',
      { type: 'instrument', instrument: { ...testInstrument('bad:CCC-USD'), tick: null } },
    ],
    ['a nameless instrument', { type: 'instrument', instrument: {} }],
    [
      'a state with an object for its reason',
      { type: 'book-status', instrument: BAD, timeMs: START_MS, state: 'stale', reason: {} },
    ],
    [
      'a trade of NaN',
      {
        type: 'trade',
        instrument: BAD,
        venueTimeMs: null,
        receiveTimeMs: START_MS,
        id: 1,
        price: Number.NaN,
        size: 1,
        side: 'buy',
      },
    ],
    ["another feed's book", bookOf('test:AAA-USD')],
  ])('%s: may do so fifty times in ten seconds', async (_name, event) => {
    const { made, expectFailure, advance, status } = await beside();
    const send = (times: number) => {
      for (let i = 0; i < times; i++) made[0]!.context!.emit(event as never);
    };
    send(50);
    expect(status().state).toBe('running');
    await advance(11_000);
    send(50);
    expect(status().state).toBe('running');
    expect(() => send(1)).toThrow();
    expectFailure('feed_malformed', /^51 events refused within 10 s, lastly: ./);
  });

  test('of an instrument that another feed has: is told to mend it, and goes on', async () => {
    const { made, engine, status, supervisor, expectOtherUndisturbed } = await beside();
    const { emit } = made[0]!.context!;
    for (let i = 0; i < 200; i++) {
      emit({ type: 'instrument', instrument: testInstrument('test:AAA-USD') });
      emit(bookOf('test:AAA-USD') as never);
    }
    expect(status().state).toBe('running');
    const bad = [...supervisor.statuses.keys()].find(({ id }) => id === 'bad')!;
    expect(engine.conflictsOf(bad)).toEqual(['test:AAA-USD is brought by feed good already']);
    expect(engine.feeds.get(bad)).toMatchObject({ refused: 400 });
    expectOtherUndisturbed();
  });

  test('an object that fails its feed while it is read does not bring its book back', async () => {
    const { made, book, expectFailure } = await beside();
    const { context } = made[0]!;
    const event = {
      ...{ type: 'book-status', instrument: BAD, timeMs: START_MS, reason: null },
      get state() {
        context!.fail(new Error('gone'));
        return 'live';
      },
    };
    expect(() => context!.emit(event as never)).toThrow('gone');
    expect(book().state).toBe('recovering');
    expectFailure('feed_failed', 'Error: gone');
  });

  test('again as soon as it is asked to resync, without end', async () => {
    const { made, expectFailure } = await beside();
    const [feed] = made;
    feed!.resync = () => feed!.delta([100], []);
    expect(() => feed!.delta([100], [])).toThrow();
    expectFailure('feed_malformed', /51 events refused/);
  });

  test('has its instruments told without what else it put there', async () => {
    const { made, engine } = await beside();
    const instrument = { ...testInstrument('bad:CCC-USD'), secret: 1n, toJSON: 'no' };
    made[0]!.context!.emit({ type: 'instrument', instrument });
    expect(engine.markets.get('bad:CCC-USD')!.instrument).toEqual(testInstrument('bad:CCC-USD'));
  });
});

describe('a feed that lies about what it can', () => {
  test('throws when asked to resync', async () => {
    const { made, expectFailure } = await beside();
    made[0]!.resync = () => {
      throw new Error('cannot');
    };
    expect(() => made[0]!.delta([100], [])).toThrow('cannot');
    expectFailure('feed_failed', 'Error: cannot');
  });

  const time = START_MS / 1000 - ((START_MS / 1000) % 60) - 60;
  const candle = { time, open: 1, high: 2, low: 1, close: 2, volume: 3, trades: 1 } as Candle;
  test.each<[name: string, candles: unknown, message: RegExp]>([
    ['none', undefined, /expected an array/],
    ['nothing in the list', [null], /candle 0: expected an object/],
    ['no numbers', [{ ...candle, open: Number.NaN }], /candle 0: expected whole ticks/],
    ['another order', [candle, { ...candle, time: time - 60 }], /candle 1: not in order/],
    ['another time', [{ ...candle, time: time + 6_000 }], /candle 0: .* is not from/],
    ['a time between', [{ ...candle, time: time + 7 }], /candle 0: time: .* multiple of 60/],
    ['a low above the high', [{ ...candle, low: 5 as Candle['low'] }], /low, high/],
    ['more than there can be', Array.from({ length: 50 }, () => candle), /can't be so many/],
  ])('its candles are rubbish: %s', async (_name, told, message) => {
    const { candles, made, expectFailure } = await beside();
    Object.assign(made[0]!, { candles: () => Promise.resolve(told) });
    expect(await candles(BAD, '1m', 10)).toEqual([]);
    expectFailure('feed_dishonest', message);
  });

  test('its candles are right: they are told', async () => {
    const { candles, made, status } = await beside();
    Object.assign(made[0]!, { candles: () => Promise.resolve([candle]) });
    expect(await candles(BAD, '1m', 10)).toEqual([candle]);
    expect(status().state).toBe('running');
  });

  test.each([
    ['has none', undefined, {}, false],
    ['says when they begin', [], { candlesFromS: () => time }, false],
    ['says that there are earlier ones', [], { candlesFromS: () => time - 60 }, true],
    ['does not say', [], {}, true],
    ['says it in rubbish', [], { candlesFromS: () => Number.NaN }, true],
  ])('whether there may be older candles, where it %s', async (_name, told, more, isPossible) => {
    const { past, made, status } = await beside();
    Object.assign(made[0]!, told && { candles: () => Promise.resolve(told) }, more);
    expect(await past.mayHaveBefore(BAD, '1m', time)).toBe(isPossible);
    expect(status().state).toBe('running');
  });

  test('a typed error instead of candles is no lie', async () => {
    const { candles, made, status } = await beside();
    Object.assign(made[0]!, { candles: () => Promise.reject(new DepthwireError('venue_http', 'busy')) });
    expect(await candles(BAD, '1m', 10)).toEqual([]);
    expect(status().state).toBe('running');
  });

  const asked = { instrument: BAD, fromMs: time * 1000, toMs: time * 1000 + 5_000 };
  const trade = { id: 7, price: 100, size: 2, side: 'buy', timeMs: asked.fromMs + 1 };
  const whole = { trades: [trade], fromMs: asked.fromMs, toMs: asked.toMs, isWhole: true };
  const guardOf = (supervisor: FeedSupervisor) =>
    [...supervisor.statuses.keys()].find(({ id }) => id === 'bad') as GuardedFeed;
  test.each<[name: string, trades: unknown, message: RegExp]>([
    ['none', undefined, /expected trades, fromMs, toMs and isWhole/],
    ['no list', { ...whole, trades: 7 }, /expected an array/],
    ['nothing in the list', { ...whole, trades: [null] }, /trade 0: expected an object/],
    ['half a tick', { ...whole, trades: [{ ...trade, price: 0.5 }] }, /trade 0: trade: price/],
    ['no size', { ...whole, trades: [{ ...trade, size: 0 }] }, /trade 0: trade: size/],
    ['no side', { ...whole, trades: [{ ...trade, side: 'bid' }] }, /trade 0: trade: side/],
    ['another time', { ...whole, trades: [{ ...trade, timeMs: asked.toMs }] }, /trade 0: .* is not from/],
    ['one twice', { ...whole, trades: [trade, trade] }, /trade 1: 7 is told twice/],
    [
      'another order',
      { ...whole, trades: [trade, { ...trade, id: 8, timeMs: asked.fromMs }] },
      /trade 1: not in order/,
    ],
    ['a stretch that was not asked for', { ...whole, toMs: asked.toMs + 1 }, /expected a stretch within/],
    ['a part as the whole', { ...whole, fromMs: asked.fromMs + 1 }, /isWhole/],
  ])('its trades are rubbish: %s', async (_name, trades, message) => {
    const { supervisor, made, expectFailure } = await beside();
    Object.assign(made[0]!, { trades: () => Promise.resolve(trades) });
    await expect(guardOf(supervisor).trades!(asked)).rejects.toMatchObject({ code: 'feed_dishonest' });
    expectFailure('feed_dishonest', message);
  });

  test('its trades are right: they are told', async () => {
    const { supervisor, made, status } = await beside();
    expect(guardOf(supervisor).trades).toBeUndefined();
    expect(guardOf(supervisor).candlesEnd).toBe('start');
    Object.assign(made[0]!, { trades: () => Promise.resolve(whole), candlesEnd: 'now' });
    expect(await guardOf(supervisor).trades!(asked)).toEqual(whole);
    expect(guardOf(supervisor).candlesEnd).toBe('now');
    expect(status().state).toBe('running');
  });

  test('when asked for trades takes too long', async () => {
    const { supervisor, made, advance, expectFailure } = await beside();
    Object.assign(made[0]!, { trades: () => new Promise(() => {}) });
    const answer = expect(guardOf(supervisor).trades!(asked)).rejects.toMatchObject({ code: 'feed_timeout' });
    await advance(30_000);
    await answer;
    expectFailure('feed_timeout', 'trades took longer than 30 s');
  });

  test('it says live before any snapshot', async () => {
    const { book, made } = await beside((feed) => {
      feed.start = (context) => ScriptedFeed.prototype.start.call(feed, context);
    });
    made[0]!.state('live');
    expect(book()).toMatchObject({ state: 'syncing', reason: 'the feed has sent no snapshot yet' });
    expect(book().receiveTimeMs satisfies EpochMs | number | null).toBeNull();
  });

  const tellOf = async (members: object) => {
    const running = await beside();
    Object.assign(running.made[0]!, members);
    const feed = [...running.supervisor.statuses.keys()].find(({ id }) => id === 'bad')!;
    return { ...running, feed };
  };

  test('its figures are big integers, or none: they are told as numbers', async () => {
    let reads = 0;
    const stats = () => ({
      get frames() {
        reads += 1;
        return reads > 1 ? 10n : 7;
      },
      gaps: 3n,
      resyncs: 'many',
    });
    const { feed, status } = await tellOf({ stats, reconnects: () => 5n });
    expect(feed.stats?.()).toMatchObject({ frames: 7, gaps: 0, resyncs: 0 });
    expect(feed.reconnects?.() ?? null).toBeNull();
    expect(status().state).toBe('running');
  });

  test('its figures throw when they are read: it has failed', async () => {
    const { feed, expectFailure } = await tellOf({
      stats: () => Object.defineProperty({}, 'frames', gotcha),
    });
    expect(feed.stats?.() ?? null).toBeNull();
    expectFailure('feed_failed', 'Error: gotcha');
  });

  test('its problems are told, as many and as long as fit', async () => {
    const problems = ['no MOON-USD', 5, 'x'.repeat(1_000), ...Array.from({ length: 50 }, () => 'more')];
    const { feed } = await tellOf({ problems: () => problems });
    expect(feed.problems?.()).toHaveLength(19);
    expect(feed.problems?.()[0]).toBe('no MOON-USD');
    expect(feed.problems?.()[1]).toHaveLength(300);
    for (const odd of [undefined, 'text', { length: 3 }]) {
      const { feed: other } = await tellOf({ problems: () => odd });
      expect(other.problems?.()).toEqual([]);
    }
  });

  test('its candles throw when they are read: it has failed', async () => {
    const answer = [Object.defineProperty({}, 'time', gotcha)];
    const { candles, expectFailure } = await tellOf({ candles: () => Promise.resolve(answer) });
    expect(await candles(BAD, '1m', 10)).toEqual([]);
    expectFailure('feed_failed', 'Error: gotcha');
  });

  test('its log is its own: bound to its name, and the server’s is out of reach', async () => {
    const { made } = await beside();
    const { log } = made[0]!.context!;
    expect(Object.isFrozen(log)).toBe(true);
    expect(log).not.toBe(silentLog);
    expect(() =>
      log.error(Object.defineProperty({}, 'x', { ...gotcha, enumerable: true }), 'text'),
    ).not.toThrow();
  });

  test('its statistics throw: it has failed, and the page is answered', async () => {
    const { supervisor, made, expectFailure } = await beside();
    const stats = () => {
      throw new Error('no figures');
    };
    Object.assign(made[0]!, { stats });
    const [feed] = [...supervisor.statuses.keys()].filter(({ id }) => id === 'bad');
    expect(feed!.stats?.() ?? null).toBeNull();
    expectFailure('feed_failed', 'Error: no figures');
  });
});
