import type {
  Candle,
  CandleInterval,
  CandlesSubscription,
  DepthwireClient,
  Instrument,
} from '@depthwire/shared';
import { cancelFrame, requestFrame } from '../state/frames.ts';
import { fetchCandles } from '../state/rest.ts';
import { indexAt, mergeCandles } from './candles.ts';

const CADENCE_MS = 250;
const PAGE = 500;
/** Most candles held for one chart: scrolling further back ends here. */
const MAX_CANDLES = 50_000;

export interface CandleFeedEvents {
  /** The candles changed from this index on; 0 where older ones came or all are new. */
  onChange(from: number): void;
  onLoading(isLoading: boolean): void;
  /** History could not be fetched; null when it could again. */
  onError(message: string | null): void;
}

/** The candles of one instrument and interval: live ones, and older ones as they are asked for. */
export class CandleFeed {
  candles: Candle[] = [];
  readonly instrument: Instrument;
  readonly interval: CandleInterval;

  readonly #subscription: CandlesSubscription;
  readonly #events: CandleFeedEvents;
  readonly #flush = () => {
    const from = this.#changedFrom;
    this.#changedFrom = Infinity;
    if (from !== Infinity) this.#events.onChange(from);
  };
  #changedFrom = Infinity;
  #isLoading = false;
  #hasAll = false;
  #isClosed = false;

  constructor(
    client: DepthwireClient,
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
    this.#off();
    this.#subscription.close();
    cancelFrame(this.#flush);
  }

  /** Fetches the page before the oldest candle, unless that is under way or there is none. */
  async loadOlder(): Promise<void> {
    const first = this.candles[0];
    if (!first || this.#isLoading || this.#hasAll || this.candles.length >= MAX_CANDLES) return;
    this.#isLoading = true;
    this.#events.onLoading(true);
    try {
      const older = await fetchCandles(this.instrument, this.interval, PAGE, first.time);
      if (this.#isClosed) return;
      this.#events.onError(null);
      if (older.length === 0) this.#hasAll = true;
      else {
        this.candles = mergeCandles(older, this.candles);
        this.#mark(0);
      }
    } catch (error) {
      if (!this.#isClosed) this.#events.onError(error instanceof Error ? error.message : String(error));
    } finally {
      this.#isLoading = false;
      if (!this.#isClosed) this.#events.onLoading(false);
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
  }

  /** The server's word counts from its first candle on: a restarted one may know another past. */
  #replace(candles: readonly Candle[]): void {
    const first = candles[0];
    if (!first) return;
    this.candles = [...this.candles.slice(0, indexAt(this.candles, first.time)), ...candles];
    this.#hasAll = false;
    this.#mark(0);
  }

  #mark(from: number): void {
    this.#changedFrom = Math.min(this.#changedFrom, from);
    requestFrame(this.#flush);
  }
}
