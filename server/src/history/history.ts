import {
  candleIntervals,
  every,
  toDepthwireError,
  type Candle,
  type CandleInterval,
  type Clock,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import type { Feed, FeedLog } from '@depthwire/feeds';
import type { DepthColumn } from '@depthwire/shared/depth';
import type { Bus } from '../bus/bus.ts';
import type { Market, MarketView } from '../engine/market.ts';
import { BackFill, FILL_CANDLES, HOLE_CANDLES } from './back-fill.ts';
import { Past } from './past.ts';
import { Recorder, type RecorderFigures, type Writing } from './recorder.ts';
import { isSameSeries, seriesOf } from './series-key.ts';
import { type DepthHistory } from './depth-history.ts';
import { packColumn, unpackColumns } from './stored-columns.ts';
import { FAR_S, MAX_ROWS, storedIntervals, type HistoryStore, type Retention } from './stores/store.ts';
import { isAbsence, unavailable } from './stores/unavailable.ts';
import { StoreWatch } from './store-watch.ts';

/** Candles of each interval that a market begins with; older ones are asked for when somebody looks at them. */
const SEED_CANDLES = 500;
/** One-minute candles feed the 24 h statistics. */
const DAY_MINUTES = 1_440;
/** How often what is too old is forgotten. */
const PRUNE_PERIOD_MS = 60_000;
/** How often it is tried to join markets that began while the store was away. */
const JOIN_PERIOD_MS = 5_000;
/** Markets that are joined at a time. */
const MAX_JOINS = 8;
/** Of two machines. */
const CLOCKS_APART_MS = 10_000;
/** Parts of it at a time. */
const MAX_PRUNES = 20;
const intervals = Object.keys(candleIntervals) as CandleInterval[];
/** Candles that a market begins with. */
const countOf = (interval: CandleInterval) => (interval === '1m' ? DAY_MINUTES : SEED_CANDLES);

export interface HistoryOptions {
  /** The market's. */
  readonly clock: Clock;
  /** Which nobody sets: for pauses. Default: the market's. */
  readonly steadyClock?: Clock;
  readonly bus: Bus;
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  readonly feedOf: (id: InstrumentId) => Feed | undefined;
  /** Null where nothing is stored. */
  readonly store: HistoryStore | null;
  readonly retention: Retention;
  readonly log: FeedLog;
  /** Whether all that feeds bring is this process's to write; else `write` and `leave` say of which feeds it is. */
  readonly writesAll: boolean;
  /** Resolves once the candles in memory are as the engine has them, wherever that is. */
  readonly whenCandles?: (market: MarketView, interval: CandleInterval) => Promise<void>;
}

export interface HistoryFigures extends RecorderFigures {
  /** Instruments whose past is being asked of their feeds, or waits for it. */
  readonly filling: number;
  readonly filled: number;
  /** Of the store, as of a minute ago at most. */
  readonly bytes: number;
}

/** How stored history does, for operators. */
export interface HistoryReport {
  readonly store: HistoryStore['kind'] | 'none';
  /** `away`: it cannot be written or read now, and live data goes on without it. */
  readonly state: 'off' | 'reading' | 'writing' | 'away';
  /** Unix milliseconds; null while it is not away. */
  readonly awaySince: number | null;
  readonly reason: string | null;
  readonly waitingTrades: number;
  readonly filling: number;
}

/** A market of a feed that has started. */
interface Known {
  readonly feed: Feed;
  readonly market: Market;
  /** Unix milliseconds. */
  readonly sinceMs: number;
}

/** A market that this process writes, before memory and store are one. */
interface Joining {
  readonly known: Known;
  readonly writing: Writing;
  /** Another process wrote it until now. */
  readonly isTakenOver: boolean;
  /** The store did not answer when it began: until it does, memory has what the feed told. */
  isLate: boolean;
}

/**
 * Brings stored and live together: what a market begins with, what is written of it, and what is asked of its feed where
 * neither has it.
 */
export class History {
  readonly past: Past;
  readonly #options: HistoryOptions;
  readonly #recorder: Recorder | null;
  readonly #backFill: BackFill | null;
  readonly #watch: StoreWatch | null;
  /** Whose past was taken over: once is enough, however often their feed is started. */
  readonly #loaded = new WeakSet<Market>();
  readonly #known = new Map<InstrumentId, Known>();
  /** Feeds that this process writes. */
  readonly #written = new Set<string>();
  readonly #seeded = new WeakSet<Market>();
  /** Whose candles in memory became what is stored. */
  readonly #taken = new WeakSet<Market>();
  readonly #joining = new Map<InstrumentId, Joining>();
  /** Whose columns begin without those that are stored, for the store was away. */
  readonly #unrestored = new Set<InstrumentId>();
  /** The last of the markets of a venue that wait for their past. */
  readonly #seeding = new WeakMap<Feed, Promise<void>>();
  readonly #timers: readonly Timer[] = [];
  #depth: { readonly recent: DepthHistory; readonly recentMs: number } | null = null;
  readonly #leaveBus: () => void = () => undefined;
  #isPruning = false;
  #isJoiningLate = false;
  /** Of `#join` and `#joinLate`, under way. */
  readonly #joins = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
    const { clock, bus, markets, store, log, steadyClock = clock } = options;
    this.past = new Past({
      ...options,
      isAway: () => this.report.state === 'away',
      onRead: (error) => this.#watch?.onRead(error),
    });
    if (store === null) {
      this.#recorder = this.#backFill = this.#watch = null;
      return;
    }
    this.#watch = new StoreWatch({ store, clock, steadyClock });
    this.#backFill = new BackFill({
      ...{ clock, steadyClock, log, store },
      between: (task) => this.#recorder!.between(task),
      isWritten: (series) => {
        const writing = this.#recorder!.writingOf(series.instrument);
        return writing?.isHeld === false && isSameSeries(writing.series, series);
      },
      onFilled: (instrument) => this.#reload(instrument),
    });
    this.#recorder = new Recorder({
      ...{ clock, steadyClock, bus, markets, store, log },
      opened: () => this.#watch!.opened(),
      onFailure: () => this.#watch!.onFailure(),
      onHole: (instrument, hole) => {
        const known = this.#known.get(instrument);
        const writing = this.#recorder!.writingOf(instrument);
        // What is held is asked for as it is joined, from where the store ends.
        if (known && writing?.isHeld === false) this.#backFill!.add(known.feed, writing.series, hole.fromMs);
      },
    });
    this.#timers = [
      every(steadyClock, PRUNE_PERIOD_MS, () => void this.#prune()),
      every(steadyClock, JOIN_PERIOD_MS, () => void this.#track(this.#joinLate())),
    ];
    // What others write begins here with what they wrote.
    this.#leaveBus = bus.subscribe((event) => {
      if (event.type !== 'instrument' || !event.isRescaled || this.#known.has(event.instrument)) return;
      const market = markets.get(event.instrument);
      if (market) void this.#restoreColumns(market);
    });
  }

  /** Null where nothing is stored. */
  get figures(): HistoryFigures | null {
    if (!this.#recorder || !this.#backFill || !this.#watch) return null;
    return { ...this.#recorder.figures, ...this.#backFill.figures, bytes: this.#watch.bytes };
  }

  get report(): HistoryReport {
    const { store } = this.#options;
    const figures = this.figures;
    if (store === null || !figures)
      return { store: 'none', state: 'off', awaySince: null, reason: null, waitingTrades: 0, filling: 0 };
    const { awaySinceMs, awayReason, waitingTrades, filling } = figures;
    const absence = this.#watch!.absence;
    const sinceMs = awaySinceMs === null ? (absence?.sinceMs ?? null) : Math.floor(awaySinceMs);
    const state = sinceMs !== null ? 'away' : this.#recorder!.isWritingAny ? 'writing' : 'reading';
    const reason = awayReason ?? absence?.reason ?? null;
    return { store: store.kind, state, awaySince: sinceMs, reason, waitingTrades, filling };
  }

  /** A feed has started: takes over the past of those of its markets that are new. Never rejects. */
  async load(feed: Feed, markets: Iterable<Market>): Promise<void> {
    this.past.forgetAnswers();
    for (const market of markets) {
      if (this.#loaded.has(market)) continue;
      this.#loaded.add(market);
      const { id } = market.instrument;
      this.#known.set(id, { feed, market, sinceMs: this.#options.clock.now() });
      if (this.#options.writesAll || this.#written.has(feed.id)) await this.#begin(id)();
      else if (feed.candlesEnd !== 'now' || !this.#recorder) await this.#seed(feed, market);
      // What a venue tells is of use to whoever writes.
    }
  }

  /** This process is the one that writes a feed's markets from now on. */
  write(feed: string): void {
    this.#written.add(feed);
    const begun = [...this.#known].flatMap(([id, known]) =>
      known.feed.id === feed ? [this.#begin(id, true)] : [],
    );
    // All are held at once, and joined some at a time.
    const next = async () => {
      for (let join = begun.shift(); join; join = begun.shift()) await join();
    };
    for (let i = 0; i < MAX_JOINS; i++) void next();
  }

  /** Somebody else is. */
  leave(feed: string): void {
    this.#written.delete(feed);
    for (const [id, known] of this.#known) {
      if (known.feed.id !== feed) continue;
      this.#joining.delete(id);
      this.#backFill?.forget(id);
      // Whoever leads now writes from where it was heard last.
      if (this.#recorder?.writingOf(id)?.isHeld) this.#recorder.drop(id);
      else this.#recorder?.end(id);
    }
  }

  /** Columns in memory begin with those that are stored of so long. */
  keepColumns(recent: DepthHistory, recentMs: number): void {
    this.#depth = { recent, recentMs };
  }

  /** @returns what brings memory and store together; it never rejects */
  #begin(id: InstrumentId, isTakenOver = false): () => Promise<void> {
    const known = this.#known.get(id)!;
    const { feed, market } = known;
    const writing = this.#recorder?.begin(id) ?? null;
    if (writing === null) return () => this.#seed(feed, market);
    if (!writing.isHeld && this.#taken.has(market)) return () => Promise.resolve(); // it goes on
    if (writing.isHeld) this.#backFill!.forget(id);
    const joining: Joining = { known, writing, isTakenOver, isLate: false };
    this.#joining.set(id, joining);
    return async () => {
      if (await this.#track(this.#join(id, joining))) return;
      await this.#seed(feed, market);
      joining.isLate = true;
    };
  }

  /**
   * Memory and store become one. What fails is tried again from where it failed.
   * @returns false where the store is away; never rejects
   */
  async #join(id: InstrumentId, joining: Joining): Promise<boolean> {
    const { known, writing, isTakenOver } = joining;
    const recorder = this.#recorder!;
    const isMine = () => !this.#isClosed && this.#joining.get(id) === joining;
    // Another stretch of writing may have begun at each moment at which this one waits.
    const isOver = () => !isMine() || recorder.writingOf(id) !== writing;
    try {
      if (isOver()) return true;
      const { state, reason } = this.report;
      if (state === 'away' && !joining.isLate) throw unavailable('away', reason!); // it keeps nobody waiting
      if (writing.isHeld) {
        const heardUntilMs = await this.#heardUntil(known.market);
        if (isOver()) return true;
        // Another process has written meanwhile.
        const isShared = heardUntilMs !== null && (isTakenOver || heardUntilMs > known.sinceMs);
        if (isShared) recorder.leaveOut(writing, heardUntilMs);
        await this.#fillBefore(joining, heardUntilMs);
        if (isOver()) return true;
        recorder.release(writing);
      }
      await this.#askOlder(known);
      await recorder.between(async () => {
        if (!isOver()) await this.#take(known, isOver);
        if (isMine()) this.#joining.delete(id);
      });
      if (joining.isLate) this.#options.log.info({ instrument: id }, 'joined with stored history');
      await this.#restoreColumns(known.market);
      return true;
    } catch (error) {
      const typed = toDepthwireError(error);
      const { code, message } = typed;
      const isAway = code === 'history_unavailable';
      if (isAbsence(typed)) this.#watch!.onRead(typed);
      if (!joining.isLate || !isAway)
        this.#options.log.warn(
          { instrument: id, code, reason: message },
          isAway
            ? 'begun without stored history: it is joined as soon as it can be read'
            : 'begun without stored history',
        );
      if (isAway) return false;
      recorder.release(writing);
      if (isMine()) this.#joining.delete(id);
      return true;
    }
  }

  /** What could not be joined or restored as it began: one after the other, until one finds the store away. */
  async #joinLate(): Promise<void> {
    if (this.#isJoiningLate) return;
    this.#isJoiningLate = true;
    try {
      this.#forgetGone();
      await this.#watch!.lookAgain();
      for (const [id, joining] of this.#joining)
        if (joining.isLate && !(await this.#join(id, joining))) break;
      for (const id of this.#unrestored) {
        const market = this.#options.markets.get(id);
        if (this.report.state === 'away') break;
        if (market) await this.#restoreColumns(market);
        else this.#unrestored.delete(id);
      }
    } finally {
      this.#isJoiningLate = false;
    }
  }

  /** Of markets that are there no more nothing is kept. */
  #forgetGone(): void {
    for (const id of this.#known.keys()) {
      if (this.#options.markets.has(id)) continue;
      this.#known.delete(id);
      this.#joining.delete(id);
      this.#backFill!.forget(id);
      this.#recorder!.end(id);
    }
  }

  /** What there was between the last that is stored and the first that was heard here, and holes before that. */
  async #fillBefore({ known, writing, isTakenOver }: Joining, heardUntilMs: number | null): Promise<void> {
    const { feed, sinceMs } = known;
    const { series, heardFromMs } = writing;
    const isWhole =
      isTakenOver && heardUntilMs !== null && heardFromMs !== null && heardFromMs <= heardUntilMs;
    if (feed.candlesEnd !== 'now') {
      // Where it started before the other one ended, it has nothing to tell of what came after.
      const isKnown = heardUntilMs === null || heardUntilMs <= sinceMs;
      if (isKnown && !isWhole) await this.#fillToStart(known, heardUntilMs);
      return;
    }
    if (heardUntilMs === null) {
      this.#backFill!.add(feed, series, null);
      return;
    }
    const nowMs = Math.ceil(this.#options.clock.now());
    const span = { fromMs: nowMs - HOLE_CANDLES['1m'] * 60_000, toMs: nowMs };
    const holes = await this.#options.store!.holes(series, span);
    const openFromMs = holes.find(({ isFilled }) => !isFilled)?.fromMs ?? Infinity;
    const fromMs = Math.min(openFromMs, isWhole ? Infinity : heardUntilMs);
    if (fromMs !== Infinity) this.#backFill!.add(feed, series, fromMs);
    // Whoever filled those may not have come to the candles that were open.
    else if (holes.length > 0) this.#backFill!.repairOpen(feed, series);
  }

  onColumn(id: InstrumentId, column: DepthColumn): void {
    if (this.#recorder?.isWriting(id) && this.#options.retention.columnsMs > 0)
      this.#recorder.onColumn(id, packColumn(column));
  }

  /** Resolves once all that came until now is written, or rejects where it cannot be. */
  async flush(): Promise<void> {
    await Promise.all(this.#joins); // they hold what came
    await this.#recorder?.between(() => Promise.resolve());
  }

  #track<T>(join: Promise<T>): Promise<T> {
    this.#joins.add(join);
    return join.finally(() => this.#joins.delete(join));
  }

  /** Whether a thread of its store is at work, which would keep the process from its end. */
  get isBusy(): boolean {
    return this.#options.store?.isBusy ?? false;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#leaveBus();
    this.#backFill?.close();
    await this.#recorder?.close();
    await this.#options.store?.close();
  }

  async #heardUntil(market: Market): Promise<number | null> {
    await this.#watch!.opened();
    const { store, clock } = this.#options;
    const series = seriesOf(market.instrument);
    const heardUntilMs = await store!.heardUntil(series);
    const nowMs = Math.floor(clock.now());
    if (heardUntilMs === null) return null;
    // Machines' clocks are not quite the same.
    if (heardUntilMs <= nowMs + CLOCKS_APART_MS) return Math.min(heardUntilMs, nowMs);
    // The clock was set back since: what was traded last is all that is known.
    const [last] = await store!.candles(series, '1s', 1, Math.ceil(nowMs / 1000));
    const knownMs = last ? Math.min(nowMs, last.time * 1000) : null;
    await store!.disbelieve(series, knownMs ?? nowMs);
    return knownMs;
  }

  /** What a market begins with where nothing is stored: what its feed tells, joined to what was traded since. */
  #seed(feed: Feed, market: Market): Promise<void> {
    if (!feed.candles || this.#seeded.has(market)) return Promise.resolve();
    this.#seeded.add(market);
    if (feed.candlesEnd !== 'now') return this.#seedNow(feed, market);
    // A venue takes its time, and one market after the other.
    const turn = (this.#seeding.get(feed) ?? Promise.resolve()).then(() => this.#seedNow(feed, market));
    this.#seeding.set(feed, turn);
    return Promise.resolve();
  }

  async #seedNow(feed: Feed, market: Market): Promise<void> {
    if (this.#isClosed) return;
    const nowS = this.#options.clock.now() / 1000;
    for (const interval of intervals) {
      const seconds = candleIntervals[interval];
      const toS = Math.ceil(nowS / seconds) * seconds;
      const query = {
        instrument: market.instrument.id,
        interval,
        fromS: toS - countOf(interval) * seconds,
        toS,
      };
      const told = (await this.past.ofFeed(feed, query)) ?? [];
      if (this.#taken.has(market)) return; // what is stored has come meanwhile, and whoever fills it asks for itself
      // Of those since the first live trade nobody knows which of their trades came here too.
      const beganS = market.candles(interval).all[0]?.time ?? Infinity;
      const isOver = ({ time }: Candle) => time + seconds <= nowS && time < beganS;
      market.seedCandles(interval, feed.candlesEnd === 'now' ? told.filter(isOver) : told);
      this.#tell(market, interval);
    }
  }

  /**
   * A feed whose past ends where it started tells what is missing at once, the candle that was open then among it: its
   * other part are the trades since, which are written after it.
   */
  async #fillToStart({ feed, market, sinceMs }: Known, heardUntilMs: number | null): Promise<void> {
    if (!feed.candles) return;
    const store = this.#options.store!;
    const series = seriesOf(market.instrument);
    for (const interval of storedIntervals) {
      const seconds = candleIntervals[interval];
      const toS = Math.ceil(sinceMs / 1000 / seconds) * seconds;
      const leastS = toS - (heardUntilMs === null ? FILL_CANDLES : HOLE_CANDLES)[interval] * seconds;
      const fromS =
        heardUntilMs === null
          ? leastS
          : Math.max(leastS, Math.floor(heardUntilMs / 1000 / seconds) * seconds);
      if (fromS >= toS) continue;
      const told = await this.past.ofFeed(feed, { instrument: series.instrument, interval, fromS, toS });
      if (told === null) return; // it stays a hole
      await store.putCandles(series, interval, told, { fromMs: fromS * 1000, toMs: toS * 1000 });
    }
    if (heardUntilMs === null) return;
    const askedMs = sinceMs - HOLE_CANDLES['1m'] * 60_000;
    const fromMs = Math.max(heardUntilMs, askedMs);
    if (fromMs < sinceMs) await store.fillHole(series, { fromMs, toMs: Math.ceil(sinceMs) });
  }

  /** Whoever is slow to tell its past shall not be asked between two writes: what it tells is remembered for a while. */
  async #askOlder({ market, feed }: Known): Promise<void> {
    if (feed.candlesEnd === 'now' || !feed.candles) return;
    const series = seriesOf(market.instrument);
    for (const interval of intervals) {
      const count = countOf(interval);
      const stored = await this.#options.store!.candles(series, interval, count, FAR_S);
      await this.past.withOlder(market, interval, count, stored);
    }
  }

  /**
   * Memory becomes what is stored, with what is not written yet. Only between two writes.
   * @param isOver looked at before anything is changed
   * @throws DepthwireError `history_unavailable`; memory is then as it was
   */
  async #take({ market, feed }: Known, isOver: () => boolean): Promise<void> {
    const { markets, store } = this.#options;
    const { instrument } = market;
    const series = seriesOf(instrument);
    const taken = new Map<CandleInterval, readonly Candle[]>();
    for (const interval of intervals) {
      const count = countOf(interval);
      const stored = await store!.candles(series, interval, count, FAR_S);
      // A venue would keep everybody waiting: it is asked later, and tells the store.
      const isAsked = feed.candlesEnd !== 'now';
      taken.set(interval, isAsked ? await this.past.withOlder(market, interval, count, stored) : stored);
    }
    if (markets.get(instrument.id) !== market || isOver()) return; // it has begun anew meanwhile
    this.#taken.add(market);
    const since = this.#recorder!.unwritten(instrument.id);
    for (const [interval, candles] of taken) {
      market.takeCandles(interval, candles, since);
      this.#tell(market, interval);
    }
  }

  /** Never rejects. */
  async #restoreColumns(market: MarketView): Promise<void> {
    const { clock, markets, store, log } = this.#options;
    const depth = this.#depth;
    if (!depth || store === null) return;
    const series = seriesOf(market.instrument);
    const { instrument } = series;
    this.#unrestored.add(instrument);
    if (this.report.state === 'away') return;
    try {
      await this.#watch!.opened();
      const nowMs = Math.floor(clock.now());
      const span = { fromMs: nowMs - depth.recentMs, toMs: nowMs };
      const columns = await store.columns(series, span, { limit: MAX_ROWS, isNewest: true });
      this.#unrestored.delete(instrument);
      const now = markets.get(instrument);
      if (now && isSameSeries(seriesOf(now.instrument), series))
        depth.recent.restore(instrument, unpackColumns(columns));
    } catch (error) {
      const typed = toDepthwireError(error);
      const { code, message } = typed;
      if (isAbsence(typed)) this.#watch!.onRead(typed);
      if (code !== 'history_unavailable') {
        this.#unrestored.delete(instrument);
        log.warn({ instrument, code, reason: message }, 'stored columns left out');
      }
    }
  }

  /** What is stored was put right. */
  async #reload(id: InstrumentId): Promise<void> {
    const recorder = this.#recorder!;
    await recorder.between(async () => {
      const known = this.#known.get(id);
      const writing = recorder.writingOf(id);
      // What is being joined takes it as it is.
      if (!known || !writing || writing.isHeld || this.#joining.has(id) || this.#isClosed) return;
      await this.#take(known, () => recorder.writingOf(id) !== writing);
    });
  }

  #tell(market: Market, interval: CandleInterval): void {
    this.#options.bus.publish({ type: 'candles', instrument: market.instrument.id, interval });
  }

  async #prune(): Promise<void> {
    if (this.#isPruning) return;
    this.#isPruning = true;
    const { store, clock, retention, log } = this.#options;
    try {
      await this.#watch!.look();
      if (!this.#recorder!.isWritingAny) return; // somebody else does
      for (let i = 0; i < MAX_PRUNES && !this.#isClosed; i++)
        if (!(await store!.prune(Math.floor(clock.now()), retention))) break;
    } catch (error) {
      const { code, message } = toDepthwireError(error);
      log.debug({ code, reason: message }, 'old history is kept for now');
    } finally {
      this.#isPruning = false;
    }
  }
}
