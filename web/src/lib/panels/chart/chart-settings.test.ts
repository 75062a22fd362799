import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { MAX_INDICATORS } from '../../chart/indicators.ts';
import { chartSettings } from './chart-settings.ts';

const read = (value: unknown) => v.parse(chartSettings, value);

describe('what is saved of a chart', () => {
  it('is as at first where there is nothing', () => {
    const usual = {
      interval: '1m',
      type: 'candles',
      scale: 'linear',
      hasVolume: true,
      volumeHeight: 0.2,
      indicators: [],
      isInStep: true,
    };
    expect(read({})).toEqual(usual);
    expect(read(null)).toEqual(usual);
  });

  it('is read as the first charts saved it', () => {
    const { interval, scale, indicators, ...rest } = read({ interval: '5m', logScale: true, averages: true });
    expect([interval, scale]).toEqual(['5m', 'log']);
    expect(indicators).toMatchObject([
      { kind: 'ema', id: 'ema-1', length: 20 },
      { kind: 'ema', id: 'ema-2', length: 50 },
    ]);
    expect(rest).not.toHaveProperty('averages');
    expect(read({ logScale: false, averages: false })).toMatchObject({ scale: 'linear', indicators: [] });
  });

  it('is the same when it is read again', () => {
    const once = read({ logScale: true, averages: true });
    expect(read(structuredClone(once))).toEqual(once);
  });

  it('keeps what can be read of the indicators', () => {
    const { indicators } = read({
      indicators: [
        { kind: 'rsi', id: 'rsi-1', length: -3, overbought: 80 },
        { kind: 'unknown', id: 'x' },
        { kind: 'rsi', id: 'rsi-1' },
        7,
        { kind: 'sma', id: 'no id!' },
      ],
    });
    expect(indicators).toMatchObject([
      { kind: 'rsi', id: 'rsi-1', length: 14, overbought: 80, oversold: 30 },
    ]);
  });

  it('has no more indicators than a chart takes', () => {
    const indicators = Array.from({ length: 40 }, (_, i) => ({ kind: 'sma', id: `sma-${i}` }));
    expect(read({ indicators }).indicators).toHaveLength(MAX_INDICATORS);
  });
});
