import {
  DepthwireError,
  RECORDING_ENDED,
  toDepthwireError,
  type EpochMs,
  type Instrument,
  type InstrumentId,
} from '@depthwire/shared';
import { BookRelay, type RelaySource } from '../core/book-relay.ts';
import type { Feed, FeedContext } from '../core/feed.ts';
import { emptyStats, sumStats, type SessionStats } from '../core/session-stats.ts';
import { type HttpCallback, type VenueAdapter, type VenueSession } from '../core/venue.ts';
import type { VirtualClock } from '../core/virtual-clock.ts';
import { inspectCapture, type CaptureInfo, type CaptureSelection } from './inspect.ts';
import { readUntilCut, type CaptureRecord, type ReadProgress } from './read.ts';
import { isLater, type Place, type RecordedSocket } from './sockets.ts';

/** Recorded silence longer than this is skipped, in milliseconds of the viewer's time. */
const MAX_IDLE_MS = 5_000;
/** Recorded time that is lived through; across a longer gap (files of other days) the clock jumps. */
const MAX_GAP_MS = 600_000;
/** Longest stretch of work before other tasks get their turn, milliseconds. */
const MAX_BUSY_MS = 8;

/** Real time, for the pace of a replay: the only thing in it that is not recorded. */
export interface Pacemaker {
  nowMs(): number;
  /** Resolves after the delay, or when the signal aborts. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

export interface ReplayOptions {
  /** As `inspectCaptures` found them; at least one. */
  readonly captures: readonly CaptureInfo[];
  /** The market clock: the replay moves it, and with it everything that runs on it. */
  readonly clock: VirtualClock;
  /** Times the recorded pace; `Infinity` for as fast as it goes. */
  readonly speed: number;
  /**
   * `stop`: time ends with the last record. `stale`: it goes on at the pace of real time, and every
   * book is told to be stale, because the recording has ended.
   */
  readonly afterEnd: 'stop' | 'stale';
  readonly pacemaker: Pacemaker;
  /** Resolves when the replay may begin; default: at once. */
  readonly begin?: Promise<void>;
  onProgress?(progress: ReadProgress): void;
  /** The last record was played, or reading failed. */
  onEnd?(error: DepthwireError | null): void;
}

export interface ReplayFeed extends Feed {
  readonly captures: readonly CaptureInfo[];
  /** Sums over all sessions. */
  stats(): SessionStats;
  /** Venue, market and instruments of each session. */
  sessions(): readonly { adapter: VenueAdapter; market: string; instruments: readonly Instrument[] }[];
}

/** The time at which the first of the inspected captures begins. */
export function firstTimeMs(captures: readonly CaptureInfo[]): number {
  return Math.min(...captures.map((capture) => capture.firstMs));
}

/**
 * Plays recorded frames through the venues' own sessions. Files are merged by recorded time;
 * files of one market share a session, as they would on one connection.
 */
