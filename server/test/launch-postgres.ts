import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { ServiceProcess } from './service-process.ts';

/** The folder of its programs. `npm test` installs it where it can, and says so where it cannot. */
export const postgresPath: string | null = process.env.POSTGRES_PATH || findPostgres();

if (postgresPath === null) console.warn('no PostgreSQL is installed: the tests of history in it are skipped');

/** After a kill its other processes still hold its memory for a moment. */
const MAX_STARTS = 50;

/** It listens before that, and refuses everybody. */
const READY = 'ready to accept connections';
/** As a standby: it takes questions and no changes, or nobody yet ("the database system is starting up"). */
const standbys = {
  readable: { hotStandby: 'on', ready: 'ready to accept read-only connections' },
  closed: { hotStandby: 'off', ready: 'entering standby mode' },
} as const;

const signals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

export interface PostgresOptions {
  readonly port?: number;
  /** False where a test judges what outlives a crash of the machine; without it everything is faster. */
  readonly isUnsafe?: boolean;
  /** Further settings: `max_connections=50`. */
  readonly settings?: readonly string[];
  /** Further arguments of `initdb`. */
  readonly initdb?: readonly string[];
}

export interface Postgres {
  readonly port: number;
  /** `postgres://…/postgres` */
  readonly url: string;
  /** Its data stay; `immediate` ends it as a crash would. */
  stop(mode?: keyof typeof signals): Promise<void>;
  /** As a machine that fails: at once. Its data stay. */
  kill(): Promise<void>;
  /** With the same data on the same port; as a standby until it is promoted. */
  restart(standby?: keyof typeof standbys): Promise<void>;
  promote(): Promise<void>;
  /** Runs one of its programs as its user. @returns what it said */
  run(program: string, args: readonly string[]): Promise<string>;
  /** Ends it, and its data are gone. */
  remove(): Promise<void>;
}

/** A real PostgreSQL with data of its own. Whoever starts it removes it; tests take `startPostgres`. */
export async function launchPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-postgres-'));
  const port = options.port ?? (await freePort());
  const user = postgresOwner();
  if (user) await chown(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const owner = { ...user, cwd: folder };
  const initdb = ['-D', data, '-U', 'tester', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
  const run = async (program: string, args: readonly string[]) =>
    (await promisify(execFile)(join(postgresPath!, program), args, owner)).stdout;
  await run('initdb', [...initdb, ...(options.initdb ?? [])]);
  const isUnsafe = options.isUnsafe ?? true;
  const settings = [
    'listen_addresses=127.0.0.1',
    ...(isUnsafe ? ['fsync=off', 'full_page_writes=off'] : []),
    ...(options.settings ?? []),
  ];
  const flags = ['-D', data, '-p', `${port}`, '-k', folder, ...settings.flatMap((each) => ['-c', each])];
  const service = new ServiceProcess(port, join(postgresPath!, 'postgres'), flags, owner, READY);
  const restart = async (standby?: keyof typeof standbys) => {
    await service.end('SIGQUIT');
    if (standby) {
      await writeFile(join(data, 'standby.signal'), '');
      await appendFile(join(data, 'postgresql.auto.conf'), `hot_standby = ${standbys[standby].hotStandby}\n`);
    }
    for (let starts = 1; ; starts++) {
      try {
        return await service.start(standby && standbys[standby].ready);
      } catch (error) {
        const isHeld = String(error).includes('shared memory') || String(error).includes('lock file');
        if (!isHeld || starts >= MAX_STARTS) throw error;
      }
    }
  };
  await service.start();
  return {
    port,
    url: `postgres://tester@127.0.0.1:${port}/postgres`,
    stop: (mode = 'fast') => service.end(signals[mode]),
    kill: () => service.end('SIGKILL'),
    restart,
    run,
    promote: async () => void (await run('pg_ctl', ['promote', '-D', data])),
    async remove() {
      await service.end('SIGQUIT');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** It refuses to run as root: then it is the user that its package made. Null for the user that runs the tests. */
export function postgresOwner(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

function findPostgres(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, 'bin')), '/usr/local/bin', '/usr/bin'];
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}
