import { describe, expect, it } from 'vitest';
import { scriptSession, START_MS, type TextLevel } from '../../kit/index.ts';
import { okx } from './index.ts';

const BTC = 'BTC-USDT';
const ETH = 'ETH-USDT';
const levels = (side: TextLevel[]) => side.map(([price, size]) => [price, size, '0', '1']);

function book(
  action: 'snapshot' | 'update' | undefined,
  prevSeqId: number | undefined,
  seqId: number,
  {
    bids = [],
    asks = [],
    instId = BTC,
    channel = 'books',
    ts = START_MS + seqId,
  }: {
    bids?: TextLevel[];
    asks?: TextLevel[];
    instId?: string;
    channel?: string;
    ts?: number;
  } = {},
) {
  const data = { asks: levels(asks), bids: levels(bids), ts: String(ts), checksum: 0, prevSeqId, seqId };
  return { arg: { channel, instId }, action, data: [data] };
}

const snapshot = (seqId: number, more: Parameters<typeof book>[3] = {}) =>
  book('snapshot', -1, seqId, { bids: [['100', '1']], asks: [['101', '2']], ...more });
const update = (prevSeqId: number, seqId: number, more: Parameters<typeof book>[3] = {}) =>
  book('update', prevSeqId, seqId, { bids: [['99.5', String(seqId)]], ...more });

/** A session whose books are live at seqId 10. */
function startLive() {
  const run = scriptSession(okx, 'spot', [BTC, ETH]);
  run.session.onOpen();
  run.takeSent();
  run.hear(snapshot(10));
  run.hear(snapshot(10, { instId: ETH }));
  expect([BTC, ETH].map((symbol) => run.takeStates(symbol))).toEqual([
    ['syncing', 'live'],
    ['syncing', 'live'],
  ]);
  return run;
}

const again = [
  `{"op":"unsubscribe","args":[{"channel":"books","instId":"${BTC}"}]}`,
  `{"op":"subscribe","args":[{"channel":"books","instId":"${BTC}"}]}`,
];

describe('OKX session: the connection', () => {
  it('subscribes books, trades and statistics, fifty symbols a request', () => {
    const symbols = Array.from({ length: 70 }, (_, i) => `C${i}-USDT`);
    const { session, takeSent } = scriptSession(okx, 'spot', symbols);
    session.onOpen();
    const sent = takeSent();
    const args = sent.map((text) => (JSON.parse(text) as { args: unknown[] }).args);
    expect(args.map(({ length }) => length)).toEqual([150, 60]);
    expect(args[0]!.slice(0, 3)).toEqual(
      ['books', 'trades', 'tickers'].map((channel) => ({ channel, instId: 'C0-USDT' })),
    );
    expect(sent.every((text) => text.length < 65_536)).toBe(true);
  });

  it('pings while it is open, and only then', () => {
    const { session, wait, takeSent, hear } = startLive();
    wait(60_000);
    const pings = takeSent().filter((text) => text === 'ping');
    expect(pings.length).toBeGreaterThanOrEqual(3);
    hear('pong');
    expect(session.stats.malformed).toBe(0);
    session.onClose('cut');
    takeSent();
    wait(60_000);
    expect(takeSent()).toEqual([]);
    session.onOpen();
    session.dispose();
    takeSent();
    wait(60_000);
    expect(takeSent()).toEqual([]);
  });

  it('has another connection take over before the venue ends this one', () => {
    const { hear, replaced, takeStates } = startLive();
    hear({ event: 'notice', code: '64008', msg: 'The connection will soon be closed.', connId: 'a' });
    expect(replaced).toEqual([expect.stringContaining('64008')]);
    hear({ event: 'notice', code: '99999', msg: 'News.', connId: 'a' });
    hear({ event: 'channel-conn-count', channel: 'books', connCount: '1', connId: 'a' });
    expect(replaced).toHaveLength(1);
    expect(takeStates(BTC)).toEqual([]);
  });

  it('says which book the venue refused, and asks for it again later', () => {
    const { session, hear, observer, takeStates, takeSent, wait } = scriptSession(okx, 'spot', [BTC, ETH]);
    session.onOpen();
    takeSent();
    const msg = `Wrong URL or channel:books,instId:${BTC} doesn't exist. Please use the correct URL.`;
    hear({ event: 'error', code: '60018', msg, connId: 'a' });
    expect(observer.market(BTC).reason).toMatch(/refused.*60018/);
    expect(takeStates(ETH)).toEqual(['syncing']);
    hear({ event: 'error', code: '60018', msg: msg.replace('books', 'trades'), connId: 'a' });
    hear({ event: 'error', code: '60012', msg: 'Invalid request', connId: 'a' });
    expect(takeSent()).toEqual([]);
    wait(60_000);
    expect(takeSent()).toEqual(expect.arrayContaining(again));
  });

  it('counts nothing of the connection before', () => {
    const { session, hear, observer, takeStates } = startLive();
    session.onClose('cut');
    session.onOpen();
    takeStates(BTC);
    hear(update(10, 11));
    expect(takeStates(BTC)).toEqual([]);
    hear(snapshot(3, { ts: START_MS - 1_000 })); // of a server whose sequence and time are others
    hear(update(3, 4));
    expect(observer.isLive(BTC)).toBe(true);
    expect(session.stats.gaps).toBe(0);
  });
});

