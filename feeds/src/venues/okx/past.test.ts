import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { okx } from './index.ts';

describe('the past of OKX', () => {
  const past = pastOf(okx, 'spot', 'BTC-USDT');

  it('is candles, a hundred at once, the older ones from another list', () => {
    const page = past.candles('1m', { fromS: past.nowS - 1_500 * 60 })!;
    const [before, after] = [past.nowS - 100 * 60, past.nowS - 60];
    expect(page.url).toBe(
      `https://venue.test/api/v5/market/candles?instId=BTC-USDT&bar=1m&before=${before * 1_000 - 1}&after=${after * 1_000 + 1}&limit=100`,
    );
    let oldest = page;
    for (let next = page.next(); next !== null; next = next.next()) oldest = next;
    expect(oldest.url).toContain('/market/history-candles?');
    const row = [
      '1597026383000',
      '3.721',
      '3.743',
      '3.677',
      '3.708',
      '8422410',
      '22698348.04',
      '12698348.04',
      '0',
    ];
    expect(page.read(JSON.stringify({ code: '0', msg: '', data: [row] }))).toEqual([
      { time: 1597026383, open: '3.721', high: '3.743', low: '3.677', close: '3.708', volume: '8422410', trades: 0 },
    ]); // prettier-ignore
  });

  it('has days of UTC, and no seconds of options', () => {
    expect(past.candles('1d', { fromS: 0, toS: 86_400 })!.url).toContain('&bar=1Dutc&');
    expect(past.intervals).toContain('1s');
    expect(pastOf(okx, 'option', 'BTC-USD-261225-90000-C').intervals).not.toContain('1s');
  });

  it('is no trades: one of the stream may stand for several of REST', () => {
    expect(okx.past!.trades).toBeUndefined();
  });

  it.each([
    ['{"code":"51001","msg":"Instrument ID does not exist","data":[]}', 'venue_rejected'],
    ['{"code":"0","data":[null]}', 'malformed_venue_frame'],
    ['{"code":"0","data":[["1"]]}', 'malformed_venue_frame'],
  ])('tells what is wrong: %s', (body, code) => {
    expect(errorOf(() => past.candles('1m')!.read(body))?.code).toBe(code);
  });
});
