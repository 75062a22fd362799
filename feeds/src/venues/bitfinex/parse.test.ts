import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, hostileValues } from '../test-harness.ts';
import { chanIdOf, checkLevels, checkTicker, isArrayText, isList, parseFrame } from './parse.ts';

describe('parseFrame: events', () => {
  it.each([
    [
      '{"event":"info","version":2,"serverId":"x","platform":{"status":1}}',
      { kind: 'info', info: { code: null, isMaintenance: false } },
    ],
    ['{"event":"info","platform":{"status":0}}', { kind: 'info', info: { code: null, isMaintenance: true } }],
    [
      '{"event":"info","code":20051,"msg":"Stopping"}',
      { kind: 'info', info: { code: 20051, isMaintenance: false } },
    ],
    ['{"event":"conf","status":"OK","flags":65536}', { kind: 'conf', isAccepted: true, flags: 65536 }],
    ['{"event":"conf","status":"OK"}', { kind: 'conf', isAccepted: true, flags: null }],
    ['{"event":"conf","status":"FAILED"}', { kind: 'conf', isAccepted: false, flags: null }],
    [
      '{"event":"subscribed","channel":"book","chanId":7,"symbol":"tBTCUSD","prec":"P0","freq":"F0","len":"100","pair":"BTCUSD"}',
      {
        kind: 'subscribed',
        subscribed: { chanId: 7, channel: 'book', symbol: 'tBTCUSD', prec: 'P0', len: 100 },
      },
    ],
    [
      '{"event":"subscribed","channel":"candles","chanId":8,"key":"trade:1m:tBTCUSD"}',
      {
        kind: 'subscribed',
        subscribed: { chanId: 8, channel: 'candles', symbol: 'trade:1m:tBTCUSD', prec: null, len: null },
      },
    ],
    ['{"event":"unsubscribed","status":"OK","chanId":7}', { kind: 'unsubscribed', chanId: 7 }],
    [
      '{"event":"error","msg":"symbol: invalid","code":10300,"channel":"book","symbol":"tNOPE"}',
      {
        kind: 'error',
        refusal: { code: 10300, message: 'symbol: invalid', channel: 'book', symbol: 'tNOPE' },
      },
    ],
    ['{"event":"pong","ts":1}', { kind: 'event', name: 'pong' }],
  ])('reads %s', (text, frame) => {
    expect(parseFrame(text)).toEqual(frame);
  });
});

