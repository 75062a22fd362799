import { decimalScale } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flattenLevels } from '../../core/levels.ts';
import { errorOf, hostileValues } from '../test-harness.ts';
import { coinbaseCapture } from './capture.ts';
import { concernedBy, parseFrame, remainsOf, timeMs } from './parse.ts';

const TIME = '2026-11-20T12:00:00.032123456Z';
const level = (side: string, price_level: string, new_quantity: string) => ({
  side,
  event_time: TIME,
  price_level,
  new_quantity,
});
const frame = (channel: string, event: object, more: object = {}) => ({
  channel,
  timestamp: TIME,
  sequence_num: 7,
  events: [event],
  ...more,
});
const bookEvent = {
  type: 'update',
  product_id: 'BTC-USD',
  updates: [level('bid', '21921.73', '0.06317902'), level('offer', '21921.74', '0')],
};
const trade = {
  product_id: 'ETH-USD',
  trade_id: '12345',
  price: '1260.01',
  size: '0.3',
  time: TIME,
  side: 'BUY',
};
const ticker = {
  type: 'ticker',
  product_id: 'BTC-USD',
  price: '21932.98',
  volume_24_h: '16038.28770938',
  low_24_h: '21835.29',
  high_24_h: '23011.18',
  price_percent_chg_24_h: '-4.15775596190603',
};
const book = frame('l2_data', bookEvent);
const trades = frame('market_trades', { type: 'update', trades: [trade] });
const tickers = frame('ticker_batch', { type: 'update', tickers: [ticker] });

