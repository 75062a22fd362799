import { describe, expect, it } from 'vitest';
import { bybit } from './index.ts';
import { instrumentsLists, nextInstrumentsUrl } from './subscribe.ts';
import { guessInstrument, parseInstruments, type Market } from './symbols.ts';

const answer = (category: string, list: object[], more: object = {}) =>
  JSON.stringify({ retCode: 0, retMsg: 'OK', result: { category, list, ...more }, retExtInfo: {}, time: 1 });
const spotInfo = (symbol: string, baseCoin: string, quoteCoin: string) => ({
  symbol,
  baseCoin,
  quoteCoin,
  status: 'Trading',
  lotSizeFilter: { basePrecision: '0.000001', quotePrecision: '0.0000001' },
  priceFilter: { tickSize: '0.1' },
});
const contract = (
  symbol: string,
  contractType: string,
  baseCoin: string,
  quoteCoin: string,
  more: object = {},
) => ({
  symbol,
  contractType,
  status: 'Trading',
  baseCoin,
  quoteCoin,
  deliveryTime: '0',
  priceFilter: { minPrice: '0.10', maxPrice: '1999999.80', tickSize: '0.10' },
  lotSizeFilter: { maxOrderQty: '1500', qtyStep: '0.001' },
  isPreListing: false,
  preListingInfo: null,
  ...more,
});

const delivery = (...date: [number, number, number]) => ({ deliveryTime: String(Date.UTC(...date, 8)) });
const spot = answer('spot', [spotInfo('BTCUSDT', 'BTC', 'USDT'), spotInfo('ETHBTC', 'ETH', 'BTC')]);
const linear = answer('linear', [
  contract('BTCUSDT-25DEC26', 'LinearFutures', 'BTC', 'USDT', delivery(2026, 11, 25)),
  contract('BTCUSDT', 'LinearPerpetual', 'BTC', 'USDT', delivery(2027, 0, 1)),
  contract('BTCPERP', 'LinearPerpetual', 'BTC', 'USDC'),
  contract('BTC-25DEC26', 'LinearFutures', 'BTC', 'USDC', delivery(2026, 11, 25)),
]);
const inverse = answer('inverse', [
  contract('BTCUSDZ26', 'InverseFutures', 'BTC', 'USD', delivery(2026, 11, 25)),
  contract('BTCUSD', 'InversePerpetual', 'BTC', 'USD', { lotSizeFilter: { qtyStep: '1' } }),
]);
const texts: Record<Market, string> = { spot, linear, inverse };

const ids = (market: Market, symbols: string[]) =>
  parseInstruments(market, [texts[market]], symbols).instruments.map(({ id }) => id);

