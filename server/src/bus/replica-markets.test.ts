import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '@depthwire/feeds';
import { bookChecksum, codecs, type CandleInterval, type Trade } from '@depthwire/shared';
import { JumpingClock } from '../../test/jumping-clock.ts';
import { ScriptedFeed, silentLog, START_MS, testInstrument } from '../../test/markets.ts';
import { readEvent } from '../engine/event-checks.ts';
import { Engine } from '../engine/engine.ts';
import { MAX_TAPE, type Market } from '../engine/market.ts';
import { createMemoryBus, type MarketEvent } from './bus.ts';
import { BusFigures } from './bus-figures.ts';
import { LanePublisher } from './lane-publisher.ts';
import { decodeReport, encodeReport } from './reports.ts';
import { Refusals } from './refusals.ts';
import { ReplicaMarkets } from './replica-markets.ts';
import { BUS_VERSION, decodeAsk, encodeAsk, type Ask } from './wire.ts';

const AAA = 'test:AAA-USD';
const BBB = 'test:BBB-USD';
const instruments = [testInstrument(AAA), testInstrument(BBB)];
/** By then whatever was lost is found, asked for and given: heads, a second request, and some. */
const SETTLED_MS = 3_000;
/** And by then whoever seemed to lead under a higher epoch has said nothing for long. */
const HEALED_MS = 15_000;

interface Sent {
  readonly lane: number;
  readonly bytes: Buffer;
}

/** An engine whose feeds are led, and a gateway that follows, with all that is between them in the hands of the test. */
async function start() {
  const clock = new VirtualClock(START_MS);
  const bus = createMemoryBus();
  const engine = new Engine({ clock, bus, log: silentLog });
  const feed = new ScriptedFeed('scripted', instruments);
  await engine.addFeed(feed);
  const wire: Sent[] = [];
  const asks: Ask[] = [];
  const events: MarketEvent[] = [];
  const gatewayBus = createMemoryBus();
  const figures = new BusFigures();
  const lines: object[] = [];
  const refusals = new Refusals({ figures, timers: clock, log: { warn: (line) => lines.push(line) } });
  let leads = true;
  /** The first message that was sent. */
  let sample: unknown;
  /** Of the leader's machine. */
  const leaderTimers = new JumpingClock(clock);
  const publisher = new LanePublisher({
    ...{
      ingest: 'one',
      bus,
      markets: engine.markets,
      clock,
      timers: leaderTimers,
      figures: new BusFigures(),
    },
    feedOf: (id) => engine.feedOf(id)?.id,
    isLeading: () => leads,
    send: (lane, bytes) => {
      sample ??= codecs.msgpack.decode(bytes);
      return wire.push({ lane, bytes: Buffer.from(bytes) }) > 0;
    },
  });
  const replicas = new ReplicaMarkets({
    ...{ bus: gatewayBus, clock, timers: clock, figures, refusals },
    ask: (ask) => asks.push(ask),
  });
  gatewayBus.subscribe((event) => events.push(event));
  /** What the engine's books were, by instrument and count of updates. */
  const books = new Map<string, string>();
  const flat = ({ book }: { book: { bids: { toFlat(): number[] }; asks: { toFlat(): number[] } } }) =>
    JSON.stringify([book.bids.toFlat(), book.asks.toFlat()]);
  const note = () => {
    for (const [id, market] of engine.markets) books.set(`${id} ${market.book.sequence}`, flat(market));
  };
  bus.subscribe(note);
  note();
  return {
    ...{ clock, engine, feed, wire, asks, events, publisher, replicas, figures, flat, lines, leaderTimers },
    get sample() {
      return sample;
    },
    setLeading(is: boolean) {
      leads = is;
    },
    /** Every book that is shown as live is one that the engine had. */
    check() {
      for (const [id, market] of replicas.markets) {
        if (market.state === 'live') expect(flat(market)).toBe(books.get(`${id} ${market.book.sequence}`));
      }
    },
    /** Takes what is on its way. */
    deliver() {
      for (const { lane, bytes } of wire.splice(0)) replicas.onMessage(lane, bytes);
      for (const ask of asks.splice(0)) publisher.onAsk(ask);
    },
    /** Time goes by, and everything arrives. */
    settle(ms = SETTLED_MS) {
      for (let passedMs = 0; passedMs < ms; passedMs += 10) {
        clock.advanceTo(clock.now() + 10);
        this.deliver();
      }
    },
    expectEqual() {
      expect([...replicas.markets.keys()].sort()).toEqual([...engine.markets.keys()].sort());
      for (const [id, market] of engine.markets) {
        const replica = replicas.markets.get(id)!;
        expect(flat(replica)).toBe(flat(market));
        expect(bookChecksum(replica.book)).toBe(bookChecksum(market.book));
        expect(replica.book.sequence).toBe(market.book.sequence);
        expect([replica.state, replica.reason]).toEqual([market.state, market.reason]);
        expect(replica.ticker()).toEqual(market.ticker(clock.now()));
        expect(replica.tradeCount).toBe(market.tradeCount);
        // Under another leader it may have trades that were before that one's time.
        expect(replica.tape.slice(replica.tape.length - market.tape.length)).toEqual(market.tape);
      }
    },
    /** The engine's candles of an interval become others, as where history puts them right. */
    putRight(id: string, interval: CandleInterval) {
      const market = engine.markets.get(id) as Market;
      market.takeCandles(
        interval,
        market.candles(interval).all.map((candle) => ({ ...candle, trades: candle.trades + 7 })),
        [],
      );
      bus.publish({ type: 'candles', instrument: id, interval });
    },
    /** Whether clients of the gateway had to begin an instrument anew after so many events. */
    hasBegunAnew: (id: string, from: number) =>
      events
        .slice(from)
        .some((event) => event.type === 'instrument' && event.instrument === id && event.isRescaled),
    tradesOf: (id: string) =>
      events.flatMap((event): Trade[] =>
        event.type === 'trade' && event.instrument === id ? [event.trade] : [],
      ),
  };
}

