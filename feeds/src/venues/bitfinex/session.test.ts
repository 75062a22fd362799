import { describe, expect, it } from 'vitest';
import { OrderBook } from '@depthwire/shared';
import { START_MS, startBareSession } from '../test-harness.ts';
import { bookChecksum } from './checksum.ts';
import { bitfinex } from './index.ts';
import { guessInstrument } from './symbols.ts';

const BTC = 'tBTCUSD';
const ETH = 'tETHUST';
const SEQ = 65_536;
const CHECKSUM = 131_072;
const TIMESTAMP = 32_768;
const BULK = 536_870_912;

type Entry = [price: number, count: number, amount: number];

const subscribed = (chanId: number, symbol: string, channel = 'book', more: object = {}) => ({
  event: 'subscribed',
  channel,
  chanId,
  symbol,
  ...(channel === 'book' ? { prec: 'P0', freq: 'F0', len: '100' } : {}),
  ...more,
});
const BOOK: Entry[] = [
  [100, 1, 5],
  [99, 2, 6],
  [101, 1, -7],
];

/** The checksum of a book with these levels, at no decimals a price and three a size. */
function checksumOf(entries: readonly Entry[]): number {
  const book = new OrderBook();
  const side = (sign: number) =>
    entries
      .filter(([, , amount]) => amount * sign > 0)
      .flatMap(([price, , amount]) => [price, amount * sign * 1000]);
  book.loadSnapshot(side(1), side(-1));
  return bookChecksum(book, { tick: { units: 1, decimals: 0 }, lot: { units: 1, decimals: 3 } });
}

function open(
  flags: number | null = SEQ | CHECKSUM,
  symbols: readonly string[] = [BTC, ETH],
  isSubscribed = false,
) {
  const bench = startBareSession(
    bitfinex,
    'spot',
    symbols.map((symbol) => guessInstrument(symbol, 0, 3)),
  );
  bench.session.onOpen(isSubscribed);
  if (flags !== null) bench.hear({ event: 'conf', status: 'OK', flags });
  return bench;
}

/** Two books, on channels 1 and 2; trades and ticker of the first on 3 and 4. Four frames were numbered. */
function openLive(flags: number | null = SEQ | CHECKSUM) {
  const bench = open(flags);
  bench.hear(
    subscribed(1, BTC),
    [1, BOOK, 1],
    subscribed(2, ETH),
    [2, BOOK, 2],
    subscribed(3, BTC, 'trades'),
    [3, [[1, START_MS, 1, 100]], 3],
    subscribed(4, BTC, 'ticker'),
    [4, [99, 1, 101, 1, -3, -0.03, 100, 50, 110, 90], 4],
  );
  bench.sent();
  return bench;
}

describe('Bitfinex session: subscriptions', () => {
  it('asks for numbers, checksums and times, then for the channels, books first', () => {
    const { sent } = open(null, [BTC]);
    expect(sent()).toEqual([
      { event: 'conf', flags: SEQ | CHECKSUM | TIMESTAMP },
      { event: 'subscribe', channel: 'book', symbol: BTC, prec: 'P0', freq: 'F0', len: '100' },
      { event: 'subscribe', channel: 'trades', symbol: BTC },
      { event: 'subscribe', channel: 'ticker', symbol: BTC },
    ]);
  });

  it('opens another connection where the venue refuses the flags', () => {
    const { hear, reconnected } = open(null);
    hear({ event: 'conf', status: 'FAILED', code: 10001 });
    expect(reconnected).toEqual(['the venue refused sequence numbers and checksums']);
  });

  it('takes an answer that tells no flags for the flags asked for', () => {
    const { hear, observer, session } = open(null, [BTC]);
    hear({ event: 'conf', status: 'OK' }, subscribed(1, BTC), [1, BOOK, 1, START_MS]);
    hear([1, [98, 1, 2], 2, START_MS]);
    expect(observer.market(BTC)).toMatchObject({ state: 'live', deltas: 0 }); // waits for its checksum
    hear([1, [97, 1, 2], 4, START_MS]);
    expect(observer.market(BTC).state).toBe('recovering');
    expect(session.stats).toMatchObject({ gaps: 1, malformed: 0 });
  });

  it('tells that a book was refused, and asks again later', () => {
    const { hear, observer, sent, pass } = open();
    sent();
    hear({ event: 'error', msg: 'symbol: invalid', code: 10300, channel: 'book', symbol: BTC });
    hear({ event: 'error', msg: 'subscribe: dup', code: 10301, channel: 'book', symbol: ETH });
    hear({ event: 'error', msg: 'symbol: invalid', code: 10300, channel: 'ticker', symbol: ETH });
    expect(observer.market(BTC)).toMatchObject({
      state: 'recovering',
      reason: 'the venue refused the subscription: 10300: symbol: invalid',
    });
    expect(observer.market(ETH).state).toBe('syncing');
    hear(subscribed(2, ETH), [2, BOOK, 1]);
    pass(60_000);
    expect(sent()).toMatchObject([{ event: 'subscribe', channel: 'book', symbol: BTC }]);
  });
});

