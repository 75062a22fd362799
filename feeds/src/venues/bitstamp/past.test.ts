import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { bitstamp } from './index.ts';

describe('the past of Bitstamp', () => {
  const past = pastOf(bitstamp, 'spot', 'btcusd');

  it('is candles', () => {
    const page = past.candles('4h', { fromS: 14_400, toS: 43_200 })!;
    expect(page.url).toBe(
      'https://venue.test/api/v2/ohlc/btcusd/?step=14400&limit=1000&start=14400&end=28800',
    );
    const row = { close: '25732', high: '25733', low: '25731', open: '25731', timestamp: '1693917300', volume: '0.10263000' }; // prettier-ignore
    expect(page.read(JSON.stringify({ data: { ohlc: [row], pair: 'BTC/USD' } }))).toMatchObject([
      { time: 1693917300, open: '25731', high: '25733', low: '25731', close: '25732', volume: '0.10263000', trades: 0 },
    ]); // prettier-ignore
  });

  it('is no trades: their times are whole seconds', () => {
    expect(bitstamp.past!.trades).toBeUndefined();
  });

  it.each([
    ['{}', 'data: expected an object, got nothing'],
    ['{"data":{"ohlc":[{"timestamp":"1"}]}}', 'open: expected a text, got nothing'],
  ])('tells what is wrong: %s', (body, message) => {
    expect(errorOf(() => past.candles('1m')!.read(body))).toMatchObject({ message });
  });
});
