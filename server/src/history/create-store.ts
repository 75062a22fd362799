import type { HistoryStore } from './store.ts';
import { SqliteStore } from './sqlite-store.ts';

/** Where history is kept. */
export type HistoryStoreConfig =
  { readonly store: 'sqlite'; readonly path: string } | { readonly store: 'postgres'; readonly url: string };

export function createHistoryStore(config: HistoryStoreConfig): HistoryStore {
  if (config.store === 'postgres') throw new Error('not yet');
  return new SqliteStore(config.path);
}
