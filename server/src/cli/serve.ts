import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import {
  createReplayFeed,
  firstTimeMs,
  inspectCaptures,
  VirtualClock,
  type Feed,
  type Pacemaker,
} from '@depthwire/feeds';
import type { Clock } from '@depthwire/shared';
import { Option, type Command } from 'commander';
import type { Logger } from 'pino';
import { loadConfig, type Config } from '../config/config.ts';
import { createDepthwire } from '../depthwire.ts';
import { createFeeds } from '../feed-factory.ts';
import { exitCodes, type Done } from './exit-codes.ts';
import { createLogger } from './logger.ts';
import { addSelection, assertOnly, integer, speed, type SelectionFlags } from './options.ts';
import { Progress } from './progress.ts';

export interface ServeFlags extends SelectionFlags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly web?: string;
  readonly logLevel?: string;
  readonly replay?: string[];
  readonly speed?: number;
  readonly wait?: boolean;
}

/** The replay's sense of real time. */
export const pacemaker: Pacemaker = {
  nowMs: () => performance.now(),
  sleep: (delayMs, signal) => delay(delayMs, undefined, { signal }).catch(() => undefined),
};

export function addServeOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration (default: depthwire.yaml, where there is one)')
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

/** Serves until it is told to stop. */
export async function serve(flags: ServeFlags): Promise<number> {
  const { replay, host, port, web, logLevel } = flags;
  if (!replay) {
    for (const key of ['speed', 'wait', 'venue', 'market', 'symbols'] as const) {
      assertOnly(flags[key] === undefined, `--${key} goes with --replay FILE`);
    }
  }
  const config = await loadConfig({
    file: flags.config,
    env: process.env,
    overrides: { host, port, web, logLevel },
    cwd: process.cwd(),
  });
  const logger = createLogger(config.logLevel);
  const depthwire = replay
    ? await startReplay(replay, flags, config, logger)
    : await start(createFeeds(config.feeds), config, logger);
  await stopSignal();
  logger.info('shutting down');
  const isClosed = await Promise.race([
    depthwire.close().then(() => true),
    delay(config.shutdownMs, false, { ref: false }),
  ]);
  if (!isClosed) logger.warn({ shutdownMs: config.shutdownMs }, 'clients or feeds did not end in time');
  return exitCodes.ok;
}

async function start(feeds: readonly Feed[], config: Config, logger: Logger, marketClock?: Clock) {
  const depthwire = await createDepthwire({
    config: { ...config, web: config.web === undefined ? undefined : resolve(config.web) },
    logger,
    feeds,
    marketClock,
  });
  const url = await depthwire.listen().catch(async (error: unknown) => {
    await depthwire.close(); // what has started would keep the process alive
    throw error;
  });
  logger.info({ url, instruments: depthwire.engine.markets.size }, 'listening');
  return depthwire;
}

async function startReplay(files: readonly string[], flags: ServeFlags, config: Config, logger: Logger) {
  const progress = new Progress('reading', true);
  const captures = await inspectCaptures(files, flags, progress.update).finally(() => progress.stop());
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
  const depthwire = await start([feed], config, logger, clock);
  if (!flags.wait) {
    ready.resolve();
    return depthwire;
  }
  logger.info('waiting for the first subscription');
  depthwire.hub.onFirstChannel(ready.resolve);
  return depthwire;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve();
        // asked twice, it is meant at once
        process.once(signal, () => process.exit(exitCodes.failed));
      });
    }
  });
}
