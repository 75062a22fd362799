import { AsyncResource } from 'node:async_hooks';
import { systemClock, type Feed, type FeedContext, type FeedLog } from '@depthwire/feeds';
import { formatUnitsShortest, type BookSide, type Scale } from '@depthwire/shared';
import { BookRelay } from '../../../feeds/src/core/book-relay.ts';
import { guardSession } from '../../../feeds/src/core/guarded-session.ts';
import type { HttpCallback, VenueSession } from '../../../feeds/src/core/venue.ts';
import { createMemoryBus } from '../../../server/src/bus/bus.ts';
import { Engine } from '../../../server/src/engine/engine.ts';
import { GuardedFeed } from '../../../server/src/engine/guarded-feed.ts';
import type { PlainBook } from './books.ts';
import type { TellBooks } from './pass.ts';
import { MARKET, venue, type Recording } from './recordings.ts';

const quiet: FeedLog = { debug() {}, info() {}, warn() {}, error() {} };

/** The venue's feed as it is live, but for its socket and its HTTP: those are played by the recording. */
class RecordedFeed implements Feed {
  readonly id = 'recorded';
  readonly #recording: Recording;
  readonly #asked = new Map<string, HttpCallback>();
  #onFrame: VenueSession['onFrame'] = () => {};
  #socket: AsyncResource | null = null;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  start(context: FeedContext): Promise<void> {
    const { clock, log, emit, fail } = context;
    const { instruments } = this.#recording;
    for (const instrument of instruments) emit({ type: 'instrument', instrument });
    const source = new BookRelay(clock, emit).open(instruments);
    const created = venue.createSession({
      market: MARKET,
      endpoints: venue.markets[MARKET]!,
      instruments,
      io: {
        clock,
        log,
        emit: source.emit,
        send() {},
        get: (url, callback) => this.#asked.set(venue.capture.snapshotSymbol(url, MARKET)!, callback),
        replaceConnection() {},
        reconnect() {},
      },
    });
    const session = guardSession(created, fail);
    session.onOpen(true);
    this.#onFrame = session.onFrame;
    // Its callbacks run in the name of the feed that opened it.
    this.#socket = new AsyncResource('socket');
    return Promise.resolve();
  }

  hear(text: string): void {
    this.#socket!.runInAsyncScope(this.#onFrame, undefined, text, systemClock.now());
  }

  answer(symbol: string, body: string): void {
    const callback = this.#asked.get(symbol);
    this.#asked.delete(symbol);
    if (!callback) return;
    const response = { status: 200, body, retryAfterMs: null, receiveTimeMs: systemClock.now() };
    this.#socket!.runInAsyncScope(callback, undefined, response);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** Takes a recording from its frames to the bus, whose subscriber reads every level. */
export async function ingest(recording: Recording): Promise<TellBooks> {
  const feed = new RecordedFeed(recording);
  const bus = createMemoryBus();
  const engine = new Engine({ clock: systemClock, bus, log: quiet });
  let failure: Error | null = null;
  const guarded = new GuardedFeed(
    { id: feed.id, create: () => feed },
    { clock: systemClock, log: quiet, onFailure: (error) => (failure = error) },
  );
  let sum = 0;
  bus.subscribe((event) => {
    if (event.type !== 'book-delta' && event.type !== 'book-snapshot') return;
    const { bids, asks } = event;
    for (let i = 0; i < bids.length; i++) sum += bids[i]!;
    for (let i = 0; i < asks.length; i++) sum += asks[i]!;
  });
  await engine.addFeed(guarded, { onRefused: (error) => guarded.onRefused(error) });
  for (const arrival of recording.arrivals) {
    if (arrival.kind === 'frame') feed.hear(arrival.text);
    else feed.answer(arrival.symbol, arrival.body);
  }
  await engine.stop();
  if (failure) throw new Error('the feed failed', { cause: failure });
  if (!Number.isSafeInteger(sum)) throw new Error('what the subscriber read are no whole numbers');
  return (hash) => {
    for (const { instrument, book, state, reason } of engine.markets.values()) {
      if (state !== 'live') throw new Error(`${instrument.id} is ${state}: ${reason}`);
      const { symbol, tick, lot } = instrument;
      hash.add(symbol, { bids: levelsOf(book.bids, tick, lot), asks: levelsOf(book.asks, tick, lot) });
    }
  };
}

function levelsOf(side: BookSide, tick: Scale, lot: Scale): PlainBook['bids'] {
  const number = (units: number, scale: Scale) => Number(formatUnitsShortest(units, scale));
  return Array.from({ length: side.count }, (_, rank) => [
    number(side.ticksAt(rank), tick),
    number(side.lotsAt(rank), lot),
  ]);
}
