import {
  candleIntervals,
  toDepthwireError,
  type Clock,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import type { Feed, FeedLog } from '@depthwire/feeds';
import { storedIntervals, type HistoryStore, type SeriesKey, type StoredInterval } from './stores/store.ts';

/** Candles of each stored interval that a feed is asked for at most, back from now, where they are not stored. */
export const FILL_CANDLES = { '1s': 600, '1m': 1_440, '1h': 500, '1d': 500 } as const;
/** Of a hole, which is the newest of it where it is longer: the rest stays one. */
const HOLE_CANDLES = { '1s': 3_600, '1m': 20_160, '1h': 2_000, '1d': 500 } as const;
/** After a hole: its venue may still be writing, and other instruments of the feed come back too. */
const DELAY_MS = 3_000;
/** Trades are asked for where no more than so long was missed: for more, candles have to do. */
const MAX_TRADES_SPAN_MS = 6 * 3_600_000;
/** Of trades that are asked for again, for clocks are not the same everywhere. */
const OVERLAP_MS = 5_000;
/** How long a venue may write a candle after it has closed. */
const SETTLE_MS = 10_000;
/** Between tries where a feed fails. */
const RETRY_MS = 30_000;
const MAX_TRIES = 5;
/** Progress is told this often while there is any. */
const TELL_PERIOD_MS = 10_000;

export interface BackFillOptions {
  /** The market's. */
  readonly clock: Clock;
  /** Which nobody sets: for pauses. */
  readonly steadyClock: Clock;
  readonly log: FeedLog;
  readonly store: HistoryStore;
  /** Runs a task between two writes of what is live. */
  readonly between: <T>(task: () => Promise<T>) => Promise<T>;
  /** Its stored candles have changed. */
  readonly onFilled: (instrument: InstrumentId) => Promise<void>;
}

interface Task {
  readonly feed: Feed;
  readonly series: SeriesKey;
  /** Null where nothing was ever stored. */
  fromMs: number | null;
  /** By the steady clock. */
  dueMs: number;
  tries: number;
}

/**
 * A candle that was open when its market came back: it is taken whole once it has closed, for even of trades that were filled
 * in nobody knows here which was the first and the last of it.
 */
interface Repair {
  readonly feed: Feed;
  readonly series: SeriesKey;
  readonly interval: StoredInterval;
  readonly timeS: number;
  /** By the steady clock. */
  readonly dueMs: number;
}

/**
 * Asks feeds for what is not stored, one instrument of a feed after the other: trades where they have them, so that those
 * of the stream and these are one row each, and candles, which are right even where trades are not kept so long. The
 * feeds pace their requests.
 */
export class BackFill {
  readonly #options: BackFillOptions;
  /** By feed, and there by instrument: holes that follow each other are one task. */
  readonly #tasks = new Map<Feed, Map<InstrumentId, Task>>();
  readonly #busy = new Set<Feed>();
  #repairs: Repair[] = [];
  readonly #timers = new Set<Timer>();
  #filled = 0;
  #toldAtMs = -Infinity;
  #isClosed = false;

  constructor(options: BackFillOptions) {
    this.#options = options;
  }

  get figures(): { readonly filling: number; readonly filled: number } {
    let filling = this.#busy.size;
    for (const tasks of this.#tasks.values()) filling += tasks.size;
    return { filling, filled: this.#filled };
  }

  /** @param fromMs since when something may be missing; null where nothing was ever stored */
  add(feed: Feed, series: SeriesKey, fromMs: number | null): void {
    // What a feed tells whose past ends where it started cannot fill anything.
    if (this.#isClosed || (feed.candlesEnd !== 'now' && !feed.trades)) return;
    let tasks = this.#tasks.get(feed);
    if (!tasks) this.#tasks.set(feed, (tasks = new Map<InstrumentId, Task>()));
    const dueMs = this.#options.steadyClock.now() + DELAY_MS;
    const known = tasks.get(series.instrument);
    if (known) {
      if (known.fromMs !== null && fromMs !== null) known.fromMs = Math.min(known.fromMs, fromMs);
      else known.fromMs = null;
      return;
    }
    tasks.set(series.instrument, { feed, series, fromMs, dueMs, tries: 0 });
    this.#wakeAt(dueMs, feed);
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#tasks.clear();
    this.#repairs = [];
  }

  #wakeAt(timeMs: number, feed: Feed): void {
    if (this.#isClosed) return;
    const timer = this.#options.steadyClock.at(timeMs, () => {
      this.#timers.delete(timer);
      void this.#work(feed);
    });
    this.#timers.add(timer);
  }

  async #work(feed: Feed): Promise<void> {
    if (this.#busy.has(feed)) return;
    this.#busy.add(feed);
    try {
      for (;;) {
        if (this.#isClosed) return;
        const now = this.#options.steadyClock.now();
        const repair = this.#repairs.find((one) => one.feed === feed && one.dueMs <= now);
        if (repair) {
          this.#repairs = this.#repairs.filter((one) => one !== repair);
          await this.#repair(repair);
          continue;
        }
        const tasks = this.#tasks.get(feed);
        const task = [...(tasks?.values() ?? [])].find(({ dueMs }) => dueMs <= now);
        if (!task) return;
        tasks!.delete(task.series.instrument);
        await this.#try(task);
        this.#tell(feed);
      }
    } finally {
      this.#busy.delete(feed);
    }
  }

  async #try(task: Task): Promise<void> {
    try {
      await this.#fill(task);
      this.#filled += 1;
    } catch (error) {
      const { code, message } = toDepthwireError(error);
      const { feed, series } = task;
      if (code !== 'history_unavailable') task.tries += 1; // the store comes back
      const isLast = task.tries >= MAX_TRIES;
      this.#options.log.warn(
        { feed: feed.id, instrument: series.instrument, code, reason: message },
        isLast
          ? 'the past stays incomplete: its feed was asked often enough'
          : 'the past is asked for again later',
      );
      if (isLast || this.#isClosed) return;
      task.dueMs = this.#options.steadyClock.now() + RETRY_MS * Math.max(1, task.tries);
      const tasks = this.#tasks.get(feed);
      const newer = tasks?.get(series.instrument);
      if (newer)
        task.fromMs =
          task.fromMs === null || newer.fromMs === null ? null : Math.min(task.fromMs, newer.fromMs);
      tasks?.set(series.instrument, task);
      this.#wakeAt(task.dueMs, feed);
    }
  }

  async #fill({ feed, series, fromMs }: Task): Promise<void> {
    const { clock, steadyClock, store, between, onFilled } = this.#options;
    const toMs = Math.ceil(clock.now());
    const most = fromMs === null ? FILL_CANDLES : HOLE_CANDLES;
    const hasTrades = fromMs !== null && (await this.#fillTrades(feed, series, fromMs, toMs));
    for (const interval of storedIntervals) {
      const seconds = candleIntervals[interval];
      const openS = Math.floor(toMs / 1000 / seconds) * seconds;
      const leastS = openS - most[interval] * seconds;
      const fromS =
        fromMs === null ? leastS : Math.max(leastS, Math.floor(fromMs / 1000 / seconds) * seconds);
      const candles =
        fromS < openS
          ? ((await feed.candles?.({ instrument: series.instrument, interval, fromS, toS: openS })) ?? [])
          : [];
      const span = { fromMs: fromS * 1000, toMs: openS * 1000 };
      if (candles.length > 0) await between(() => store.putCandles(series, interval, candles, span));
      if (feed.candles && openS * 1000 < toMs && interval !== '1s')
        this.#repairLater({
          feed,
          series,
          interval,
          timeS: openS,
          dueMs: steadyClock.now() + (openS + seconds) * 1000 - toMs + SETTLE_MS,
        });
    }
    if (hasTrades || feed.candlesEnd === 'now') {
      const filledMs = Math.max(fromMs ?? -Infinity, toMs - most['1m'] * 60_000);
      await between(() => store.fillHole(series, { fromMs: filledMs, toMs }));
    }
    await onFilled(series.instrument);
  }

  /** @returns whether none is missing any more */
  async #fillTrades(feed: Feed, series: SeriesKey, fromMs: number, toMs: number): Promise<boolean> {
    if (!feed.trades || toMs - fromMs > MAX_TRADES_SPAN_MS) return false;
    const query = { instrument: series.instrument, fromMs: fromMs - OVERLAP_MS, toMs };
    const { trades, isWhole } = await feed.trades(query);
    if (trades.length > 0)
      await this.#options.between(() =>
        this.#options.store.write([{ series, trades, heard: null, columns: [] }]),
      );
    return isWhole;
  }

  #repairLater(repair: Repair): void {
    const isSame = (one: Repair) =>
      one.series.instrument === repair.series.instrument &&
      one.interval === repair.interval &&
      one.timeS === repair.timeS;
    if (this.#repairs.some(isSame)) return;
    this.#repairs.push(repair);
    this.#wakeAt(repair.dueMs, repair.feed);
  }

  async #repair({ feed, series, interval, timeS }: Repair): Promise<void> {
    const { store, between, onFilled, log } = this.#options;
    const { instrument } = series;
    try {
      const query = { instrument, interval, fromS: timeS, toS: timeS + candleIntervals[interval] };
      const candles = (await feed.candles?.(query)) ?? [];
      if (candles.length === 0) return;
      await between(() => store.putCandles(series, interval, candles));
      await onFilled(instrument);
    } catch (error) {
      const { code, message } = toDepthwireError(error);
      log.warn({ feed: feed.id, instrument, interval, code, reason: message }, 'a candle stays incomplete');
    }
  }

  #tell(feed: Feed): void {
    const { steadyClock, log } = this.#options;
    const left = this.#tasks.get(feed)?.size ?? 0;
    const now = steadyClock.now();
    if (left > 0 && now - this.#toldAtMs < TELL_PERIOD_MS) return;
    this.#toldAtMs = now;
    log.info({ feed: feed.id, filled: this.#filled, left }, 'the past is asked of a feed');
  }
}
