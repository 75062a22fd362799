import {
  LatencyMeter,
  type BookState,
  type BookSubscription,
  type Instrument,
  type Latency,
  type StatusSubscription,
  type Ticker,
  type TickerSubscription,
  type TradesSubscription,
  type MergedTrades,
} from '@depthwire/shared';
import type { Connection } from './connection.svelte.ts';
import { cancelFrame, requestFrame, whenIdle } from './frames.ts';
import { freshnessOf, type Conflated, type Freshness } from './freshness.ts';

/** How long the tape says that trades are not listed, by the times of the trades. */
const MERGED_SHOWN_MS = 60_000;
/** How long after a merged frame a book is said to be conflated, milliseconds. */
const CONFLATED_FOR_MS = 5_000;
const BOOK_DEPTH = 200;
const BOOK_CADENCE_MS = 100;
const TICKER_CADENCE_MS = 100;
/** Figures for reading, not for following: twice a second is enough. */
const FIGURES_MS = 500;
/** Selections that follow each other faster (a held arrow key) wait for the last of them. */
const SETTLE_MS = 150;
/** What waits for the first book waits no longer than this. */
const FIRST_BOOK_MS = 1500;

/** How the book came to this page. */
export interface BookFigures {
  /** Engine updates that the newest frame merged. */
  readonly merged: number;
  readonly ageMs: number;
  readonly lagMs: number | null;
  readonly verified: number;
  readonly resyncs: number;
  readonly levels: number;
  readonly latency: Latency | null;
}

/** The subscriptions of the selected instrument, which all panels share. */
export class Market {
  instrument = $state.raw<Instrument | null>(null);
  ticker = $state.raw<Ticker | null>(null);
  /** Where the last price came from: 1 above, -1 below, 0 not known. */
  direction = $state<-1 | 0 | 1>(0);
  bookState = $state<BookState>('syncing');
  bookReason = $state<string | null>(null);
  hasBook = $state(false);
  hasTrades = $state(false);
  status = $state.raw<{ state: BookState; sinceMs: number | null; reason: string | null } | null>(null);
  figures = $state.raw<BookFigures | null>(null);
  /** Trades that came as sums alone, because the connection did not keep up; null where the last are long ago. */
  conflated = $state.raw<(Conflated & { readonly timeMs: number }) | null>(null);
  mergedTrades = $state.raw<(MergedTrades & { readonly timeMs: number }) | null>(null);

  book: BookSubscription | null = null;
  trades: TradesSubscription | null = null;
  /** The first book is drawn and the page has time again, or none came: what is heavy and can wait follows. */
  readonly firstBook: Promise<void>;
  #tellFirstBook: () => void = () => {};

