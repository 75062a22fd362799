import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { FeedObserver } from '../../kit/index.ts';
import { createCoinbaseSession } from './session.ts';
import { endpoints } from './subscribe.ts';
import { guessInstrument } from './symbols.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const TIME = '2026-11-20T12:00:00.5Z';
const [BTC, ETH] = ['coinbase:BTC-USD', 'coinbase:ETH-USD'];

type Side = Record<string, string>;

/** A session with nothing behind it: what it sends is seen, what it hears is written by hand, and numbered. */
function startSession() {
  const clock = new VirtualClock(START_MS);
  const observer = new FeedObserver(clock);
  const sent: unknown[] = [];
  const ended: string[] = [];
  const instruments = ['BTC-USD', 'ETH-USD'].map((symbol) => guessInstrument(symbol, 2, 3));
  for (const instrument of instruments) observer.context.emit({ type: 'instrument', instrument });
  const session = createCoinbaseSession({
    market: 'spot',
    endpoints: endpoints.spot!,
    instruments,
    io: {
      clock,
      log: observer.context.log,
      emit: observer.context.emit,
      send: (text) => sent.push(JSON.parse(text)),
      get: () => {
        throw new Error('no HTTP request is to be made');
      },
      replaceConnection: (reason) => ended.push(reason),
      reconnect: (reason) => ended.push(reason),
    },
  });
  let sequence = 0;
  const number = (channel: string, events: object[]) =>
    JSON.stringify({ channel, timestamp: TIME, sequence_num: sequence++, events });
  const hear = (text: string) => session.onFrame(text, clock.now());
  return {
    clock,
    observer,
    session,
    sent,
    ended,
    hear,
    /** The venue's next message, as text. */
    next: number,
    tell: (channel: string, ...events: object[]) => hear(number(channel, events)),
    /** The venue's next message is lost. */
    lose: () => (sequence += 1),
    opened() {
      sequence = 0;
      session.onOpen();
    },
  };
}

function levels(type: 'snapshot' | 'update', product: string, bids: Side, asks: Side = {}) {
  const side = (name: string, prices: Side) =>
    Object.entries(prices).map(([price_level, new_quantity]) => ({
      side: name,
      event_time: TIME,
      price_level,
      new_quantity,
    }));
  return { type, product_id: product, updates: [...side('bid', bids), ...side('offer', asks)] };
}

/** A session whose two books are live. */
function startLive() {
  const run = startSession();
  run.opened();
  for (const product of ['BTC-USD', 'ETH-USD']) {
    run.tell('l2_data', levels('snapshot', product, { '100.00': '1', '99.50': '2' }, { '100.01': '3' }));
    run.observer.market(product).states.length = 0;
  }
  run.sent.length = 0;
  return run;
}

const bid = (price: string, product = 'BTC-USD') => levels('update', product, { [price]: '1' });

describe('Coinbase session: subscribing', () => {
  it('asks for one channel a request, heartbeats first', () => {
    const { opened, sent } = startSession();
    opened();
    const product_ids = ['BTC-USD', 'ETH-USD'];
    expect(sent).toEqual([
      { type: 'subscribe', channel: 'heartbeats' },
      { type: 'subscribe', channel: 'level2', product_ids },
      { type: 'subscribe', channel: 'market_trades', product_ids },
      { type: 'subscribe', channel: 'ticker_batch', product_ids },
    ]);
  });

  it('waits with the book that an error names, and asks again later', () => {
    const { opened, hear, observer, clock, sent } = startSession();
    opened();
    sent.length = 0;
    hear('{"type":"error","message":"ETH-USD is not a valid product"}');
    expect(observer.market(ETH!)).toMatchObject({
      state: 'recovering',
      reason: expect.stringContaining('not a valid product') as string,
    });
    expect(observer.market(BTC!).state).toBe('syncing');
    clock.advanceTo(START_MS + 61_000);
    expect(sent).toContainEqual({ type: 'subscribe', channel: 'level2', product_ids: ['ETH-USD'] });
  });

  it('waits with all books that wait, where an error names none, and leaves the others alone', () => {
    const { hear, observer, opened, tell } = startSession();
    opened();
    tell('l2_data', levels('snapshot', 'BTC-USD', { '1': '1' }));
    hear('{"type":"error","message":"rate limit exceeded"}');
    expect([BTC, ETH].map((id) => observer.market(id!).state)).toEqual(['live', 'recovering']);
    tell('l2_data', levels('snapshot', 'ETH-USD', { '1': '1' }));
    expect(observer.isLive(ETH!)).toBe(true);
  });
});

