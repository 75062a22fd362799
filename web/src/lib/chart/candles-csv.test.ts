import type { Candle, Instrument, Lots, Ticks } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { candlesToCsv, chartFileName } from './candles-csv.ts';

const instrument = {
  id: 'sim:BTC/USD.P',
  tick: { units: 5, decimals: 2 },
  lot: { units: 1, decimals: 8 },
} as Instrument;

describe('candles as CSV', () => {
  it('are exact, with times in ISO 8601', () => {
    const candle: Candle = {
      time: Date.UTC(2026, 10, 21, 3, 4, 5) / 1000,
      open: 20_001 as Ticks,
      high: 20_010 as Ticks,
      low: 20_000 as Ticks,
      close: 20_003 as Ticks,
      volume: 123_456_789_012_345 as Lots,
      trades: 7,
    };
    expect(candlesToCsv([candle], instrument)).toBe(
      'time,open,high,low,close,volume,trades\r\n' +
        '2026-11-21T03:04:05.000Z,1000.05,1000.50,1000.00,1000.15,1234567.89012345,7\r\n',
    );
  });

  it('are a header where there are none', () => {
    expect(candlesToCsv([], instrument)).toBe('time,open,high,low,close,volume,trades\r\n');
  });

  it('have a file name of the instrument and the interval', () => {
    expect(chartFileName(instrument, '15m')).toBe('sim-BTC-USD-P-15m');
  });
});
