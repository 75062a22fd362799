import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { styleText } from 'node:util';
import {
  createReplayFeed,
  firstTimeMs,
  inspectCaptures,
  VirtualClock,
  type CaptureInfo,
  type SessionStats,
} from '@depthwire/feeds';
import {
  DepthwireError,
  formatUnitsShortest,
  toDepthwireError,
  type BookSide,
  type BookState,
  type Instrument,
  type Scale,
} from '@depthwire/shared';
import type { Command } from 'commander';
import { createMemoryBus } from '../bus/bus.ts';
import { Engine } from '../engine/engine.ts';
import type { MarketView } from '../engine/market.ts';
import { exitCodes, type Done } from './exit-codes.ts';
import { createLogger } from './logger.ts';
import { addSelection, integer, type SelectionFlags } from './options.ts';
import { Progress } from './progress.ts';
import { pacemaker } from './serve.ts';

interface VerifyFlags extends SelectionFlags {
  readonly depth?: number;
  readonly json?: boolean;
}

/** A book as it stood at the end of the capture. */
interface BookReport {
  readonly state: BookState;
  readonly reason: string | null;
  readonly bids: number;
  readonly asks: number;
  readonly best_bid: string | null;
  readonly best_ask: string | null;
  /** Of the book's canonical text, one line a level. */
  readonly sha256: string;
}

/** What a run of a capture through adapter and engine found. */
export interface VerifyReport {
  readonly file: string;
  readonly venue: string;
  readonly market: string;
  readonly scales: 'metadata' | 'digits';
  /** Why it could not be read to its end; null where it could. */
  readonly cut: string | null;
  readonly notes: readonly string[];
  readonly frames: number;
  readonly malformed: number;
  readonly bookUpdates: number;
  readonly trades: number;
  readonly sequence: { readonly links: number; readonly gaps: number };
  readonly checksums: { readonly ok: number; readonly bad: number };
  readonly resyncs: number;
  readonly refusedEvents: number;
  /** By venue symbol. */
  readonly books: Readonly<Record<string, BookReport>>;
}

/** A capture that could not be verified at all. */
interface FailureReport {
  readonly file: string;
  readonly error: { readonly code: string; readonly message: string };
}

export function addVerify(program: Command, done: Done): void {
  const command = program
    .command('verify')
    .description('Run captures through the live path and check sequences, checksums and final books.')
    .argument('<paths...>', 'captures (JSON Lines, gzip or plain), or folders of them')
    .option('--json', 'print one JSON object; for several captures one that has each by its name')
    .option('--depth <levels>', 'levels a side to report and hash (default: all)', integer(1, 1_000_000));
  addSelection(command)
    .addHelpText(
      'after',
      '\nExits with 0 when every book is live, no gap, bad checksum or malformed frame was seen and nothing is cut off, else with 1.',
    )
    .action(async (paths: string[], flags: VerifyFlags) => {
      const { files, isSingle } = await capturesIn(paths);
      done(await (isSingle ? verifyOne(files[0]!, flags) : verifyAll(files, flags)));
    });
}

async function verifyOne(file: string, flags: VerifyFlags): Promise<number> {
  const report = await verifyCapture(file, flags, !flags.json).catch((error: unknown) => {
    // For programs; the text for people goes to standard error as always.
    if (flags.json) process.stdout.write(`${JSON.stringify(failure(file, error))}\n`);
    throw error;
  });
  process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : describe(report));
  return isRight(report) ? exitCodes.ok : exitCodes.failed;
}