  readonly #connection: Connection;
  readonly #bookDraws = new Set<() => void>();
  readonly #tradeDraws = new Set<() => void>();
  #closers: (() => void)[] = [];
  #bookOff: (() => void)[] = [];
  #pendingBook: BookSubscription | null = null;
  #meter: LatencyMeter | null = null;
  #depth = BOOK_DEPTH;
  #selectedAtMs = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.firstBook = new Promise((resolve) => {
      this.#tellFirstBook = () => whenIdle(resolve);
    });
  }

  start(): () => void {
    const timer = setInterval(() => this.#readFigures(), FIGURES_MS);
    const overdue = setTimeout(this.#tellFirstBook, FIRST_BOOK_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(overdue);
      clearTimeout(this.#settle);
      this.#close();
    };
  }

  select(instrument: Instrument): void {
    const now = performance.now();
    const isHasty = now - this.#selectedAtMs < SETTLE_MS;
    this.#selectedAtMs = now;
    clearTimeout(this.#settle);
    this.#close();
    this.instrument = instrument;
    if (isHasty) this.#settle = setTimeout(() => this.#open(instrument), SETTLE_MS);
    else this.#open(instrument);
  }

  /** Calls `draw` in the frame after the book changed, and once soon; returns how to stop. */
  onBook(draw: () => void): () => void {
    return listen(this.#bookDraws, draw);
  }

  onTrades(draw: () => void): () => void {
    return listen(this.#tradeDraws, draw);
  }

  /** Levels a side that the current subscription was granted; null while there is none. */
  get grantedDepth(): number | null {
    return this.book?.granted?.depth ?? null;
  }

  /**
   * Asks for the next larger depth the server offers, when a view found the book too shallow. The
   * old subscription serves until the new one has its book.
   */
  deepen(): void {
    const { instrument } = this;
    const depths = this.#connection.hello?.depths;
    if (!instrument || !depths || this.#pendingBook || this.#depth === 0) return;
    const deeper = depths.filter((depth) => depth > this.#depth).sort((a, b) => a - b)[0];
    if (deeper === undefined && !depths.includes(0)) return;
    this.#depth = deeper ?? 0;
    const pending = this.#connection.client.book(instrument.id, {
      depth: this.#depth,
      cadenceMs: BOOK_CADENCE_MS,
    });
    this.#pendingBook = pending;
    const off = pending.on('change', () => {
      off();
      if (this.#pendingBook !== pending) return;
      this.#pendingBook = null;
      this.#closeBook();
      this.#useBook(pending);
    });
  }

  freshness(kind: 'book' | 'trades' | 'status'): Freshness {
    const { status, bookState, bookReason } = this;
    // The replica knows best whether it can be trusted; the server knows since when a feed is silent.
    const isReplicaOff = kind === 'book' && (bookState === 'recovering' || bookState === 'syncing');
    const state = kind === 'book' || !status ? bookState : status.state;
    return freshnessOf({
      isOpen: this.#connection.isOpen,
      lostAtMs: this.#connection.lostAtMs,
      hasData: kind === 'trades' ? this.hasTrades : this.hasBook,
      state,
      sinceMs: isReplicaOff ? null : (status?.sinceMs ?? null),
      reason: (kind === 'book' ? bookReason : null) ?? status?.reason ?? null,
      conflated: kind === 'book' ? this.conflated : null,
    });
  }

  /** The market clock, unix milliseconds: the recorded time in a replay, and the last of it once that has ended. */
  timeMs(nowMs: number): number | null {
    const { hasEnded, sinceMs } = this.freshness('status');
    if (hasEnded && sinceMs !== null) return sinceMs;
    const { book } = this;
    if (book && book.receivedAtMs !== null && book.replica.timeMs > 0) {
      return book.replica.timeMs + Math.max(0, nowMs - book.receivedAtMs);
    }
    const { hello, helloAtMs } = this.#connection;
    return hello ? hello.time + Math.max(0, nowMs - helloAtMs) : null;
  }

  #open(instrument: Instrument): void {
    const { client } = this.#connection;
    this.#depth = BOOK_DEPTH;
    this.#useBook(client.book(instrument.id, { depth: BOOK_DEPTH, cadenceMs: BOOK_CADENCE_MS }));

    const trades = client.trades(instrument.id);
    this.trades = trades;
    this.#own(
      trades,
      trades.on('change', () => {
        this.hasTrades = true;
        this.#noteMerged(trades);
        for (const draw of this.#tradeDraws) requestFrame(draw);
      }),
    );

    const ticker = client.ticker(instrument.id, { cadenceMs: TICKER_CADENCE_MS });
    const drawTicker = () => this.#takeTicker(ticker);
    this.#own(
      ticker,
      ticker.on('change', () => requestFrame(drawTicker)),
      ticker.on('state', () => ticker.instrument && this.#takeInstrument(ticker.instrument)),
      () => cancelFrame(drawTicker),
    );

    const status = client.status(instrument.id);
    this.#own(
      status,
      status.on('change', () => this.#takeStatus(status)),
    );
  }

  #noteConflated({ replica: { isConflated, merged, ageMs, timeMs } }: BookSubscription): void {
    if (isConflated) this.conflated = { updates: merged, ageMs, timeMs };
    else if (this.conflated && timeMs - this.conflated.timeMs > CONFLATED_FOR_MS) this.conflated = null;
  }

  #noteMerged({ merged, trades }: TradesSubscription): void {
    const timeMs = trades.at(-1)?.timeMs ?? 0;
    if (merged && merged.missed > 0) this.mergedTrades = { ...merged, timeMs };
    else if (this.mergedTrades && timeMs - this.mergedTrades.timeMs > MERGED_SHOWN_MS)
      this.mergedTrades = null;
  }

  #own(subscription: { close(): void }, ...offs: (() => unknown)[]): void {
    this.#closers.push(() => {
      for (const off of offs) off();
      subscription.close();
    });
  }

  #useBook(book: BookSubscription): void {
    this.book = book;
    this.#meter = new LatencyMeter(this.#connection.client, book);
    const takeState = () => {
      this.bookState = book.state;
      this.bookReason = book.reason;
      this.hasBook = book.book.bids.count + book.book.asks.count > 0;
      if (this.hasBook) this.#tellFirstBook();
    };
    this.#bookOff = [
      book.on('change', () => {
        if (!this.hasBook || this.bookState !== book.state) takeState();
        this.#noteConflated(book);
        for (const draw of this.#bookDraws) requestFrame(draw);
      }),
      book.on('state', takeState),
      book.on('error', (error) => {
        this.#connection.note('warning', `${book.instrumentId} book: ${error.code}: ${error.message}`);
      }),
    ];
    takeState();
    for (const draw of this.#bookDraws) requestFrame(draw);
  }

  #closeBook(): void {
    for (const off of this.#bookOff) off();
    this.#bookOff = [];
    this.#meter?.close();
    this.#meter = null;
    this.book?.close();
    this.book = null;
  }

  #close(): void {
    for (const close of this.#closers) close();
    this.#closers = [];
    this.#closeBook();
    this.#pendingBook?.close();
    this.#pendingBook = null;
    this.trades = null;
    this.ticker = null;
    this.status = null;
    this.figures = null;
    this.direction = 0;
    this.bookState = 'syncing';
    this.bookReason = null;
    this.hasBook = false;
    this.hasTrades = false;
    this.mergedTrades = null;
    this.conflated = null;
    // Nothing of one instrument may be seen under the name of another.
    for (const draw of [...this.#bookDraws, ...this.#tradeDraws]) requestFrame(draw);
  }

  #takeTicker(subscription: TickerSubscription): void {
    const { ticker } = subscription;
    const before = this.ticker?.last ?? null;
    const last = ticker?.last ?? null;
    if (before !== null && last !== null && last !== before) this.direction = last > before ? 1 : -1;
    this.ticker = ticker;
  }

  #takeInstrument(instrument: Instrument): void {
    if (
      this.instrument?.id === instrument.id &&
      JSON.stringify(this.instrument) !== JSON.stringify(instrument)
    ) {
      this.instrument = instrument;
    }
  }

  #takeStatus({ state, sinceMs, reason }: StatusSubscription): void {
    this.status = { state, sinceMs, reason };
  }

  #readFigures(): void {
    const { book } = this;
    if (!book || !this.hasBook) return;
    const { merged, ageMs, lagMs, verified } = book.replica;
    const levels = book.book.bids.count + book.book.asks.count;
    const latency = this.#meter?.latency ?? null;
    this.figures = { merged, ageMs, lagMs, verified, resyncs: book.resyncs, levels, latency };
  }
}

function listen(draws: Set<() => void>, draw: () => void): () => void {
  draws.add(draw);
  requestFrame(draw);
  return () => {
    draws.delete(draw);
    cancelFrame(draw);
  };
}
