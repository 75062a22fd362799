import { decimalScale, type EpochMs, type Instrument } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { FeedObserver } from '../kit/index.ts';
import type { OutletOptions } from './instrument-outlet.ts';
import type { PriceLevel } from './levels.ts';
import { Session } from './session.ts';
import { StreamBook } from './stream-book.ts';
import { VirtualClock } from './virtual-clock.ts';

const T0 = 1_700_000_000_000;
const ABC: Instrument = {
  id: 'test:ABC-USD',
  venue: 'test',
  symbol: 'ABC',
  base: 'ABC',
  quote: 'USD',
  kind: 'spot',
  name: 'ABC / USD',
  tick: decimalScale(2),
  lot: decimalScale(1),
  status: 'trading',
  origin: 'live',
  staleAfterMs: 60_000,
};

/** A session whose frames are functions called by hand. */
function start(outlet: OutletOptions = {}) {
  const clock = new VirtualClock(T0);
  const observer = new FeedObserver(clock);
  const sent: string[] = [];
  const reconnects: string[] = [];
  observer.context.emit({ type: 'instrument', instrument: ABC });
  const session = new Session<StreamBook>(
    {
      market: 'spot',
      endpoints: { ws: '', rest: '' },
      instruments: [ABC],
      io: {
        clock,
        log: observer.context.log,
        emit: observer.context.emit,
        send: (text) => sent.push(text),
        get: () => undefined,
        replaceConnection: () => undefined,
        reconnect: (reason) => reconnects.push(reason),
      },
    },
    (self) => ({
      outlet,
      createBook: (out) =>
        new StreamBook(out, self, (symbol) => [`unsubscribe ${symbol}`, `subscribe ${symbol}`]),
      subscribe: (symbols) => [`subscribe ${symbols.join()}`],
      onFrame: () => undefined,
      concerned: () => null,
    }),
  );
  session.onOpen();
  const book = session.books.get('ABC')!;
  const levels = (bids: PriceLevel[], asks: PriceLevel[] = []) => ({
    bids,
    asks,
    venueTimeMs: null,
    receiveTimeMs: T0 as EpochMs,
  });
  return {
    clock,
    session,
    book,
    sent,
    reconnects,
    levels,
    market: observer.market('ABC'),
    text: () => observer.text('ABC'),
    after(ms: number) {
      clock.advanceTo(clock.now() + ms);
    },
  };
}

function startLive(outlet?: OutletOptions) {
  const run = start(outlet);
  run.book.snapshot(run.levels([['1.00', '5']], [['1.01', '5']]));
  run.sent.length = 0;
  run.market.states.length = 0;
  return run;
}