export function createReplayFeed(options: ReplayOptions): ReplayFeed {
  const { captures, clock, speed, pacemaker } = options;
  const abort = new AbortController();
  const markets = new Map<string, MarketReplay>();
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    await Promise.race([options.begin, aborted(abort.signal)]);
    let wallMs = pacemaker.nowMs();
    let virtualMs: number = clock.now();
    let busySinceMs = wallMs;
    for await (const { record, source } of merge(captures, options.onProgress)) {
      if (abort.signal.aborted) return;
      // By the records alone, so that it is the same at any speed.
      if (record.t - clock.now() > MAX_GAP_MS) {
        clock.jumpTo(record.t);
        virtualMs = record.t;
        wallMs = pacemaker.nowMs();
      }
      while (Number.isFinite(speed)) {
        const now = pacemaker.nowMs();
        const reachedMs = virtualMs + (now - wallMs) * speed;
        if (reachedMs >= record.t) break;
        if ((record.t - reachedMs) / speed > MAX_IDLE_MS) {
          virtualMs = record.t - speed * MAX_IDLE_MS; // jump: nothing was recorded in between
          wallMs = now;
          continue;
        }
        clock.advanceTo(reachedMs);
        const due = Math.min(record.t, clock.nextDueMs() ?? Infinity);
        await pacemaker.sleep(Math.max(1, (due - reachedMs) / speed), abort.signal);
        if (abort.signal.aborted) return;
        busySinceMs = pacemaker.nowMs();
      }
      clock.advanceTo(record.t);
      const capture = captures[source]!;
      markets.get(marketKey(capture))!.play(record, source, capture.sockets.get(record.conn));
      if (pacemaker.nowMs() - busySinceMs > MAX_BUSY_MS) {
        await pacemaker.sleep(0, abort.signal);
        if (abort.signal.aborted) return;
        busySinceMs = pacemaker.nowMs();
      }
    }
    for (const market of markets.values()) market.ended();
  }

  /** Lets time go on without records, until the feed is stopped. */
  async function idle({ emit }: FeedContext): Promise<void> {
    if (abort.signal.aborted) return;
    for (const market of markets.values()) {
      market.dispose();
      for (const { id } of market.instruments) {
        emit({
          type: 'book-status',
          instrument: id,
          timeMs: clock.now(),
          state: 'stale',
          reason: RECORDING_ENDED,
        });
      }
    }
    const virtualMs = clock.now();
    const wallMs = pacemaker.nowMs();
    while (!abort.signal.aborted) {
      const nowMs = virtualMs + pacemaker.nowMs() - wallMs;
      clock.advanceTo(nowMs);
      const due = Math.min(nowMs + MAX_IDLE_MS, clock.nextDueMs() ?? Infinity);
      await pacemaker.sleep(Math.max(1, due - nowMs), abort.signal);
    }
  }

  return {
    id: 'replay',
    captures,
    start(context) {
      for (const capture of captures) {
        const key = marketKey(capture);
        const others = captures.filter((other) => marketKey(other) === key);
        if (!markets.has(key))
          markets.set(key, new MarketReplay(capture.adapter, capture.market, others, context));
      }
      for (const market of markets.values()) {
        for (const instrument of market.instruments) context.emit({ type: 'instrument', instrument });
      }
      running = run()
        .then(
          () => {
            if (!abort.signal.aborted) options.onEnd?.(null);
          },
          (error: unknown) => options.onEnd?.(toDepthwireError(error)),
        )
        .then(() => (options.afterEnd === 'stale' ? idle(context) : undefined));
      return Promise.resolve();
    },
    resync(instrument, reason) {
      for (const market of markets.values()) market.resync(instrument, reason);
    },
    async stop() {
      abort.abort();
      for (const market of markets.values()) market.dispose();
      await running;
    },
    stats() {
      return [...markets.values()].flatMap((market) => market.stats()).reduce(sumStats, emptyStats());
    },
    sessions: () => [...markets.values()],
  };
}

/** Looks at the files one after the other. */
export async function inspectCaptures(
  files: readonly string[],
  selection: CaptureSelection,
  onProgress?: (progress: ReadProgress) => void,
): Promise<CaptureInfo[]> {
  const captures: CaptureInfo[] = [];
  for (const file of files) captures.push(await inspectCapture(file, selection, onProgress));
  return captures;
}

function marketKey(capture: CaptureInfo): string {
  return `${capture.adapter.venue}/${capture.market}`;
}

/** One list for captures of one market; where they differ in scale, the finer one serves both. */
function merged(captures: readonly CaptureInfo[]): Instrument[] {
  const bySymbol = new Map<string, Instrument>();
  for (const instrument of captures.flatMap((capture) => capture.instruments)) {
    const other = bySymbol.get(instrument.symbol);
    const tick = other && other.tick.decimals > instrument.tick.decimals ? other.tick : instrument.tick;
    const lot = other && other.lot.decimals > instrument.lot.decimals ? other.lot : instrument.lot;
    // What was recorded traded, whatever the metadata of another moment says.
    bySymbol.set(instrument.symbol, { ...instrument, tick, lot, origin: 'replayed', status: 'trading' });
  }
  return [...bySymbol.values()];
}

