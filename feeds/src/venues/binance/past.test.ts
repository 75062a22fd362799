import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { binance } from './index.ts';

const kline = [1795172400000, '0.0163', '0.8', '0.0157', '0.0158', '148976.11', 1795172459999, '2434.1', 308, '1', '2', '0']; // prettier-ignore
const raw = { id: 28457, price: '4.00', qty: '12.5', quoteQty: '50', time: 1795172400590, isBuyerMaker: true, isBestMatch: true }; // prettier-ignore
const aggregate = { a: 26129, p: '0.0163', q: '4.7', f: 27781, l: 27790, T: 1795172400153, m: false };

describe('the past of Binance', () => {
  const spot = pastOf(binance, 'spot', 'BTCUSDT');

  it('is candles with their counts of trades', () => {
    const page = spot.candles('1m')!;
    expect(page.url).toBe(
      'https://venue.test/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1795172400000&endTime=1795175940000&limit=1000',
    );
    expect(page.next()).toBeNull();
    expect(page.read(JSON.stringify([kline]))).toEqual([
      { time: 1795172400, open: '0.0163', high: '0.8', low: '0.0157', close: '0.0158', volume: '148976.11', trades: 308 },
    ]); // prettier-ignore
  });

  it('has seconds on spot only, and on COIN-M no more than 200 days at once', () => {
    expect(spot.intervals).toContain('1s');
    const coinm = pastOf(binance, 'coinm', 'BTCUSD_PERP');
    expect(coinm.intervals).not.toContain('1s');
    const page = coinm.candles('1d', { fromS: 0, toS: 86_400 * 500 })!;
    expect(page.url).toContain(
      `/dapi/v1/klines?symbol=BTCUSD_PERP&interval=1d&startTime=${300 * 86_400_000}&`,
    );
    expect(page.next()!.url).toContain(`startTime=${100 * 86_400_000}&endTime=${299 * 86_400_000}&`);
  });

  it('is raw trades on spot: the id of the first is that of the aggregate one that it is a part of', () => {
    const first = spot.trades();
    expect(first.url).toBe(
      'https://venue.test/api/v3/aggTrades?symbol=BTCUSDT&startTime=1795172400000&endTime=1795175999998&limit=1',
    );
    const { trades, next } = first.read(JSON.stringify([aggregate]));
    expect(trades).toEqual([]);
    expect(next!.url).toBe(
      'https://venue.test/api/v3/historicalTrades?symbol=BTCUSDT&fromId=27781&limit=1000',
    );
    expect(next!.read(JSON.stringify([raw]))).toEqual({
      trades: [{ id: 28457, price: '4.00', size: '12.5', side: 'sell', timeMs: 1795172400590 }],
      fromMs: spot.nowMs - 3_600_000,
      toMs: spot.nowMs,
      next: null,
    });
  });

  it('looks on where an hour has no trade', () => {
    const { next, toMs } = spot.trades({ fromMs: spot.nowMs - 5_000_000 }).read('[]');
    expect(toMs).toBe(spot.nowMs - 5_000_000 + 3_599_999);
    expect(next!.url).toContain(`startTime=${toMs}&endTime=${spot.nowMs - 1}&`);
    expect(next!.read('[]').next).toBeNull();
  });

  it('is aggregate trades of futures: by time first, then by id', () => {
    const usdm = pastOf(binance, 'usdm', 'BTCUSDT');
    const rows = Array.from({ length: 1_000 }, (_, i) => ({ ...aggregate, a: i }));
    const { trades, next } = usdm.trades().read(JSON.stringify(rows));
    expect(trades[0]).toEqual({ id: 0, price: '0.0163', size: '4.7', side: 'buy', timeMs: 1795172400153 });
    expect(next!.url).toBe('https://venue.test/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=1000&limit=1000');
    expect(next!.read(JSON.stringify(rows.map((row) => ({ ...row, T: usdm.nowMs })))).next).toBeNull();
  });

  it('is the newest thousand trades in the US', () => {
    const us = pastOf(binance, 'us', 'BTCUSD');
    expect(us.trades().url).toBe('https://venue.test/api/v3/trades?symbol=BTCUSD&limit=1000');
    const rows = Array.from({ length: 1_000 }, (_, id) => ({ ...raw, id }));
    expect(us.trades().read(JSON.stringify(rows))).toMatchObject({ fromMs: 1795172400591, next: null });
    expect(us.trades().read('[]').fromMs).toBe(us.nowMs - 3_600_000);
  });

  it.each([
    ['{}', 'klines: expected an array, got an object'],
    ['[7]', 'klines: expected arrays, got 7'],
    [JSON.stringify([kline.with(2, 0.8)]), 'high: expected a text, got 0.8'],
    [JSON.stringify([kline.with(0, 'now')]), 'time: expected an integer, got "now"'],
  ])('tells what is wrong with candles: %s', (body, message) => {
    expect(errorOf(() => spot.candles('1m')!.read(body))).toMatchObject({
      code: 'malformed_venue_frame',
      message,
    });
  });

  it.each([
    [{ ...raw, price: 4 }, 'price: expected a text, got 4'],
    [{ ...raw, isBuyerMaker: 'yes' }, 'isBuyerMaker: expected true or false, got "yes"'],
    [null, 'trades: expected objects, got null'],
  ])('tells what is wrong with trades: %j', (row, message) => {
    const us = pastOf(binance, 'us', 'BTCUSD');
    expect(errorOf(() => us.trades().read(JSON.stringify([row])))).toMatchObject({ message });
  });
});
