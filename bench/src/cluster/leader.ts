import type { Place } from './cluster.ts';

/** The ingest whose word counts now. */
export async function leaderOf(ingests: readonly Place[]): Promise<Place> {
  return ingests[0]!;
}
