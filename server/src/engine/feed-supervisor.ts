import type { Clock, DepthwireError, EpochMs, ErrorCode, Timer } from '@depthwire/shared';
import type { Feed, FeedLog } from '@depthwire/feeds';
import type { Engine } from './engine.ts';
import { isFeedSource, type FeedSource } from './feed-source.ts';
import { GuardedFeed } from './guarded-feed.ts';
import { typedError } from './typed-error.ts';

/** Wait before a feed that failed is tried again, doubled each time. */
const RETRY_BASE_MS = 2_000;
const RETRY_MAX_MS = 60_000;
/** A feed that ran this long starts its tries anew. */
const STABLE_AFTER_MS = 300_000;
/** Longest wait that a venue may ask for. */
const MAX_ASKED_WAIT_MS = 3_600_000;
/** What only another configuration can mend: trying again is of no use. */
const configErrors: ReadonlySet<ErrorCode> = new Set([
  'invalid_config',
  'invalid_argument',
  'missing_package',
  'unknown_feed',
  'unknown_symbol',
  'unknown_venue',
]);

/** Whether a feed runs; how its books are is told by their own states. */
export interface FeedStatus {
  readonly state: 'starting' | 'running' | 'failed';
  readonly sinceMs: EpochMs;
  /** Why it failed, the last time it was tried. */
  readonly error: DepthwireError | null;
  /** When it is tried again; null while it is being tried, and where that is of no use. */
  readonly retryAtMs: EpochMs | null;
}

export interface FeedSupervisorOptions {
  readonly engine: Engine;
  /** The machine's clock: a venue that is away is away in real time. */
  readonly clock: Clock;
  readonly log: FeedLog;
}

interface Supervised {
  readonly feed: GuardedFeed;
  /** Whether there can be another one after this. */
  readonly isRenewable: boolean;
  status: FeedStatus;
  /** Failures in a row. */
  attempt: number;
  /** Failures in all. */
  failures: number;
  retry: Timer | null;
}

/** Starts feeds, each by itself: one that fails is begun anew, later each time, and holds up nobody else. */
export class FeedSupervisor {
  readonly #options: FeedSupervisorOptions;
  readonly #supervised: Supervised[] = [];
  #isStopped = false;

  constructor(options: FeedSupervisorOptions) {
    this.#options = options;
  }

  get statuses(): ReadonlyMap<Feed, FeedStatus> {
    return new Map(this.#supervised.map(({ feed, status }) => [feed, status]));
  }

  /**
   * @returns once each feed has started, or waits for its next try
   * @throws DepthwireError of the first one whose configuration is wrong, unless it is plugged in, and of
   *   one that failed and cannot be tried again because it was handed over by itself
   */
  async start(feeds: readonly (Feed | FeedSource)[]): Promise<void> {
    const supervised = feeds.map((feed) => this.#supervise(feed));
    this.#supervised.push(...supervised);
    await Promise.all(supervised.map((one) => this.#start(one)));
  }

  /** Tries nothing any more; the feeds themselves are the engine's to stop. */
  stop(): void {
    this.#isStopped = true;
    for (const { retry } of this.#supervised) retry?.cancel();
  }

  #supervise(feed: Feed | FeedSource): Supervised {
    const { clock, log } = this.#options;
    const isRenewable = isFeedSource(feed);
    const source = isRenewable ? feed : { id: feed.id, create: () => feed };
    const one: Supervised = {
      feed: new GuardedFeed(source, {
        clock,
        log,
        onFailure: (error) => this.#onFailure(one, error),
      }),
      isRenewable,
      status: { state: 'starting', sinceMs: clock.now(), error: null, retryAtMs: null },
      attempt: 0,
      failures: 0,
      retry: null,
    };
    return one;
  }

  async #start(one: Supervised): Promise<void> {
    const { engine, log } = this.#options;
    const { feed, status } = one;
    const { failures } = one;
    this.#set(one, status.state, status.error);
    const { isPluggedIn } = feed.source;
    try {
      await engine.addFeed(feed, { isPluggedIn, onRefused: (error) => feed.onRefused(error) });
    } catch (error) {
      if (this.#isStopped) return;
      if (one.failures === failures) this.#onFailure(one, typedError(error));
      if (one.status.retryAtMs === null && !feed.source.isPluggedIn) throw error;
      return;
    }
    if (this.#isStopped || one.failures !== failures) return; // it failed while its history was loaded
    this.#set(one, 'running');
    log.info({ feed: feed.id }, 'feed started');
    engine.loseGone(feed);
  }

  #onFailure(one: Supervised, error: DepthwireError): void {
    if (this.#isStopped) return;
    one.failures += 1;
    const { clock, log, engine } = this.#options;
    const { feed, status } = one;
    const reason = `feed ${feed.id} failed: ${error.message}`.slice(0, 500);
    engine.loseBooks(feed, reason);
    if (status.state === 'running' && clock.now() - status.sinceMs >= STABLE_AFTER_MS) one.attempt = 0;
    const isOfUse = feed.source.isPluggedIn || !configErrors.has(error.code);
    if (!one.isRenewable || !isOfUse) {
      log.error({ feed: feed.id, code: error.code, reason: error.message }, 'feed given up');
      this.#set(one, 'failed', error);
      return;
    }
    const { retryAfterMs } = error.details;
    const askedMs = typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0;
    const ownMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** one.attempt);
    const retryInMs = Math.max(ownMs, Math.min(MAX_ASKED_WAIT_MS, askedMs));
    const retryAtMs = (clock.now() + retryInMs) as EpochMs;
    one.attempt += 1;
    this.#set(one, 'failed', error, retryAtMs);
    log.error({ feed: feed.id, code: error.code, reason: error.message, retryInMs }, 'feed failed');
    one.retry = clock.at(retryAtMs, () => {
      this.#start(one).catch(() => undefined); // it has been told, and is given up
    });
  }

  #set(
    one: Supervised,
    state: FeedStatus['state'],
    error: DepthwireError | null = null,
    retryAtMs: EpochMs | null = null,
  ): void {
    const sinceMs = one.status.state === state ? one.status.sinceMs : this.#options.clock.now();
    one.status = { state, sinceMs, error, retryAtMs };
  }
}
