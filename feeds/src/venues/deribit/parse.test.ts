import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, hostileValues } from '../test-harness.ts';
import { concernedBy, parseFrame } from './parse.ts';

const frame = (channel: string, data: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } });

const snapshot = {
  type: 'snapshot',
  timestamp: 1_700_000_000_123,
  instrument_name: 'BTC-PERPETUAL',
  change_id: 100,
  bids: [['new', 50000.5, 1000]],
  asks: [['new', 50001, 20]],
};
const change = {
  type: 'change',
  timestamp: 1_700_000_000_223,
  prev_change_id: 100,
  instrument_name: 'BTC-PERPETUAL',
  change_id: 104,
  bids: [['change', 50000.5, 900]],
  asks: [['delete', 50001, 0]],
};
const trade = {
  trade_seq: 30289,
  trade_id: '48079',
  timestamp: 1_700_000_000_123,
  price: 50000.5,
  instrument_name: 'BTC-PERPETUAL',
  direction: 'sell',
  amount: 30,
};
const ticker = {
  timestamp: 1_700_000_000_123,
  stats: { volume_usd: 1_200_000, volume: 24.1, price_change: -1.2, low: 49000, high: 51000 },
  last_price: 50000.5,
  instrument_name: 'BTC-PERPETUAL',
};
const BOOK = 'book.BTC-PERPETUAL.100ms';
const TRADES = 'trades.BTC-PERPETUAL.100ms';
const TICKER = 'ticker.BTC-PERPETUAL.agg2';