/** A recorded answer, and the sessions that have had it. */
interface Unclaimed {
  readonly record: CaptureRecord;
  readonly takenBy: Set<string>;
}

interface Line {
  readonly session: VenueSession;
  readonly source: RelaySource;
}

/** The recorded sockets and HTTP answers of one market, each socket with a session of its own. */
class MarketReplay {
  readonly adapter: VenueAdapter;
  readonly market: string;
  readonly instruments: readonly Instrument[];
  readonly #context: FeedContext;
  readonly #relay: BookRelay;
  readonly #lines = new Map<string, Line>();
  /** Requests that wait for their recorded answer, by symbol. */
  readonly #pending = new Map<string, { readonly socket: string; readonly callback: HttpCallback }[]>();
  /** The newest recorded answer of each symbol, for those who have not had it. */
  readonly #unclaimed = new Map<string, Unclaimed>();
  /** All sockets of the market, those of other files among them. */
  readonly #sockets: readonly RecordedSocket[];

  constructor(adapter: VenueAdapter, market: string, captures: readonly CaptureInfo[], context: FeedContext) {
    this.adapter = adapter;
    this.market = market;
    this.instruments = merged(captures);
    this.#sockets = captures.flatMap(({ sockets }) => [...sockets.values()]);
    this.#context = context;
    this.#relay = new BookRelay(context.clock, context.emit, 'late');
  }

  stats(): SessionStats[] {
    return [...this.#lines.values()].map(({ session }) => session.stats);
  }

  /** @param recorded the record's socket; undefined for HTTP answers and sockets of other markets */
  play(record: CaptureRecord, source: number, recorded: RecordedSocket | undefined): void {
    if (record.kind === 'rest') {
      this.#onRest(record);
      return;
    }
    if (!recorded) return;
    const socket = `${source}/${record.conn}`;
    const known = this.#lines.get(socket);
    const line = known ?? this.#openLine(socket, recorded);
    if (record.kind === 'in') line.session.onFrame(record.data, record.t as EpochMs);
    else if (record.kind === 'open' && known) {
      line.session.onClose('connection lost in the recording'); // the same socket opened again
      line.session.onOpen(true);
    }
    if (record.line === recorded.last.line) this.#onLast(line, recorded);
  }

  /**
   * No closing is recorded. A socket is over where it brings nothing more and another one goes on with
   * its books: they are not live any more, unless the other one has them.
   */
  #onLast({ source }: Line, { symbols, last }: RecordedSocket): void {
    const reason = 'its socket ended in the recording';
    for (const { id, symbol } of this.instruments) {
      if (!symbols.includes(symbol)) continue;
      const isAfter = (place: Place | null | undefined) => place != null && isLater(place, last);
      const goesOn = this.#sockets.some(
        ({ first, lastBooks, lastStranger, symbols: its }) =>
          isAfter(lastBooks.get(symbol)) || isAfter(lastStranger) || (isAfter(first) && its.includes(symbol)),
      );
      if (goesOn) source.endBook(id, reason);
    }
  }

  resync(instrument: InstrumentId, reason: string): void {
    for (const { session } of this.#lines.values()) session.resync(instrument, reason);
  }

  ended(): void {
    for (const { session } of this.#lines.values()) session.ended?.();
  }

  dispose(): void {
    for (const { session } of this.#lines.values()) session.dispose();
  }

  #openLine(socket: string, { symbols }: RecordedSocket): Line {
    const { clock, log } = this.#context;
    const source = this.#relay.open(this.instruments);
    const session = this.adapter.createSession({
      market: this.market,
      endpoints: this.adapter.markets[this.market]!,
      instruments: this.instruments.filter(({ symbol }) => symbols.includes(symbol)),
      io: {
        clock,
        log,
        emit: source.emit,
        get: (url, callback) => this.#get(socket, url, callback),
        // The recorder has subscribed, and its connections did what they did.
        send: () => undefined,
        replaceConnection: () => undefined,
        reconnect: () => undefined,
      },
    });
    const line: Line = { session, source };
    this.#lines.set(socket, line);
    session.onOpen(true);
    return line;
  }

  #get(socket: string, url: string, callback: HttpCallback): void {
    const symbol = this.adapter.capture.snapshotSymbol(url, this.market);
    if (symbol === null) {
      callback(new DepthwireError('venue_http', `a recording cannot answer ${url}`, { url }));
      return;
    }
    const unclaimed = this.#unclaimed.get(symbol);
    if (unclaimed && !unclaimed.takenBy.has(socket)) {
      unclaimed.takenBy.add(socket);
      const { clock } = this.#context;
      clock.at(clock.now(), () => callback(answer(unclaimed.record)));
      return;
    }
    const waiting = this.#pending.get(symbol);
    if (waiting) waiting.push({ socket, callback });
    else this.#pending.set(symbol, [{ socket, callback }]);
  }

  #onRest(record: CaptureRecord): void {
    const symbol = this.adapter.capture.snapshotSymbol(record.url, this.market);
    if (symbol === null) return;
    const waiting = this.#pending.get(symbol) ?? [];
    this.#pending.delete(symbol);
    // Others may ask for it yet: those who had waited may be sockets that are over.
    this.#unclaimed.set(symbol, { record, takenBy: new Set(waiting.map(({ socket }) => socket)) });
    for (const { callback } of waiting) callback(answer(record));
  }
}

