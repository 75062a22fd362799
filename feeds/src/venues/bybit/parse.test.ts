import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, hostileValues } from '../test-harness.ts';
import { concernedBy, parseFrame } from './parse.ts';

const data = {
  s: 'BTCUSDT',
  b: [['16493.50', '0.006']],
  a: [['16611.00', '0.029']],
  u: 18521288,
  seq: 7961638724,
};
const book = { topic: 'orderbook.50.BTCUSDT', type: 'snapshot', ts: 1672304484978, data };
const trade = {
  T: 1672304486865,
  s: 'BTCUSDT',
  S: 'Buy',
  v: '0.001',
  p: '16578.50',
  i: '20f43950',
  BT: false,
};
const trades = { topic: 'publicTrade.BTCUSDT', type: 'snapshot', ts: 1672304486868, data: [trade] };
const ticker = {
  topic: 'tickers.BTCUSDT',
  type: 'delta',
  ts: 1673272861686,
  data: { symbol: 'BTCUSDT', lastPrice: '17216.00', volume24h: '91705.276', markPrice: '1' },
};

const parse = (frame: unknown) => parseFrame(JSON.stringify(frame));
const withData = (change: object) => ({ ...book, data: { ...data, ...change } });

describe('parseFrame', () => {
  it('reads books, whose topic names the depth', () => {
    expect(parse(book)).toEqual({
      kind: 'book',
      book: {
        symbol: 'BTCUSDT',
        depth: 50,
        isSnapshot: true,
        ts: 1672304484978,
        b: data.b,
        a: data.a,
        u: 18521288,
      },
    });
    const futures = {
      ...withData({ s: 'BTC-14AUG26', b: undefined }),
      type: 'delta',
      topic: 'orderbook.200.BTC-14AUG26',
    };
    expect(parse(futures)).toMatchObject({
      book: { symbol: 'BTC-14AUG26', depth: 200, isSnapshot: false, b: [] },
    });
  });

  it('reads trades and statistics', () => {
    expect(parse(trades)).toEqual({ kind: 'trades', trades: [trade] });
    expect(parse(ticker)).toEqual({
      kind: 'ticker',
      ticker: {
        symbol: 'BTCUSDT',
        isSnapshot: false,
        ts: 1673272861686,
        statistics: { lastPrice: '17216.00', volume24h: '91705.276' },
      },
    });
  });

  it.each<[frame: object, expected: object]>([
    [
      { success: true, ret_msg: 'subscribe', conn_id: 'a', op: 'subscribe' },
      { kind: 'other', name: 'subscribe' },
    ],
    [
      { success: true, ret_msg: 'pong', conn_id: 'a', op: 'ping' },
      { kind: 'other', name: 'ping' },
    ],
    [
      { args: ['1672916271846'], op: 'pong' },
      { kind: 'other', name: 'pong' },
    ],
    [
      { success: false, ret_msg: 'args size >10', conn_id: 'a', op: 'subscribe' },
      { kind: 'refusal', refusal: { reason: 'args size >10', requestId: null } },
    ],
    [
      { success: false, ret_msg: {}, req_id: 'x', op: 'subscribe' },
      { kind: 'refusal', refusal: { reason: 'an object', requestId: 'x' } },
    ],
    [
      { topic: 'kline.1.BTCUSDT', data: [] },
      { kind: 'other', name: 'kline.1.BTCUSDT' },
    ],
    [
      { topic: 'orderbook.full.BTCUSDT', type: 'delta' },
      { kind: 'other', name: 'orderbook.full.BTCUSDT' },
    ],
  ])('tells %j', (frame, expected) => {
    expect(parse(frame)).toEqual(expected);
  });

  it.each<[name: string, frame: unknown, key: string | undefined]>([
    ['null', null, 'frame'],
    ['an array', [book], 'frame'],
    ['nothing in it', {}, 'topic'],
    ['a topic that is no name', { topic: 5 }, 'topic'],
    ['a type there is not', { ...book, type: 'update' }, 'type'],
    ['a time as text', { ...book, ts: '1' }, 'ts'],
    ['data that are missing', { ...book, data: undefined }, 'data'],
    ['data that are an array', { ...book, data: [] }, 'data'],
    ['a symbol other than the topic', withData({ s: 'ETHUSDT' }), 's'],
    ['an id that is missing', withData({ u: undefined }), 'u'],
    ['an id past 2^53', withData({ u: 2 ** 53 }), 'u'],
    ['bids that are an object', withData({ b: {} }), 'b'],
    ['a level of numbers', withData({ a: [[1, 2]] }), 'a'],
    ['a level without size', withData({ a: [['1']] }), 'a'],
    ['trades that are an object', { ...trades, data: {} }, 'data'],
    ['a trade that is a text', { ...trades, data: ['x'] }, 'data'],
    ['a trade of no side', { ...trades, data: [{ ...trade, S: 'buy' }] }, 'S'],
    ['a trade time as text', { ...trades, data: [{ ...trade, T: '1' }] }, 'T'],
    ['a trade without price', { ...trades, data: [{ ...trade, p: undefined }] }, 'p'],
    ['statistics of nothing', { ...ticker, data: {} }, 'symbol'],
    ['statistics that are numbers', { ...ticker, data: { symbol: 'X', lastPrice: 1 } }, 'lastPrice'],
  ])('refuses %s, naming the key', (_name, frame, key) => {
    const error = errorOf(() => parse(frame));
    expect(error).toMatchObject({ code: 'malformed_venue_frame', details: { key } });
    expect(error!.message.length).toBeLessThan(300);
  });

  it('raises nothing but typed errors on any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
        errorOf(() => parseFrame(text));
        concernedBy(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('raises nothing but typed errors where any field of a frame is any value', () => {
    const outer = fc.dictionary(
      fc.constantFrom('topic', 'type', 'ts', 'data', 'op', 'success', 'ret_msg', 'req_id'),
      fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)),
    );
    const inner = fc.dictionary(
      fc.constantFrom('s', 'b', 'a', 'u', 'T', 'S', 'p', 'v', 'i', 'symbol', 'lastPrice'),
      fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)),
    );
    fc.assert(
      fc.property(fc.constantFrom(book, trades, ticker), outer, inner, (frame, fields, dataFields) => {
        const changed = Array.isArray(frame.data)
          ? [{ ...frame.data[0], ...dataFields }]
          : { ...frame.data, ...dataFields };
        errorOf(() => parse({ ...frame, data: changed, ...fields }));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('concernedBy', () => {
  it.each<[text: string, symbols: readonly string[] | null]>([
    [JSON.stringify(book).slice(0, -9), ['BTCUSDT']],
    [JSON.stringify(trades).slice(0, -9), []],
    ['{"type":"delta","data":{"s":"BTCUSDT"},"topic":"orderbook.1', null],
    ['{"topic":"orderbo', null],
    ['{"topic":"orderb00k.50.BTCUSDT",', null],
    ['', null],
  ])('%s', (text, symbols) => {
    expect(concernedBy(text)).toEqual(symbols);
  });
});