describe('Coinbase session: books', () => {
  it('has bids and offers, in ticks and lots', () => {
    const { observer, tell, session } = startLive();
    tell('heartbeats', { heartbeat_counter: 1 });
    tell('l2_data', levels('update', 'BTC-USD', { '99.50': '0' }, { '100.02': '0.5' }));
    expect(observer.text(BTC!)).toEqual({
      bids: [['100', '1']],
      asks: [
        ['100.01', '3'],
        ['100.02', '0.5'],
      ],
    });
    expect(session.stats).toMatchObject({ bookUpdates: 3, links: 1, gaps: 0, malformed: 0 });
  });

  it('takes several events of one message', () => {
    const { observer, tell } = startLive();
    tell('l2_data', bid('99'), bid('98', 'ETH-USD'), bid('97', 'NOT-OURS'));
    expect([observer.text(BTC!).bids.length, observer.text(ETH!).bids.length]).toEqual([3, 3]);
  });

  it('ignores a message that comes twice', () => {
    const { observer, next, hear, session } = startLive();
    const [first, second] = [
      next('l2_data', [bid('99')]),
      next('l2_data', [levels('update', 'BTC-USD', { '99': '0' })]),
    ];
    for (const text of [first, second, first]) hear(text);
    expect(observer.text(BTC!).bids).toHaveLength(2);
    expect(session.stats.gaps).toBe(0);
  });

  it.each([
    ['a book', 'l2_data'],
    ['anything', 'heartbeats'],
  ])(
    'loses every book where a message before one of %s is missing, and opens another connection',
    (_name, channel) => {
      const { observer, tell, lose, session, ended } = startLive();
      lose();
      tell(channel, channel === 'l2_data' ? bid('99') : { heartbeat_counter: 1 });
      for (const id of [BTC, ETH])
        expect(observer.market(id!)).toMatchObject({
          states: ['recovering'],
          reason: 'message 3 follows 1: 1 missing',
          deltas: 0,
        });
      expect(ended).toEqual(['message 3 follows 1: 1 missing']);
      expect(session.stats).toMatchObject({ gaps: 1, resyncs: 2 });
    },
  );

  it('goes on with the next snapshots, where no other connection can be had', () => {
    const { observer, tell, lose } = startLive();
    lose();
    tell('l2_data', levels('snapshot', 'ETH-USD', { '5': '5' }));
    expect(observer.text(ETH!).bids).toEqual([['5', '5']]);
    expect([BTC, ETH].map((id) => observer.isLive(id!))).toEqual([false, true]);
  });

  it('loses only the product that an unreadable message names', () => {
    const { observer, next, hear, tell, sent, ended, session } = startLive();
    hear(next('l2_data', [bid('99')]).slice(0, -9));
    expect([BTC, ETH].map((id) => observer.market(id!).states)).toEqual([['recovering'], []]);
    tell('l2_data', bid('98', 'ETH-USD'));
    expect([BTC, ETH].map((id) => observer.isLive(id!))).toEqual([false, true]);
    expect(sent).toEqual([
      { type: 'unsubscribe', channel: 'level2', product_ids: ['BTC-USD'] },
      { type: 'subscribe', channel: 'level2', product_ids: ['BTC-USD'] },
    ]);
    tell('l2_data', bid('97'));
    expect(observer.market(BTC!).deltas).toBe(0);
    tell('l2_data', levels('snapshot', 'BTC-USD', { '96': '1' }));
    expect(observer.isLive(BTC!)).toBe(true);
    expect(ended).toEqual([]);
    expect(session.stats).toMatchObject({ malformed: 1, gaps: 1 });
  });

  it('is not disturbed by an unreadable message of another channel', () => {
    const { observer, next, hear, tell, session } = startLive();
    hear(next('market_trades', [{ type: 'update', trades: [] }]).slice(0, -9));
    tell('l2_data', bid('99'));
    expect(observer.market(BTC!)).toMatchObject({ states: [], deltas: 1 });
    expect(session.stats).toMatchObject({ malformed: 1, gaps: 0 });
  });

  it('doubts every book after garbage, until the numbers show that nothing is missing', () => {
    const { observer, hear, tell } = startLive();
    hear('{"');
    expect([BTC, ETH].map((id) => observer.market(id!).state)).toEqual(['recovering', 'recovering']);
    tell('heartbeats', { heartbeat_counter: 1 });
    expect([BTC, ETH].map((id) => observer.market(id!).states)).toEqual([
      ['recovering', 'live'],
      ['recovering', 'live'],
    ]);
  });

  it('begins its count anew with each connection', () => {
    const { session, opened, tell, observer } = startLive();
    session.onClose('cut');
    opened();
    tell('l2_data', levels('snapshot', 'BTC-USD', { '5': '5' }));
    expect(observer.isLive(BTC!)).toBe(true);
    expect(session.stats.gaps).toBe(0);
  });

  it('takes a snapshot of forty thousand levels at once', () => {
    const { tell, observer } = startLive();
    const side = (from: number, sign: number) =>
      Object.fromEntries(
        Array.from({ length: 20_000 }, (_, i) => [(from + sign * i * 0.01).toFixed(2), '0.001']),
      );
    tell('l2_data', levels('snapshot', 'BTC-USD', side(1_000, -1), side(1_000.01, 1)));
    const { bids, asks } = observer.text(BTC!);
    expect([bids.length, asks.length, bids[0], asks[0]]).toEqual([
      20_000,
      20_000,
      ['1000', '0.001'],
      ['1000.01', '0.001'],
    ]);
  });
});

