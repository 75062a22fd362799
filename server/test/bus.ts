import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as openSocket, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Redis as RedisClient } from 'ioredis';
import { expect, onTestFinished, vi } from 'vitest';
import { bookChecksum, type BookState } from '@depthwire/shared';
import type { Depthwire } from '../src/depthwire.ts';
import { ScriptedFeed, testInstrument } from './markets.ts';
import { freePort } from './ports.ts';
import { redisPath, startRedis, type Redis } from './redis.ts';
import { serveFeeds } from './server.ts';

// Processes that a bus joins, and what they stand on.

export const ids = ['AAA', 'BBB', 'CCC', 'DDD', 'EEE', 'FFF', 'GGG', 'HHH'].map((base) => `test:${base}-USD`);

/** One market that two ingests hear: what the test does to it reaches both. */
export class Venue {
  readonly feeds: ScriptedFeed[] = [];
  #tradeId = 0;
  #size = 1;

  feed(): ScriptedFeed {
    const feed = new ScriptedFeed(
      'scripted',
      ids.map((id) => testInstrument(id, { staleAfterMs: 3_600_000 })),
    );
    this.feeds.push(feed);
    return feed;
  }

  open(feed: ScriptedFeed): void {
    for (const id of ids) {
      feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6], id);
      feed.state('live', null, id);
    }
  }

  /** Every book changes, and there is a trade of each instrument. */
  move(): void {
    this.#size = (this.#size % 1_000) + 1;
    for (const id of ids) {
      this.#tradeId += 1;
      for (const feed of this.feeds) {
        feed.delta([100, this.#size, 98, this.#size + 1], [101, this.#size + 2], id);
        feed.trade(100, this.#size, this.#tradeId, id);
      }
    }
  }
}

export const marketsOf = ({ source }: Depthwire) => source.markets;
export const leaderOf = (ingests: readonly Depthwire[]) =>
  ingests.find(({ source }) => source.busReport()?.feeds.some(({ epoch }) => epoch !== null));

export function expectSame(gateway: Depthwire, ingest: Depthwire, state: BookState = 'live'): void {
  expect([...marketsOf(gateway).keys()].sort()).toEqual([...marketsOf(ingest).keys()].sort());
  for (const [id, market] of marketsOf(ingest)) {
    const replica = marketsOf(gateway).get(id)!;
    expect(replica.state).toBe(state);
    expect(replica.book.sequence).toBe(market.book.sequence);
    expect(bookChecksum(replica.book)).toBe(bookChecksum(market.book));
    expect(replica.tape.at(-1)).toEqual(market.tape.at(-1));
  }
}

/** A way to a port of this machine that can swallow everything, as a network does that is cut: no end is told. */
export async function startCable(port: number) {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    const far = openSocket(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (isCut) from.pause();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      isCut = false;
      for (const socket of sockets) socket.resume();
    },
  };
}

export async function startIngest(venue: Venue, bus: object): Promise<Depthwire> {
  const feed = venue.feed();
  const { depthwire } = await serveFeeds([feed], { role: 'ingest', bus });
  venue.open(feed);
  return depthwire;
}

/** Nodes talk to each other on a port that is 10,000 higher. */
async function clusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 55_000) return port;
  }
}

/** So many masters, with a replica each where it is asked for. */
export async function startCluster(masters: number, replicas: 0 | 1 = 0): Promise<Redis[]> {
  const count = masters * (1 + replicas);
  const nodes = await Promise.all(
    Array.from({ length: count }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'depthwire-redis-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      return startRedis({
        port: await clusterPort(),
        args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--dir', folder],
      });
    }),
  );
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const flags = ['--cluster-replicas', `${replicas}`, '--cluster-yes'];
  await promisify(execFile)(join(dirname(redisPath!), 'redis-cli'), [
    ...['--cluster', 'create', ...addresses, ...flags],
  ]);
  // A replica that has never had all of its master does not take over.
  await Promise.all(nodes.map(({ port }) => whenReplicated(port)));
  return nodes;
}

/** Once a node is a master, or has what its master has. */
async function whenReplicated(port: number): Promise<void> {
  const node = new RedisClient(port);
  try {
    await vi.waitFor(
      async () => expect(await node.info('replication')).toMatch(/role:master|master_link_status:up/),
      { timeout: 20_000, interval: 20 },
    );
  } finally {
    node.disconnect();
  }
}
