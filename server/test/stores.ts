import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createHistoryStore, type HistoryStoreConfig } from '../src/history/stores/create-store.ts';
import type { HistoryStore } from '../src/history/stores/store.ts';

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
