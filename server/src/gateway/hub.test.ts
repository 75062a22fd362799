import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BookReplica,
  bookChecksum,
  codecs,
  frameCodes,
  type DataFrame,
  type Encoding,
  type Instrument,
  type SubscribeRequest,
} from '@depthwire/shared';
import { startMarket, START_MS, testInstrument } from '../../test/markets.ts';
import { messagesIn } from '../../test/websocket.ts';
import type { Subscriber } from './audience.ts';
import type { Channel, SharedFrame } from './channel.ts';
import type { Batch } from './batch.ts';
import type { Hub } from './hub.ts';

const instrument = 'test:AAA-USD';

type Topic = Omit<SubscribeRequest, 'op' | 'id' | 'instrument'>;

/** A subscriber that decodes what it gets, as a client would. */
class Reader implements Subscriber {
  readonly frames: DataFrame[] = [];
  readonly shared: SharedFrame[] = [];
  readonly batches: Batch[] = [];
  /** Of each batch, as they were when it came. */
  readonly wires: Buffer[] = [];
  readonly encoding: Encoding;
  /** With the number of frames that came before. */
  readonly instruments: [number, Instrument][] = [];
  readonly channel: Channel;

  constructor(hub: Hub, request: Topic, encoding: Encoding = 'msgpack') {
    this.encoding = encoding;
    this.channel = this.join(hub, request);
  }

  join(hub: Hub, request: Topic): Channel {
    const channel = hub.open({ op: 'subscribe', id: 1, instrument, ...request });
    this.#take(hub.snapshot(channel));
    hub.join(channel, this);
    return channel;
  }

  onInstrument(instrument: Instrument): void {
    this.instruments.push([this.frames.length, instrument]);
  }

  deliver(batch: Batch): void {
    this.batches.push(batch);
    this.wires.push(Buffer.from(batch.wire));
    for (const frame of batch.frames) this.#take(frame);
  }

  #take(frame: SharedFrame): void {
    this.shared.push(frame);
    this.frames.push(codecs.msgpack.decode(frame.encode('msgpack')) as DataFrame);
  }

  get codes(): number[] {
    return this.frames.map(([code]) => code);
  }
}

async function liveMarket(checksumIntervalMs = 0, soon?: (task: () => void) => void) {
  const running = await startMarket(undefined, checksumIntervalMs, soon);
  running.feed.snapshot([100, 5, 99, 7, 98, 1], [101, 4, 102, 6]);
  running.feed.state('live');
  return running;
}

