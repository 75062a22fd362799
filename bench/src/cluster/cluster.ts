// Redis, PostgreSQL, nginx and processes of Depthwire, on this machine.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { launchPostgres, type Postgres } from '../../../server/test/launch-postgres.ts';
import { launchRedis, type Redis } from '../../../server/test/launch-redis.ts';
import { freePort } from '../harness/server.ts';
import type { ServiceProcess } from '../../../server/test/service-process.ts';
import { startNginx } from './engines.ts';
import { Member } from './member.ts';
import { Wire } from './wire.ts';

export interface ClusterOptions {
  /** None: one process does everything, and neither bus nor database is there. */
  readonly ingests: number;
  readonly gateways: number;
  /** Of every process that has feeds. */
  readonly feeds: readonly object[];
  readonly isStored: boolean;
  /** A library that gives a process another time; null where nobody's clock is to be set. */
  readonly faketime: string | null;
}

/** A member and its own way to Redis. */
export interface Place {
  readonly member: Member;
  readonly wire: Wire | null;
}

export class Cluster {
  readonly url: string;
  readonly redis: Redis | null;
  readonly postgres: Postgres | null;
  readonly ingests: readonly Place[];
  readonly gateways: readonly Place[];
  readonly #folder: string;
  readonly #nginx: ServiceProcess;

  static async start(options: ClusterOptions): Promise<Cluster> {
    const folder = await mkdtemp(path.join(tmpdir(), 'depthwire-cluster-'));
    await chmod(folder, 0o755);
    const hasBus = options.ingests > 0;
    const redis = hasBus ? await launchRedis() : null;
    const postgres = options.isStored ? await launchPostgres() : null;
    const place = async (name: string, role: 'ingest' | 'gateway' | 'all'): Promise<Place> => {
      const wire = redis && (await Wire.to(redis.port));
      const config = {
        access: { public: { operate: true } },
        trustedProxies: ['127.0.0.1'],
        ...(role !== 'gateway' && { feeds: options.feeds }),
        ...(wire && { role, bus: { url: `redis://127.0.0.1:${wire.port}` } }),
      };
      const { faketime } = options;
      const history = postgres ? { store: 'postgres', url: postgres.url } : { store: 'none' };
      return {
        member: new Member({ name, folder, port: await freePort(), config, history, faketime }),
        wire,
      };
    };
    const ingests: Place[] = [];
    for (let i = 1; i <= options.ingests; i++) ingests.push(await place(`ingest-${i}`, 'ingest'));
    const gateways: Place[] = [];
    for (let i = 1; i <= options.gateways; i++)
      gateways.push(await place(`gateway-${i}`, hasBus ? 'gateway' : 'all'));
    const started = [...ingests, ...gateways];
    const port = await freePort();
    const ports = gateways.map(({ member }) => member.port);
    const nginx = await startNginx(folder, port, ports);
    const cluster = new Cluster({ folder, redis, postgres, ingests, gateways, nginx, port });
    try {
      for (const { member } of started) await member.start();
      for (const { member } of started) await member.ready();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  private constructor(parts: {
    folder: string;
    redis: Redis | null;
    postgres: Postgres | null;
    ingests: readonly Place[];
    gateways: readonly Place[];
    nginx: ServiceProcess;
    port: number;
  }) {
    this.#folder = parts.folder;
    this.#nginx = parts.nginx;
    this.redis = parts.redis;
    this.postgres = parts.postgres;
    this.ingests = parts.ingests;
    this.gateways = parts.gateways;
    this.url = `ws://127.0.0.1:${parts.port}/ws`;
  }

  get places(): readonly Place[] {
    return [...this.ingests, ...this.gateways];
  }

  /** @param keepsLogs where something was wrong that they may explain */
  async stop(keepsLogs = false): Promise<void> {
    for (const { member, wire } of this.places) {
      await member.end('SIGKILL');
      await wire?.close();
    }
    await this.#nginx.end('SIGTERM'); // which ends its workers too
    await this.redis?.stop();
    await this.postgres?.remove();
    if (keepsLogs) process.stderr.write(`logs are kept in ${this.#folder}\n`);
    else await rm(this.#folder, { recursive: true, force: true });
  }
}
