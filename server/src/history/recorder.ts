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
import type { HistoryBatch, HistoryStore, SeriesKey, Span, StoredColumn } from './store.ts';

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
  readonly bus: Bus;
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  readonly store: HistoryStore;
  /** Rejects while the store cannot be opened. */
  readonly opened: () => Promise<void>;
  readonly log: FeedLog;
  /** A market that can be heard again after a while in which it could not. */
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

/** What waits of one instrument. */
interface Waiting {
  readonly series: SeriesKey;
  trades: Trade[];
  columns: StoredColumn[];
  /** Since when what it was heard is not written; null while it cannot be heard. */
  heardFromMs: number | null;
  /** When that was noted last. */
  notedMs: number;
  /** Since when it cannot be heard; null while it can, and before it was for the first time. */
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

  /** Since when a market is heard without a break; null while it is not. */
  heardSinceMs(instrument: InstrumentId): number | null {
    return this.#heardSince.get(instrument) ?? null;
  }

  /**
   * From now on this instrument is written, and what is on its tape: those of it that somebody else has written are left out.
   * @param writtenMs until when somebody else has
   */
  begin(instrument: InstrumentId, writtenMs: number | null = null): void {
    const market = this.#options.markets.get(instrument);
    if (!market || market.instrument.origin === 'replayed' || this.#waiting.has(instrument)) return;
    const now = this.#options.clock.now();
    // Where two ingests see different trades, as of a simulator, those of both would be stored.
    const fromMs = writtenMs === null ? -Infinity : writtenMs - OVERLAP_MS;
    const trades = market.tape.filter(
      ({ timeMs }) => timeMs >= fromMs && Math.abs(timeMs - now) <= MAX_TRADE_OFF_MS,
    );
    const heardSinceMs = this.#heardSince.get(instrument) ?? null;
    // Of what was before the tape nobody here can tell whether it was written.
    const [oldest] = market.tape;
    const tapeFromMs = oldest && market.tradeCount > market.tape.length ? oldest.timeMs : -Infinity;
    this.#waiting.set(instrument, {
      series: seriesOf(market.instrument),
      trades,
      columns: [],
      heardFromMs: heardSinceMs === null ? null : Math.max(heardSinceMs, tapeFromMs),
      notedMs: -Infinity,
      lostAtMs: null,
    });
    this.#waitingTrades += trades.length;
  }

  /** It is somebody else's to write now, or goes on as another series: what came until now is written still. */
  end(instrument: InstrumentId): void {
    const waiting = this.#waiting.get(instrument);
    if (!waiting) return;
    this.#waiting.delete(instrument);
    this.#part(waiting, this.#options.clock.now());
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
   * Runs a task between two writes, after all that came until now was written.
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
    for (const waiting of this.#waiting.values()) waiting.notedMs = -Infinity; // until now it was heard
    await this.#inTurn(() => this.#write()).catch(() => undefined);
  }

  #onEvent(event: MarketEvent): void {
    switch (event.type) {
      case 'trade': {
        const waiting = this.#waiting.get(event.instrument);
        if (!waiting) return;
        if (Math.abs(event.trade.timeMs - this.#options.clock.now()) > MAX_TRADE_OFF_MS) {
          this.#dropped += 1;
          return;
        }
        if (this.#waitingTrades >= MAX_WAITING_TRADES) this.#makeRoom();
        waiting.trades.push(event.trade);
        this.#waitingTrades += 1;
        return;
      }
      case 'book-state':
        this.#onState(event.instrument, event.state);
        return;
      case 'instrument':
        if (!event.isRescaled || !this.#waiting.has(event.instrument)) return;
        this.end(event.instrument);
        this.begin(event.instrument);
        return;
      default:
    }
  }

  /** A market is heard while its feed is in contact: quiet ones may be stale all the same. */
  #onState(instrument: InstrumentId, state: BookState): void {
    const now = this.#options.clock.now();
    const isHeard = state === 'live' || state === 'stale';
    if (isHeard === this.#heardSince.has(instrument)) return;
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
      this.#part(waiting, now);
      waiting.heardFromMs = null;
      waiting.lostAtMs = now;
    }
  }

  /** What came until now goes before all that comes. */
  #part(waiting: Waiting, now: number): void {
    const { series, trades, columns, heardFromMs } = waiting;
    const heard = heardFromMs === null ? null : spanOf(heardFromMs, now);
    if (heard === null && trades.length === 0 && columns.length === 0) return;
    this.#parting.push({ series, trades, heard, columns });
    if (this.#parting.length > MAX_PARTING) this.#dropParting();
    waiting.trades = [];
    waiting.columns = [];
  }

  #writeSoon(): void {
    const waitMs = this.#nextTryMs - this.#options.clock.now();
    if (this.#isWriteDue || (waitMs > 0 && waitMs <= MAX_PAUSE_MS)) return; // more: the clock was set back
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
    const { store, clock, opened } = this.#options;
    do {
      if (this.#inFlight.length === 0) this.#inFlight = this.#take();
      try {
        await opened();
        if (this.#inFlight.length === 0) return;
        const { trades, duplicates } = await store.write(this.#inFlight);
        this.#writtenTrades += trades;
        this.#duplicateTrades += duplicates;
      } catch (error) {
        this.#onFailure(error);
        throw error;
      }
      for (const { trades, columns } of this.#inFlight) {
        this.#waitingTrades -= trades.length;
        this.#waitingColumns -= columns.length;
      }
      this.#inFlight = [];
      if (this.#awaySinceMs !== null) {
        this.#options.log.info(
          { seconds: Math.round((clock.now() - this.#awaySinceMs) / 1000), trades: this.#waitingTrades },
          'history is written again',
        );
      }
      this.#awaySinceMs = this.#awayReason = null;
      this.#pauseMs = WRITE_PERIOD_MS;
      this.#nextTryMs = -Infinity;
    } while (this.#waitingTrades > MAX_TRADES_A_WRITE || this.#parting.length > 0);
  }

  /** What waits, as far as it goes into one transaction. */
  #take(): HistoryBatch[] {
    const now = this.#options.clock.now();
    const batches: HistoryBatch[] = [];
    let room = MAX_TRADES_A_WRITE;
    let parting = 0;
    while (parting < Math.min(MAX_PARTING_A_WRITE, this.#parting.length) && room > 0)
      room -= this.#parting[parting++]!.trades.length;
    batches.push(...this.#parting.splice(0, parting));
    if (this.#parting.length > 0) return batches; // what waits of the same series comes after it
    for (const waiting of this.#waiting.values()) {
      if (room <= 0) break;
      const isDue = waiting.heardFromMs !== null && now - waiting.notedMs >= HEARD_PERIOD_MS;
      if (waiting.trades.length === 0 && waiting.columns.length === 0 && !isDue) continue;
      const { series, columns, heardFromMs } = waiting;
      const trades = waiting.trades.splice(0, room);
      waiting.columns = [];
      room -= trades.length;
      // Only what is written is known to have been heard.
      const isAll = waiting.trades.length === 0;
      const heard = heardFromMs === null || !isAll ? null : spanOf(heardFromMs, now);
      if (heard !== null) {
        waiting.notedMs = now;
        waiting.heardFromMs = heard.toMs;
      }
      batches.push({ series, trades, heard, columns });
    }
    return batches;
  }

  #onFailure(error: unknown): void {
    const { clock, log } = this.#options;
    const { code, message } = toDepthwireError(error);
    const now = clock.now();
    this.#failures += 1;
    this.#awaySinceMs ??= now;
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
    for (const { trades, columns } of this.#parting) {
      this.#dropped += trades.length + columns.length;
      this.#waitingTrades -= trades.length;
      this.#waitingColumns -= columns.length;
    }
    this.#parting = [];
  }
}

/** A clock may have been set back meanwhile. */
function spanOf(fromMs: number, toMs: number): Span {
  return { fromMs: Math.floor(fromMs), toMs: Math.floor(Math.max(fromMs, toMs)) };
}
