import {
  bookChecksum,
  BookReplica,
  frameCodes,
  type ClientRequest,
  type DataFrame,
  type Subscribed,
} from '@depthwire/shared';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsIn } from '../../test/event-reader.ts';
import { silentLog, ScriptedFeed, START_MS, startMarket, testInstrument } from '../../test/markets.ts';
import { localOwner } from '../../test/owners.ts';
import { parsePosition } from './position.ts';
import { Session, type SessionSocket } from './session.ts';

const ids = ['test:AAA-USD', 'test:BBB-USD'] as const;
const requests: ClientRequest[] = [
  { op: 'subscribe', id: 1, topic: 'book', instrument: ids[0], depth: 5, cadence: 0 },
  { op: 'subscribe', id: 2, topic: 'book', instrument: ids[1], depth: 0, cadence: 20 },
  { op: 'subscribe', id: 3, topic: 'trades', instrument: ids[0], cadence: 0 },
];
const limits = {
  heartbeatMs: 1e9,
  maxMessageBytes: 1e6,
  maxSubscriptions: 9,
  maxBufferedBytes: 600,
  maxRequestsPerSecond: 1_000,
  idleMs: 1e9,
  authenticateWithinMs: 10_000,
};

/** What was written to a client, and how much of it waits. */
class Written implements SessionSocket {
  text = '';
  bufferedBytes = 0;
  isStalled = false;
  #onDrained: (() => void)[] = [];

  write(events: Uint8Array): void {
    this.text += Buffer.from(events).toString('utf8');
    if (this.isStalled) this.bufferedBytes += events.length;
  }

  /** Takes all, and tells nobody, as a stream does of which little waits. */
  take(): void {
    this.isStalled = false;
    this.bufferedBytes = 0;
  }

  flow(): void {
    this.take();
    for (const task of this.#onDrained.splice(0)) task();
  }

  close(): void {}
  terminate(): void {}

  pause(): void {}
  resume(): void {}
  onceDrained(task: () => void): void {
    this.#onDrained.push(task);
  }
}

/** A program that reads events, over all of its connections. */
class Program {
  readonly books = new Map<string, BookReplica>();
  readonly #byChannel = new Map<number, BookReplica>();
  newestTrade = 0;
  lastEventId = '';

  read(text: string): void {
    const { events, lastEventId } = eventsIn(text);
    for (const { event, data } of events) {
      const message = JSON.parse(data) as Subscribed | DataFrame;
      if (!Array.isArray(message)) {
        if (event === 'subscribed') this.#onSubscribed(message);
      } else if (event === 'trades') this.#onTrades(message);
      else expect(this.#byChannel.get(message[1])!.apply(message)).toBe('applied');
    }
    this.lastEventId = lastEventId ?? this.lastEventId;
  }

  #onSubscribed({ ch, seq, topic, instrument: { id } }: Subscribed): void {
    if (topic !== 'book') return;
    const replica = this.books.get(id) ?? new BookReplica();
    this.books.set(id, replica);
    this.#byChannel.set(ch, replica);
    if (seq === undefined) replica.restart();
    else replica.resume(seq);
  }

  #onTrades(frame: DataFrame): void {
    const isMerged = frame[0] === frameCodes.tradesMerged;
    const trades = frame.at(isMerged ? 11 : 4) as unknown as [number][];
    const newest = trades.at(-1)?.[0] ?? 0;
    if (frame[0] !== frameCodes.tradesSnapshot)
      expect(newest).toBe(this.newestTrade + (isMerged ? frame[6] : trades.length));
    this.newestTrade = newest;
  }
}

