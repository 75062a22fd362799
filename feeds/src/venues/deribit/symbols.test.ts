import { DepthwireError } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileValues } from '../test-harness.ts';
import { guessInstrument, marketOfSymbol, parseInstruments } from './symbols.ts';

const expiry = Date.UTC(2024, 8, 27, 8);
const option = {
  tick_size: 0.0001,
  tick_size_steps: [{ above_price: 0.005, tick_size: 0.0005 }],
  strike: 50000,
  settlement_period: 'month',
  quote_currency: 'BTC',
  option_type: 'call',
  min_trade_amount: 0.1,
  kind: 'option',
  is_active: true,
  instrument_name: 'BTC-27SEP24-50000-C',
  expiration_timestamp: expiry,
  counter_currency: 'USD',
  base_currency: 'BTC',
  state: 'open',
};
const put = {
  ...option,
  instrument_name: 'XRP_USDC-27SEP24-0d5-P',
  option_type: 'put',
  strike: 0.5,
  base_currency: 'XRP',
  quote_currency: 'USDC',
  counter_currency: 'USDC',
  min_trade_amount: 1000,
};
const perpetual = {
  tick_size: 0.5,
  settlement_period: 'perpetual',
  quote_currency: 'USD',
  counter_currency: 'USD',
  min_trade_amount: 10,
  kind: 'future',
  is_active: true,
  instrument_name: 'BTC-PERPETUAL',
  expiration_timestamp: 32_503_708_800_000,
  base_currency: 'BTC',
};
const future = {
  ...perpetual,
  instrument_name: 'BTC-27SEP24',
  settlement_period: 'month',
  expiration_timestamp: expiry,
};
const spot = {
  tick_size: 1,
  quote_currency: 'USDC',
  min_trade_amount: 0.0001,
  kind: 'spot',
  is_active: true,
  instrument_name: 'BTC_USDC',
  base_currency: 'BTC',
  expiration_timestamp: 32_503_708_800_000,
};
const combo = { ...future, instrument_name: 'BTC-FS-27SEP24_PERP', kind: 'future_combo' };

const body = (...infos: object[]) => JSON.stringify({ jsonrpc: '2.0', result: infos, testnet: false });
const all = body(option, put, perpetual, future, spot, combo);
const found = (name: string) => parseInstruments('options', [all], [name]);

