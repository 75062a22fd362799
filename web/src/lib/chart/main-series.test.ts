import type { Candle, Instrument, Lots, Ticks } from '@depthwire/shared';
import type { IChartApi, PriceLineOptions } from 'lightweight-charts';
import { expect, it } from 'vitest';
import type { Colours } from './colours.ts';
import { MainSeries } from './main-series.ts';
import { chartTypes, type ChartType } from './model.ts';

const instrument = { tick: { units: 1, decimals: 2 } } as Instrument;
const colours = { up: 'green', down: 'red', text: 'white', 'text-2': 'grey' } as Colours;
const candle = (time: number, open: number, close: number): Candle => ({
  time,
  open: open as Ticks,
  high: Math.max(open, close) as Ticks,
  low: Math.min(open, close) as Ticks,
  close: close as Ticks,
  volume: 1 as Lots,
  trades: 1,
});

/** A series of no chart, with what it was told. */
function open(type: ChartType) {
  const told = { options: {}, points: [] as unknown[], lines: new Set<Partial<PriceLineOptions>>() };
  const api = {
    setSeriesOrder: () => undefined,
    applyOptions: (options: object) => Object.assign(told.options, options),
    setData: (points: unknown[]) => (told.points = [...points]),
    update: (point: unknown) => told.points.push(point),
    createPriceLine: (options: Partial<PriceLineOptions>) => {
      const line = { ...options, applyOptions: (change: object) => void Object.assign(line, change) };
      told.lines.add(line);
      return line;
    },
    removePriceLine: (line: Partial<PriceLineOptions>) => told.lines.delete(line),
  };
  const series = new MainSeries({ addSeries: () => api } as unknown as IChartApi, type, colours);
  series.setInstrument(instrument);
  return { series, told };
}

it.each(chartTypes)('%s: the axis tells the last price, whatever is in sight, and no other', (type) => {
  const { series, told } = open(type);
  expect(told.options).toMatchObject({ lastValueVisible: false, priceLineVisible: false });
  expect(told.lines.size).toBe(0);

  const candles = [candle(60, 100_00, 90_00), candle(120, 90_00, 95_50)];
  series.show(candles, 0, false);
  expect([...told.lines]).toEqual([
    expect.objectContaining({ price: 95.5, color: 'green', axisLabelVisible: true }),
  ]);

  candles[1] = candle(120, 90_00, 89_99);
  series.show(candles, 1, true);
  expect([...told.lines]).toEqual([expect.objectContaining({ price: 89.99, color: 'red' })]);
  series.setColours({ ...colours, down: 'orange' });
  expect([...told.lines]).toEqual([expect.objectContaining({ price: 89.99, color: 'orange' })]);

  series.clear();
  expect(told.lines.size).toBe(0);
});
