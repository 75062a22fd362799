import { decimalScale } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flattenLevels } from '../../core/levels.ts';
import { errorOf, hostileValues } from '../test-harness.ts';
import { parseFrame, parseSnapshot } from './parse.ts';

const depth = { e: 'depthUpdate', E: 1, s: 'BTCUSDT', U: 5, u: 6, b: [['1.5', '2']], a: [] };
const trade = { e: 'trade', E: 1, s: 'BTCUSDT', t: 7, p: '1.5', q: '2', T: 1, m: true };
const aggTrade = { e: 'aggTrade', E: 1, s: 'BTCUSDT', a: 7, p: '1.5', q: '2', f: 1, l: 2, T: 1, m: false };
const snapshot = { lastUpdateId: 160, bids: [['0.0024', '10']], asks: [['0.0026', '100']] };

describe('parseFrame', () => {
  it.each([
    ['depth', depth],
    ['trade', trade],
    ['aggTrade', aggTrade],
  ])('reads a %s event, bare and wrapped', (kind, event) => {
    const bare = parseFrame(JSON.stringify(event));
    expect(bare.kind).toBe(kind);
    expect(bare).toMatchObject({ [kind === 'depth' ? 'depth' : 'trade']: event });
    expect(parseFrame(JSON.stringify({ stream: 'btcusdt@any', data: event }))).toEqual(bare);
  });

  it('reads 24 h statistics and the notice of an end', () => {
    const event = {
      e: '24hrMiniTicker',
      E: 1,
      s: 'BTCUSDT',
      c: '2',
      o: '1',
      h: '3',
      l: '0.5',
      v: '10',
      q: '18',
    };
    expect(parseFrame(JSON.stringify(event))).toEqual({ kind: 'miniTicker', ticker: event });
    expect(errorOf(() => parseFrame(JSON.stringify({ ...event, v: 10 })))?.code).toBe(
      'malformed_venue_frame',
    );
    expect(parseFrame('{"e":"serverShutdown","E":1}')).toEqual({ kind: 'shutdown' });
  });

  it.each([
    ['an acceptance', '{"result":null,"id":3}', { id: 3, error: null }],
    ['a list', '{"result":["btcusdt@trade"],"id":3}', { id: 3, error: null }],
    ['a refusal', '{"code":2,"msg":"Invalid request","id":3}', { id: 3, error: '2: Invalid request' }],
    ['a refusal without id', '{"code":3,"msg":"Invalid JSON"}', { id: null, error: '3: Invalid JSON' }],
    ['the other form', '{"error":{"code":2,"msg":"Bad"},"id":4}', { id: 4, error: '2: Bad' }],
    ['a strange id', '{"error":{"code":2,"msg":"Bad"},"id":"x"}', { id: null, error: '2: Bad' }],
    [
      'a refusal of strange parts',
      '{"code":{"toString":1},"msg":[[]]}',
      { id: null, error: 'an object: an array of 1' },
    ],
  ])('tells %s', (_name, text, answer) => {
    expect(parseFrame(text)).toEqual({ kind: 'answer', answer });
  });

  it.each([
    ['{"e":"kline","k":{}}', 'kline'],
    [
      '{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}',
      'btcusdt@bookTicker',
    ],
    ['{"u":1,"s":"BTCUSDT"}', 'unnamed'],
    [
      '{"stream":"btcusdt@depth5@100ms","data":{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}}',
      'btcusdt@depth5@100ms',
    ],
  ])('leaves what no book needs alone: %s', (text, name) => {
    expect(parseFrame(text)).toEqual({ kind: 'other', name });
  });

  it.each<[name: string, text: string, key: string | undefined]>([
    ['nothing', '', undefined],
    ['half a frame', JSON.stringify(depth).slice(0, -9), undefined],
    ['two frames', `${JSON.stringify(depth)}${JSON.stringify(depth)}`, undefined],
    ['text', '"depthUpdate"', 'frame'],
    ['null', 'null', 'frame'],
    ['an array', JSON.stringify([depth]), 'frame'],
    ['a wrapper around nothing', '{"stream":"x","data":null}', 'data'],
    ['a wrapper around an array', '{"stream":"x","data":[]}', 'data'],
    ['an event type that is no text', '{"e":{"toString":1}}', 'e'],
    ['an event type null', '{"e":null}', 'e'],
    ['a symbol that is missing', JSON.stringify({ ...depth, s: undefined }), 's'],
    ['a symbol that is a number', JSON.stringify({ ...depth, s: 5 }), 's'],
    ['a time as text', JSON.stringify({ ...depth, E: '1' }), 'E'],
    ['a transaction time as text', JSON.stringify({ ...depth, T: '1' }), 'T'],
    ['a first id that is missing', JSON.stringify({ ...depth, U: undefined }), 'U'],
    [
      'a first id past 2^53',
      '{"e":"depthUpdate","E":1,"s":"X","U":9007199254740993,"u":9007199254740994,"b":[],"a":[]}',
      'U',
    ],
    ['a last id with a fraction', JSON.stringify({ ...depth, u: 6.5 }), 'u'],
    ['ids the wrong way round', JSON.stringify({ ...depth, U: 7, u: 6 }), 'U'],
    ['a previous id as text', JSON.stringify({ ...depth, pu: '4' }), 'pu'],
    ['bids that are missing', JSON.stringify({ ...depth, b: undefined }), 'b'],
    ['asks that are an object', JSON.stringify({ ...depth, a: {} }), 'a'],
    ['a level that is no array', JSON.stringify({ ...depth, b: ['1.5'] }), 'b'],
    ['a level of numbers', JSON.stringify({ ...depth, b: [[1.5, 2]] }), 'b'],
    ['a level without quantity', JSON.stringify({ ...depth, a: [['1.5']] }), 'a'],
    [
      'symbols nested deeper than the stack',
      `{"e":"depthUpdate","s":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      's',
    ],
    ['a trade id that is missing', JSON.stringify({ ...trade, t: undefined }), 't'],
    ['an aggregate id as text', JSON.stringify({ ...aggTrade, a: '7' }), 'a'],
    ['a trade time that is missing', JSON.stringify({ ...trade, T: undefined }), 'T'],
    ['a trade price as a number', JSON.stringify({ ...trade, p: 1.5 }), 'p'],
    ['a trade quantity that is missing', JSON.stringify({ ...aggTrade, q: undefined }), 'q'],
    ['a maker flag as text', JSON.stringify({ ...trade, m: 'true' }), 'm'],
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
        errorOf(() => parseSnapshot(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('raises nothing but typed errors on bytes of any kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        errorOf(() => parseFrame(new TextDecoder().decode(bytes)));
      }),
    );
  });

  it('raises nothing but typed errors where any field of a frame is any value', () => {
    const key = fc.constantFrom(
      'e',
      'E',
      's',
      'U',
      'u',
      'pu',
      'b',
      'a',
      't',
      'T',
      'p',
      'q',
      'm',
      'X',
      'id',
      'result',
      'code',
      'msg',
      'stream',
      'data',
      'error',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(depth, trade, aggTrade, {}),
        fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues))),
        fc.boolean(),
        (event, fields, isWrapped) => {
          const changed = { ...event, ...fields };
          const text = JSON.stringify(isWrapped ? { stream: 'x', data: changed } : changed);
          errorOf(() => {
            const frame = parseFrame(text);
            if (frame.kind === 'depth') flattenLevels(frame.depth.b, decimalScale(2), decimalScale(8));
          });
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('parseSnapshot', () => {
  it('reads the answer of spot and of USD-M', () => {
    expect(parseSnapshot(JSON.stringify(snapshot))).toEqual({
      id: 160,
      timeMs: null,
      bids: snapshot.bids,
      asks: snapshot.asks,
    });
    expect(parseSnapshot(JSON.stringify({ ...snapshot, E: 2, T: 1 })).timeMs).toBe(1);
  });

  it.each<[name: string, body: string, key: string | undefined]>([
    ['a page of HTML', '<html>', undefined],
    ['an array', '[]', 'depth'],
    ['an error answer', '{"code":-1121,"msg":"Invalid symbol."}', 'lastUpdateId'],
    ['an id as text', JSON.stringify({ ...snapshot, lastUpdateId: '160' }), 'lastUpdateId'],
    ['bids that are missing', JSON.stringify({ ...snapshot, bids: undefined }), 'bids'],
    ['a level of numbers', JSON.stringify({ ...snapshot, asks: [[1, 2]] }), 'asks'],
  ])('refuses %s, naming the key', (_name, body, key) => {
    const error = errorOf(() => parseSnapshot(body));
    expect(error).toMatchObject({ code: 'malformed_venue_frame' });
    expect(error!.details.key).toBe(key);
  });
});
