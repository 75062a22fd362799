import {
  LatencyMeter,
  type BookState,
  type BookView,
  type Instrument,
  type Latency,
  type StatusView,
  type Ticker,
  type TickerView,
  type TradesView,
  type MergedTrades,
} from '@depthwire/shared';
import { m } from '../paraglide/messages.js';
import type { Connection } from './connection.svelte.ts';
import { cancelFrame, requestFrame } from './frames.ts';
import { freshnessOf, type Conflated, type Freshness } from './freshness.ts';
import { MergedCount } from './merged-count.ts';
import { TradeFollower, type TradeBatch } from './trade-follower.ts';
import { Use } from './use.ts';

/** How long the tape says that trades are not listed, by the times of the trades. */
const MERGED_SHOWN_MS = 60_000;
/** How long after a merged frame a book is said to be conflated, milliseconds. */
const CONFLATED_FOR_MS = 5_000;
const BOOK_DEPTH = 200;
const BOOK_CADENCE_MS = 100;
const TICKER_CADENCE_MS = 100;
/** Over which merged updates are counted. */
const MERGED_FOR_MS = 60_000;
/** Figures for reading, not for following: twice a second is enough. */
const FIGURES_MS = 500;

/** How the book came to this page. */
export interface BookFigures {
  /** Engine updates that the newest frame merged. */
  readonly merged: number;
  /** Those of the last minute that had no frame of their own. */
  readonly mergedLately: number;
  readonly ageMs: number;
  readonly lagMs: number | null;
  readonly verified: number;
  /** When the newest of them was seen to be right, unix milliseconds of this machine, to `FIGURES_MS`; null before. */
  readonly verifiedMs: number | null;
  readonly resyncs: number;
  readonly levels: number;
  readonly latency: Latency | null;
}

interface MarketOptions {
  onFirstBook(): void;
  /** How long what is asked for now waits whether it is still wanted, milliseconds. */
  opensAfterMs(): number;
}

/** What can be followed of an instrument. */
export type Followed = 'book' | 'trades' | 'ticker' | 'status';

type StatusWord = {
  readonly state: BookState;
  readonly sinceMs: number | null;
  readonly reason: string | null;
};

/**
 * One instrument: its book, trades, ticker and status. Each is subscribed to while it is needed, by whoever
 * draws it or by an effect that reads it.
 */
export class Market {
  #instrument = $state.raw() as Instrument;
  #ticker = $state.raw<Ticker | null>(null);
  #direction = $state<-1 | 0 | 1>(0);
  #bookState = $state<BookState>('syncing');
  #bookReason = $state<string | null>(null);
  #hasBook = $state(false);
  #hasTrades = $state(false);
  #status = $state.raw<StatusWord | null>(null);
  #figures = $state.raw<BookFigures | null>(null);
  #mergedCount = new MergedCount(MERGED_FOR_MS);
  #conflated = $state.raw<(Conflated & { readonly timeMs: number }) | null>(null);
  #mergedTrades = $state.raw<(MergedTrades & { readonly timeMs: number }) | null>(null);

  book: BookView | null = null;
  trades: TradesView | null = null;
  /** As the last frame has it, drawn or not: for those who follow it. */
  tickerSubscription: TickerView | null = null;
  statusSubscription: StatusView | null = null;

