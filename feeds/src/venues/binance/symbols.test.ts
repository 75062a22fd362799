import { DepthwireError } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileValues } from '../test-harness.ts';
import { guessInstrument, parseExchangeInfo } from './symbols.ts';

const filters = (tickSize: string, stepSize: string) => [
  { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '1000000.00000000', tickSize },
  { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '9000.00000000', stepSize },
];
const spotInfo = (symbol: string, baseAsset: string, quoteAsset: string, status = 'TRADING') => ({
  symbol,
  status,
  baseAsset,
  quoteAsset,
  filters: filters('0.01000000', '0.00001000'),
});
const usdmInfo = (symbol: string, baseAsset: string, contractType: string, status = 'TRADING') => ({
  symbol,
  pair: `${baseAsset}USDT`,
  contractType,
  status,
  baseAsset,
  quoteAsset: 'USDT',
  filters: filters('0.10', '0.001'),
});

const spot = JSON.stringify({
  timezone: 'UTC',
  symbols: [
    spotInfo('BTCUSDT', 'BTC', 'USDT'),
    spotInfo('ETHBTC', 'ETH', 'BTC'),
    spotInfo('币安人生USDT', '币安人生', 'USDT'),
    spotInfo('OLDUSDT', 'OLD', 'USDT', 'END_OF_DAY'),
    spotInfo('PAUSEUSDT', 'PAUSE', 'USDT', 'BREAK'),
    { ...spotInfo('QUARTERUSD', 'QUARTER', 'USD'), filters: filters('0.25000000', '5.00000000') },
  ],
});
const usdm = JSON.stringify({
  symbols: [
    usdmInfo('BTCUSDT_261225', 'BTC', 'CURRENT_QUARTER'),
    usdmInfo('BTCUSDT', 'BTC', 'PERPETUAL'),
    usdmInfo('TSLAUSDT', 'TSLA', 'TRADIFI_PERPETUAL'),
    usdmInfo('GONEUSDT', 'GONE', 'PERPETUAL', 'SETTLING'),
  ],
});

const ids = (market: 'spot' | 'usdm', symbols: string[]) =>
  parseExchangeInfo(market, market === 'spot' ? spot : usdm, symbols).instruments.map(({ id }) => id);

