import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { bitfinex } from './index.ts';

describe('the past of Bitfinex', () => {
  const past = pastOf(bitfinex, 'spot', 'tBTCUSD');

  it('is candles', () => {
    const page = past.candles('1d', { fromS: 86_400, toS: 3 * 86_400 })!;
    expect(page.url).toBe(
      'https://venue.test/v2/candles/trade%3A1D%3AtBTCUSD/hist?start=86400000&end=172800000&limit=10000',
    );
    expect(page.read('[[1678465320000,20097,20094,20098.5,20093,0.07870586]]')).toEqual([
      { time: 1678465320, open: '20097', high: '20098.5', low: '20093', close: '20094', volume: '0.07870586', trades: 0 },
    ]); // prettier-ignore
  });

  it('is trades, oldest first', () => {
    const page = past.trades();
    expect(page.url).toBe(
      `https://venue.test/v2/trades/tBTCUSD/hist?start=${past.nowMs - 3_600_000}&end=${past.nowMs - 1}&limit=10000&sort=1`,
    );
    const { trades, next } = page.read('[[388063448,1567526214876,-1.918524,10682]]');
    expect(trades).toEqual([
      { id: 388063448, price: '10682', size: '1.918524', side: 'sell', timeMs: 1567526214876 },
    ]);
    expect(next).toBeNull();
  });

  it('has no candles of four hours', () => {
    expect(past.intervals).toEqual(['1m', '5m', '15m', '1h', '1d']);
  });

  it.each(['["error",10020,"limit: invalid"]', '[[1678465320000,null,1,1,1,1]]', '[[1e400,1,1,1,1,1]]'])(
    'tells what is wrong: %s',
    (body) => {
      expect(errorOf(() => past.candles('1m')!.read(body))?.code).toBe('malformed_venue_frame');
    },
  );
});
