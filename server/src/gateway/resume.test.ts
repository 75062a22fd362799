import {
  frameCodes,
  OrderBook,
  type BookSubscription,
  type Candle,
  type DataFrame,
  type Trade,
} from '@depthwire/shared';
import { VirtualClock } from '@depthwire/feeds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalConnection, WanderingClient } from '../../test/clients.ts';
import { ScriptedFeed, silentLog, START_MS } from '../../test/markets.ts';
import { createMemoryBus } from '../bus/bus.ts';
import { Engine } from '../engine/engine.ts';
import { pricesToTell } from './book-channel.ts';
import { Hub } from './hub.ts';

const instrument = 'test:AAA-USD';

/** One gateway's copy of the market, as far as it has come. */
async function startGateway(clock: VirtualClock, epoch = 1, ownEpoch?: number) {
  const bus = createMemoryBus();
  const engine = new Engine({ clock, bus, log: silentLog, epoch });
  /** Its books by their sequence, noted before anybody gets them. */
  const books = new Map<number, OrderBook>();
  bus.subscribe(() => {
    const { book } = engine.markets.get(instrument)!;
    if (books.has(book.sequence)) return;
    const copy = new OrderBook();
    copy.loadSnapshot(book.bids.toFlat(), book.asks.toFlat());
    books.set(book.sequence, copy);
  });
  const hub = new Hub({ clock, bus, markets: engine.markets, checksumIntervalMs: 0, ownEpoch });
  const feed = new ScriptedFeed();
  await engine.addFeed(feed);
  return { bus, engine, hub, feed, books, market: engine.markets.get(instrument)! };
}

type Gateway = Awaited<ReturnType<typeof startGateway>>;

const levels = (from: number, step: number, count = 40) =>
  Array.from({ length: count }, (_, i) => [from + i * step, 5 + i]).flat();

/** Two gateways of one market, which is live. */
async function startCluster() {
  const clock = new VirtualClock(START_MS);
  const gateways = [await startGateway(clock), await startGateway(clock)] as const;
  const both = (tell: (feed: ScriptedFeed) => void) => gateways.forEach(({ feed }) => tell(feed));
  both((feed) => {
    feed.snapshot(levels(1_000, -1), levels(1_001, 1));
    feed.state('live');
  });
  return { clock, gateways, both };
}

const codesOf = (frames: readonly (readonly unknown[])[]) => frames.map(([code]) => code);

/** Whether a client has the book that the market had, as far as its depth goes. */
function expectSame(book: BookSubscription, { market }: Gateway): void {
  const depth = book.granted!.depth === 0 ? Infinity : book.granted!.depth!;
  expect(book.book.sequence).toBe(market.book.sequence);
  expect(book.book.bids.toFlat()).toEqual(market.book.bids.toFlat(depth));
  expect(book.book.asks.toFlat()).toEqual(market.book.asks.toFlat(depth));
}

