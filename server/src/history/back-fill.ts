import {
  candleIntervals,
  toDepthwireError,
  type Clock,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import type { Feed, FeedLog, PastTrades } from '@depthwire/feeds';
import { isSameSeries } from './series-key.ts';
import { CandleFold } from './stores/rollup.ts';
import { storedIntervals, type HistoryStore, type SeriesKey, type StoredInterval } from './stores/store.ts';

/** Candles of each stored interval that a feed is asked for at most, back from now, where they are not stored. */
export const FILL_CANDLES = { '1s': 600, '1m': 1_440, '1h': 500, '1d': 500 } as const;
/** Of a hole, which is the newest of it where it is longer: the rest stays one. */
export const HOLE_CANDLES = { '1s': 3_600, '1m': 20_160, '1h': 2_000, '1d': 500 } as const;
const MINUTE_MS = 60_000;
/** After a hole: its venue may still be writing, and other instruments of the feed come back too. */
const DELAY_MS = 3_000;
/** Trades are asked for where no more than so long was missed: for more, candles have to do. */
const MAX_TRADES_SPAN_MS = 6 * 3_600_000;
/** Of what is asked for again: a connection may be dead before that is noticed, and clocks are not the same everywhere. */
const OVERLAP_MS = 15_000;
/** What a venue has only just heard it may not tell yet. */
const UNTOLD_MS = 2_000;
/** Minutes of so long every venue keeps. */
const KEPT_MINUTES_MS = 11 * 3_600_000;
/** How long a venue may write a candle after it has closed. */
const SETTLE_MS = 10_000;
const LEAST_WAIT_MS = 5;
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
  /** Whether a market still is of this series, and written here: whatever was to be filled otherwise is left. */
  readonly isWritten: (series: SeriesKey) => boolean;
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
  dueMs: number;
  tries: number;
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
  readonly #timers = new Map<Feed, Timer>();
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
    this.#schedule(feed);
  }

  /** Others write it now, or it goes on as another series. */
  forget(instrument: InstrumentId): void {
    for (const tasks of this.#tasks.values()) tasks.delete(instrument);
    this.#repairs = this.#repairs.filter(({ series }) => series.instrument !== instrument);
  }

  /** The candles that are open now are taken whole once they have closed. */
  repairOpen(feed: Feed, series: SeriesKey): void {
    const nowMs = Math.ceil(this.#options.clock.now());
    for (const interval of storedIntervals) this.#repairOpen(feed, series, interval, nowMs);
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#tasks.clear();
    this.#repairs = [];
  }

  /** Wakes up for what is due next; timers may fire a little early, and then it does so once more. */
  #schedule(feed: Feed): void {
    this.#timers.get(feed)?.cancel();
    this.#timers.delete(feed);
    const dues = [...(this.#tasks.get(feed)?.values() ?? [])].map(({ dueMs }) => dueMs);
    for (const repair of this.#repairs) if (repair.feed === feed) dues.push(repair.dueMs);
    if (this.#isClosed || dues.length === 0) return;
    const now = this.#options.steadyClock.now();
    const dueMs = Math.max(
      now + LEAST_WAIT_MS,
      dues.reduce((least, due) => Math.min(least, due)),
    );
    this.#timers.set(
      feed,
      this.#options.steadyClock.at(dueMs, () => void this.#work(feed)),
    );
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
      this.#schedule(feed);
    }
  }

  async #try(task: Task): Promise<void> {
    const { isWritten } = this.#options;
    if (!isWritten(task.series)) return;
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
      // Meanwhile it may be another series, which has asked for what it needs.
      if (isLast || this.#isClosed || !isWritten(series)) return;
      task.dueMs = this.#options.steadyClock.now() + RETRY_MS * Math.max(1, task.tries);
      const tasks = this.#tasks.get(feed);
      const newer = tasks?.get(series.instrument);
      if (newer)
        task.fromMs =
          task.fromMs === null || newer.fromMs === null ? null : Math.min(task.fromMs, newer.fromMs);
      tasks?.set(series.instrument, task);
    }
  }

  async #fill({ feed, series, fromMs }: Task): Promise<void> {
    const { clock, store, onFilled } = this.#options;
    const toMs = Math.ceil(clock.now());
    const most = fromMs === null ? FILL_CANDLES : HOLE_CANDLES;
    const past = fromMs === null ? null : await this.#fillTrades(feed, series, fromMs, toMs);
    // Nor is known of more than a venue may keep whether it has told all: Kraken has minutes of half a day.
    const isLong = fromMs !== null && toMs - fromMs > KEPT_MINUTES_MS;
    let toldFromMs = Infinity;
    for (const interval of storedIntervals) {
      const seconds = candleIntervals[interval];
      const openS = openTimeS(interval, toMs);
      const leastS = openS - most[interval] * seconds;
      const fromS =
        fromMs === null
          ? leastS
          : Math.max(leastS, Math.floor((fromMs - OVERLAP_MS) / 1000 / seconds) * seconds);
      const candles =
        fromS < openS
          ? ((await feed.candles?.({ instrument: series.instrument, interval, fromS, toS: openS })) ?? [])
          : [];
      const toldFromS = candles[0]?.time ?? fromS;
      const span = { fromMs: (isLong ? toldFromS : fromS) * 1000, toMs: openS * 1000 };
      if (interval === '1m') toldFromMs = candles.length > 0 ? candles[0]!.time * 1000 : Infinity;
      if (candles.length > 0)
        await this.#put(series, () => store.putCandles(series, interval, candles, span));
      else if (interval === '1s' && past) await this.#putSeconds(series, past, toMs);
      this.#repairOpen(feed, series, interval, toMs);
    }
    // The open minute stays a hole until it was taken whole.
    const endMs = feed.candlesEnd === 'now' ? openTimeS('1m', toMs) * 1000 : toMs;
    const askedMs = Math.max(fromMs ?? -Infinity, endMs - most['1m'] * MINUTE_MS);
    const filled = { fromMs: isLong ? Math.max(askedMs, toldFromMs) : askedMs, toMs: endMs };
    if (filled.fromMs < endMs && (past?.isWhole || feed.candlesEnd === 'now'))
      await this.#put(series, () => store.fillHole(series, filled));
    await onFilled(series.instrument);
  }

  /** Between two writes, where the feed's answer is still of use. */
  async #put(series: SeriesKey, task: () => Promise<unknown>): Promise<void> {
    const { between, isWritten } = this.#options;
    await between(async () => {
      if (isWritten(series)) await task();
    });
  }

  /** @returns null where they cannot be had */
  async #fillTrades(feed: Feed, series: SeriesKey, fromMs: number, toMs: number): Promise<PastTrades | null> {
    if (!feed.trades || toMs - fromMs > MAX_TRADES_SPAN_MS) return null;
    const query = { instrument: series.instrument, fromMs: fromMs - OVERLAP_MS, toMs };
    const past = await feed.trades(query);
    const { trades } = past;
    const { store } = this.#options;
    if (trades.length > 0)
      await this.#put(series, () => store.write([{ series, trades, heard: null, columns: [] }]));
    return past;
  }

  /** Seconds of which each trade is known, from a feed that has no candles of them: trades that came late do not close one. */
  async #putSeconds(series: SeriesKey, past: PastTrades, toMs: number): Promise<void> {
    const span = {
      fromMs: Math.ceil(past.fromMs / 1000) * 1000,
      toMs: Math.floor(Math.min(past.toMs, toMs - UNTOLD_MS) / 1000) * 1000,
    };
    const fold = new CandleFold({ '1s': null, '1m': null, '1h': null, '1d': null }, () => undefined);
    for (const trade of past.trades)
      if (trade.timeMs >= span.fromMs && trade.timeMs < span.toMs) fold.add(trade);
    const candles = [...fold.changed['1s'].values()];
    const { store } = this.#options;
    if (candles.length > 0) await this.#put(series, () => store.putCandles(series, '1s', candles, span));
  }

  #repairOpen(feed: Feed, series: SeriesKey, interval: StoredInterval, nowMs: number): void {
    if (!feed.candles || interval === '1s') return;
    const seconds = candleIntervals[interval];
    for (let timeS = openTimeS(interval, nowMs); timeS * 1000 < nowMs; timeS += seconds) {
      const isSame = (one: Repair) =>
        isSameSeries(one.series, series) && one.interval === interval && one.timeS === timeS;
      if (this.#repairs.some(isSame)) continue;
      const dueMs = this.#options.steadyClock.now() + (timeS + seconds) * 1000 - nowMs + SETTLE_MS;
      this.#repairs.push({ feed, series, interval, timeS, dueMs, tries: 0 });
    }
    this.#schedule(feed);
  }

  async #repair(repair: Repair): Promise<void> {
    const { feed, series, interval, timeS } = repair;
    const { steadyClock, store, onFilled, log } = this.#options;
    const { instrument } = series;
    const toS = timeS + candleIntervals[interval];
    try {
      const candles = (await feed.candles?.({ instrument, interval, fromS: timeS, toS })) ?? [];
      await this.#put(series, async () => {
        if (candles.length > 0) await store.putCandles(series, interval, candles);
        if (interval === '1m') await store.fillHole(series, { fromMs: timeS * 1000, toMs: toS * 1000 });
      });
      await onFilled(instrument);
    } catch (error) {
      const { code, message } = toDepthwireError(error);
      if (code !== 'history_unavailable') repair.tries += 1;
      const isLast = repair.tries >= MAX_TRIES;
      log.warn(
        { feed: feed.id, instrument, interval, code, reason: message },
        isLast ? 'a candle stays incomplete' : 'a candle is asked for again later',
      );
      if (isLast || this.#isClosed || !this.#options.isWritten(series)) return;
      repair.dueMs = steadyClock.now() + RETRY_MS * Math.max(1, repair.tries);
      this.#repairs.push(repair);
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

/** Since when a venue's candles may not be whole yet, unix seconds: the open one's time, or of one that has only just closed. */
function openTimeS(interval: StoredInterval, nowMs: number): number {
  const seconds = candleIntervals[interval];
  const settledMs = nowMs - (interval === '1s' ? UNTOLD_MS : SETTLE_MS);
  return Math.floor(settledMs / 1000 / seconds) * seconds;
}