describe('Hub', () => {
  test('grants the next larger depth and the next slower cadence', async () => {
    const { hub } = await liveMarket();
    const granted = (depth?: number, cadence?: number) => {
      const { settings } = hub.open({ op: 'subscribe', id: 1, topic: 'book', instrument, depth, cadence });
      return [settings.depth, settings.cadenceMs];
    };
    expect(granted()).toEqual([50, 100]);
    expect(granted(7, 60)).toEqual([10, 100]);
    expect(granted(50, 0)).toEqual([50, 0]);
    expect(granted(1_001, 1)).toEqual([0, 20]);
    expect(granted(0, 3_600_000)).toEqual([0, 5_000]);
  });

  test('refuses an unknown instrument', async () => {
    const { hub } = await liveMarket();
    expect(() => hub.open({ op: 'subscribe', id: 1, topic: 'book', instrument: 'test:NONE-USD' })).toThrow(
      expect.objectContaining({ code: 'unknown_instrument' }),
    );
  });

  test('builds one frame for all subscribers of the same settings', async () => {
    const { hub, feed, clock } = await liveMarket();
    const readers = [1, 2, 3].map(() => new Reader(hub, { topic: 'book', depth: 10, cadence: 100 }));
    feed.delta([100, 9], []);
    clock.advanceTo(START_MS + 100);
    const [first, ...others] = readers.map(({ shared }) => shared.at(-1)!);
    for (const other of others) expect(other).toBe(first);
    expect(first!.encode('msgpack')).toBe(first!.encode('msgpack'));
    expect(new Set(readers.map(({ channel }) => channel)).size).toBe(1);
  });

  describe('what goes out together', () => {
    const book = { topic: 'book', depth: 10, cadence: 50 } as const;
    const slower = { topic: 'book', depth: 5, cadence: 100 } as const;
    const ticker = { topic: 'ticker', cadence: 100 } as const;

    test('is one batch, the same for all who have the same subscriptions, in whatever order they came', async () => {
      const { hub, feed, clock } = await liveMarket();
      const first = new Reader(hub, book);
      first.join(hub, ticker);
      const second = new Reader(hub, ticker);
      second.join(hub, book);
      const other = new Reader(hub, book);
      feed.delta([100, 9], []);
      clock.advanceTo(START_MS + 100);
      expect(first.batches.map(({ frames }) => frames.length)).toEqual([1, 1]);
      expect(first.codes.slice(2)).toEqual([frameCodes.bookDelta, frameCodes.ticker]);
      expect(second.batches[0]).toBe(first.batches[0]);
      expect(second.batches[1]).toBe(first.batches[1]);
      expect(other.batches).toHaveLength(1);
      expect(other.batches[0]).not.toBe(first.batches[0]);
      expect(other.shared.at(-1)).toBe(first.shared.at(-2));
    });

    test('is all that ticks at the same time, of different cadences', async () => {
      const { hub, feed, clock } = await liveMarket();
      const reader = new Reader(hub, book);
      reader.join(hub, slower);
      reader.join(hub, ticker);
      clock.advanceTo(START_MS + 60);
      feed.delta([100, 9], []);
      clock.advanceTo(START_MS + 100);
      expect(reader.batches.map(({ frames }) => frames.length)).toEqual([3]);
    });

    test('comes as one message after the other', async () => {
      const { hub, feed, clock } = await liveMarket();
      const readers = (['msgpack', 'json'] as const).map((encoding) => new Reader(hub, book, encoding));
      for (const reader of readers) reader.join(hub, slower);
      clock.advanceTo(START_MS + 60);
      feed.delta([100, 9], []);
      clock.advanceTo(START_MS + 100);
      for (const { encoding, batches, wires } of readers) {
        const { frames } = batches.at(-1)!;
        expect(frames).toHaveLength(2);
        const decoded = messagesIn(wires.at(-1)!).map((message) => codecs[encoding].decode(message));
        expect(decoded).toEqual(frames.map((frame) => codecs[encoding].decode(frame.encode(encoding))));
      }
    });

    test('has memory that is used again only when nobody keeps it', async () => {
      const { hub, feed, clock } = await liveMarket();
      const reader = new Reader(hub, book);
      reader.join(hub, slower);
      const tickAt = (ms: number) => {
        clock.advanceTo(START_MS + ms - 40);
        feed.delta([100, ms], []);
        clock.advanceTo(START_MS + ms);
        return reader.batches.at(-1)!;
      };
      const first = tickAt(100);
      const second = tickAt(200);
      expect(second.wire.buffer).toBe(first.wire.buffer);
      expect(Buffer.from(first.wire)).not.toEqual(reader.wires.at(-2));
      second.keep();
      const third = tickAt(300);
      expect(third.wire.buffer).not.toBe(first.wire.buffer);
      expect(Buffer.from(second.wire)).toEqual(reader.wires.at(-2));
    });

    test('may be more than there is room for', async () => {
      const { hub, feed, clock } = await liveMarket();
      const depths = [1, 5, 10, 20, 50, 100, 200, 500, 1_000, 0];
      const readers = depths.map((depth) => new Reader(hub, { ...book, depth }));
      for (const reader of readers) for (const depth of depths) reader.join(hub, { ...book, depth });
      const single = new Reader(hub, book, 'json');
      single.join(hub, slower);
      for (let round = 1; round <= 3; round++) {
        clock.advanceTo(START_MS + round * 100 - 40);
        const levels = Array.from({ length: 3_000 }, (_, i) => [99 - i, 70_000 + round]).flat();
        feed.delta(levels, []);
        clock.advanceTo(START_MS + round * 100);
      }
      for (const { encoding, batches, wires } of [...readers, single]) {
        for (const [i, { frames }] of batches.entries()) {
          const decoded = messagesIn(wires[i]!).map((message) => codecs[encoding].decode(message));
          expect(decoded).toEqual(frames.map((frame) => codecs[encoding].decode(frame.encode(encoding))));
        }
      }
    });

    test('still comes to all others after one of them has failed', async () => {
      const { hub, feed, clock } = await liveMarket();
      const failing = new Reader(hub, book);
      const other = new Reader(hub, book);
      other.join(hub, slower);
      failing.deliver = () => {
        throw new Error('no more');
      };
      for (let tick = 1; tick <= 3; tick++) {
        feed.delta([100, 10 + tick], []);
        expect(() => clock.advanceTo(START_MS + 100 * tick)).toThrow('no more');
        clock.advanceTo(START_MS + 100 * tick);
      }
      hub.leave(failing.channel, failing);
      const before = other.batches.length;
      feed.delta([100, 50], []);
      clock.advanceTo(START_MS + 400);
      expect(other.batches.slice(before).flatMap(({ frames }) => frames)).toHaveLength(2);
    });

    test('is not sent twice or mixed up where a subscriber joins while it is sent something', async () => {
      const { hub, feed, clock } = await liveMarket();
      const curious = new Reader(hub, book);
      const deliver = curious.deliver.bind(curious);
      curious.deliver = (batch) => {
        deliver(batch);
        if (curious.batches.length === 1) curious.join(hub, slower);
      };
      const other = new Reader(hub, book);
      feed.delta([100, 9], []);
      clock.advanceTo(START_MS + 50);
      feed.delta([100, 8], []);
      clock.advanceTo(START_MS + 100);
      const seqs = ({ frames }: Reader, ch: number) =>
        frames.filter((frame) => frame[1] === ch).map(([, , seq]) => seq);
      expect(seqs(curious, curious.channel.id)).toEqual([0, 1, 2]);
      expect(seqs(other, other.channel.id)).toEqual([0, 1, 2]);
    });

    test('goes on for those of a channel that another has left twice', async () => {
      const { hub, feed, clock } = await liveMarket();
      const gone = new Reader(hub, book);
      hub.leave(gone.channel, gone);
      const reader = new Reader(hub, book);
      hub.leave(gone.channel, gone);
      feed.delta([100, 9], []);
      clock.advanceTo(START_MS + 100);
      expect(reader.batches).toHaveLength(1);
      expect(hub.open({ op: 'subscribe', id: 1, instrument, ...book })).toBe(reader.channel);
    });

    test('reaches nobody who has left, or come since', async () => {
      const soon: (() => void)[] = [];
      const { hub, feed } = await liveMarket(0, (task) => soon.push(task));
      const every = { ...book, cadence: 0 };
      const leaves = new Reader(hub, every);
      const stays = new Reader(hub, every);
      feed.delta([100, 9], []);
      expect(stays.frames).toHaveLength(1);
      hub.leave(leaves.channel, leaves); // what was made before goes out before
      feed.delta([100, 8], []);
      const comes = new Reader(hub, every);
      feed.delta([100, 7], []);
      feed.delta([100, 6], []);
      for (const task of soon.splice(0)) task();
      expect(leaves.frames.map(([, , seq]) => seq)).toEqual([0, 1]);
      expect(stays.frames.map(([, , seq]) => seq)).toEqual([0, 1, 2, 3, 4]);
      expect(comes.frames.map(([, , seq]) => seq)).toEqual([2, 3, 4]);
      expect(stays.batches.at(-1)!.frames).toHaveLength(2);
      for (const { frames } of [stays, comes]) expect(replay(frames).book.bids.lotsAt(0)).toBe(6);
    });
  });

  test('sends nothing while nothing changed, and merges what changed within a cadence', async () => {
    const { hub, feed, clock } = await liveMarket();
    const reader = new Reader(hub, { topic: 'book', depth: 10, cadence: 100 });
    clock.advanceTo(START_MS + 1_000);
    expect(reader.frames).toHaveLength(1);
    clock.advanceTo(START_MS + 1_010);
    feed.delta([100, 9], []);
    clock.advanceTo(START_MS + 1_040);
    feed.delta([100, 8], [101, 3]);
    feed.delta([99, 7], []);
    clock.advanceTo(START_MS + 1_100);
    // code, ch, seq, merged, elapsed, age, lag, bids, asks, checksum
    expect(reader.frames.at(-1)).toEqual([
      2,
      reader.channel.id,
      1,
      3,
      1_100,
      90,
      0,
      [0, 8],
      [2, 3],
      bookChecksum((await liveCopy(reader)).book),
    ]);
  });

  test('at cadence 0 sends every update as it comes', async () => {
    const { hub, feed } = await liveMarket();
    const reader = new Reader(hub, { topic: 'book', depth: 0, cadence: 0 });
    feed.delta([100, 9], []);
    feed.delta([100, 8], []);
    expect(reader.frames.map((frame) => frame[2])).toEqual([0, 1, 2]);
  });

  test('a newcomer starts at the state of those who are there, and follows the same frames', async () => {
    const { hub, feed, clock } = await liveMarket();
    const first = new Reader(hub, { topic: 'book', depth: 5, cadence: 100 });
    feed.delta([100, 9], []);
    clock.advanceTo(START_MS + 150);
    feed.delta([97, 3], []); // not sent yet
    const second = new Reader(hub, { topic: 'book', depth: 5, cadence: 100 });
    clock.advanceTo(START_MS + 250);
    const replicas = [first, second].map(({ frames }) => replay(frames));
    expect(second.frames[0]![2]).toBe(1);
    expect(replicas[1]!.book.bids.toFlat()).toEqual(replicas[0]!.book.bids.toFlat());
    expect(replicas[1]!.book.sequence).toBe(replicas[0]!.book.sequence);
    expect(replicas[1]!.timeMs).toBe(replicas[0]!.timeMs);
  });

  test('a newcomer to a book that is not live learns why', async () => {
    const { hub, feed } = await liveMarket();
    feed.state('recovering', 'sequence gap');
    const reader = new Reader(hub, { topic: 'book', depth: 5, cadence: 100 });
    expect(replay(reader.frames)).toMatchObject({ state: 'recovering', reason: 'sequence gap' });
  });

  test('a level that comes back into view is sent again', async () => {
    const { hub, feed, clock } = await liveMarket();
    const reader = new Reader(hub, { topic: 'book', depth: 1, cadence: 100 });
    feed.delta([100, 0], []);
    clock.advanceTo(START_MS + 100);
    expect(replay(reader.frames).book.bids.toFlat()).toEqual([99, 7]);
    feed.delta([100, 2], []);
    clock.advanceTo(START_MS + 200);
    expect(replay(reader.frames).book.bids.toFlat()).toEqual([100, 2]);
  });

  test('tells that a book is lost before, and that it is live after, the levels of the same frame', async () => {
    const { hub, feed, clock } = await liveMarket();
    const reader = new Reader(hub, { topic: 'book', depth: 10, cadence: 100 });
    feed.delta([101, 3], []); // crossed
    clock.advanceTo(START_MS + 100);
    expect(reader.codes.slice(1)).toEqual([frameCodes.bookState, frameCodes.bookDelta]);
    feed.delta([101, 0], []);
    clock.advanceTo(START_MS + 200);
    expect(reader.codes.slice(3)).toEqual([frameCodes.bookDelta, frameCodes.bookState]);
    expect(replay(reader.frames).state).toBe('live');
  });

  test('replaces the book of every depth after a resync', async () => {
    const { hub, feed, clock } = await liveMarket();
    const readers = [0, 1, 5].map((depth) => new Reader(hub, { topic: 'book', depth, cadence: 100 }));
    feed.state('recovering', 'gap');
    feed.snapshot([200, 1, 199, 2], [201, 3]);
    feed.state('live');
    clock.advanceTo(START_MS + 100);
    for (const { frames } of readers) {
      expect(frames.at(-1)![0]).toBe(frameCodes.bookSnapshot);
      expect(replay(frames).book.bestBid).toBe(200);
      expect(replay(frames).state).toBe('live');
    }
  });

  test('tells of a changed scale before the snapshot that is counted in it', async () => {
    const { hub, feed, clock } = await liveMarket();
    const readers = [0, 100].map((cadence) => new Reader(hub, { topic: 'book', depth: 5, cadence }));
    const finer = testInstrument(undefined, { tick: { units: 1, decimals: 3 } });
    feed.emit({ type: 'instrument', instrument: finer });
    feed.snapshot([1000, 5], [1010, 4]);
    feed.state('live');
    clock.advanceTo(START_MS + 100);
    for (const { frames, instruments } of readers) {
      expect(instruments).toEqual([[1, finer]]);
      expect(frames[1]![0]).toBe(frameCodes.bookSnapshot);
      expect(replay(frames)).toMatchObject({ state: 'live', book: { bestBid: 1000 } });
    }
  });

  test('a newcomer between two ticks gets no book of before a changed scale', async () => {
    const { hub, feed } = await liveMarket();
    const slow = { topic: 'book', depth: 10, cadence: 1_000 } as const;
    const reader = new Reader(hub, slow);
    feed.emit({
      type: 'instrument',
      instrument: testInstrument(instrument, { tick: { units: 1, decimals: 4 } }),
    });
    const newcomer = new Reader(hub, slow);
    expect(reader.codes).toEqual([frameCodes.bookSnapshot, frameCodes.bookSnapshot]);
    for (const { frames } of [reader, newcomer])
      expect(frames.at(-1)).toMatchObject({ 0: frameCodes.bookSnapshot, 2: 1, 8: [], 9: [] });
  });

  test('adds a checksum to deltas no more often than asked for', async () => {
    const { hub, feed, clock } = await liveMarket(1_000);
    const reader = new Reader(hub, { topic: 'book', depth: 10, cadence: 0 });
    for (let i = 1; i <= 30; i++) {
      clock.advanceTo(START_MS + i * 100);
      feed.delta([99, i], []);
    }
    const deltas = reader.frames.filter(([code]) => code === frameCodes.bookDelta);
    expect(deltas).toHaveLength(30);
    expect(deltas.filter((frame) => frame.length === 10)).toHaveLength(3);
    expect(replay(reader.frames).verified).toBe(4);
  });

  test('every replica equals the top of the engine’s book, whatever the market does', async () => {
    const level = fc.tuple(fc.integer({ min: 80, max: 120 }), fc.integer({ min: 0, max: 5 }));
    const step = fc.oneof(
      {
        weight: 10,
        arbitrary: fc.record({
          kind: fc.constant('delta' as const),
          bids: fc.array(level, { maxLength: 4 }),
          asks: fc.array(level, { maxLength: 4 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('snapshot' as const),
          bids: fc.array(level, { maxLength: 20 }),
          asks: fc.array(level, { maxLength: 20 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('lost' as const),
          bids: fc.constant([]),
          asks: fc.constant([]),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('time' as const),
          bids: fc.constant([]),
          asks: fc.constant([]),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { hub, feed, clock, market } = await liveMarket();
        const readers = [0, 1, 5, 20].flatMap((depth) =>
          [0, 100].map((cadence) => new Reader(hub, { topic: 'book', depth, cadence })),
        );
        const late: Reader[] = [];
        for (const [i, { kind, bids, asks }] of steps.entries()) {
          if (kind === 'delta') feed.delta(bids.flat(), asks.flat());
          else if (kind === 'snapshot') {
            feed.snapshot(bids.flat(), asks.flat());
            feed.state('live');
          } else if (kind === 'lost') feed.state('recovering', 'gap');
          else clock.advanceTo(clock.now() + 60);
          if (i % 20 === 7) late.push(new Reader(hub, { topic: 'book', depth: 5, cadence: 100 }));
          for (const reader of readers) assertHonest(reader);
        }
        clock.advanceTo(clock.now() + 200);
        for (const reader of [...readers, ...late]) {
          const replica = replay(reader.frames);
          const { depth } = reader.channel.settings;
          const flat = (side: 'bids' | 'asks') => market.book[side].toFlat(depth === 0 ? Infinity : depth);
          expect(replica.book.bids.toFlat()).toEqual(flat('bids'));
          expect(replica.book.asks.toFlat()).toEqual(flat('asks'));
          expect(replica.book.sequence).toBe(market.book.sequence);
          expect(replica.state).toBe(market.state);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('ends a channel with its last subscriber', async () => {
    const { hub, feed } = await liveMarket();
    const reader = new Reader(hub, { topic: 'book', depth: 5, cadence: 0 });
    hub.leave(reader.channel, reader);
    feed.delta([100, 1], []);
    expect(reader.frames).toHaveLength(1);
    expect(hub.open({ op: 'subscribe', id: 1, topic: 'book', instrument, depth: 5, cadence: 0 })).not.toBe(
      reader.channel,
    );
  });
});

describe('other topics', () => {
  test('trades: a snapshot of the tape without what is still to be sent, then each trade once', async () => {
    const { hub, feed, clock } = await liveMarket();
    feed.trade(100, 1, 1);
    const first = new Reader(hub, { topic: 'trades', cadence: 100 });
    feed.trade(101, 2, 2);
    const second = new Reader(hub, { topic: 'trades', cadence: 100 });
    feed.trade(102, 3, 3);
    clock.advanceTo(START_MS + 100);
    const ids = ({ frames }: Reader) =>
      frames.flatMap((frame) => (frame[4] as unknown as [number][]).map(([id]) => id));
    expect(ids(first)).toEqual([1, 2, 3]);
    expect(ids(second)).toEqual([1, 2, 3]);
  });

  test('trades: a burst does not wait for the cadence once a frame is full', async () => {
    const { hub, feed } = await liveMarket();
    const reader = new Reader(hub, { topic: 'trades', cadence: 5_000 });
    for (let i = 0; i < 1_100; i++) feed.trade(100, 1, i);
    expect(reader.frames.slice(1).map((frame) => (frame[4] as unknown[]).length)).toEqual([500, 500]);
  });

  test('ticker: touch, last trade and state', async () => {
    const { hub, feed, clock } = await liveMarket();
    const reader = new Reader(hub, { topic: 'ticker', cadence: 100 });
    feed.trade(101, 2_000, 1);
    feed.delta([100, 0], []);
    clock.advanceTo(START_MS + 100);
    expect(reader.frames.at(-1)).toEqual([
      6,
      reader.channel.id,
      1,
      START_MS + 100,
      1,
      101,
      101,
      101,
      101,
      2_000,
      2.02,
      1,
      99,
      7,
      101,
      4,
    ]);
  });

  test('candles: sends only those that changed', async () => {
    const { hub, feed, clock } = await liveMarket();
    feed.trade(100, 1, 1);
    const reader = new Reader(hub, { topic: 'candles', interval: '1s', cadence: 100 });
    clock.advanceTo(START_MS + 1_050);
    feed.trade(102, 1, 2);
    clock.advanceTo(START_MS + 1_100);
    expect(reader.frames.map((frame) => frame[4])).toEqual([
      [[START_MS / 1000, 100, 100, 100, 100, 1, 1]],
      [[START_MS / 1000 + 1, 102, 102, 102, 102, 1, 1]],
    ]);
  });

  test('status: state, since when and why', async () => {
    const { hub, feed, clock } = await liveMarket();
    const reader = new Reader(hub, { topic: 'status' });
    clock.advanceTo(START_MS + 40);
    feed.state('recovering', 'gap');
    expect(reader.frames.at(-1)).toEqual([9, reader.channel.id, 1, START_MS + 40, 3, START_MS + 40, 'gap']);
  });
});

function replay(frames: readonly DataFrame[]): BookReplica {
  const replica = new BookReplica();
  for (const frame of frames) expect(replica.apply(frame), replica.error?.message).toBe('applied');
  return replica;
}

function liveCopy(reader: Reader): Promise<BookReplica> {
  return Promise.resolve(replay(reader.frames));
}

/** A replica that calls itself live never shows a crossed book. */
function assertHonest(reader: Reader): void {
  const replica = replay(reader.frames);
  if (replica.state === 'live') expect(replica.book.isCrossed).toBe(false);
}
