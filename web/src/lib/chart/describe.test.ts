import type { Candle, Instrument, Lots, Ticks } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { describeChart, describeHoles } from './describe.ts';

const instrument = { id: 'sim:BTC-USD', tick: { units: 1, decimals: 2 } } as Instrument;
const candle = (time: number, open: number, close: number): Candle => ({
  time,
  open: open as Ticks,
  high: open as Ticks,
  low: open as Ticks,
  close: close as Ticks,
  volume: 1 as Lots,
  trades: 1,
});

describe('the chart in words', () => {
  const shown = { type: 'bars', interval: '1m', zone: 'utc' } as const;

  it('tells what it shows, the last price, and the range with its change', () => {
    const first = candle(Date.UTC(2026, 10, 21, 3) / 1000, 100_00, 101_00);
    const last = candle(Date.UTC(2026, 10, 21, 4) / 1000, 101_00, 98_00);
    expect(describeChart(instrument, shown, { first, last }, candle(1, 1, 1234_56), [])).toBe(
      'sim:BTC-USD, 1m, bars. Last 1,234.56. From 2026-11-21 03:00:00 to 2026-11-21 04:00:00: −2.00%',
    );
  });

  it('tells holes in sight', () => {
    const at = candle(0, 100_00, 100_00);
    const holes = [{ fromMs: 600_000, toMs: 1_200_500 }];
    expect(describeChart(instrument, shown, { first: at, last: at }, at, holes)).toMatch(
      /%\. Trades may be missing from 00:10:00 to 00:20:00$/,
    );
    expect(describeHoles([...holes, { fromMs: 86_400_000, toMs: 86_401_000 }], 'utc')).toBe(
      'Trades may be missing in 2 stretches from 1970-01-01 00:10:00 to 1970-01-02 00:00:01',
    );
  });

  it('says that there is nothing yet', () => {
    expect(describeChart(instrument, shown, null, null, [])).toBe('sim:BTC-USD, 1m, bars: no candles yet');
  });
});
