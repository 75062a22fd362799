import assert from 'node:assert/strict';
import {
  formatUnitsShortest,
  type BookState,
  type CandleInterval,
  type FeedEvent,
  type InstrumentKind,
  type Origin,
} from '@depthwire/shared';
import { createVenueFeed, type CountingFeed } from '../../core/venue-feed.ts';
import type { Endpoints, VenueAdapter } from '../../core/venue.ts';
import { sleep } from '../sleep.ts';
import { fastClock, type FastClock } from '../fast-clock.ts';
import { FeedObserver, type ObservedMarket } from '../feed-observer.ts';
import { SimulatedFlow, type LevelChange } from '../simulated-flow.ts';
import { canonicalBook, type Side, type TextLevel } from '../truth-book.ts';
import type { EmulatedSymbol } from '../emulated-book.ts';
import type { EmulatorControls, EmulatorOptions, SnapshotAnswer } from '../venue-emulator.ts';

/** What is put to the test: a venue's adapter, or any other feed. */
type Subject =
  | { readonly adapter: VenueAdapter; readonly market: string }
  | {
      /** The feed of all the driver's symbols, on an emulator that listens there. */
      createFeed(endpoints: Endpoints, random: () => number): CountingFeed;
      /** What its instruments say of where they come from. Default: `live`. */
      readonly origin?: Origin;
      /** Connections that end apart, and are counted apart. Default: 1. */
      readonly connections?: number;
      /** Sockets that are open together. Default: as many as connections. */
      readonly sockets?: number;
    };

/** How a feed is put to the test. */
export type ConformanceDriver = Subject & {
  /** For the names of the tests: `Kraken spot`. */
  readonly name: string;
  /** Two or more, so that trouble with one can be seen to leave the other alone. */
  readonly symbols: readonly EmulatedSymbol[];
  startEmulator(options: EmulatorOptions): Promise<EmulatorControls>;
  /** Times as fast as real time at most, where the venue's answers are waited for only briefly. */
  readonly maxSpeed?: number;
  /** Levels a side that the venue's book has. Default: all there are. */
  readonly depth?: number;
  /** Whether snapshots come over HTTP, and not on the stream. */
  readonly hasHttpSnapshots: boolean;
  /** Whether updates carry a checksum of the book. */
  readonly hasChecksums: boolean;
  /** Whether nothing on the stream tells of a lost update; what follows on one is then asked for instead. */
  readonly hidesLosses?: boolean;
  /** Whether the venue announces the end of a connection. */
  readonly announcesEnds: boolean;
  /** What a symbol is. Default: spot. */
  kindOf?(symbol: string): InstrumentKind;
  /** Whether the venue's metadata tell tick and lot. Default: true. */
  readonly listsScales?: boolean;
  /** Whether updates of a book tell the venue's time. Default: true. */
  readonly tellsBookTimes?: boolean;
  /** Whether the 24 h figures come. Default: true for adapters. */
  readonly hasTickers?: boolean;
  /** Age at which the venue ends connections, milliseconds. Default: it does not. */
  readonly maxAgeMs?: number;
  /** Most frames in a second that the venue takes on a connection. Default: it names no limit. */
  readonly framesPerS?: number;
  /** Newest candles of each interval that the venue keeps, the open one among them. Default: all. */
  readonly keptCandles?: number;
  /** Whether its REST tells the newest trades only. Default: those of any time. */
  readonly keepsNewestTrades?: boolean;
  /** Cards that this venue's protocol cannot pass, by id, with the reason. */
  readonly knownGaps?: Readonly<Record<string, string>>;
};

export interface BenchOptions {
  /** Times as fast as real time. Default 20. */
  readonly speed?: number;
  /** Age at which connections are replaced, and at which the venue ends them, milliseconds. Default: never. */
  readonly ages?: { readonly replacedMs: number; readonly endedMs: number };
  /** Symbols that a connection carries. Default: as many as the adapter says. */
  readonly symbolsPerConnection?: number;
  /** Trades of each symbol that were before anybody listened, and the time from one to the next. Default: none. */
  readonly past?: { readonly trades: number; readonly stepMs: number };
  /** What all jitter is made of, in [0, 1). Default 0: the shortest waits. */
  readonly chance?: number;
}