describe('parseFrame', () => {
  it('reads a snapshot and a change, of whatever interval', () => {
    expect(parseFrame(frame(BOOK, snapshot))).toEqual({
      kind: 'book',
      book: {
        type: 'snapshot',
        instrument: 'BTC-PERPETUAL',
        timestamp: 1_700_000_000_123,
        changeId: 100,
        prevChangeId: null,
        bids: [['50000.5', '1000']],
        asks: [['50001', '20']],
      },
    });
    expect(parseFrame(frame('book.BTC-PERPETUAL.raw', change))).toMatchObject({
      book: { type: 'change', changeId: 104, prevChangeId: 100, asks: [['50001', '0']] },
    });
  });

  it.each([null, 0, 99])('takes a snapshot for one, whatever its prev_change_id: %s', (prev_change_id) => {
    expect(parseFrame(frame(BOOK, { ...snapshot, prev_change_id }))).toMatchObject({
      book: { type: 'snapshot', prevChangeId: null },
    });
  });

  it('tells a snapshot without a type by what it lacks', () => {
    expect(parseFrame(frame(BOOK, { ...snapshot, type: undefined }))).toMatchObject({
      book: { type: 'snapshot' },
    });
    expect(parseFrame(frame(BOOK, { ...change, type: undefined }))).toMatchObject({
      book: { type: 'change' },
    });
  });

  it('writes small and large numbers without an exponent, and removes whatever amount is deleted', () => {
    const bids = [
      ['new', 1e-7, 2.5e-8],
      ['new', 3, 1e21],
      ['delete', 4, 17],
    ];
    expect(parseFrame(frame(BOOK, { ...snapshot, bids }))).toMatchObject({
      book: {
        bids: [
          ['0.0000001', '0.000000025'],
          ['3', '1000000000000000000000'],
          ['4', '0'],
        ],
      },
    });
  });

  it('reads trades, by one instrument or by kind', () => {
    const trades = [
      { instrument: 'BTC-PERPETUAL', id: '48079', price: '50000.5', amount: '30', direction: 'sell' },
    ];
    for (const channel of [TRADES, 'trades.future.BTC.raw'])
      expect(parseFrame(frame(channel, [trade]))).toMatchObject({ kind: 'trades', trades });
  });

  it('reads 24 h figures, some of which the venue may not have', () => {
    expect(parseFrame(frame(TICKER, ticker))).toMatchObject({
      kind: 'ticker',
      ticker: {
        last: 50000.5,
        low: 49000,
        high: 51000,
        changePercent: -1.2,
        volume: 24.1,
        volumeUsd: 1_200_000,
      },
    });
    const none = { volume: null, price_change: null, low: null, high: null };
    const quiet = parseFrame(frame(TICKER, { ...ticker, stats: none, last_price: null }));
    expect(quiet).toMatchObject({ ticker: { instrument: 'BTC-PERPETUAL' } });
    expect(JSON.stringify(quiet)).not.toContain('null');
  });

  it.each([
    [
      '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}',
      { kind: 'heartbeat', wantsAnswer: false },
    ],
    [
      '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}',
      { kind: 'heartbeat', wantsAnswer: true },
    ],
    [
      '{"jsonrpc":"2.0","id":2,"result":["a.b.c"]}',
      { kind: 'answer', answer: { id: 2, channels: ['a.b.c'], error: null } },
    ],
    [
      '{"jsonrpc":"2.0","id":3,"result":"ok"}',
      { kind: 'answer', answer: { id: 3, channels: null, error: null } },
    ],
    [
      '{"jsonrpc":"2.0","id":2,"error":{"code":10028,"message":"too_many_requests"}}',
      { kind: 'answer', answer: { id: 2, channels: null, error: '10028: too_many_requests' } },
    ],
    [
      frame('deribit_price_index.btc_usd', { price: 1 }),
      { kind: 'other', name: 'deribit_price_index.btc_usd' },
    ],
    [
      frame('book.BTC-PERPETUAL.none.20.100ms', { bids: [[1, 2]] }),
      { kind: 'other', name: 'book.BTC-PERPETUAL.none.20.100ms' },
    ],
  ])('tells apart %s', (text, expected) => {
    expect(parseFrame(text)).toEqual(expected);
  });

  it.each<[name: string, text: string, key: string | undefined]>([
    ['nothing', '', undefined],
    ['half a frame', frame(BOOK, change).slice(0, -9), undefined],
    ['null', 'null', 'frame'],
    ['an array', '[]', 'frame'],
    ['an empty object', '{}', 'frame'],
    ['a method that is no text', '{"method":5}', 'method'],
    ['no params', '{"method":"subscription"}', 'params'],
    ['no channel', '{"method":"subscription","params":{}}', 'channel'],
    ['a book without data', frame(BOOK, null), 'data'],
    ['a book of another type', frame(BOOK, { ...change, type: 'delta' }), 'type'],
    ['a book without a name', frame(BOOK, { ...change, instrument_name: 5 }), 'instrument_name'],
    ['a book without a time', frame(BOOK, { ...change, timestamp: null }), 'timestamp'],
    ['an id past 2^53', frame(BOOK, change).replace('104', '9007199254740993'), 'change_id'],
    ['a change without a previous id', frame(BOOK, { ...change, prev_change_id: null }), 'prev_change_id'],
    ['bids that are missing', frame(BOOK, { ...change, bids: undefined }), 'bids'],
    ['a level that is no array', frame(BOOK, { ...change, asks: [5] }), 'asks'],
    ['an action there is not', frame(BOOK, { ...change, asks: [['replace', 1, 1]] }), 'asks'],
    ['a price as text', frame(BOOK, { ...change, bids: [['new', '1', 1]] }), 'bids'],
    ['an amount past what a double holds', frame(BOOK, snapshot).replace('1000]', '1e999]'), 'bids'],
    ['trades that are no array', frame(TRADES, trade), 'data'],
    ['a trade that is none', frame(TRADES, [5]), 'data'],
    ['a trade without an id', frame(TRADES, [{ ...trade, trade_id: null }]), 'trade_id'],
    ['a trade without a side', frame(TRADES, [{ ...trade, direction: 'zero' }]), 'direction'],
    ['a trade without a price', frame(TRADES, [{ ...trade, price: '5' }]), 'price'],
    ['a ticker without a name', frame(TICKER, { ...ticker, instrument_name: null }), 'instrument_name'],
    [
      'data nested deeper than the stack',
      frame(BOOK, 0).replace(/0(?=\}\})/, '['.repeat(1e5) + ']'.repeat(1e5)),
      'data',
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
        errorOf(() => parseFrame(text));
        concernedBy(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('raises nothing but typed errors where any field of a frame is any value', () => {
    const keys = [...new Set([snapshot, change, trade, ticker].flatMap(Object.keys))];
    const field = fc.dictionary(
      fc.constantFrom(...keys),
      fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom<[string, object]>(
          [BOOK, snapshot],
          [BOOK, change],
          [TRADES, trade],
          [TICKER, ticker],
        ),
        field,
        ([channel, data], fields) => {
          const changed = { ...data, ...fields };
          errorOf(() => parseFrame(frame(channel, channel === TRADES ? [changed] : changed)));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('concernedBy', () => {
  it.each([
    [frame(BOOK, change).slice(0, -9), ['BTC-PERPETUAL']],
    [frame('book.SOL_USDC-27SEP24-150-P.raw', change).slice(0, -9), ['SOL_USDC-27SEP24-150-P']],
    [frame(TRADES, [trade]).slice(0, -9), []],
    [frame(TICKER, ticker).slice(0, -9), []],
    ['{"jsonrpc":"2.0","method":"heartbeat","params":{"ty', []],
    ['{"jsonrpc":"2.0","id":3,"resu', []],
    ['{"channel":"book"}', null],
    ['{"jsonrpc":"2.0","method":"subscription","params":{"channel":"b!ok.BTC-PERPETUAL.100ms","da', null],
    ['{"jsonrpc":"2.0","method":"subscription","params":{"channel":"bo', null],
    ['', null],
    ['{"', null],
  ])('%s', (text, symbols) => {
    expect(concernedBy(text)).toEqual(symbols);
  });
});