describe('a client that comes from another gateway', () => {
  test.each([0, 1, 5, 20].flatMap((depth) => [0, 100].map((cadenceMs) => [depth, cadenceMs] as const)))(
    'goes on without a snapshot, at depth %i and cadence %i',
    async (depth, cadenceMs) => {
      const { clock, gateways, both } = await startCluster();
      const [a, b] = gateways;
      const other = new WanderingClient(b.hub, clock);
      const kept = other.client.book(instrument, { depth, cadenceMs });
      const wanderer = new WanderingClient(a.hub, clock);
      const book = wanderer.client.book(instrument, { depth, cadenceMs });
      const { client } = wanderer;
      const resyncs: unknown[] = [];
      client.on('error', ({ code }) => code !== 'connection_lost' && resyncs.push(code));
      book.on('error', (error) => resyncs.push(error));
      let gateway: Gateway = a;
      for (let round = 0; round < 20; round++) {
        both((feed) => feed.delta([1_000 - (round % 3), round % 4, 980, round], [1_001 + (round % 2), 9]));
        clock.advanceTo(clock.now() + 100);
        expectSame(book, gateway);
        wanderer.leave();
        expect(book.state).toBe('recovering');
        both((feed) => feed.delta([1_000, 1 + round, 999, 0], [1_001, 0, 1_003, 2 + round]));
        gateway = gateway === a ? b : a;
        wanderer.come(gateway.hub);
        expect(book.state).toBe('live');
        expect(codesOf(wanderer.received)).toEqual([frameCodes.bookResumed]);
        clock.advanceTo(clock.now() + 100);
        expectSame(book, gateway);
      }
      expectSame(kept, b);
      expect(resyncs).toEqual([]);
      for (const { hub } of gateways)
        expect(hub.figures.resumes.book).toEqual({ channel: 0, gateway: 10, snapshot: 0 });
    },
  );

  test('holds the book that the market had, every trade once and every candle, however far ahead or behind a gateway is', async () => {
    const lots = fc.integer({ min: 0, max: 9 });
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('delta' as const),
          bids: fc.array(fc.tuple(fc.integer({ min: 80, max: 105 }), lots), { maxLength: 5 }),
          asks: fc.array(fc.tuple(fc.integer({ min: 95, max: 120 }), lots), { maxLength: 5 }),
        }),
      },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('trade' as const), price: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('lost' as const) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(150) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('move' as const), to: fc.nat(1) }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('behind' as const), who: fc.nat(1), most: fc.nat(6) }),
      },
    );
    let resumed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const { clock, gateways } = await startCluster();
        const script: ((feed: ScriptedFeed) => void)[] = [];
        const told = [0, 0];
        const mayLag = [0, 0];
        const tellAll = () => {
          for (const [i, gateway] of gateways.entries())
            while (told[i]! < script.length - mayLag[i]!) script[told[i]!++]!(gateway.feed);
        };
        const wrong: unknown[] = [];
        const [first] = gateways;
        const wanderers = [0, 1, 5, 20].flatMap((depth) =>
          [0, 100].map((cadenceMs) => {
            const wanderer = new WanderingClient(first.hub, clock);
            const { client } = wanderer;
            const book = client.book(instrument, { depth, cadenceMs });
            const trades = client.trades(instrument, { cadenceMs });
            const candles = client.candles(instrument, { interval: '1s', cadenceMs });
            const seen: number[] = [];
            trades.on('change', () => seen.push(...trades.latest.map(({ id }) => id as number)));
            const check = () => {
              if (book.state !== 'live') return;
              const { bids, asks, sequence } = book.book;
              const was = gateways.map(({ books }) => books.get(sequence)).find(Boolean);
              const most = depth === 0 ? Infinity : depth;
              const [is, should] = [
                [bids.toFlat(), asks.toFlat(), false],
                [was?.bids.toFlat(most), was?.asks.toFlat(most), was?.isCrossed],
              ].map((book) => JSON.stringify(book));
              if (is !== should) wrong.push({ depth, cadenceMs, sequence, is, should });
            };
            book.on('change', check);
            book.on('state', check);
            return { wanderer, book, trades, candles, seen };
          }),
        );
        let traded = 0;
        for (const action of steps) {
          if (action.kind === 'delta')
            script.push((feed) => feed.delta(action.bids.flat(), action.asks.flat()));
          else if (action.kind === 'snapshot')
            script.push((feed) => {
              feed.snapshot(levels(100, -1, 12), levels(101, 1, 12));
              feed.state('live');
            });
          else if (action.kind === 'lost') script.push((feed) => feed.state('recovering', 'gap'));
          else if (action.kind === 'trade') {
            const id = (traded += 1);
            script.push((feed) => feed.trade(90 + action.price, id, id));
          } else if (action.kind === 'behind') mayLag[action.who] = action.most;
          else if (action.kind === 'time') clock.advanceTo(clock.now() + action.ms);
          else {
            for (const { wanderer } of wanderers) {
              wanderer.leave();
              wanderer.come(gateways[action.to]!.hub);
              resumed += codesOf(wanderer.received).filter((code) => code === frameCodes.bookResumed).length;
            }
          }
          tellAll();
        }
        expect(wrong).toEqual([]);
        mayLag.fill(0);
        tellAll();
        clock.advanceTo(clock.now() + 200);
        for (const { book, trades, candles, seen } of wanderers) {
          expectSame(book, first);
          expect(book.state).toBe(first.market.state);
          expect(trades.trades.map(({ id }) => id)).toEqual(first.market.tape.map(({ id }) => id));
          expect(seen.filter((id, i) => seen.indexOf(id) === i)).toEqual(
            trades.trades.map(({ id }) => id as number),
          );
          // Each gateway was told of a trade at a time of its own, so that candles are the same in sum only.
          expect(volumeOf(candles.candles)).toBe(volumeOf(first.market.candles('1s').all));
        }
        for (const { hub } of gateways) hub.close();
      }),
      { numRuns: 60 },
    );
    expect(resumed).toBeGreaterThan(100);
  });
});

