import { describe, expect, it } from 'vitest';
import { START_MS, startBareSession } from '../test-harness.ts';
import { deribit } from './index.ts';
import { guessInstrument } from './symbols.ts';

const BTC = 'BTC-PERPETUAL';
const ETH = 'ETH-PERPETUAL';

type Level = [action: string, price: number, amount: number];

const notify = (channel: string, data: object) => ({
  jsonrpc: '2.0',
  method: 'subscription',
  params: { channel, data },
});
const snapshot = (change_id: number, symbol = BTC, bids: Level[] = [['new', 100, 50]]) =>
  notify(`book.${symbol}.100ms`, {
    type: 'snapshot',
    timestamp: START_MS,
    instrument_name: symbol,
    change_id,
    bids,
    asks: [['new', 100.5, 20]],
  });
const change = (prev_change_id: number, change_id: number, bids: Level[] = [], symbol = BTC) =>
  notify(`book.${symbol}.100ms`, {
    type: 'change',
    timestamp: START_MS + 1,
    prev_change_id,
    instrument_name: symbol,
    change_id,
    bids,
    asks: [],
  });
const trade = (trade_id: string, more: object = {}) => ({
  trade_seq: 1,
  trade_id,
  timestamp: START_MS,
  price: 100.5,
  instrument_name: BTC,
  direction: 'buy',
  amount: 30,
  ...more,
});

function open(symbols: readonly string[] = [BTC, ETH]) {
  const bench = startBareSession(
    deribit,
    'futures',
    symbols.map((symbol) => guessInstrument(symbol, 1, 0)),
  );
  bench.session.onOpen();
  return bench;
}

function openLive() {
  const bench = open();
  bench.hear(snapshot(100), snapshot(70, ETH));
  bench.sent();
  return bench;
}

describe('Deribit session: books', () => {
  it('asks for heartbeats, books, trades and tickers', () => {
    const { sent } = open([BTC]);
    expect(sent()).toMatchObject([
      { method: 'public/set_heartbeat', params: { interval: 10 } },
      {
        jsonrpc: '2.0',
        method: 'public/subscribe',
        params: {
          channels: ['book.BTC-PERPETUAL.100ms', 'trades.BTC-PERPETUAL.100ms', 'ticker.BTC-PERPETUAL.agg2'],
        },
      },
    ]);
  });

  it('is live with the snapshot and follows the changes', () => {
    const { observer, hear, session } = openLive();
    hear(
      change(100, 104, [
        ['change', 100, 40],
        ['new', 99.5, 10],
      ]),
      change(104, 105, [['delete', 100, 0]]),
    );
    expect(observer.market(BTC).states).toEqual(['syncing', 'live']);
    expect(observer.text(BTC)).toEqual({ bids: [['99.5', '10']], asks: [['100.5', '20']] });
    expect(session.stats).toMatchObject({ bookUpdates: 4, links: 2, gaps: 0, malformed: 0 });
  });

  it('is live with a book that is empty', () => {
    const { observer, hear } = open([BTC]);
    const empty = snapshot(100, BTC, []);
    hear({ ...empty, params: { ...empty.params, data: { ...empty.params.data, asks: [] } } });
    expect(observer.isLive(BTC)).toBe(true);
    hear(change(100, 101, [['new', 1, 2]]));
    expect(observer.text(BTC)).toEqual({ bids: [['1', '2']], asks: [] });
  });

  it('takes no change before the snapshot, and none twice', () => {
    const { observer, hear, session } = open([BTC]);
    hear(change(99, 100, [['new', 1, 1]]), snapshot(100), change(100, 104, [['new', 99, 1]]));
    hear(change(100, 104, [['new', 99, 1]]), change(99, 100), snapshot(100));
    expect(observer.market(BTC)).toMatchObject({ snapshots: 1, deltas: 1, states: ['syncing', 'live'] });
    expect(session.stats).toMatchObject({ links: 1, gaps: 0 });
  });

  it('replaces the book where a snapshot comes unasked', () => {
    const { observer, hear } = openLive();
    hear(snapshot(140, BTC, [['new', 98, 7]]), change(140, 141));
    expect(observer.text(BTC).bids).toEqual([['98', '7']]);
    expect(observer.isLive(BTC)).toBe(true);
  });

  it('takes the book alone anew that misses a change', () => {
    const { observer, hear, sent, session } = openLive();
    hear(change(104, 105), change(70, 71, [], ETH));
    expect(observer.market(BTC)).toMatchObject({
      state: 'recovering',
      reason: 'sequence gap: prev_change_id 104 after change_id 100',
    });
    expect(observer.isLive(ETH)).toBe(true);
    expect(sent()).toMatchObject([
      { method: 'public/unsubscribe', params: { channels: ['book.BTC-PERPETUAL.100ms'] } },
      { method: 'public/subscribe', params: { channels: ['book.BTC-PERPETUAL.100ms'] } },
    ]);
    hear(change(105, 106), snapshot(110), change(110, 111));
    expect(observer.isLive(BTC)).toBe(true);
    expect(session.stats).toMatchObject({ gaps: 1, resyncs: 1, links: 2 });
  });

  it('doubts the book that an unreadable frame names until the next change tells', () => {
    const { observer, hear, session } = openLive();
    const text = JSON.stringify(change(100, 104));
    hear(text.slice(0, -9));
    expect(observer.isLive(BTC)).toBe(false);
    expect(observer.isLive(ETH)).toBe(true);
    hear(change(100, 104)); // it came again
    expect(observer.isLive(BTC)).toBe(true);
    hear(text.slice(0, -9).replace('104', '105'), change(105, 106));
    expect(observer.isLive(BTC)).toBe(false);
    expect(session.stats).toMatchObject({ malformed: 2, gaps: 1 });
  });

  it('is taken anew where nothing follows an unreadable frame', () => {
    const { observer, hear, pass, sent } = openLive();
    hear('{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERP');
    expect(observer.isLive(ETH)).toBe(false);
    pass(5_000);
    expect(sent()).toHaveLength(4);
  });

  it('is not told live by a connection that is gone, and begins anew on the next', () => {
    const { observer, hear, session } = openLive();
    session.onClose('connection lost');
    expect(observer.market(BTC).state).toBe('recovering');
    session.onOpen();
    hear(change(100, 104));
    expect(observer.market(BTC).state).toBe('syncing');
    hear(snapshot(20), change(20, 21));
    expect(observer.isLive(BTC)).toBe(true);
  });

  it('tells nothing more once disposed of', () => {
    const { clock, observer, hear, session } = openLive();
    session.dispose();
    hear(change(104, 105));
    expect(observer.market(BTC).states).toEqual(['syncing', 'live']);
    expect(clock.nextDueMs()).toBeNull();
  });
});