describe('Bitfinex session: books', () => {
  it('is live with the snapshot, and tells changes when their checksum has come', () => {
    const { hear, observer, session } = openLive();
    hear([1, [98, 1, 2], 5], [1, [101, 0, -1], 6], [1, [102, 1, -3], 7]);
    expect(observer.market(BTC)).toMatchObject({ deltas: 0, state: 'live' });
    const after: Entry[] = [
      [100, 1, 5],
      [99, 2, 6],
      [98, 1, 2],
      [102, 1, -3],
    ];
    hear([1, 'cs', checksumOf(after), 8]);
    expect(observer.market(BTC)).toMatchObject({ deltas: 1, states: ['syncing', 'live'] });
    expect(observer.text(BTC)).toEqual({
      bids: [
        ['100', '5'],
        ['99', '6'],
        ['98', '2'],
      ],
      asks: [['102', '3']],
    });
    expect(session.stats).toMatchObject({
      bookUpdates: 5,
      links: 3,
      gaps: 0,
      checksumsOk: 1,
      checksumsBad: 0,
    });
  });

  it('never tells changes whose checksum is wrong, and takes that book alone anew', () => {
    const { hear, observer, sent, session } = openLive();
    hear([1, [98, 1, 2], 5], [1, 'cs', checksumOf(BOOK), 6]);
    expect(observer.market(BTC)).toMatchObject({
      deltas: 0,
      state: 'recovering',
      reason: expect.stringMatching(/^checksum_mismatch: the venue's checksum is /) as string,
    });
    expect(observer.isLive(ETH)).toBe(true);
    expect(sent()).toMatchObject([
      { event: 'unsubscribe', chanId: 1 },
      { event: 'subscribe', channel: 'book', symbol: BTC },
    ]);
    hear([1, [97, 1, 1], 7], { event: 'unsubscribed', status: 'OK', chanId: 1 }, subscribed(9, BTC), [
      9,
      BOOK,
      8,
    ]);
    expect(observer.isLive(BTC)).toBe(true);
    expect(session.stats).toMatchObject({ checksumsBad: 1, resyncs: 1, gaps: 0 });
  });

  it('loses a book at once that a checksum by itself finds wrong', () => {
    const { hear, observer, session } = openLive();
    hear([1, 'cs', checksumOf(BOOK), 5]);
    expect(session.stats.checksumsOk).toBe(1);
    hear([1, 'cs', 5, 6]);
    expect(observer.isLive(BTC)).toBe(false);
  });

  it('tells changes without one after a while, and from then on as they come', () => {
    const { hear, observer, pass } = openLive();
    hear([1, [98, 1, 2], 5], [2, [98, 1, 2], 6]);
    pass(1_500);
    hear([1, [97, 1, 2], 7], [2, 'cs', checksumOf([...BOOK, [98, 1, 2]]), 8]);
    expect(observer.market(BTC).deltas).toBe(0);
    pass(500);
    expect(observer.text(BTC).bids).toHaveLength(4);
    hear([1, [96, 1, 2], 9], [2, [97, 1, 2], 10]);
    expect(observer.text(BTC).bids).toHaveLength(5);
    expect(observer.text(ETH).bids).toHaveLength(3); // its checksums are prompt
    hear([1, 'cs', 1, 11]);
    expect(observer.isLive(BTC)).toBe(false);
  });

  it('tells changes at once where no checksums were asked for, or they cover more than the book', () => {
    const { hear, observer } = openLive(SEQ);
    hear([1, [98, 1, 2], 5]);
    expect(observer.market(BTC).deltas).toBe(1);
    const short = open(SEQ | CHECKSUM, [BTC]);
    short.hear(subscribed(1, BTC, 'book', { len: '1' }), [1, BOOK, 1], [1, [98, 1, 2], 2], [1, 'cs', 5, 3]);
    expect(short.observer.market(BTC)).toMatchObject({ deltas: 1, state: 'live' });
  });

  it('takes a finer grid with a level that lies between its ticks', () => {
    const { hear, observer } = openLive(SEQ);
    hear([1, [99.5, 1, 2], 5]);
    expect(observer.market(BTC)).toMatchObject({ state: 'recovering' });
    hear(subscribed(9, BTC), [9, [...BOOK, [99.5, 1, 2]], 6], [9, [99.7, 1, 3], 7]);
    expect(observer.market(BTC)).toMatchObject({
      state: 'live',
      instrument: { tick: { units: 1, decimals: 1 } },
    });
    expect(observer.text(BTC).bids.map(([price]) => price)).toEqual(['100', '99.7', '99.5', '99']);
  });

  it('takes many changes in one frame for what they are, where the flags say so', () => {
    const { hear, observer, session } = openLive(SEQ | BULK);
    hear([
      1,
      [
        [98, 1, 2],
        [100, 0, 1],
      ],
      5,
    ]);
    expect(observer.text(BTC).bids).toEqual([
      ['99', '6'],
      ['98', '2'],
    ]);
    expect(session.stats.links).toBe(1);
    const plain = openLive(SEQ);
    plain.hear([1, [[98, 1, 2]], 5]);
    expect(plain.observer.text(BTC)).toEqual({ bids: [['98', '2']], asks: [] });
    const unknown = openLive(null);
    unknown.hear([1, [[98, 1, 2]], 5]);
    expect(unknown.observer.isLive(BTC)).toBe(false);
  });

  it('tells the time of the frame where there is one', () => {
    const { hear, observer } = open(SEQ | TIMESTAMP, [BTC]);
    const events: (number | null)[] = [];
    hear(
      subscribed(1, BTC),
      [1, BOOK, 1, START_MS + 7],
      [1, 'hb', 2, START_MS + 8],
      [1, [98, 1, 2], 3, START_MS + 9],
    );
    events.push(observer.market(BTC).deltas);
    expect(events).toEqual([1]);
    expect(observer.market(BTC).states).toEqual(['syncing', 'live']);
  });

  it('is not disturbed by books of other precisions, nor by the same book twice', () => {
    const { hear, observer } = openLive(SEQ);
    hear(subscribed(5, BTC, 'book', { prec: 'R0' }), [5, [[34753002978, 7294.7, 1.5]], 5]);
    hear(subscribed(6, BTC, 'book', { len: '25' }), [6, [[50, 1, 1]], 6], [6, [51, 1, 1], 7]);
    hear(subscribed(1, BTC), [1, [98, 1, 2], 8]); // the event once more
    expect(observer.text(BTC).bids).toEqual([
      ['100', '5'],
      ['99', '6'],
      ['98', '2'],
    ]);
    expect(observer.market(BTC).states).toEqual(['syncing', 'live']);
  });

  it('is not live by changes alone, nor by an event that comes after the snapshot', () => {
    const { hear, observer } = open(SEQ, [BTC]);
    hear([1, BOOK, 1], subscribed(1, BTC), [1, [98, 1, 2], 2]);
    expect(observer.market(BTC)).toMatchObject({ state: 'syncing', snapshots: 0 });
  });
});

describe('Bitfinex session: the sequence of the connection', () => {
  it('counts frames of every channel, heartbeats among them', () => {
    const { hear, observer } = openLive();
    hear(
      [2, 'hb', 5],
      [77, 'hb', 6],
      [3, 'te', [5, START_MS, 1, 100], 7],
      [3, 'tu', [5, START_MS, 1, 100], 8],
    );
    hear([0, 'n', [1], 9], [77, 'hb', 10], [1, 'hb', 11]);
    expect(observer.market(BTC).states).toEqual(['syncing', 'live']);
  });

  it('loses every book of the connection with a frame that is missing', () => {
    const { hear, observer, sent, session } = openLive();
    hear([3, 'te', [5, START_MS, 1, 100], 6]);
    for (const symbol of [BTC, ETH])
      expect(observer.market(symbol)).toMatchObject({
        state: 'recovering',
        reason: 'sequence gap: 6 after 4 on the connection',
      });
    expect(sent()).toHaveLength(4);
    expect(session.stats).toMatchObject({ gaps: 1, resyncs: 2 });
    expect(observer.market(BTC).trades).toHaveLength(1);
  });

  it('loses every book at the first data of a channel that nobody opened, and none at the next', () => {
    const { hear, observer, session } = openLive(SEQ);
    hear([9, [100, 1, 4], 5]);
    expect(session.stats).toMatchObject({ malformed: 1, gaps: 0 });
    expect(observer.isLive(BTC) || observer.isLive(ETH)).toBe(false);
    hear([1, [100, 1, 8], 6]); // its next number proves nothing
    expect(observer.isLive(BTC)).toBe(false);
    hear(subscribed(10, BTC), [10, BOOK, 7], subscribed(11, ETH), [11, BOOK, 8]);
    expect(observer.isLive(BTC) && observer.isLive(ETH)).toBe(true);
    hear([9, [100, 1, 4], 9], [9, 'te', [5, START_MS, 1, 100], 10], [9, 'hb', 11]);
    expect(session.stats).toMatchObject({ malformed: 3, gaps: 0 });
    expect(observer.isLive(BTC) && observer.isLive(ETH)).toBe(true);
  });

  it('leaves what still comes of a channel that was closed, and the account’s own, alone', () => {
    const { hear, observer, session } = openLive(SEQ);
    hear({ event: 'unsubscribed', status: 'OK', chanId: 4 }, [4, 'hb', 5], [0, 'bu', [1, 2], 6]);
    expect(session.stats).toMatchObject({ malformed: 0, gaps: 0 });
    expect(observer.isLive(BTC)).toBe(true);
  });

  it('takes no frame twice', () => {
    const { hear, observer, session } = openLive(SEQ);
    for (let i = 0; i < 2; i++) hear([1, [98, 1, 2], 5], [3, 'te', [5, START_MS, 1, 100], 6]);
    expect(observer.market(BTC)).toMatchObject({ deltas: 1, states: ['syncing', 'live'] });
    expect(observer.market(BTC).trades).toHaveLength(1);
    expect(session.stats).toMatchObject({ gaps: 0, links: 1 });
  });

  it('loses the book alone whose change could not be read', () => {
    const { hear, observer, session } = openLive();
    hear('[1,[98,1,2');
    expect(observer.isLive(BTC)).toBe(false);
    hear([2, 'hb', 6]);
    expect(observer.market(BTC)).toMatchObject({ state: 'recovering', reason: 'frame 5 could not be read' });
    expect(observer.market(ETH).states).toEqual(['syncing', 'live']);
    expect(session.stats).toMatchObject({ malformed: 1, gaps: 1 });
  });

  it('loses none with a heartbeat or a trade that could not be read', () => {
    const { hear, observer, session } = openLive();
    hear('[2,"h', '[3,"te",[5,17', [1, 'hb', 7]);
    expect(observer.isLive(BTC)).toBe(true);
    expect(observer.isLive(ETH)).toBe(false); // channel 2 is a book's, and who knows what it was
    expect(session.stats).toMatchObject({ malformed: 2, gaps: 1 });
  });

  it('loses all where what could not be read does not account for what is missing', () => {
    const { hear, observer } = openLive();
    hear('[1,[98,1,2', [2, 'hb', 7]);
    expect([BTC, ETH].map((symbol) => observer.isLive(symbol))).toEqual([false, false]);
  });

  it('trusts its books again where the next number shows that nothing is missing', () => {
    const { hear, observer } = openLive();
    hear('', '[1]', 'null');
    expect([BTC, ETH].map((symbol) => observer.isLive(symbol))).toEqual([false, false]);
    hear('{"event":', [2, 'hb', 5]);
    expect([BTC, ETH].map((symbol) => observer.isLive(symbol))).toEqual([true, true]);
  });

  it('does not take a trade off the grid for a missing frame', () => {
    const { hear, observer } = openLive();
    hear([3, 'te', [5, START_MS, 1, 100.5], 5], [2, 'hb', 7]);
    expect([BTC, ETH].map((symbol) => observer.isLive(symbol))).toEqual([false, false]);
  });

  it('cannot read a frame without its number', () => {
    const { hear, observer, session } = openLive();
    hear([1, [98, 1, 2]], [2, 'hb', 6]);
    expect(session.stats.malformed).toBe(1);
    expect([BTC, ETH].map((symbol) => observer.isLive(symbol))).toEqual([false, true]);
  });

  it('tells numbers from times by themselves where a recording does not hold the flags', () => {
    const { hear, observer } = openLive(null);
    hear([1, [98, 1, 2], 5, START_MS], [1, 'hb', 6, START_MS]);
    expect(observer.isLive(BTC)).toBe(true);
    hear([1, 'hb', 8, START_MS]);
    expect(observer.isLive(BTC)).toBe(false);
  });

  it('cannot find a gap where frames have no numbers, but loses the book of one it cannot read', () => {
    const bench = open(TIMESTAMP);
    bench.hear(subscribed(1, BTC), [1, BOOK, START_MS], subscribed(2, ETH), [2, BOOK, START_MS]);
    bench.hear([1, [98, 1, 2], START_MS]);
    expect(bench.session.stats).toMatchObject({ links: 0, gaps: 0 });
    bench.hear('[1,[97,1,2');
    expect([BTC, ETH].map((symbol) => bench.observer.isLive(symbol))).toEqual([false, true]);
  });

  it('begins anew with every connection', () => {
    const { hear, observer, session } = openLive();
    hear([1, [98, 1, 2], 5]);
    session.onClose('connection lost');
    session.onOpen();
    hear({ event: 'conf', status: 'OK', flags: SEQ | CHECKSUM }, [1, [97, 1, 2], 1], subscribed(1, BTC), [
      1,
      BOOK,
      2,
    ]);
    expect(observer.text(BTC).bids).toHaveLength(2);
    expect(observer.isLive(BTC)).toBe(true);
  });
});

describe('Bitfinex session: notices', () => {
  it('asks for another connection where the server restarts', () => {
    const { hear, replaced, observer } = openLive();
    hear({ event: 'info', code: 20051, msg: 'Stopping. Please try to reconnect' });
    expect(replaced).toHaveLength(1);
    expect(observer.isLive(BTC)).toBe(true);
  });

  it('pauses for a maintenance, and subscribes everything again afterwards', () => {
    const { hear, observer, sent, pass } = openLive();
    hear([1, [98, 1, 2], 5], { event: 'info', code: 20060, msg: 'Entering in Maintenance mode' });
    expect(observer.market(BTC)).toMatchObject({
      state: 'recovering',
      reason: 'the venue is in maintenance',
    });
    hear([1, [97, 1, 2], 6]);
    pass(60_000);
    expect(sent()).toEqual([]);
    hear({ event: 'info', code: 20061, msg: 'Maintenance ended' });
    const requests = sent();
    expect(requests.slice(0, 4).map(({ event, chanId }) => [event, chanId])).toEqual(
      [1, 2, 3, 4].map((chanId) => ['unsubscribe', chanId]),
    );
    expect(requests.slice(4).map(({ channel }) => channel)).toEqual([
      'book',
      'book',
      'trades',
      'trades',
      'ticker',
      'ticker',
    ]);
    hear(subscribed(11, BTC), [11, BOOK, 7]);
    expect(observer.text(BTC).bids).toHaveLength(2);
    expect(observer.isLive(BTC)).toBe(true);
  });

  it('asks by itself where the end of a maintenance is not told', () => {
    const { hear, sent, pass } = openLive();
    hear({ event: 'info', version: 2, platform: { status: 0 } });
    pass(120_000);
    expect(sent()).toMatchObject([
      { event: 'unsubscribe', chanId: 1 },
      { event: 'subscribe', symbol: BTC },
      { event: 'unsubscribe', chanId: 2 },
      { event: 'subscribe', symbol: ETH },
    ]);
  });

  it('keeps its scales where renewed metadata had no price to tell them by, and takes all else', () => {
    const { session, observer, sent } = openLive();
    session.update({ ...guessInstrument(BTC, 5, 8), status: 'halted' });
    expect(observer.market(BTC)).toMatchObject({
      states: ['syncing', 'live'],
      instrument: { status: 'halted', tick: { decimals: 0 }, lot: { decimals: 3 } },
    });
    expect(sent()).toEqual([]);
    session.update(guessInstrument(BTC, 1, 3));
    expect(observer.market(BTC)).toMatchObject({
      state: 'recovering',
      instrument: { tick: { decimals: 1 } },
    });
  });

  it('tells nothing more once disposed of', () => {
    const { clock, session, hear, observer } = openLive();
    hear([1, [98, 1, 2], 5]);
    session.dispose();
    hear([1, 'cs', 1, 6]);
    expect(observer.market(BTC)).toMatchObject({ deltas: 0, states: ['syncing', 'live'] });
    expect(clock.nextDueMs()).toBeNull();
  });
});

describe('Bitfinex session: recordings', () => {
  it('tells at their end what still waits for a checksum', () => {
    const { hear, observer, session } = openLive();
    hear([1, [98, 1, 2], 5]);
    session.ended!();
    expect(observer.text(BTC).bids).toHaveLength(3);
    expect(observer.isLive(BTC)).toBe(true);
  });

  it('finds the gaps of numbered frames where the accepted flags are not told', () => {
    const { hear, observer, session } = open(null, [BTC], true);
    hear({ event: 'conf', status: 'OK' }, subscribed(1, BTC), [1, BOOK, 1], [1, [98, 1, 2], 2]);
    expect(observer.market(BTC)).toMatchObject({ state: 'live', deltas: 1 });
    hear([1, [97, 1, 2], 4]);
    expect(observer.market(BTC)).toMatchObject({ state: 'recovering', deltas: 1 });
    expect(session.stats.gaps).toBe(1);
  });

  it('asks for no numbers there where the frames have none', () => {
    const { hear, observer, session } = open(null, [BTC], true);
    hear({ event: 'conf', status: 'OK' }, subscribed(1, BTC), [1, BOOK], [1, [98, 1, 2]]);
    expect(observer.market(BTC)).toMatchObject({ state: 'live', deltas: 1 });
    expect(session.stats).toMatchObject({ gaps: 0, links: 0, malformed: 0 });
  });

  it('keeps the channels of a book that was lost: somebody else subscribes', () => {
    const { hear, observer } = open(SEQ, [BTC], true);
    hear(subscribed(1, BTC), [1, BOOK, 1], [1, 'hb', 3], [1, [98, 1, 2], 4]);
    expect(observer.market(BTC)).toMatchObject({ state: 'recovering', deltas: 0 });
    hear({ event: 'unsubscribed', chanId: 1 }, subscribed(1, BTC), [1, BOOK, 5], [1, [98, 1, 2], 6]);
    expect(observer.market(BTC)).toMatchObject({ state: 'live', deltas: 1 });
  });
});

describe('Bitfinex session: trades and tickers', () => {
  it('tells each trade once, with the side of the taker, and none from before', () => {
    const { hear, observer } = openLive();
    hear([3, 'te', [5, START_MS, -0.5, 100], 5], [3, 'tu', [5, START_MS, -0.5, 100], 6]);
    hear([3, 'te', [6, START_MS, 2, 101], 7]);
    expect(observer.market(BTC).trades).toMatchObject([
      { id: 5, price: 100, size: 500, side: 'sell', venueTimeMs: START_MS },
      { id: 6, price: 101, size: 2000, side: 'buy' },
    ]);
  });

  it('tells the 24 h figures', () => {
    expect(openLive().observer.market(BTC).ticker).toMatchObject({
      last: 100,
      open: 103,
      high: 110,
      low: 90,
      volume: 50_000,
      venueTimeMs: null,
    });
  });
});
