import { decimalScale } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flattenLevels } from '../../core/levels.ts';
import { errorOf, hostileValues } from '../test-harness.ts';
import { concernedBy, parseFrame, parseMarkets, parseSnapshot, parseTickers } from './parse.ts';

const times = { timestamp: '1789456316', microtimestamp: '1789456316507635' };
const diffData = { ...times, bids: [['77049', '0.00000']], asks: [['77409', '1.5']] };
const diff = { data: diffData, channel: 'diff_order_book_btcusd', event: 'data' };
const tradeData = {
  id: 216000477,
  amount: 0.0792,
  amount_str: '0.07920000',
  price: 3805.44,
  price_str: '3805.44',
  type: 0,
  ...times,
  buy_order_id: 1,
  sell_order_id: 2,
};
const trade = { data: tradeData, channel: 'live_trades_ethusd', event: 'trade' };
const snapshot = { ...times, bids: [['3802.90', '0.6']], asks: [['3803.58', '0.9']] };
const pair = {
  ...{ name: 'BTC/USD', url_symbol: 'btcusd', base_decimals: 8, counter_decimals: 2, trading: 'Enabled' },
};
const ticker = {
  ...{ timestamp: '1686068944', last: '26216', open_24: '25895', volume: '3563.1' },
  pair: 'BTC/USD',
};

const withData = (frame: object, data: object, fields: object) =>
  JSON.stringify({ ...frame, data: { ...data, ...fields } });