describe('Coinbase session: trades and statistics', () => {
  const trade = (trade_id: string, side: string, more: object = {}) => ({
    product_id: 'BTC-USD',
    trade_id,
    price: '100.01',
    size: '0.25',
    time: '2026-11-20T12:00:00.123456Z',
    side,
    ...more,
  });

  it('tells the side of the taker, the oldest first', () => {
    const { tell, observer } = startLive();
    tell('market_trades', { type: 'update', trades: [trade('1000', 'BUY'), trade('999', 'SELL')] });
    expect(observer.market(BTC!).trades).toMatchObject([
      { id: '999', side: 'buy', price: 10001, size: 250, venueTimeMs: START_MS + 123 },
      { id: '1000', side: 'sell' },
    ]);
  });

  it('leaves out the past trades that a subscription begins with', () => {
    const { tell, observer } = startLive();
    tell('market_trades', { type: 'snapshot', trades: [trade('1', 'BUY'), trade('2', 'SELL')] });
    expect(observer.market(BTC!).trades).toEqual([]);
  });

  it('counts a trade that is no number as malformed, and leaves the book alone', () => {
    const { tell, observer, session } = startLive();
    tell('market_trades', { type: 'update', trades: [trade('1', 'BUY', { price: 'much' })] });
    tell('l2_data', bid('99'));
    expect(observer.market(BTC!)).toMatchObject({ states: [], deltas: 1 });
    expect(session.stats).toMatchObject({ malformed: 1, trades: 0, gaps: 0 });
  });

  const ticker = (price_percent_chg_24_h: string) => ({
    type: 'update',
    tickers: [
      {
        type: 'ticker',
        product_id: 'BTC-USD',
        price: '110.00',
        volume_24_h: '12.5',
        low_24_h: '95',
        high_24_h: '115',
        price_percent_chg_24_h,
      },
    ],
  });

  it('tells the figures of 24 hours', () => {
    const { tell, observer } = startLive();
    tell('ticker_batch', ticker('10'));
    expect(observer.market(BTC!).ticker).toMatchObject({
      last: 11_000,
      open: 10_000,
      low: 9_500,
      high: 11_500,
      volume: 12_500,
      turnover: null,
      venueTimeMs: START_MS + 500,
    });
  });

  it.each(['', 'none', '-100', '-Infinity'])('tells no opening price from a change of %j', (change) => {
    const { tell, observer } = startLive();
    tell('ticker_batch', ticker(change));
    expect(observer.market(BTC!).ticker).toMatchObject({ last: 11_000, open: null });
  });
});
