import {
  BookReplica,
  codecs,
  DepthwireError,
  frameCodes,
  type Clock,
  type DataFrame,
} from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { localOwner } from '../../test/owners.ts';
import { messagesIn } from '../../test/websocket.ts';
import { silentLog, START_MS, startMarket, testInstrument } from '../../test/markets.ts';
import type { Hub } from './hub.ts';
import { Session, type SessionLimits, type SessionOwner, type SessionSocket } from './session.ts';

const MAX_BUFFERED = 1_000;
const instrument = 'test:AAA-USD';
const limits = {
  heartbeatMs: 1e9,
  maxMessageBytes: 1e6,
  maxSubscriptions: 100,
  maxBufferedBytes: MAX_BUFFERED,
  maxRequestsPerSecond: 1_000,
  idleMs: 1e9,
  authenticateWithinMs: 10_000,
};

/** A network that takes nothing while it is stalled: then all bytes wait, and are counted. */
class Wire implements SessionSocket {
  bufferedBytes = 0;
  isPaused = false;
  closeCode: number | null = null;
  readonly messages: unknown[] = [];
  #isStalled = false;
  #waiting: Uint8Array[] = [];
  #onDrained: (() => void)[] = [];

  write(frames: Uint8Array): void {
    if (this.#isStalled) {
      this.#waiting.push(Buffer.from(frames));
      this.bufferedBytes += frames.length;
    } else this.#take(frames);
  }

  stall(): void {
    this.#isStalled = true;
  }

  /** @param stalls whether what is sent next waits again */
  flow(stalls = false): void {
    for (const frames of this.#waiting.splice(0)) this.#take(frames);
    this.bufferedBytes = 0;
    this.#isStalled = stalls;
    for (const task of this.#onDrained.splice(0)) task();
  }

  close(code: number): void {
    this.closeCode ??= code;
  }

  terminate(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  onceDrained(task: () => void): void {
    this.#onDrained.push(task);
  }

  get frames(): DataFrame[] {
    return this.messages.filter((message) => Array.isArray(message)) as unknown as DataFrame[];
  }

  #take(frames: Uint8Array): void {
    for (const message of messagesIn(frames)) this.messages.push(codecs.json.decode(message));
  }
}

function connect(
  hub: Hub,
  clock: Clock,
  more: Partial<SessionLimits> = {},
  owner: SessionOwner = localOwner(),
) {
  const wire = new Wire();
  const session = new Session({
    id: 'test',
    hub,
    socket: wire,
    limits: { ...limits, ...more },
    owner,
    marketClock: clock,
    wallClock: clock,
    log: silentLog,
    server: 'test',
    encoding: 'json',
  });
  let id = 0;
  const send = (request: object) => session.onMessage(JSON.stringify({ id: (id += 1), ...request }));
  const subscribe = (topic: string, options: object = {}) =>
    send({ op: 'subscribe', topic, instrument, cadence: 0, ...options });
  return { wire, session, send, subscribe };
}

async function liveMarket() {
  const running = await startMarket();
  const levels = (from: number, step: number) =>
    Array.from({ length: 30 }, (_, i) => [from + i * step, 5]).flat();
  running.feed.snapshot(levels(100, -1), levels(101, 1));
  running.feed.state('live');
  return running;
}

/** Updates until more waits than may. */
function fill(feed: { delta(bids: number[], asks: number[]): void }, wire: Wire): number {
  let count = 0;
  while (wire.bufferedBytes <= MAX_BUFFERED) feed.delta([100, 10 + (count += 1)], []);
  return count;
}

describe('a client that does not keep up', () => {
  test('gets one frame of a book in place of all that it missed, with how many updates and how old', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    wire.stall();
    const sent = fill(feed, wire);
    const bytes = wire.bufferedBytes;
    feed.delta([100, 7], [101, 3]);
    clock.advanceTo(START_MS + 40);
    for (let i = 0; i < 90; i++) feed.delta([99, i + 20], []);
    feed.delta([100, 0], []);
    expect(wire.bufferedBytes).toBe(bytes);
    clock.advanceTo(START_MS + 100);
    wire.flow();
    const { book } = replayed(wire.frames);
    expect(wire.frames.at(-1)).toMatchObject({
      0: frameCodes.bookMerged,
      2: sent + 92,
      3: sent,
      5: 92,
      6: 40,
      7: 100,
    });
    expect(book.bids.toFlat(2)).toEqual([99, 109, 98, 5]);
    expect(book.asks.toFlat(1)).toEqual([101, 3]);
  });

  test('is counted, with the frames that it missed and the updates that were merged', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, session, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    wire.stall();
    fill(feed, wire);
    for (let i = 0; i < 9; i++) feed.delta([99, i + 20], []);
    expect(session.isLagging).toBe(true);
    wire.flow();
    expect(session.isLagging).toBe(false);
    const { figures } = hub;
    expect(figures.lagged).toBe(1);
    expect(figures.catchUps.book).toEqual({ merged: 1, snapshot: 0 });
    expect(figures.missedFrames.book.count).toBe(9);
    expect(figures.mergedUpdates.book.count).toBe(9);
    // Answers are hello and subscribed; what was written is all that is counted.
    expect(figures.sent.json.book.frames).toBe(wire.frames.length);

    wire.stall();
    fill(feed, wire);
    feed.snapshot([100, 1], [101, 1]);
    wire.flow();
    expect(figures.catchUps.book).toEqual({ merged: 1, snapshot: 1 });
    expect(figures.sent.json.book.frames).toBe(wire.frames.length);
  });

  test('learns with it that the state of the book has changed', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    wire.stall();
    fill(feed, wire);
    feed.delta([100, 7], []);
    feed.state('recovering', 'lost');
    wire.flow();
    expect(replayed(wire.frames)).toMatchObject({ state: 'recovering', reason: 'lost' });
  });

