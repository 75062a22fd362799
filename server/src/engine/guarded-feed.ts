import { AsyncLocalStorage } from 'node:async_hooks';
import { emptyStats, type CandleQuery, type Feed, type FeedContext, type FeedLog } from '@depthwire/feeds';
import {
  DepthwireError,
  type Candle,
  type Clock,
  type FeedEvent,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import { checkCandles } from './candle-checks.ts';
import type { FeedSource } from './feed-source.ts';

/** A venue's metadata may take a few paced requests. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
const CANDLES_LIMIT_MS = 30_000;
/** Events in a second of the market clock, unless the source says otherwise. */
const MAX_EVENTS_PER_SECOND = 500_000;
/** Levels for each of those events: a burst of snapshots is no flood. */
const LEVELS_PER_EVENT = 20;
/** The clock is asked so often, in events: once for each would cost more than the events do. */
const EVENTS_PER_LOOK = 256;
/** Refused events in as many milliseconds that a feed may still be forgiven. */
const MAX_REFUSED = 50;
const REFUSED_WINDOW_MS = 10_000;
/** Instruments of one feed: it shall not take the room of all others. */
const MAX_INSTRUMENTS = 5_000;
const MAX_MESSAGE_CHARS = 400;

export interface GuardedFeedOptions {
  /** The machine's clock: time limits are in real time. */
  readonly clock: Clock;
  readonly log: FeedLog;
  /** The feed is of no use any more, and is being stopped. */
  onFailure(error: DepthwireError): void;
}

/** One feed of the source, from its start to its end. */
interface Run {
  readonly owner: GuardedFeed;
  readonly feed: Feed;
  readonly outside: FeedContext;
  readonly instruments: Set<InstrumentId>;
  /** Ends the wait for `start`. */
  readonly abortStart: (error: DepthwireError) => void;
  failure: DepthwireError | null;
  stopped: Promise<void> | null;
  /** Nothing of it is heard or woken any more. */
  isOver: boolean;
  windowStartMs: number;
  events: number;
  levels: number;
  refused: number;
  refusedSinceMs: number;
}

/** Whose code is running, in whatever callback: an error that nobody caught is told by it whom it came from. */
const running = new AsyncLocalStorage<Run | undefined>();

/**
 * Takes an error that nobody caught for the failure of the feed in whose callback it was thrown.
 * @returns false where that was no feed's
 */
export function blameFeed(error: unknown): boolean {
  const run = running.getStore();
  run?.owner.onUncaught(run, error);
  return run !== undefined;
}

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
  #isClosed = false;

  constructor(source: FeedSource, options: GuardedFeedOptions) {
    this.id = source.id;
    this.source = source;
    this.#options = options;
    this.#maxEvents = source.maxEventsPerSecond ?? MAX_EVENTS_PER_SECOND;
  }

  /** Instruments that the feed has announced since its last start. */
  get instruments(): ReadonlySet<InstrumentId> {
    return this.#run?.instruments ?? new Set();
  }

  get stats(): Feed['stats'] {
    const stats = this.#ask((feed) => feed.stats?.());
    if (typeof stats !== 'object' || stats === null) return undefined;
    const figures = emptyStats();
    for (const key of Object.keys(figures) as (keyof typeof figures)[])
      figures[key] = Number.isFinite(stats[key]) ? stats[key] : 0;
    return () => figures;
  }

  get reconnects(): Feed['reconnects'] {
    const count = this.#ask((feed) => feed.reconnects?.());
    return Number.isFinite(count) ? () => count! : undefined;
  }

  /** @throws DepthwireError why it could not start; `onFailure` has been told already */
  async start(outside: FeedContext): Promise<void> {
    if (this.#run?.stopped) await this.#run.stopped;
    if (this.#isClosed) throw new DepthwireError('unavailable', `feed ${this.id} was stopped`);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => undefined); // mostly nobody waits for it any more
    let feed: Feed;
    try {
      feed = this.source.create();
    } catch (error) {
      const failure = this.#typed(error);
      this.#options.onFailure(failure);
      throw failure;
    }
    const run: Run = {
      owner: this,
      feed,
      outside,
      instruments: new Set(),
      abortStart: aborted.reject,
      failure: null,
      stopped: null,
      isOver: false,
      windowStartMs: outside.clock.now(),
      events: 0,
      levels: 0,
      refused: 0,
      refusedSinceMs: -Infinity,
    };
    this.#run = run;
    const started = running.run(run, async () => feed.start(this.#contextOf(run)));
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
    if (!run?.feed.candles) return [];
    let answer: unknown;
    try {
      const asked = running.run(run, async () => run.feed.candles!({ ...query }));
      answer = await this.#within(asked, CANDLES_LIMIT_MS, 'candles');
    } catch (error) {
      if (!(error instanceof DepthwireError) || error.code === 'feed_timeout') this.#fail(run, error);
      throw this.#typed(error);
    }
    const candles = checkCandles(answer, query);
    if (typeof candles !== 'string') return candles;
    const failure = new DepthwireError('feed_dishonest', `candles of ${query.instrument}: ${candles}`);
    this.#fail(run, failure);
    throw failure;
  }

  /** The engine could not accept an event of it. */
  onRefused(error: DepthwireError): void {
    const run = this.#alive;
    if (!run) return;
    const now = run.outside.clock.now();
    if (now - run.refusedSinceMs > REFUSED_WINDOW_MS) {
      run.refusedSinceMs = now;
      run.refused = 0;
    }
    run.refused += 1;
    if (run.refused <= MAX_REFUSED) return;
    const message = `${run.refused} events refused within ${REFUSED_WINDOW_MS / 1000} s, lastly: ${error.message}`;
    this.#fail(run, new DepthwireError('feed_malformed', message));
  }

  onUncaught(run: Run, error: unknown): void {
    if (run.failure || run.isOver) return; // a timer that the feed has left behind
    this.#options.log.warn({ feed: this.id, err: error }, 'a feed did not catch an error');
    this.#fail(run, error);
  }

  get #alive(): Run | null {
    const run = this.#run;
    return run && !run.failure && !run.isOver ? run : null;
  }

  #contextOf(run: Run): FeedContext {
    const { clock, log } = run.outside;
    return {
      log,
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
      this.#measure(run, event);
      if (!run.failure && this.#hasRoom(run, event)) {
        try {
          // What the engine sets going is not the feed's: no timer of it runs in the feed's name.
          running.run(undefined, () => run.outside.emit(event));
        } catch (error) {
          this.#fail(run, error);
        }
      }
    }
    if (run.failure) throw run.failure;
  }

  #measure(run: Run, event: FeedEvent): void {
    run.events += 1;
    const { bids, asks } = (event ?? {}) as { bids?: ArrayLike<number>; asks?: ArrayLike<number> };
    run.levels += ((bids?.length ?? 0) + (asks?.length ?? 0)) / 2;
    const isOften = run.events > this.#maxEvents;
    const isMuch = run.levels > this.#maxEvents * LEVELS_PER_EVENT;
    if (!isOften && !isMuch && run.events % EVENTS_PER_LOOK !== 0) return;
    const now = run.outside.clock.now();
    if (now - run.windowStartMs >= 1_000) {
      run.windowStartMs = now;
      run.events = run.levels = 0;
    } else if (isOften || isMuch) {
      const what = isOften
        ? `${this.#maxEvents} events`
        : `${this.#maxEvents * LEVELS_PER_EVENT} levels, the limit of ${this.#maxEvents} events`;
      this.#fail(run, new DepthwireError('feed_flooded', `over ${what} within a second`));
    }
  }

  #hasRoom({ instruments }: Run, event: FeedEvent): boolean {
    const id: unknown = event?.type === 'instrument' ? event.instrument?.id : null;
    if (typeof id !== 'string' || instruments.has(id)) return true;
    if (instruments.size < MAX_INSTRUMENTS) {
      instruments.add(id);
      return true;
    }
    this.onRefused(
      new DepthwireError('invalid_event', `${id} is past the limit of ${MAX_INSTRUMENTS} instruments`),
    );
    return false;
  }

  /** Runs a piece of the feed's code; what it throws, at once or later, is its failure. */
  #call(run: Run, task: () => unknown): void {
    try {
      const result = running.run(run, task);
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
      return running.run(run, () => question(run.feed));
    } catch (error) {
      this.#fail(run, error);
      return undefined;
    }
  }

  #fail(run: Run, error: unknown): void {
    if (run.failure || run.isOver || run.stopped) return;
    const failure = this.#typed(error);
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
      const stopped = running.run(run, () => Promise.resolve().then(() => run.feed.stop()));
      try {
        await this.#within(stopped, STOP_LIMIT_MS, 'stop');
      } catch (error) {
        const { code, message } = this.#typed(error);
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

  /** Any thrown value, be it made to make trouble, as a typed error. */
  #typed(error: unknown): DepthwireError {
    if (error instanceof DepthwireError) return error;
    let message = 'it threw what cannot be shown';
    try {
      message = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`;
    } catch {
      // shown as what cannot be
    }
    return new DepthwireError('feed_failed', message.slice(0, MAX_MESSAGE_CHARS), {}, error);
  }
}
