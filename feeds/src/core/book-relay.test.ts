import {
  decimalScale,
  type BookState,
  type EpochMs,
  type FeedEvent,
  type Instrument,
  type Lots,
  type Ticks,
} from '@depthwire/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import { FeedObserver } from '../kit/index.ts';
import { BookRelay } from './book-relay.ts';
import { VirtualClock } from './virtual-clock.ts';

const T0 = 1_700_000_000_000;
const instrument = (id: string): Instrument => ({
  id,
  venue: 'test',
  symbol: id.slice(5),
  base: 'A',
  quote: 'B',
  kind: 'spot',
  name: id,
  tick: decimalScale(0),
  lot: decimalScale(0),
  status: 'trading',
  origin: 'live',
  staleAfterMs: 60_000,
});
const A = 'test:A-X';
const B = 'test:B-X';

const at = (ms: number) => ({ venueTimeMs: (T0 + ms) as EpochMs, receiveTimeMs: (T0 + ms) as EpochMs });
const snapshot = (id: string, ms: number, bids: number[], asks: number[] = []): FeedEvent => ({
  type: 'book-snapshot',
  instrument: id,
  bids,
  asks,
  ...at(ms),
});
const delta = (id: string, ms: number, bids: number[]): FeedEvent => ({
  type: 'book-delta',
  instrument: id,
  bids,
  asks: [],
  ...at(ms),
});
const status = (id: string, state: BookState, reason: string | null = null): FeedEvent => ({
  type: 'book-status',
  instrument: id,
  timeMs: T0 as EpochMs,
  state,
  reason,
});
const trade = (id: string, tradeId: number): FeedEvent => ({
  type: 'trade',
  instrument: id,
  id: tradeId,
  price: 1 as Ticks,
  size: 1 as Lots,
  side: 'buy',
  ...at(0),
});

let observer: FeedObserver;
let events: FeedEvent[];
let relay: BookRelay;
let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock(T0);
  events = [];
  observer = new FeedObserver(clock, (event) => events.push(event));
  for (const id of [A, B]) observer.context.emit({ type: 'instrument', instrument: instrument(id) });
  events = [];
  relay = new BookRelay(clock, (event) => observer.context.emit(event));
});

const live = (id: string, ms: number, bids: number[]) => [
  status(id, 'syncing'),
  snapshot(id, ms, bids),
  status(id, 'live'),
];
const feed = (source: { emit(event: FeedEvent): void }, list: readonly FeedEvent[]) =>
  list.forEach(source.emit);

