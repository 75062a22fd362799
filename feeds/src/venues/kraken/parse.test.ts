import { decimalScale } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flattenLevels } from '../../core/levels.ts';
import { errorOf, hostileValues } from '../test-harness.ts';
import { krakenCapture } from './capture.ts';
import { kraken } from './index.ts';
import { concernedBy, parseFrame, timeMs } from './parse.ts';

const book = {
  channel: 'book',
  type: 'update',
  data: [
    {
      symbol: 'MATIC/USD',
      bids: [{ price: 0.5657, qty: 1098.3947558 }],
      asks: [],
      checksum: 2114181697,
      timestamp: '2023-10-06T17:35:55.440295Z',
    },
  ],
};
const trade = {
  channel: 'trade',
  type: 'update',
  data: [
    {
      symbol: 'MATIC/USD',
      side: 'sell',
      price: 0.5117,
      qty: 40,
      ord_type: 'market',
      trade_id: 4665906,
      timestamp: '2023-09-25T07:49:37.708706Z',
    },
  ],
};
const ticker = {
  channel: 'ticker',
  type: 'snapshot',
  data: [
    {
      symbol: 'ALGO/USD',
      last: 0.10035,
      volume: 997038.98383185,
      vwap: 0.10148,
      low: 0.09979,
      high: 0.10285,
      change: -0.00017,
    },
  ],
};
const pair = {
  symbol: 'EUR/USD',
  base: 'EUR',
  quote: 'USD',
  status: 'online',
  qty_precision: 8,
  qty_increment: 1e-8,
  price_precision: 5,
  price_increment: 1e-5,
};
const instrument = { channel: 'instrument', type: 'snapshot', data: { assets: [], pairs: [pair] } };

const changed = (frame: { data: object[] }, fields: object) =>
  JSON.stringify({ ...frame, data: [{ ...frame.data[0], ...fields }] });