describe('parseInstruments', () => {
  it('reads names, scales and status', () => {
    expect(parseInstruments('linear', [linear], ['BTCUSDT']).instruments).toEqual([
      {
        id: 'bybit:BTC-USDT-PERP',
        venue: 'bybit',
        symbol: 'BTCUSDT',
        base: 'BTC',
        quote: 'USDT',
        kind: 'perpetual',
        name: 'BTC / USDT perpetual',
        tick: { units: 1, decimals: 1 },
        lot: { units: 1, decimals: 3 },
        status: 'trading',
        origin: 'live',
        staleAfterMs: 60_000,
      },
    ]);
    expect(parseInstruments('spot', [spot], ['BTCUSDT']).instruments).toMatchObject([
      { id: 'bybit:BTC-USDT', kind: 'spot', name: 'BTC / USDT', lot: { units: 1, decimals: 6 } },
    ]);
  });

  it.each<[market: Market, name: string, id: string]>([
    ['spot', 'btc-usdt', 'bybit:BTC-USDT'],
    ['spot', 'ETH/BTC', 'bybit:ETH-BTC'],
    ['linear', 'BTC-USDT', 'bybit:BTC-USDT-PERP'],
    ['linear', 'BTC-USDT-PERP', 'bybit:BTC-USDT-PERP'],
    ['linear', 'btcperp', 'bybit:BTC-USDC-PERP'],
    ['linear', 'BTC/USDC', 'bybit:BTC-USDC-PERP'],
    ['linear', 'BTCUSDT-25DEC26', 'bybit:BTC-USDT-261225'],
    ['linear', 'BTC-25DEC26', 'bybit:BTC-USDC-261225'],
    ['linear', 'BTC-USDT-261225', 'bybit:BTC-USDT-261225'],
    ['inverse', 'BTCUSD', 'bybit:BTC-USD-PERP'],
    ['inverse', 'BTC-USD', 'bybit:BTC-USD-PERP'],
    ['inverse', 'btcusdz26', 'bybit:BTC-USD-261225'],
  ])('on %s finds %s', (market, name, id) => {
    expect(ids(market, [name])).toEqual([id]);
  });

  it('does not take a perpetual for spot', () => {
    const { instruments, refused } = parseInstruments('spot', [spot], ['BTC-USDT-PERP']);
    expect(instruments).toEqual([]);
    expect(refused.get('BTC-USDT-PERP')?.code).toBe('unknown_symbol');
  });

  it('lists an instrument once, however it is named', () => {
    expect(ids('linear', ['BTC-USDT', 'btcusdt', 'BTC/USDT-PERP'])).toEqual(['bybit:BTC-USDT-PERP']);
  });

  it('leaves answers of other categories out', () => {
    const { instruments } = parseInstruments('spot', [linear, spot, inverse], []);
    expect(instruments.map(({ id }) => id)).toEqual(['bybit:BTC-USDT', 'bybit:ETH-BTC']);
  });

  it.each([
    ['Trading', null, 'trading'],
    ['PreLaunch', { curAuctionPhase: 'CallAuction' }, 'halted'],
    ['PreLaunch', { curAuctionPhase: 'ContinuousTrading' }, 'trading'],
    ['PreLaunch', null, 'halted'],
    ['Delivering', null, 'halted'],
    ['Closed', null, 'closed'],
  ])('tells %s with %j as it is', (status, preListingInfo, expected) => {
    const list = [contract('XUSDT', 'LinearPerpetual', 'X', 'USDT', { status, preListingInfo })];
    const [instrument] = parseInstruments('linear', [answer('linear', list)], ['XUSDT']).instruments;
    expect(instrument!.status).toBe(expected);
    expect(parseInstruments('linear', [answer('linear', list)], []).instruments).toHaveLength(
      expected === 'closed' ? 0 : 1,
    );
  });

  it('names every symbol that it cannot tell of, and tells of the others', () => {
    const text = answer('linear', [
      contract('BTCUSDT', 'LinearPerpetual', 'BTC', 'USDT'),
      contract('AUSDT', 'LinearPerpetual', 'A', 'USDT', { priceFilter: null }),
      contract('BUSDT', 'LinearPerpetual', 'B', 'USDT', { lotSizeFilter: { qtyStep: 'x' } }),
      contract('C-1', 'LinearFutures', 'C', 'USDT'),
    ]);
    const { instruments, refused } = parseInstruments(
      'linear',
      [text],
      ['BTCUSDT', 'AUSDT', 'BUSDT', 'C-1', 'NOPE'],
    );
    expect(instruments).toHaveLength(1);
    expect([...refused].map(([symbol, { code }]) => `${symbol} ${code}`).sort()).toEqual([
      'AUSDT malformed_venue_frame',
      'BUSDT invalid_decimal',
      'C-1 malformed_venue_frame',
      'NOPE unknown_symbol',
    ]);
  });

  it('lets one error among answers pass, and raises it where there is nothing else', () => {
    const error = '{"retCode":10006,"retMsg":"Too many visits!","result":{},"time":1}';
    for (const texts of [
      [linear, error],
      [error, linear],
    ])
      expect(parseInstruments('linear', texts, ['BTCUSDT'])).toMatchObject({
        instruments: [{ symbol: 'BTCUSDT' }],
        isPartial: true,
      });
    expect(parseInstruments('linear', [linear], ['BTCUSDT']).isPartial).toBe(false);
    expect(() => parseInstruments('linear', [error], ['BTCUSDT'])).toThrow(/10006.*Too many visits/);
  });

  it.each(['<html>', 'null', '{"retCode":0}', '{"retCode":0,"result":{"list":[null]}}'])(
    'refuses %s as a whole',
    (text) => {
      expect(() => parseInstruments('spot', [text], [])).toThrow(
        expect.objectContaining({ code: 'malformed_venue_frame' }) as Error,
      );
    },
  );
});

