import type { BookView, TradesView } from '@depthwire/shared';
import {
  DEPTH_PERIOD_MS,
  depthColumn,
  depthPeriodOf,
  depthStep,
  TradeTally,
  type DepthColumn,
} from '@depthwire/shared/depth';

/** How often it is looked whether another step would be better, as the server does. */
const STEP_PERIOD_MS = 60_000;
/** A book that has nothing new sends nothing: its second is taken to have ended so much later. */
const LATE_MS = 700;
const LOOK_MS = 250;
/** Most seconds of silence that are drawn as a book that stands still. */
const MAX_SILENT = 60;
/** A clock that goes back by more begins anew. */
const MAX_BACK_MS = 2_000;

interface LiveColumnsOptions {
  /** Ticks of a bucket on the server; null while that is not known. */
  step(): number | null;
  /** Unix milliseconds of this machine. */
  now(): number;
  onColumn(column: DepthColumn): void;
}

/**
 * Columns of a replica, by the server's code, at the end of each second of the market clock. The server sends at whole
 * multiples of the cadence, so the first frame of a second brings the book as it was when the one before ended. A
 * second whose end was not seen live has none.
 */
export class LiveColumns {
  readonly #book: BookView;
  readonly #trades: TradesView;
  readonly #options: LiveColumnsOptions;
  readonly #tally = new TradeTally();
  readonly #offs: (() => void)[];
  /** Start of the period that is under way; null until a live frame tells it. */
  #period: number | null = null;
  #last: DepthColumn | null = null;
  #step: number | null = null;

  constructor(book: BookView, trades: TradesView, options: LiveColumnsOptions) {
    this.#book = book;
    this.#trades = trades;
    this.#options = options;
    const timer = setInterval(() => this.#onSilence(), LOOK_MS);
    this.#offs = [
      book.on('change', () => this.#onFrame()),
      book.on('state', () => this.#book.state !== 'live' && this.#interrupt()),
      trades.on('change', () => this.#onTrades()),
      () => clearInterval(timer),
    ];
  }

  close(): void {
    for (const off of this.#offs) off();
  }

  /** What comes next does not build on what was. */
  #interrupt(): void {
    this.#period = null;
    this.#last = null;
    this.#tally.take();
  }

  #onFrame(): void {
    const { state, replica } = this.#book;
    if (state !== 'live') this.#interrupt();
    else this.#endBefore(replica.timeMs);
  }

  #onSilence(): void {
    const { state, replica, receivedAtMs } = this.#book;
    if (state !== 'live' || receivedAtMs === null || this.#period === null) return;
    this.#endBefore(replica.timeMs + this.#options.now() - receivedAtMs - LATE_MS);
  }

  /** @param timeMs the market clock */
  #endBefore(timeMs: number): void {
    const current = depthPeriodOf(timeMs);
    if (this.#period !== null && timeMs < this.#period - MAX_BACK_MS) this.#interrupt();
    this.#period ??= current;
    if (current <= this.#period) return;
    // All but the last of them passed without a frame.
    const silent = (current - this.#period) / DEPTH_PERIOD_MS - 1;
    const traded = this.#tally.take();
    if (this.#last && silent <= MAX_SILENT) {
      for (let i = 0; i < silent; i++) {
        const time = this.#period + i * DEPTH_PERIOD_MS;
        this.#options.onColumn({ ...this.#last, time, traded: null });
      }
    }
    this.#period = current;
    const { book } = this.#book;
    const server = this.#options.step();
    if (this.#step === null) this.#step = server ?? depthStep(book);
    else if (current % STEP_PERIOD_MS === 0) this.#step = depthStep(book, this.#step);
    if (this.#step === null) return;
    this.#last = depthColumn(current - DEPTH_PERIOD_MS, book, this.#step, traded);
    this.#options.onColumn(this.#last);
  }

  #onTrades(): void {
    if (this.#period === null) return;
    const { latest, trades, merged } = this.#trades;
    if (merged && merged.missed > 0) this.#addMissed();
    // A snapshot has what was before too.
    const isSnapshot = latest.length === trades.length;
    for (const { price, size, side, timeMs } of latest)
      if (!isSnapshot || timeMs >= this.#period) this.#tally.add(price, size, side);
  }

  /** Of trades that are in no list only sums are known, and between which prices they were. */
  #addMissed(): void {
    const { latest, merged } = this.#trades;
    const { bought, sold, low, high } = merged!;
    const listed = (side: 'buy' | 'sell') =>
      latest.reduce((sum, trade) => sum + (trade.side === side ? trade.size : 0), 0);
    type Price = Parameters<TradeTally['add']>[0];
    type Size = Parameters<TradeTally['add']>[1];
    this.#tally.add(low as Price, Math.max(0, sold - listed('sell')) as Size, 'sell');
    this.#tally.add(high as Price, Math.max(0, bought - listed('buy')) as Size, 'buy');
  }
}
