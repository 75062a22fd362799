import assert from 'node:assert/strict';
import type { BookState, Origin } from '@depthwire/shared';
import { createVenueFeed, type CountingFeed } from '../../core/venue-feed.ts';
import type { Endpoints, VenueAdapter } from '../../core/venue.ts';
import { sleep } from '../sleep.ts';
import { fastClock, type FastClock } from '../fast-clock.ts';
import { FeedObserver, type ObservedMarket } from '../feed-observer.ts';
import { canonicalBook } from '../truth-book.ts';
import type { EmulatedSymbol } from '../emulated-book.ts';
import type { EmulatorControls, EmulatorOptions } from '../venue-emulator.ts';

/** What is put to the test: a venue's adapter, or any other feed. */
type Subject =
  | { readonly adapter: VenueAdapter; readonly market: string }
  | {
      /** The feed of all the driver's symbols, on an emulator that listens there. */
      createFeed(endpoints: Endpoints): CountingFeed;
      /** What its instruments say of where they come from. Default: `live`. */
      readonly origin?: Origin;
      /** Connections that end apart, and are counted apart. Default: 1. */
      readonly connections?: number;
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
  /** Cards that this venue's protocol cannot pass, by id, with the reason. */
  readonly knownGaps?: Readonly<Record<string, string>>;
};

export interface BenchOptions {
  /** Times as fast as real time. Default 20. */
  readonly speed?: number;
  /** Age at which connections are replaced, milliseconds. Default: never. */
  readonly maxAgeMs?: number;
}

const DEFAULT_SPEED = 20;
/** After any fault every book is live and the venue's again within so many seconds of the feed's time. */
export const RECOVERY_S = 150;
/** Metadata is asked for again within so many seconds: halts and new tick sizes are known then. */
const METADATA_S = 600;

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

  private constructor(
    driver: ConformanceDriver,
    emulator: EmulatorControls,
    clock: FastClock,
    { maxAgeMs = null }: { maxAgeMs?: number | null },
  ) {
    this.#driver = driver;
    this.clock = clock;
    this.emulator = emulator;
    this.observer = new FeedObserver(clock, (event, market) => {
      if (event.type !== 'instrument' && event.type !== 'trade' && event.type !== 'ticker')
        this.#check(market);
    });
    const { symbols } = driver;
    this.feed = createFeed(driver, emulator.endpoints, maxAgeMs);
    for (const { symbol } of symbols) {
      this.#truths.set(symbol, new Map());
      this.#remember(symbol);
    }
  }

  /** A feed on an emulator, not started yet. */
  static async open(
    driver: ConformanceDriver,
    { speed = DEFAULT_SPEED, maxAgeMs }: BenchOptions = {},
  ): Promise<Bench> {
    const clock = fastClock(Math.min(speed, driver.maxSpeed ?? Infinity));
    const emulator = await driver.startEmulator({ symbols: driver.symbols, seed: 7, clock });
    return new Bench(driver, emulator, clock, { maxAgeMs });
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

  /** The victim's book has to be taken anew: its next update is lost, or somebody asks for it. */
  lose(): void {
    const { hidesLosses } = this.#driver;
    if (hidesLosses) this.feed.resync!(this.market(this.victim).instrument.id, 'the book is not trusted');
    else this.emulator.dropNext(this.victim);
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

  /** Waits until the books are subscribed to. */
  subscribed(): Promise<void> {
    return this.until('the feed subscribes', () =>
      this.symbols.every((symbol) => this.emulator.isSubscribed(symbol)),
    );
  }

  /** Waits until every book is live and is the venue's; ticks go on, as a market's do. */
  async settled(): Promise<void> {
    await this.until('every book is live', async () => {
      if (this.#isSettled()) return true;
      await this.flow(1);
      await sleep(5);
      return this.#isSettled();
    });
    this.rightSoFar();
  }

  /** No wrong book was told to be live until now, and the adapter threw nothing that it may not throw. */
  rightSoFar(): void {
    this.#hasNotFailed();
    assert.deepEqual(this.wrong, [], 'a wrong book was told to be live');
  }

  /** Waits until something is so. @param withinS seconds of the feed's time */
  async until(what: string, isSo: () => boolean | Promise<boolean>, withinS = RECOVERY_S): Promise<void> {
    const endMs = this.clock.now() + withinS * 1_000;
    while (!(await isSo())) {
      this.#hasNotFailed();
      if (this.clock.now() > endMs) {
        const states = this.symbols.map((symbol) => this.#describe(symbol)).join('; ');
        throw new assert.AssertionError({ message: `not within ${withinS} s: ${what} (${states})` });
      }
      await sleep(1);
    }
  }

  /** As `until`, for what only the venue's metadata tells. */
  untilListed(what: string, isSo: () => boolean): Promise<void> {
    return this.until(what, isSo, METADATA_S);
  }

  async state(symbol: string, state: BookState): Promise<void> {
    await this.until(`${symbol} is ${state}`, () => this.market(symbol).states.includes(state));
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

function createFeed(driver: ConformanceDriver, endpoints: Endpoints, maxAgeMs: number | null): CountingFeed {
  if ('createFeed' in driver) return driver.createFeed(endpoints);
  const { adapter, market, symbols } = driver;
  return createVenueFeed(
    { ...adapter, limits: { ...adapter.limits, maxAgeMs } },
    {
      market,
      symbols: symbols.map(({ symbol }) => symbol),
      endpoints,
      httpSpacingMs: 0,
      random: () => 0,
    },
  );
}