const volumeOf = (candles: readonly Candle[]) => candles.reduce((total, { volume }) => total + volume, 0);

describe('a client gets a snapshot, and nothing wrong, where', () => {
  /** One that was on the first gateway of two, and is away. */
  async function leaver(depth = 5, cadenceMs = 0) {
    const cluster = await startCluster();
    const wanderer = new WanderingClient(cluster.gateways[0].hub, cluster.clock);
    const book = wanderer.client.book(instrument, { depth, cadenceMs });
    cluster.both((feed) => feed.delta([1_000, 7], []));
    wanderer.leave();
    return { ...cluster, wanderer, book, b: cluster.gateways[1] };
  }

  test('more was missed than is remembered', async () => {
    const { wanderer, book, b } = await leaver();
    for (let i = 0; i < 1_025; i++) b.feed.delta([1_000, 10 + (i % 2)], []);
    wanderer.come(b.hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.bookSnapshot]);
    expectSame(book, b);
    const other = await leaver();
    for (let i = 0; i < 1_000; i++) other.b.feed.delta([1_000, 10 + (i % 2)], []);
    other.wanderer.come(other.b.hub);
    expect(codesOf(other.wanderer.received)).toEqual([frameCodes.bookResumed]);
    expect(other.book.replica.merged).toBe(1_000);
    expectSame(other.book, other.b);
  });

  test('the difference would be larger than the book', async () => {
    const { wanderer, book, b } = await leaver();
    b.feed.delta(
      levels(1_000, -1).map((number, i) => (i % 2 === 0 ? number : number + 1)),
      [],
    );
    b.feed.delta(levels(960, -1, 60), levels(1_001, 1, 100));
    wanderer.come(b.hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.bookSnapshot]);
    expectSame(book, b);
  });

  test('the book was replaced meanwhile', async () => {
    const { wanderer, book, b } = await leaver();
    b.feed.snapshot(levels(900, -1), levels(901, 1));
    wanderer.come(b.hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.bookSnapshot]);
    expectSame(book, b);
  });

  test('the client is ahead of the gateway', async () => {
    const { wanderer, book, clock, gateways } = await leaver();
    wanderer.come(gateways[0].hub);
    gateways[0].feed.delta([1_000, 8], []);
    wanderer.leave();
    wanderer.come(gateways[1].hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.bookSnapshot]);
    expectSame(book, gateways[1]);
    clock.advanceTo(clock.now() + 100);
  });

  test('not where it is ahead of a slow channel alone, which others get a frame of sooner then', async () => {
    const { wanderer, book, clock, b, both } = await leaver(5, 1_000);
    const other = new WanderingClient(b.hub, clock);
    const kept = other.client.book(instrument, { depth: 5, cadenceMs: 1_000 });
    both((feed) => feed.delta([1_000, 9], []));
    const { sequence } = book.book;
    wanderer.come(b.hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.bookResumed]);
    expect(sequence).toBeLessThanOrEqual(book.book.sequence);
    clock.advanceTo(clock.now() + 1_000);
    for (const each of [book, kept]) expectSame(each, b);
  });

  test('its market has begun anew, at another gateway or at its own', async () => {
    const { wanderer, book, gateways } = await leaver();
    for (const { market, bus, feed } of gateways) {
      Object.assign(market, { epoch: 2, tradeCount: 0 });
      (market.tape as Trade[]).length = 0;
      market.book.loadSnapshot(levels(500, -1, 10), levels(501, 1, 10));
      market.book.sequence = 10;
      bus.publish({ type: 'instrument', instrument, isRescaled: false });
      feed.delta([500, 9], []);
    }
    wanderer.come(gateways[1].hub);
    expect(wanderer.client.hello!.epoch).toBe(2);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.bookSnapshot]);
    expectSame(book, gateways[1]);
    wanderer.leave();
    wanderer.come(gateways[0].hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.bookResumed]);
    expectSame(book, gateways[0]);
  });

  test('its market begins anew while it is there: it is told so, gets a snapshot, and goes on from that', async () => {
    const { wanderer, book, clock, gateways } = await leaver(5, 100);
    const [a, b] = gateways;
    wanderer.come(a.hub);
    const trades = wanderer.client.trades(instrument, { cadenceMs: 100 });
    for (const { market, bus, feed } of gateways) {
      Object.assign(market, { epoch: 2, tradeCount: 0 });
      (market.tape as Trade[]).length = 0;
      market.book.sequence = 3;
      bus.publish({ type: 'instrument', instrument, isRescaled: false });
      feed.trade(100, 1, 1);
      feed.delta([1_000, 8], []);
    }
    expect(codesOf(wanderer.received).slice(-2).sort()).toEqual([
      frameCodes.bookSnapshot,
      frameCodes.tradesSnapshot,
    ]);
    clock.advanceTo(clock.now() + 100);
    wanderer.leave();
    wanderer.come(b.hub);
    expect(
      codesOf(wanderer.received)
        .map(Number)
        .sort((x, y) => x - y),
    ).toEqual([frameCodes.tradesMerged, frameCodes.bookResumed]);
    expectSame(book, b);
    expect(trades.trades.map(({ id }) => id)).toEqual([1]);
  });

  test('its candles were put right meanwhile', async () => {
    const { gateways, clock, both } = await startCluster();
    const [a, b] = gateways;
    const wanderer = new WanderingClient(a.hub, clock);
    const candles = wanderer.client.candles(instrument, { interval: '1s', cadenceMs: 0 });
    both((feed) => feed.trade(100, 1, 1));
    wanderer.leave();
    wanderer.come(b.hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.candlesMerged]);
    wanderer.leave();
    const time = START_MS / 1000 - 5;
    const candle = candles.candles[0]!;
    for (const { market, bus } of gateways) {
      market.candles('1s').seed([{ ...candle, time }]);
      bus.publish({ type: 'candles', instrument, interval: '1s' });
    }
    wanderer.come(a.hub);
    expect(codesOf(wanderer.received)).toEqual([frameCodes.candlesSnapshot]);
    expect(candles.candles.map((each) => each.time)).toEqual([time, candle.time]);
  });

  test('its trades go back further than the tape', async () => {
    const { gateways, clock, both } = await startCluster();
    const [a, b] = gateways;
    const wanderer = new WanderingClient(a.hub, clock);
    const trades = wanderer.client.trades(instrument, { cadenceMs: 0 });
    both((feed) => feed.trade(100, 1, 0));
    const frames = [frameCodes.tradesMerged, frameCodes.tradesSnapshot];
    for (const [i, count] of [999, 1_000].entries()) {
      wanderer.leave();
      for (let id = 1; id <= count; id++) both((feed) => feed.trade(100, 1, 10_000 * i + id));
      wanderer.come(i % 2 === 0 ? b.hub : a.hub);
      expect(codesOf(wanderer.received)).toEqual([frames[i]]);
      expect(trades.trades.at(-1)!.id).toBe(10_000 * i + count);
      if (i === 0) expect(trades.merged).toMatchObject({ count, bought: count, missed: count - 500 });
    }
  });
});

