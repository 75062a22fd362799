import { describe, expect, test } from 'vitest';
import { findMarket, nameOf, toInstrument } from './instruments.ts';
import { loadLibrary, type CcxtMarket } from './library.ts';

const library = await loadLibrary();
const TICK_SIZE = 4;

const market = (symbol: string, more: Partial<CcxtMarket> = {}): CcxtMarket => {
  const [pair = ''] = symbol.split(':');
  const [base = '', quote = ''] = pair.split('/');
  return { id: symbol.replace('/', ''), symbol, base, quote, type: 'spot', ...more };
};
const instrument = (from: CcxtMarket, mode = TICK_SIZE) => toInstrument('kraken', from, library, mode);

test.each([
  ['BTC/USD', 'spot', 'BTC-USD'],
  ['BTC/USDT:USDT', 'swap', 'BTC-USDT-PERP'],
  ['BTC/USD:USD', 'swap', 'BTC-USD-PERP'],
  ['BTC/USD:BTC', 'swap', 'BTC-USD-BTC-PERP'],
  ['BTC/USDT:USDT-261225', 'future', 'BTC-USDT-261225'],
  ['BTC/USD:BTC-261225-90000-C', 'option', 'BTC-USD-BTC-261225-90000-C'],
])('%s is called %s: %s', (symbol, type, name) => {
  expect(nameOf(market(symbol, { type }))).toBe(name);
});

test('a symbol is the library’s or ours, in any case', () => {
  const markets = Object.fromEntries(
    [market('BTC/USDT'), market('BTC/USDT:USDT', { type: 'swap' })].map((entry) => [entry.symbol, entry]),
  );
  const found = (symbol: string) => findMarket(markets, symbol)?.symbol;
  expect(['BTC/USDT', 'btc/usdt', 'BTC-USDT', 'btc-usdt'].map(found)).toEqual(Array(4).fill('BTC/USDT'));
  expect(['BTC/USDT:USDT', 'BTC-USDT-PERP'].map(found)).toEqual(Array(2).fill('BTC/USDT:USDT'));
  expect(['BTC', 'toString', ''].map(found)).toEqual(Array(3).fill(undefined));
});

describe('toInstrument', () => {
  test('says that the venue was reached through the library', () => {
    const precision = { price: 0.25, amount: 1e-8 };
    expect(instrument(market('BTC/USD', { id: 'XXBTZUSD', active: true, precision }))).toEqual({
      id: 'ccxt-kraken:BTC-USD',
      venue: 'ccxt-kraken',
      symbol: 'XXBTZUSD',
      base: 'BTC',
      quote: 'USD',
      kind: 'spot',
      name: 'BTC / USD',
      tick: { units: 25, decimals: 2 },
      lot: { units: 1, decimals: 8 },
      status: 'trading',
      origin: 'bridged',
      staleAfterMs: 60_000,
    });
  });

  test('names the terms of a contract', () => {
    const swap = market('BTC/USD:BTC', { type: 'swap', contractSize: 100 });
    expect(instrument(swap)).toMatchObject({
      kind: 'perpetual',
      name: 'BTC / USD perpetual, contracts of 100',
    });
    const future = market('BTC/USDT:USDT-261225', { type: 'future', contractSize: 1 });
    expect(instrument(future)).toMatchObject({ kind: 'future', name: 'BTC / USDT 261225' });
  });

  test.each([
    [true, 'trading'],
    [false, 'halted'],
    [undefined, 'trading'],
    [null, 'trading'],
  ])('active %s is %s', (active, status) => {
    expect(instrument(market('BTC/USD', { active })).status).toBe(status);
  });

  test('reads every kind of precision', () => {
    const grid = (price: number | undefined | null, mode: number) => {
      const { tick } = instrument(market('BTC/USD', { precision: { price } }), mode);
      return [tick.units, tick.decimals];
    };
    expect(grid(0.5, TICK_SIZE)).toEqual([5, 1]);
    expect(grid(10, TICK_SIZE)).toEqual([10, 0]);
    expect(grid(2, library.DECIMAL_PLACES)).toEqual([1, 2]);
    expect(grid(-1, library.DECIMAL_PLACES)).toEqual([10, 0]);
    expect(grid(5, library.SIGNIFICANT_DIGITS)).toEqual([1, 8]);
    for (const unknown of [undefined, null, NaN, 0]) expect(grid(unknown, TICK_SIZE)).toEqual([1, 8]);
  });

  test('refuses a kind of market that it does not know', () => {
    expect(() => instrument(market('BTC/USD', { type: 'index' }))).toThrow(
      expect.objectContaining({ code: 'unknown_symbol' }),
    );
  });
});
