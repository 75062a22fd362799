import {
  candleIntervals,
  type Candle,
  type CandleInterval,
  type CandlesView,
  type ClientView,
  type Instrument,
} from '@depthwire/shared';
import { cancelFrame, requestFrame } from '../state/frames.ts';
import { fetchCandles, type CandlePage } from '../state/rest.ts';
import { indexAt, mergeCandles, newestOf } from './candles.ts';
import { withPage, type Hole } from './holes.ts';

const CADENCE_MS = 250;
const PAGE = 500;
/** The largest that the server tells at once. */
const LARGEST_PAGE = 1_500;
/** Most candles held for one chart: scrolling further back ends here. */
const MAX_CANDLES = 50_000;
/** Held of a chart that is left open: two hours of seconds, five days of minutes. */
const LEFT_OPEN = 7_200;
/** Cut off together, as the chart then draws all others anew. */
const CUT = 600;
/** Until the server is asked for holes after it began anew: it stores them once a second, and may fill them first. */
const HOLES_AFTER_MS = 3_000;

export interface CandleFeedEvents {
  /** The candles changed from this index on; 0 where older ones came or all are new. */
  onChange(from: number): void;
  onHoles(holes: readonly Hole[]): void;
  onLoading(isLoading: boolean): void;
  /** History could not be fetched; null when it could again. */
  onError(message: string | null): void;
  /** The time from which on candles are seen or counted with, unix seconds. */
  neededFrom(): number;
}

/** The candles of one instrument and interval: live ones, and older ones as they are asked for. */
export class CandleFeed {
  candles: Candle[] = [];
  /** Oldest first, apart from each other. */
  holes: readonly Hole[] = [];
  readonly instrument: Instrument;
  readonly interval: CandleInterval;

  readonly #subscription: CandlesView;
  readonly #events: CandleFeedEvents;
  readonly #flush = () => {
    const from = this.#changedFrom;
    this.#changedFrom = Infinity;
    if (from !== Infinity) this.#events.onChange(from);
  };
  #changedFrom = Infinity;
  #loading: Promise<boolean> | null = null;
  #holesTimer: ReturnType<typeof setTimeout> | undefined;
  #hasAll = false;
  #isClosed = false;

  constructor(
    client: ClientView,
    instrument: Instrument,
    interval: CandleInterval,
    events: CandleFeedEvents,
  ) {
    this.instrument = instrument;
    this.interval = interval;
    this.#events = events;
    this.#subscription = client.candles(instrument.id, { interval, cadenceMs: CADENCE_MS });
    this.#off = this.#subscription.on('change', () => this.#take());
    if (this.#subscription.candles.length > 0) this.#replace(this.#subscription.candles);
  }

  readonly #off: () => void;

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#holesTimer);
    this.#off();
    this.#subscription.close();
    cancelFrame(this.#flush);
  }

  /** Fetches the page before the oldest candle, unless that is under way or there is none. */
  async loadOlder(): Promise<void> {
    if (this.#loading || !this.candles[0]) return;
    // Few pages where many candles are there: each is drawn together with all of them.
    await this.#load(Math.min(LARGEST_PAGE, Math.max(PAGE, Math.floor(this.candles.length / 4))));
  }

  /**
   * Fetches history until it reaches a time, and shows it once it is there; unix seconds.
   * @returns `found`; `none` where history begins later; `far` where that would be too many candles; `failed`
   */
  async loadUntil(time: number): Promise<'found' | 'none' | 'far' | 'failed'> {
    await this.#loading;
    const first = this.candles[0];
    if (!first || this.#isClosed) return 'failed';
    if (first.time <= time) return 'found';
    const length = candleIntervals[this.interval];
    if ((first.time - time) / length > MAX_CANDLES - this.candles.length) return 'far';
    if (!(await this.#load(LARGEST_PAGE, time))) return 'failed';
    if (this.candles[0]!.time <= time) return 'found';
    return this.#hasAll ? 'none' : 'far';
  }

  #load(limit: number, until = Infinity): Promise<boolean> {
    const loading = this.#fetch(limit, until).finally(() => (this.#loading = null));
    this.#loading = loading;
    return loading;
  }

  /** Fetches one page, or as many as it takes to a time; says whether that succeeded. */
  async #fetch(limit: number, until: number): Promise<boolean> {
    let older: Candle[] = [];
    const oldest = () => older[0]?.time ?? this.candles[0]!.time;
    this.#events.onLoading(true);
    try {
      do {
        if (this.#hasAll || this.candles.length + older.length >= MAX_CANDLES) break;
        const page = await fetchCandles(this.instrument, this.interval, limit, oldest());
        if (this.#isClosed) return false;
        if (page.candles.length === 0) this.#hasAll = true;
        this.#takeHoles(page);
        older = mergeCandles(page.candles, older);
      } while (oldest() > until);
      this.#events.onError(null);
      return true;
    } catch (error) {
      if (!this.#isClosed) this.#events.onError(error instanceof Error ? error.message : String(error));
      return false;
    } finally {
      if (!this.#isClosed) {
        if (older.length > 0) {
          this.candles = mergeCandles(older, this.candles);
          this.#mark(0);
        }
        this.#events.onLoading(false);
      }
    }
  }

  #take(): void {
    if (this.#subscription.replaced) {
      this.#replace(this.#subscription.candles);
      return;
    }
    for (const candle of this.#subscription.latest) {
      const index = indexAt(this.candles, candle.time);
      if (index === this.candles.length || this.candles[index]!.time === candle.time) {
        this.candles[index] = candle;
        this.#mark(index);
      }
    }
    if (this.candles.length >= LEFT_OPEN + CUT && !this.#loading) this.#cut();
  }

  /** Lets the oldest go that nobody looks at: they can be fetched again. */
  #cut(): void {
    const before = this.candles.length;
    this.candles = newestOf(this.candles, LEFT_OPEN, this.#events.neededFrom(), { margin: PAGE, least: CUT });
    if (this.candles.length === before) return;
    this.#hasAll = false;
    this.holes = this.holes.filter(({ toMs }) => toMs > this.candles[0]!.time * 1000);
    this.#mark(0);
  }

  /** The server's word counts from its first candle on: a restarted one may know another past. */
  #replace(candles: readonly Candle[]): void {
    const first = candles[0];
    if (!first) return;
    const isFirst = this.candles.length === 0;
    this.candles = [...this.candles.slice(0, indexAt(this.candles, first.time)), ...candles];
    this.#hasAll = false;
    this.#mark(0);
    clearTimeout(this.#holesTimer);
    this.#holesTimer = setTimeout(() => void this.#askHoles(candles.length), isFirst ? 0 : HOLES_AFTER_MS);
  }

  /** Of the newest candles, which come without: a page of history tells its own. */
  async #askHoles(count: number): Promise<void> {
    try {
      this.#takeHoles(await fetchCandles(this.instrument, this.interval, Math.min(count, LARGEST_PAGE)));
    } catch {
      // The candles are there; whoever scrolls to older ones is told that history cannot be read.
    }
  }

  #takeHoles({ candles, holes }: CandlePage): void {
    const first = candles[0];
    const last = candles.at(-1);
    if (this.#isClosed || !first || !last || (holes.length === 0 && this.holes.length === 0)) return;
    const page = { fromMs: first.time * 1000, toMs: (last.time + candleIntervals[this.interval]) * 1000 };
    this.holes = withPage(this.holes, page, holes);
    this.#events.onHoles(this.holes);
  }

  #mark(from: number): void {
    this.#changedFrom = Math.min(this.#changedFrom, from);
    requestFrame(this.#flush);
  }
}
