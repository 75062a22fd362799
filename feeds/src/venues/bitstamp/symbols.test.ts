import { DepthwireError } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { marketsList } from './subscribe.ts';
import { guessInstrument, marketOfSymbol, parseInstruments } from './symbols.ts';

const market = (symbol: string, base: string, counter: string, fields: object = {}) => ({
  name: `${base}/${counter}`,
  market_symbol: symbol,
  base_currency: base,
  base_decimals: 8,
  counter_currency: counter,
  counter_decimals: 2,
  trading: 'Enabled',
  market_type: 'SPOT',
  ...fields,
});
const perpetual = market('btcusd-perp', 'BTC', 'USD', {
  ...{ name: 'BTC/USD-PERP', market_type: 'PERPETUAL', base_decimals: 5, counter_decimals: 0 },
});
const markets = JSON.stringify([
  market('btcusd', 'BTC', 'USD', { counter_decimals: 0 }),
  market('usdteur', 'USDT', 'EUR', { base_decimals: 5, counter_decimals: 5 }),
  market('etcusd', 'ETC', 'USD', { trading: 'Disabled' }),
  market('badusd', 'BAD', 'USD', { counter_decimals: '2' }),
  perpetual,
]);
const pairs = JSON.stringify([
  {
    ...{ trading: 'Enabled', base_decimals: 8, url_symbol: 'btcusd', name: 'BTC/USD', counter_decimals: 2 },
    ...{
      instant_and_market_orders: 'Enabled',
      minimum_order: '20.0 USD',
      description: 'Bitcoin / U.S. dollar',
    },
  },
]);

describe('parseInstruments', () => {
  it('reads the list of markets, each kind for its own market', () => {
    const { instruments } = parseInstruments('spot', [markets], ['BTC-USD', 'usdt/eur', 'ETCUSD']);
    expect(
      instruments.map(({ id, symbol, tick, lot, status }) => [
        id,
        symbol,
        tick.decimals,
        lot.decimals,
        status,
      ]),
    ).toEqual([
      ['bitstamp:BTC-USD', 'btcusd', 0, 8, 'trading'],
      ['bitstamp:USDT-EUR', 'usdteur', 5, 5, 'trading'],
      ['bitstamp:ETC-USD', 'etcusd', 2, 8, 'halted'],
    ]);
    expect(parseInstruments('perpetual', [markets], ['BTC-USD']).instruments).toEqual([
      expect.objectContaining({
        ...{
          id: 'bitstamp:BTC-USD-PERP',
          symbol: 'btcusd-perp',
          kind: 'perpetual',
          base: 'BTC',
          quote: 'USD',
        },
        tick: { units: 1, decimals: 0 },
        lot: { units: 1, decimals: 5 },
      }),
    ]);
  });

  it('reads the list of trading pairs that came before it', () => {
    const { instruments } = parseInstruments('spot', [pairs], ['btcusd']);
    expect(instruments).toEqual([
      {
        ...{ id: 'bitstamp:BTC-USD', venue: 'bitstamp', symbol: 'btcusd', base: 'BTC', quote: 'USD' },
        ...{ kind: 'spot', name: 'BTC / USD', status: 'trading', origin: 'live', staleAfterMs: 60_000 },
        tick: { units: 1, decimals: 2 },
        lot: { units: 1, decimals: 8 },
      },
    ]);
  });

  it('is asked for where there is no list of markets, which alone has perpetuals', () => {
    const base = { ws: '', rest: 'https://www.bitstamp.net' };
    const url = 'https://www.bitstamp.net/api/v2/markets/';
    const otherwise = ['https://www.bitstamp.net/api/v2/trading-pairs-info/'];
    expect(marketsList('spot', base)).toEqual({ url, otherwise });
    expect(marketsList('perpetual', base)).toEqual({ url });
  });

  it.each(['btcusd-perp', 'BTCUSD-PERP', 'BTC-USD-PERP', 'btc/usd'])('knows the perpetual as %s', (name) => {
    const { instruments, refused } = parseInstruments('perpetual', [markets], [name]);
    expect(instruments).toHaveLength(1);
    expect(refused.size).toBe(0);
  });

  it('takes all of the market where none is named, and the later of two lists', () => {
    const { instruments } = parseInstruments('spot', [pairs, markets], []);
    expect(instruments.map(({ symbol, tick }) => [symbol, tick.decimals])).toEqual([
      ['btcusd', 0],
      ['usdteur', 5],
      ['etcusd', 2],
    ]);
  });

  it('says of each symbol asked for why it cannot be had', () => {
    const { instruments, refused } = parseInstruments('spot', [markets], ['BTC-USD', 'moonusd', 'bad-usd']);
    expect(instruments).toHaveLength(1);
    expect([...refused].map(([symbol, { code }]) => [symbol, code])).toEqual([
      ['BADUSD', 'malformed_venue_frame'],
      ['MOONUSD', 'unknown_symbol'],
    ]);
  });

  it.each([
    ['no JSON', '<html>'],
    ['no list', '{}'],
    ['entries that are no objects', '[null]'],
    ['entries without a symbol', '[{}]'],
  ])('refuses a body with %s', (_name, body) => {
    expect(() => parseInstruments('spot', [body], [])).toThrow(DepthwireError);
  });
});

describe('guessInstrument', () => {
  it.each([
    ['btcusd', 'bitstamp:BTC-USD'],
    ['usdtusd', 'bitstamp:USDT-USD'],
    ['btcusdt', 'bitstamp:BTC-USDT'],
    ['ethbtc', 'bitstamp:ETH-BTC'],
    ['sgbeur', 'bitstamp:SGB-EUR'],
    ['btcusd-perp', 'bitstamp:BTC-USD-PERP'],
    ['strange', 'bitstamp:STRANGE'],
    ['usd', 'bitstamp:USD'],
  ])('names %s %s', (symbol, id) => {
    expect(guessInstrument(symbol, 2, 8)).toMatchObject({ id, symbol });
    expect(marketOfSymbol(symbol)).toBe(symbol.endsWith('-perp') ? 'perpetual' : 'spot');
  });
});
