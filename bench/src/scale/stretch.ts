// A cluster that is left alone for a while, and what it used.
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../cluster/cluster.ts';
import { cpuSecondsOf } from '../cluster/member.ts';
import { instrumentIds } from '../harness/rest.ts';
import { nowMs } from '../harness/usage.ts';
import { Worker } from '../harness/worker.ts';
import type { Readers } from './readers-process.ts';

const READERS = fileURLToPath(new URL('readers-process.ts', import.meta.url));
const BOOKS_EACH = 2;
const BOOK = { depth: 20, cadenceMs: 100 };
const READY_POLL_MS = 100;

/** Of one second. */
export interface Stretch {
  readonly frames: number;
  /** Parts of a core. */
  readonly ingestCpu: number;
  /** Of all gateways together. */
  readonly gatewayCpu: number;
  readonly redisCpu: number;
  /** Bytes from the ingest to Redis, and from Redis to one gateway. */
  readonly published: number;
  readonly received: number;
}

/** One ingest with the simulated market, gateways, and clients that become more. */
export class Town {
  readonly #cluster: Cluster;
  readonly #instruments: readonly string[];
  readonly #readers: Worker<Readers>;
  #clients = 0;

  static async start(gateways: number, instruments: readonly string[]): Promise<Town> {
    const cluster = await Cluster.start({
      ...{ ingests: 1, gateways, isStored: false, faketime: null },
      feeds: [{ feed: 'sim', instruments, historyDays: 1 }],
    });
    for (const { member } of cluster.gateways)
      while ((await instrumentIds(member.http)).length < instruments.length) await delay(READY_POLL_MS);
    return new Town(cluster, instruments);
  }

  private constructor(cluster: Cluster, instruments: readonly string[]) {
    this.#cluster = cluster;
    this.#instruments = instruments;
    this.#readers = new Worker<Readers>('the clients', [READERS]);
  }

  async grow(clients: number): Promise<void> {
    const all = this.#instruments;
    const added = Array.from({ length: clients - this.#clients }, (_, i) =>
      Array.from({ length: BOOKS_EACH }, (_, book) => all[(this.#clients + i + book) % all.length]!),
    );
    this.#clients = clients;
    await this.#readers.ask('connect', { url: this.#cluster.url, clients: added, ...BOOK });
  }

  /** @param warmUpMs after clients have connected: code gets compiled, books are warm */
  async measure(seconds: number, warmUpMs: number): Promise<Stretch> {
    await delay(warmUpMs);
    const fromMs = nowMs();
    const before = await this.#sample();
    await delay(seconds * 1000);
    const after = await this.#sample();
    const forS = (nowMs() - fromMs) / 1000;
    const names = Object.keys(before) as (keyof Stretch)[];
    return Object.fromEntries(
      names.map((name) => [name, (after[name] - before[name]) / forS]),
    ) as unknown as Stretch;
  }

  async stop(): Promise<void> {
    await this.#readers.stop();
    await this.#cluster.stop();
  }

  async #sample(): Promise<Stretch> {
    const { ingests, gateways, redis } = this.#cluster;
    const [ingest] = ingests;
    const cpu = (places: typeof gateways) =>
      places.reduce((sum, { member }) => sum + cpuSecondsOf(member.pid!), 0);
    const down = gateways.reduce((sum, { wire }) => sum + wire!.bytesDown, 0);
    return {
      frames: await this.#readers.ask('frames'),
      ingestCpu: cpu(ingests),
      gatewayCpu: cpu(gateways),
      redisCpu: cpuSecondsOf(redis!.pid!),
      published: ingest!.wire!.bytesUp,
      received: down / gateways.length,
    };
  }
}