describe('StreamBook', () => {
  it('is live with its snapshot, and takes no update before', () => {
    const { book, levels, market, sent, text } = start();
    expect(sent).toEqual(['subscribe ABC']);
    expect(book.delta(levels([['0.99', '1']]))).toBe(false);
    expect(book.snapshot(levels([['1.00', '5']]))).toBe(true);
    expect(book.delta(levels([['0.99', '1']]))).toBe(true);
    expect(market.states).toEqual(['syncing', 'live']);
    expect(text().bids).toEqual([
      ['1', '5'],
      ['0.99', '1'],
    ]);
  });

  it('is taken anew alone after a gap, at once', () => {
    const { book, session, market, sent, levels } = startLive();
    book.link();
    book.gap('expected 5, got 7');
    expect(market).toMatchObject({ state: 'recovering', reason: 'expected 5, got 7' });
    expect(sent).toEqual(['unsubscribe ABC', 'subscribe ABC']);
    expect(book.delta(levels([['1.00', '9']]))).toBe(false);
    book.snapshot(levels([['1.00', '6']]));
    expect(market.states).toEqual(['recovering', 'live']);
    expect(session.stats).toMatchObject({ links: 1, gaps: 1, resyncs: 1 });
  });

  it('asks later each time, and for another connection after three tries in vain', () => {
    const { book, sent, reconnects, after } = startLive();
    book.gap('lost');
    const asked = () => sent.splice(0).length / 2;
    expect(asked()).toBe(1);
    after(10_000); // no snapshot came
    expect(asked()).toBe(0);
    after(1_000);
    expect(asked()).toBe(1);
    after(10_000 + 2_000);
    expect(asked()).toBe(1);
    expect(reconnects).toEqual([]);
    after(10_000);
    expect(reconnects).toEqual([expect.stringMatching(/^test:ABC-USD failed 3 times.*no snapshot came/)]);
  });

  it('costs the others their connection once, and is then asked for alone, ever more seldom', () => {
    const { book, session, sent, reconnects, after, levels } = startLive();
    const fail = () => {
      for (const waitMs of [10_000, 11_000, 12_000]) after(waitMs);
    };
    book.gap('lost');
    fail();
    expect(reconnects).toHaveLength(1);
    session.onClose('made anew');
    session.onOpen();
    after(30_000);
    fail();
    sent.length = 0;
    for (const waitMs of [60_000, 120_000, 240_000, 480_000, 600_000, 600_000]) {
      after(waitMs - 1);
      expect(sent).toEqual([]);
      after(1);
      expect(sent.splice(0)).toEqual(['unsubscribe ABC', 'subscribe ABC']);
      after(10_000);
    }
    expect(reconnects).toHaveLength(1);
    book.snapshot(levels([['1.00', '5']]));
    after(30_000);
    book.gap('lost after it was stable');
    fail();
    expect(reconnects).toHaveLength(2);
  });

  it('costs nobody a connection while its instrument does not trade', () => {
    const { book, session, reconnects, sent, after } = startLive();
    session.update({ ...ABC, status: 'halted' });
    book.gap('lost');
    sent.length = 0;
    after(300_000);
    expect(reconnects).toEqual([]);
    expect(sent.length).toBeGreaterThan(4);
  });

  it('counts its tries over snapshots that turn out wrong, and forgets them once it was stable', () => {
    const { book, sent, levels, after } = startLive();
    for (const expected of [1, 0]) {
      book.gap('lost');
      expect(sent.splice(0).length / 2).toBe(expected);
      book.snapshot(levels([['1.00', '5']]));
    }
    after(30_000);
    book.gap('lost');
    expect(sent.splice(0).length / 2).toBe(1);
  });

  it('asks for the first snapshot again where it never comes', () => {
    const { sent, after } = start();
    sent.length = 0;
    after(30_000);
    expect(sent).toEqual(['unsubscribe ABC', 'subscribe ABC']);
  });

  it('does not trust itself in doubt: a link proves it right, time does not', () => {
    const first = startLive();
    first.book.doubt('unreadable');
    first.book.doubt('unreadable');
    expect(first.market.states).toEqual(['recovering']);
    first.book.link();
    expect(first.market.states).toEqual(['recovering', 'live']);
    first.after(60_000);
    expect(first.sent).toEqual([]);

    const second = startLive();
    second.book.doubt('unreadable');
    second.after(5_000);
    expect(second.sent).toEqual(['unsubscribe ABC', 'subscribe ABC']);
    expect(second.session.stats.resyncs).toBe(1);
  });

  it('is lost by an update that it cannot apply, of which nothing is seen', () => {
    const { book, levels, market, session, text } = startLive();
    expect(book.delta(levels([['1.005', '1']]))).toBe(false);
    expect(market.reason).toMatch(/^off_grid/);
    expect(session.stats.malformed).toBe(1);
    expect(text().bids).toEqual([['1', '5']]);
    book.snapshot(levels([['1.00', '5']]));
    expect(market.instrument.tick.decimals).toBe(3); // the level may lie too deep for the snapshot
  });

  it('lets nothing through that fails its checksum', () => {
    const { book, levels, market, session, text } = startLive({ keepsBook: true });
    const sizeIs = (lots: number) => (kept: { bids: { lotsAt(rank: number): number } }) =>
      kept.bids.lotsAt(0) === lots ? null : 'checksum 1, expected 2';
    expect(book.delta(levels([['1.00', '6']]), sizeIs(60))).toBe(true);
    expect(book.delta(levels([['1.00', '7']]), sizeIs(80))).toBe(false);
    expect(text().bids).toEqual([['1', '6']]);
    expect(market.reason).toBe('checksum_mismatch: checksum 1, expected 2');
    expect(book.snapshot(levels([['1.00', '1']]), sizeIs(80))).toBe(false);
    expect(market.state).toBe('recovering');
    expect(book.snapshot(levels([['1.00', '8']]), sizeIs(80))).toBe(true);
    expect(session.stats).toMatchObject({ checksumsOk: 2, checksumsBad: 2, resyncs: 1 });
  });

  it('drops what falls out of the depth that the venue keeps up', () => {
    const { book, levels, text } = start({ keepsBook: true, depth: 2 });
    book.snapshot(
      levels([
        ['1.00', '5'],
        ['0.99', '5'],
        ['0.98', '5'],
      ]),
    );
    expect(text().bids.map(([price]) => price)).toEqual(['1', '0.99']);
    book.delta(levels([['1.01', '5']]));
    expect(text().bids.map(([price]) => price)).toEqual(['1.01', '1']);
  });

  it('waits a minute before it asks for what was refused', () => {
    const { book, sent, market, after } = start();
    sent.length = 0;
    book.refused('no such symbol');
    expect(market).toMatchObject({
      state: 'recovering',
      reason: 'the venue refused the subscription: no such symbol',
    });
    after(59_999);
    expect(sent).toEqual([]);
    after(1);
    expect(sent).toHaveLength(2);
  });

  it('does nothing while there is no connection', () => {
    const { book, session, sent, market, levels, after } = startLive();
    session.onClose('cut off');
    expect(session.stats.resyncs).toBe(1);
    market.states.length = 0;
    book.doubt('x');
    book.resync('x');
    book.refused('x');
    expect(book.snapshot(levels([['1.00', '5']]))).toBe(false);
    after(600_000);
    expect([sent, market.states]).toEqual([[], []]);
    session.onOpen();
    expect(market).toMatchObject({ state: 'syncing', reason: 'cut off' });
  });

  it('passes errors on that are not typed', () => {
    const { book, levels } = startLive({ keepsBook: true });
    const broken = () => {
      throw new TypeError('a mistake of ours');
    };
    expect(() => book.delta(levels([['1.00', '5']]), broken)).toThrow(TypeError);
  });
});
