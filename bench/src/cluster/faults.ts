// What is done to a cluster, and within which time all has to be right again.
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, Place } from './cluster.ts';
import { leaderOf } from './leader.ts';

/** Another ingest leads by then, and clients need as long to have their books. */
const TAKE_OVER_MS = 3_000;
const SETTLE_MS = 2_000;
/** As long as Redis and the network are away, and PostgreSQL. */
const AWAY_MS = 5_000;
const DATABASE_AWAY_MS = 10_000;
/** A clock that was set stays so for this long. */
const CLOCK_MS = 5_000;
const HOUR_S = 3_600;

export interface Fault {
  readonly title: string;
  /** From its beginning until all clients have to have right and live books that go on. */
  readonly limitMs: number;
  /** Resolves once its cause is gone. @returns what puts the cluster together again afterwards */
  strike(cluster: Cluster): Promise<() => Promise<void>>;
  /** Whether a process has to have another time. */
  readonly setsClocks?: boolean;
}

const nothing = async () => undefined;

/** The gateway that most clients would miss. */
async function busiest(gateways: readonly Place[]): Promise<Place> {
  const loads = await Promise.all(
    gateways.map(async (place) => {
      const health = await fetch(`${place.member.http}/api/v1/health`);
      return { place, ...((await health.json()) as { readonly connections: number }) };
    }),
  );
  return loads.sort((a, b) => b.connections - a.connections)[0]!.place;
}

function killed({ member }: Place): () => Promise<void> {
  return async () => {
    await member.start();
    await member.ready();
  };
}

/** A while with that clock an hour fast, then an hour slow, then right. */
async function setClock({ member }: Place): Promise<void> {
  for (const offsetS of [HOUR_S, -HOUR_S, 0]) {
    await member.setClock(offsetS);
    await delay(CLOCK_MS);
  }
}

export const faults: Readonly<Record<string, Fault>> = {
  none: {
    title: 'nothing, for 5 s',
    limitMs: 0,
    async strike() {
      await delay(AWAY_MS);
      return nothing;
    },
  },
  leader: {
    title: 'kill -9 of the leading ingest',
    limitMs: TAKE_OVER_MS + SETTLE_MS,
    async strike({ ingests }) {
      const leader = await leaderOf(ingests);
      await leader.member.end('SIGKILL');
      return killed(leader);
    },
  },
  gateway: {
    title: 'kill -9 of a gateway',
    limitMs: TAKE_OVER_MS + SETTLE_MS,
    async strike({ gateways }) {
      const gateway = await busiest(gateways);
      await gateway.member.end('SIGKILL');
      return killed(gateway);
    },
  },
  redis: {
    title: 'kill -9 of Redis, back empty after 5 s',
    limitMs: AWAY_MS + TAKE_OVER_MS + SETTLE_MS,
    async strike({ redis }) {
      await redis!.kill();
      await delay(AWAY_MS);
      await redis!.restart();
      return nothing;
    },
  },
  postgres: {
    title: 'kill -9 of PostgreSQL, back after 10 s',
    limitMs: 0,
    async strike({ postgres }) {
      await postgres!.kill();
      await delay(DATABASE_AWAY_MS);
      await postgres!.restart();
      return nothing;
    },
  },
  'cut-leader': {
    title: 'the leading ingest cut off from Redis for 5 s, what it sent arrives late',
    limitMs: TAKE_OVER_MS + SETTLE_MS,
    async strike({ ingests }) {
      const { wire } = await leaderOf(ingests);
      wire!.freeze();
      await delay(AWAY_MS);
      wire!.mend();
      return nothing;
    },
  },
  'cut-gateway': {
    title: 'a gateway cut off from Redis for 5 s, what was sent to it arrives late',
    limitMs: AWAY_MS + SETTLE_MS,
    async strike({ gateways }) {
      const { wire } = await busiest(gateways);
      wire!.freeze();
      await delay(AWAY_MS);
      wire!.mend();
      return nothing;
    },
  },
  reset: {
    title: 'all connections to Redis reset, and refused for 5 s',
    limitMs: AWAY_MS + TAKE_OVER_MS + SETTLE_MS,
    async strike({ places }) {
      for (const { wire } of places) wire!.refuse();
      await delay(AWAY_MS);
      for (const { wire } of places) wire!.mend();
      return nothing;
    },
  },
  'clock-gateway': {
    title: 'the clock of a gateway an hour fast, an hour slow, right again',
    limitMs: 3 * CLOCK_MS + SETTLE_MS,
    setsClocks: true,
    async strike({ gateways }) {
      await setClock(await busiest(gateways));
      return nothing;
    },
  },
  'clock-leader': {
    title: 'the clock of the leading ingest an hour fast, an hour slow, right again',
    limitMs: 3 * CLOCK_MS + SETTLE_MS,
    setsClocks: true,
    async strike({ ingests }) {
      await setClock(await leaderOf(ingests));
      return nothing;
    },
  },
};
