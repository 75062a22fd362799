import { describe, expect, it } from 'vitest';
import { scriptSession, START_MS, type TextLevel } from '../../kit/index.ts';
import { bybit } from './index.ts';

const BTC = 'BTCUSDT';
const ETH = 'ETHUSDT';

interface Sides {
  b?: TextLevel[];
  a?: TextLevel[];
  s?: string;
  depth?: number;
  ts?: number;
}

function book(
  type: 'snapshot' | 'delta',
  u: number,
  { b, a, s = BTC, depth = 200, ts = START_MS + u }: Sides,
) {
  return { topic: `orderbook.${depth}.${s}`, type, ts, data: { s, b, a, u, seq: 5 * u }, cts: ts - 2 };
}

const snapshot = (u: number, more: Sides = {}) =>
  book('snapshot', u, { b: [['100', '1']], a: [['101', '2']], ...more });
const delta = (u: number, more: Sides = {}) => book('delta', u, { b: [['99.5', String(u)]], a: [], ...more });

/** A session whose books are live at u 10. */
function startLive(market = 'spot') {
  const run = scriptSession(bybit, market, [BTC, ETH]);
  run.session.onOpen();
  run.takeSent();
  run.hear(snapshot(10));
  run.hear(snapshot(10, { s: ETH }));
  expect([BTC, ETH].map((symbol) => run.takeStates(symbol))).toEqual([
    ['syncing', 'live'],
    ['syncing', 'live'],
  ]);
  return run;
}

const again = ['unsubscribe', 'subscribe'].map((op) =>
  JSON.stringify({ req_id: BTC, op, args: [`orderbook.200.${BTC}`] }),
);

describe('Bybit session: the connection', () => {
  it('subscribes each symbol with a request that is named after it', () => {
    const { session, takeSent } = scriptSession(bybit, 'spot', [BTC, ETH]);
    session.onOpen();
    expect(takeSent().map((text) => JSON.parse(text) as unknown)).toEqual(
      [BTC, ETH].map((symbol) => ({
        req_id: symbol,
        op: 'subscribe',
        args: [`orderbook.200.${symbol}`, `publicTrade.${symbol}`, `tickers.${symbol}`],
      })),
    );
  });

  it('pings every 20 s while it is open', () => {
    const { session, wait, takeSent, hear } = startLive();
    wait(60_000);
    expect(takeSent().filter((text) => text === '{"op":"ping"}')).toHaveLength(3);
    hear({ success: true, ret_msg: 'pong', conn_id: 'a', op: 'ping' });
    session.onClose('cut');
    takeSent();
    wait(60_000);
    expect(takeSent()).toEqual([]);
    expect(session.stats.malformed).toBe(0);
  });

  it.each([
    ['by its request', { ret_msg: 'Invalid symbol :[orderbook.200.BTCUSDT]', req_id: BTC }],
    ['by its topic', { ret_msg: 'error:handler not found,topic:orderbook.200.BTCUSDT', req_id: '' }],
    ['by its topic in brackets', { ret_msg: 'Invalid symbol :[orderbook.200.BTCUSDT]' }],
  ])('tells %s which book the venue refused, and asks for it again later', (_name, answer) => {
    const { session, hear, observer, takeStates, takeSent, wait } = scriptSession(bybit, 'spot', [BTC, ETH]);
    session.onOpen();
    takeSent();
    hear({ success: false, conn_id: 'a', op: 'subscribe', ...answer });
    expect(observer.market(BTC).reason).toContain('refused');
    expect(takeStates(ETH)).toEqual(['syncing']);
    hear({ success: false, conn_id: 'a', op: 'subscribe', ret_msg: 'args size >10' });
    wait(60_000);
    expect(takeSent()).toEqual(expect.arrayContaining(again));
  });

  it('counts nothing of the connection before', () => {
    const { session, hear, observer, takeStates } = startLive();
    session.onClose('cut');
    session.onOpen();
    takeStates(BTC);
    hear(delta(11));
    expect(takeStates(BTC)).toEqual([]);
    hear(snapshot(3, { ts: START_MS - 1_000 }));
    hear(delta(4));
    expect(observer.isLive(BTC)).toBe(true);
    expect(session.stats.gaps).toBe(0);
  });
});