  test('gets a snapshot where more has changed than it holds, or the book was replaced', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    for (const change of [
      () => {
        for (let i = 0; i < 300; i++) feed.delta([100 - (i % 20), i], []);
      },
      () => feed.snapshot([100, 1], [101, 1]),
    ]) {
      wire.stall();
      fill(feed, wire);
      change();
      wire.flow();
      expect(wire.frames.at(-1)![0]).toBe(frameCodes.bookSnapshot);
    }
  });

  test('gets trades as sums, and the latest one by one', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('trades');
    wire.stall();
    let id = 0;
    while (wire.bufferedBytes <= MAX_BUFFERED) feed.trade(100, 1, (id += 1));
    const first = id;
    clock.advanceTo(START_MS + 10);
    for (let i = 0; i < 40; i++) feed.trade(90 + i, 2, (id += 1));
    clock.advanceTo(START_MS + 60);
    wire.flow();
    const merged = wire.frames.at(-1)!;
    expect(merged.slice(0, 11)).toEqual([
      ...[frameCodes.tradesMerged, merged[1], id, first, START_MS + 60, 50],
      ...[40, 80, 0, 90, 129],
    ]);
    expect((merged[11] as unknown[]).map((trade) => (trade as unknown[])[0])).toEqual(
      Array.from({ length: 40 }, (_, i) => first + 1 + i),
    );
  });

  test('gets the candles that changed', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('candles', { interval: '1s' });
    wire.stall();
    let id = 0;
    while (wire.bufferedBytes <= MAX_BUFFERED) feed.trade(100, 1, (id += 1));
    const held = id;
    clock.advanceTo(START_MS + 1_500);
    feed.trade(105, 1, (id += 1));
    clock.advanceTo(START_MS + 2_500);
    feed.trade(106, 1, (id += 1));
    wire.flow();
    expect(wire.frames.at(-1)).toMatchObject({ 0: frameCodes.candlesMerged, 2: id, 3: held, 5: 1_000 });
    expect((wire.frames.at(-1)![6] as number[][]).map(([time, open]) => [time, open])).toEqual([
      [START_MS / 1000 + 1, 105],
      [START_MS / 1000 + 2, 106],
    ]);
  });

  test('piles nothing up by asking: snapshots wait for room, and then requests do', async () => {
    const { hub, clock, feed } = await liveMarket();
    const { wire, subscribe, send } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    wire.stall();
    fill(feed, wire);
    const before = wire.bufferedBytes;
    for (const depth of [1, 5, 10]) subscribe('book', { depth });
    send({ op: 'snapshot', ch: 1 });
    expect(wire.bufferedBytes - before).toBeLessThan(4 * 600);
    let asked = 0;
    while (!wire.isPaused && asked < 1_000) send({ op: 'ping', id: (asked += 1) });
    expect(wire.isPaused).toBe(true);
    expect(wire.bufferedBytes).toBeLessThan(2 * MAX_BUFFERED + 2_000);
    feed.delta([100, 3], []);
    wire.flow();
    expect(wire.isPaused).toBe(false);
    const channels = wire.frames.filter(([code]) => code === frameCodes.bookSnapshot).map(([, ch]) => ch);
    expect(channels.sort()).toEqual([1, 1, 2, 3, 4]);
    expect(replayed(wire.frames.filter(([, ch]) => ch === 1)).book.bids.toFlat(1)).toEqual([100, 3]);
  });

  test('is told of an instrument once, as it is in the end, and before the book that it goes with', async () => {
    const { feed, hub, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 0 });
    wire.stall();
    fill(feed, wire);
    const waiting = wire.bufferedBytes;
    for (let i = 1; i <= 500; i++)
      feed.emit({ type: 'instrument', instrument: testInstrument(instrument, { name: `Name ${i}` }) });
    feed.emit({
      type: 'instrument',
      instrument: testInstrument(instrument, { name: 'The last', tick: { units: 5, decimals: 2 } }),
    });
    feed.snapshot([20, 1], [21, 1]);
    expect(wire.bufferedBytes).toBe(waiting);
    const seen = wire.messages.length;
    wire.flow();
    const after = wire.messages.slice(seen);
    const notices = after.filter((message) => (message as { op?: string }).op === 'instrument');
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({ instrument: { name: 'The last', tick: { units: 5 } } });
    const snapshotAt = after.findIndex((message) => (message as number[])[0] === frameCodes.bookSnapshot);
    expect(snapshotAt).toBeGreaterThan(after.indexOf(notices[0]));
  });

  test('gets nothing of other channels either, until all is taken', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    subscribe('trades');
    wire.stall();
    fill(feed, wire);
    feed.delta([100, 1], []);
    wire.bufferedBytes = 600; // a part of it is gone
    for (let id = 1; id <= 50; id++) feed.trade(100, 1, id);
    expect(wire.bufferedBytes).toBe(600);
    wire.flow();
    expect(wire.frames.slice(-2).map(([code]) => code)).toEqual([
      frameCodes.bookMerged,
      frameCodes.tradesMerged,
    ]);
  });

  test('is behind too where little waits, but for over a second', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    wire.stall();
    feed.delta([100, 1], []);
    feed.delta([100, 2], []);
    const waiting = wire.bufferedBytes;
    clock.advanceTo(START_MS + 1_100);
    for (let i = 0; i < 3; i++) feed.delta([100, 3 + i], []);
    expect(wire.bufferedBytes).toBe(waiting);
    wire.flow();
    expect(wire.frames.at(-1)).toMatchObject({ 0: frameCodes.bookMerged, 2: 5, 3: 2 });
  });

  test('is let go where nothing is taken for two minutes', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, session, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    for (const minutes of [1, 2]) {
      wire.stall();
      feed.delta([100, 1], []);
      feed.delta([100, 2], []);
      for (let i = 0; i < 60 * minutes + 2; i++) {
        clock.advanceTo(clock.now() + 1_000);
        session.tick();
      }
      expect(wire.closeCode).toBe(minutes === 1 ? null : 4410);
      wire.flow();
      session.tick();
    }
  });

  test('is not let go where something always waits, and is taken', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, session, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    wire.stall();
    for (let i = 1; i <= 300; i++) {
      feed.delta([100, i], []);
      feed.delta([98, i], []);
      clock.advanceTo(clock.now() + 1_200);
      feed.delta([99, i], []);
      session.tick();
      wire.flow(true);
    }
    wire.flow();
    expect(wire.closeCode).toBeNull();
    expect(replayed(wire.frames).book.bids.toFlat(2)).toEqual([100, 300, 99, 300]);
  });

  test('gets a snapshot where a part of it holds less than another', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    feed.delta([100, 6], []);
    subscribe('trades');
    wire.stall();
    let id = 0;
    while (wire.bufferedBytes <= MAX_BUFFERED) feed.trade(100, 1, (id += 1));
    subscribe('book', { depth: 20 });
    subscribe('book', { depth: 20, resume: { epoch: 1, ch: 2, seq: 0 } });
    feed.delta([100, 7], []);
    wire.flow();
    expect(wire.frames.filter(([, ch]) => ch === 2).map(([code]) => code)).toEqual([frameCodes.bookSnapshot]);
  });

  test('is refused a snapshot of an instrument that there is no more, once', async () => {
    const { hub, clock } = await liveMarket();
    const { wire, send, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    hub.market = () => {
      throw new DepthwireError('unknown_instrument', 'forgotten');
    };
    send({ op: 'snapshot', ch: 1 });
    expect(wire.messages.slice(3)).toMatchObject([{ op: 'error', id: 2, code: 'unknown_instrument' }]);
  });

  test('shares what it gets with all who missed the same', async () => {
    const { hub, feed, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20 });
    const channel = hub.open({ op: 'subscribe', id: 1, topic: 'book', instrument, depth: 20, cadence: 0 });
    feed.delta([100, 7], []);
    feed.delta([100, 8], []);
    expect(wire.frames).toHaveLength(3);
    expect(hub.catchUp(channel, 1)).toBe(hub.catchUp(channel, 1));
    expect(hub.catchUp(channel, 1)).not.toBe(hub.catchUp(channel, 0));
    expect(hub.catchUp(channel, 2)).toBeNull();
  });

  test('holds the very books of those who keep up, however the market moves and the network stalls', async () => {
    const level = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3 }));
    const step = fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          bids: fc.array(level, { maxLength: 4 }),
          asks: fc.array(level, { maxLength: 4 }),
        }),
      },
      { weight: 2, arbitrary: fc.constantFrom('stall' as const, 'flow' as const, 'tick' as const) },
      { weight: 1, arbitrary: fc.constantFrom('snapshot' as const, 'recovering' as const, 'live' as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 30, maxLength: 250 }),
        fc.constantFrom(1, 5, 20, 0),
        async (steps, depth) => {
          const { hub, feed, clock, market } = await startMarket();
          const book = (sign: 1 | -1) =>
            Array.from({ length: 40 }, (_, i) => [sign * (i + 1) + 100, 1 + (i % 3)]).flat();
          feed.snapshot(book(-1), book(1));
          feed.state('live');
          const slow = connect(hub, clock);
          slow.subscribe('book', { depth, cadence: 20 });
          const replica = new BookReplica();
          let read = 0;
          const readAll = () => {
            for (; read < slow.wire.frames.length; read++)
              expect(replica.apply(slow.wire.frames[read]!)).toBe('applied');
          };
          for (const [i, each] of steps.entries()) {
            if (each === 'stall') slow.wire.stall();
            else if (each === 'flow') slow.wire.flow();
            else if (each === 'tick') slow.session.tick();
            else if (each === 'snapshot') feed.snapshot(book(-1), book(1));
            else if (typeof each === 'string') feed.state(each, 'so it is');
            else
              feed.delta(
                each.bids.flatMap(([away, lots]) => [100 - away, lots]),
                each.asks.flatMap(([away, lots]) => [100 + away, lots]),
              );
            clock.advanceTo(START_MS + (i + 1) * 15);
            readAll();
          }
          slow.wire.flow();
          clock.advanceTo(START_MS + (steps.length + 10) * 15);
          slow.session.tick();
          slow.wire.flow();
          readAll();
          const levels = depth === 0 ? undefined : depth;
          expect(replica.book.bids.toFlat()).toEqual(market.book.bids.toFlat(levels));
          expect(replica.book.asks.toFlat()).toEqual(market.book.asks.toFlat(levels));
          expect(replica.book.sequence).toBe(market.book.sequence);
          expect([replica.state, replica.seq]).toEqual([market.state, slow.wire.frames.at(-1)![2]]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a client that asks for less', () => {
  /** Updates of a book and trades, a hundred of each a second. */
  async function busy(limit: object, more: Partial<SessionLimits> = {}) {
    const market = await liveMarket();
    const { hub, feed, clock } = market;
    const client = connect(hub, clock, more);
    client.send({ op: 'limit', ...limit });
    client.subscribe('book', { depth: 20 });
    client.subscribe('trades');
    const arrivals: { atMs: number; bytes: number }[] = [];
    const { wire } = client;
    const take = wire.write.bind(wire);
    wire.write = (frames) => {
      arrivals.push({ atMs: clock.now() - START_MS, bytes: frames.length });
      take(frames);
    };
    for (let i = 1; i <= 500; i++) {
      clock.advanceTo(START_MS + i * 10);
      feed.delta([100 - (i % 7), i], []);
      feed.trade(100, 1, i);
    }
    clock.advanceTo(START_MS + 10_000);
    return { ...market, ...client, arrivals };
  }

  function expectAll({ wire, market }: Awaited<ReturnType<typeof busy>>): void {
    const { book, seq } = replayed(wire.frames.filter(([, ch]) => ch === 1));
    expect([book.sequence, seq]).toEqual([market.book.sequence, 500]);
    expect(book.bids.toFlat(8)).toEqual(market.book.bids.toFlat(8));
    let trades = 0;
    for (const frame of wire.frames.filter(([, ch]) => ch === 2)) {
      if (frame[0] === frameCodes.trades) trades += frame[4].length;
      if (frame[0] === frameCodes.tradesMerged) trades += frame[6];
    }
    expect(trades).toBe(500);
  }

  test('gets data no more often than so many times a second, and all of it', async () => {
    const run = await busy({ rate: 5 });
    expect(run.wire.messages).toContainEqual({ op: 'limited', id: 1, bandwidth: null, rate: 5 });
    const times = [...new Set(run.arrivals.map(({ atMs }) => atMs))];
    for (const [i, atMs] of times.slice(1).entries()) expect(atMs - times[i]!).toBeGreaterThanOrEqual(200);
    expect(times.length).toBeGreaterThan(20);
    expectAll(run);
  });

  test('gets no more than so many bytes a second, and all of what changed', async () => {
    const run = await busy({ bandwidth: 2_000 });
    for (const { atMs: from } of run.arrivals) {
      const within = run.arrivals.filter(({ atMs }) => atMs >= from && atMs < from + 2_000);
      const bytes = within.reduce((sum, each) => sum + each.bytes, 0);
      // what was saved up, and the last frame
      expect(bytes).toBeLessThan(2_000 * 3 + Math.max(...within.map((each) => each.bytes)));
    }
    expectAll(run);
  });

  test('that asks for its limits again and again gets no more by that', async () => {
    const bytesOf = async (asksEachStep: number) => {
      const { hub, clock, feed } = await liveMarket();
      const { wire, send, subscribe } = connect(hub, clock, { maxBandwidth: 1_000 });
      for (const depth of [0, 50, 20, 10]) subscribe('book', { depth, cadence: 20 });
      for (let step = 1; step <= 200; step++) {
        feed.delta([100, 10 + step], [101, 10 + step]);
        clock.advanceTo(START_MS + step * 50);
        for (let i = 0; i < asksEachStep; i++) send({ op: 'limit' });
      }
      return wire.frames.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
    };
    expect(await bytesOf(2)).toBeLessThan(1.2 * (await bytesOf(0)));
  });

  test('that asks again for what it awaits keeps its place in the line', async () => {
    const { hub, clock } = await liveMarket();
    const { wire, send, subscribe } = connect(hub, clock);
    send({ op: 'limit', bandwidth: 1_000 });
    for (const depth of [0, 50, 20, 10]) subscribe('book', { depth, cadence: 1_000 });
    const chs = wire.messages
      .filter((message) => (message as { op?: string }).op === 'subscribed')
      .map((message) => (message as { ch: number }).ch);
    for (let seconds = 1; seconds < 30; seconds++) {
      // The first one loses patience again and again.
      send({ op: 'snapshot', ch: chs[1] });
      clock.advanceTo(START_MS + seconds * 1_000);
    }
    const first = chs.map((ch) => wire.frames.findIndex((frame) => frame[1] === ch));
    expect(first.every((index) => index >= 0)).toBe(true);
    expect(first).toEqual(first.toSorted((a, b) => a - b));
  });

  test('is granted what the server allows, and may take its wish back', async () => {
    const { hub, clock } = await liveMarket();
    const { wire, send } = connect(hub, clock, { maxBandwidth: 5_000 });
    for (const wish of [{ bandwidth: 9_000, rate: 3 }, { bandwidth: 4_000 }, {}])
      send({ op: 'limit', ...wish });
    expect(wire.messages.slice(1)).toEqual([
      { op: 'limited', id: 1, bandwidth: 5_000, rate: 3 },
      { op: 'limited', id: 2, bandwidth: 4_000, rate: null },
      { op: 'limited', id: 3, bandwidth: 5_000, rate: null },
    ]);
  });

  test.each([{ bandwidth: 999 }, { bandwidth: 'all' }, { rate: 0 }, { rate: 1.5 }, { rate: 1_001 }])(
    'is told what is no limit: %o',
    async (wish) => {
      const { hub, clock } = await liveMarket();
      const { wire, send } = connect(hub, clock);
      send({ op: 'limit', ...wish });
      expect(wire.messages.at(-1)).toMatchObject({ op: 'error', code: 'invalid_request', id: 1 });
    },
  );
});