describe('BookRelay', () => {
  it('passes what a single source tells', () => {
    const list = [...live(A, 0, [10, 1]), delta(A, 1, [10, 2]), trade(A, 1), status(A, 'recovering', 'gap')];
    feed(relay.open([]), list);
    expect(events).toEqual(list);
  });

  it('goes on with the first while the second is not live, and then with the second without a break', () => {
    const taken: string[] = [];
    const first = relay.open([]);
    feed(first, live(A, 0, [10, 1]));
    const second = relay.open([], (id) => taken.push(id));
    feed(second, [status(A, 'syncing'), snapshot(A, 5, [10, 5, 9, 1]), delta(A, 6, [9, 0, 8, 3])]);
    first.emit(delta(A, 6, [10, 2]));
    expect(observer.text(A).bids).toEqual([['10', '2']]);
    second.emit(status(A, 'live'));
    expect(observer.text(A).bids).toEqual([
      ['10', '5'],
      ['8', '3'],
    ]);
    feed(first, [delta(A, 9, [10, 77]), status(A, 'recovering', 'cut off')]);
    second.emit(delta(A, 9, [10, 6]));
    expect(observer.text(A).bids[0]).toEqual(['10', '6']);
    expect(observer.market(A).states).toEqual(['syncing', 'live']);
    expect(taken).toEqual([A]);
  });

  it('tells the instrument again where the one that takes over counts in other ticks', () => {
    const coarse = instrument(A);
    const fine = { ...coarse, tick: decimalScale(1) };
    const first = relay.open([coarse]);
    feed(first, [{ type: 'instrument', instrument: fine }, ...live(A, 0, [1005, 1])]);
    const second = relay.open([coarse]);
    feed(second, live(A, 5, [100, 2]));
    expect(observer.market(A).instrument.tick.decimals).toBe(0);
    expect(observer.text(A).bids).toEqual([['100', '2']]);
    const third = relay.open([coarse]);
    events = [];
    feed(third, live(A, 6, [100, 3]));
    expect(events.map(({ type }) => type)).toEqual(['book-snapshot']); // the same ticks
  });

  it('does not go back in time', () => {
    const first = relay.open([]);
    feed(first, [...live(A, 0, [10, 1]), delta(A, 100, [10, 2])]);
    const second = relay.open([]);
    feed(second, live(A, 50, [10, 1]));
    expect(observer.text(A).bids).toEqual([['10', '2']]);
    second.emit(delta(A, 100, [10, 2, 9, 1]));
    expect(observer.text(A).bids).toEqual([
      ['10', '2'],
      ['9', '1'],
    ]);
  });

  it('does not go back within a millisecond: of several updates of it, all have to be there', () => {
    const first = relay.open([]);
    feed(first, [...live(A, 5, [10, 1]), delta(A, 6, [10, 2]), delta(A, 6, [10, 3])]);
    const second = relay.open([]);
    feed(second, [...live(A, 5, [10, 1]), delta(A, 6, [10, 2])]);
    expect(observer.text(A).bids).toEqual([['10', '3']]);
    expect(events.filter(({ type }) => type === 'book-snapshot')).toHaveLength(1);
    second.emit(delta(A, 6, [10, 3]));
    expect(events.filter(({ type }) => type === 'book-snapshot')).toHaveLength(2);
  });

  it('takes over from a book that stands still, after a while, where a snapshot hides how far it is', () => {
    const first = relay.open([]);
    feed(first, [...live(A, 5, [10, 1]), delta(A, 6, [10, 2])]);
    const taken: string[] = [];
    const second = relay.open([], (id) => taken.push(id));
    feed(second, live(A, 6, [10, 2]));
    clock.advanceTo(T0 + 900);
    first.emit(delta(A, 6, [10, 3])); // not still
    clock.advanceTo(T0 + 1_800);
    expect(taken).toEqual([]);
    second.emit(delta(A, 6, [10, 3]));
    clock.advanceTo(T0 + 2_900);
    expect(taken).toEqual([A]);
  });

  it('takes over at once where the first is not live', () => {
    const first = relay.open([]);
    feed(first, [...live(A, 100, [10, 1]), status(A, 'recovering', 'gap')]);
    feed(relay.open([]), live(A, 50, [7, 1]));
    expect(observer.market(A).states).toEqual(['syncing', 'live', 'recovering', 'live']);
    expect(observer.text(A).bids).toEqual([['7', '1']]);
  });

  it('keeps instruments apart', () => {
    const first = relay.open([]);
    feed(first, [...live(A, 0, [10, 1]), ...live(B, 0, [20, 1])]);
    const second = relay.open([]);
    feed(second, live(B, 5, [21, 1]));
    first.emit(delta(A, 6, [10, 3]));
    first.emit(delta(B, 6, [20, 0]));
    expect(observer.text(A).bids).toEqual([['10', '3']]);
    expect(observer.text(B).bids).toEqual([['21', '1']]);
  });

  it('hears the other one, with what it holds, where the source that is heard closes', () => {
    const first = relay.open([]);
    feed(first, live(A, 0, [10, 1]));
    const second = relay.open([]);
    feed(second, [status(A, 'syncing'), snapshot(A, 5, [11, 1])]);
    first.close();
    expect(observer.market(A).states).toEqual(['syncing', 'live', 'syncing']);
    expect(observer.text(A).bids).toEqual([['11', '1']]);
    second.emit(status(A, 'live'));
    expect(observer.isLive(A)).toBe(true);
    first.close();
    first.emit(status(A, 'stale', 'late'));
    expect(observer.isLive(A)).toBe(true);
  });

  it('is heard again from anybody once nobody is left', () => {
    const first = relay.open([]);
    feed(first, live(A, 0, [10, 1]));
    first.close();
    feed(relay.open([]), live(A, 5, [11, 1]));
    expect(observer.market(A).states).toEqual(['syncing', 'live', 'syncing', 'live']);
  });

  it('passes a trade once, whoever brings it first', () => {
    const first = relay.open([]);
    const second = relay.open([]);
    first.emit(trade(A, 1));
    second.emit(trade(A, 1));
    second.emit(trade(A, 2));
    first.emit(trade(A, 2));
    second.emit(trade(B, 1));
    expect(observer.market(A).trades.map(({ id }) => id)).toEqual([1, 2]);
    expect(observer.market(B).trades).toHaveLength(1);
  });

  it('remembers the ids of the last 512 trades, and no more', () => {
    const source = relay.open([]);
    const ids = () => observer.market(A).trades.map(({ id }) => id);
    const many = Array.from({ length: 1_500 }, (_, i) => i + 1);
    for (const id of many) source.emit(trade(A, id));
    for (const id of many.slice(-512)) source.emit(trade(A, id));
    expect(ids()).toEqual(many);
    source.emit(trade(A, 1_500 - 512));
    expect(ids()).toHaveLength(1_501);
    source.emit(trade(A, 1_500 - 511)); // the oldest, forgotten for the one before
    expect(ids()).toHaveLength(1_502);
    source.emit(trade(A, 1_500));
    expect(ids()).toHaveLength(1_502);
  });

  it('announces a finer grid only with the book that needs it', () => {
    const first = relay.open([]);
    feed(first, live(A, 0, [10, 1]));
    const second = relay.open([]);
    const finer = { ...instrument(A), tick: decimalScale(1) };
    second.emit(status(A, 'syncing'));
    second.emit({ type: 'instrument', instrument: finer });
    second.emit(snapshot(A, 5, [105, 1]));
    expect(observer.market(A).instrument.tick.decimals).toBe(0);
    second.emit(status(A, 'live'));
    expect(observer.text(A).bids).toEqual([['10.5', '1']]);
  });

  describe('where a later source takes over only a book that is not live', () => {
    beforeEach(() => {
      relay = new BookRelay(new VirtualClock(T0), (event) => observer.context.emit(event), 'late');
    });

    it('stays with the first until it is not live', () => {
      const [first, second] = [relay.open([]), relay.open([])];
      feed(first, live(A, 0, [10, 1]));
      feed(second, [...live(A, 5, [10, 5]), delta(A, 6, [10, 6])]);
      expect(observer.text(A).bids).toEqual([['10', '1']]);
      first.emit(status(A, 'recovering', 'gap'));
      second.emit(delta(A, 7, [9, 1]));
      expect(observer.isLive(A)).toBe(true);
      expect(observer.text(A).bids).toEqual([
        ['10', '6'],
        ['9', '1'],
      ]);
    });

    it('goes over to the newest other one that has it where a source ends with it', () => {
      const [first, second] = [relay.open([]), relay.open([])];
      feed(first, [...live(A, 0, [10, 1]), ...live(B, 0, [10, 1])]);
      feed(second, [...live(A, 0, [10, 5]), status(B, 'syncing')]);
      first.endBook(A, 'over');
      first.endBook(B, 'over');
      first.endBook(A, 'over');
      expect(observer.text(A).bids).toEqual([['10', '5']]);
      expect(observer.isLive(A)).toBe(true);
      expect(observer.market(B)).toMatchObject({ state: 'syncing', reason: 'over' });
    });

    it('hears no more of a book that a source has ended with, whatever its session still says', () => {
      const [first, second] = [relay.open([]), relay.open([])];
      feed(first, live(A, 0, [10, 1]));
      first.endBook(A, 'over');
      expect(observer.market(A)).toMatchObject({ state: 'recovering', reason: 'over' });
      feed(first, [snapshot(A, 1, [10, 7]), status(A, 'live'), trade(A, 9)]);
      expect(observer.isLive(A)).toBe(false);
      expect(observer.market(A).trades).toHaveLength(1);
      feed(second, live(A, 0, [10, 5]));
      expect(observer.text(A).bids).toEqual([['10', '5']]);
      expect(observer.isLive(A)).toBe(true);
    });
  });
});
