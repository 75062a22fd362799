import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { bookChecksum } from '../book/checksum.ts';
import { OrderBook } from '../book/order-book.ts';
import type { BookState } from '../model/events.ts';
import { msgpackCodec, type Message } from '../protocol/codec.ts';
import { encodeLevels } from '../protocol/levels.ts';
import { wireStateOf } from '../protocol/messages.ts';
import { BookReplica, type ReplicaOutcome } from './replica.ts';

type Frame = unknown[];
interface Picture {
  readonly bids: number[];
  readonly asks: number[];
  readonly state: BookState;
  readonly sequence: number;
}

/** The server's end of a book channel, with a checksum in every delta, and a memory of all it sent. */
class Publisher {
  readonly book = new OrderBook();
  /** The truth after each frame, by its seq. */
  readonly history = new Map<number, Picture>();
  seq = 0;
  #state: BookState = 'syncing';
  #reference = 0;

  constructor() {
    this.#remember();
  }

  delta(bids: readonly number[], asks: readonly number[]): Frame {
    this.book.applyDelta(bids, asks);
    this.book.sequence += 1;
    this.seq += 1;
    this.#remember();
    const wire = [
      encodeLevels(bestFirst(bids, -1), -1, this.#reference),
      encodeLevels(bestFirst(asks, 1), 1, this.#reference),
    ];
    return onWire([2, 1, this.seq, 1, 20, 5, null, ...wire, bookChecksum(this.book)]);
  }

  state(state: BookState, reason: string | null): Frame {
    this.#state = state;
    this.seq += 1;
    this.#remember();
    return onWire([3, 1, this.seq, wireStateOf(state), 20, reason]);
  }

  /** An answer to a request: the state after the last frame. */
  snapshot(): Frame {
    const { book } = this;
    const levels = [
      encodeLevels(book.bids.toFlat(), -1, this.#reference),
      encodeLevels(book.asks.toFlat(), 1, this.#reference),
    ];
    return onWire([
      1,
      1,
      this.seq,
      wireStateOf(this.#state),
      book.sequence,
      1_000,
      null,
      this.#reference,
      ...levels,
      bookChecksum(book),
    ]);
  }

  /** The whole book anew, unasked, from another reference. */
  replace(bids: readonly number[], asks: readonly number[], reference: number): Frame {
    this.book.loadSnapshot(bids, asks);
    this.book.sequence += 1;
    this.#reference = reference;
    this.seq += 1;
    this.#remember();
    return this.snapshot();
  }

  #remember(): void {
    const { bids, asks, sequence } = this.book;
    this.history.set(this.seq, { bids: bids.toFlat(), asks: asks.toFlat(), state: this.#state, sequence });
  }
}

/** The last of several sizes of a price still is the last. */
function bestFirst(levels: readonly number[], direction: -1 | 1): number[] {
  const pairs = Array.from({ length: levels.length / 2 }, (_, i) => levels.slice(2 * i, 2 * i + 2));
  return pairs.sort(([a], [b]) => (a! - b!) * direction).flat();
}

/** As a client has it: a value of its own, which went through the encoder. */
function onWire(frame: Frame): Frame {
  return msgpackCodec.decode(msgpackCodec.encode(frame as unknown as Message)) as Frame;
}

function pictureOf({ book, state }: BookReplica): Picture {
  return { bids: book.bids.toFlat(), asks: book.asks.toFlat(), state, sequence: book.sequence };
}

describe('BookReplica under a channel that loses, repeats, reorders and corrupts', () => {
  // Fewer prices than a checksum covers, so that it covers all of them.
  const level = fc.tuple(
    fc.integer({ min: -10, max: 10 }),
    fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 })),
  );
  const levels = fc.array(level, { maxLength: 4 }).map((pairs) => pairs.flat());
  const event = fc.oneof(
    { weight: 10, arbitrary: fc.record({ type: fc.constant('delta' as const), bids: levels, asks: levels }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('state' as const),
        state: fc.constantFrom<BookState>('syncing', 'live', 'stale', 'recovering'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('replace' as const),
        bids: levels,
        asks: levels,
        reference: fc.integer({ min: -20, max: 20 }),
      }),
    },
  );

  /** Of sizes, distances, checksums, times and types; what a checksum covers, or what no frame has. */
  const garbage = fc.constantFrom<unknown>(null, undefined, 1.5, -1, 'x', [], {}, Number.NaN, true, 2 ** 60);
  const corruption = fc.oneof(
    fc.record({
      type: fc.constant('level' as const),
      side: fc.boolean(),
      at: fc.nat(),
      by: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ type: fc.constant('checksum' as const), by: fc.integer({ min: 1, max: 2 ** 31 }) }),
    fc.record({
      type: fc.constant('seq' as const),
      to: fc.constantFrom<unknown>(null, undefined, 1.5, 'x', [], 2 ** 60),
    }),
    fc.record({ type: fc.constant('levels' as const), side: fc.boolean(), to: garbage }),
    fc.record({ type: fc.constant('cut' as const), to: fc.nat(8) }),
  );

  function corrupt(frame: Frame, change: typeof corruption extends fc.Arbitrary<infer T> ? T : never): Frame {
    const copy = structuredClone(frame);
    if (copy[0] === 3)
      return change.type === 'seq'
        ? copy.with(2, change.to)
        : copy.slice(0, Math.min(4, change.type === 'cut' ? change.to : 4));
    const firstSide = copy[0] === 1 ? 8 : 7;
    switch (change.type) {
      case 'level': {
        const side = copy[firstSide + Number(change.side)] as number[];
        if (side.length > 0) side[change.at % side.length]! += change.by;
        return copy;
      }
      case 'checksum':
        return copy.with(-1, ((copy.at(-1) as number) + change.by) % 2 ** 32);
      case 'seq':
        return copy.with(2, change.to);
      case 'levels':
        return copy.with(firstSide + Number(change.side), change.to);
      case 'cut':
        return copy.slice(0, change.to);
    }
  }

  const fate = fc.oneof(
    { weight: 12, arbitrary: fc.record({ type: fc.constant('arrive' as const) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('lose' as const) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('repeat' as const), later: fc.nat(4) }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('delay' as const), later: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('corrupt' as const), change: corruption }) },
  );
  const step = fc.record({ event, fate, answerFate: fate, patience: fc.nat(3) });

  test('is live only with the publisher’s levels, and right again after a snapshot', () => {
    let brokenRuns = 0;
    let liveSteps = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const publisher = new Publisher();
        const replica = new BookReplica();
        const held: { dueIn: number; frame: Frame }[] = [];
        let isAwaiting = true;
        let answerIn = 0;
        let everBroken = false;

        const receive = (frame: Frame) => {
          const before = pictureOf(replica);
          const outcome: ReplicaOutcome = replica.apply(frame);
          if (outcome === 'broken') {
            everBroken = true;
            isAwaiting = true;
            expect(replica.state).toBe('recovering');
            expect(replica.error).not.toBeNull();
          } else if (outcome === 'ignored') {
            expect(pictureOf(replica)).toEqual(before);
          } else {
            isAwaiting = false;
            // Not only when live: what a frame was applied to is the publisher's book as of that frame.
            expect(pictureOf(replica)).toEqual(publisher.history.get(replica.seq));
          }
          if (replica.state === 'live') {
            expect(isAwaiting).toBe(false);
            expect(pictureOf(replica)).toEqual(publisher.history.get(replica.seq));
            liveSteps += 1;
          }
        };
        const send = (frame: Frame, how: typeof fate extends fc.Arbitrary<infer T> ? T : never) => {
          if (how.type === 'arrive' || how.type === 'repeat') receive(structuredClone(frame));
          if (how.type === 'corrupt') receive(corrupt(frame, how.change));
          if (how.type === 'repeat' || how.type === 'delay') held.push({ dueIn: how.later, frame });
        };

        for (const { event: happened, fate: how, answerFate, patience } of steps) {
          if (happened.type === 'delta') send(publisher.delta(happened.bids, happened.asks), how);
          else if (happened.type === 'state') send(publisher.state(happened.state, null), how);
          else send(publisher.replace(happened.bids, happened.asks, happened.reference), how);

          for (const late of held.splice(0)) {
            if (late.dueIn === 0) receive(late.frame);
            else held.push({ ...late, dueIn: late.dueIn - 1 });
          }
          if (isAwaiting && answerIn-- <= 0) {
            send(publisher.snapshot(), answerFate); // which may go wrong as any frame may
            answerIn = patience;
          }
        }

        receive(publisher.snapshot());
        for (const { frame } of held) receive(frame);
        expect(pictureOf(replica)).toEqual(publisher.history.get(publisher.seq));
        expect(replica.seq).toBe(publisher.seq);
        if (everBroken) brokenRuns += 1;
      }),
      { numRuns: 400 },
    );
    // else the channel was not hostile, or the replica never live, and nothing was tested
    expect(brokenRuns).toBeGreaterThan(50);
    expect(liveSteps).toBeGreaterThan(50);
  });
});