describe('a client that comes back', () => {
  const answer = ({ messages }: Wire) =>
    messages.find((message) => (message as { op?: string }).op === 'subscribed') as Record<string, unknown>;

  /** A book of three updates, of which the client has two, when its connection breaks off. */
  async function lost(isLost = true) {
    const market = await liveMarket();
    const { hub, feed, clock } = market;
    const before = connect(hub, clock);
    before.subscribe('book', { depth: 20 });
    feed.delta([100, 7], []);
    feed.delta([100, 8], []);
    before.session.onClose(isLost);
    feed.delta([100, 9], [101, 0]);
    const frames = before.wire.frames;
    return { ...market, frames, ch: frames[0]![1] };
  }

  test('gets what it missed, and no snapshot', async () => {
    const { hub, feed, clock, frames, ch, market } = await lost();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20, resume: { epoch: 1, ch, seq: 2 } });
    expect(answer(wire)).toMatchObject({ ch, seq: 3 });
    feed.delta([100, 10], []);
    expect(wire.frames.map(([code, , seq]) => [code, seq])).toEqual([
      [frameCodes.bookMerged, 3],
      [frameCodes.bookDelta, 4],
    ]);
    const replica = replayed([...frames, ...wire.frames]);
    expect(replica.book.sequence).toBe(market.book.sequence);
    expect(replica.book.bids.toFlat(1)).toEqual([100, 10]);
    expect(replica.book.asks.toFlat(1)).toEqual([102, 5]);
  });

  test('gets nothing where it missed nothing', async () => {
    const { hub, clock, ch } = await lost();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20, resume: { epoch: 1, ch, seq: 3 } });
    expect(answer(wire)).toMatchObject({ ch, seq: 3 });
    expect(wire.frames).toEqual([]);
  });

  test.each([
    ['the server has another epoch', { epoch: 2 }],
    ['it was in another channel', { ch: 9 }],
    ['it has a frame that there never was', { seq: 4 }],
  ])('gets a snapshot where %s', async (_, changes) => {
    const { hub, clock, ch } = await lost();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20, resume: { epoch: 1, ch, seq: 2, ...changes } });
    expect(answer(wire)).not.toHaveProperty('seq');
    expect(wire.frames.map(([code]) => code)).toEqual([frameCodes.bookSnapshot]);
  });

  test('gets a snapshot where it comes too late, or had left on purpose', async () => {
    const late = await lost();
    late.clock.advanceTo(START_MS + 31_000);
    const leaver = await lost(false);
    for (const { hub, clock, ch } of [late, leaver]) {
      const { wire, subscribe } = connect(hub, clock);
      subscribe('book', { depth: 20, resume: { epoch: 1, ch, seq: 2 } });
      expect(answer(wire)).not.toHaveProperty('seq');
      expect(answer(wire).ch).not.toBe(ch);
    }
  });

  test('goes on too where another has left the channel on purpose meanwhile', async () => {
    const { feed, hub, clock } = await liveMarket();
    const [first, second] = [connect(hub, clock), connect(hub, clock)];
    for (const { subscribe } of [first, second]) subscribe('book', { depth: 20 });
    const { ch } = answer(first.wire);
    first.session.onClose(true);
    clock.advanceTo(START_MS + 5_000);
    second.session.onClose();
    feed.delta([100, 9], []);
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20, resume: { epoch: 1, ch, seq: 0 } });
    expect(answer(wire)).toMatchObject({ ch, seq: 1 });
    // But not for ever: half a minute from when it was lost.
    const third = connect(hub, clock);
    third.subscribe('book', { depth: 50 });
    third.session.onClose(true);
    const { ch: other } = answer(third.wire);
    const fourth = connect(hub, clock);
    fourth.subscribe('book', { depth: 50 });
    clock.advanceTo(START_MS + 36_000);
    fourth.session.onClose();
    expect(
      hub.open({ op: 'subscribe', id: 1, topic: 'book', instrument, depth: 50, cadence: 0 }).id,
    ).not.toBe(other);
  });

  test('keeps the channel when it is back, and others may leave it', async () => {
    const { hub, clock, feed, ch } = await lost();
    const { wire, session, subscribe } = connect(hub, clock);
    subscribe('book', { depth: 20, resume: { epoch: 1, ch, seq: 3 } });
    clock.advanceTo(START_MS + 31_000);
    feed.delta([100, 1], []);
    expect(wire.frames.map(([, , seq]) => seq)).toContain(4);
    session.onClose();
    expect(
      hub.open({ op: 'subscribe', id: 1, topic: 'book', instrument, depth: 20, cadence: 0 }).id,
    ).not.toBe(ch);
  });

  test.each([
    ['resume', 5],
    ['resume', { epoch: 1, ch: 1 }],
    ['resume', { epoch: 1, ch: 1, seq: -1 }],
  ])('is told what %s should be', async (_, resume) => {
    const { hub, clock } = await liveMarket();
    const { wire, subscribe } = connect(hub, clock);
    subscribe('book', { resume });
    expect(wire.messages.at(-1)).toMatchObject({ op: 'error', code: 'invalid_request' });
  });
});

function replayed(frames: readonly DataFrame[]): BookReplica {
  const replica = new BookReplica();
  for (const frame of frames) expect(replica.apply(frame)).toBe('applied');
  return replica;
}
