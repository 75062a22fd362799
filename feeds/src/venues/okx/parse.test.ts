import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, hostileValues } from '../test-harness.ts';
import { concernedBy, parseFrame } from './parse.ts';

const entry = {
  asks: [['8476.98', '415', '0', '13']],
  bids: [['8476.97', '256', '0', '12']],
  ts: '1597026383085',
  checksum: 0,
  prevSeqId: 123455,
  seqId: 123456,
};
const book = { arg: { channel: 'books', instId: 'BTC-USDT' }, action: 'update', data: [entry] };
const trade = {
  instId: 'BTC-USDT',
  tradeId: '1',
  px: '42219.9',
  sz: '0.12',
  side: 'buy',
  ts: '1630048897897',
};
const trades = { arg: { channel: 'trades', instId: 'BTC-USDT' }, data: [trade] };
const figures = {
  last: '9',
  open24h: '8',
  high24h: '10',
  low24h: '7',
  vol24h: '1',
  volCcy24h: '2',
  ts: '1597026383085',
};
const tickers = { arg: { channel: 'tickers', instId: 'BTC-USDT' }, data: [figures] };

const parse = (frame: unknown) => parseFrame(JSON.stringify(frame));
const withEntry = (change: object) => ({ ...book, data: [{ ...entry, ...change }] });

describe('parseFrame', () => {
  it('reads updates and snapshots', () => {
    expect(parse(book)).toEqual({
      kind: 'book',
      channel: 'books',
      instId: 'BTC-USDT',
      isWhole: false,
      data: [entry],
    });
    expect(parse({ ...book, action: 'snapshot' })).toMatchObject({ isWhole: true });
  });

  it('reads whole books, which name no action', () => {
    for (const channel of ['books5', 'bbo-tbt']) {
      const frame = {
        ...withEntry({ prevSeqId: undefined }),
        arg: { channel, instId: 'X' },
        action: undefined,
      };
      expect(parse(frame)).toMatchObject({ kind: 'book', channel, isWhole: true });
    }
  });

  it('reads trades and statistics', () => {
    expect(parse(trades)).toEqual({ kind: 'trades', instId: 'BTC-USDT', data: [trade] });
    expect(parse(tickers)).toEqual({ kind: 'tickers', instId: 'BTC-USDT', data: [figures] });
  });

  it.each([
    ['the pong', 'pong', { kind: 'other', name: 'pong' }],
    [
      'an acknowledgement',
      '{"event":"subscribe","arg":{"channel":"books","instId":"X"},"connId":"a"}',
      { kind: 'other', name: 'subscribe' },
    ],
    [
      'another channel',
      '{"arg":{"channel":"funding-rate","instId":"X"},"data":[{}]}',
      { kind: 'other', name: 'funding-rate' },
    ],
    [
      'the notice of an end',
      '{"event":"notice","code":"64008","msg":"Soon.","connId":"a"}',
      { kind: 'ending', reason: '64008: Soon.' },
    ],
    [
      'a refusal that names its subject',
      '{"event":"error","code":"60018","msg":"x","arg":{"channel":"books","instId":"X-Y"},"connId":"a"}',
      { kind: 'refusal', refusal: { reason: '60018: x', channel: 'books', instId: 'X-Y' } },
    ],
    [
      'a refusal whose text does',
      '{"event":"error","code":"60018","msg":"Wrong URL or channel:books,instId:X-Y doesn\'t exist."}',
      { kind: 'refusal', refusal: { channel: 'books', instId: 'X-Y' } },
    ],
    [
      'a refusal of nothing',
      '{"event":"error","code":1,"msg":[[]]}',
      { kind: 'refusal', refusal: { channel: null, instId: null } },
    ],
  ])('tells %s', (_name, text, frame) => {
    expect(parseFrame(text)).toMatchObject(frame);
  });

  it.each<[name: string, frame: unknown, key: string | undefined]>([
    ['null', null, 'frame'],
    ['an array', [book], 'frame'],
    ['nothing in it', {}, 'arg'],
    ['an event that is no name', { event: 5 }, 'event'],
    ['an arg that is a text', { ...book, arg: 'books' }, 'arg'],
    ['a channel that is missing', { ...book, arg: { instId: 'X' } }, 'channel'],
    ['an instrument that is missing', { ...book, arg: { channel: 'books' } }, 'instId'],
    ['an action that is missing', { ...book, action: undefined }, 'action'],
    ['data that are missing', { ...book, data: undefined }, 'data'],
    ['data that are no objects', { ...book, data: [[]] }, 'data'],
    ['asks that are missing', withEntry({ asks: undefined }), 'asks'],
    ['bids that are an object', withEntry({ bids: {} }), 'bids'],
    ['a level of numbers', withEntry({ bids: [[1, 2]] }), 'bids'],
    ['a level without size', withEntry({ bids: [['1']] }), 'bids'],
    ['an id that is missing', withEntry({ seqId: undefined }), 'seqId'],
    ['an id past 2^53', withEntry({ seqId: 2 ** 53 }), 'seqId'],
    ['an update without the id before', withEntry({ prevSeqId: undefined }), 'prevSeqId'],
    ['a time as a number', withEntry({ ts: 1597026383085 }), 'ts'],
    ['a time that is none', withEntry({ ts: 'now' }), 'ts'],
    ['a trade of no side', { ...trades, data: [{ ...trade, side: 'hold' }] }, 'side'],
    ['a trade without price', { ...trades, data: [{ ...trade, px: null }] }, 'px'],
    ['statistics that are numbers', { ...tickers, data: [{ ...figures, last: 9 }] }, 'last'],
  ])('refuses %s, naming the key', (_name, frame, key) => {
    const error = errorOf(() => parse(frame));
    expect(error).toMatchObject({ code: 'malformed_venue_frame', details: { key } });
    expect(error!.message.length).toBeLessThan(300);
  });

  it.each(['', 'ping', '{', JSON.stringify(book).slice(0, -5), `${JSON.stringify(book)}x`])(
    'refuses what is no JSON: %s',
    (text) => {
      expect(errorOf(() => parseFrame(text))?.code).toBe('malformed_venue_frame');
    },
  );

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
      fc.constantFrom('arg', 'action', 'data', 'event', 'code', 'msg'),
      fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)),
    );
    const keys = [
      'asks',
      'bids',
      'ts',
      'seqId',
      'prevSeqId',
      'px',
      'sz',
      'side',
      'tradeId',
      'last',
      'vol24h',
    ];
    const inner = fc.dictionary(
      fc.constantFrom(...keys),
      fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)),
    );
    fc.assert(
      fc.property(fc.constantFrom(book, trades, tickers), outer, inner, (frame, fields, entryFields) => {
        errorOf(() => parse({ ...frame, data: [{ ...frame.data[0], ...entryFields }], ...fields }));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('concernedBy', () => {
  it.each<[text: string, symbols: readonly string[] | null]>([
    [JSON.stringify(book).slice(0, -9), ['BTC-USDT']],
    [JSON.stringify(trades).slice(0, -9), []],
    ['{"arg":{"channel":"books","inst', null],
    ['{"arg":{"chan', null],
    ['', null],
  ])('%s', (text, symbols) => {
    expect(concernedBy(text)).toEqual(symbols);
  });
});