function open(feed: ScriptedFeed): void {
  for (const id of [AAA, BBB]) {
    feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6], id);
    feed.state('live', null, id);
  }
}

describe('ReplicaMarkets', () => {
  test('have the books, tapes, states and figures of the engine', async () => {
    const { feed, publisher, settle, expectEqual, ...running } = await start();
    publisher.lead('scripted', 1);
    open(feed);
    feed.delta([98, 3, 100, 0], [103, 1, 101, 9]);
    feed.trade(101, 2, 1);
    settle.call({ ...running });
    expectEqual();
    feed.emit({ type: 'instrument', instrument: testInstrument(BBB, { status: 'halted' }) });
    feed.delta([100, 4], []);
    settle.call({ ...running });
    expectEqual();
    expect(running.replicas.markets.get(BBB)).toMatchObject({ state: 'stale', epoch: 1 });
    expect(running.figures.gaps).toBe(0);
  });

  test('are not harmed by what is no message, nor by one of a shape that nobody sends', async () => {
    const running = await start();
    const { feed, publisher, replicas, figures } = running;
    publisher.lead('scripted', 1);
    open(feed);
    running.settle();
    const lanes = replicas.feeds.length;
    const envelope = (kind: number, body: unknown) => {
      const [version] = running.sample as [number];
      return [version, kind, 'one', 'scripted', 1, 2 ** 40, 0, 0, body];
    };
    const whole = [AAA, 1, null, 5];
    const bodies = [
      [5],
      [null],
      [[]],
      [whole],
      [[AAA, 1, null, [null]]],
      [[AAA, 1, null, [[1]]]],
      [[AAA, 1, null, [[4, 5]]]],
    ];
    const { encode } = codecs.msgpack;
    for (const kind of [0, 1, 2])
      for (const body of bodies)
        for (let lane = 0; lane < 16; lane++)
          replicas.onMessage(lane, encode(envelope(kind, body) as never) as Uint8Array);
    replicas.onMessage(0, Buffer.from([0xc1, 0, 1]));
    expect(figures.unreadable).toBeGreaterThan(100);
    expect(running.lines).toHaveLength(1);
    running.settle(HEALED_MS);
    running.expectEqual();
    expect(replicas.feeds).toHaveLength(lanes);
  });

  test('follow a leader whose host was paused, with Redis and all, once it is clear that nothing is held up', async () => {
    const running = await start();
    const { feed, publisher, leaderTimers, replicas } = running;
    publisher.lead('scripted', 1);
    open(feed);
    running.settle();
    running.expectEqual();
    leaderTimers.set(-300_000); // it stood still for five minutes
    running.settle(20_000);
    expect([...replicas.markets.values()].map(({ state }) => state)).toEqual(['stale', 'stale']);
    feed.delta([98, 3], [103, 1]);
    running.settle(15_000);
    running.expectEqual();
  });

  test('have candles that were put right, where it was lost that they were', async () => {
    const running = await start();
    const { feed, publisher, clock, wire, replicas, engine } = running;
    publisher.lead('scripted', 1);
    open(feed);
    feed.trade(100, 1, 1);
    running.settle();
    const replica = replicas.markets.get(AAA)!;
    replica.candles('1m');
    running.settle();
    running.putRight(AAA, '1m');
    clock.advanceTo(clock.now() + 10);
    wire.length = 0;
    running.settle();
    expect(replica.candles('1m').all).toMatchObject([{ trades: 8 }]);
    expect(replica.candles('1m').all).toEqual(engine.markets.get(AAA)!.candles('1m').all);
  });

  test('leave alone candles of before they were put right, which come late', async () => {
    const running = await start();
    const { feed, publisher, clock, wire, replicas, engine } = running;
    publisher.lead('scripted', 1);
    open(feed);
    feed.trade(100, 1, 1);
    running.settle();
    const replica = replicas.markets.get(AAA)!;
    replica.candles('1m');
    publisher.onAsk({ op: 'candles', feed: 'scripted', instrument: AAA, interval: '1m' });
    clock.advanceTo(clock.now() + 50);
    running.putRight(AAA, '1m');
    clock.advanceTo(clock.now() + 10);
    wire.reverse();
    running.settle();
    expect(replica.candles('1m').all).toMatchObject([{ trades: 8 }]);
    expect(replica.candles('1m').all).toEqual(engine.markets.get(AAA)!.candles('1m').all);
  });

  test('have every trade of a time without a leader, however long it was', async () => {
    const running = await start();
    const { feed, publisher, replicas, events } = running;
    publisher.lead('scripted', 1);
    open(feed);
    running.settle();
    feed.trade(100, 1, 1);
    running.settle();
    publisher.cease('scripted');
    for (let id = 2; id < 10; id++) {
      feed.trade(100, 1, id);
      feed.trade(100, 1, id, BBB); // of which no trade was known
      running.settle(10_000);
    }
    const from = events.length;
    publisher.lead('scripted', 2);
    running.settle();
    running.expectEqual();
    expect(replicas.markets.get(AAA)!.tape.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(running.tradesOf(AAA).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(running.tradesOf(BBB).map(({ id }) => id)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect([AAA, BBB].map((id) => running.hasBegunAnew(id, from))).toEqual([false, false]);
  });

  test('begin anew where the leader has trades no more that are missing', async () => {
    const running = await start();
    const { feed, publisher, events } = running;
    publisher.lead('scripted', 1);
    open(feed);
    running.settle();
    feed.trade(100, 1, 0);
    running.settle();
    publisher.cease('scripted');
    for (let id = 1; id <= MAX_TAPE + 5; id++) {
      feed.trade(100, 1, id);
      running.settle(100);
    }
    const from = events.length;
    publisher.lead('scripted', 2);
    running.settle();
    running.expectEqual();
    expect(running.hasBegunAnew(AAA, from)).toBe(true);
    expect(running.tradesOf(AAA).map(({ id }) => id)).toEqual([0]);
  });

  test('need not ask another leader for trades of a quiet instrument, nor begin it anew', async () => {
    const running = await start();
    const { feed, publisher, figures, events } = running;
    publisher.lead('scripted', 1);
    open(feed);
    for (let id = 1; id < 5; id++) feed.trade(100, 1, id);
    running.settle(60_000);
    const from = events.length;
    const asked = figures.resyncsAsked;
    publisher.lead('scripted', 2);
    running.settle();
    running.expectEqual();
    expect(figures.resyncsAsked).toBe(asked);
    expect(running.hasBegunAnew(AAA, from)).toBe(false);
  });

  test.for([1, 2])('have all trades where another gateway asks by its count of epoch %i', async (epoch) => {
    const running = await start();
    const { feed, publisher, replicas, figures, events } = running;
    publisher.lead('scripted', 1);
    open(feed);
    running.settle();
    feed.trade(100, 1, 1);
    running.settle();
    publisher.cease('scripted');
    feed.trade(100, 1, 2);
    const from = events.length;
    const asked = figures.resyncsAsked;
    publisher.lead('scripted', 2);
    publisher.onAsk({ op: 'wholes', feed: 'scripted', epoch, instruments: [[AAA, 5_000]] });
    running.settle();
    running.expectEqual();
    expect(replicas.markets.get(AAA)!.tape.map(({ id }) => id)).toEqual([1, 2]);
    expect(running.tradesOf(AAA).map(({ id }) => id)).toEqual([1, 2]);
    expect(figures.resyncsAsked).toBe(asked);
    expect(running.hasBegunAnew(AAA, from)).toBe(false);
  });

  test('wait for an answer of their own where one that another asked for has too few trades', async () => {
    const running = await start();
    const { feed, publisher, replicas, events, clock, wire, asks } = running;
    publisher.lead('scripted', 1);
    open(feed);
    running.settle();
    feed.trade(100, 1, 1);
    running.settle();
    const from = events.length;
    for (let id = 2; id < 6; id++) feed.trade(100, 1, id);
    clock.advanceTo(clock.now() + 10);
    wire.length = 0;
    feed.delta([98, 3], []);
    clock.advanceTo(clock.now() + 10);
    running.deliver(); // something is missing
    clock.advanceTo(clock.now() + 10);
    asks.length = 0; // and the request for it is lost
    publisher.onAsk({ op: 'wholes', feed: 'scripted', epoch: 1, instruments: [[AAA, 4]] });
    running.settle();
    running.expectEqual();
    expect(replicas.markets.get(AAA)!.tape.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(running.tradesOf(AAA).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(running.hasBegunAnew(AAA, from)).toBe(false);
  });

  test('follow a leader of a lower epoch once the higher one has said nothing for long', async () => {
    const running = await start();
    const { feed, publisher, replicas, figures } = running;
    publisher.lead('scripted', 9_000);
    open(feed);
    running.settle();
    publisher.cease('scripted');
    publisher.lead('scripted', 8_000);
    running.settle(2_000);
    expect(figures.fenced).toBeGreaterThan(0);
    expect(replicas.markets.get(AAA)!.epoch).toBe(9_000);
    running.settle(8_000);
    expect(replicas.markets.get(AAA)!.epoch).toBe(8_000);
    running.expectEqual();
  });
});

const step = fc.oneof(
  fc.record({
    type: fc.constant('delta' as const),
    id: fc.constantFrom(AAA, BBB),
    bids: fc.array(fc.tuple(fc.integer({ min: 90, max: 100 }), fc.integer({ min: 0, max: 9 })), {
      maxLength: 4,
    }),
    asks: fc.array(fc.tuple(fc.integer({ min: 101, max: 110 }), fc.integer({ min: 0, max: 9 })), {
      maxLength: 4,
    }),
  }),
  fc.record({ type: fc.constant('trade' as const), id: fc.constantFrom(AAA, BBB) }),
  fc.record({ type: fc.constant('snapshot' as const), id: fc.constantFrom(AAA, BBB) }),
  fc.record({ type: fc.constant('recovering' as const), id: fc.constantFrom(AAA, BBB) }),
  fc.record({ type: fc.constant('candles' as const), id: fc.constantFrom(AAA, BBB) }),
  fc.record({ type: fc.constant('put-right' as const), id: fc.constantFrom(AAA, BBB) }),
  fc.record({ type: fc.constant('rescale' as const), id: fc.constantFrom(AAA, BBB) }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(5, 30, 300, 1_200) }),
  fc.record({ type: fc.constantFrom('drop', 'repeat', 'swap', 'deafen', 'lead', 'unsure', 'down') }),
);

test('whatever is lost, repeated or out of order: no book is live that the engine did not have, and all come right', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      const running = await start();
      const { clock, feed, wire, asks, publisher, replicas, engine } = running;
      let epoch = 1;
      let tradeId = 0;
      let old: Sent[] = [];
      publisher.lead('scripted', epoch);
      open(feed);
      for (const one of steps) {
        switch (one.type) {
          case 'delta':
            feed.delta(one.bids.flat(), one.asks.flat(), one.id);
            break;
          case 'trade':
            feed.trade(100, 1, ++tradeId, one.id);
            break;
          case 'snapshot':
            feed.snapshot([97, 1, 96, 2], [103, 4], one.id);
            break;
          case 'recovering':
            feed.state('recovering', 'gap', one.id);
            feed.state('live', null, one.id);
            break;
          case 'candles':
            replicas.markets.get(one.id)?.candles('1m');
            break;
          case 'put-right':
            running.putRight(one.id, '1m');
            break;
          case 'rescale': {
            const { tick } = engine.markets.get(one.id)!.instrument;
            const instrument = testInstrument(one.id, { tick: { ...tick, units: 3 - tick.units } });
            feed.emit({ type: 'instrument', instrument });
            break;
          }
          case 'wait':
            clock.advanceTo(clock.now() + one.ms);
            old = [...wire];
            running.deliver();
            break;
          case 'drop':
            clock.advanceTo(clock.now() + 10);
            wire.shift();
            break;
          case 'repeat':
            wire.push(...old);
            break;
          case 'swap':
            clock.advanceTo(clock.now() + 10);
            wire.reverse();
            break;
          case 'deafen':
            asks.length = 0;
            break;
          case 'lead':
            publisher.lead('scripted', ++epoch);
            break;
          case 'unsure':
            running.setLeading(false);
            clock.advanceTo(clock.now() + 50);
            running.setLeading(true);
            break;
          case 'down':
            wire.length = 0;
            replicas.onDown();
            break;
        }
        running.check();
      }
      running.settle();
      running.check();
      running.expectEqual();
      for (const market of replicas.markets.values()) market.candles('1s');
      running.settle();
      for (const [id, market] of replicas.markets) {
        for (const interval of ['1s', '1m'] as const) {
          const { all } = engine.markets.get(id)!.candles(interval);
          expect(market.hasWhole(interval) || interval === '1m').toBe(true);
          if (!market.hasWhole(interval)) continue;
          expect(
            market.candles(interval).all.slice(market.candles(interval).all.length - all.length),
          ).toEqual(all);
        }
      }
      for (const { epoch: found } of replicas.markets.values()) expect(found).toBe(epoch);
      for (const id of [AAA, BBB]) {
        const ids = running.tradesOf(id).map((trade) => Number(trade.id));
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      }
    }),
    { numRuns: 200 },
  );
});

