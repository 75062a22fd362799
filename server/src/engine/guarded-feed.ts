import {
  emptyStats,
  type CandleQuery,
  type Feed,
  type FeedContext,
  type FeedLog,
  type PastTrades,
  type TradeQuery,
} from '@depthwire/feeds';
import {
  DepthwireError,
  type Candle,
  type Clock,
  type FeedEvent,
  type Instrument,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import { runAs, runAsServer, type Culprit } from './blame.ts';
import { checkCandles } from './candle-checks.ts';
import type { EngineContext } from './engine.ts';
import { readEvent, type RefusedEvent } from './event-checks.ts';
import { createFeedLog } from './feed-log.ts';
import type { FeedSource } from './feed-source.ts';
import { checkTrades } from './trade-checks.ts';
import { stackOf, typedError } from './typed-error.ts';

/** A venue's metadata may take a few paced requests. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
/** To tell candles or trades of the past. */
const PAST_LIMIT_MS = 30_000;
/** Events in a second of the market clock, unless the source says otherwise. */
const MAX_EVENTS_PER_SECOND = 500_000;
/** Levels for each of those events: a burst of snapshots is no flood. */
const LEVELS_PER_EVENT = 20;
/** The clock is asked so often, in events: once for each would cost more than the events do. */
const EVENTS_PER_LOOK = 256;
/** Refused events in as many milliseconds that a feed may still be forgiven. */
const MAX_REFUSED = 50;
const REFUSED_WINDOW_MS = 10_000;
/** Errors of a feed's module that are logged in the same time. */
const MAX_MODULE_ERRORS = 5;
/** Instruments of one feed: it shall not take the room of all others. */
const MAX_INSTRUMENTS = 5_000;
/** Changes of tick or lot in as many milliseconds, and one more for each instrument: each begins a book anew. */
const MAX_RESCALES = 20;
const RESCALE_WINDOW_MS = 10_000;
/** What a feed tells that an operator should mend. */
const MAX_PROBLEMS = 20;
const MAX_PROBLEM_CHARS = 300;

export interface GuardedFeedOptions {
  /** The machine's clock: time limits are in real time. */
  readonly clock: Clock;
  readonly log: FeedLog;
  /** The feed is of no use any more, and is being stopped. */
  onFailure(error: DepthwireError): void;
}

/** One feed of the source, from its start to its end. */
interface Run extends Culprit {
  feed: Feed;
  readonly outside: EngineContext;
  /** Those that it has announced, with their tick and lot. */
  readonly instruments: Map<InstrumentId, string>;
  /** Ends the wait for `start`. */
  readonly abortStart: (error: DepthwireError) => void;
  failure: DepthwireError | null;
  stopped: Promise<void> | null;
  /** Nothing of it is heard or woken any more. */
  isOver: boolean;
  windowStartMs: number;
  events: number;
  levels: number;
  readonly refused: Recent;
  readonly rescales: Recent;
}

/** Stands where the factory has not made the feed yet. */
const UNMADE: Feed = { id: '', start: () => Promise.resolve(), stop: () => Promise.resolve() };

/**
 * A feed that may be anybody's code, so that it harms nobody else: one that throws, hangs, floods,
 * sends what cannot be accepted or answers rubbish has failed, is stopped, and is heard no more.
 * To the engine it stays the same feed, however often a fresh one is started behind it.
 */
export class GuardedFeed implements Feed {
  readonly id: string;
  readonly source: FeedSource;
  readonly #options: GuardedFeedOptions;
  readonly #maxEvents: number;
  #run: Run | null = null;
  #log: FeedLog | null = null;
  readonly #moduleErrors = new Recent(REFUSED_WINDOW_MS);
  #isClosed = false;

  constructor(source: FeedSource, options: GuardedFeedOptions) {
    this.id = source.id;
    this.source = source;
    this.#options = options;
    this.#maxEvents = source.maxEventsPerSecond ?? MAX_EVENTS_PER_SECOND;
    source.module?.watch((error) => this.#onModuleError(error));
  }

  get stats(): Feed['stats'] {
    const figures = this.#ask((feed) => {
      const stats: unknown = feed.stats?.();
      if (typeof stats !== 'object' || stats === null) return undefined;
      const picked = emptyStats();
      for (const key of Object.keys(picked) as (keyof typeof picked)[]) {
        const figure = (stats as Record<string, unknown>)[key];
        picked[key] = isFiniteNumber(figure) ? figure : 0;
      }
      return picked;
    });
    return figures && (() => figures);
  }

  get reconnects(): Feed['reconnects'] {
    const count: unknown = this.#ask((feed) => feed.reconnects?.());
    return isFiniteNumber(count) ? () => count : undefined;
  }

  problems(): readonly string[] {
    const told = this.#ask((feed) => {
      const problems: unknown = feed.problems?.();
      const picked: string[] = [];
      if (!Array.isArray(problems)) return picked;
      for (let i = 0; i < MAX_PROBLEMS; i++) {
        const problem: unknown = problems[i];
        if (typeof problem === 'string') picked.push(problem.slice(0, MAX_PROBLEM_CHARS));
      }
      return picked;
    });
    return told ?? [];
  }

  /** @throws DepthwireError why it could not start; `onFailure` has been told already */
  async start(outside: EngineContext): Promise<void> {
    if (this.#run?.stopped) await this.#run.stopped;
    if (this.#isClosed) throw new DepthwireError('unavailable', `feed ${this.id} was stopped`);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => undefined); // mostly nobody waits for it any more
    const run: Run = {
      onUncaught: (error) => this.#onUncaught(run, error),
      feed: UNMADE,
      outside,
      instruments: new Map(),
      abortStart: aborted.reject,
      failure: null,
      stopped: null,
      isOver: false,
      windowStartMs: outside.clock.now(),
      events: 0,
      levels: 0,
      refused: new Recent(REFUSED_WINDOW_MS),
      rescales: new Recent(RESCALE_WINDOW_MS),
    };
    this.#run = run;
    const started = runAs(run, async () => {
      run.feed = this.source.create();
      return run.feed.start(this.#contextOf(run));
    });
    try {
      await this.#within(Promise.race([started, aborted.promise]), START_LIMIT_MS, 'start');
    } catch (error) {
      if (!run.stopped) this.#fail(run, error);
      throw run.failure ?? error;
    }
  }

  /** For good. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    if (this.#run) await this.#end(this.#run);
  }

  resync(instrument: InstrumentId, reason: string): void {
    const run = this.#alive;
    if (run) this.#call(run, () => run.feed.resync?.(instrument, reason));
  }

  /** @throws DepthwireError what the feed says is in the way; what is worse fails it */
  async candles(query: CandleQuery): Promise<Candle[]> {
    const run = this.#alive;
    if (!run || !this.#ask((feed) => typeof feed.candles === 'function')) return [];
    return this.#past(run, `candles of ${query.instrument}`, 'candles', async () =>
      checkCandles(await run.feed.candles!({ ...query }), query),
    );
  }

  get candlesEnd(): Feed['candlesEnd'] {
    return this.#ask((feed) => (feed.candlesEnd === 'now' ? 'now' : 'start'));
  }

  /** As `candles`; undefined while the feed has none to tell. */
  get trades(): Feed['trades'] {
    const run = this.#alive;
    if (!run || !this.#ask((feed) => typeof feed.trades === 'function')) return undefined;
    return (query: TradeQuery): Promise<PastTrades> =>
      this.#past(run, `trades of ${query.instrument}`, 'trades', async () =>
        checkTrades(await run.feed.trades!({ ...query }), query),
      );
  }

  /** @param asked in the feed's name, for the answer may be an object that runs code; a text is what is wrong with it */
  async #past<T extends object>(
    run: Run,
    what: string,
    kind: string,
    asked: () => Promise<T | string>,
  ): Promise<T> {
    let answer: T | string;
    try {
      answer = await this.#within(runAs(run, asked), PAST_LIMIT_MS, kind);
    } catch (error) {
      const failure = typedError(error);
      if (failure.code === 'feed_failed' || failure.code === 'feed_timeout') this.#fail(run, error);
      throw failure;
    }
    if (typeof answer !== 'string') return answer;
    const failure = new DepthwireError('feed_dishonest', `${what}: ${answer}`);
    this.#fail(run, failure);
    throw failure;
  }

  /** Whether it has candles is known once it has started, and `candles` is there all the time. */
  candlesFromS(instrument: InstrumentId): number | undefined {
    return this.#ask((feed) => {
      if (typeof feed.candles !== 'function') return Infinity;
      const fromS: unknown = feed.candlesFromS?.(instrument);
      return fromS === Infinity || isFiniteNumber(fromS) ? fromS : undefined;
    });
  }

  /** The engine could not accept an event of it. */
  onRefused(error: DepthwireError): void {
    const run = this.#alive;
    if (!run) return;
    const refused = run.refused.add(run.outside.clock.now());
    if (refused <= MAX_REFUSED) return;
    const message = `${refused} events refused within ${REFUSED_WINDOW_MS / 1000} s, lastly: ${error.message}`;
    this.#fail(run, new DepthwireError('feed_malformed', message));
  }

  #onUncaught(run: Run, error: unknown): void {
    if (run.failure || run.isOver) return; // a timer that the feed has left behind
    this.#tellUncaught(error, 'a feed did not catch an error');
    this.#fail(run, error);
  }

  /** All feeds of a module have failed with it, for what it does apart from them is part of each. */
  #onModuleError(error: unknown): void {
    if (this.#moduleErrors.add(this.#options.clock.now()) <= MAX_MODULE_ERRORS)
      this.#tellUncaught(error, 'the module of a feed did not catch an error');
    const run = this.#alive;
    if (run) this.#fail(run, error);
  }

  #tellUncaught(error: unknown, what: string): void {
    const { code, message } = typedError(error);
    this.#options.log.warn({ feed: this.id, code, reason: message, stack: stackOf(error) }, what);
  }

  get #alive(): Run | null {
    const run = this.#run;
    return run && !run.failure && !run.isOver ? run : null;
  }

  #contextOf(run: Run): FeedContext {
    const { clock, log } = run.outside;
    return {
      log: (this.#log ??= createFeedLog(log, this.id, this.#options.clock)),
      clock: {
        now: () => clock.now(),
        at: (timeMs, task): Timer => {
          if (typeof timeMs !== 'number' || Number.isNaN(timeMs) || typeof task !== 'function')
            throw new DepthwireError('feed_failed', 'clock.at: expected unix milliseconds and a function');
          return clock.at(timeMs, () => {
            if (!run.isOver) this.#call(run, task);
          });
        },
      },
      emit: (event) => this.#emit(run, event),
      fail: (error) => this.#fail(run, error),
    };
  }

  /** Throws once the feed has failed, which ends the loop of one that floods. */
  #emit(run: Run, event: FeedEvent): void {
    if (!run.failure && !run.isOver) {
      run.events += 1;
      this.#measure(run);
      if (!run.failure) {
        // Read in the feed's name, for an event may be an object that runs code, and even fails its feed.
        const read = readEvent(event);
        if (!run.isOver && this.#admits(run, read)) {
          try {
            // What the engine sets going is not the feed's: no timer of it runs in the feed's name.
            runAsServer(run.outside.accept, read);
          } catch (error) {
            this.#fail(run, error);
          }
        }
      }
    }
    if (run.failure) throw run.failure;
  }

  #admits(run: Run, read: FeedEvent | RefusedEvent): boolean {
    if (read.type === 'book-delta' || read.type === 'book-snapshot') {
      run.levels += (read.bids.length + read.asks.length) / 2;
      if (run.levels > this.#maxEvents * LEVELS_PER_EVENT) this.#measure(run);
    } else if (read.type === 'instrument' && !this.#hasRoom(run, read.instrument)) {
      return false;
    }
    return run.failure === null;
  }

  #measure(run: Run): void {
    const isOften = run.events > this.#maxEvents;
    const isMuch = run.levels > this.#maxEvents * LEVELS_PER_EVENT;
    if (!isOften && !isMuch && run.events % EVENTS_PER_LOOK !== 0) return;
    const now = run.outside.clock.now();
    if (Math.abs(now - run.windowStartMs) >= 1_000) {
      run.windowStartMs = now;
      run.events = run.levels = 0;
    } else if (isOften || isMuch) {
      const what = isOften
        ? `${this.#maxEvents} events`
        : `${this.#maxEvents * LEVELS_PER_EVENT} levels, the limit of ${this.#maxEvents} events`;
      this.#fail(run, new DepthwireError('feed_flooded', `over ${what} within a second`));
    }
  }

  #hasRoom(run: Run, { id, tick, lot }: Instrument): boolean {
    const { instruments } = run;
    const scales = [tick.units, tick.decimals, lot.units, lot.decimals].join();
    const before = instruments.get(id);
    if (before !== undefined || instruments.size < MAX_INSTRUMENTS) {
      instruments.set(id, scales);
      if (before !== undefined && before !== scales) this.#onRescale(run);
      return true;
    }
    this.onRefused(
      new DepthwireError('invalid_event', `${id} is past the limit of ${MAX_INSTRUMENTS} instruments`),
    );
    return false;
  }

  #onRescale(run: Run): void {
    if (run.rescales.add(run.outside.clock.now()) <= MAX_RESCALES + run.instruments.size) return;
    const message = `over ${MAX_RESCALES} changes of tick or lot within ${RESCALE_WINDOW_MS / 1000} s`;
    this.#fail(run, new DepthwireError('feed_flooded', message));
  }

  /** Runs a piece of the feed's code; what it throws, at once or later, is its failure. */
  #call(run: Run, task: () => unknown): void {
    try {
      const result = runAs(run, task);
      if (result instanceof Promise) result.catch((error: unknown) => this.#fail(run, error));
    } catch (error) {
      this.#fail(run, error);
    }
  }

  /** What a feed tells of itself; nothing where it throws. */
  #ask<T>(question: (feed: Feed) => T): T | undefined {
    const run = this.#alive;
    if (!run) return undefined;
    try {
      return runAs(run, () => question(run.feed));
    } catch (error) {
      this.#fail(run, error);
      return undefined;
    }
  }

  #fail(run: Run, error: unknown): void {
    if (run.failure || run.isOver || run.stopped) return;
    const failure = typedError(error);
    run.failure = failure;
    run.abortStart(failure);
    void this.#end(run);
    this.#options.onFailure(failure);
  }

  /** Stops the feed, and waits for it no longer than it may take. */
  #end(run: Run): Promise<void> {
    run.stopped ??= (async () => {
      run.abortStart(new DepthwireError('unavailable', `feed ${this.id} was stopped`));
      // Not at once: the feed may be in the middle of what it failed in.
      const stopped = runAs(run, () => Promise.resolve().then(() => run.feed.stop()));
      try {
        await this.#within(stopped, STOP_LIMIT_MS, 'stop');
      } catch (error) {
        const { code, message } = typedError(error);
        this.#options.log.warn({ feed: this.id, code, reason: message }, 'feed did not stop');
      }
      run.isOver = true;
    })();
    return run.stopped;
  }

  async #within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    promise.catch(() => undefined); // it may fail after nobody waits for it any more
    const { clock } = this.#options;
    const timer = clock.at(clock.now() + limitMs, () =>
      late.reject(new DepthwireError('feed_timeout', `${what} took longer than ${limitMs / 1000} s`)),
    );
    try {
      return await Promise.race([promise, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}

/** How often something happened lately, in windows of a fixed length. */
class Recent {
  readonly #windowMs: number;
  #sinceMs = -Infinity;
  #count = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @returns how often by now, this time included */
  add(nowMs: number): number {
    // A clock that was set back begins a window, too.
    if (Math.abs(nowMs - this.#sinceMs) > this.#windowMs) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    return (this.#count += 1);
  }
}

const isFiniteNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);