describe('OKX session: books', () => {
  it('follows the sequence through quiet times and a reset', () => {
    const { session, hear, observer, takeStates } = startLive();
    for (const frame of [
      update(10, 15),
      book('update', 15, 15),
      update(15, 3),
      update(3, 5, { asks: [['101', '0']] }),
    ])
      hear(frame);
    expect(takeStates(BTC)).toEqual([]);
    expect(session.stats).toMatchObject({ bookUpdates: 6, links: 4, gaps: 0, malformed: 0 });
    expect(observer.text(BTC)).toEqual({
      bids: [
        ['100', '1'],
        ['99.5', '5'],
      ],
      asks: [],
    });
  });

  it('takes the one book anew that misses an update', () => {
    const { session, hear, observer, takeStates, takeSent } = startLive();
    hear(update(11, 12));
    expect(takeStates(BTC)).toEqual(['recovering']);
    expect(takeStates(ETH)).toEqual([]);
    expect(observer.market(BTC).reason).toBe('gap: expected prevSeqId 10, got 11');
    expect(takeSent()).toEqual(again);
    hear(update(12, 13)); // of no use before the snapshot
    expect(observer.market(BTC).deltas).toBe(0);
    hear(snapshot(13));
    hear(update(13, 14));
    expect(takeStates(BTC)).toEqual(['live']);
    expect(session.stats).toMatchObject({ gaps: 1, resyncs: 1, links: 1 });
  });

  it('ignores copies, of updates and of a snapshot long past', () => {
    const { session, hear, observer, takeStates } = startLive();
    for (const frame of [update(10, 11), update(10, 11), update(11, 12), update(10, 11), snapshot(10)])
      hear(frame);
    hear(update(12, 13));
    expect(takeStates(BTC)).toEqual([]);
    expect(observer.market(BTC)).toMatchObject({ snapshots: 1, deltas: 3 });
    expect(session.stats).toMatchObject({ links: 3, gaps: 0 });
  });

  it('takes a newer snapshot that nobody asked for', () => {
    const { hear, observer, takeStates } = startLive();
    hear(snapshot(20, { bids: [['98', '7']] }));
    expect(observer.text(BTC).bids).toEqual([['98', '7']]);
    expect(takeStates(BTC)).toEqual([]);
  });

  it('doubts the book of a frame that is cut off, until an update proves it whole', () => {
    const { hear, takeStates } = startLive();
    hear(JSON.stringify(update(10, 11)).slice(0, -9));
    expect(takeStates(BTC)).toEqual(['recovering']);
    expect(takeStates(ETH)).toEqual([]);
    hear(update(10, 12)); // the cut frame was something else
    expect(takeStates(BTC)).toEqual(['live']);
    hear(JSON.stringify(update(12, 13)).slice(0, -9));
    hear(update(13, 14));
    expect(takeStates(BTC)).toEqual(['recovering', 'recovering']);
  });

  it('loses the book with an update that has no sense', () => {
    const { hear, observer, session } = startLive();
    hear(update(10, 11, { bids: [['99', '-1']] }));
    expect(observer.market(BTC)).toMatchObject({ state: 'recovering', deltas: 0 });
    expect(session.stats.malformed).toBe(1);
  });

  it('reads whole books of other channels, and the deepest of several', () => {
    const { session, hear, observer, takeStates } = scriptSession(okx, 'spot', [BTC]);
    session.onOpen(true);
    hear(book(undefined, undefined, 5, { channel: 'bbo-tbt', bids: [['100', '1']] }));
    hear(book(undefined, undefined, 6, { channel: 'books5', bids: [['99', '1']], asks: [['101', '1']] }));
    expect(observer.text(BTC).bids).toEqual([['99', '1']]);
    hear(book(undefined, undefined, 7, { channel: 'bbo-tbt', bids: [['98', '1']] }));
    hear(book(undefined, undefined, 8, { channel: 'books5', bids: [['97', '1']] }));
    expect(observer.text(BTC)).toEqual({ bids: [['97', '1']], asks: [] });
    hear(snapshot(9));
    hear(book(undefined, undefined, 10, { channel: 'books5', bids: [['96', '1']] }));
    hear(update(9, 11, { channel: 'books-l2-tbt' }));
    hear(update(9, 12));
    expect(observer.text(BTC).bids).toEqual([
      ['100', '1'],
      ['99.5', '12'],
    ]);
    expect(takeStates(BTC)).toEqual(['syncing', 'live']);
    expect(session.stats).toMatchObject({ gaps: 0, links: 1 });
  });

  it('takes any instrument, whatever the market', () => {
    const symbols = [BTC, 'BTC-USD-220527', 'UNI-USD-SWAP', 'BTC-USD-220527-30000-P'];
    const { session, hear, observer } = scriptSession(okx, 'spot', symbols);
    session.onOpen(true);
    for (const instId of symbols) hear(snapshot(1, { instId }));
    expect(
      [...observer.markets.values()].map(({ instrument, state }) => `${instrument.id} ${state}`),
    ).toEqual([
      'okx:BTC-USDT live',
      'okx:BTC-USD-220527 live',
      'okx:UNI-USD-PERP live',
      'okx:BTC-USD-220527-30000-P live',
    ]);
  });
});