describe('parseFrame', () => {
  it('keeps every digit of a level as it is on the wire', () => {
    const text =
      '{"channel":"book","type":"snapshot","data":[{"symbol":"A/B","bids":[{"price":0.000022890,"qty":1127313210.00855204}],' +
      '"asks":[{"qty" : 100, "price" :1e-05},{"price":1.5E+1,"qty":0.00000000}],"checksum":4294967295}]}';
    expect(parseFrame(text)).toEqual({
      kind: 'book',
      isSnapshot: true,
      entries: [
        {
          symbol: 'A/B',
          bids: [['0.000022890', '1127313210.00855204']],
          asks: [
            ['1e-05', '100'],
            ['1.5E+1', '0.00000000'],
          ],
          checksum: 4294967295,
          timestamp: null,
        },
      ],
    });
  });

  it('is not misled by a symbol that looks like a level', () => {
    const frame = parseFrame(changed(book, { symbol: '{"price":1,"qty":2}' }));
    expect(frame).toMatchObject({ entries: [{ symbol: '{"price":1,"qty":2}' }] });
  });

  it('reads a side that is left out as one without changes', () => {
    expect(parseFrame(changed(book, { bids: undefined }))).toMatchObject({
      entries: [{ bids: [], asks: [] }],
    });
  });

  it('reads trades, statistics, instruments, the state of the venue', () => {
    expect(parseFrame(JSON.stringify(trade))).toEqual({
      kind: 'trade',
      isSnapshot: false,
      entries: [
        {
          symbol: 'MATIC/USD',
          side: 'sell',
          price: '0.5117',
          qty: '40',
          tradeId: 4665906,
          timestamp: trade.data[0]!.timestamp,
        },
      ],
    });
    expect(parseFrame(JSON.stringify(ticker))).toMatchObject({
      kind: 'ticker',
      entries: [{ symbol: 'ALGO/USD', last: 0.10035, change: -0.00017, timestamp: null }],
    });
    expect(parseFrame(JSON.stringify(instrument))).toMatchObject({
      kind: 'instrument',
      isSnapshot: true,
      pairs: new Map([
        [
          'EUR/USD',
          {
            symbol: 'EUR/USD',
            base: 'EUR',
            quote: 'USD',
            status: 'online',
            pricePrecision: 5,
            qtyPrecision: 8,
            priceIncrement: '0.00001',
            qtyIncrement: '1e-8',
          },
        ],
      ]),
    });
    const status = { channel: 'status', type: 'update', data: [{ system: 'maintenance' }] };
    expect(parseFrame(JSON.stringify(status))).toEqual({ kind: 'status', system: 'maintenance' });
  });

  it.each([
    [
      '{"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":"A/B"},"success":true}',
      { method: 'subscribe', channel: 'book', symbol: 'A/B', depth: 10, error: null },
    ],
    [
      '{"error":"Currency pair not supported A/X","method":"subscribe","success":false,"symbol":"A/X"}',
      {
        method: 'subscribe',
        channel: null,
        symbol: 'A/X',
        depth: null,
        error: 'Currency pair not supported A/X',
      },
    ],
    [
      '{"method":"subscribe","success":false,"error":{"toString":1}}',
      { method: 'subscribe', channel: null, symbol: null, depth: null, error: 'an object' },
    ],
    [
      '{"method":"pong","req_id":101}',
      { method: 'pong', channel: null, symbol: null, depth: null, error: null },
    ],
  ])('reads the answer %s', (text, ack) => expect(parseFrame(text)).toEqual({ kind: 'ack', ack }));

  it.each([
    ['{"Error":"Exceeded msg rate"}', { kind: 'error', message: 'Exceeded msg rate' }],
    ['{"error":[1]}', { kind: 'error', message: 'an array of 1' }],
    ['{"channel":"heartbeat"}', { kind: 'other', name: 'heartbeat' }],
    ['{"channel":"ohlc","type":"update","data":[]}', { kind: 'other', name: 'ohlc' }],
  ])('tells %s', (text, frame) => expect(parseFrame(text)).toEqual(frame));

  it.each<[name: string, text: string, key: string | undefined]>([
    ['nothing', '', undefined],
    ['half a frame', JSON.stringify(book).slice(0, -9), undefined],
    ['null', 'null', 'frame'],
    ['an array', '[]', 'frame'],
    ['an object without a name', '{}', 'channel'],
    ['a channel that is a number', '{"channel":1}', 'channel'],
    [
      'a channel nested deeper than the stack',
      `{"channel":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'channel',
    ],
    ['a book of another type', JSON.stringify({ ...book, type: 'delta' }), 'type'],
    ['a book without data', '{"channel":"book","type":"update"}', 'data'],
    ['a book of null', '{"channel":"book","type":"update","data":[null]}', 'data'],
    ['a book without symbol', changed(book, { symbol: undefined }), 'symbol'],
    ['bids that are no list', changed(book, { bids: {} }), 'bids'],
    ['a level that is a pair', changed(book, { asks: [[1, 2]] }), 'asks'],
    ['a level without quantity', changed(book, { asks: [{ price: 1 }] }), 'asks'],
    ['a price that is null', changed(book, { asks: [{ price: null, qty: 1 }] }), 'asks'],
    ['a checksum as text', changed(book, { checksum: '1' }), 'checksum'],
    ['a checksum below zero', changed(book, { checksum: -1 }), 'checksum'],
    ['a checksum of 33 bits', changed(book, { checksum: 2 ** 32 }), 'checksum'],
    ['a checksum of null', changed(book, { checksum: null }), 'checksum'],
    ['a time as a number', changed(book, { timestamp: 1 }), 'timestamp'],
    ['a trade of no side', changed(trade, { side: 'both' }), 'side'],
    ['a trade without price', changed(trade, { price: undefined }), 'price'],
    ['a trade without quantity', changed(trade, { qty: undefined }), 'qty'],
    ['a trade without id', changed(trade, { trade_id: '7' }), 'trade_id'],
    ['a trade without symbol', changed(trade, { symbol: 7 }), 'symbol'],
    ['a last price as text', changed(ticker, { last: '1' }), 'last'],
    ['statistics of nothing', changed(ticker, { symbol: null }), 'symbol'],
    ['instruments that are a list', JSON.stringify({ ...instrument, data: [] }), 'data'],
    ['instruments without pairs', JSON.stringify({ ...instrument, data: {} }), 'pairs'],
    ['a pair without symbol', JSON.stringify({ ...instrument, data: { pairs: [{}] } }), 'pairs'],
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
        concernedBy(text);
        krakenCapture.look({ kind: 'in', url: '', data: text }, sink);
        krakenCapture.isMetadata({ kind: 'in', url: '', data: text }, 'spot');
      }),
      { numRuns: 2_000 },
    );
  });

  it('raises nothing but typed errors where any field of a frame is any value', () => {
    const keys = ['channel', 'type', 'data', 'method', 'result', 'error', 'success', 'Error'];
    const inner = [
      'symbol',
      'bids',
      'asks',
      'checksum',
      'timestamp',
      'side',
      'price',
      'qty',
      'trade_id',
      'last',
      'pairs',
      'system',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(book, trade, ticker),
        fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)), {
          maxKeys: 2,
        }),
        fc.dictionary(fc.constantFrom(...inner), fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues))),
        (frame, outer, fields) => {
          const text = JSON.stringify({ ...frame, data: [{ ...frame.data[0], ...fields }], ...outer });
          errorOf(() => {
            const read = parseFrame(text);
            if (read.kind === 'book')
              for (const { bids } of read.entries) flattenLevels(bids, decimalScale(2), decimalScale(8));
          });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('does not take long over text made to be slow', () => {
    const text = `{"channel":"book","data":[{"price":${'1'.repeat(200_000)}x${' '.repeat(200_000)}`;
    const start = performance.now();
    errorOf(() => parseFrame(text));
    concernedBy(text);
    concernedBy(`"channel"${' '.repeat(100_000)}`);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('concernedBy', () => {
  it.each<[text: string, symbols: readonly string[] | null]>([
    [JSON.stringify(book).slice(0, -9), ['MATIC/USD']],
    [
      '{"channel":"book","type":"update","data":[{"symbol":"A/B","bids":[]},{"symbol":"C/D","bi',
      ['A/B', 'C/D'],
    ],
    ['{"channel":"book","type":"upd', null],
    [JSON.stringify(trade).slice(0, -9), []],
    ['{"channel":"heartbe', null],
    ['{"channel":"heartbeat"', []],
    ['{"channel":"b!ok","type":"update"', null],
    ['{}', null],
    ['{"method":"subscribe","result":{"channel":"book","symbol":"A/B","de', []],
    ['{"', null],
  ])('%s: %j', (text, symbols) => expect(concernedBy(text)).toEqual(symbols));
});

describe('timeMs', () => {
  it.each<[timestamp: string | null, ms: number | null]>([
    ['2023-10-06T17:35:55.440295Z', Date.UTC(2023, 9, 6, 17, 35, 55, 440)],
    ['1970-01-01T00:00:00Z', null],
    ['today', null],
    [null, null],
  ])('%s is %s', (timestamp, ms) => expect(timeMs(timestamp)).toBe(ms));
});

describe('what the adapter tells of captures', () => {
  it.each([
    ['wss://ws.kraken.com/v2', 'spot'],
    ['wss://beta-ws.kraken.com/v2', 'spot'],
    ['wss://ws.kraken.com', null],
    ['wss://futures.kraken.com/ws/v1', null],
    ['wss://ws.example.com/v2', null],
  ])('%s is a socket of %s', (url, market) => expect(krakenCapture.marketOf(url)).toBe(market));

  it('knows metadata, whole or a part; only the whole answers a request', () => {
    const update = JSON.stringify({ ...instrument, type: 'update' });
    const told = (data: string) => krakenCapture.isMetadata({ kind: 'in', url: '', data }, 'spot');
    expect([told(JSON.stringify(instrument)), told(update), told(JSON.stringify(book))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(told('{"method":"subscribe","result":{"channel":"instrument"},"success":true}')).toBe(false);
    const { metadata } = kraken;
    if (metadata.via !== 'socket') throw new Error('expected metadata from a socket');
    expect([JSON.stringify(instrument), update, '{'].map((text) => metadata.isAnswer(text))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('reports the levels and trades of a frame', () => {
    const seen: string[][] = [];
    const sink = {
      level: (...level: string[]) => seen.push(level),
      trade: (...of: string[]) => seen.push(of),
      book: (symbol: string) => seen.push([symbol]),
      stranger() {},
    };
    for (const frame of [book, trade, ticker])
      krakenCapture.look({ kind: 'in', url: '', data: JSON.stringify(frame) }, sink);
    expect(seen).toEqual([
      ['MATIC/USD'],
      ['MATIC/USD', '0.5657', '1098.3947558'],
      ['MATIC/USD', '0.5117', '40'],
    ]);
  });
});
