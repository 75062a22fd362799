import { DepthwireError, isCandleInterval, topics, type CandleInterval, type Topic } from '@depthwire/shared';
import { FrameInspector, FrameTotals, passes, type FrameFilter } from '@depthwire/shared/inspect';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { commandClient, keyHeaders } from './connection.ts';
import { exitCodes, type Done } from './exit-codes.ts';
import { frameJson, frameLines, statusLine, totalsTable } from './inspect-lines.ts';
import { integer, list, streamUrl } from './options.ts';
import { report } from './report.ts';
import { stopped, stopSignal } from './stop-signal.ts';

const DRAW_PERIOD_MS = 100;
const RATE_PERIOD_MS = 1_000;
/** Lines that wait to be drawn at a terminal; nobody reads more of them in a tenth of a second. */
const MAX_LINES = 200;
/** Bytes that wait for a slow reader of a pipe; then lines are left out, and counted. */
const MAX_PIPE_BYTES = 2 ** 22;
const LONGEST_SECONDS = 86_400;

interface InspectFlags {
  readonly instrument?: string[];
  readonly topic: Topic[];
  readonly depth: number;
  readonly cadence?: number;
  readonly interval: CandleInterval;
  readonly encoding: 'msgpack' | 'json';
  readonly type?: string[];
  readonly direction?: 'in' | 'out';
  readonly grep?: string;
  readonly full?: boolean;
  readonly hex?: boolean;
  readonly json?: boolean;
  readonly for?: number;
}

export function addInspect(program: Command, done: Done): void {
  program
    .command('inspect')
    .description('Show the messages of a connection as they come and go, decoded.')
    .argument('[url]', 'the server', streamUrl, 'ws://127.0.0.1:8080/ws')
    .option(
      '--instrument <ids>',
      'what to subscribe to, separated by commas (default: the first of the server)',
      list,
    )
    .option('--topic <names>', 'topics to subscribe to, separated by commas', topicList, [...topics])
    .option('--depth <levels>', 'of books: levels a side, 0 for all', integer(0, 1_000_000), 20)
    .option(
      '--cadence <ms>',
      'least milliseconds between frames (default: that of the topic)',
      integer(0, 3_600_000),
    )
    .option('--interval <interval>', 'of candles', candleInterval, '1m')
    .addOption(
      new Option('--encoding <name>', 'of the connection').choices(['msgpack', 'json']).default('msgpack'),
    )
    .option('--type <kinds>', 'show these alone, such as bookDelta,trades,subscribed', list)
    .addOption(new Option('--direction <which>', 'show this one alone').choices(['in', 'out']))
    .option('--grep <text>', 'show those alone whose kind, topic or instrument has this in it')
    .option('--full', 'all fields, and decoded levels')
    .option('--hex', 'the bytes too')
    .option('--json', 'a line of JSON for each')
    .option('--for <seconds>', 'end after so long', integer(1, LONGEST_SECONDS))
    .addHelpText(
      'after',
      `
At a terminal: space pauses, q ends. Totals go to standard error at the end.
Ends with 1 where no connection or no subscription came about, or a gap or an unreadable message was met.`,
    )
    .action(async (url: string, flags: InspectFlags) => done(await inspect(url, flags)));
}

async function inspect(url: string, flags: InspectFlags): Promise<number> {
  const stop = stopSignal();
  const instruments = flags.instrument ?? [await firstInstrument(url)];
  const { client, explain } = commandClient({ url, encoding: flags.encoding }, 'depthwire inspect URL');
  const inspector = new FrameInspector();
  const totals = new FrameTotals();
  const filter: FrameFilter = { direction: flags.direction, kinds: flags.type, text: flags.grep };
  const format = flags.json ? frameJson : frameLines;
  const shown = { full: flags.full === true, hex: flags.hex === true };
  const isTerminal = process.stdout.isTTY && process.stdin.isTTY && !flags.json;
  const output = isTerminal ? new TerminalOutput(totals) : new PipeOutput();
  const end = Promise.withResolvers<number>();

  const fail = (error: DepthwireError): void => {
    report(error);
    end.resolve(exitCodes.failed);
  };
  client.on('frame', (raw) => {
    const frame = inspector.read(raw);
    totals.add(frame);
    if (passes(frame, filter)) output.write(() => format(frame, shown));
  });
  let hasConnected = false;
  client.on('state', (state) => {
    if (state === 'open') hasConnected = true;
  });
  client.on('error', (error) => {
    const explained = explain(error);
    // One that never was is most likely a wrong address.
    if (client.state === 'closed' || !hasConnected) fail(explained);
    else report(explained);
  });
  for (const instrument of instruments) {
    for (const topic of flags.topic) {
      const { depth, cadence: cadenceMs, interval } = flags;
      const subscription =
        topic === 'book'
          ? client.book(instrument, { depth, cadenceMs })
          : topic === 'candles'
            ? client.candles(instrument, { interval, cadenceMs })
            : client[topic](instrument, { cadenceMs });
      subscription.on('error', (error) => {
        if (!error.retry) fail(error);
      });
    }
  }

  const startedMs = performance.now();
  const timer =
    flags.for === undefined ? null : setTimeout(() => end.resolve(exitCodes.ok), flags.for * 1_000);
  void stopped(stop).then(() => end.resolve(exitCodes.ok));
  process.stdout.on('error', () => end.resolve(exitCodes.ok)); // the reader of a pipe went away
  output.onQuit = () => end.resolve(exitCodes.ok);
  client.connect();
  const code = await end.promise;
  if (timer) clearTimeout(timer);
  client.close();
  output.close();
  const left =
    output.skipped === 0 ? '' : `\n${output.skipped} messages were not shown: nobody took them in time`;
  if (totals.frames > 0)
    process.stderr.write(`${totalsTable(totals, (performance.now() - startedMs) / 1_000)}${left}\n`);
  return code === exitCodes.ok && totals.gaps + totals.malformed > 0 ? exitCodes.failed : code;
}