describe('OKX session: trades and statistics', () => {
  it('tells trades with the side of the taker', () => {
    const { hear, observer, session } = startLive();
    const trade = {
      instId: BTC,
      tradeId: '77',
      px: '100.5',
      sz: '0.25',
      side: 'sell',
      ts: String(START_MS - 5),
    };
    hear({
      arg: { channel: 'trades', instId: BTC },
      data: [trade, { ...trade, tradeId: '78', side: 'buy' }],
    });
    expect(observer.market(BTC).trades).toMatchObject([
      { id: '77', price: 10050, size: 250, side: 'sell', venueTimeMs: START_MS - 5, receiveTimeMs: START_MS },
      { id: '78', side: 'buy' },
    ]);
    hear({ arg: { channel: 'trades', instId: 'NO-PE' }, data: [trade] });
    expect(session.stats).toMatchObject({ trades: 2, malformed: 0 });
  });

  it('tells statistics, and turnover where it is in the quote currency', () => {
    const SWAP = 'BTC-USDT-SWAP';
    const { session, hear, observer } = scriptSession(okx, 'swap', [BTC, SWAP]);
    session.onOpen();
    const figures = {
      last: '100.5',
      open24h: '99',
      high24h: '102',
      low24h: '98',
      vol24h: '12.5',
      volCcy24h: '1300',
    };
    for (const instId of [BTC, SWAP])
      hear({ arg: { channel: 'tickers', instId }, data: [{ ...figures, instId, ts: String(START_MS) }] });
    const told = { last: 10050, open: 9900, high: 10200, low: 9800, volume: 12500, venueTimeMs: START_MS };
    expect(observer.market(BTC).ticker).toMatchObject({ ...told, turnover: 1300 });
    expect(observer.market(SWAP).ticker).toMatchObject({ ...told, turnover: null });
  });

  it('leaves other channels alone', () => {
    const { hear, session, takeStates } = startLive();
    hear({ arg: { channel: 'funding-rate', instId: BTC }, data: [{ fundingRate: '0.0001' }] });
    hear({ arg: { channel: 'liquidation-orders', instType: 'SWAP' }, data: [{}] });
    hear('{"arg":{"channel":"funding-rate","instId":"BTC-USDT"},"data":[{"fund');
    expect(session.stats.malformed).toBe(1);
    expect(takeStates(BTC)).toEqual([]);
  });
});