describe('BookReplica', () => {
  let publisher: Publisher;
  let replica: BookReplica;

  beforeEach(() => {
    publisher = new Publisher();
    replica = new BookReplica();
    publisher.replace([100, 5, 99, 7], [101, 3], 100);
    publisher.state('live', null);
  });

  test('is syncing until the first snapshot, and ignores what comes before it', () => {
    expect(replica.state).toBe('syncing');
    expect(replica.apply(publisher.delta([100, 6], []))).toBe('ignored');
    expect([replica.state, replica.seq]).toEqual(['syncing', -1]);
    expect(replica.apply(publisher.snapshot())).toBe('applied');
    expect([replica.state, replica.seq]).toEqual(['live', 3]);
  });

  test('takes a whole frame over: levels, sequence, times, merged updates', () => {
    replica.apply([1, 7, 40, 1, 500, 1_000, -3, 100, [0, 5], [2, 3], checksumOf([100, 5], [101, 3])]);
    expect(replica).toMatchObject({
      state: 'live',
      seq: 40,
      timeMs: 1_000,
      lagMs: -3,
      merged: 0,
      ageMs: 0,
      verified: 1,
    });
    expect(replica.isDelta).toBe(false);
    replica.apply([2, 7, 41, 4, 250, 180, 12, [0, 6], [3, 2, 9]]);
    expect(replica.isDelta).toBe(true);
    expect(replica).toMatchObject({ seq: 41, timeMs: 1_250, lagMs: 12, merged: 4, ageMs: 180, verified: 1 });
    expect(replica.book.sequence).toBe(504);
    expect(replica.book.bids.toFlat()).toEqual([100, 6]);
    expect(replica.book.asks.toFlat()).toEqual([102, 9]);
    replica.apply([3, 7, 42, 2, 10, 'no update for over 5 s']);
    expect(replica).toMatchObject({
      state: 'stale',
      seq: 42,
      timeMs: 1_260,
      reason: 'no update for over 5 s',
      isDelta: false,
    });
  });

  test('a gap breaks it: the levels stay to be looked at, the state says not to trust them', () => {
    replica.apply(publisher.snapshot());
    publisher.delta([100, 6], []);
    const levels = replica.book.bids.toFlat();
    expect(replica.apply(publisher.delta([98, 1], []))).toBe('broken');
    expect(replica.error).toMatchObject({ code: 'sequence_gap', details: { expected: 3, got: 4 } });
    expect(replica.state).toBe('recovering');
    expect(replica.book.bids.toFlat()).toEqual(levels);
    expect(replica.apply(publisher.delta([98, 2], []))).toBe('ignored');
    expect(replica.apply(publisher.snapshot())).toBe('applied');
    expect(replica).toMatchObject({ state: 'live', error: null });
  });

  test('a wrong checksum breaks it, in a delta and in a snapshot', () => {
    replica.apply(publisher.snapshot());
    expect(replica.apply(publisher.delta([100, 6], []).with(-1, 7))).toBe('broken');
    expect(replica.error).toMatchObject({ code: 'checksum_mismatch' });
    expect(replica.apply(publisher.snapshot().with(-1, 7))).toBe('broken');
    expect(replica.state).toBe('recovering');
    expect(replica.apply(publisher.snapshot())).toBe('applied');
    expect(replica.state).toBe('live');
  });

  test.each<[string, (snapshot: Frame, delta: Frame, state: Frame) => Frame]>([
    ['an unknown frame code', (_, delta) => delta.with(0, 77)],
    ['a sequence that is no integer', (_, delta) => delta.with(2, '3')],
    ['levels that are none', (_, delta) => delta.with(7, 'x')],
    ['merged that is no integer', (_, delta) => delta.with(3, null)],
    ['a state that is not one', (_, __, state) => state.with(3, 4)],
    ['a state that is a method of arrays', (_, __, state) => state.with(3, 'length')],
    ['a snapshot without a reference', (snapshot) => snapshot.with(2, 9).with(7, null)],
    ['what cannot be shown', (_, delta) => delta.with(2, { toString: 1 })],
    ['a checksum that cannot be shown', (_, delta) => delta.with(-1, { toString: 1 })],
    ['a snapshot without a checksum', (snapshot) => snapshot.with(2, 9).slice(0, 10)],
    ['prices past 2^53', (_, delta) => delta.with(7, [-(2 ** 53 - 2), 1, 2 ** 53 - 2, 1])],
  ])('%s breaks it', (_, change) => {
    replica.apply(publisher.snapshot());
    const snapshot = publisher.snapshot();
    const next = change(snapshot, publisher.delta([100, 6], []), [3, 1, 3, 1, 0, null]);
    expect(replica.apply(next)).toBe('broken');
    expect(['malformed_frame', 'checksum_mismatch']).toContain(replica.error!.code);
    expect(replica.state).toBe('recovering');
  });

  test('ignores frames it has had, snapshots too', () => {
    const first = publisher.snapshot();
    replica.apply(first);
    const second = publisher.delta([100, 6], []);
    replica.apply(second);
    expect(replica.apply(second)).toBe('ignored');
    expect(replica.apply(first)).toBe('ignored');
    expect(replica.apply(publisher.snapshot())).toBe('ignored');
    expect(pictureOf(replica)).toEqual(publisher.history.get(3));
  });

  test('takes a newer snapshot unasked', () => {
    replica.apply(publisher.snapshot());
    publisher.delta([100, 6], []);
    expect(replica.apply(publisher.replace([90, 1], [91, 1], 90))).toBe('applied');
    expect(pictureOf(replica)).toEqual(publisher.history.get(publisher.seq));
    expect(replica.apply(publisher.delta([89, 4], []))).toBe('applied');
    expect(replica.book.bids.toFlat()).toEqual([90, 1, 89, 4]);
  });

  test('is recovering after a restart, until the new channel’s snapshot, whatever its sequence', () => {
    replica.apply(publisher.snapshot());
    replica.restart();
    expect(replica.state).toBe('recovering');
    expect(replica.book.bids.count).toBe(2);
    expect(replica.apply([2, 9, 1, 1, 0, 0, null, [], []])).toBe('ignored');
    expect(replica.apply([1, 9, 0, 1, 1, 5, null, 0, [], [], checksumOf([], [])])).toBe('applied');
    expect(replica).toMatchObject({ state: 'live', seq: 0 });
    expect(replica.book.bids.count).toBe(0);
  });

  test('stays syncing over a restart before it ever had a book', () => {
    replica.restart();
    expect(replica).toMatchObject({ state: 'syncing', seq: -1 });
  });

  test('any frame at all is applied, ignored or broken, never a throw', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.array(fc.anything(), { maxLength: 11 }),
            fc.tuple(
              fc.constantFrom(1, 2, 3),
              fc.constant(1),
              fc.nat(5),
              fc.anything(),
              fc.anything(),
              fc.anything(),
              fc.anything(),
              fc.anything(),
              fc.anything(),
              fc.anything(),
              fc.anything(),
            ),
          ),
        ),
        (frames) => {
          const own = new BookReplica();
          for (const frame of frames) expect(['applied', 'ignored', 'broken']).toContain(own.apply(frame));
        },
      ),
      { numRuns: 300 },
    );
  });
});

function checksumOf(bids: number[], asks: number[]): number {
  const book = new OrderBook();
  book.loadSnapshot(bids, asks);
  return bookChecksum(book);
}