describe('Bybit session: books', () => {
  it('follows deltas by u, and replaces the book with any snapshot', () => {
    const { session, hear, observer, takeStates } = startLive();
    hear(delta(11));
    hear(delta(12, { a: [['101', '0']] }));
    hear(snapshot(13, { b: [['98', '7']], a: [] }));
    hear(delta(14));
    expect(takeStates(BTC)).toEqual([]);
    expect(observer.text(BTC)).toEqual({
      bids: [
        ['99.5', '14'],
        ['98', '7'],
      ],
      asks: [],
    });
    expect(session.stats).toMatchObject({ bookUpdates: 6, links: 3, gaps: 0 });
  });

  it('goes on after a restart of the service', () => {
    const { hear, observer, session, takeStates } = startLive();
    hear(snapshot(1, { ts: START_MS + 500, b: [['97', '1']] }));
    hear(delta(2, { ts: START_MS + 600 }));
    expect(takeStates(BTC)).toEqual([]);
    expect(observer.text(BTC).bids).toEqual([
      ['99.5', '2'],
      ['97', '1'],
    ]);
    expect(session.stats.gaps).toBe(0);
  });

  it('loses the book where the snapshot of a restart is missing', () => {
    const { hear, observer, takeSent } = startLive();
    hear(delta(2, { ts: START_MS + 600 }));
    expect(observer.market(BTC)).toMatchObject({ state: 'recovering', reason: 'gap: expected u 11, got 2' });
    expect(takeSent()).toEqual(again);
  });

  it('takes the one book anew that misses a delta', () => {
    const { session, hear, observer, takeStates, takeSent } = startLive();
    hear(delta(12));
    expect(takeStates(BTC)).toEqual(['recovering']);
    expect(takeStates(ETH)).toEqual([]);
    expect(takeSent()).toEqual(again);
    hear(delta(13));
    expect(observer.market(BTC).deltas).toBe(0);
    hear(snapshot(13));
    hear(delta(14));
    expect(takeStates(BTC)).toEqual(['live']);
    expect(session.stats).toMatchObject({ gaps: 1, resyncs: 1, links: 1 });
  });

  it('ignores copies, of deltas and of a snapshot long past', () => {
    const { session, hear, observer, takeStates } = startLive();
    for (const frame of [delta(11), delta(11), delta(12), delta(11), snapshot(10), delta(13)]) hear(frame);
    expect(takeStates(BTC)).toEqual([]);
    expect(observer.market(BTC)).toMatchObject({ snapshots: 1, deltas: 3 });
    expect(session.stats).toMatchObject({ links: 3, gaps: 0 });
  });

  it('doubts the book of a frame that is cut off', () => {
    const { hear, takeStates } = startLive();
    hear(JSON.stringify(delta(11)).slice(0, -9));
    expect(takeStates(BTC)).toEqual(['recovering']);
    expect(takeStates(ETH)).toEqual([]);
    hear(delta(11));
    expect(takeStates(BTC)).toEqual(['live']);
    hear('{"topic":"tickers.BTCUSDT","ty');
    hear('{"topic":"publicTrade.BTCUSDT","ty');
    expect(takeStates(BTC)).toEqual([]);
    hear('{"top');
    expect(takeStates(ETH)).toEqual(['recovering']);
  });

  it('takes the deepest of several topics, and level 1 where there is no other', () => {
    const { session, hear, observer, takeStates } = scriptSession(bybit, 'linear', [BTC]);
    session.onOpen(true);
    hear(snapshot(7, { depth: 1, b: [['100', '9']] }));
    hear(snapshot(7, { depth: 1, b: [['100', '9']] })); // repeated after three quiet seconds
    hear(snapshot(9, { depth: 1, b: [['100', '8']] }));
    expect(observer.text(BTC).bids).toEqual([['100', '8']]);
    hear(snapshot(40, { depth: 50 }));
    hear(snapshot(10, { depth: 1, b: [['55', '1']] }));
    hear(delta(41, { depth: 50 }));
    hear(delta(11, { depth: 1 }));
    expect(observer.text(BTC).bids).toEqual([
      ['100', '1'],
      ['99.5', '41'],
    ]);
    hear(snapshot(3, { depth: 1000, b: [['96', '1']] }));
    hear(snapshot(42, { depth: 50 }));
    expect(observer.text(BTC).bids).toEqual([['96', '1']]);
    expect(takeStates(BTC)).toEqual(['syncing', 'live']);
    expect(session.stats).toMatchObject({ gaps: 0, links: 1, malformed: 0 });
  });

  it('leaves books with other rules alone', () => {
    const { session, hear, observer } = startLive();
    hear({
      topic: 'orderbook.full.BTCUSDT',
      type: 'delta',
      ts: 1,
      data: { s: BTC, b: [['1', '1']], a: [], u: 1 },
    });
    hear({
      topic: 'orderbook.rpi.BTCUSDT',
      type: 'snapshot',
      ts: 1,
      data: { s: BTC, b: [['1', '1', '1']], a: [] },
    });
    hear({ topic: 'kline.1.BTCUSDT', type: 'snapshot', ts: 1, data: [] });
    expect(session.stats.malformed).toBe(0);
    expect(observer.market(BTC)).toMatchObject({ deltas: 0, snapshots: 1, state: 'live' });
  });
});

