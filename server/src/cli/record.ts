import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import {
  createVenueFeed,
  findVenue,
  fsyncPolicies,
  Recorder,
  systemClock,
  type FsyncPolicy,
  type VenueFeed,
} from '@depthwire/feeds';
import { DepthwireError, toDepthwireError, type BookState } from '@depthwire/shared';
import { Option, type Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import { createMemoryBus } from '../bus/bus.ts';
import { Engine } from '../engine/engine.ts';
import { exitCodes, type Done } from './exit-codes.ts';
import { createLogger } from './logger.ts';
import { assertOnly, integer, list } from './options.ts';
import { stopSignal, stopped } from './stop-signal.ts';

const STATUS_PERIOD_MS = 1_000;
/** Wait before a venue that is away is tried again, doubled each time. */
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 60_000;

interface RecordFlags {
  readonly feed: string;
  readonly market?: string;
  readonly symbols?: string[];
  readonly config?: string;
  readonly ws?: string;
  readonly rest?: string;
  readonly out: string;
  readonly rotateMb?: number;
  readonly rotateMinutes?: number;
  readonly fsync: FsyncPolicy;
  readonly for?: number;
  readonly logLevel: string;
}

/** What is recorded. */
interface Source {
  readonly venue: string;
  readonly market: string;
  readonly symbols: readonly string[];
  readonly endpoints: { readonly ws?: string; readonly rest?: string };
  readonly httpSpacingMs?: number;
}

export function addRecord(program: Command, done: Done): void {
  program
    .command('record')
    .description('Write everything that a venue sends to a capture, which replay and verify read.')
    .requiredOption('--feed <name>', 'a venue such as binance, or the id of a feed of the configuration')
    .option('--market <name>', 'market of the venue, such as spot')
    .option('--symbols <list>', 'venue symbols or BASE-QUOTE, separated by commas', list)
    .option(
      '--config <file>',
      'configuration that has the feed (default: depthwire.yaml, where there is one)',
    )
    .option('--ws <url>', 'WebSocket endpoint, to reach an emulator or a proxy')
    .option('--rest <url>', 'REST endpoint, to reach an emulator or a proxy')
    .requiredOption('--out <file>', 'the capture to write, FILE.jsonl.gz; it must not be there yet')
    .option('--rotate-mb <number>', 'begin another file past this size', integer(1, 100_000))
    .option('--rotate-minutes <number>', 'begin another file after this time', integer(1, 10_080))
    .addOption(
      new Option(
        '--fsync <when>',
        'force each second of it to the disk, or every record at once, or leave that to the system',
      )
        .choices(fsyncPolicies)
        .default('second'),
    )
    .option('--for <seconds>', 'end after this time (default: when interrupted)', integer(1, 31_536_000))
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent', 'warn')
    .addHelpText(
      'after',
      `
A crash loses at most the last second. Parts of a rotated recording are named FILE-0001.jsonl.gz and
so on; each has snapshots of its own and can be replayed alone.`,
    )
    .action(async (flags: RecordFlags) => done(await record(flags)));
}

async function record(flags: RecordFlags): Promise<number> {
  assertOnly(flags.out.endsWith('.jsonl.gz'), `--out ${flags.out}: name a file that ends in .jsonl.gz`);
  const stop = stopSignal();
  const source = await sourceOf(flags);
  const { venue, market } = source;
  const adapter = findVenue(venue, market);
  const log = createLogger(flags.logLevel);
  const failure = Promise.withResolvers<DepthwireError>();
  let feed: VenueFeed | null = null;
  const recorder = new Recorder({
    file: flags.out,
    venue,
    market,
    clock: systemClock,
    fsync: flags.fsync,
    rotateBytes: flags.rotateMb === undefined ? null : flags.rotateMb * 1_000_000,
    rotateMs: flags.rotateMinutes === undefined ? null : flags.rotateMinutes * 60_000,
    isMetadata: (url, data) => adapter.capture.isMetadata({ kind: 'rest', url, data }, market),
    onRotate(file) {
      log.info({ file }, 'another file begins');
      feed?.replaceConnections('another file begins');
    },
    onError: failure.resolve,
  });
  const engine = new Engine({ clock: systemClock, bus: createMemoryBus(), log });
  const status = new StatusLine();
  let error: unknown;
  try {
    for (let attempt = 0; ; attempt++) {
      feed = createVenueFeed(adapter, { ...source, tap: recorder });
      const problem = await engine.addFeed(feed).catch(toDepthwireError);
      if (!problem || stop.aborted) break;
      if (!problem.retry) throw problem;
      await feed.stop();
      const waitMs = waitBeforeRetry(problem, attempt);
      log.warn({ code: problem.code, reason: problem.message, retryInMs: waitMs }, 'the venue is away');
      await delay(waitMs, null, { signal: stop }).catch(() => null);
    }
    const timer = setInterval(() => status.show(recorder, engine.countBooks()), STATUS_PERIOD_MS);
    const time = flags.for === undefined ? [] : [delay(flags.for * 1_000, null, { signal: stop, ref: true })];
    const ends = [
      stopped(stop).then(() => null),
      failure.promise,
      ...time.map((end) => end.catch(() => null)),
    ];
    error = await Promise.race(ends);
    clearInterval(timer);
  } finally {
    await engine.stop();
    await recorder.close();
    // What holds nothing would only be in the way of the next recording.
    if (recorder.records === 0) for (const file of recorder.files) rmSync(file, { force: true });
    status.clear();
  }
  if (error instanceof DepthwireError) throw error;
  if (recorder.records === 0) {
    process.stdout.write('nothing was recorded\n');
    return exitCodes.failed;
  }
  const files = recorder.files.join(', ');
  process.stdout.write(`${recorder.records} records, ${(recorder.bytes / 1e6).toFixed(1)} MB in ${files}\n`);
  return exitCodes.ok;
}

/** Doubled each time, and no shorter than what the venue asks for. */
function waitBeforeRetry({ details }: DepthwireError, attempt: number): number {
  const asked = typeof details.retryAfterMs === 'number' ? details.retryAfterMs : 0;
  return Math.max(asked, Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** attempt));
}

