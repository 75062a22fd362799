import { setTimeout as delay } from 'node:timers/promises';
import type { Place } from './cluster.ts';

const POLL_MS = 50;
const LIMIT_MS = 15_000;

/** The part of `/api/v1/health` that says who leads. */
interface Health {
  readonly bus: { readonly feeds: readonly { readonly epoch: number | null }[] };
}

/**
 * The ingest that leads all feeds, as it says itself.
 * @throws Error where none does for long, or more than one
 */
export async function leaderOf(ingests: readonly Place[]): Promise<Place> {
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += POLL_MS) {
    const leading = await Promise.all(ingests.map(leads));
    const leaders = ingests.filter((_, i) => leading[i]);
    if (leaders.length > 1) throw new Error(`${leaders.length} ingests lead`);
    if (leaders[0]) return leaders[0];
    await delay(POLL_MS);
  }
  throw new Error(`no ingest leads for ${LIMIT_MS / 1000} s`);
}

async function leads({ member }: Place): Promise<boolean> {
  const answer = await fetch(`${member.http}/api/v1/health`).catch(() => null);
  if (!answer) return false;
  const { bus } = (await answer.json()) as Health;
  return bus.feeds.length > 0 && bus.feeds.every(({ epoch }) => epoch !== null);
}