function answer(record: CaptureRecord) {
  return { status: 200, body: record.data, retryAfterMs: null, receiveTimeMs: record.t as EpochMs };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** The records of all captures in the order of their times. */
async function* merge(
  captures: readonly CaptureInfo[],
  onProgress?: (progress: ReadProgress) => void,
): AsyncGenerator<{ record: CaptureRecord; source: number }> {
  const progress = captures.map(() => ({ bytesRead: 0, bytesTotal: 0 }));
  const readers = captures.map((capture, source) =>
    readUntilCut(
      capture.file,
      () => undefined, // the inspection has told of it
      (part) => {
        progress[source] = part;
        onProgress?.(
          progress.reduce((sum, { bytesRead, bytesTotal }) => ({
            bytesRead: sum.bytesRead + bytesRead,
            bytesTotal: sum.bytesTotal + bytesTotal,
          })),
        );
      },
    ),
  );
  try {
    yield* mergeBatches(readers);
  } finally {
    for (const reader of readers) await reader.return(undefined); // closes its file
  }
}

async function* mergeBatches(
  readers: readonly AsyncGenerator<CaptureRecord[]>[],
): AsyncGenerator<{ record: CaptureRecord; source: number }> {
  const batches: (CaptureRecord[] | null)[] = [];
  const positions = readers.map(() => 0);
  for (const reader of readers)
    batches.push(((await reader.next()).value as CaptureRecord[] | undefined) ?? null);
  for (;;) {
    let source = -1;
    let earliest = Infinity;
    for (let i = 0; i < batches.length; i++) {
      const t = batches[i]?.[positions[i]!]?.t;
      if (t !== undefined && t < earliest) {
        earliest = t;
        source = i;
      }
    }
    if (source < 0) return;
    const batch = batches[source]!;
    yield { record: batch[positions[source]!]!, source };
    positions[source]! += 1;
    if (positions[source] === batch.length) {
      positions[source] = 0;
      batches[source] = ((await readers[source]!.next()).value as CaptureRecord[] | undefined) ?? null;
    }
  }
}
