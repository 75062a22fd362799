import { describe, expect, it } from 'vitest';
import { instrumentsUrls, subscribeRequests } from './subscribe.ts';

const base = { ws: '', rest: 'https://www.deribit.com' };

describe('instrumentsUrls', () => {
  it.each([
    ['options', ['BTC-27SEP24-50000-C', 'BTC-USD-240927-60000-P'], ['currency=BTC&kind=option']],
    [
      'options',
      ['BTC-27SEP24-50000-C', 'SOL_USDC-27SEP24-150-C'],
      ['currency=BTC&kind=option', 'currency=USDC&kind=option'],
    ],
    ['options', [], ['currency=any&kind=option']],
    [
      'futures',
      ['btc-perpetual', 'SOL-USDC-PERP'],
      ['currency=BTC&kind=future', 'currency=USDC&kind=future'],
    ],
    ['futures', ['BTC-USD-PERP', 'XYZ-PERPETUAL'], ['currency=any&kind=future']],
    ['spot', ['BTC_USDC', 'ETH-BTC'], ['currency=any&kind=spot']],
  ] as const)('%s %j asks for %j', (market, symbols, queries) => {
    expect(instrumentsUrls(market, base, symbols)).toEqual(
      queries.map((query) => `https://www.deribit.com/api/v2/public/get_instruments?${query}&expired=false`),
    );
  });
});

describe('subscribeRequests', () => {
  it('names fifty symbols in each request', () => {
    let id = 0;
    const symbols = Array.from({ length: 120 }, (_, i) => `BTC-27SEP24-${i}-C`);
    const requests = subscribeRequests(symbols, () => (id += 1));
    expect(requests.map((request) => [request.id, request.symbols.length])).toEqual([
      [1, 50],
      [2, 50],
      [3, 20],
    ]);
    expect(JSON.parse(requests[2]!.text)).toMatchObject({ method: 'public/subscribe', id: 3 });
  });
});