  readonly #connection: Connection;
  readonly #options: MarketOptions;
  readonly #bookDraws = new Set<() => void>();
  readonly #tradeDraws = new Set<() => void>();
  readonly #tradeTakes = new Set<(batch: TradeBatch) => void>();
  readonly #bookUse: Use;
  readonly #tradesUse: Use;
  readonly #tickerUse: Use;
  readonly #statusUse: Use;
  readonly #followers: Readonly<Record<Followed, Set<() => void>>> = {
    book: new Set(),
    trades: new Set(),
    ticker: new Set(),
    status: new Set(),
  };
  #bookOff: (() => void)[] = [];
  #pendingBook: BookView | null = null;
  #meter: LatencyMeter | null = null;
  #depth = BOOK_DEPTH;

  constructor(connection: Connection, instrument: Instrument, options: MarketOptions) {
    this.#connection = connection;
    this.#instrument = instrument;
    this.#options = options;
    this.#bookUse = this.#use(() => this.#openBook());
    this.#tradesUse = this.#use(() => this.#openTrades());
    this.#tickerUse = this.#use(() => this.#openTicker());
    this.#statusUse = this.#use(() => this.#openStatus());
  }

  get instrument(): Instrument {
    return this.#instrument;
  }

  get ticker(): Ticker | null {
    this.#tickerUse.track();
    return this.#ticker;
  }

  /** Where the last price came from: 1 above, -1 below, 0 not known. */
  get direction(): -1 | 0 | 1 {
    this.#tickerUse.track();
    return this.#direction;
  }

  get bookState(): BookState {
    this.#bookUse.track();
    return this.#bookState;
  }

  get bookReason(): string | null {
    this.#bookUse.track();
    return this.#bookReason;
  }

  get figures(): BookFigures | null {
    this.#bookUse.track();
    return this.#figures;
  }

  get hasTrades(): boolean {
    this.#tradesUse.track();
    return this.#hasTrades;
  }

  /** Trades that came as sums alone, because the connection did not keep up; null where the last are long ago. */
  get mergedTrades() {
    this.#tradesUse.track();
    return this.#mergedTrades;
  }

  get isUsed(): boolean {
    return [this.#bookUse, this.#tradesUse, this.#tickerUse, this.#statusUse].some(({ isHeld }) => isHeld);
  }

  /** Calls `draw` in the frame after the book changed, and once soon; returns how to stop. */
  onBook(draw: () => void): () => void {
    return listen(this.#bookDraws, draw, this.#bookUse);
  }

  onTrades(draw: () => void): () => void {
    return listen(this.#tradeDraws, draw, this.#tradesUse);
  }

  /**
   * Calls `take` with each batch of trades as it comes, none twice, and while the page is not drawn too; with
   * what is there already at once. Returns how to stop.
   */
  onTradeBatch(take: (batch: TradeBatch) => void): () => void {
    const release = this.#tradesUse.hold();
    this.#tradeTakes.add(take);
    const trades = this.trades?.trades ?? [];
    if (trades.length > 0) take({ trades: [...trades], isHistory: true, merged: null, hasGap: false });
    return () => {
      this.#tradeTakes.delete(take);
      release();
    };
  }

  /**
   * Holds a topic and calls with each change of it or of its state at once, also in a page that is hidden and
   * draws nothing; returns how to stop.
   */
  follow(topic: Followed, onChange: () => void): () => void {
    const uses = {
      book: this.#bookUse,
      trades: this.#tradesUse,
      ticker: this.#tickerUse,
      status: this.#statusUse,
    };
    this.#followers[topic].add(onChange);
    const release = uses[topic].hold();
    return () => {
      this.#followers[topic].delete(onChange);
      release();
    };
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
    const depths = this.#connection.hello?.depths;
    if (!this.book || !depths || this.#pendingBook || this.#depth === 0) return;
    const deeper = depths.filter((depth) => depth > this.#depth).sort((a, b) => a - b)[0];
    if (deeper === undefined && !depths.includes(0)) return;
    this.#depth = deeper ?? 0;
    const pending = this.#subscribeBook();
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
    if (kind === 'book') this.#bookUse.track();
    if (kind === 'trades') this.#tradesUse.track();
    this.#statusUse.track();
    const status = this.#status;
    const isBook = kind === 'book';
    // The replica knows best whether it can be trusted; the server knows since when a feed is silent.
    const isReplicaOff = isBook && (this.#bookState === 'recovering' || this.#bookState === 'syncing');
    return freshnessOf({
      isOpen: this.#connection.isOpen,
      lostAtMs: this.#connection.lostAtMs,
      hasData: isBook ? this.#hasBook : kind === 'trades' ? this.#hasTrades : status !== null,
      state: isBook ? this.#bookState : (status?.state ?? 'syncing'),
      sinceMs: isReplicaOff ? null : (status?.sinceMs ?? null),
      reason: (isBook ? this.#bookReason : null) ?? status?.reason ?? null,
      conflated: isBook ? this.#conflated : null,
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
    return this.#connection.timeMs(nowMs);
  }

  /** Ends all of its subscriptions, whoever needs them. */
  close(): void {
    for (const use of [this.#bookUse, this.#tradesUse, this.#tickerUse, this.#statusUse]) use.end();
  }

  /** @param open returns how to close */
  #use(open: () => () => void): Use {
    let close: (() => void) | null = null;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    return new Use(
      () => {
        const afterMs = this.#options.opensAfterMs();
        if (afterMs === 0) close = open();
        else waiting = setTimeout(() => (close = open()), afterMs);
      },
      () => {
        clearTimeout(waiting);
        close?.();
        close = null;
      },
    );
  }

  #subscribeBook(): BookView {
    const options = { depth: this.#depth, cadenceMs: BOOK_CADENCE_MS };
    return this.#connection.client.book(this.#instrument.id, options);
  }

  #openBook(): () => void {
    this.#depth = BOOK_DEPTH;
    this.#useBook(this.#subscribeBook());
    this.#mergedCount = new MergedCount(MERGED_FOR_MS);
    const timer = setInterval(() => this.#readFigures(), FIGURES_MS);
    return () => {
      clearInterval(timer);
      this.#closeBook();
      this.#pendingBook?.close();
      this.#pendingBook = null;
      this.#figures = null;
      this.#bookState = 'syncing';
      this.#bookReason = null;
      this.#hasBook = false;
      this.#conflated = null;
    };
  }

  #openTrades(): () => void {
    const trades = this.#connection.client.trades(this.#instrument.id);
    const follower = new TradeFollower();
    this.trades = trades;
    const offs = [
      trades.on('change', () => {
        this.#hasTrades = true;
        this.#noteMerged(trades);
        const batch = follower.take(trades);
        for (const take of this.#tradeTakes) take(batch);
        for (const draw of this.#tradeDraws) requestFrame(draw);
        this.#tell('trades');
      }),
      trades.on('state', () => this.#tell('trades')),
    ];
    return () => {
      for (const off of offs) off();
      trades.close();
      this.trades = null;
      this.#hasTrades = false;
      this.#mergedTrades = null;
    };
  }

  #openTicker(): () => void {
    const ticker = this.#connection.client.ticker(this.#instrument.id, { cadenceMs: TICKER_CADENCE_MS });
    this.tickerSubscription = ticker;
    const drawTicker = () => this.#takeTicker(ticker);
    const offs = [
      ticker.on('change', () => {
        requestFrame(drawTicker);
        this.#tell('ticker');
      }),
      ticker.on('state', () => {
        if (ticker.instrument) this.#takeInstrument(ticker.instrument);
        this.#tell('ticker');
      }),
    ];
    return () => {
      for (const off of offs) off();
      cancelFrame(drawTicker);
      ticker.close();
      this.tickerSubscription = null;
      this.#ticker = null;
      this.#direction = 0;
    };
  }

  #openStatus(): () => void {
    const status = this.#connection.client.status(this.#instrument.id);
    this.statusSubscription = status;
    const offs = [
      status.on('change', () => {
        this.#takeStatus(status);
        this.#tell('status');
      }),
      status.on('state', () => this.#tell('status')),
    ];
    return () => {
      for (const off of offs) off();
      status.close();
      this.statusSubscription = null;
      this.#status = null;
    };
  }

  #noteConflated({ replica: { isConflated, merged, ageMs, timeMs } }: BookView): void {
    if (isConflated) this.#conflated = { updates: merged, ageMs, timeMs };
    else if (this.#conflated && timeMs - this.#conflated.timeMs > CONFLATED_FOR_MS) this.#conflated = null;
  }

  #noteMerged({ merged, trades }: TradesView): void {
    const timeMs = trades.at(-1)?.timeMs ?? 0;
    if (merged && merged.missed > 0) this.#mergedTrades = { ...merged, timeMs };
    else if (this.#mergedTrades && timeMs - this.#mergedTrades.timeMs > MERGED_SHOWN_MS)
      this.#mergedTrades = null;
  }

  #useBook(book: BookView): void {
    this.book = book;
    this.#meter = new LatencyMeter(this.#connection.client, book);
    const takeState = () => {
      this.#bookState = book.state;
      this.#bookReason = book.reason;
      this.#hasBook = book.book.bids.count + book.book.asks.count > 0;
      if (this.#hasBook) this.#options.onFirstBook();
    };
    this.#bookOff = [
      book.on('change', () => {
        if (!this.#hasBook || this.#bookState !== book.state) takeState();
        this.#noteConflated(book);
        for (const draw of this.#bookDraws) requestFrame(draw);
        this.#tell('book');
      }),
      book.on('state', () => {
        takeState();
        this.#tell('book');
      }),
      book.on('error', (error) => {
        const problem = `${error.code}: ${error.message}`;
        this.#connection.note('warning', m.log_book_error({ instrument: book.instrumentId, problem }));
      }),
    ];
    takeState();
    for (const draw of this.#bookDraws) requestFrame(draw);
  }

  #tell(topic: Followed): void {
    for (const onChange of [...this.#followers[topic]]) onChange();
  }

  #closeBook(): void {
    for (const off of this.#bookOff) off();
    this.#bookOff = [];
    this.#meter?.close();
    this.#meter = null;
    this.book?.close();
    this.book = null;
  }

  #takeTicker(subscription: TickerView): void {
    const { ticker } = subscription;
    const before = this.#ticker?.last ?? null;
    const last = ticker?.last ?? null;
    if (before !== null && last !== null && last !== before) this.#direction = last > before ? 1 : -1;
    this.#ticker = ticker;
  }

  #takeInstrument(instrument: Instrument): void {
    if (JSON.stringify(this.#instrument) !== JSON.stringify(instrument)) this.#instrument = instrument;
  }

  #takeStatus({ state, sinceMs, reason }: StatusView): void {
    this.#status = { state, sinceMs, reason };
  }

  #readFigures(): void {
    const { book } = this;
    if (!book || !this.#hasBook) return;
    const { merged, ageMs, lagMs, verified, seq } = book.replica;
    const mergedLately = this.#mergedCount.read(performance.now(), book.book.sequence, seq);
    const levels = book.book.bids.count + book.book.asks.count;
    const latency = this.#meter?.latency ?? null;
    const before = this.#figures;
    this.#figures = {
      merged,
      mergedLately,
      ageMs,
      lagMs,
      verified,
      verifiedMs: verified === before?.verified ? before.verifiedMs : verified > 0 ? Date.now() : null,
      resyncs: book.resyncs,
      levels,
      latency,
    };
  }
}

function listen(draws: Set<() => void>, draw: () => void, use: Use): () => void {
  draws.add(draw);
  const release = use.hold();
  requestFrame(draw);
  return () => {
    draws.delete(draw);
    release();
    cancelFrame(draw);
  };
}