describe('what a client says of where it was', () => {
  /** A client that makes its requests up, on a hub of several or of its own. */
  async function stranger(ownEpoch?: number) {
    const clock = new VirtualClock(START_MS);
    const gateway = await startGateway(clock, 1, ownEpoch);
    gateway.feed.snapshot(levels(1_000, -1), levels(1_001, 1));
    const keeper = new WanderingClient(gateway.hub, clock);
    keeper.client.book(instrument, { depth: 5, cadenceMs: 0 });
    gateway.feed.delta([1_000, 3], []);
    const ask = (resume: unknown) => {
      const connection = new LocalConnection(gateway.hub, clock);
      const request = { op: 'subscribe', id: 1, topic: 'book', instrument, depth: 5, cadence: 0, resume };
      connection.send(JSON.stringify(request));
      return connection.received.slice(1) as [{ op: string; code?: string; seq?: number }, DataFrame?];
    };
    return { ...gateway, ask };
  }

  const point = { epoch: 1, ch: 1, seq: 1 };

  test('without the name of a gateway counts where no other serves its market, and nowhere else', async () => {
    const alone = await stranger(1);
    expect(alone.ask(point)[0].seq).toBe(1);
    expect(alone.ask({ ...point, epoch: 2 })[0].seq).toBeUndefined();
    const oneOfMany = await stranger();
    const [answer, frame] = oneOfMany.ask(point);
    expect(answer.seq).toBeUndefined();
    expect(frame![0]).toBe(frameCodes.bookSnapshot);
    expect(oneOfMany.ask({ ...point, gateway: oneOfMany.hub.gateway })[0].seq).toBe(1);
  });

  test('names a frame of that gateway, and of no other that has such a channel too', async () => {
    const { ask, hub, market } = await stranger();
    const foreign = { ...point, gateway: 'another', sequence: market.book.sequence - 1 };
    expect(ask(foreign)[1]![0]).toBe(frameCodes.bookSnapshot); // for it does not say how deep its book is
    expect(ask({ ...foreign, depth: 10 })[1]![0]).toBe(frameCodes.bookSnapshot);
    expect(ask({ ...foreign, depth: 5 })[1]![0]).toBe(frameCodes.bookResumed);
    expect(ask({ ...foreign, depth: 5, epoch: 0 })[1]![0]).toBe(frameCodes.bookSnapshot);
    expect(ask({ ...foreign, depth: 5, gateway: hub.gateway, seq: 99 })[1]![0]).toBe(frameCodes.bookResumed);
    for (const sequence of [0, market.book.sequence + 1, Number.MAX_SAFE_INTEGER])
      expect(ask({ ...foreign, depth: 5, sequence })[1]![0]).toBe(frameCodes.bookSnapshot);
  });

  test.each([
    ['resume', { epoch: -1 }],
    ['resume', { ch: 2 ** 32 }],
    ['resume', { seq: 1.5 }],
    ['resume.gateway', { gateway: '' }],
    ['resume.gateway', { gateway: 7 }],
    ['resume.gateway', { gateway: 'x'.repeat(65) }],
    ['resume.sequence', { gateway: 'a', sequence: -1 }],
    ['resume.sequence', { gateway: 'a', sequence: 2 ** 53 }],
    ['resume.sequence', { gateway: 'a', sequence: '7' }],
    ['resume.depth', { depth: null }],
    ['resume.depth', { depth: 1e9 }],
  ])('is refused where it makes no sense: %s %j', async (field, changes) => {
    const { ask } = await stranger();
    const [answer] = ask({ ...point, ...changes });
    expect(answer).toMatchObject({ op: 'error', code: 'invalid_request' });
    expect(JSON.stringify(answer)).toContain(`${field}: expected`);
  });
});