describe('Bybit session: trades and statistics', () => {
  it('tells trades with the side of the taker, and none that never met the book', () => {
    const { hear, observer, session } = startLive();
    const trade = { T: START_MS - 5, s: BTC, S: 'Sell', v: '0.25', p: '100.5', i: '77', BT: false };
    const data = [trade, { ...trade, i: '78', S: 'Buy' }, { ...trade, i: '79', BT: true }];
    hear({ topic: `publicTrade.${BTC}`, type: 'snapshot', ts: START_MS, data });
    expect(observer.market(BTC).trades).toMatchObject([
      { id: '77', price: 10050, size: 250, side: 'sell', venueTimeMs: START_MS - 5, receiveTimeMs: START_MS },
      { id: '78', side: 'buy' },
    ]);
    expect(session.stats.trades).toBe(2);
  });

  const figures = {
    lastPrice: '100.5',
    prevPrice24h: '99',
    highPrice24h: '102',
    lowPrice24h: '98',
    volume24h: '12.5',
    turnover24h: '1300',
  };
  const ticker = (type: string, data: object) => ({
    topic: `tickers.${BTC}`,
    type,
    ts: START_MS,
    cs: 1,
    data: { symbol: BTC, ...data },
  });
  const told = { last: 10050, open: 9900, high: 10200, low: 9800, volume: 12500, turnover: 1300 };

  it('keeps what a delta leaves out', () => {
    const { session, hear, observer } = startLive('linear');
    hear(ticker('delta', { lastPrice: '1' })); // of a snapshot that was missed
    expect(observer.market(BTC).ticker).toBeNull();
    hear(ticker('snapshot', figures));
    expect(observer.market(BTC).ticker).toMatchObject(told);
    hear(ticker('delta', { lastPrice: '101', fundingRate: '0.0001' }));
    expect(observer.market(BTC).ticker).toMatchObject({ ...told, last: 10100 });
    hear(ticker('delta', { markPrice: '101' }));
    hear(ticker('delta', { volume24h: '13' }));
    expect(observer.market(BTC).ticker).toMatchObject({ ...told, last: 10100, volume: 13000 });
    session.onClose('cut');
    session.onOpen();
    hear(ticker('delta', { lastPrice: '1' }));
    expect(observer.market(BTC).ticker).toMatchObject({ last: 10100 });
  });

  it('tells turnover in the quote currency, which inverse contracts are counted in', () => {
    const { hear, observer } = startLive('inverse');
    hear(ticker('snapshot', { ...figures, volume24h: '2000000', turnover24h: '31.5' }));
    expect(observer.market(BTC).ticker).toMatchObject({ turnover: 2_000_000 });
  });
});
