import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { bybit } from './index.ts';

const answer = (list: unknown[]) => JSON.stringify({ retCode: 0, retMsg: 'OK', result: { list }, time: 1 });

describe('the past of Bybit', () => {
  const past = pastOf(bybit, 'inverse', 'BTCUSD');

  it('is candles', () => {
    const page = past.candles('1h', { fromS: 3_600, toS: 10_800 })!;
    expect(page.url).toBe(
      'https://venue.test/v5/market/kline?category=inverse&symbol=BTCUSD&interval=60&start=3600000&end=7200000&limit=1000',
    );
    const row = ['1670608800000', '17071', '17073', '17027', '17055.5', '268611', '15.74462667'];
    expect(page.read(answer([row]))).toEqual([
      { time: 1670608800, open: '17071', high: '17073', low: '17027', close: '17055.5', volume: '268611', trades: 0 },
    ]); // prettier-ignore
  });

  it('is the newest trades, without block trades', () => {
    const trade = (execId: string, time: string, isBlockTrade = false) => {
      return { execId, symbol: 'BTCUSD', price: '16618.5', size: '10', side: 'Buy', time, isBlockTrade };
    };
    const page = past.trades();
    expect(page.url).toBe(
      'https://venue.test/v5/market/recent-trade?category=inverse&symbol=BTCUSD&limit=1000',
    );
    const { trades, fromMs, next } = page.read(
      answer([trade('c', '3000'), trade('b', '2000', true), trade('a', '1000')]),
    );
    expect(trades.map(({ id, timeMs }) => [id, timeMs])).toEqual([['a', 1_000], ['c', 3_000]]); // prettier-ignore
    expect(trades[0]).toMatchObject({ price: '16618.5', size: '10', side: 'buy' });
    expect(fromMs).toBe(past.nowMs - 3_600_000);
    expect(next).toBeNull();
    const spot = pastOf(bybit, 'spot', 'BTCUSDT').trades();
    expect(spot.url).toContain('&limit=60');
    const full = Array.from({ length: 60 }, (_, i) => trade(String(i), String(9_000 - i)));
    expect(spot.read(answer(full)).fromMs).toBe(9_000 - 59 + 1);
  });

  it.each([
    ['{"retCode":10001,"retMsg":"Not supported symbols","result":{}}', 'venue_rejected'],
    ['{"retCode":0,"result":{}}', 'malformed_venue_frame'],
    ['[]', 'malformed_venue_frame'],
  ])('tells what is wrong: %s', (body, code) => {
    expect(errorOf(() => past.candles('1m')!.read(body))?.code).toBe(code);
    expect(errorOf(() => past.trades().read(body))?.code).toBe(code);
  });
});
