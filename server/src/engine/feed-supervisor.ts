import {
  toDepthwireError,
  type Clock,
  type DepthwireError,
  type EpochMs,
  type Timer,
} from '@depthwire/shared';
import type { Feed, FeedLog } from '@depthwire/feeds';
import type { Engine } from './engine.ts';

/** Wait before a feed that could not start is tried again, doubled each time. */
const RETRY_BASE_MS = 2_000;
const RETRY_MAX_MS = 60_000;

/** Whether a feed has started; how its books are is told by their own states. */
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

/** Starts feeds, each by itself: one that cannot start for now is tried again, and holds up nobody else. */
export class FeedSupervisor {
  readonly #options: FeedSupervisorOptions;
  readonly #statuses = new Map<Feed, FeedStatus>();
  readonly #retries = new Map<Feed, Timer>();
  #isStopped = false;

  constructor(options: FeedSupervisorOptions) {
    this.#options = options;
  }

  get statuses(): ReadonlyMap<Feed, FeedStatus> {
    return this.#statuses;
  }

  /**
   * @returns once each feed has started, or waits for its next try
   * @throws DepthwireError of the first one for which trying again is of no use
   */
  async start(feeds: readonly Feed[]): Promise<void> {
    await Promise.all(feeds.map((feed) => this.#start(feed, 0)));
  }

  /** Tries nothing any more; the feeds themselves are the engine's to stop. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#retries.values()) timer.cancel();
    this.#retries.clear();
  }

  async #start(feed: Feed, attempt: number): Promise<void> {
    const { engine, log } = this.#options;
    const before = this.#statuses.get(feed);
    this.#set(feed, before?.state ?? 'starting', before?.error);
    try {
      await engine.addFeed(feed);
    } catch (error) {
      if (this.#isStopped) return; // it was stopped in the middle of its start
      const typed = toDepthwireError(error);
      if (!typed.retry) {
        this.#set(feed, 'failed', typed);
        throw error;
      }
      this.#retry(feed, attempt, typed);
      return;
    }
    if (this.#isStopped) return;
    this.#set(feed, 'running');
    log.info({ feed: feed.id }, 'feed started');
  }

  #retry(feed: Feed, attempt: number, error: DepthwireError): void {
    const { clock, log } = this.#options;
    const retryInMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** attempt);
    const retryAtMs = (clock.now() + retryInMs) as EpochMs;
    this.#set(feed, 'failed', error, retryAtMs);
    log.error({ feed: feed.id, code: error.code, reason: error.message, retryInMs }, 'feed could not start');
    const timer = clock.at(retryAtMs, () => {
      this.#start(feed, attempt + 1).catch((cause: unknown) =>
        log.error({ feed: feed.id, err: cause }, 'feed given up'),
      );
    });
    this.#retries.set(feed, timer);
  }

  #set(
    feed: Feed,
    state: FeedStatus['state'],
    error: DepthwireError | null = null,
    retryAtMs: EpochMs | null = null,
  ): void {
    const before = this.#statuses.get(feed);
    const sinceMs = before?.state === state ? before.sinceMs : this.#options.clock.now();
    this.#statuses.set(feed, { state, sinceMs, error, retryAtMs });
  }
}
