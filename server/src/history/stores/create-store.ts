import { PostgresStore } from './postgres-store.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { HistoryStore } from './store.ts';

/** Where history is kept. */
export type HistoryStoreConfig =
  { readonly store: 'sqlite'; readonly path: string } | { readonly store: 'postgres'; readonly url: string };

export function createHistoryStore(config: HistoryStoreConfig): HistoryStore {
  return config.store === 'sqlite' ? new SqliteStore(config.path) : new PostgresStore(config.url);
}