/** Anything that a message can hold. */
const anything = fc.oneof(
  fc.constantFrom(null, true, '', 'x'.repeat(100_000), -1, 0.5, 2 ** 53, 2 ** 40, 1e300, [], {}),
  fc.integer(),
  fc.string(),
  fc.array(fc.oneof(fc.integer(), fc.constant(null)), { maxLength: 20 }),
  fc.record({ id: fc.constantFrom(AAA, 'test:NEW-USD'), tick: fc.integer() }),
);

/** Another value, or none, at a place within. */
function mutate(value: unknown, path: readonly number[], by: { readonly value: unknown } | null): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return by ? by.value : undefined;
  const keys = Object.keys(value);
  if (keys.length === 0) return by ? by.value : undefined;
  const [at, ...rest] = path as [number, ...number[]];
  const key = keys[at % keys.length]!;
  const changed = mutate((value as Record<string, unknown>)[key], rest, by);
  if (Array.isArray(value))
    return value.flatMap((each: unknown, i) =>
      String(i) === key ? (changed === undefined ? [] : [changed]) : [each],
    );
  return { ...value, [key]: changed };
}

const change = fc.record({
  // Most often within the body, which is what stands last.
  path: fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: fc.constant(8) }, { weight: 1, arbitrary: fc.nat(8) }),
      fc.array(fc.nat(20), { maxLength: 6 }),
    )
    .map(([first, rest]) => [first, ...rest]),
  by: fc.oneof(fc.constant(null), fc.record({ value: anything })),
});

