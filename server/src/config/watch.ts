import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { every, type Clock, type Timer } from '@depthwire/shared';
import { isUnset } from '../access/access.ts';
import type { Config } from './config.ts';

/** How often the file is looked at, milliseconds. It is read when it was the same twice: an editor may be writing. */
const PERIOD_MS = 2_000;

/** Keys that are taken while it runs. */
const TAKEN: ReadonlySet<string> = new Set<keyof TakenConfig>(['access', 'allowedOrigins']);
export type TakenConfig = Pick<Config, 'access' | 'allowedOrigins'>;

interface WatchOptions {
  readonly path: string;
  /** As it was when the server started. */
  readonly config: Config;
  /** What the file was when that was read. */
  readonly stamp: string;
  readonly clock: Clock;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  /** @throws DepthwireError where the file cannot be used */
  load(): Promise<Config>;
  /** @throws DepthwireError where it cannot be used */
  take(config: TakenConfig): void;
}

/** Takes who may read anew when the configuration file has changed; what else has changed waits for a restart. */
export function watchConfig({ path, config, stamp, clock, log, load, take }: WatchOptions): Timer {
  let takenStamp = stamp;
  let seenStamp = stamp;
  let running = config;
  let isLoading = false;
  const look = async () => {
    const newest = stampOf(path);
    const isSettled = newest === seenStamp;
    seenStamp = newest;
    if (!isSettled || newest === takenStamp || isLoading) return;
    isLoading = true;
    try {
      if (!isStamp(newest)) throw new Error(`${path}: ${newest}`);
      const next = await load();
      // A file that was cut short would open what was closed.
      if (isUnset(next.access) && !isUnset(running.access))
        throw new Error('access: nothing is left of it: to open this server to its own machine, restart it');
      take(next); // a file beside it, such as that of a secret, may have changed too
      const differs = (key: keyof Config, from: Config) => !isDeepStrictEqual(next[key], from[key]);
      const keys = Object.keys(next) as (keyof Config)[];
      const taken = keys.filter((key) => TAKEN.has(key) && differs(key, running));
      const waiting = keys.filter((key) => !TAKEN.has(key) && differs(key, config)).map(String);
      if (next.access.authenticateWithinMs !== config.access.authenticateWithinMs)
        waiting.push('access.authenticateWithinMs');
      running = next;
      if (taken.length > 0) log.info({ keys: taken }, 'took what has changed in the configuration');
      if (waiting.length > 0)
        log.warn({ keys: waiting }, 'the configuration has changed: this takes a restart');
    } catch (error) {
      log.error(
        { reason: (error as Error).message },
        'the changed configuration cannot be used; what was before stays',
      );
    } finally {
      takenStamp = newest;
      isLoading = false;
    }
  };
  return every(clock, PERIOD_MS, () => void look());
}

/** Changes when the file does; why there is none to be seen where that is so. Never throws. */
export function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `at ${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    const { code = 'cannot be read' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'is gone' : `cannot be read: ${code}`;
  }
}

const isStamp = (stamp: string) => stamp.startsWith('at ');
