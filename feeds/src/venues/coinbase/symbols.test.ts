import { describe, expect, it } from 'vitest';
import { guessInstrument, parseProducts } from './symbols.ts';

const product = (id: string, more: object = {}) => {
  const [base, quote] = id.split('-');
  return {
    product_id: id,
    base_currency_id: base,
    quote_currency_id: quote,
    base_increment: '0.00000001',
    quote_increment: '0.01',
    price_increment: '0.01',
    status: 'online',
    product_type: 'SPOT',
    trading_disabled: false,
    alias: '',
    alias_to: [],
    ...more,
  };
};
const list = (...products: object[]) => JSON.stringify({ products, num_products: products.length });
const BTC = product('BTC-USD', { alias_to: ['BTC-USDC'] });
const BTC_USDC = product('BTC-USDC', { alias: 'BTC-USD' });

describe('parseProducts', () => {
  it('takes names, exact tick and lot sizes and status from the list', () => {
    const { instruments, refused } = parseProducts(list(BTC, product('ETH-EUR')), ['btc/usd']);
    expect(instruments).toEqual([
      {
        id: 'coinbase:BTC-USD',
        venue: 'coinbase',
        symbol: 'BTC-USD',
        base: 'BTC',
        quote: 'USD',
        kind: 'spot',
        name: 'BTC / USD',
        tick: { units: 1, decimals: 2 },
        lot: { units: 1, decimals: 8 },
        status: 'trading',
        origin: 'live',
        staleAfterMs: 60_000,
      },
    ]);
    expect(refused.size).toBe(0);
  });

  it('keeps the name of an alias, and looks for its data under the name of the other', () => {
    const { instruments } = parseProducts(list(BTC, BTC_USDC), ['BTC-USDC']);
    expect(instruments).toMatchObject([{ id: 'coinbase:BTC-USDC', symbol: 'BTC-USD', quote: 'USDC' }]);
  });

  it('refuses both names of one book', () => {
    const { instruments, refused } = parseProducts(list(BTC, BTC_USDC), ['BTC-USDC', 'BTC-USD']);
    expect(instruments.map(({ id }) => id)).toEqual(['coinbase:BTC-USD']);
    expect(refused.get('BTC-USDC')).toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('same book') as string,
    });
  });

  it('takes the quote increment where prices have none of their own', () => {
    const odd = product('X-Y', { price_increment: undefined, quote_increment: '0.25' });
    expect(parseProducts(list(odd), ['X-Y']).instruments[0]!.tick).toEqual({ units: 25, decimals: 2 });
  });

  it.each([
    [{}, 'trading'],
    [{ limit_only: true }, 'trading'],
    [{ trading_disabled: true }, 'halted'],
    [{ is_disabled: true }, 'halted'],
    [{ view_only: true }, 'halted'],
    [{ cancel_only: true }, 'halted'],
    [{ post_only: true }, 'halted'],
    [{ auction_mode: true }, 'halted'],
    [{ status: 'offline' }, 'halted'],
    [{ status: 'delisted', trading_disabled: true }, 'closed'],
  ])('reads %j as %s', (more, status) => {
    expect(parseProducts(list(product('A-B', more)), ['A-B']).instruments[0]!.status).toBe(status);
  });

  it('takes all that trade where none is named: no alias, nothing delisted, nothing but spot', () => {
    const products = [
      BTC,
      BTC_USDC,
      product('OLD-USD', { status: 'delisted' }),
      product('F', { product_type: 'FUTURE' }),
    ];
    expect(parseProducts(list(...products), []).instruments.map(({ id }) => id)).toEqual([
      'coinbase:BTC-USD',
    ]);
  });

  it('refuses what is not listed, what is no spot product, and what lacks what it needs', () => {
    const products = [
      product('A-USD', { base_increment: '0' }),
      product('B-USD', { status: 1 }),
      product('F-USD', { product_type: 'FUTURE' }),
    ];
    const { instruments, refused } = parseProducts(list(...products), ['a-usd', 'B-USD', 'F-USD', 'NO-PE']);
    expect(instruments).toEqual([]);
    expect([...refused].map(([symbol, { code }]) => [symbol, code])).toEqual([
      ['A-USD', 'invalid_decimal'],
      ['B-USD', 'malformed_venue_frame'],
      ['F-USD', 'unknown_symbol'],
      ['NO-PE', 'unknown_symbol'],
    ]);
  });

  it.each(['', 'null', '{}', '{"products":{}}', '{"products":[null]}', '{"products":[{}]}'])(
    'refuses %j as a whole',
    (body) => {
      expect(() => parseProducts(body, [])).toThrow(
        expect.objectContaining({ code: 'malformed_venue_frame' }) as Error,
      );
    },
  );
});

describe('guessInstrument', () => {
  it('slices the product', () => {
    expect(guessInstrument('BTC-USD', 2, 8)).toMatchObject({
      id: 'coinbase:BTC-USD',
      base: 'BTC',
      quote: 'USD',
    });
    expect(guessInstrument('ODD', 2, 8)).toMatchObject({ id: 'coinbase:ODD', base: 'ODD', quote: '' });
  });
});