/** @throws DepthwireError `invalid_argument`, or of the configuration */
async function sourceOf(flags: RecordFlags): Promise<Source> {
  const { feed: name, market, symbols, ws, rest } = flags;
  if (market !== undefined && symbols !== undefined)
    return { venue: name, market, symbols, endpoints: { ws, rest } };
  assertOnly(
    market === undefined && symbols === undefined,
    '--market and --symbols go together, such as --feed binance --market spot --symbols BTC-USDT',
  );
  const { feeds } = await loadConfig({ file: flags.config, env: process.env, cwd: process.cwd() });
  const found = feeds.filter((feed) => feed.feed === name || ('id' in feed && feed.id === name));
  const [chosen] = found;
  if (found.length !== 1 || !chosen || !('market' in chosen) || 'plugin' in chosen) {
    const why =
      found.length > 1
        ? `has ${found.length} feeds ${name}: give them ids`
        : `has no feed ${name} of a venue`;
    throw new DepthwireError(
      'invalid_argument',
      `--feed ${name}: the configuration ${why}; or name --market and --symbols`,
    );
  }
  return {
    venue: chosen.feed,
    market: chosen.market,
    symbols: chosen.symbols,
    endpoints: { ws: ws ?? chosen.endpoints?.ws, rest: rest ?? chosen.endpoints?.rest },
    httpSpacingMs: chosen.httpSpacingMs,
  };
}

/** One line that a person at a terminal sees change. */
class StatusLine {
  show({ records, bytes, files }: Recorder, books: Readonly<Record<BookState, number>>): void {
    if (!process.stderr.isTTY) return;
    const states = Object.entries(books).filter(([, count]) => count > 0);
    const told = states.map(([state, count]) =>
      styleText(state === 'live' ? 'green' : 'yellow', `${count} ${state}`),
    );
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    process.stderr.write(`\r\x1b[K${files.at(-1)}  ${records} records, ${size}  ${told.join(', ')}`);
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
