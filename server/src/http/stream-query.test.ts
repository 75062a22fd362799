import { describe, expect, test } from 'vitest';
import { parseStreamQuery } from './stream-query.ts';

describe('the query of an event stream', () => {
  test('names subscriptions by their topics, in order, with their options', () => {
    const { requests, position } = parseStreamQuery(
      'book=sim:BTC-USD,depth=20,cadence=100&candles=sim%3ABTC-USD%2Cinterval%3D1m&book=sim:ETH-USD&trades=sim:BTC-USD',
    );
    expect(position).toBeNull();
    expect(requests).toEqual([
      { op: 'subscribe', id: 1, topic: 'book', instrument: 'sim:BTC-USD', depth: 20, cadence: 100 },
      { op: 'subscribe', id: 2, topic: 'candles', instrument: 'sim:BTC-USD', interval: '1m' },
      { op: 'subscribe', id: 3, topic: 'book', instrument: 'sim:ETH-USD' },
      { op: 'subscribe', id: 4, topic: 'trades', instrument: 'sim:BTC-USD' },
    ]);
  });

  test('asks for limits before it subscribes', () => {
    expect(parseStreamQuery('ticker=sim:A-B&rate=4&bandwidth=20000').requests).toEqual([
      { op: 'limit', id: 0, bandwidth: 20_000, rate: 4 },
      { op: 'subscribe', id: 1, topic: 'ticker', instrument: 'sim:A-B' },
    ]);
  });

  test('goes on where the header says, or else the query', () => {
    expect(parseStreamQuery('book=a:B&lastEventId=17.4').position).toEqual({ gateway: '17', number: 4 });
    expect(parseStreamQuery('book=a:B&lastEventId=17.4', '17.9').position).toEqual({
      gateway: '17',
      number: 9,
    });
    expect(parseStreamQuery('book=a:B', 'of another server').position).toBeNull();
    expect(parseStreamQuery('book=a:B', '').position).toBeNull();
  });

  test.each([
    ['', 'expected a subscription at least'],
    ['rate=4', 'expected a subscription at least'],
    ['dept=1', 'dept: expected book, trades, ticker, candles, status, bandwidth, rate or lastEventId'],
    ['book=', 'book=: instrument: expected an id'],
    ['book=BTC', 'book=BTC: instrument: expected an id such as sim:BTC-USD, got "BTC"'],
    ['book=a:B,depth=x', 'book=a:B,depth=x: depth: expected levels'],
    ['book=a:B,depth=-1', 'got "-1"'],
    ['book=a:B,depth=', 'got ""'],
    ['book=a:B,depth=1,depth=2', 'depth is given twice'],
    ['book=a:B,depth=1=2', 'expected depth=…, cadence=… or interval=…, got "depth=1=2"'],
    ['book=a:B,topic=trades', 'got "topic=trades"'],
    ['trades=a:B,depth=5', 'no depth on this topic'],
    ['candles=a:B', 'interval: expected 1s'],
    ['book=a:B,cadence=3600001', 'cadence: expected milliseconds'],
    ['book=a:B&rate=0', 'rate: expected times a second from 1 to 1000, got 0'],
    ['book=a:B&rate=4&rate=5', 'rate=5: given twice'],
    ['book=a:B&bandwidth=1k', 'bandwidth: expected bytes a second'],
    ['book=a:B&lastEventId=17', 'lastEventId=17: expected the id of an event'],
  ])('%s is refused: %s', (search, message) => {
    expect(() => parseStreamQuery(search)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});