describe('parseFrame', () => {
  it('reads a diff', () => {
    expect(parseFrame(JSON.stringify(diff))).toEqual({
      kind: 'diff',
      diff: {
        symbol: 'btcusd',
        microtimestamp: 1789456316507635,
        bids: [['77049', '0.00000']],
        asks: [['77409', '1.5']],
      },
    });
  });

  it('reads a trade by its texts, and by its numbers where there are none', () => {
    const read = (fields: object) => parseFrame(withData(trade, tradeData, fields));
    const expected = { symbol: 'ethusd', id: '216000477', price: '3805.44', side: 'buy' };
    expect(read({})).toMatchObject({ kind: 'trade', trade: { ...expected, amount: '0.07920000' } });
    expect(read({ price_str: undefined, amount_str: undefined, type: 1 })).toMatchObject({
      trade: { ...expected, amount: '0.0792', side: 'sell' },
    });
    expect(read({ amount_str: undefined, amount: 1e-8 })).toMatchObject({ trade: { amount: '0.00000001' } });
    expect(read({ microtimestamp: undefined })).toMatchObject({ trade: { microtimestamp: null } });
  });

  it('takes the text of an id that is past what numbers hold', () => {
    const text = withData(trade, tradeData, { id: 0, id_str: '2001939623936278528' });
    expect(parseFrame(text.replace('"id":0', '"id":2001939623936278528'))).toMatchObject({
      trade: { id: '2001939623936278528' },
    });
  });

  it.each([
    [
      { event: 'bts:subscription_succeeded', channel: 'x', data: {} },
      { kind: 'subscribed', channel: 'x' },
    ],
    [{ event: 'bts:heartbeat', channel: '', data: { status: 'success' } }, { kind: 'heartbeat' }],
    [{ event: 'bts:request_reconnect', channel: '', data: null }, { kind: 'reconnect' }],
    [
      { event: 'bts:error', channel: '', data: { code: null, message: 'Invalid channel provided.' } },
      { kind: 'error', channel: '', message: 'Invalid channel provided.' },
    ],
    [
      { event: 'bts:error', data: { code: 4009, message: 'Connection is unauthorized.' } },
      { kind: 'error', channel: '', message: '4009: Connection is unauthorized.' },
    ],
    [
      { event: 'bts:error', data: [[]] },
      { kind: 'error', channel: '', message: 'no reason given' },
    ],
    [
      { event: 'bts:unsubscription_succeeded', channel: 'x' },
      { kind: 'other', name: 'bts:unsubscription_succeeded' },
    ],
    [
      { event: 'data', channel: 'order_book_btcusd', data: {} },
      { kind: 'other', name: 'order_book_btcusd' },
    ],
    [
      { event: 'order_created', channel: 'live_orders_btcusd', data: {} },
      { kind: 'other', name: 'order_created' },
    ],
    [
      { event: 'trade', channel: 'private-my_trades_btcusd-1', data: {} },
      { kind: 'other', name: 'private-my_trades_btcusd-1' },
    ],
  ])('tells %j', (frame, expected) => {
    expect(parseFrame(JSON.stringify(frame))).toEqual(expected);
  });

  it.each<[name: string, text: string, key: string | undefined]>([
    ['nothing', '', undefined],
    ['half a frame', JSON.stringify(diff).slice(0, -9), undefined],
    ['an array', '[]', 'frame'],
    ['null', 'null', 'frame'],
    ['no event', JSON.stringify({ ...diff, event: undefined }), 'event'],
    ['an event that is no text', JSON.stringify({ ...diff, event: {} }), 'event'],
    ['data of no channel', JSON.stringify({ ...diff, channel: undefined }), 'channel'],
    ['no data', JSON.stringify({ ...diff, data: null }), 'data'],
    ['a diff without time', withData(diff, diffData, { microtimestamp: undefined }), 'microtimestamp'],
    ['a time that is no number', withData(diff, diffData, { microtimestamp: '12x' }), 'microtimestamp'],
    ['a time past 2^53', withData(diff, diffData, { microtimestamp: '9007199254740993' }), 'microtimestamp'],
    ['a time below zero', withData(diff, diffData, { microtimestamp: -1 }), 'microtimestamp'],
    ['bids that are missing', withData(diff, diffData, { bids: undefined }), 'bids'],
    ['asks that are an object', withData(diff, diffData, { asks: {} }), 'asks'],
    ['a level of numbers', withData(diff, diffData, { bids: [[1, 2]] }), 'bids'],
    ['a level without amount', withData(diff, diffData, { asks: [['1']] }), 'asks'],
    ['a trade without id', withData(trade, tradeData, { id: undefined }), 'id'],
    ['a trade of no side', withData(trade, tradeData, { type: 2 }), 'type'],
    ['a trade without price', withData(trade, tradeData, { price_str: 1, price: '1' }), 'price'],
    ['a trade without amount', withData(trade, tradeData, { amount_str: null, amount: null }), 'amount'],
    [
      'levels nested deeper than the stack',
      `{"event":"data","channel":"diff_order_book_x","data":{"microtimestamp":"1","bids":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
      'bids',
    ],
  ])('refuses %s, naming the key', (_name, text, key) => {
    const error = errorOf(() => parseFrame(text));
    expect(error).toMatchObject({ code: 'malformed_venue_frame' });
    expect(error!.details.key).toBe(key);
    expect(error!.message.length).toBeLessThan(300);
  });

  it('raises nothing but typed errors on any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
        for (const parse of [parseFrame, parseSnapshot, parseTickers, parseMarkets])
          errorOf(() => parse(text));
        concernedBy(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('raises nothing but typed errors where any field of a frame is any value', () => {
    const key = fc.constantFrom(
      ...['event', 'channel', 'data', 'microtimestamp', 'bids', 'asks', 'id', 'id_str', 'type', 'price'],
      ...['price_str', 'amount', 'amount_str', 'code', 'message', 'pair', 'market', 'timestamp', 'last'],
      ...['name', 'url_symbol', 'market_symbol', 'base_decimals', 'counter_decimals', 'trading'],
      ...['market_type', 'base_currency', 'counter_currency'],
    );
    fc.assert(
      fc.property(
        fc.constantFrom({ ...diff }, { ...trade }, snapshot, pair, ticker, {}),
        fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues))),
        fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues))),
        (frame, fields, inner) => {
          const data = 'data' in frame ? { ...(frame.data as object), ...inner } : inner;
          const text = JSON.stringify({ ...frame, data, ...fields });
          errorOf(() => {
            const read = parseFrame(text);
            if (read.kind === 'diff') flattenLevels(read.diff.bids, decimalScale(2), decimalScale(8));
          });
          errorOf(() => parseSnapshot(text));
          errorOf(() => parseTickers(`[${text}]`));
          errorOf(() => parseMarkets(`[${text}]`));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('concernedBy', () => {
  it.each<[name: string, text: string, symbols: readonly string[] | null]>([
    ['a diff that lost its end', JSON.stringify(diff).slice(0, -9), ['btcusd']],
    ['a diff that lost its channel', JSON.stringify(diff).slice(0, 60), null],
    ['a diff with a wrong level', withData(diff, diffData, { bids: 5 }), ['btcusd']],
    ['a trade', JSON.stringify(trade).slice(0, -9), []],
    ['a trade that lost its channel', JSON.stringify(trade).slice(0, 260), []],
    ['an answer', '{"event":"bts:heartbeat","chan', []],
    ['another channel', '{"data":{},"channel":"order_book_btcusd","event":"da', []],
    ['a damaged name', '{"event":"dat!","channel":"diff_orde', null],
    ['a damaged channel', '{"data":{},"channel":"dif!_order_book_btcusd","event":"da', null],
    ['nothing', '', null],
  ])('tells the books that %s may be of', (_name, text, symbols) => {
    expect(concernedBy(text)).toEqual(symbols);
  });
});

describe('parseSnapshot', () => {
  it('reads the answer', () => {
    expect(parseSnapshot(JSON.stringify(snapshot))).toEqual({
      id: 1789456316507635,
      timeMs: 1789456316507,
      bids: snapshot.bids,
      asks: snapshot.asks,
    });
  });

  it.each([
    ['a page of HTML', '<html>', undefined],
    ['an array', '[]', 'order_book'],
    ['an error', '{"code":"Invalid","errors":[]}', 'microtimestamp'],
    ['no asks', JSON.stringify({ ...snapshot, asks: undefined }), 'asks'],
  ])('refuses %s', (_name, body, key) => {
    const error = errorOf(() => parseSnapshot(body));
    expect(error).toMatchObject({ code: 'malformed_venue_frame' });
    expect(error!.details.key).toBe(key);
  });
});

describe('parseTickers', () => {
  it('reads the figures of every market, whatever the list calls its name', () => {
    const perpetual = { market: 'BTC/USD-PERP', last: '1', timestamp: '1789456400586' };
    expect(parseTickers(JSON.stringify([ticker, perpetual, null, {}, { pair: 5 }]))).toEqual([
      expect.objectContaining({ symbol: 'btcusd', last: '26216', open24: '25895', timeMs: 1686068944000 }),
      expect.objectContaining({ symbol: 'btcusd-perp', last: '1', timeMs: 1789456400586 }),
    ]);
  });

  it('refuses what is no list', () => {
    expect(errorOf(() => parseTickers('{}'))).toMatchObject({ code: 'malformed_venue_frame' });
  });
});