describe('Deribit session: answers', () => {
  it('answers a test_request', () => {
    const { hear, sent } = openLive();
    hear({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'heartbeat' } });
    expect(sent()).toEqual([]);
    hear({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } });
    expect(sent()).toMatchObject([{ method: 'public/test' }]);
  });

  it('tells that a channel was not accepted, and asks again later', () => {
    const { observer, hear, sent, pass } = open();
    const [, subscribe] = sent();
    hear({ jsonrpc: '2.0', id: subscribe!.id, result: ['book.BTC-PERPETUAL.100ms'] }, snapshot(100));
    expect(observer.market(BTC).states).toEqual(['syncing', 'live']);
    expect(observer.market(ETH)).toMatchObject({
      state: 'recovering',
      reason: 'the venue refused the subscription: no such channel',
    });
    pass(60_000);
    expect(sent()).toMatchObject([
      { method: 'public/unsubscribe' },
      { method: 'public/subscribe', params: { channels: ['book.ETH-PERPETUAL.100ms'] } },
    ]);
  });

  it('keeps its connection however often one channel is refused, as that of an expired option is', () => {
    const { observer, hear, sent, pass, reconnected } = open();
    hear(snapshot(100));
    let [subscribe] = sent().slice(-1);
    for (let i = 0; i < 10; i++) {
      hear({ jsonrpc: '2.0', id: subscribe!.id, result: i === 0 ? ['book.BTC-PERPETUAL.100ms'] : [] });
      pass(60_000);
      [subscribe] = sent().slice(-1);
    }
    expect(reconnected).toEqual([]);
    expect(observer.market(BTC).states).toEqual(['syncing', 'live']);
  });

  it('tells that a request failed as a whole', () => {
    const { observer, hear, sent } = open();
    const [heartbeat, subscribe] = sent();
    hear({ jsonrpc: '2.0', id: heartbeat!.id, result: 'ok' });
    hear({ jsonrpc: '2.0', id: subscribe!.id, error: { code: 10028, message: 'too_many_requests' } });
    expect(observer.market(BTC).reason).toContain('10028: too_many_requests');
    expect(observer.market(ETH).state).toBe('recovering');
  });

  it('leaves the answers in a recording alone, which are to another’s requests', () => {
    const { observer, hear, session } = open();
    session.onOpen(true);
    for (let id = 0; id < 8; id++) hear({ jsonrpc: '2.0', id, result: ['book.ETH-PERPETUAL.raw'] });
    hear(snapshot(1));
    expect(observer.market(BTC).states).toEqual(['syncing', 'syncing', 'live']);
  });
});

describe('Deribit session: trades and tickers', () => {
  it('tells every trade of a frame, with the side of the taker', () => {
    const { hear, observer } = openLive();
    hear(notify('trades.BTC-PERPETUAL.100ms', [trade('7'), trade('8', { direction: 'sell', price: 100 })]));
    hear(notify('trades.future.BTC.100ms', [trade('9', { instrument_name: 'OTHER' })]));
    expect(observer.market(BTC).trades).toMatchObject([
      { id: '7', price: 1005, size: 30, side: 'buy', venueTimeMs: START_MS },
      { id: '8', price: 1000, side: 'sell' },
    ]);
  });

  const figures = {
    volume_usd: 1_200_000,
    volume: 24,
    volume_notional: 600,
    price_change: -20,
    low: 90,
    high: 130,
  };
  const ticker = (symbol: string) =>
    notify(`ticker.${symbol}.agg2`, {
      timestamp: START_MS,
      stats: figures,
      last_price: 100,
      instrument_name: symbol,
    });

  it.each([
    ['BTC-PERPETUAL', { volume: 1_200_000, turnover: 1_200_000 }],
    ['SOL_USDC-PERPETUAL', { volume: 24, turnover: 600 }],
    ['BTC_USDC', { volume: 24, turnover: 600 }],
  ])('tells the 24 h figures of %s in the units of its sizes', (symbol, sums) => {
    const { hear, observer } = open([symbol]);
    hear(ticker(symbol));
    expect(observer.market(symbol).ticker).toMatchObject({
      last: 1000,
      open: 1250,
      low: 900,
      high: 1300,
      ...sums,
    });
  });

  it('leaves out what the venue has not', () => {
    const { hear, observer } = open([BTC]);
    const stats = { volume: null, price_change: null, low: null, high: null };
    hear(
      notify('ticker.BTC-PERPETUAL.agg2', {
        timestamp: START_MS,
        stats,
        last_price: null,
        instrument_name: BTC,
      }),
    );
    expect(observer.market(BTC).ticker).toMatchObject({ last: null, open: null, low: null, volume: null });
  });
});
