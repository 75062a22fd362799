import { describe, expect, it } from 'vitest';
import { bitfinexCapture } from './capture.ts';

function looking() {
  const seen: string[] = [];
  const look = bitfinexCapture.createLook!();
  const see = (frame: object | string) => {
    const data = typeof frame === 'string' ? frame : JSON.stringify(frame);
    look(
      { kind: 'in', url: '', data },
      {
        level: (...level) => seen.push(['level', ...level].join(' ')),
        trade: (...trade) => seen.push(['trade', ...trade].join(' ')),
        book: (symbol) => seen.push(`book ${symbol}`),
        stranger: () => seen.push('stranger'),
      },
    );
    return seen.splice(0);
  };
  return see;
}

const subscribed = (chanId: number, channel: string, prec = 'P0') => ({
  event: 'subscribed',
  channel,
  chanId,
  symbol: 'tBTCUSD',
  prec,
});

describe('Bitfinex captures', () => {
  it.each([
    ['wss://api.bitfinex.com/ws/2', 'spot'],
    ['wss://api-pub.bitfinex.com/ws/2', 'spot'],
    ['wss://api.bitfinex.com/ws/1', null],
    ['wss://ws.bitstamp.net', null],
  ])('knows %s', (url, market) => {
    expect(bitfinexCapture.marketOf(url)).toBe(market);
  });

  it.each([
    ['https://api-pub.bitfinex.com/v2/conf/pub:list:pair:exchange', false],
    ['https://api-pub.bitfinex.com/v2/conf/pub:list:pair:exchange,pub:list:currency', true],
    ['https://api-pub.bitfinex.com/v2/conf/pub:list:currency', false],
    ['https://api-pub.bitfinex.com/v2/conf/pub:list:pair:future', false],
    ['https://api-pub.bitfinex.com/v2/tickers?symbols=ALL', true],
    ['https://api-pub.bitfinex.com/v2/platform/status', true],
    ['https://api-pub.bitfinex.com/v2/book/tBTCUSD/P0', false],
  ])('%s is metadata: %s', (url, isMetadata) => {
    expect(bitfinexCapture.isMetadata({ kind: 'rest', url, data: '' }, 'spot')).toBe(isMetadata);
    expect(bitfinexCapture.snapshotSymbol(url)).toBeNull();
  });

  it('sees levels and trades of the channels that were opened before', () => {
    const see = looking();
    expect(see([7, [60417, 1, 0.5], 1])).toEqual(['stranger']);
    expect(see(subscribed(7, 'book'))).toEqual(['book tBTCUSD']);
    expect(
      see([
        7,
        [
          [60417, 1, 0.5],
          [60418, 1, -2],
        ],
        2,
      ]),
    ).toEqual(['level tBTCUSD 60417 0.5', 'level tBTCUSD 60418 2']);
    expect(see([7, [2e-8, 0, 1], 3])).toEqual(['level tBTCUSD 0.00000002 0']);
    see(subscribed(8, 'trades'));
    expect(see([8, [[1, 2, 3, 4]], 4])).toEqual([]);
    expect(see([8, 'te', [1, 1700000000000, -0.25, 60417], 5])).toEqual(['trade tBTCUSD 60417 0.25']);
    see({ event: 'unsubscribed', chanId: 7 });
    expect(see([7, [60417, 1, 0.5], 6])).toEqual([]);
  });

  it('leaves books of other precisions, other connections and nonsense alone', () => {
    const see = looking();
    expect(see(subscribed(7, 'book', 'R0'))).toEqual([]);
    expect(see([7, [34753002978, 7294.7, 1.5], 1])).toEqual([]);
    see(subscribed(8, 'book'));
    for (const text of ['', '[', '[8]', '[8,[1]]', '{}', 'null']) expect(see(text)).toEqual([]);
    expect(looking()([8, [60417, 1, 0.5], 1])).toEqual(['stranger']);
  });
});
