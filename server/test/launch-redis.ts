import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { freePort } from './ports.ts';
import { ServiceProcess } from './service-process.ts';

/** `npm test` installs it where it can, and says so where it cannot. */
const known = ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server'];
export const redisPath: string | null =
  process.env.REDIS_PATH || (known.find((file) => existsSync(file)) ?? null);

if (redisPath === null) console.warn('no Redis is installed: the tests of several processes are skipped');

export interface RedisOptions {
  readonly port?: number;
  /** Further arguments of `redis-server`. */
  readonly args?: readonly string[];
}

export interface Redis {
  readonly port: number;
  /** `redis://127.0.0.1:…` */
  readonly url: string;
  readonly pid: number | undefined;
  /** As a machine that fails: at once. */
  kill(): Promise<void>;
  /** On the same port, and empty. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A real Redis that keeps nothing on disk. Whoever starts it stops it; tests take `startRedis`. */
export async function launchRedis({ port: asked, args = [] }: RedisOptions = {}): Promise<Redis> {
  const port = asked ?? (await freePort());
  const flags = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const service = new ServiceProcess(port, redisPath!, [...flags, '--dir', tmpdir(), ...args]);
  await service.start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return service.pid;
    },
    kill: () => service.end('SIGKILL'),
    async restart() {
      await service.end('SIGKILL');
      await service.start();
    },
    stop: () => service.end('SIGKILL'),
  };
}
