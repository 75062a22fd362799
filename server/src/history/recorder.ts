import {
  every,
  toDepthwireError,
  type BookState,
  type Clock,
  type InstrumentId,
  type Timer,
  type Trade,
} from '@depthwire/shared';
import type { FeedLog } from '@depthwire/feeds';
import type { Bus, MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { seriesOf } from './series-key.ts';
import type { HistoryBatch, HistoryStore, SeriesKey, Span, StoredColumn } from './stores/store.ts';

/** What comes is written this often: a process that is killed loses no more. */
const WRITE_PERIOD_MS = 1_000;
/** How often it is noted that a market without trades was heard. */
const HEARD_PERIOD_MS = 10_000;
/** Trades that wait while the database is away; then the oldest instrument's make room and leave a hole. About 200 bytes each. */
const MAX_WAITING_TRADES = 500_000;
/** Columns that wait, of all instruments. About 500 bytes each. */
const MAX_WAITING_COLUMNS = 50_000;
/** Batches that wait to be written before all others, one for each time that a market could not be heard any more. */
const MAX_PARTING = 5_000;
/** Batches of one transaction, of those. */
const MAX_PARTING_A_WRITE = 500;
/** What an earlier writer may not have written of what it was heard: at most so long, as it writes each second. */
const OVERLAP_MS = 5_000;
/** So long after its latest update or trade a market counts as heard without another: then its connection may be dead. */
const CONTACT_MS = 10_000;
/** Trades of one transaction. */
const MAX_TRADES_A_WRITE = 50_000;
/** Trades whose time is further from now are not stored: a feed that dates them at random would have tables made for each day. */
const MAX_TRADE_OFF_MS = 2 * 86_400_000;
/** Longest pause between two tries while the database is away. */
const MAX_PAUSE_MS = 10_000;
/** A failure is told at once, and then this often while it goes on. */
const TELL_PERIOD_MS = 60_000;

export interface RecorderOptions {
  /** The market's, which is the machine's: what is replayed is not recorded. */
  readonly clock: Clock;
  /** Which nobody sets: for pauses. */
  readonly steadyClock: Clock;
  readonly bus: Bus;
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  readonly store: HistoryStore;
  /** Rejects while the store cannot be opened. */
  readonly opened: () => Promise<void>;
  readonly onFailure?: () => void;
  readonly log: FeedLog;
  /** What was missed of a market, and can be asked for: it is heard again, or what waited found no room. */
  readonly onHole?: (instrument: InstrumentId, hole: Span) => void;
}

export interface RecorderFigures {
  readonly waitingTrades: number;
  readonly writtenTrades: number;
  readonly duplicateTrades: number;
  /** Trades and columns that no room was left for. */
  readonly dropped: number;
  readonly failures: number;
  /** Since when nothing could be written, unix milliseconds; null while it can. */
  readonly awaySinceMs: number | null;
  readonly awayReason: string | null;
}

/** One stretch of writing an instrument, from `begin` to `end`: another one is another object. */
export interface Writing {
  readonly series: SeriesKey;
  /** Until `release`. */
  readonly isHeld: boolean;
  /** Since when what it was heard is not written; null while it cannot be heard. */
  readonly heardFromMs: number | null;
}

/** What waits of one instrument. */
interface Waiting extends Writing {
  isHeld: boolean;
  trades: Trade[];
  columns: StoredColumn[];
  heardFromMs: number | null;
  /** When the latest trade came. */
  tradeAtMs: number;
  /** When that was noted last, by the steady clock. */
  notedMs: number;
  /** Since when trades of impossible times came, by the steady clock; null while they do not. */
  droppedFromMs: number | null;
  /** Since when it cannot be heard, here or by whoever wrote it before; null while it can. */
  lostAtMs: number | null;
}

/**
 * Writes what the engine publishes, a batch a second, in order. The market never waits for it: while the database is away
 * trades wait here, as many as there is room for, and nothing else happens.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #waiting = new Map<InstrumentId, Waiting>();
  /** Since when each market is heard without a break, written or not. */
  readonly #heardSince = new Map<InstrumentId, number>();
  /** What is to be written before all that waits: of series that go on elsewhere, and what was heard before a break. */
  #parting: HistoryBatch[] = [];
  /** Taken out of `#waiting` and not known to be written yet. */
  #inFlight: HistoryBatch[] = [];
  #waitingTrades = 0;
  #waitingColumns = 0;
  readonly #timer: Timer;
  readonly #leaveBus: () => void;
  /** One thing after the other touches the store's newest rows. */
  #queue: Promise<unknown> = Promise.resolve();
  #isWriteDue = false;
  #nextTryMs = -Infinity;
  #pauseMs = WRITE_PERIOD_MS;
  #toldAtMs = -Infinity;
  #awaySinceMs: number | null = null;
  #awayReason: string | null = null;
  #writtenTrades = 0;
  #duplicateTrades = 0;
  #dropped = 0;
  #failures = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#leaveBus = options.bus.subscribe((event) => this.#onEvent(event));
    this.#timer = every(options.clock, WRITE_PERIOD_MS, () => this.#writeSoon());
  }

  get figures(): RecorderFigures {
    return {
      waitingTrades: this.#waitingTrades,
      writtenTrades: this.#writtenTrades,
      duplicateTrades: this.#duplicateTrades,
      dropped: this.#dropped,
      failures: this.#failures,
      awaySinceMs: this.#awaySinceMs,
      awayReason: this.#awayReason,
    };
  }

  /**
   * From now on this instrument is this process's to write, with what is on its tape: all waits until `release`, so that what
   * was before it can be asked of the store, and added, while nothing of it is there.
   * @returns null where there is nothing to be written
   */
  begin(instrument: InstrumentId): Writing | null {
    const begun = this.#waiting.get(instrument);
    if (begun) return begun;
    const market = this.#options.markets.get(instrument);
    if (!market || market.instrument.origin === 'replayed') return null;
    const now = this.#options.clock.now();
    const trades = market.tape.filter(({ timeMs }) => Math.abs(timeMs - now) <= MAX_TRADE_OFF_MS);
    const heardSinceMs = this.#heardSince.get(instrument) ?? null;
    // Of what was before the tape nobody here can tell whether it was written.
    const [oldest] = market.tape;
    const tapeFromMs = oldest && market.tradeCount > market.tape.length ? oldest.timeMs : -Infinity;
    const waiting: Waiting = {
      series: seriesOf(market.instrument),
      isHeld: true,
      trades,
      columns: [],
      heardFromMs: heardSinceMs === null ? null : Math.max(heardSinceMs, tapeFromMs),
      tradeAtMs: -Infinity,
      notedMs: -Infinity,
      droppedFromMs: null,
      lostAtMs: heardSinceMs === null ? now : null,
    };
    this.#waiting.set(instrument, waiting);
    this.#waitingTrades += trades.length;
    return waiting;
  }

  /** Null while it is not written here. */
  writingOf(instrument: InstrumentId): Writing | null {
    return this.#waiting.get(instrument) ?? null;
  }

  /** What waits is written, and what comes. */
  release(writing: Writing): void {
    (writing as Waiting).isHeld = false;
  }

  /**
   * Somebody else has written until then: what waits of before is left out, for where two ingests see different trades, as
   * of a simulator, those of both would be stored.
   */
  leaveOut(writing: Writing, writtenMs: number): void {
    const waiting = writing as Waiting;
    // Simulated trades have ids of their own in each process.
    const isSimulated =
      this.#options.markets.get(writing.series.instrument)?.instrument.origin === 'simulated';
    const fromMs = writtenMs - (isSimulated ? 0 : OVERLAP_MS);
    this.#thin(waiting, ({ timeMs }) => timeMs >= fromMs);
    // Nor is it known here what the other one missed.
    if (waiting.heardFromMs !== null) waiting.heardFromMs = Math.max(waiting.heardFromMs, fromMs);
    this.#parting = this.#parting.map((batch) => {
      if (batch.series !== waiting.series || batch.heard === null) return batch;
      const heard = { fromMs: Math.max(batch.heard.fromMs, fromMs), toMs: batch.heard.toMs };
      return { ...batch, heard: heard.fromMs < heard.toMs ? heard : null };
    });
  }

  /** It is somebody else's to write now, or goes on as another series: what came until now is written still. */
  end(instrument: InstrumentId): void {
    const waiting = this.#waiting.get(instrument);
    if (!waiting) return;
    this.#waiting.delete(instrument);
    this.#part(waiting, this.#contactMs(waiting, this.#options.clock.now(), CONTACT_MS));
  }

  /** It is somebody else's to write, with all that was not written here. */
  drop(instrument: InstrumentId): void {
    const waiting = this.#waiting.get(instrument);
    if (!waiting) return;
    this.#thin(waiting, () => false);
    this.#waiting.delete(instrument);
    this.#waitingColumns -= waiting.columns.length;
    this.#parting = this.#parting.filter(({ series, columns }) => {
      if (series !== waiting.series) return true;
      this.#waitingColumns -= columns.length;
      return false;
    });
  }

  get isWritingAny(): boolean {
    return this.#waiting.size > 0;
  }

  isWriting(instrument: InstrumentId): boolean {
    return this.#waiting.has(instrument);
  }

  onColumn(instrument: InstrumentId, column: StoredColumn): void {
    const waiting = this.#waiting.get(instrument);
    if (!waiting) return;
    if (this.#waitingColumns >= MAX_WAITING_COLUMNS) {
      this.#dropped += 1;
      return;
    }
    waiting.columns.push(column);
    this.#waitingColumns += 1;
  }

  /**
   * Runs a task between two writes, after all that came until now was written but what is held.
   * @param task gets nothing new written under it until it has ended
   * @throws DepthwireError `history_unavailable`
   */
  between<T>(task: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#write();
      return await task();
    });
  }

  /** Trades of an instrument that the store does not have yet, oldest first. */
  unwritten(instrument: InstrumentId): readonly Trade[] {
    const series = this.#waiting.get(instrument)?.series;
    const taken = [...this.#inFlight, ...this.#parting].flatMap((batch) =>
      batch.series === series ? batch.trades : [],
    );
    return [...taken, ...(this.#waiting.get(instrument)?.trades ?? [])];
  }

  /** Writes what waits, as far as it can be, and nothing any more. */
  async close(): Promise<void> {
    this.#timer.cancel();
    this.#leaveBus();
    for (const waiting of this.#waiting.values()) {
      waiting.notedMs = -Infinity; // until now it was heard
      waiting.isHeld = false;
    }
    await this.#inTurn(() => this.#write()).catch(() => undefined);
  }

  #onEvent(event: MarketEvent): void {
    switch (event.type) {
      case 'trade': {
        const waiting = this.#waiting.get(event.instrument);
        if (!waiting) return;
        if (!this.#isPossible(waiting, event.trade)) return;
        if (this.#waitingTrades >= MAX_WAITING_TRADES) this.#makeRoom();
        waiting.trades.push(event.trade);
        waiting.tradeAtMs = this.#options.clock.now();
        this.#waitingTrades += 1;
        return;
      }
      case 'book-state':
        this.#onState(event.instrument, event.state);
        return;
      case 'instrument':
        if (!event.isRescaled) return;
        this.#heardSince.delete(event.instrument); // what was heard was another series
        if (!this.#waiting.has(event.instrument)) return;
        this.end(event.instrument);
        this.begin(event.instrument); // who loads the new market's past releases it
        return;
      default:
    }
  }

  /** Whether a trade is of about now, by a clock that may have been set; what was left out until it was is a hole. */
  #isPossible(waiting: Waiting, { timeMs }: Trade): boolean {
    const { clock, steadyClock, log, onHole } = this.#options;
    const now = clock.now();
    const { instrument } = waiting.series;
    if (Math.abs(timeMs - now) > MAX_TRADE_OFF_MS) {
      if (waiting.droppedFromMs === null)
        log.warn(
          { instrument, time: timeMs, now: Math.floor(now) },
          'trades whose time is days off are not stored: is the clock of this machine right?',
        );
      waiting.droppedFromMs ??= steadyClock.now();
      this.#dropped += 1;
      return false;
    }
    if (waiting.droppedFromMs === null) return true;
    const hole = spanOf(now - (steadyClock.now() - waiting.droppedFromMs) - OVERLAP_MS, now);
    waiting.droppedFromMs = null;
    if (waiting.heardFromMs !== null) waiting.heardFromMs = hole.toMs;
    onHole?.(instrument, hole);
    return true;
  }

  /**
   * A market is heard while its feed is in contact: one that was live and is quiet is heard all the same. Where it becomes
   * stale otherwise, its feed does not bring it any more, or its market is closed.
   */
  #onState(instrument: InstrumentId, state: BookState): void {
    const now = this.#options.clock.now();
    const wasHeard = this.#heardSince.has(instrument);
    const isHeard = state === 'live' || (state === 'stale' && wasHeard);
    if (isHeard === wasHeard) return;
    const waiting = this.#waiting.get(instrument);
    if (isHeard) {
      this.#heardSince.set(instrument, now);
      if (!waiting) return;
      const { lostAtMs } = waiting;
      waiting.heardFromMs = now;
      waiting.lostAtMs = null;
      if (lostAtMs !== null) this.#options.onHole?.(instrument, { fromMs: lostAtMs, toMs: now });
    } else {
      this.#heardSince.delete(instrument);
      if (!waiting) return;
      // A connection is found dead long after it was.
      const untilMs = this.#contactMs(waiting, now, 0);
      this.#part(waiting, untilMs);
      waiting.heardFromMs = null;
      waiting.lostAtMs = untilMs;
    }
  }

  /** Until when a market is known to have been heard. */
  #contactMs({ series, tradeAtMs }: Waiting, now: number, graceMs: number): number {
    const bookAtMs = this.#options.markets.get(series.instrument)?.receiveTimeMs ?? now;
    return Math.min(now, Math.max(bookAtMs, tradeAtMs) + graceMs);
  }

  /** Of what waits of an instrument some trades are kept. */
  #thin(waiting: Waiting, isKept: (trade: Trade) => boolean): void {
    const thin = (trades: readonly Trade[]) => {
      const kept = trades.filter(isKept);
      this.#waitingTrades -= trades.length - kept.length;
      return kept;
    };
    waiting.trades = thin(waiting.trades);
    this.#parting = this.#parting.map((batch) =>
      batch.series === waiting.series ? { ...batch, trades: thin(batch.trades) } : batch,
    );
  }

  /** What came until now goes before all that comes. */
  #part(waiting: Waiting, now: number): void {
    const { series, trades, columns, heardFromMs } = waiting;
    const heard = heardFromMs === null ? null : spanOf(heardFromMs, now);
    if (heard === null && trades.length === 0 && columns.length === 0) return;
    let from = 0;
    for (; trades.length - from > MAX_TRADES_A_WRITE; from += MAX_TRADES_A_WRITE) {
      const some = trades.slice(from, from + MAX_TRADES_A_WRITE);
      this.#parting.push({ series, trades: some, heard: null, columns: [] });
    }
    this.#parting.push({ series, trades: trades.slice(from), heard, columns });
    if (this.#parting.length > MAX_PARTING) this.#dropParting();
    waiting.trades = [];
    waiting.columns = [];
  }

  #writeSoon(): void {
    if (this.#isWriteDue || this.#options.steadyClock.now() < this.#nextTryMs) return;
    this.#isWriteDue = true;
    this.#inTurn(() => {
      this.#isWriteDue = false;
      return this.#write();
    }).catch(() => undefined); // it has been told, and is tried again
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** @throws DepthwireError `history_unavailable`; what was to be written waits on */
  async #write(): Promise<void> {
    const { store, opened } = this.#options;
    let isMore: boolean;
    do {
      try {
        await opened();
        if (this.#inFlight.length > 0) isMore = true;
        else [this.#inFlight, isMore] = this.#take();
        if (this.#inFlight.length > 0) {
          const { trades, duplicates } = await store.write(this.#inFlight);
          this.#writtenTrades += trades;
          this.#duplicateTrades += duplicates;
        }
      } catch (error) {
        this.#onFailure(error);
        throw error;
      }
      for (const { trades, columns } of this.#inFlight) {
        this.#waitingTrades -= trades.length;
        this.#waitingColumns -= columns.length;
      }
      this.#inFlight = [];
      this.#onSuccess();
    } while (isMore);
  }

  /** What waits, as far as it goes into one transaction, and whether there is more of it. */
  #take(): [HistoryBatch[], boolean] {
    const now = this.#options.clock.now();
    const steadyNow = this.#options.steadyClock.now();
    const batches: HistoryBatch[] = [];
    let room = MAX_TRADES_A_WRITE;
    const held = new Set<SeriesKey>();
    for (const { series, isHeld } of this.#waiting.values()) if (isHeld) held.add(series);
    const parting = this.#parting.filter(({ series }) => !held.has(series));
    for (const batch of parting) {
      if (batch.trades.length > room || batches.length >= MAX_PARTING_A_WRITE) break;
      batches.push(batch);
      room -= batch.trades.length;
    }
    const taken = new Set(batches);
    this.#parting = this.#parting.filter((batch) => !taken.has(batch));
    if (batches.length < parting.length) return [batches, true]; // what waits of the same series comes after it
    for (const waiting of this.#waiting.values()) {
      if (room <= 0) return [batches, true];
      if (waiting.isHeld) continue;
      const isDue = waiting.heardFromMs !== null && steadyNow - waiting.notedMs >= HEARD_PERIOD_MS;
      if (waiting.trades.length === 0 && waiting.columns.length === 0 && !isDue) continue;
      // The clock was set back: what was heard is as long as it is since.
      if (waiting.heardFromMs !== null) waiting.heardFromMs = Math.min(waiting.heardFromMs, now);
      const { series, columns, heardFromMs } = waiting;
      const trades = waiting.trades.splice(0, room);
      waiting.columns = [];
      room -= trades.length;
      // Only what is written is known to have been heard.
      const isAll = waiting.trades.length === 0;
      const untilMs = this.#contactMs(waiting, now, CONTACT_MS);
      const heard = heardFromMs === null || !isAll ? null : spanOf(heardFromMs, untilMs);
      if (heard !== null) {
        waiting.notedMs = steadyNow;
        waiting.heardFromMs = heard.toMs;
      }
      batches.push({ series, trades, heard, columns });
    }
    return [batches, room <= 0];
  }

  #onSuccess(): void {
    if (this.#awaySinceMs !== null) {
      const { clock, log } = this.#options;
      const seconds = Math.round((clock.now() - this.#awaySinceMs) / 1000);
      log.info({ seconds, trades: this.#waitingTrades }, 'stored history is there again');
    }
    this.#awaySinceMs = this.#awayReason = null;
    this.#pauseMs = WRITE_PERIOD_MS;
    this.#nextTryMs = -Infinity;
  }

  #onFailure(error: unknown): void {
    const { clock, steadyClock, log, onFailure } = this.#options;
    onFailure?.();
    const { code, message } = toDepthwireError(error);
    const now = steadyClock.now();
    this.#failures += 1;
    this.#awaySinceMs ??= clock.now();
    this.#awayReason = message;
    this.#nextTryMs = now + this.#pauseMs;
    this.#pauseMs = Math.min(MAX_PAUSE_MS, 2 * this.#pauseMs);
    if (now - this.#toldAtMs < TELL_PERIOD_MS) return;
    this.#toldAtMs = now;
    log.error(
      { code, reason: message, waitingTrades: this.#waitingTrades },
      'history cannot be written; live data goes on, and trades wait for the database as far as there is room',
    );
  }

  /** The instrument with the most trades gives them up, and what it was heard. */
  #makeRoom(): void {
    let most: InstrumentId | null = null;
    let count = 0;
    for (const [instrument, { trades }] of this.#waiting) {
      if (trades.length <= count) continue;
      count = trades.length;
      most = instrument;
    }
    this.#dropParting();
    if (most === null) return;
    const waiting = this.#waiting.get(most)!;
    this.#dropped += count;
    this.#waitingTrades -= count;
    waiting.trades = [];
    if (waiting.heardFromMs === null) return;
    const hole = spanOf(waiting.heardFromMs, this.#options.clock.now());
    waiting.heardFromMs = hole.toMs;
    this.#options.onHole?.(most, hole);
  }

  #dropParting(): void {
    const parting = this.#parting;
    this.#parting = [];
    for (const { series, trades, columns, heard } of parting) {
      this.#dropped += trades.length + columns.length;
      this.#waitingTrades -= trades.length;
      this.#waitingColumns -= columns.length;
      if (heard !== null) this.#options.onHole?.(series.instrument, heard);
    }
  }
}

/** A clock may have been set back meanwhile. */
function spanOf(fromMs: number, toMs: number): Span {
  return { fromMs: Math.floor(fromMs), toMs: Math.floor(Math.max(fromMs, toMs)) };
}