test('whatever stands in a message: nothing throws, nothing of it can break a reader, and all books come right', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(change, fc.uint8Array({ maxLength: 200 })), { minLength: 1, maxLength: 30 }),
      fc.nat(1_000),
      async (changes, from) => {
        const running = await start();
        const { feed, wire, clock, publisher, replicas, lines, engine } = running;
        publisher.lead('scripted', 5);
        open(feed);
        feed.trade(100, 1, 1);
        running.settle(1_000);
        for (const market of replicas.markets.values()) market.candles('1m');
        feed.delta([100, 3], [101, 5]);
        feed.trade(100, 2, 2);
        feed.state('recovering', 'gap', BBB);
        feed.state('live', null, BBB);
        feed.emit({ type: 'instrument', instrument: testInstrument(BBB, { name: 'B' }) });
        for (const id of [AAA, BBB])
          publisher.onAsk({ op: 'wholes', feed: 'scripted', epoch: 5, instruments: [[id, 0]] });
        publisher.onAsk({ op: 'candles', feed: 'scripted', instrument: AAA, interval: '1m' });
        clock.advanceTo(clock.now() + 600);
        // Each comes before the real one that it was made of, or in place of it.
        const real = wire.splice(0);
        real.forEach(({ lane, bytes }, i) => {
          const ofThis = changes.filter((_, j) => (from + j) % real.length === i);
          for (const one of ofThis) {
            const isMade = !(one instanceof Uint8Array);
            const made = isMade && mutate(codecs.msgpack.decode(bytes), one.path, one.by);
            const foreign = isMade ? codecs.msgpack.encode((made ?? null) as never) : one;
            replicas.onMessage(lane, foreign as Uint8Array);
          }
          if (ofThis.length === 0 || from % 2 === 0) replicas.onMessage(lane, bytes);
        });
        running.settle(HEALED_MS);
        for (const [id, market] of engine.markets) {
          const replica = replicas.markets.get(id)!;
          expect([id, running.flat(replica)]).toEqual([id, running.flat(market)]);
          expect([replica.state, replica.reason]).toEqual([market.state, market.reason]);
          expect(replica.epoch).toBe(5);
        }
        for (const { instrument, tape, ...market } of replicas.markets.values()) {
          expect(readEvent({ type: 'instrument', instrument })).toEqual({ type: 'instrument', instrument });
          expect(Number.isSafeInteger(market.tradeCount)).toBe(true);
          for (const { id } of tape) expect(String(id).length).toBeLessThanOrEqual(64);
        }
        // At most one of each kind in half a minute.
        expect(lines.length).toBeLessThanOrEqual(2);
        for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(1_000);
      },
    ),
    { numRuns: 200 },
  );
});

