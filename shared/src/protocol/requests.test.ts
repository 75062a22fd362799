import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DepthwireError } from '../model/errors.ts';
import { candleIntervals } from '../model/events.ts';
import { topics } from './messages.ts';
import { parseRequest, requestIdOf } from './requests.ts';

const MAX_ID = 2 ** 32 - 1;
const book = { op: 'subscribe', id: 1, topic: 'book', instrument: 'sim:BTC-USD' };

describe('parseRequest accepts', () => {
  test.each<[string, object]>([
    ['a book', book],
    ['a book of all levels at every update', { ...book, depth: 0, cadence: 0 }],
    ['a book at the limits', { ...book, id: MAX_ID, depth: 1_000_000, cadence: 3_600_000 }],
    [
      'trades',
      { op: 'subscribe', id: 0, topic: 'trades', instrument: 'binance:BTC-USDT-PERP', cadence: 250 },
    ],
    ['a ticker', { op: 'subscribe', id: 1, topic: 'ticker', instrument: 'sim:BTC-USD' }],
    ['a status', { op: 'subscribe', id: 1, topic: 'status', instrument: 'sim:BTC-USD' }],
    ['an unsubscribe', { op: 'unsubscribe', id: 2, ch: 7 }],
    ['a snapshot', { op: 'snapshot', id: 3, ch: MAX_ID }],
    ['a ping', { op: 'ping', id: 4 }],
    ['who somebody is', { op: 'authenticate', id: 4, token: 'dw_sk_1' }],
  ])('%s', (_, request) => {
    expect(parseRequest(request)).toEqual(request);
  });

  test.each(Object.keys(candleIntervals))('candles of %s', (interval) => {
    const request = { op: 'subscribe', id: 1, topic: 'candles', instrument: 'sim:BTC-USD', interval };
    expect(parseRequest(request)).toEqual(request);
  });

  test('fields it does not know, and leaves them out', () => {
    expect(parseRequest({ ...book, colour: 'red' })).toEqual(book);
    expect(parseRequest({ op: 'ping', id: 4, ch: 'x' })).toEqual({ op: 'ping', id: 4 });
  });
});

describe('parseRequest refuses', () => {
  test.each<[string, unknown, string]>([
    ['id', { ...book, id: undefined }, 'undefined'],
    ['id', { ...book, id: null }, 'null'],
    ['id', { ...book, id: '1' }, '"1"'],
    ['id', { ...book, id: -1 }, '-1'],
    ['id', { ...book, id: 1.5 }, '1.5'],
    ['id', { ...book, id: MAX_ID + 1 }, '4294967296'],
    ['op', { id: 1 }, 'undefined'],
    ['op', { id: 1, op: 'SUBSCRIBE' }, '"SUBSCRIBE"'],
    ['op', { id: 1, op: 'hello' }, '"hello"'],
    ['instrument', { ...book, instrument: undefined }, 'undefined'],
    ['instrument', { ...book, instrument: 'BTC-USD' }, '"BTC-USD"'],
    ['instrument', { ...book, instrument: 42 }, '42'],
    ['depth', { ...book, depth: -1 }, '-1'],
    ['depth', { ...book, depth: 2.5 }, '2.5'],
    ['depth', { ...book, depth: '50' }, '"50"'],
    ['depth', { ...book, depth: null }, 'null'],
    ['depth', { ...book, depth: 1_000_001 }, '1000001'],
    ['depth', { ...book, topic: 'trades', depth: 10 }, '10'],
    ['cadence', { ...book, cadence: -1 }, '-1'],
    ['cadence', { ...book, cadence: Number.NaN }, 'NaN'],
    ['cadence', { ...book, cadence: 3_600_001 }, '3600001'],
    ['cadence', { ...book, cadence: [100] }, 'a list'],
    ['interval', { ...book, topic: 'candles' }, 'undefined'],
    ['interval', { ...book, topic: 'candles', interval: '2m' }, '"2m"'],
    ['interval', { ...book, topic: 'candles', interval: 'toString' }, '"toString"'],
    ['interval', { ...book, interval: '1m' }, '"1m"'],
    ['ch', { op: 'unsubscribe', id: 1 }, 'undefined'],
    ['ch', { op: 'unsubscribe', id: 1, ch: '7' }, '"7"'],
    ['ch', { op: 'snapshot', id: 1, ch: -7 }, '-7'],
  ])('a wrong %s, and names it: %j', (field, request, got) => {
    expect(() => parseRequest(request)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringMatching(new RegExp(`^${field}: expected `)),
        details: { field },
      }),
    );
    expect(() => parseRequest(request)).toThrow(`got ${got}`);
  });

  test.each([null, undefined, 5, 'ping', true, [], [1, 2, 3], Uint8Array.of(1), new Date(0)])(
    '%j, which is no map with an id',
    (message) => {
      expect(() => parseRequest(message)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    },
  );

  test.each([undefined, 'books', 'toString', 5, null])('the topic %j', (topic) => {
    expect(() => parseRequest({ ...book, topic })).toThrow(
      expect.objectContaining({ code: 'unknown_topic', message: expect.stringContaining(topics.join(', ')) }),
    );
  });

  test('a long value without repeating all of it', () => {
    expect(() => parseRequest({ ...book, instrument: 'x'.repeat(10_000) })).toThrow(
      expect.objectContaining({ message: expect.toSatisfy((message: string) => message.length < 200) }),
    );
  });
});

describe('any value', () => {
  const nearlyRight = fc.record(
    {
      op: fc.constantFrom<unknown>('subscribe', 'unsubscribe', 'snapshot', 'ping', 7),
      id: fc.oneof(fc.nat(), fc.anything()),
      topic: fc.oneof(fc.constantFrom<unknown>(...topics), fc.anything()),
      instrument: fc.oneof(fc.constant('sim:BTC-USD'), fc.anything()),
      depth: fc.oneof(fc.nat(), fc.anything()),
      cadence: fc.oneof(fc.nat(), fc.anything()),
      interval: fc.oneof(fc.constant('1m'), fc.anything()),
      ch: fc.oneof(fc.nat(), fc.anything()),
    },
    { requiredKeys: [] },
  );

  test('is a request or a typed error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue(), nearlyRight), (value) => {
        try {
          const request = parseRequest(value);
          expect(parseRequest(request)).toEqual(request);
          expect(requestIdOf(value)).toBe(request.id);
        } catch (error) {
          expect(error).toBeInstanceOf(DepthwireError);
          expect(['invalid_request', 'unknown_topic']).toContain((error as DepthwireError).code);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('requestIdOf finds the id of what is otherwise wrong', () => {
  expect(requestIdOf({ id: 9, op: 'nonsense' })).toBe(9);
  expect([null, 5, 'x', {}, { id: '9' }, { id: -1 }, { id: MAX_ID + 1 }].map(requestIdOf)).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});
