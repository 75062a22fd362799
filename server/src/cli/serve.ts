import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import {
  createReplayFeed,
  firstTimeMs,
  inspectCaptures,
  systemClock,
  VirtualClock,
  type Pacemaker,
} from '@depthwire/feeds';
import { Option, type Command } from 'commander';
import type { Logger } from 'pino';
import { configFile, loadConfig, type ConfigSources } from '../config/config.ts';
import { stampOf, watchConfig } from '../config/watch.ts';
import type { Depthwire, DepthwireOptions } from '../depthwire.ts';
import { blameFeed } from '../engine/blame.ts';
import { createFeeds } from '../feed-factory.ts';
import { exitCodes, type Done } from './exit-codes.ts';
import { createLogger } from './logger.ts';
import { addSelection, assertOnly, integer, speed, type SelectionFlags } from './options.ts';
import { Progress } from './progress.ts';
import { stopped, stopSignal } from './stop-signal.ts';

export interface ServeFlags extends SelectionFlags {
  readonly config?: string;
  readonly role?: string;
  readonly host?: string;
  readonly port?: number;
  readonly web?: string;
  readonly logLevel?: string;
  readonly replay?: string[];
  readonly speed?: number;
  readonly wait?: boolean;
}

/** How long what is left in the event loop may go on after all is closed. */
const LEFT_BEHIND_MS = 500;
/** How long a disk is waited for after that, and how often it is looked: the two together stay below the 10 s that containers get. */
const DISK_MS = 4_000;
const LOOK_MS = 100;

/** The replay's sense of real time. */
export const pacemaker: Pacemaker = {
  nowMs: () => performance.now(),
  sleep: (delayMs, signal) => delay(delayMs, undefined, { signal }).catch(() => undefined),
};

export function addServeOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration (default: depthwire.yaml, where there is one)')
    .option('--role <role>', 'all, ingest or gateway (default: all)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for a free one (default: 8080)', integer(0, 65_535))
    .option('--web <folder>', 'the built dashboard')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent');
}

export function addReplayOptions(command: Command): Command {
  return addSelection(command)
    .addOption(new Option('--speed <factor>', 'times the recorded pace, or max').argParser(speed))
    .option('--wait', 'begin when the first client subscribes');
}

export function addServe(program: Command, done: Done): void {
  const command = addServeOptions(
    program.command('serve').description('Serve live, simulated or recorded markets.'),
  );
  command.option('--replay <files...>', 'serve these captures instead of the configured feeds');
  addReplayOptions(command).action(async (flags: ServeFlags) => done(await serve(flags)));
}

/** Serves until it is told to stop, be it while it starts. */
export async function serve(flags: ServeFlags): Promise<number> {
  const { replay, role, host, port, web, logLevel } = flags;
  if (!replay) {
    for (const key of ['speed', 'wait', 'venue', 'market', 'symbols'] as const) {
      assertOnly(flags[key] === undefined, `--${key} goes with --replay FILE`);
    }
  }
  const stop = stopSignal();
  outliveFeeds(); // from the loading of their modules on
  const sources: ConfigSources = {
    file: flags.config,
    env: process.env,
    overrides: { role, host, port, web, logLevel },
    cwd: process.cwd(),
  };
  const path = configFile(sources);
  const stamp = stampOf(path); // before it is read: what changes from here on is not lost
  const config = await loadConfig(sources);
  assertOnly(!replay || config.role === 'all', '--replay FILE goes with role all');
  const logger = createLogger(config.logLevel);
  const market = replay
    ? await openRecording(replay, flags, logger, stop)
    : { feeds: createFeeds(config.feeds) };
  if (market === null || stop.aborted) return exitCodes.ok;
  // The other commands need no server, which is most of the code there is to load.
  const { createDepthwire } = await import('../depthwire.ts');
  const depthwire = await createDepthwire({
    config: { ...config, web: config.web === undefined ? undefined : resolve(config.web) },
    logger,
    ...market,
  });
  try {
    const url = await Promise.race([depthwire.listen(), stopped(stop)]);
    if (url !== undefined) {
      logger.info({ url, role: config.role, instruments: depthwire.source.markets.size }, 'listening');
      market.onListening?.(depthwire);
      const watch = watchConfig({
        path,
        stamp,
        config,
        clock: systemClock,
        log: logger,
        load: () => loadConfig(sources),
        take: (changed) => depthwire.reload(changed),
      });
      await stopped(stop);
      watch.cancel();
    }
  } catch (error) {
    await depthwire.close(); // what has started would keep the process alive
    throw error;
  }
  logger.info('shutting down');
  const isClosed = await Promise.race([
    depthwire.close().then(() => true),
    delay(config.shutdownMs, false, { ref: false }),
  ]);
  const end = async () => {
    for (let waitedMs = 0; depthwire.isHeldUp; waitedMs += LOOK_MS) {
      if (waitedMs >= DISK_MS) process.kill(process.pid, 'SIGKILL'); // an exit waits for all threads
      await delay(LOOK_MS);
    }
    process.exit(exitCodes.ok);
  };
  if (!isClosed) {
    const reason = depthwire.isHeldUp
      ? 'the disk that has the history does not answer: if it stays so, the process kills itself'
      : 'clients or feeds did not end in time';
    logger.warn({ shutdownMs: config.shutdownMs }, reason);
    await end(); // their sockets would keep the process alive
  }
  // A timer or socket that a feed left behind would do so too.
  setTimeout(() => void end(), LEFT_BEHIND_MS).unref();
  return exitCodes.ok;
}

/** What a server serves. */
interface Market extends Pick<DepthwireOptions, 'feeds' | 'marketClock'> {
  onListening?(depthwire: Depthwire): void;
}

/** @returns null when it was told to stop while it read */
async function openRecording(
  files: readonly string[],
  flags: ServeFlags,
  logger: Logger,
  stop: AbortSignal,
): Promise<Market | null> {
  const progress = new Progress('reading', true);
  const captures = await inspectCaptures(files, flags, (part) => {
    stop.throwIfAborted();
    progress.update(part);
  })
    .catch((error: unknown) => {
      if (!stop.aborted) throw error;
    })
    .finally(() => progress.stop());
  if (!captures) return null;
  for (const note of captures.flatMap((capture) => capture.notes)) logger.warn(note);
  const clock = new VirtualClock(firstTimeMs(captures));
  const ready = Promise.withResolvers<void>();
  const feed = createReplayFeed({
    captures,
    clock,
    speed: flags.speed ?? 1,
    afterEnd: 'stale',
    pacemaker,
    begin: ready.promise,
    onEnd(error) {
      if (error) logger.error({ code: error.code, reason: error.message }, 'the replay broke off');
      else logger.info('the replay has ended');
    },
  });
  return {
    feeds: [feed],
    marketClock: clock,
    onListening({ hub }) {
      if (!flags.wait) {
        ready.resolve();
        return;
      }
      logger.info('waiting for the first subscription');
      hub.onFirstChannel(ready.resolve);
    },
  };
}

/** An error that a feed did not catch ends that feed; any other ends the process, as it would anyway. */
function outliveFeeds(): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      if (blameFeed(error)) return;
      process.stderr.write(`${inspect(error)}\n`);
      process.exit(exitCodes.failed);
    });
  }
}