/** How far the times that a kind of event tells are from the feed's clock. */
interface ToldTimes {
  /** Events without a time. */
  untold: number;
  maxSkewMs: number;
}

const DEFAULT_SPEED = 20;
/** Markets of the simulator, one busier than the other, and how often their changes are published. */
const SIMULATED = ['sim:BTC-USD', 'sim:ETH-USD'];
const SIMULATED_STEP_MS = 100;
/** After any fault every book is live and the venue's again within so many seconds of the feed's time. */
const RECOVERY_S = 30;
/** Times that the venue tells are no further from the feed's clock. */
const MAX_SKEW_MS = 60_000;
/** A connection is replaced so long before the venue ends it, at least. */
const AGE_MARGIN_MS = 60_000;
/** Timers of the platform reach no further. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Metadata is asked for again within so many seconds: halts and new tick sizes are known then. */
const METADATA_S = 360;

/**
 * A live feed on an emulated venue, watched: at every event, a book that is told to be live must
 * be one that the venue had, and no older than the one before.
 */
export class Bench {
  readonly clock: FastClock;
  readonly emulator: EmulatorControls;
  readonly observer: FeedObserver;
  readonly feed: CountingFeed;
  /** What was wrong with books told to be live. */
  readonly wrong: string[] = [];
  readonly #driver: ConformanceDriver;
  /** Every state that a book was in, and its place in their order, by symbol. */
  readonly #truths = new Map<string, Map<string, number>>();
  readonly #reached = new Map<string, number>();
  readonly #times = new Map<string, ToldTimes>();

  private constructor(
    driver: ConformanceDriver,
    emulator: EmulatorControls,
    clock: FastClock,
    options: BenchOptions,
  ) {
    this.#driver = driver;
    this.clock = clock;
    this.emulator = emulator;
    this.observer = new FeedObserver(clock, (event, market) => {
      this.#noteTime(event, market);
      if (event.type !== 'instrument' && event.type !== 'trade' && event.type !== 'ticker')
        this.#check(market);
    });
    const { symbols } = driver;
    this.feed = createFeed(driver, emulator.endpoints, options);
    for (const { symbol } of symbols) {
      this.#truths.set(symbol, new Map());
      this.#remember(symbol);
    }
  }

  /** A feed on an emulator, not started yet. */
  static async open(driver: ConformanceDriver, options: BenchOptions = {}): Promise<Bench> {
    const { speed = DEFAULT_SPEED, ages, past } = options;
    const clock = fastClock(Math.min(speed, driver.maxSpeed ?? Infinity));
    const emulator = await driver.startEmulator({ symbols: driver.symbols, seed: 7, clock });
    if (ages) emulator.endAtAge(ages.endedMs);
    if (past)
      for (const { symbol } of driver.symbols) emulator.addPastTrades(symbol, past.trades, past.stepMs);
    return new Bench(driver, emulator, clock, options);
  }

  /** A feed whose books are all live and right. */
  static async openLive(driver: ConformanceDriver, options?: BenchOptions): Promise<Bench> {
    const bench = await Bench.open(driver, options);
    try {
      await bench.feed.start(bench.observer.context);
      await bench.subscribed();
      await bench.flow(5);
      await bench.settled();
      for (const symbol of bench.symbols) bench.states(symbol);
    } catch (error) {
      await bench.close();
      throw error;
    }
    return bench;
  }

  async close(): Promise<void> {
    await this.feed.stop();
    await this.emulator.close();
  }