interface Output {
  /** Messages that were not shown, for there were too many. */
  skipped: number;
  onQuit: () => void;
  write(line: () => string): void;
  close(): void;
}

/** Lines, as far as their reader takes them. */
class PipeOutput implements Output {
  skipped = 0;
  onQuit = (): void => {};

  write(line: () => string): void {
    if (process.stdout.writableLength > MAX_PIPE_BYTES) this.skipped += 1;
    else process.stdout.write(`${line()}\n`);
  }

  close(): void {}
}

/** Lines that scroll above one with the totals. */
class TerminalOutput implements Output {
  skipped = 0;
  onQuit = (): void => {};
  #lines: string[] = [];
  #isPaused = false;
  #whilePaused = 0;
  #rates = { framesPerSecond: 0, bytesPerSecond: 0 };
  readonly #view = createLogUpdate(process.stdout);
  readonly #totals: FrameTotals;
  readonly #timers: ReturnType<typeof setInterval>[];

  constructor(totals: FrameTotals) {
    this.#totals = totals;
    totals.rates(performance.now());
    this.#timers = [
      setInterval(() => this.#draw(), DRAW_PERIOD_MS),
      setInterval(() => (this.#rates = totals.rates(performance.now())), RATE_PERIOD_MS),
    ];
    process.stdin.setRawMode(true).resume();
    process.stdin.on('data', this.#onKey);
  }

  write(line: () => string): void {
    if (this.#isPaused) this.#whilePaused += 1;
    else if (this.#lines.length >= MAX_LINES) this.skipped += 1;
    else this.#lines.push(line());
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#draw();
    this.#view.done();
    process.stdin.off('data', this.#onKey);
    process.stdin.setRawMode(false).pause();
  }

  readonly #onKey = (key: Buffer): void => {
    const text = key.toString();
    if (text === 'q' || text === '\u0003') this.onQuit();
    if (text !== ' ') return;
    this.#isPaused = !this.#isPaused;
    this.#whilePaused = 0;
    this.#draw();
  };

  #draw(): void {
    if (this.#lines.length > 0) this.#view.persist(this.#lines.join('\n'));
    this.#lines = [];
    const state = this.#isPaused
      ? `paused, ${this.#whilePaused} messages passed by; space goes on, q ends`
      : 'space pauses, q ends';
    this.#view(statusLine(this.#totals, this.#rates, state).slice(0, process.stdout.columns - 1));
  }
}

/** @throws DepthwireError `connection_lost` */
async function firstInstrument(url: string): Promise<string> {
  const address = new URL('api/v1/instruments', url.replace(/^ws/, 'http'));
  let why: string;
  try {
    const answer = await fetch(address, { headers: keyHeaders() });
    const { instruments } = (await answer.json()) as { instruments?: { id: string }[] };
    if (instruments?.[0]) return instruments[0].id;
    why = answer.ok ? 'the server has no instruments' : `HTTP ${answer.status}`;
    if (answer.status === 401) why += ': put a key into the variable DEPTHWIRE_KEY';
  } catch (error) {
    const { cause, message } = error as Error;
    why = cause instanceof Error ? cause.message : message;
  }
  throw new DepthwireError(
    'connection_lost',
    `the instruments of ${address.origin} cannot be listed: ${why}; is the server running? Or name one with --instrument`,
  );
}

function topicList(text: string): Topic[] {
  const names = list(text);
  const wrong = names.find((name) => !topics.includes(name as Topic));
  if (wrong !== undefined) throw new InvalidArgumentError(`expected ${topics.join(', ')}, got ${wrong}`);
  return names as Topic[];
}

function candleInterval(text: string): CandleInterval {
  if (!isCandleInterval(text)) throw new InvalidArgumentError('expected an interval such as 1m');
  return text;
}
