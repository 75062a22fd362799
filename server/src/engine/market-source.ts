import type { BookState, ErrorCode, InstrumentId } from '@depthwire/shared';
import type { SessionStats } from '@depthwire/feeds';
import type { FeedFigures } from './feed-quality.ts';
import type { FeedStatus } from './feed-supervisor.ts';
import type { MarketView } from './market.ts';

/** How a feed does: plain data, as it is told to operators and goes from one process to another. */
export interface FeedReport extends Partial<FeedFigures> {
  readonly id: string;
  readonly state: FeedStatus['state'];
  /** Unix milliseconds. */
  readonly since: number;
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly retry: boolean } | null;
  readonly retryAt: number | null;
  readonly books: Record<BookState, number>;
  readonly events: number;
  readonly refused: number;
  readonly problems: string[];
  readonly source: SessionStats | null;
  readonly reconnects: number | null;
  /** Books that are not live. */
  readonly troubles: {
    readonly instrument: InstrumentId;
    readonly state: BookState;
    readonly reason: string | null;
    readonly since: number;
  }[];
}

/** How the bus does, as this process sees it. */
export interface BusReport {
  /** Of this process, which others see as leader where it leads; null for a gateway, which never does. */
  readonly name: string | null;
  readonly connected: boolean;
  readonly feeds: {
    readonly feed: string;
    /** Who leads it, as far as is known; null for nobody. */
    readonly leader: string | null;
    readonly epoch: number | null;
    /** At a gateway: lanes that are not heard. */
    readonly silentLanes: number;
  }[];
}

/** Where clients are served from: the engine of this process, or what a bus tells of others'. */
export interface MarketSource {
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  /** Whether there is anything to serve yet; whatever becomes of it later. */
  readonly hasBegun: boolean;
  /** How many books are in each state. */
  countBooks(): Record<BookState, number>;
  feedReports(): FeedReport[];
  /** Null where there is no bus. */
  busReport(): BusReport | null;
}
