import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { every, type Clock, type Timer } from '@depthwire/shared';
import type { Config } from './config.ts';

/** How often the file is looked at, milliseconds. It is read when it was the same twice: an editor may be writing. */
const PERIOD_MS = 2_000;

/** Keys that are taken while it runs. */
const TAKEN = ['access', 'allowedOrigins'] as const;
export type TakenConfig = Pick<Config, (typeof TAKEN)[number]>;

interface WatchOptions {
  readonly path: string;
  /** As it was when the server started. */
  readonly config: Config;
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
export function watchConfig({ path, config, clock, log, load, take }: WatchOptions): Timer {
  let takenMs = changedMs(path);
  let seenMs = takenMs;
  let current = config;
  let isLoading = false;
  const look = async () => {
    const newestMs = changedMs(path);
    const isSettled = newestMs === seenMs;
    seenMs = newestMs;
    if (!isSettled || newestMs === takenMs || isLoading) return;
    isLoading = true;
    try {
      if (newestMs === 0) throw new Error(`${path} is gone`);
      const next = await load();
      const changed = (Object.keys(next) as (keyof Config)[]).filter(
        (key) => !isDeepStrictEqual(next[key], current[key]),
      );
      const taken = changed.filter((key) => (TAKEN as readonly string[]).includes(key));
      const waiting = changed.filter((key) => !taken.includes(key));
      if (taken.length > 0) take(next);
      current = next;
      if (taken.length > 0) log.info({ keys: taken }, 'took what has changed in the configuration');
      if (waiting.length > 0)
        log.warn({ keys: waiting }, 'the configuration has changed: this takes a restart');
    } catch (error) {
      log.error(
        { reason: (error as Error).message },
        'the changed configuration cannot be used; what was before stays',
      );
    } finally {
      takenMs = newestMs;
      isLoading = false;
    }
  };
  return every(clock, PERIOD_MS, () => void look());
}

/** NaN would differ from itself: 0 where there is no file. */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