test('what is told of a side makes of the best levels then the best levels now, whatever changed', () => {
  const side = fc.constantFrom('bids' as const, 'asks' as const);
  const update = fc.array(fc.tuple(fc.integer({ min: -15, max: 15 }), fc.oneof(fc.constant(0), fc.nat(3))), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      side,
      fc.integer({ min: 0, max: 12 }),
      fc.array(update, { maxLength: 4 }),
      fc.array(update, { maxLength: 8 }),
      fc.nat(8),
      (which, depth, before, after, shown) => {
        const book = new OrderBook();
        const apply = (levels: number[]) =>
          book.applyDelta(which === 'bids' ? levels : [], which === 'asks' ? levels : []);
        const view = () => book[which].toFlat(depth === 0 ? Infinity : depth);
        for (const levels of before) apply(levels.flat());
        const then = new OrderBook();
        then[which].load(view());
        const touched = new Set<number>();
        /** What a channel shows may be older than the book, by as much as its cadence. */
        let now = view();
        for (const [i, levels] of after.entries()) {
          for (const [ticks] of levels) touched.add(ticks);
          apply(levels.flat());
          if (i < shown) now = view();
        }
        const sizes = new Map(pairsOf(now));
        const told = pricesToTell(book[which], touched, depth);
        then[which].apply(
          told.flatMap((ticks) => [ticks, sizes.get(ticks) ?? 0]),
          new Float64Array(told.length),
        );
        expect(then[which].toFlat()).toEqual(now);
        expect(new Set(told).size).toBe(told.length);
        expect(told.length).toBeLessThanOrEqual(2 * touched.size);
      },
    ),
    { numRuns: 20_000 },
  );
});

function pairsOf(flat: readonly number[]): [number, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}