describe('parseFrame', () => {
  it('reads a book, offers being asks', () => {
    expect(parseFrame(JSON.stringify(book))).toEqual({
      sequence: 7,
      timeMs: Date.UTC(2026, 10, 20, 12, 0, 0, 32),
      body: {
        kind: 'book',
        events: [
          {
            isSnapshot: false,
            productId: 'BTC-USD',
            bids: [['21921.73', '0.06317902']],
            asks: [['21921.74', '0']],
          },
        ],
      },
    });
  });

  it('reads trades and statistics, whichever channel they come by', () => {
    expect(parseFrame(JSON.stringify(trades)).body).toEqual({
      kind: 'trades',
      isSnapshot: false,
      trades: [
        { productId: 'ETH-USD', tradeId: '12345', price: '1260.01', size: '0.3', time: TIME, side: 'BUY' },
      ],
    });
    const body = {
      kind: 'tickers',
      tickers: [
        {
          productId: 'BTC-USD',
          price: '21932.98',
          volume: '16038.28770938',
          low: '21835.29',
          high: '23011.18',
          percentChange: '-4.15775596190603',
        },
      ],
    };
    expect(parseFrame(JSON.stringify(tickers)).body).toEqual(body);
    expect(parseFrame(JSON.stringify({ ...tickers, channel: 'ticker' })).body).toEqual(body);
  });

  it.each([
    [
      '{"type":"error","message":"authentication failure"}',
      { kind: 'error', message: 'authentication failure' },
    ],
    ['{"type":"error","message":[1]}', { kind: 'error', message: 'an array of 1' }],
    ['{}', { kind: 'other', name: 'unnamed' }],
  ])('reads %s, which has no number', (text, body) => {
    expect(parseFrame(text)).toEqual({ sequence: null, timeMs: null, body });
  });

  it.each(['heartbeats', 'subscriptions', 'candles', 'status'])('counts the frames of %s', (channel) => {
    expect(parseFrame(JSON.stringify(frame(channel, {})))).toMatchObject({
      sequence: 7,
      body: { kind: 'other', name: channel },
    });
  });

  it('does not take a channel that there is not for one without a book', () => {
    const damaged = JSON.stringify(frame('l2_dbta', {}));
    expect(() => parseFrame(damaged)).toThrow(expect.objectContaining({ code: 'malformed_venue_frame' }));
    expect(remainsOf(damaged)).toEqual({ sequence: 7, products: null });
    expect(concernedBy('{"channel":"book"}')).toBeNull();
    expect(concernedBy('{"channel":"heartbeats","eve')).toEqual([]);
  });

  it.each<[name: string, text: string, key: string | undefined]>([
    ['nothing', '', undefined],
    ['half a frame', JSON.stringify(book).slice(0, -9), undefined],
    ['null', 'null', 'frame'],
    ['a channel that is a number', '{"channel":1}', 'channel'],
    [
      'a channel nested deeper than the stack',
      `{"channel":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'channel',
    ],
    ['no number', JSON.stringify({ ...book, sequence_num: undefined }), 'sequence_num'],
    ['a number as text', JSON.stringify({ ...book, sequence_num: '7' }), 'sequence_num'],
    ['a number below zero', JSON.stringify({ ...book, sequence_num: -1 }), 'sequence_num'],
    ['no events', JSON.stringify({ ...book, events: undefined }), 'events'],
    ['events of null', JSON.stringify({ ...book, events: [null] }), 'events'],
    ['no product', JSON.stringify(frame('l2_data', { ...bookEvent, product_id: 7 })), 'product_id'],
    ['no updates', JSON.stringify(frame('l2_data', { ...bookEvent, updates: {} })), 'updates'],
    ['an update of another type', JSON.stringify(frame('l2_data', { ...bookEvent, type: 'delta' })), 'type'],
    [
      'a side there is not',
      JSON.stringify(frame('l2_data', { ...bookEvent, updates: [level('ask', '1', '1')] })),
      'side',
    ],
    [
      'a price as a number',
      JSON.stringify(
        frame('l2_data', { ...bookEvent, updates: [{ ...level('bid', '1', '1'), price_level: 1 }] }),
      ),
      'price_level',
    ],
    [
      'a level without size',
      JSON.stringify(frame('l2_data', { ...bookEvent, updates: [{ side: 'bid', price_level: '1' }] })),
      'new_quantity',
    ],
    ['trades of no list', JSON.stringify(frame('market_trades', { type: 'update' })), 'trades'],
    [
      'a trade without id',
      JSON.stringify(frame('market_trades', { type: 'update', trades: [{ ...trade, trade_id: 5 }] })),
      'trade_id',
    ],
    [
      'a trade of no side',
      JSON.stringify(frame('market_trades', { type: 'update', trades: [{ ...trade, side: 'buy' }] })),
      'side',
    ],
    ['trades of another type', JSON.stringify(frame('market_trades', { trades: [trade] })), 'type'],
    [
      'statistics without price',
      JSON.stringify(frame('ticker', { tickers: [{ ...ticker, price: 1 }] })),
      'price',
    ],
  ])('refuses %s, naming the key', (_name, text, key) => {
    const error = errorOf(() => parseFrame(text));
    expect(error).toMatchObject({ code: 'malformed_venue_frame' });
    expect(error!.details.key).toBe(key);
    expect(error!.message.length).toBeLessThan(300);
  });

  it('raises nothing but typed errors on any text, nor does the reader of captures', () => {
    const sink = { level() {}, trade() {}, book() {}, stranger() {} };
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
        errorOf(() => parseFrame(text));
        remainsOf(text);
        coinbaseCapture.look({ kind: 'in', url: '', data: text }, sink);
        coinbaseCapture.isMetadata({ kind: 'rest', url: text, data: text }, 'spot');
      }),
      { numRuns: 2_000 },
    );
  });

  it('raises nothing but typed errors where any field of a frame is any value', () => {
    const outer = ['channel', 'timestamp', 'sequence_num', 'events', 'type', 'message'];
    const inner = ['type', 'product_id', 'updates', 'trades', 'tickers'];
    const fields = (keys: string[]) =>
      fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)), {
        maxKeys: 3,
      });
    fc.assert(
      fc.property(
        fc.constantFrom(book, trades, tickers),
        fields(outer),
        fields(inner),
        (base, more, event) => {
          const text = JSON.stringify({ ...base, events: [{ ...base.events[0], ...event }], ...more });
          errorOf(() => {
            const { body } = parseFrame(text);
            if (body.kind === 'book')
              for (const { bids } of body.events) flattenLevels(bids, decimalScale(2), decimalScale(8));
          });
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('what is left of a frame that cannot be read', () => {
  it.each<[text: string, sequence: number | null, products: readonly string[] | null]>([
    [JSON.stringify(book).slice(0, -9), 7, ['BTC-USD']],
    [JSON.stringify(frame('l2_data', { ...bookEvent, product_id: 'A"' })).slice(0, -9), 7, ['A\\']],
    ['{"channel":"l2_data","timestamp":"x","sequence_num":12', null, null],
    [JSON.stringify(trades).slice(0, -9), 7, []],
    ['{"channel":"l2_d', null, null],
    ['{"sequence_num":99999999999999999999,"channel":"heartbeats"', null, []],
    ['{"', null, null],
  ])('%j', (text, sequence, products) => {
    expect(remainsOf(text)).toEqual({ sequence, products });
    expect(concernedBy(text)).toEqual(products);
  });
});

describe('timeMs', () => {
  it.each([
    [TIME, Date.UTC(2026, 10, 20, 12, 0, 0, 32)],
    ['0001-01-01T00:00:00Z', null],
    ['soon', null],
    [5, null],
    [undefined, null],
  ])('%s is %s', (text, ms) => expect(timeMs(text)).toBe(ms));
});

describe('what the adapter tells of captures', () => {
  it.each([
    ['wss://advanced-trade-ws.coinbase.com', 'spot'],
    ['wss://advanced-trade-ws.coinbase.com/', 'spot'],
    ['wss://ws-feed.exchange.coinbase.com', null],
    ['wss://advanced-trade-ws.coinbase.community', null],
  ])('%s is a socket of %s', (url, market) => expect(coinbaseCapture.marketOf(url)).toBe(market));

  it.each([
    ['https://api.coinbase.com/api/v3/brokerage/market/products', true],
    ['https://api.coinbase.com/api/v3/brokerage/market/products?product_type=SPOT', true],
    ['https://api.coinbase.com/api/v3/brokerage/products', true],
    ['https://api.coinbase.com/api/v3/brokerage/market/products/BTC-USD/ticker', false],
  ])('%s has metadata: %s', (url, expected) =>
    expect(coinbaseCapture.isMetadata({ kind: 'rest', url, data: '' }, 'spot')).toBe(expected),
  );

  it('reports the levels and trades of a frame', () => {
    const seen: string[][] = [];
    const sink = {
      level: (...of: string[]) => seen.push(of),
      trade: (...of: string[]) => seen.push(of),
      book: (symbol: string) => seen.push([symbol]),
      stranger() {},
    };
    for (const each of [book, trades, tickers])
      coinbaseCapture.look({ kind: 'in', url: '', data: JSON.stringify(each) }, sink);
    expect(seen).toEqual([
      ['BTC-USD'],
      ['BTC-USD', '21921.73', '0.06317902'],
      ['BTC-USD', '21921.74', '0'],
      ['ETH-USD', '1260.01', '0.3'],
    ]);
  });
});