/** A capture that cannot be read is one of the results, not their end. */
async function verifyAll(files: readonly string[], flags: VerifyFlags): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0, // a link that leads nowhere is a row of its own
      ),
    ),
  );
  const bytesTotal = sizes.reduce((sum, size) => sum + size, 0);
  const progress = new Progress('verifying', !flags.json);
  const reports: (VerifyReport | FailureReport)[] = [];
  let bytesRead = 0;
  for (const [i, file] of files.entries()) {
    progress.update({ bytesRead, bytesTotal });
    reports.push(await verifyCapture(file, flags, false).catch((error: unknown) => failure(file, error)));
    bytesRead += sizes[i]!;
  }
  progress.stop();
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(Object.fromEntries(reports.map((report) => [report.file, report])))}\n`
      : describeAll(reports),
  );
  return reports.every((report) => 'books' in report && isRight(report)) ? exitCodes.ok : exitCodes.failed;
}

function failure(file: string, error: unknown): FailureReport {
  const { code, message } = toDepthwireError(error);
  return { file, error: { code, message } };
}

/** @throws DepthwireError `capture_not_found` */
async function capturesIn(paths: readonly string[]): Promise<{ files: string[]; isSingle: boolean }> {
  const files: string[] = [];
  let hasFolder = false;
  for (const path of paths) {
    const entry = await stat(path).catch(() => null);
    if (!entry)
      throw new DepthwireError('capture_not_found', `${path}: there is no such file`, { file: path });
    if (!entry.isDirectory()) {
      files.push(path);
      continue;
    }
    hasFolder = true;
    const names = (await readdir(path)).filter((name) => /\.jsonl(\.gz)?$/.test(name)).sort();
    if (names.length === 0)
      throw new DepthwireError('capture_not_found', `${path}: holds no captures (*.jsonl.gz, *.jsonl)`);
    files.push(...names.map((name) => join(path, name)));
  }
  return { files, isSingle: files.length === 1 && !hasFolder };
}

/** @throws DepthwireError `capture_*`, `unknown_venue` or `unknown_symbol` */
async function verifyCapture(file: string, flags: VerifyFlags, withProgress: boolean): Promise<VerifyReport> {
  const reading = new Progress('reading  ', withProgress);
  const [capture] = await inspectCaptures([file], flags, reading.update).finally(() => reading.stop());
  const clock = new VirtualClock(firstTimeMs([capture!]));
  const bus = createMemoryBus();
  const engine = new Engine({ clock, bus, log: createLogger('silent') });
  const end = Promise.withResolvers<DepthwireError | null>();
  const progress = new Progress('verifying', withProgress);
  const feed = createReplayFeed({
    captures: [capture!],
    clock,
    speed: Infinity,
    afterEnd: 'stop',
    pacemaker,
    onProgress: progress.update,
    onEnd: end.resolve,
  });
  await engine.addFeed(feed);
  const error = await end.promise;
  progress.stop();
  if (error) throw error;
  const report = summarise(capture!, feed.stats(), engine, flags.depth ?? Infinity);
  await engine.stop();
  return report;
}

function summarise(capture: CaptureInfo, stats: SessionStats, engine: Engine, depth: number): VerifyReport {
  const books: Record<string, BookReport> = {};
  for (const { id, symbol } of capture.instruments)
    if (!capture.bookless.includes(symbol)) books[symbol] = reportBook(engine.markets.get(id)!, depth);
  return {
    file: capture.file,
    venue: capture.adapter.venue,
    market: capture.market,
    scales: capture.scales,
    cut: capture.cut?.message ?? null,
    notes: capture.notes,
    frames: stats.frames,
    malformed: stats.malformed,
    bookUpdates: stats.bookUpdates,
    trades: stats.trades,
    sequence: { links: stats.links, gaps: stats.gaps },
    checksums: { ok: stats.checksumsOk, bad: stats.checksumsBad },
    resyncs: stats.resyncs,
    refusedEvents: [...engine.feeds.values()].reduce((sum, { refused }) => sum + refused, 0),
    books,
  };
}

function reportBook({ book, instrument, state, reason }: MarketView, depth: number): BookReport {
  const price = (ticks: number | null) =>
    ticks === null ? null : formatUnitsShortest(ticks, instrument.tick);
  return {
    state,
    reason,
    bids: Math.min(depth, book.bids.count),
    asks: Math.min(depth, book.asks.count),
    best_bid: price(book.bestBid),
    best_ask: price(book.bestAsk),
    sha256: createHash('sha256')
      .update(canonicalSide('b', book.bids, instrument, depth))
      .update(canonicalSide('a', book.asks, instrument, depth))
      .digest('hex'),
  };
}

/** One line a level, best first: `b PRICE QTY`, plain decimals without trailing zeros. */
function canonicalSide(
  letter: 'a' | 'b',
  side: BookSide,
  { tick, lot }: Pick<Instrument, 'tick' | 'lot'>,
  depth: number,
): string {
  const text = (units: number, scale: Scale) => formatUnitsShortest(units, scale);
  let lines = '';
  for (let rank = 0; rank < Math.min(depth, side.count); rank++) {
    lines += `${letter} ${text(side.ticksAt(rank), tick)} ${text(side.lotsAt(rank), lot)}\n`;
  }
  return lines;
}

function isRight(report: VerifyReport): boolean {
  return (
    report.cut === null &&
    report.frames > 0 &&
    Object.keys(report.books).length > 0 &&
    report.sequence.gaps === 0 &&
    report.checksums.bad === 0 &&
    report.malformed === 0 &&
    report.refusedEvents === 0 &&
    Object.values(report.books).every(({ state }) => state === 'live')
  );
}

function describeAll(reports: readonly (VerifyReport | FailureReport)[]): string {
  const head = [
    'capture',
    'market',
    'frames',
    'links',
    'gaps',
    'checksums',
    'malformed',
    'resyncs',
    'live',
    '',
  ];
  const rows = reports.map((report) => {
    const name = basename(report.file);
    if (!('books' in report)) return [name, '', '', '', '', '', '', '', '', report.error.message];
    const { venue, market, frames, sequence, checksums, malformed, resyncs } = report;
    const states = Object.values(report.books).map(({ state }) => state);
    const live = states.filter((state) => state === 'live').length;
    const figures = [frames, sequence.links, sequence.gaps];
    const checked = checksums.ok + checksums.bad;
    return [
      name,
      `${venue} ${market}`,
      ...figures.map(String),
      checked === 0 ? '–' : `${checksums.ok} of ${checked}`,
      String(malformed),
      String(resyncs),
      `${live} of ${states.length}`,
      isRight(report) ? 'right' : 'not right',
    ];
  });
  const right = reports.filter((report) => 'books' in report && isRight(report)).length;
  const table = formatTable(
    [head, ...rows],
    (column) => column >= 2 && column <= 8,
    (row) => row.at(-1) === 'right',
  );
  return `${table}\n${right} of ${reports.length} right\n`;
}

/** Columns side by side; rows that are not as they should be stand out. */
function formatTable(
  table: readonly (readonly string[])[],
  isNumber: (column: number) => boolean,
  isGood: (row: readonly string[]) => boolean,
): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row, i) => {
    const cells = row.map((cell, column) =>
      isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    const line = cells.join('  ').trimEnd();
    if (i === 0) return styleText('dim', line);
    return isGood(row) ? line : styleText('yellow', line);
  });
  return lines.join('\n');
}

function describe(report: VerifyReport): string {
  const { sequence, checksums } = report;
  const rows = Object.entries(report.books).map(([symbol, book]) => [
    symbol,
    book.state,
    String(book.bids),
    String(book.asks),
    book.best_bid ?? '–',
    book.best_ask ?? '–',
    book.sha256.slice(0, 12),
    book.reason ?? '',
  ]);
  const head = ['symbol', 'state', 'bids', 'asks', 'best bid', 'best ask', 'sha256', ''];
  const table = formatTable(
    [head, ...rows],
    (column) => column >= 2 && column <= 5,
    (row) => row[1] === 'live',
  );
  const verdict = isRight(report) ? styleText('green', 'right') : styleText('red', 'not right');
  return [
    `${report.file}: ${report.venue} ${report.market}, ${verdict}`,
    ...report.notes.map((note) => styleText('yellow', `note: ${note}`)),
    `${report.frames} frames, ${report.bookUpdates} book updates, ${report.trades} trades, ${report.malformed} malformed`,
    `sequence: ${sequence.links} links, ${sequence.gaps} gaps · checksums: ${checksums.ok} right, ${checksums.bad} wrong · resyncs: ${report.resyncs}`,
    table,
    '',
  ].join('\n');
}