  /** What the instruments have to say of where they come from. */
  get origin(): Origin {
    return ('createFeed' in this.#driver && this.#driver.origin) || 'live';
  }

  get connections(): number {
    return ('createFeed' in this.#driver && this.#driver.connections) || 1;
  }

  get sockets(): number {
    return ('createFeed' in this.#driver && this.#driver.sockets) || this.connections;
  }

  /** Whether the feed is known to count the frames that it cannot read. */
  get countsFrames(): boolean {
    return 'adapter' in this.#driver;
  }

  /** What the venue tells of the past. */
  get past(): {
    readonly intervals: readonly CandleInterval[];
    readonly keptCandles: number;
    readonly keepsNewestTrades: boolean;
  } {
    const { keptCandles = Infinity, keepsNewestTrades = false } = this.#driver;
    const intervals =
      'adapter' in this.#driver ? this.#driver.adapter.past?.intervals(this.#driver.market) : null;
    return { intervals: intervals ?? [], keptCandles, keepsNewestTrades };
  }

  get hasHttpSnapshots(): boolean {
    return this.#driver.hasHttpSnapshots;
  }

  get symbols(): readonly string[] {
    return this.#driver.symbols.map(({ symbol }) => symbol);
  }

  /** The symbol that trouble is made with. */
  get victim(): string {
    return this.symbols[0]!;
  }

  get bystanders(): readonly string[] {
    return this.symbols.slice(1);
  }

  market(symbol: string): ObservedMarket {
    return this.observer.market(symbol);
  }

  /** Of the instrument that a symbol has to be, what the venue lists. */
  listed(symbol: string): Readonly<Record<string, string>> {
    const { kindOf, listsScales = true } = this.#driver;
    const { base, quote, tick, lot, isHalted } = this.emulator.listing(symbol);
    const kind = kindOf?.(symbol) ?? 'spot';
    const status = isHalted ? 'halted' : 'trading';
    return { base, quote, kind, status, origin: this.origin, ...(listsScales ? { tick, lot } : {}) };
  }

  /** The same of the instrument that the feed tells. */
  told(symbol: string): Readonly<Record<string, string>> {
    const { listsScales = true } = this.#driver;
    const { base, quote, kind, status, origin, tick, lot } = this.market(symbol).instrument;
    const scales = { tick: formatUnitsShortest(1, tick), lot: formatUnitsShortest(1, lot) };
    return { base, quote, kind, status, origin, ...(listsScales ? scales : {}) };
  }

  /** The venue's times are unix milliseconds: those of trades, and of books where the venue tells any. */
  timesAreRight(): void {
    const { tellsBookTimes = true } = this.#driver;
    for (const [type, { untold, maxSkewMs }] of this.#times) {
      assert.ok(maxSkewMs < MAX_SKEW_MS, `${type}: times are ${maxSkewMs} ms off the feed's clock`);
      if (type === 'trade' || (type === 'book-delta' && tellsBookTimes))
        assert.equal(untold, 0, `${type}: each tells the venue's time`);
    }
  }

  /** What became of the snapshots of a symbol that were asked for after so many. */
  answers(symbol: string, after = 0): SnapshotAnswer[] {
    return this.emulator.snapshotAnswers.slice(after).filter((answer) => answer.symbol === symbol);
  }

  /** The victim's book has to be taken anew: its next update is lost, or somebody asks for it. */
  lose(): void {
    const { hidesLosses } = this.#driver;
    if (hidesLosses) this.resync(this.victim);
    else this.emulator.dropNext(this.victim);
  }

  /** The feed is asked to take a book anew. */
  resync(symbol: string): void {
    this.feed.resync!(this.market(symbol).instrument.id, 'the book was crossed for over a second');
  }

  /** Changes each book, and publishes the changes. */
  tick(): void {
    for (const symbol of this.symbols) this.update(symbol);
  }

  /** Changes one book, and publishes the changes. */
  update(symbol: string): void {
    for (let i = 0; i < 4; i++) {
      this.emulator.change(symbol);
      this.#remember(symbol);
    }
    this.emulator.publish(symbol);
  }

  setLevel(...level: Parameters<EmulatorControls['setLevel']>): void {
    this.emulator.setLevel(...level);
    this.#remember(level[0]);
  }

  /** Lets each book live as one of the simulator's markets for so many seconds of that market's time. */
  async simulate(seconds: number): Promise<void> {
    const flows = new Map<string, SimulatedFlow>();
    for (const [i, symbol] of this.symbols.entries()) {
      const { tick, lot } = this.market(symbol).instrument;
      const { bids, asks } = this.emulator.truth(symbol);
      const flow = await SimulatedFlow.start({
        instrument: SIMULATED[i % SIMULATED.length]!,
        tick: formatUnitsShortest(1, tick),
        lot: formatUnitsShortest(1, lot),
        price: bids[0]![0],
      });
      const gone = (side: Side, levels: readonly TextLevel[]): LevelChange[] =>
        levels.map(([price]) => ({ side, price, quantity: '0' }));
      this.#publish(symbol, [...gone('bid', bids), ...gone('ask', asks), ...flow.opening]);
      flows.set(symbol, flow);
    }
    for (let ms = 0; ms < seconds * 1_000; ms += SIMULATED_STEP_MS) {
      for (const [symbol, flow] of flows) this.#publish(symbol, flow.advance(SIMULATED_STEP_MS));
      await sleep(1);
    }
    for (const flow of flows.values()) await flow.stop();
  }

  #publish(symbol: string, changes: readonly LevelChange[]): void {
    for (const { side, price, quantity } of changes) this.emulator.setLevel(symbol, side, price, quantity);
    this.#remember(symbol);
    this.emulator.publish(symbol);
  }

  /** Ticks with time for frames to arrive in between. */
  async flow(ticks: number, onTick?: () => void): Promise<void> {
    for (let i = 0; i < ticks; i++) {
      this.tick();
      onTick?.();
      await sleep(1);
    }
  }

  /** Goes on ticking for so many milliseconds of the feed's time. */
  async flowFor(ms: number): Promise<void> {
    const endMs = this.clock.now() + ms;
    while (this.clock.now() < endMs) await this.flow(1);
  }

  /** Lets the feed's time go on for so long, without a tick. */
  async pause(ms: number): Promise<void> {
    const endMs = this.clock.now() + ms;
    while (this.clock.now() < endMs) await sleep(1);
  }

  /** Waits until the books are subscribed to. */
  subscribed(): Promise<void> {
    return this.until('the feed subscribes', () =>
      this.symbols.every((symbol) => this.emulator.isSubscribed(symbol)),
    );
  }

  /** Waits until every book is live and is the venue's; ticks go on, as a market's do. */
  async settled(withinS = RECOVERY_S): Promise<void> {
    const isSettled = async () => {
      if (this.#isSettled()) return true;
      await this.flow(1);
      await sleep(5);
      return this.#isSettled();
    };
    await this.until('every book is live', isSettled, withinS);
    this.rightSoFar();
  }

  /** No wrong book was told to be live until now, and the adapter threw nothing that it may not throw. */
  rightSoFar(): void {
    this.#hasNotFailed();
    assert.deepEqual(this.wrong, [], 'a wrong book was told to be live');
  }

  /** No connection was sent more frames in a second than the venue takes. */
  withinLimits(): void {
    const { framesPerS = Infinity } = this.#driver;
    for (const times of this.emulator.heardAtMs) {
      const most = Math.max(
        ...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length),
      );
      assert.ok(most <= framesPerS, `${most} frames within a second, where the venue takes ${framesPerS}`);
    }
  }

  /** The adapter replaces connections well before the venue ends them, and within the reach of timers. */
  replacesInTime(): void {
    if (!('adapter' in this.#driver)) return;
    const { maxAgeMs: endedMs = null, adapter } = this.#driver;
    const { maxAgeMs: replacedMs } = adapter.limits;
    if (endedMs !== null)
      assert.ok(
        replacedMs !== null && replacedMs <= endedMs - AGE_MARGIN_MS,
        `limits.maxAgeMs is ${replacedMs}, where the venue ends connections after ${endedMs} ms`,
      );
    assert.ok(
      (replacedMs ?? 1) > 0 && (replacedMs ?? 1) <= MAX_TIMER_MS,
      'limits.maxAgeMs is within the reach of timers',
    );
  }

  /** The adapter's pace is one that the venue takes. */
  sendsSlowly(): void {
    if (!('adapter' in this.#driver)) return;
    const { framesPerS = Infinity, adapter } = this.#driver;
    const { sendSpacingMs } = adapter.limits;
    assert.ok(
      sendSpacingMs * framesPerS >= 1_000 || framesPerS === Infinity,
      `limits.sendSpacingMs is ${sendSpacingMs}, where the venue takes ${framesPerS} frames in a second`,
    );
  }

  /** Waits until something is so. @param withinS seconds of the feed's time */
  async until(what: string, isSo: () => boolean | Promise<boolean>, withinS = RECOVERY_S): Promise<void> {
    const endMs = this.clock.now() + withinS * 1_000;
    while (!(await isSo())) {
      this.#hasNotFailed();
      if (this.clock.now() > endMs) {
        const states = this.symbols.map((symbol) => this.#describe(symbol)).join('; ');
        throw new assert.AssertionError({
          message: `not within ${withinS} s of the feed's time: ${what} (${states})`,
        });
      }
      await sleep(1);
    }
  }

  /** As `until`, for what only the venue's metadata tells. */
  untilListed(what: string, isSo: () => boolean): Promise<void> {
    return this.until(what, isSo, METADATA_S);
  }

  async state(symbol: string, state: BookState, withinS = RECOVERY_S): Promise<void> {
    await this.until(`${symbol} is ${state}`, () => this.market(symbol).states.includes(state), withinS);
  }

  /** States of a book since the last look. */
  states(symbol: string): BookState[] {
    return this.market(symbol).states.splice(0);
  }

  /** The books of these were live all the time since the last look. */
  undisturbed(symbols: readonly string[]): void {
    for (const symbol of symbols)
      assert.deepEqual(this.states(symbol), [], `${symbol} has nothing to do with it, but its state changed`);
  }

  #hasNotFailed(): void {
    const [failure] = this.observer.failures;
    if (failure !== undefined) throw new Error('the adapter failed', { cause: failure });
  }

  #isSettled(): boolean {
    return this.symbols.every(
      (symbol) =>
        this.observer.markets.size > 0 &&
        this.observer.isLive(symbol) &&
        canonicalBook(this.observer.text(symbol)) === this.#truth(symbol),
    );
  }

  #truth(symbol: string): string {
    return canonicalBook(this.emulator.truth(symbol, this.#driver.depth));
  }

  #remember(symbol: string): void {
    const truths = this.#truths.get(symbol)!;
    truths.set(this.#truth(symbol), truths.size);
  }

  #noteTime(event: FeedEvent, { instrument: { symbol } }: ObservedMarket): void {
    if (event.type === 'instrument' || event.type === 'book-status') return;
    if (!this.symbols.includes(symbol)) return;
    const times = this.#times.get(event.type) ?? { untold: 0, maxSkewMs: 0 };
    this.#times.set(event.type, times);
    const now = this.clock.now();
    if (event.venueTimeMs === null) times.untold += 1;
    for (const time of [event.venueTimeMs ?? now, event.receiveTimeMs])
      times.maxSkewMs = Math.max(times.maxSkewMs, Math.abs(time - now));
  }

  #check({ state, instrument: { symbol } }: ObservedMarket): void {
    if (state !== 'live') return;
    const place = this.#truths.get(symbol)?.get(canonicalBook(this.observer.text(symbol)));
    if (place === undefined) this.wrong.push(`${symbol} is live, but never was like this`);
    else if (place < (this.#reached.get(symbol) ?? 0)) this.wrong.push(`${symbol} went back in time`);
    else this.#reached.set(symbol, place);
  }

  #describe(symbol: string): string {
    const market = [...this.observer.markets.values()].find(({ instrument }) => instrument.symbol === symbol);
    if (!market) return `${symbol} not announced`;
    const { state, reason } = market;
    const isRight = canonicalBook(this.observer.text(symbol)) === this.#truth(symbol);
    return `${symbol} ${state}${reason === null ? '' : ` (${reason})`}, ${isRight ? 'right' : 'other than the truth'}`;
  }
}

function createFeed(
  driver: ConformanceDriver,
  endpoints: Endpoints,
  { ages, symbolsPerConnection, chance = 0 }: BenchOptions,
): CountingFeed {
  if ('createFeed' in driver) return driver.createFeed(endpoints, () => chance);
  const { adapter, market, symbols } = driver;
  const limits = {
    ...adapter.limits,
    maxAgeMs: ages?.replacedMs ?? null,
    symbolsPerConnection: symbolsPerConnection ?? adapter.limits.symbolsPerConnection,
  };
  return createVenueFeed(
    { ...adapter, limits },
    {
      market,
      symbols: symbols.map(({ symbol }) => symbol),
      endpoints,
      httpSpacingMs: 0,
      random: () => chance,
    },
  );
}
