import type { BookState } from '@depthwire/shared';
import type { Feed } from '@depthwire/feeds';
import type { Engine } from './engine.ts';
import type { FeedStatus, FeedSupervisor } from './feed-supervisor.ts';
import type { BusReport, FeedReport, MarketSource } from './market-source.ts';

/** Books that are not live, named for each feed. */
const MAX_TROUBLES = 100;
/** What an operator should mend, named for each feed. */
const MAX_PROBLEMS = 20;

/** The markets of this process's own engine, and its feeds. */
export class EngineSource implements MarketSource {
  readonly #engine: Engine;
  readonly #supervisor: FeedSupervisor;
  readonly #busReport: () => BusReport | null;

  constructor(engine: Engine, supervisor: FeedSupervisor, busReport: () => BusReport | null = () => null) {
    this.#engine = engine;
    this.#supervisor = supervisor;
    this.#busReport = busReport;
  }

  get markets(): MarketSource['markets'] {
    return this.#engine.markets;
  }

  /** A venue that is away keeps no clients of others away. */
  readonly hasBegun = true;

  countBooks(): Record<BookState, number> {
    return this.#engine.countBooks();
  }

  feedReports(): FeedReport[] {
    return [...this.#supervisor.statuses].map(([feed, status]) => this.#reportOf(feed, status));
  }

  busReport(): BusReport | null {
    return this.#busReport();
  }

  #reportOf(feed: Feed, { state, sinceMs, error, retryAtMs }: FeedStatus): FeedReport {
    const engine = this.#engine;
    const { events = 0, refused = 0, quality } = engine.feeds.get(feed) ?? {};
    return {
      id: feed.id,
      state,
      since: Math.floor(sinceMs),
      error: error && { code: error.code, message: error.message, retry: error.retry },
      retryAt: retryAtMs === null ? null : Math.floor(retryAtMs),
      books: engine.countBooks(feed),
      events,
      refused,
      problems: [...engine.conflictsOf(feed), ...(feed.problems?.() ?? [])].slice(0, MAX_PROBLEMS),
      ...quality?.figures(),
      source: feed.stats?.() ?? null,
      reconnects: feed.reconnects?.() ?? null,
      troubles: engine
        .marketsOf(feed)
        .filter((market) => market.state !== 'live')
        .slice(0, MAX_TROUBLES)
        .map((market) => ({
          instrument: market.instrument.id,
          state: market.state,
          reason: market.reason,
          since: Math.floor(market.stateSinceMs),
        })),
    };
  }
}
