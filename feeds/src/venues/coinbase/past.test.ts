import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { coinbase } from './index.ts';

const trade = (trade_id: string, time: string) => {
  return { trade_id, product_id: 'BTC-USD', price: '140.91', size: '4', time, side: 'BUY', exchange: '' };
};

describe('the past of Coinbase', () => {
  const past = pastOf(coinbase, 'spot', 'BTC-USD');

  it('is candles, at most 350 at once', () => {
    const page = past.candles('5m', { fromS: 0, toS: 400 * 300 })!;
    expect(page.url).toBe(
      'https://venue.test/api/v3/brokerage/market/products/BTC-USD/candles?start=15000&end=119700&granularity=FIVE_MINUTE&limit=350',
    );
    expect(page.next()!.url).toContain('?start=0&end=14700&');
    const row = {
      start: '1639508100',
      low: '140.21',
      high: '141',
      open: '140.5',
      close: '140.6',
      volume: '56437345',
    };
    expect(page.read(JSON.stringify({ candles: [row] }))).toMatchObject([
      { time: 1639508100, open: '140.5', high: '141', low: '140.21', close: '140.6', volume: '56437345', trades: 0 },
    ]); // prettier-ignore
  });

  it('is trades, the newest first, whose side is the maker’s', () => {
    const page = past.trades();
    const url = 'https://venue.test/api/v3/brokerage/market/products/BTC-USD/ticker?limit=1000';
    expect(page.url).toBe(`${url}&start=${past.nowS - 3_600}&end=${past.nowS}`);
    const rows = Array.from({ length: 1_000 }, (_, i) => trade(String(1_000 - i), i < 999 ? '2026-11-20T11:59:59.5Z' : '2026-11-20T11:30:00.25Z')); // prettier-ignore
    const { trades, fromMs, toMs, next } = page.read(JSON.stringify({ trades: rows }));
    expect(trades[0]).toEqual({ id: '1', price: '140.91', size: '4', side: 'sell', timeMs: Date.UTC(2026, 10, 20, 11, 30) + 250 }); // prettier-ignore
    expect([fromMs, toMs]).toEqual([trades[0]!.timeMs + 1, past.nowMs]);
    expect(next!.url).toBe(`${url}&start=${past.nowS - 3_600}&end=${past.nowS - 1_799}`);
    expect(next!.read(JSON.stringify({ trades: rows.slice(-1) }))).toMatchObject({ next: null, fromMs: past.nowMs - 3_600_000 }); // prettier-ignore
  });

  it('ends at a second that holds more trades than an answer', () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => trade(String(i), '2026-11-20T11:59:59.5Z'));
    expect(past.trades().read(JSON.stringify({ trades: rows })).next).toBeNull();
  });

  it.each([
    ['{}', 'trades: expected an array, got nothing'],
    [JSON.stringify({ trades: [trade('1', 'soon')] }), 'time: expected a time, got "soon"'],
    [JSON.stringify({ trades: [{ ...trade('1', ''), side: 'UP' }] }), 'side: expected BUY or SELL, got "UP"'],
  ])('tells what is wrong: %s', (body, message) => {
    expect(errorOf(() => past.trades().read(body))).toMatchObject({ message });
  });
});