describe('parseFrame: frames of channels', () => {
  it.each([
    ['[7,[60417,2,0.5],17]', { kind: 'data', chanId: 7, payload: [60417, 2, 0.5], extras: [17] }],
    [
      '[7,[[60417,2,0.5]],17,1700000000000]',
      { kind: 'data', chanId: 7, payload: [[60417, 2, 0.5]], extras: [17, 1700000000000] },
    ],
    ['[7,[]]', { kind: 'data', chanId: 7, payload: [], extras: [] }],
    ['[7,"hb",18]', { kind: 'other', chanId: 7, extras: [18] }],
    ['[7,"cs",-1175357890,19]', { kind: 'checksum', chanId: 7, checksum: -1175357890, extras: [19] }],
    [
      '[8,"te",[401,1700000000000,-0.005,7245.3],20]',
      {
        kind: 'trade',
        chanId: 8,
        trade: { id: 401, timeMs: 1700000000000, price: '7245.3', size: '0.005', side: 'sell' },
        extras: [20],
      },
    ],
    ['[8,"tu",[401,1700000000000,-0.005,7245.3],21]', { kind: 'other', chanId: 8, extras: [21] }],
    ['[0,"n",[1,2],null,22]', { kind: 'other', chanId: 0, extras: [null, 22] }],
  ])('reads %s', (text, frame) => {
    expect(parseFrame(text)).toEqual(frame);
  });

  it.each<[name: string, text: string, key: string | undefined]>([
    ['nothing', '', undefined],
    ['half a frame', '[7,[60417,2,0.', undefined],
    ['null', 'null', 'frame'],
    ['a text', '"x"', 'frame'],
    ['an empty object', '{}', 'event'],
    ['an event that is no text', '{"event":5}', 'event'],
    ['a subscription without a channel', '{"event":"subscribed","chanId":7}', 'channel'],
    ['a subscription without an id', '{"event":"subscribed","channel":"book","chanId":"7"}', 'chanId'],
    [
      'a subscription to a symbol that is none',
      '{"event":"subscribed","channel":"book","chanId":7,"symbol":5}',
      'symbol',
    ],
    ['an end without an id', '{"event":"unsubscribed"}', 'chanId'],
    ['an empty array', '[]', 'chanId'],
    ['an id that is none', '[[],[1]]', 'chanId'],
    ['a frame without content', '[7]', 'content'],
    ['content that is none', '[7,5]', 'content'],
    ['a checksum that is none', '[7,"cs","x",5]', 'checksum'],
    ['a trade that is none', '[7,"te",5,6]', 'trade'],
    ['a trade without an id', '[7,"te",[null,1,1,1],6]', 'trade id'],
    ['a trade without a time', '[7,"te",[1,null,1,1],6]', 'trade time'],
    ['a trade without an amount', '[7,"te",[1,1,"1",1],6]', 'trade amount'],
    ['a trade without a price', '[7,"te",[1,1,1],6]', 'trade price'],
    ['content nested deeper than the stack', `[7,"te",${'['.repeat(1e5)}${']'.repeat(1e5)},1]`, 'trade id'],
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
        chanIdOf(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('raises nothing but typed errors on arrays of any kind', () => {
    const tag = fc.constantFrom('hb', 'cs', 'te', 'tu');
    const array = fc.array(fc.oneof(fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)), tag), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(fc.integer(), array, (chanId, rest) => {
        errorOf(() => {
          const frame = parseFrame(JSON.stringify([chanId, ...rest]));
          if (frame.kind !== 'data') return;
          errorOf(() => checkLevels(frame.payload));
          errorOf(() => checkTicker(frame.payload));
        });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('checkLevels', () => {
  it('tells the side by the sign of the amount, and removal by the count', () => {
    expect(checkLevels([7254.7, 3, 3.3])).toEqual({ bids: [['7254.7', '3.3']], asks: [] });
    expect(checkLevels([7254.7, 0, -1])).toEqual({ bids: [], asks: [['7254.7', '0']] });
    expect(
      checkLevels([
        [2e-8, 1, 100],
        [3e-7, 2, -0.5],
      ]),
    ).toEqual({
      bids: [['0.00000002', '100']],
      asks: [['0.0000003', '0.5']],
    });
    expect(checkLevels([])).toEqual({ bids: [], asks: [] });
  });

  it('knows a list of levels from a level', () => {
    expect([[], [[1, 1, 1]], [1, 1, 1]].map(isList)).toEqual([true, true, false]);
  });

  it.each([
    ['a price as text', ['1', 1, 1], 'price'],
    ['a count below zero', [1, -1, 1], 'count'],
    ['a count that is none', [1, 0.5, 1], 'count'],
    ['no amount', [1, 1], 'amount'],
    ['an amount of no side', [1, 1, 0], 'amount'],
    ['a list with something else in it', [[1, 1, 1], 5], 'level'],
  ])('refuses %s', (_name, payload, key) => {
    expect(errorOf(() => checkLevels(payload))?.details.key).toBe(key);
  });
});

describe('checkTicker', () => {
  it('reads the figures there are', () => {
    const payload = [1, 2, 3, 4, -659, -0.04, 14971, 53723.08813995, 16494, null];
    expect(checkTicker(payload)).toEqual({ change: -659, last: 14971, volume: 53723.08813995, high: 16494 });
    expect(errorOf(() => checkTicker([1, 2]))?.details.key).toBe('ticker');
  });
});

describe('chanIdOf', () => {
  it.each([
    ['[232957,[60400,1', 232957],
    [' [ 7 , "hb', 7],
    ['[232957', null], // a digit may be missing
    ['{"event":"info"', null],
    ['', null],
    ['[[1,2', null],
  ])('of %s is %s', (text, chanId) => {
    expect(chanIdOf(text)).toBe(chanId);
    expect(isArrayText(text)).toBe(text.trim().startsWith('['));
  });
});