test('a client cut off anywhere goes on from its last id: with every book right, and no trade twice', async () => {
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ book: fc.nat(1), away: fc.nat(9), lots: fc.nat(4) }) },
    { weight: 4, arbitrary: fc.constant('trade' as const) },
    { weight: 3, arbitrary: fc.constantFrom(...(['stall', 'flow', 'take', 'tick'] as const)) },
    { weight: 1, arbitrary: fc.constantFrom('snapshot' as const, 'recovering' as const, 'live' as const) },
    {
      weight: 2,
      arbitrary: fc.record({ cut: fc.nat(1_200), stalls: fc.boolean() }),
    },
  );
  let resumed = 0;
  let merged = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 200 }), async (steps) => {
      const feed = new ScriptedFeed(
        'scripted',
        ids.map((id) => testInstrument(id)),
      );
      const { hub, clock, engine } = await startMarket(feed);
      const levels = (sign: 1 | -1) => Array.from({ length: 10 }, (_, i) => [100 + sign * (i + 1), 3]).flat();
      for (const id of ids) {
        feed.snapshot(levels(-1), levels(1), id);
        feed.state('live', null, id);
      }
      const program = new Program();
      let trades = 0;
      const connect = (lastEventId: string, stalls = false) => {
        const socket = new Written();
        socket.isStalled = stalls;
        const session = new Session({
          ...{ hub, socket, limits, marketClock: clock, wallClock: clock, log: silentLog },
          ...{ id: 'test', server: 'test', encoding: 'events', owner: localOwner() },
        });
        session.start(requests, parsePosition(lastEventId));
        return { socket, session };
      };
      let { socket, session } = connect('');
      /** The client has not got the last bytes that were written to it. */
      const comeBack = (lost: number, stalls: boolean) => {
        const { text } = socket;
        session.onClose(true);
        program.read(text.slice(0, Math.max(0, text.length - lost)));
        ({ socket, session } = connect(program.lastEventId, stalls));
        if (socket.text.includes('"seq":')) resumed += 1;
      };
      for (const [i, each] of steps.entries()) {
        if (each === 'stall') socket.isStalled = true;
        else if (each === 'flow') socket.flow();
        else if (each === 'take') socket.take();
        else if (each === 'tick') session.tick();
        else if (each === 'trade') feed.trade(100, 1, (trades += 1), ids[0]);
        else if (each === 'snapshot') feed.snapshot(levels(-1), levels(1), ids[1]);
        else if (typeof each === 'string') feed.state(each, 'so it is', ids[0]);
        else if ('cut' in each) comeBack(each.cut, each.stalls);
        else feed.delta([99 - each.away, each.lots], [101 + each.away, each.lots], ids[each.book]);
        clock.advanceTo(START_MS + (i + 1) * 7);
      }
      socket.flow();
      clock.advanceTo(START_MS + (steps.length + 10) * 7);
      session.tick();
      program.read(socket.text);
      if (socket.text.includes('data: [10,')) merged += 1;
      for (const [index, id] of ids.entries()) {
        const { book, state } = engine.markets.get(id)!;
        const replica = program.books.get(id)!;
        expect([replica.book.sequence, replica.state]).toEqual([book.sequence, state]);
        expect(replica.book.bids.toFlat()).toEqual(book.bids.toFlat(index === 0 ? 5 : undefined));
        expect(replica.book.asks.toFlat()).toEqual(book.asks.toFlat(index === 0 ? 5 : undefined));
        if (index === 1) expect(bookChecksum(replica.book)).toBe(bookChecksum(book));
      }
      expect(program.newestTrade).toBe(trades);
    }),
    { numRuns: 150 },
  );
  expect(Math.min(resumed, merged)).toBeGreaterThan(10);
});

test.each([
  ['keeps up', false],
  ['lags behind', true],
])('a client that %s gets whole data after each change of an instrument’s scale', async (_, isStalled) => {
  const feed = new ScriptedFeed('scripted', [testInstrument(ids[0])]);
  const { hub, clock } = await startMarket(feed);
  feed.snapshot([100, 5], [101, 4]);
  feed.state('live');
  feed.trade(100, 1, 1);
  const socket = new Written();
  const session = new Session({
    ...{ hub, socket, limits, marketClock: clock, wallClock: clock, log: silentLog },
    ...{ id: 'test', server: 'test', encoding: 'events', owner: localOwner() },
  });
  const instrument = ids[0];
  const all: ClientRequest[] = [
    { op: 'subscribe', id: 1, topic: 'book', instrument, cadence: 5_000 },
    { op: 'subscribe', id: 2, topic: 'trades', instrument, cadence: 0 },
    { op: 'subscribe', id: 3, topic: 'candles', instrument, interval: '1m', cadence: 1_000 },
  ];
  session.start(all, null);
  socket.flow();
  session.tick();
  const before = socket.text.length;
  socket.isStalled = isStalled;
  // Enough for a stalled client to lag.
  for (let id = 2; id < 30; id++) feed.trade(100, 1, id);
  feed.emit({ type: 'instrument', instrument: testInstrument(ids[0], { tick: { units: 1, decimals: 4 } }) });
  feed.snapshot([10_000, 5], [10_050, 4]);
  feed.state('live');
  clock.advanceTo(START_MS + 5_000);
  socket.flow();
  session.tick();
  const { events } = eventsIn(socket.text.slice(before));
  const after = events.slice(events.findLastIndex(({ event }) => event === 'instrument') + 1);
  const first = (topic: string) => JSON.parse(after.find(({ event }) => event === topic)!.data) as DataFrame;
  expect(first('book')[0]).toBe(frameCodes.bookSnapshot);
  expect(first('trades')[0]).toBe(frameCodes.tradesSnapshot);
  expect(first('candles')[0]).toBe(frameCodes.candlesSnapshot);
  const replica = new BookReplica();
  for (const { event, data } of after)
    if (event === 'book') expect(replica.apply(JSON.parse(data) as DataFrame)).toBe('applied');
  expect([replica.state, replica.book.bids.toFlat()]).toEqual(['live', [10_000, 5]]);
});
