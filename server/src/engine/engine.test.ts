import { describe, expect, test } from 'vitest';
import type { Candle, EpochMs, Lots, Ticks } from '@depthwire/shared';
import { ScriptedFeed, startMarket, START_MS, testInstrument } from '../../test/markets.ts';

async function liveMarket() {
  const running = await startMarket();
  running.feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
  running.feed.state('live');
  return running;
}

describe('Engine', () => {
  test('keeps the book of snapshots and deltas and counts every update', async () => {
    const { feed, market } = await liveMarket();
    feed.delta([100, 0, 98, 1], [101, 9]);
    expect(market.book.bids.toFlat()).toEqual([99, 7, 98, 1]);
    expect(market.book.asks.toFlat()).toEqual([101, 9, 102, 6]);
    expect(market.book.sequence).toBe(2);
    expect(market.state).toBe('live');
  });

  test('is not live before the feed says so', async () => {
    const { feed, market } = await startMarket();
    expect(market.state).toBe('syncing');
    feed.snapshot([100, 5], [101, 4]);
    expect(market.state).toBe('syncing');
  });

  test('never lets anybody read a crossed book as live', async () => {
    const { feed, market, bus } = await liveMarket();
    const seen: string[] = [];
    bus.subscribe(({ type }) =>
      seen.push(`${type} ${market.state} ${market.book.isCrossed ? 'crossed' : 'right'}`),
    );
    feed.delta([101, 3], []);
    feed.delta([101, 0], []);
    expect(seen).toEqual([
      'book-delta recovering crossed',
      'book-state recovering crossed',
      'book-delta live right',
      'book-state live right',
    ]);
  });

  test('asks the feed to resync an instrument that stays crossed for over a second', async () => {
    const { feed, clock } = await liveMarket();
    feed.delta([101, 3], []);
    clock.advanceTo(START_MS + 900);
    expect(feed.resyncs).toEqual([]);
    clock.advanceTo(START_MS + 2_100);
    expect(feed.resyncs).toHaveLength(1);
    expect(feed.resyncs[0]).toMatchObject({ instrument: 'test:AAA-USD' });
  });

  test('calls a silent book stale, trades or not, and live again with the next update', async () => {
    const { feed, market, clock } = await liveMarket();
    clock.advanceTo(START_MS + 9_000);
    feed.trade(100, 1, 1);
    expect(market.state).toBe('live');
    clock.advanceTo(START_MS + 12_000);
    expect(market.state).toBe('stale');
    expect(market.reason).toMatch('10 s');
    feed.delta([99, 8], []);
    expect(market.state).toBe('live');
  });

  test('does not call a book live that the venue has halted or closed', async () => {
    const { feed, market } = await liveMarket();
    for (const [status, state] of [
      ['halted', 'stale'],
      ['trading', 'live'],
      ['closed', 'stale'],
    ] as const) {
      feed.emit({ type: 'instrument', instrument: testInstrument('test:AAA-USD', { status }) });
      expect(market.state).toBe(state);
    }
    expect(market.reason).toMatch(/does not trade/);
  });

  test("shows the venue's 24 h figures while they are fresh, and its own after that", async () => {
    const { feed, market, clock } = await liveMarket();
    const at = START_MS as EpochMs;
    feed.trade(105, 2, 1);
    feed.emit({
      type: 'ticker',
      instrument: testInstrument().id,
      venueTimeMs: at,
      receiveTimeMs: at,
      last: 104 as Ticks,
      open: 90 as Ticks,
      high: 120 as Ticks,
      low: null,
      volume: 5_000 as Lots,
      turnover: null,
    });
    expect(market.ticker(at)).toMatchObject({ last: 105, open: 90, high: 120, low: 105, volume: 5_000 });
    clock.advanceTo(START_MS + 301_000);
    expect(market.ticker(clock.now())).toMatchObject({ last: 105, open: 105, high: 105, volume: 2 });
  });

  test("carries the feed's reason for a lost book, and since when", async () => {
    const { feed, market, clock } = await liveMarket();
    clock.advanceTo(START_MS + 500);
    feed.state('recovering', 'sequence gap: expected 5, got 9');
    expect([market.state, market.reason, market.stateSinceMs]).toEqual([
      'recovering',
      'sequence gap: expected 5, got 9',
      START_MS + 500,
    ]);
  });

  test.each([
    ['half a pair of levels', (feed: ScriptedFeed) => feed.delta([100], [])],
    ['a fractional price', (feed: ScriptedFeed) => feed.delta([100.5, 1], [])],
    ['a negative size', (feed: ScriptedFeed) => feed.delta([], [101, -1])],
    [
      'a time that is none',
      (feed: ScriptedFeed) =>
        feed.emit({
          type: 'book-delta',
          instrument: 'test:AAA-USD',
          bids: [],
          asks: [],
          venueTimeMs: null,
          receiveTimeMs: Number.NaN as EpochMs,
        }),
    ],
  ])('does not call a book live that misses an update: %s', async (_name, emit) => {
    const { feed, market, engine } = await liveMarket();
    const before = [market.book.bids.toFlat(), market.book.asks.toFlat()];
    emit(feed);
    expect(engine.feeds.get(feed)).toMatchObject({ refused: 1 });
    expect([market.book.bids.toFlat(), market.book.asks.toFlat()]).toEqual(before);
    expect(market).toMatchObject({ state: 'recovering', reason: expect.stringContaining('refused') });
    expect(feed.resyncs).toHaveLength(1);
    feed.delta([98, 2], []);
    expect(market.state).toBe('recovering');
    feed.snapshot([100, 5], [101, 4]);
    expect(market.state).toBe('live');
  });

  test.each([
    ['a trade of nothing', (feed: ScriptedFeed) => feed.trade(100, 0, 1)],
    ['an unknown state', (feed: ScriptedFeed) => feed.state('frozen' as 'live')],
    ['an instrument it never announced', (feed: ScriptedFeed) => feed.delta([1, 1], [], 'test:ZZZ-USD')],
    [
      'an event of unknown type',
      (feed: ScriptedFeed) => feed.emit({ type: 'gossip', instrument: 'test:AAA-USD' } as never),
    ],
  ])('refuses %s and keeps the book as it was', async (_name, emit) => {
    const { feed, market, engine } = await liveMarket();
    const before = [market.book.bids.toFlat(), market.book.asks.toFlat(), market.book.sequence, market.state];
    emit(feed);
    expect(engine.feeds.get(feed)).toMatchObject({ refused: 1 });
    expect([
      market.book.bids.toFlat(),
      market.book.asks.toFlat(),
      market.book.sequence,
      market.state,
    ]).toEqual(before);
    feed.delta([98, 2], []);
    expect(market.book.bids.lotsAtPrice(98)).toBe(2);
  });

  test("refuses a second feed's claim to an instrument, which is no error of that feed", async () => {
    const { engine, feed, market } = await liveMarket();
    const thief = new ScriptedFeed('thief');
    const refused: string[] = [];
    await engine.addFeed(thief, { onRefused: ({ code }) => refused.push(code) });
    thief.delta([100, 0], []);
    expect(engine.feeds.get(thief)).toMatchObject({ refused: 2 });
    expect(refused).toEqual([]);
    expect(engine.conflictsOf(thief)).toEqual(['test:AAA-USD is brought by feed scripted already']);
    expect(engine.conflictsOf(feed)).toEqual([]);
    expect(market.book.bids.lotsAtPrice(100)).toBe(5);
    feed.delta([100, 6], []);
    expect(market.book.bids.lotsAtPrice(100)).toBe(6);
  });

  describe('of a plugged-in feed', () => {
    /** A plugged-in feed that was first with an instrument. */
    async function squatted() {
      const running = await startMarket(new ScriptedFeed('first', [testInstrument('first:A-B')]));
      const squatter = new ScriptedFeed('squatter');
      await running.engine.addFeed(squatter, { isPluggedIn: true });
      squatter.snapshot([1, 1], [2, 1]);
      squatter.state('live');
      return { ...running, squatter };
    }

    test('gives its instrument to a feed that comes with Depthwire, and is heard of it no more', async () => {
      const { engine, events, squatter } = await squatted();
      const own = new ScriptedFeed('own');
      const refused: string[] = [];
      await engine.addFeed(own, { onRefused: ({ message }) => refused.push(message) });
      const market = engine.markets.get('test:AAA-USD')!;
      expect([market.state, market.book.bids.count]).toEqual(['syncing', 0]);
      expect(events.at(-2)).toMatchObject({ type: 'instrument', isRescaled: true });
      own.snapshot([100, 5], [101, 4]);
      own.state('live');
      squatter.snapshot([1, 1], [2, 1]);
      squatter.emit({ type: 'instrument', instrument: testInstrument() });
      squatter.state('recovering', 'nonsense');
      expect([market.state, market.book.bestBid]).toEqual(['live', 100]);
      expect(refused).toEqual([]);
      expect(engine.conflictsOf(squatter)).toEqual([
        'test:AAA-USD is brought by feed own, which comes with Depthwire',
      ]);
      expect([engine.conflictsOf(own), engine.marketsOf(squatter)]).toEqual([[], []]);
      expect(engine.marketsOf(own)).toEqual([market]);
    });

    test('takes none from one that came first, be it plugged in or not', async () => {
      const { engine, squatter } = await squatted();
      const second = new ScriptedFeed('second', [testInstrument(), testInstrument('first:A-B')]);
      await engine.addFeed(second, { isPluggedIn: true });
      second.snapshot([7, 1], [8, 1]);
      expect(engine.markets.get('test:AAA-USD')!.book.bestBid).toBe(1);
      expect(engine.conflictsOf(second)).toHaveLength(2);
      expect(engine.marketsOf(squatter)).toHaveLength(1);
    });

    test('is forgotten a while after a start that did not bring it', async () => {
      const { engine, clock, squatter } = await squatted();
      Object.assign(squatter, { instruments: [testInstrument('test:NEW-USD')] });
      await engine.addFeed(squatter, { isPluggedIn: true });
      engine.loseGone(squatter);
      expect(engine.markets.get('test:AAA-USD')).toMatchObject({
        state: 'stale',
        reason: 'feed squatter does not bring it any more',
      });
      clock.advanceTo(START_MS + 599_000);
      expect(engine.markets.has('test:AAA-USD')).toBe(true);
      clock.advanceTo(START_MS + 602_000);
      expect([...engine.markets.keys()]).toEqual(['first:A-B', 'test:NEW-USD']);
      const other = new ScriptedFeed('other');
      await engine.addFeed(other, { isPluggedIn: true });
      expect(engine.conflictsOf(other)).toEqual([]);
    });

    test('with other names at each start keeps no other feed out', async () => {
      const { engine } = await startMarket(new ScriptedFeed('first', [testInstrument('first:A-B')]));
      const evil = new ScriptedFeed('evil', []);
      const named = (start: string, count: number) =>
        Array.from({ length: count }, (_, i) => testInstrument(`evil:${start}${i}-B`));
      for (const start of ['A', 'B', 'C']) {
        Object.assign(evil, { instruments: named(start, 4_500) });
        await engine.addFeed(evil, { isPluggedIn: true });
        expect(engine.feeds.get(evil)).toMatchObject({ refused: 0 });
      }
      expect(engine.marketsOf(evil)).toHaveLength(10_000);
      for (const isPluggedIn of [true, false]) {
        const good = new ScriptedFeed(`good-${isPluggedIn}`, [testInstrument(`good:${+isPluggedIn}-B`)]);
        await engine.addFeed(good, { isPluggedIn });
        expect(engine.marketsOf(good)).toHaveLength(1);
      }
    });
  });

  describe('whose book is silent', () => {
    /** Snapshots that a resync brings, and nothing else. */
    async function quiet(changes: Parameters<typeof testInstrument>[1] = {}) {
      const feed = new ScriptedFeed('quiet', [testInstrument(undefined, changes)]);
      const running = await startMarket(feed);
      feed.snapshot([100, 5], [101, 4]);
      feed.state('live');
      const asked: number[] = [];
      let answers = true;
      feed.resync = (_, reason) => {
        asked.push((running.clock.now() - START_MS) / 1000);
        expect(reason).toBe('no update for over 10 s');
        if (answers) feed.snapshot([100, 5], [101, 4]);
      };
      const silence = () => (answers = false);
      return { ...running, asked, silence };
    }

    test('is asked to take it anew, later each time while nothing else brings it back', async () => {
      const { clock, market, asked } = await quiet();
      clock.advanceTo(START_MS + 10_000);
      expect(asked).toEqual([]);
      clock.advanceTo(START_MS + 11_000);
      expect([asked, market.state]).toEqual([[11], 'live']);
      clock.advanceTo(START_MS + 3_600_000);
      expect(asked.slice(1, 6)).toEqual([22, 42, 82, 162, 322]);
      expect(asked.length).toBeLessThan(13);
    });

    test('is asked again where it does not answer, and at once after updates flowed', async () => {
      const { clock, feed, asked, silence, market } = await quiet();
      silence();
      clock.advanceTo(START_MS + 45_000);
      expect([asked, market.state]).toEqual([[11, 21, 41], 'stale']);
      for (let second = 45; second < 75; second++) {
        feed.delta([99, second], []);
        clock.advanceTo(START_MS + (second + 1) * 1_000);
      }
      clock.advanceTo(START_MS + 90_000);
      expect(asked).toEqual([11, 21, 41, 85]);
    });

    test.each<[string, Parameters<typeof testInstrument>[1]]>([
      ['that is halted', { status: 'halted' }],
      ['of a recording', { origin: 'replayed' }],
    ])('is not asked for one %s', async (_name, changes) => {
      const { clock, asked } = await quiet(changes);
      clock.advanceTo(START_MS + 60_000);
      expect(asked).toEqual([]);
    });

    test('is not asked for one that it does not call live', async () => {
      const { clock, feed, asked } = await quiet();
      feed.state('recovering', 'gap');
      clock.advanceTo(START_MS + 60_000);
      expect(asked).toEqual([]);
    });

    test('is found out by the clock of the engine, whatever time the feed tells', async () => {
      const { clock, feed, market } = await startMarket();
      const inAWeek = (START_MS + 7 * 86_400_000) as EpochMs;
      feed.emit({
        type: 'book-snapshot',
        instrument: 'test:AAA-USD',
        venueTimeMs: null,
        receiveTimeMs: inAWeek,
        bids: [100, 5],
        asks: [101, 4],
      });
      feed.state('live');
      clock.advanceTo(START_MS + 12_000);
      expect(market.state).toBe('stale');
    });
  });

  test('reads an event once, and keeps nothing of it that the feed could change', async () => {
    const { feed, market, engine } = await liveMarket();
    let reads = 0;
    const event = {
      type: 'book-snapshot',
      venueTimeMs: null,
      receiveTimeMs: START_MS,
      bids: [1, 1],
      asks: [],
    };
    Object.defineProperty(event, 'instrument', {
      get: () => (reads++ === 0 ? 'test:ZZZ-USD' : 'test:AAA-USD'),
    });
    feed.emit(event as never);
    expect(market.book.bestBid).toBe(100);
    expect(engine.feeds.get(feed)).toMatchObject({ refused: 1 });
    const at = START_MS as EpochMs;
    const figures = { last: 104, open: 90, high: 120, low: 80, volume: 5, turnover: 6 };
    const ticker = {
      type: 'ticker',
      instrument: 'test:AAA-USD',
      venueTimeMs: at,
      receiveTimeMs: at,
      ...figures,
    };
    feed.emit(ticker as never);
    Object.assign(ticker, { high: 10n, last: Symbol('x'), open: Number.NaN });
    expect(market.ticker(at)).toMatchObject({ last: 104, open: 90, high: 120 });
  });

  test('begins anew when the scale of an instrument changes', async () => {
    const { engine, feed } = await liveMarket();
    feed.trade(100, 1, 1);
    feed.emit({
      type: 'instrument',
      instrument: testInstrument(undefined, { tick: { units: 1, decimals: 3 } }),
    });
    const market = engine.markets.get('test:AAA-USD')!;
    expect(market.book.bids.count).toBe(0);
    expect(market.tape).toEqual([]);
    expect(market.state).toBe('syncing');
  });

  test('keeps book and tape when only the status of an instrument changes', async () => {
    const { engine, feed } = await liveMarket();
    feed.emit({ type: 'instrument', instrument: testInstrument(undefined, { status: 'halted' }) });
    const market = engine.markets.get('test:AAA-USD')!;
    expect(market.instrument.status).toBe('halted');
    expect(market.book.bids.count).toBe(2);
  });

  test('joins history to the candle that live trades began in, and reads further back from the feed', async () => {
    const hour = Math.floor(START_MS / 3_600_000) * 3600;
    const bar = (time: number, price: number): Candle => ({
      time,
      open: price as Candle['open'],
      high: (price + 2) as Candle['high'],
      low: (price - 2) as Candle['low'],
      close: price as Candle['close'],
      volume: 10 as Candle['volume'],
      trades: 3,
    });
    const feed = Object.assign(new ScriptedFeed(), {
      candles: ({ interval, fromS, toS }: { interval: string; fromS: number; toS: number }) =>
        Promise.resolve(
          interval === '1h'
            ? [-3, -2, -1, 0]
                .map((i) => bar(hour + i * 3600, 100 + i))
                .filter(({ time }) => time >= fromS && time < toS)
            : [],
        ),
    });
    const { candles } = await startMarket(feed);
    feed.trade(107, 4, 1);
    const latest = await candles('test:AAA-USD', '1h', 10);
    expect(latest.map(({ time }) => (time - hour) / 3600)).toEqual([-3, -2, -1, 0]);
    expect(latest.at(-1)).toMatchObject({
      open: 100,
      high: 107,
      low: 98,
      close: 107,
      volume: 14,
      trades: 4,
    });
    expect(await candles('test:AAA-USD', '1h', 2, hour - 3600)).toHaveLength(2);
    await expect(candles('test:NONE-USD', '1h', 1)).rejects.toMatchObject({
      code: 'unknown_instrument',
    });
  });
});
