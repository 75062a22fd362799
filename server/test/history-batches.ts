import type { Lots, Ticks, Trade } from '@depthwire/shared';
import type { HistoryBatch, SeriesKey } from '../src/history/stores/store.ts';

export const testSeries = (instrument = 'test:AAA-USD', changes: Partial<SeriesKey> = {}): SeriesKey => ({
  instrument,
  tick: { units: 1, decimals: 2 },
  lot: { units: 1, decimals: 3 },
  ...changes,
});

export const trade = (
  id: Trade['id'],
  timeMs: number,
  price = 100,
  size = 1,
  side: Trade['side'] = 'buy',
): Trade => ({ id, timeMs, price: price as Ticks, size: size as Lots, side });

export const batchOf = (trades: readonly Trade[], changes: Partial<HistoryBatch> = {}): HistoryBatch => ({
  series: testSeries(),
  trades,
  heard: null,
  columns: [],
  ...changes,
});
