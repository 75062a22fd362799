import { describe, expect, it } from 'vitest';
import { guessInstrument, parseInstruments } from './symbols.ts';

const pair = (symbol: string, more: object = {}) => {
  const [base, quote] = symbol.split('/');
  return {
    symbol,
    base,
    quote,
    status: 'online',
    qty_precision: 8,
    qty_increment: 1e-8,
    price_precision: 1,
    price_increment: 0.1,
    ...more,
  };
};
const frame = (pairs: object[], type = 'snapshot') =>
  JSON.stringify({ channel: 'instrument', type, data: { assets: [], pairs } });

describe('parseInstruments', () => {
  it('takes names, exact tick and lot sizes and status from the pairs', () => {
    const { instruments, refused } = parseInstruments(
      [frame([pair('BTC/USD'), pair('ETH/EUR')])],
      ['BTC/USD'],
    );
    expect(instruments).toEqual([
      {
        id: 'kraken:BTC-USD',
        venue: 'kraken',
        symbol: 'BTC/USD',
        base: 'BTC',
        quote: 'USD',
        kind: 'spot',
        name: 'BTC / USD',
        tick: { units: 1, decimals: 1 },
        lot: { units: 1, decimals: 8 },
        status: 'trading',
        origin: 'live',
        staleAfterMs: 60_000,
      },
    ]);
    expect(refused.size).toBe(0);
  });

  it.each(['BTC-USD', 'btc-usd', 'btc/usd', 'BTC/USD'])('finds %s', (symbol) => {
    expect(parseInstruments([frame([pair('BTC/USD')])], [symbol]).instruments).toHaveLength(1);
  });

  it('reads an increment that is no power of ten, and base and quote that the symbol does not tell', () => {
    const odd = pair('X/Y', { base: 'XX', quote: 'YY', price_increment: 0.25, price_precision: 2 });
    expect(parseInstruments([frame([odd])], ['X/Y']).instruments[0]).toMatchObject({
      id: 'kraken:XX-YY',
      tick: { units: 25, decimals: 2 },
    });
  });

  it.each([
    ['online', 'trading'],
    ['limit_only', 'trading'],
    ['reduce_only', 'trading'],
    ['post_only', 'halted'],
    ['cancel_only', 'halted'],
    ['maintenance', 'halted'],
    ['delisted', 'closed'],
    ['work_in_progress', 'closed'],
    ['something new', 'closed'],
  ])('reads the status %s as %s', (status, expected) => {
    const { instruments } = parseInstruments([frame([pair('BTC/USD', { status })])], ['BTC/USD']);
    expect(instruments[0]!.status).toBe(expected);
  });

  it('takes all that trade where none is named, and the last word of each', () => {
    const snapshot = frame([pair('BTC/USD'), pair('ETH/USD'), pair('OLD/USD', { status: 'delisted' })]);
    const update = frame([pair('ETH/USD', { status: 'cancel_only' })], 'update');
    const { instruments } = parseInstruments([snapshot, update], []);
    expect(instruments.map(({ symbol, status }) => [symbol, status])).toEqual([
      ['BTC/USD', 'trading'],
      ['ETH/USD', 'halted'],
    ]);
  });

  it('refuses what is not listed, and what is listed without what it needs', () => {
    const pairs = [pair('BTC/USD', { price_increment: 0 }), pair('ETH/USD', { qty_precision: 'many' })];
    const { instruments, refused } = parseInstruments([frame(pairs)], ['btc-usd', 'ETH/USD', 'NO/PE']);
    expect(instruments).toEqual([]);
    expect([...refused].map(([symbol, { code }]) => [symbol, code])).toEqual([
      ['BTC/USD', 'invalid_decimal'],
      ['ETH/USD', 'malformed_venue_frame'],
      ['NO/PE', 'unknown_symbol'],
    ]);
  });

  it.each(['', '{}', '{"channel":"heartbeat"}', frame([{ base: 'BTC' }])])(
    'refuses %j as a whole',
    (text) => {
      expect(() => parseInstruments([text], ['BTC/USD'])).toThrow(
        expect.objectContaining({ code: 'malformed_venue_frame' }) as Error,
      );
    },
  );
});

describe('guessInstrument', () => {
  it('slices the symbol', () => {
    expect(guessInstrument('ADA/BTC', 9, 8)).toMatchObject({
      id: 'kraken:ADA-BTC',
      base: 'ADA',
      quote: 'BTC',
    });
    expect(guessInstrument('ODD', 2, 8)).toMatchObject({ id: 'kraken:ODD', base: 'ODD', quote: '' });
  });
});
