import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { kraken } from './index.ts';

const answer = (rows: unknown[]) => JSON.stringify({ error: [], result: { XXBTZUSD: rows, last: '1' } });

describe('the past of Kraken', () => {
  const past = pastOf(kraken, 'spot', 'BTC/USD');

  it('is the newest 720 candles, under the REST name of the pair', () => {
    const page = past.candles('1h')!;
    expect(page.url).toBe(
      `https://venue.test/0/public/OHLC?pair=XBTUSD&interval=60&since=${past.nowS - 3_601}`,
    );
    expect(page.next()).toBeNull();
    const row = [1688671200, '30306.1', '30306.2', '30305.7', '30305.7', '30306.1', '3.39243896', 23];
    expect(page.read(answer([row]))).toEqual([
      { time: 1688671200, open: '30306.1', high: '30306.2', low: '30305.7', close: '30305.7', volume: '3.39243896', trades: 23 },
    ]); // prettier-ignore
    const gone = past.nowS - 720 * 60;
    expect(past.candles('1m', { fromS: gone - 600, toS: gone })).toBeNull();
    expect(pastOf(kraken, 'spot', 'DOGE/EUR').candles('1h')!.url).toContain('?pair=XDGEUR&');
  });

  it('is trades, with times to the millisecond that the stream tells', () => {
    const page = past.trades();
    const since = `${past.nowMs - 3_600_000 - 1}999999`;
    expect(page.url).toBe(`https://venue.test/0/public/Trades?pair=XBTUSD&since=${since}&count=1000`);
    const { trades } = page.read(
      answer([
        ['30243.40000', '0.34507674', 1688669597.8277369, 'b', 'm', '', 61044952],
        ['30243.50000', '0.1', 1688669597.827, 's', 'l', '', 61044953],
      ]),
    );
    expect(trades).toEqual([
      { id: 61044952, price: '30243.40000', size: '0.34507674', side: 'buy', timeMs: 1688669597827 },
      { id: 61044953, price: '30243.50000', size: '0.1', side: 'sell', timeMs: 1688669597827 },
    ]);
  });

  it.each([
    ['{"error":["EGeneral:Too many requests"]}', 'venue_rejected'],
    ['{"error":[],"result":{}}', 'malformed_venue_frame'],
    [answer([['1', '2', 'now', 'b', 'm', '', 7]]), 'malformed_venue_frame'],
    [answer([['1', '2', 1, 'x', 'm', '', 7]]), 'malformed_venue_frame'],
  ])('tells what is wrong: %s', (body, code) => {
    expect(errorOf(() => past.trades().read(body))?.code).toBe(code);
  });
});