describe('parseExchangeInfo', () => {
  it('reads names, scales and status', () => {
    expect(parseExchangeInfo('spot', spot, ['BTCUSDT']).instruments).toEqual([
      {
        id: 'binance:BTC-USDT',
        venue: 'binance',
        symbol: 'BTCUSDT',
        base: 'BTC',
        quote: 'USDT',
        kind: 'spot',
        name: 'BTC / USDT',
        tick: { units: 1, decimals: 2 },
        lot: { units: 1, decimals: 5 },
        status: 'trading',
        origin: 'live',
        staleAfterMs: 60_000,
      },
    ]);
    const [quarter] = parseExchangeInfo('spot', spot, ['QUARTERUSD']).instruments;
    expect(quarter).toMatchObject({ tick: { units: 25, decimals: 2 }, lot: { units: 5, decimals: 0 } });
  });

  it.each(['BTCUSDT', 'btcusdt', 'BTC-USDT', 'btc-usdt', 'BTC/USDT', 'Btc/Usdt'])(
    'finds BTCUSDT as %s',
    (name) => {
      expect(ids('spot', [name])).toEqual(['binance:BTC-USDT']);
    },
  );

  it.each(['BTCUSDT', 'BTC-USDT', 'btc-usdt-perp', 'BTC/USDT-PERP', 'BTCUSDT-PERP'])(
    'finds the perpetual as %s',
    (name) => {
      const [instrument, ...others] = parseExchangeInfo('usdm', usdm, [name]).instruments;
      expect(others).toEqual([]);
      expect(instrument).toMatchObject({
        id: 'binance:BTC-USDT-PERP',
        symbol: 'BTCUSDT',
        kind: 'perpetual',
        name: 'BTC / USDT perpetual',
      });
    },
  );

  it('tells a dated future from the perpetual of the same pair', () => {
    expect(parseExchangeInfo('usdm', usdm, ['btcusdt_261225']).instruments).toMatchObject([
      { id: 'binance:BTC-USDT-261225', kind: 'future', name: 'BTC / USDT 261225' },
    ]);
    expect(ids('usdm', ['BTC-USDT', 'BTCUSDT_261225'])).toEqual([
      'binance:BTC-USDT-261225',
      'binance:BTC-USDT-PERP',
    ]);
  });

  it('takes perpetuals of other kinds for perpetuals', () => {
    expect(ids('usdm', ['TSLA-USDT'])).toEqual(['binance:TSLA-USDT-PERP']);
  });

  it('finds symbols in any script', () => {
    expect(ids('spot', ['币安人生-usdt'])).toEqual(['binance:币安人生-USDT']);
  });

  it('lists an instrument once, however it is named', () => {
    expect(ids('spot', ['BTC-USDT', 'btcusdt', 'BTC/USDT'])).toEqual(['binance:BTC-USDT']);
  });

  it('lists all that is not closed where none is named, and closed ones by name', () => {
    expect(ids('spot', [])).not.toContain('binance:OLD-USDT');
    expect(ids('spot', [])).toHaveLength(5);
    expect(parseExchangeInfo('spot', spot, ['OLD-USDT', 'PAUSE-USDT']).instruments).toMatchObject([
      { status: 'closed' },
      { status: 'halted' },
    ]);
    expect(parseExchangeInfo('usdm', usdm, ['GONEUSDT']).instruments).toMatchObject([{ status: 'closed' }]);
  });

  it('names every symbol that it cannot tell of, and tells of the others', () => {
    const body = JSON.stringify({
      symbols: [
        spotInfo('BTCUSDT', 'BTC', 'USDT'),
        { ...spotInfo('ETHUSDT', 'ETH', 'USDT'), filters: undefined },
        { ...spotInfo('SOLUSDT', 'SOL', 'USDT'), filters: [null] },
        { ...spotInfo('XRPUSDT', 'XRP', 'USDT'), filters: filters('zero', '1') },
      ],
    });
    const names = ['BTC-USDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'NOPE-USDT', 'NADA'];
    const { instruments, refused } = parseExchangeInfo('spot', body, names);
    expect(instruments).toMatchObject([{ symbol: 'BTCUSDT' }]);
    expect([...refused].map(([symbol, { code, message }]) => `${symbol} ${code}: ${message}`)).toEqual([
      'ETHUSDT malformed_venue_frame: exchangeInfo: ETHUSDT has no PRICE_FILTER.tickSize',
      'SOLUSDT malformed_venue_frame: exchangeInfo: SOLUSDT has no PRICE_FILTER.tickSize',
      expect.stringMatching(/^XRPUSDT invalid_decimal/),
      'NOPEUSDT unknown_symbol: Binance spot lists no NOPEUSDT',
      'NADA unknown_symbol: Binance spot lists no NADA',
    ]);
  });

  it.each([
    ['no JSON', '<html>'],
    ['null', 'null'],
    ['no symbols', '{}'],
    ['symbols that are no list', '{"symbols":{}}'],
    ['an entry null', '{"symbols":[null]}'],
    ['an entry without names', '{"symbols":[{"symbol":"BTCUSDT"}]}'],
  ])('refuses %s', (_name, body) => {
    for (const market of ['spot', 'usdm'] as const) {
      expect(() => parseExchangeInfo(market, body, ['BTCUSDT'])).toThrow(
        expect.objectContaining({ code: 'malformed_venue_frame' }),
      );
    }
  });

  it('raises nothing but typed errors where any field of an entry is any value', () => {
    const key = fc.constantFrom(
      'symbol',
      'status',
      'baseAsset',
      'quoteAsset',
      'contractType',
      'contractStatus',
      'filters',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('spot' as const, 'usdm' as const),
        fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues))),
        (market, fields) => {
          const body = JSON.stringify({ symbols: [{ ...spotInfo('BTCUSDT', 'BTC', 'USDT'), ...fields }] });
          try {
            parseExchangeInfo(market, body, ['BTCUSDT']);
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
    ['spot', 'BTCUSDT', 'binance:BTC-USDT', 'spot'],
    ['spot', 'BTCFDUSD', 'binance:BTC-FDUSD', 'spot'],
    ['spot', 'ETHBTC', 'binance:ETH-BTC', 'spot'],
    ['spot', '币安人生USDT', 'binance:币安人生-USDT', 'spot'],
    ['spot', 'USDT', 'binance:USDT', 'spot'],
    ['spot', 'XYZ', 'binance:XYZ', 'spot'],
    ['usdm', 'BTCUSDT', 'binance:BTC-USDT-PERP', 'perpetual'],
    ['usdm', 'BTCUSDT_261225', 'binance:BTC-USDT-261225', 'future'],
  ] as const)('takes %s %s for %s', (market, symbol, id, kind) => {
    expect(guessInstrument(market, symbol, 2, 3)).toMatchObject({
      id,
      symbol,
      kind,
      tick: { units: 1, decimals: 2 },
      lot: { units: 1, decimals: 3 },
    });
  });
});
