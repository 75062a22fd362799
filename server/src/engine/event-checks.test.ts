import { describe, expect, test } from 'vitest';
import { START_MS, testInstrument } from '../../test/markets.ts';
import { readEvent } from './event-checks.ts';

const BOUND = 2 ** 50;
const times = { venueTimeMs: START_MS, receiveTimeMs: START_MS };
const delta = { type: 'book-delta', instrument: 'x:A-B', ...times, bids: [1, 2], asks: [3, 4] };
const trade = { type: 'trade', instrument: 'x:A-B', ...times, id: 1, price: 5, size: 6, side: 'buy' };
const figures = { last: 1, open: 2, high: 3, low: null, volume: 5, turnover: 6.5 };
const ticker = { type: 'ticker', instrument: 'x:A-B', ...times, ...figures };
const status = { type: 'book-status', instrument: 'x:A-B', timeMs: START_MS, state: 'stale', reason: 'so' };
const instrument = { type: 'instrument', instrument: testInstrument('x:A-B') };

/** The same object, but that each of its parts may be read once, and answers rubbish after that. */
function onceOnly<T extends object>(value: T): T {
  const once = Array.isArray(value) ? [] : {};
  for (const key of Object.keys(value)) {
    let isRead = false;
    const part: unknown = (value as Record<string, unknown>)[key];
    Object.defineProperty(once, key, {
      enumerable: true,
      get() {
        if (isRead) return Symbol('rubbish');
        isRead = true;
        return typeof part === 'object' && part !== null ? onceOnly(part) : part;
      },
    });
  }
  return once as T;
}

describe('an event', () => {
  test.each([delta, { ...delta, type: 'book-snapshot' }, trade, ticker, status, instrument])(
    'is read once, into an object of our own: $type',
    (event) => {
      expect(readEvent(event)).toEqual(event);
      expect(readEvent(event)).not.toBe(event);
      expect(readEvent(onceOnly(event))).toEqual(event);
    },
  );

  test('does not change with what the feed does to it later', () => {
    const mutable = structuredClone({ ...delta, secret: 1 });
    const read = readEvent(mutable);
    mutable.bids[0] = Number.NaN;
    mutable.instrument = 'y:A-B';
    expect(read).toEqual(delta);
    const changing = structuredClone(instrument);
    const told = readEvent(changing);
    Object.assign(changing.instrument.tick, { units: Number.NaN });
    expect(told).toEqual(instrument);
  });

  test.each<[string, unknown]>([
    ['a getter', Object.defineProperty({ ...delta }, 'bids', { get: () => JSON.parse('{') as unknown })],
    ['a proxy', new Proxy({ ...delta }, { get: (_, key) => (key in delta ? delta[key as 'bids'] : 1) })],
    [
      'levels that throw',
      {
        ...delta,
        bids: new Proxy([1, 2], {
          get: (levels, key) => {
            if (key === '1') throw new Error('no');
            return levels[key as 'length'];
          },
        }),
      },
    ],
    [
      'an own error thrown',
      {
        ...delta,
        get asks() {
          const { error } = readEvent(null) as { error: Error };
          throw error;
        },
      },
    ],
  ])('made to make trouble is read or refused, and never throws: %s', (_name, event) => {
    const read = readEvent(event);
    if (read.type === 'refused')
      expect(read).toMatchObject({ book: 'x:A-B', error: { code: 'invalid_event' } });
    else expect(read).toEqual(delta);
  });

  test.each<[string, object, RegExp]>([
    [
      'a price past the bound',
      { ...delta, bids: [BOUND + 1, 1] },
      /bids: level 0: expected whole ticks, up to 2\^50/,
    ],
    ['a price below it', { ...delta, asks: [1, 1, -BOUND - 1, 1] }, /asks: level 1/],
    ['a price of text', { ...delta, bids: ['1', 1] }, /bids: level 0.* got "1"/],
    ['a size that is an object', { ...delta, bids: [1, { valueOf: () => 1 }] }, /whole lots/],
    ['big integers', { ...delta, bids: new BigInt64Array(2) }, /bids: level 0/],
    ['bytes without numbers', { ...delta, bids: new DataView(new ArrayBuffer(8)) }, /bids: expected at most/],
    [
      'a length that is an object',
      { ...delta, bids: new Proxy([1, 2], { get: () => ({ valueOf: () => 2 }) }) },
      /bids: expected at most/,
    ],
    ['half a level', { ...delta, bids: [1] }, /pairs of ticks and lots/],
    ['holes', { ...delta, bids: [, ,] as unknown[] }, /bids: level 0/], // eslint-disable-line no-sparse-arrays
    ['a trade past the bound', { ...trade, price: BOUND + 1 }, /trade: price/],
    ['an id that no database can have', { ...trade, id: 'a\0b' }, /trade: id: expected .* without NUL/],
    ['a ticker of fractions', { ...ticker, high: 1.5 }, /ticker: high/],
    ['a ticker of text', { ...ticker, volume: '5' }, /ticker: volume/],
    ['a time past all calendars', { ...trade, receiveTimeMs: 8e15 }, /receiveTimeMs/],
    ['no id', { ...trade, instrument: { toString: () => 'x:A-B' } }, /instrument: expected the id/],
  ])('is refused, naming the key: %s', (_name, event, message) => {
    expect(readEvent(event)).toMatchObject({
      type: 'refused',
      error: { code: 'invalid_event', message: expect.stringMatching(message) },
    });
  });

  test('may have prices up to the bound, whose differences are exact', () => {
    const wide = { ...delta, bids: [-BOUND, 1], asks: Float64Array.of(BOUND, 1) };
    expect(readEvent(wide)).toEqual({ ...wide, asks: [BOUND, 1] });
  });
});
