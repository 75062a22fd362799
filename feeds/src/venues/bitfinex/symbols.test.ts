import { DepthwireError } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileValues } from '../test-harness.ts';
import { guessInstrument, parseListing } from './symbols.ts';

const info = (max: string) => [null, null, null, '0.00006', max, null, null, null, 0.2, 0.1];
const conf = [
  ['BTCUSD', 'BTCUST', 'DOGE:USD', 'SHIB:USD', 'TRXUSD', 'ETHBTC'],
  ['BTC', 'DOGE', 'ETH', 'SHIB', 'TRX', 'USD', 'UST'],
  [['UST', 'USDt']],
  [
    ['BTCUSD', info('2000.0')],
    ['SHIB:USD', info('2000000000')],
  ],
];
const ticker = (symbol: string, last: number, low: number) => [
  symbol,
  1,
  2,
  3,
  4,
  -5,
  -0.1,
  last,
  6,
  last,
  low,
];
const tickers = [
  ticker('tBTCUSD', 60417, 58000),
  ticker('tBTCUST', 100412, 99999),
  ticker('tDOGE:USD', 0.15123, 0.14),
  ticker('tSHIB:USD', 0.000012345, 0.0000099999),
  ticker('tTRXUSD', 0, 0),
  ticker('tETHBTC', 282030, 277730),
];
const bodies = [conf, tickers, [1]].map((answer) => JSON.stringify(answer));
const found = (...symbols: string[]) => parseListing(bodies, symbols);

describe('parseListing', () => {
  it('reads names, and the digits of prices and amounts', () => {
    expect(found('tBTCUST').instruments).toEqual([
      {
        id: 'bitfinex:BTC-USDT',
        venue: 'bitfinex',
        symbol: 'tBTCUST',
        base: 'BTC',
        quote: 'USDT',
        kind: 'spot',
        name: 'BTC / USDT',
        tick: { units: 1, decimals: 0 },
        lot: { units: 1, decimals: 8 },
        status: 'trading',
        origin: 'live',
        staleAfterMs: 60_000,
      },
    ]);
  });

  it.each([
    ['tBTCUSD', { units: 1, decimals: 0 }], // 58000
    ['tDOGE:USD', { units: 1, decimals: 5 }], // 0.14000
    ['tSHIB:USD', { units: 1, decimals: 10 }], // 0.0000099999
    ['tETHBTC', { units: 10, decimals: 0 }], // 277730
    ['tTRXUSD', { units: 1, decimals: 5 }], // without a price
  ])('gives %s the tick of five significant digits of its lowest price', (symbol, tick) => {
    expect(found(symbol).instruments).toMatchObject([{ symbol, tick }]);
  });

  it('leaves room in front of the point for the largest order', () => {
    expect(found('tSHIB:USD').instruments).toMatchObject([{ lot: { units: 1, decimals: 5 } }]);
  });

  it.each([
    ['tDOGE:USD', 'bitfinex:DOGE-USD'],
    ['doge-usd', 'bitfinex:DOGE-USD'],
    ['DOGE:USD', 'bitfinex:DOGE-USD'],
    ['btc/usdt', 'bitfinex:BTC-USDT'],
    ['BTCUST', 'bitfinex:BTC-USDT'],
    ['tbtcusd', 'bitfinex:BTC-USD'],
    ['TRX-USD', 'bitfinex:TRX-USD'],
    ['tTRXUSD', 'bitfinex:TRX-USD'],
  ])('finds %s', (name, id) => {
    const { instruments, refused } = found(name);
    expect(instruments.map((instrument) => instrument.id)).toEqual([id]);
    expect(refused.size).toBe(0);
  });

  it('lists an instrument once, however it is named, and all where none is', () => {
    expect(found('tBTCUST', 'BTC-USDT', 'btcust').instruments).toHaveLength(1);
    expect(found().instruments).toHaveLength(6);
  });

  it('splits a pair where its two currencies are', () => {
    const odd = [[['ABCDEF'], ['AB', 'CDEF', 'ABC', 'DE']], tickers, [1]];
    const [instrument] = parseListing(
      odd.map((answer) => JSON.stringify(answer)),
      [],
    ).instruments;
    expect(instrument).toMatchObject({ base: 'AB', quote: 'CDEF' });
  });

  it('tells that the platform is down', () => {
    const { instruments } = parseListing([bodies[0]!, bodies[1]!, '[0]'], ['tBTCUSD']);
    expect(instruments).toMatchObject([{ status: 'halted' }]);
  });

  it('refuses a symbol that is not listed', () => {
    const { instruments, refused } = found('tBTCUSD', 'tNOPE');
    expect(instruments).toHaveLength(1);
    expect([...refused].map(([symbol, { code }]) => [symbol, code])).toEqual([['TNOPE', 'unknown_symbol']]);
  });

  it.each<[name: string, more: unknown[]]>([
    ['alone', []],
    ['with tickers that are empty, or an error', [[], ['error', 10020, 'not found']]],
  ])('makes do with the list of pairs %s', (_name, more) => {
    const texts = [[conf[0]], ...more].map((answer) => JSON.stringify(answer));
    const { instruments, refused, isPartial } = parseListing(texts, ['tBTCUST', 'tNOPE']);
    expect(instruments).toMatchObject([
      {
        id: 'bitfinex:BTC-USDT',
        tick: { units: 1, decimals: 5 },
        lot: { units: 1, decimals: 8 },
        status: 'trading',
      },
    ]);
    expect([...refused.keys()]).toEqual(['TNOPE']);
    expect(isPartial).toBe(true); // names may be others
  });

  it('says that it is whole where nothing is missing but a price', () => {
    expect(found('tTRXUSD').isPartial).toBe(false);
    expect(parseListing([bodies[0]!, '[]'], []).isPartial).toBe(false);
    expect(parseListing([...bodies, '["error",11010,"ratelimit: error"]'], []).isPartial).toBe(true);
  });

  it.each(['', '<html>', '{}', 'null', '[null]', '[[5]]', '[[["a"],5]]', '[1]', '[]', '["error",1]'])(
    'refuses the answer %s as a whole',
    (text) => {
      expect(() => parseListing([text], [])).toThrow(
        expect.objectContaining({ code: 'malformed_venue_frame' }) as Error,
      );
    },
  );

  it('raises nothing but typed errors on answers of any kind', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)),
            fc.constantFrom<unknown>(...conf, tickers, [0]),
          ),
        ),
        (answers) => {
          try {
            parseListing(
              answers.map((answer) => JSON.stringify(answer)),
              [],
            );
          } catch (error) {
            expect(error).toBeInstanceOf(DepthwireError);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('guessInstrument', () => {
  it.each([
    ['tBTCUSD', 'bitfinex:BTC-USD', 'spot'],
    ['tBTCUST', 'bitfinex:BTC-USDT', 'spot'],
    ['tDOGE:USD', 'bitfinex:DOGE-USD', 'spot'],
    ['tTESTBTC:TESTUSD', 'bitfinex:TESTBTC-TESTUSD', 'spot'],
    ['tBTCF0:USTF0', 'bitfinex:BTC-USDT-PERP', 'perpetual'],
  ])('reads %s', (symbol, id, kind) => {
    expect(guessInstrument(symbol, 2, 8)).toMatchObject({
      id,
      kind,
      symbol,
      tick: { units: 1, decimals: 2 },
      lot: { units: 1, decimals: 8 },
    });
  });
});
