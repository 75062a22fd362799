import {
  DepthwireError,
  type BookView,
  type ClientView,
  type Instrument,
  type TradesView,
} from '@depthwire/shared';
import { DEPTH_PERIOD_MS, type DepthColumn } from '@depthwire/shared/depth';
import { fetchDepthHistory, type DepthHistoryQuery } from '../../state/rest.ts';
import type { DepthColumns } from './depth-columns.ts';
import { LiveColumns } from './live-columns.ts';

/** The whole book, four times a second: columns hold what lies far from the touch too. */
const BOOK = { depth: 0, cadenceMs: 250 };
/** Columns of a page: 15 minutes, 0.1 to 0.2 MB. */
const PAGE = 900;
/** A live column that lies further back than this begins a new history: a recording that starts over. */
const MAX_BACK = 5;

export type HistoryState =
  | { readonly kind: 'loading' | 'ready' }
  /** This reader may not have it. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The server keeps none. */
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export interface HeatmapFeedEvents {
  /** Columns came, or all of them went; `to` is exclusive. */
  onColumns(from: number, to: number): void;
  onHistory(state: HistoryState): void;
  /** The book of now changed, or its state. */
  onBook(book: BookView): void;
}

/** The columns of one instrument: live ones, and those of the past hour as they are asked for. */
export class HeatmapFeed {
  readonly columns: DepthColumns;
  readonly book: BookView;
  /** Whether the server has nothing before the oldest column here. */
  hasAll = false;
  history: HistoryState = { kind: 'loading' };
  readonly #instrument: Instrument;
  readonly #events: HeatmapFeedEvents;
  readonly #trades: TradesView;
  readonly #live: LiveColumns;
  readonly #offs: (() => void)[];
  /** Of the newest page, ticks. */
  #step: number | null = null;
  /** Before which period the server was not asked yet. */
  #askedTo: number | null = null;
  #isLoading = false;
  /** Holes that appeared while something was loading: the server may know what was there. */
  #gap: { from: number; to: number } | null = null;
  #isClosed = false;

  constructor(client: ClientView, instrument: Instrument, columns: DepthColumns, events: HeatmapFeedEvents) {
    this.#instrument = instrument;
    this.#events = events;
    this.columns = columns;
    this.book = client.book(instrument.id, BOOK);
    this.#trades = client.trades(instrument.id);
    this.#live = new LiveColumns(this.book, this.#trades, {
      step: () => this.#step,
      now: () => Date.now(),
      onColumn: (column) => this.#onLive(column),
    });
    const tell = () => events.onBook(this.book);
    this.#offs = [
      this.book.on('change', tell),
      this.book.on('state', tell),
      // Another server, or another key, may answer otherwise.
      this.book.on('ready', () => this.history.kind !== 'ready' && void this.load()),
    ];
    void this.load();
  }

  close(): void {
    this.#isClosed = true;
    for (const off of this.#offs) off();
    this.#live.close();
    this.#trades.close();
    this.book.close();
  }

  /** The newest page, at first and after a failure. */
  async load(): Promise<void> {
    await this.#fetch({ limit: PAGE });
  }

  /** Fetches what is before the columns that are here, unless that is under way or there is nothing. */
  loadOlder(): void {
    if (this.hasAll || this.history.kind !== 'ready' || this.#askedTo === null) return;
    void this.#fetch({ limit: PAGE, before: this.#askedTo * DEPTH_PERIOD_MS });
  }

  async #fetch(query: DepthHistoryQuery): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#tell({ kind: 'loading' });
    try {
      const page = await fetchDepthHistory(this.#instrument, query);
      if (this.#isClosed) return;
      const isNewest = query.from === undefined && query.before === undefined;
      this.#take(page.columns, isNewest);
      if (query.from === undefined) {
        this.hasAll = !page.hasMore;
        const first = page.columns[0];
        if (first) this.#askedTo = first.time / DEPTH_PERIOD_MS;
        if (isNewest) this.#step = page.step;
      }
      this.#tell({ kind: 'ready' });
    } catch (error) {
      if (!this.#isClosed) this.#tell(failureOf(error));
    } finally {
      this.#isLoading = false;
      if (!this.#isClosed) this.#closeGap();
    }
  }

  #take(columns: readonly DepthColumn[], isNewest: boolean): void {
    const first = columns[0];
    const last = columns.at(-1);
    if (!first || !last) return;
    const firstLive = this.columns.oldest;
    for (const column of columns) this.columns.put(column);
    const end = last.time / DEPTH_PERIOD_MS + 1;
    // Live columns began after the page was made.
    if (isNewest && firstLive !== null && firstLive > end) this.#noteGap(end, firstLive);
    this.#events.onColumns(first.time / DEPTH_PERIOD_MS, end);
  }

  #onLive(column: DepthColumn): void {
    const period = column.time / DEPTH_PERIOD_MS;
    const { newest } = this.columns;
    if (newest !== null && period < newest - MAX_BACK) {
      this.columns.clear();
      this.#gap = null;
      this.hasAll = true;
    } else if (newest !== null && period > newest + 1) this.#noteGap(newest + 1, period);
    this.columns.put(column);
    this.#events.onColumns(period, period + 1);
    this.#closeGap();
  }

  #noteGap(from: number, to: number): void {
    this.#gap = { from: Math.min(from, this.#gap?.from ?? from), to: Math.max(to, this.#gap?.to ?? to) };
  }

  #closeGap(): void {
    const gap = this.#gap;
    if (!gap || this.#isLoading || this.history.kind !== 'ready') return;
    this.#gap = null;
    const limit = Math.min(3_600, gap.to - gap.from);
    void this.#fetch({ limit, from: gap.from * DEPTH_PERIOD_MS, before: gap.to * DEPTH_PERIOD_MS });
  }

  #tell(state: HistoryState): void {
    this.history = state;
    this.#events.onHistory(state);
  }
}

function failureOf(error: unknown): HistoryState {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof DepthwireError ? error.code : 'internal';
  if (code === 'forbidden') return { kind: 'refused', message };
  if (code === 'not_found') return { kind: 'absent', message };
  return { kind: 'failed', message };
}