describe('guessInstrument', () => {
  it.each<[market: Market, symbol: string, id: string]>([
    ['spot', 'BTCUSDT', 'bybit:BTC-USDT'],
    ['linear', 'BTCUSDT', 'bybit:BTC-USDT-PERP'],
    ['linear', '1000PEPEUSDT', 'bybit:1000PEPE-USDT-PERP'],
    ['linear', 'BTCPERP', 'bybit:BTC-USDC-PERP'],
    ['linear', 'BTCUSDT-14AUG26', 'bybit:BTC-USDT-260814'],
    ['linear', 'BTC-7AUG26', 'bybit:BTC-USDC-260807'],
    ['inverse', 'BTCUSD', 'bybit:BTC-USD-PERP'],
    ['inverse', 'BTCUSDZ26', 'bybit:BTC-USD-261225'],
    ['inverse', 'ETHUSDM27', 'bybit:ETH-USD-270625'],
    ['spot', 'ODD', 'bybit:ODD'],
  ])('%s %s is %s', (market, symbol, id) => {
    expect(guessInstrument(market, symbol, 1, 6)).toMatchObject({
      id,
      symbol,
      lot: { units: 1, decimals: 6 },
    });
  });
});

describe('URLs', () => {
  const base = bybit.markets.linear!;

  it('asks for what does not trade too, where the venue lists it', () => {
    const url = 'https://api.bybit.com/v5/market/instruments-info?category=linear&limit=1000';
    expect(instrumentsLists('linear', base)).toEqual([
      { url },
      { url: `${url}&status=PreLaunch`, isOptional: true },
      { url: `${url}&status=Delivering`, isOptional: true },
    ]);
    expect(instrumentsLists('spot', base)).toHaveLength(1);
  });

  it('turns the pages of a long list', () => {
    const url = instrumentsLists('linear', base)[0]?.url;
    const next = nextInstrumentsUrl(url!, answer('linear', [], { nextPageCursor: 'first%3D1000%26x' }));
    expect(next).toBe(`${url}&cursor=first%3D1000%26x`);
    expect(nextInstrumentsUrl(next!, answer('linear', [], { nextPageCursor: 'b' }))).toBe(`${url}&cursor=b`);
    expect(nextInstrumentsUrl(url!, answer('linear', [], { nextPageCursor: '%' }))).toBe(`${url}&cursor=%25`);
    expect(nextInstrumentsUrl(url!, answer('linear', [], { nextPageCursor: '' }))).toBeNull();
    expect(nextInstrumentsUrl(url!, spot)).toBeNull();
  });

  it.each([
    ['wss://stream.bybit.com/v5/public/spot', 'spot'],
    ['wss://stream.bybit.com/v5/public/linear', 'linear'],
    ['wss://stream.bytick.com/v5/public/inverse', 'inverse'],
    ['wss://stream-testnet.bybit.com/v5/public/linear?x=1', 'linear'],
    ['wss://stream.bybit.com/v5/public/option', 'option'],
    ['wss://stream.bybit.com/v5/private', null],
    ['wss://ws.okx.com:8443/ws/v5/public', null],
  ])('%s is of %s', (url, market) => {
    expect(bybit.capture.marketOf(url)).toBe(market);
  });

  it('tells metadata of its own category', () => {
    const url = 'https://api.bybit.com/v5/market/instruments-info?&category=linear&status=Trading&limit=1000';
    const isMetadata = (market: string) => bybit.capture.isMetadata({ kind: 'rest', url, data: '' }, market);
    expect(['spot', 'linear', 'inverse'].map(isMetadata)).toEqual([false, true, false]);
  });
});
