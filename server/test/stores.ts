import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lots, Ticks, Trade } from '@depthwire/shared';
import { onTestFinished } from 'vitest';
import { createHistoryStore, type HistoryStoreConfig } from '../src/history/create-store.ts';
import type { HistoryBatch, HistoryStore, SeriesKey } from '../src/history/store.ts';

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-history-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** It is closed with the test. */
export async function openStore(config: HistoryStoreConfig): Promise<HistoryStore> {
  const store = createHistoryStore(config);
  onTestFinished(() => store.close());
  await store.open();
  return store;
}

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