describe('parseInstruments', () => {
  it('reads names, scales and status', () => {
    expect(found('BTC-27SEP24-50000-C').instruments).toEqual([
      {
        id: 'deribit:BTC-USD-240927-50000-C',
        venue: 'deribit',
        symbol: 'BTC-27SEP24-50000-C',
        base: 'BTC',
        quote: 'BTC',
        kind: 'option',
        name: 'BTC / USD 240927 50000 call',
        tick: { units: 1, decimals: 4 },
        lot: { units: 1, decimals: 1 },
        status: 'trading',
        origin: 'live',
        staleAfterMs: 600_000,
      },
    ]);
  });

  it.each([
    ['BTC-PERPETUAL', 'deribit:BTC-USD-PERP', 'perpetual', { units: 10, decimals: 0 }],
    ['btc-usd-perp', 'deribit:BTC-USD-PERP', 'perpetual', { units: 10, decimals: 0 }],
    ['BTC/USD', 'deribit:BTC-USD-PERP', 'perpetual', { units: 10, decimals: 0 }],
    ['BTC-USD-240927', 'deribit:BTC-USD-240927', 'future', { units: 10, decimals: 0 }],
    ['btc-27sep24', 'deribit:BTC-USD-240927', 'future', { units: 10, decimals: 0 }],
    ['btc_usdc', 'deribit:BTC-USDC', 'spot', { units: 1, decimals: 4 }],
    ['BTC-USDC', 'deribit:BTC-USDC', 'spot', { units: 1, decimals: 4 }],
    ['XRP_USDC-27SEP24-0D5-P', 'deribit:XRP-USDC-240927-0.5-P', 'option', { units: 1000, decimals: 0 }],
    ['xrp-usdc-240927-0.5-p', 'deribit:XRP-USDC-240927-0.5-P', 'option', { units: 1000, decimals: 0 }],
  ])('finds %s', (name, id, kind, lot) => {
    expect(found(name).instruments).toMatchObject([{ id, kind, lot }]);
    expect(found(name).refused.size).toBe(0);
  });

  it('takes the unit that every tick size is a multiple of', () => {
    const tick_size_steps = [
      { above_price: 100, tick_size: 0.0015 },
      { above_price: 200, tick_size: 0.01 },
    ];
    const [instrument] = parseInstruments(
      'options',
      [body({ ...option, tick_size: 0.005, tick_size_steps })],
      [],
    ).instruments;
    expect(instrument!.tick).toEqual({ units: 5, decimals: 4 });
  });

  it('counts the strike of an inverse option in US dollars where old metadata tells no counter currency', () => {
    const { instruments } = parseInstruments(
      'options',
      [body({ ...option, counter_currency: undefined })],
      [],
    );
    expect(instruments[0]!.id).toBe('deribit:BTC-USD-240927-50000-C');
  });

  it('lists all of the market that trade where none is named', () => {
    const closed = { ...put, state: 'delivered' };
    const ids = (market: 'options' | 'futures' | 'spot') =>
      parseInstruments(
        market,
        [body(option, perpetual, spot), body(closed, future, combo)],
        [],
      ).instruments.map(({ id }) => id);
    expect(ids('options')).toEqual(['deribit:BTC-USD-240927-50000-C']);
    expect(ids('futures')).toEqual(['deribit:BTC-USD-PERP', 'deribit:BTC-USD-240927']);
    expect(ids('spot')).toEqual(['deribit:BTC-USDC']);
  });

  it.each([
    [{ state: 'open' }, 'trading'],
    [{ state: undefined }, 'trading'],
    [{ state: undefined, is_active: false }, 'halted'],
    [{ state: 'locked' }, 'halted'],
    [{ state: 'halted' }, 'halted'],
    [{ state: 'settlement' }, 'halted'],
    [{ state: 'closed' }, 'closed'],
    [{ state: 'delivered' }, 'closed'],
  ])('%j is %s', (fields, status) => {
    const { instruments } = parseInstruments('futures', [body({ ...future, ...fields })], ['BTC-27SEP24']);
    expect(instruments).toMatchObject([{ status }]);
  });

  it('refuses a symbol that is not listed, and one whose entry is of no use', () => {
    const { instruments, refused } = parseInstruments(
      'options',
      [body(option, { ...put, tick_size: 0 })],
      ['BTC-27SEP24-50000-C', 'NOPE', 'xrp_usdc-27sep24-0d5-p'],
    );
    expect(instruments).toHaveLength(1);
    expect([...refused].map(([symbol, { code }]) => [symbol, code])).toEqual([
      ['XRP_USDC-27SEP24-0D5-P', 'malformed_venue_frame'],
      ['NOPE', 'unknown_symbol'],
    ]);
  });

  it.each([
    { tick_size: '0.1' },
    { tick_size: -1 },
    { tick_size_steps: [5] },
    { min_trade_amount: null },
    { strike: 0 },
    { option_type: 'straddle' },
    { expiration_timestamp: 'soon' },
    { expiration_timestamp: 1e300 },
  ])('refuses an option with %j', (fields) => {
    const { refused } = parseInstruments('options', [body({ ...option, ...fields })], []);
    expect([...refused.values()].map(({ code }) => code)).toEqual(['malformed_venue_frame']);
  });

  it('lets an error among the answers pass, but says that they are not whole', () => {
    const error = '{"jsonrpc":"2.0","error":{"message":"too_many_requests","code":10028}}';
    const { instruments, isPartial } = parseInstruments('options', [error, body(option)], []);
    expect(instruments).toHaveLength(1);
    expect(isPartial).toBe(true);
    expect(parseInstruments('options', [body(option)], []).isPartial).toBe(false);
    expect(() => parseInstruments('options', [error], [])).toThrow(/too_many_requests/);
  });

  it.each([
    '',
    '<html>',
    'null',
    '[]',
    '{"error":{"code":10028}}',
    body({ kind: 'option' }),
    '{"result":[null]}',
  ])('refuses the answer %s as a whole', (text) => {
    expect(() => parseInstruments('spot', [text], [])).toThrow(
      expect.objectContaining({ code: 'malformed_venue_frame' }) as Error,
    );
  });

  it('raises nothing but typed errors where any field is any value', () => {
    const fields = fc.dictionary(
      fc.constantFrom(...Object.keys(option)),
      fc.oneof(fc.jsonValue(), fc.constantFrom(...hostileValues)),
    );
    fc.assert(
      fc.property(fc.constantFrom(option, perpetual, spot), fields, (info, changed) => {
        try {
          parseInstruments('options', [body({ ...info, ...changed })], []);
        } catch (error) {
          expect(error).toBeInstanceOf(DepthwireError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('guessInstrument', () => {
  it.each([
    ['BTC-PERPETUAL', 'deribit:BTC-USD-PERP', 'perpetual', 'USD'],
    ['SOL_USDC-PERPETUAL', 'deribit:SOL-USDC-PERP', 'perpetual', 'USDC'],
    ['ETH-6AUG21', 'deribit:ETH-USD-210806', 'future', 'USD'],
    ['BTC_USDC', 'deribit:BTC-USDC', 'spot', 'USDC'],
    ['ETH-30JUL21-2800-C', 'deribit:ETH-USD-210730-2800-C', 'option', 'ETH'],
    ['XRP_USDC-27SEP24-0d5-P', 'deribit:XRP-USDC-240927-0.5-P', 'option', 'USDC'],
    ['BTC-XYZ', 'deribit:BTC-USD-XYZ', 'future', 'USD'],
  ])('reads %s', (symbol, id, kind, quote) => {
    expect(guessInstrument(symbol, 2, 1)).toMatchObject({
      id,
      kind,
      quote,
      symbol,
      tick: { units: 1, decimals: 2 },
      lot: { units: 1, decimals: 1 },
    });
  });

  it.each([
    ['BTC-PERPETUAL', 'futures'],
    ['BTC-27SEP24', 'futures'],
    ['BTC_USDC', 'spot'],
    ['BTC-27SEP24-50000-C', 'options'],
  ])('tells the market of %s', (symbol, market) => {
    expect(marketOfSymbol(symbol)).toBe(market);
  });
});