test('requests and reports: whatever stands in them, they are read as they have to be or refused', () => {
  const ask = {
    op: 'wholes' as const,
    feed: 'scripted',
    epoch: 5,
    instruments: [[AAA, 3]] as [string, number][],
  };
  const report = {
    ingest: 'one',
    feeds: [{ id: 'scripted', epoch: 5, isHealthy: true, report: null }],
  };
  expect(decodeAsk(Buffer.from(encodeAsk(ask)))).toEqual(ask);
  expect(decodeReport(Buffer.from(encodeReport(report)))).toEqual(report);
  const refused = expect.objectContaining({ code: 'malformed_message' }) as unknown;
  fc.assert(
    fc.property(fc.oneof(change, fc.uint8Array()), (one) => {
      for (const [text, decode] of [
        [encodeAsk(ask), decodeAsk],
        [encodeReport(report), decodeReport],
      ] as const) {
        const bytes =
          one instanceof Uint8Array
            ? Buffer.from(one)
            : Buffer.from(JSON.stringify(mutate(JSON.parse(text), one.path, one.by) ?? null));
        try {
          const read = decode(bytes);
          expect(decode(Buffer.from(JSON.stringify({ version: BUS_VERSION, ...read })))).toEqual(read);
        } catch (error) {
          expect(error).toEqual(refused);
          expect((error as Error).message.length).toBeLessThan(1_000);
        }
      }
    }),
    { numRuns: 2_000 },
  );
  expect(() => decodeAsk(Buffer.from(JSON.stringify(ask)))).toThrow('no version, expected 3');
});
