import { every, type Clock, type InstrumentId, type Timer } from '@depthwire/shared';
import {
  DEPTH_PERIOD_MS,
  depthColumn,
  depthPeriodOf,
  depthStep,
  TradeTally,
  type DepthColumn,
} from '@depthwire/shared/depth';
import type { Bus, MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { DepthSeries } from './depth-series.ts';

/** How often it is looked whether another step would be better. */
const STEP_PERIOD_MS = 60_000;
/** Timers of the machine may fire a little before their time. */
const MAX_EARLY_MS = 5;

export interface DepthHistoryLimits {
  /** Columns are kept for so long; 0 for none at all. */
  readonly depthMinutes: number;
  readonly maxInstruments: number;
  /** Of all columns together. */
  readonly maxBytes: number;
}

export interface DepthHistoryOptions {
  /** The market's. */
  readonly clock: Clock;
  readonly bus: Bus;
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  readonly limits: DepthHistoryLimits;
  /** Takes each column as it is made. */
  readonly onColumn?: (instrument: InstrumentId, column: DepthColumn) => void;
}

/** What is recorded of one instrument. */
export interface DepthRecording {
  /** Names this recording among all of this process. */
  readonly run: number;
  readonly series: DepthSeries;
  /** Ticks of a bucket now; null before there is a book. */
  readonly step: number | null;
}

interface Recording extends DepthRecording {
  series: DepthSeries;
  /** Another one under the same id has other scales. */
  readonly market: MarketView;
  readonly tally: TradeTally;
  step: number | null;
  /** Whether somebody asked for it since it began. */
  isWanted: boolean;
}

/**
 * Columns of the books of the past hour. As many instruments as may be are recorded from the first moment on, in the
 * order in which they came; one that is asked for and is not among them takes the place of the one that was asked for
 * longest ago. Where the columns of all are too many, the oldest of those that nobody asked for are forgotten first.
 */
export class DepthHistory {
  readonly #options: DepthHistoryOptions;
  /** Those asked for longest ago first. */
  readonly #recordings = new Map<InstrumentId, Recording>();
  readonly #timer: Timer | null = null;
  readonly #leaveBus: () => void = () => undefined;
  #runs = 0;
  #bytes = 0;

  constructor(options: DepthHistoryOptions) {
    this.#options = options;
    if (!this.isOn) return;
    this.#leaveBus = options.bus.subscribe((event) => this.#onEvent(event));
    this.#timer = every(options.clock, DEPTH_PERIOD_MS, () => this.#record());
    for (const id of options.markets.keys()) if (this.#hasRoom) this.#begin(id);
  }

  get isOn(): boolean {
    return this.#options.limits.depthMinutes > 0;
  }

  /** What is kept now. */
  get figures(): { readonly instruments: number; readonly columns: number; readonly bytes: number } {
    let columns = 0;
    for (const { series } of this.#recordings.values()) columns += series.count;
    return { instruments: this.#recordings.size, columns, bytes: this.#bytes };
  }

  /** What is kept of an instrument, which is recorded from now on at the latest; null where no feed has it. */
  ask(id: InstrumentId): DepthRecording | null {
    if (!this.isOn || !this.#options.markets.has(id)) return null;
    let recording = this.#recordings.get(id);
    if (!recording) {
      while (!this.#hasRoom) this.#forget(this.#recordings.keys().next().value!);
      recording = this.#begin(id);
    }
    recording.isWanted = true;
    recording.step ??= depthStep(recording.market.book);
    this.#recordings.delete(id);
    this.#recordings.set(id, recording);
    return recording;
  }

  /**
   * Takes what was recorded before this process began.
   * @param columns oldest first
   */
  restore(id: InstrumentId, columns: readonly DepthColumn[]): void {
    const recording = this.#recordings.get(id);
    if (!recording || columns.length === 0) return;
    const whole = new DepthSeries();
    for (const column of columns) whole.add(column);
    for (const column of recording.series.all()) whole.add(column);
    this.#bytes += whole.bytes - recording.series.bytes;
    recording.series = whole;
    recording.step ??= columns.at(-1)!.step;
    while (this.#bytes > this.#options.limits.maxBytes) this.#makeRoom();
  }

  close(): void {
    this.#timer?.cancel();
    this.#leaveBus();
    this.#recordings.clear();
    this.#bytes = 0;
  }

  get #hasRoom(): boolean {
    return this.#recordings.size < this.#options.limits.maxInstruments;
  }

  #onEvent(event: MarketEvent): void {
    if (event.type === 'trade') {
      const { price, size, side } = event.trade;
      this.#recordings.get(event.instrument)?.tally.add(price, size, side);
    } else if (event.type === 'instrument') {
      const wasThere = this.#recordings.has(event.instrument);
      if (event.isRescaled) this.#forget(event.instrument);
      if ((wasThere && event.isRescaled) || (!wasThere && this.#hasRoom)) this.#begin(event.instrument);
    }
  }

  #begin(id: InstrumentId): Recording {
    const market = this.#options.markets.get(id)!;
    const fresh = { market, series: new DepthSeries(), tally: new TradeTally(), isWanted: false };
    const recording = { run: ++this.#runs, step: depthStep(market.book), ...fresh };
    this.#recordings.set(id, recording);
    return recording;
  }

  #forget(id: InstrumentId): void {
    this.#bytes -= this.#recordings.get(id)?.series.bytes ?? 0;
    this.#recordings.delete(id);
  }

  /** A period has ended. */
  #record(): void {
    const { clock, markets, limits } = this.#options;
    const end = depthPeriodOf(clock.now() + MAX_EARLY_MS);
    for (const [id, recording] of this.#recordings) {
      const { market, series, tally } = recording;
      if (markets.get(id) !== market) {
        this.#forget(id); // no feed brings it any more
        continue;
      }
      const before = series.bytes;
      const traded = tally.take();
      if (market.state === 'live') {
        const { book } = market;
        if (recording.step === null || end % STEP_PERIOD_MS === 0)
          recording.step = depthStep(book, recording.step);
        if (recording.step !== null) {
          const column = depthColumn(end - DEPTH_PERIOD_MS, book, recording.step, traded);
          series.add(column);
          this.#options.onColumn?.(id, column);
        }
      }
      series.forgetBefore(end - limits.depthMinutes * 60_000);
      this.#bytes += series.bytes - before;
    }
    while (this.#bytes > limits.maxBytes) this.#makeRoom();
  }

  /** Forgets the oldest stretch of those that nobody asked for, and only then of the others. */
  #makeRoom(): void {
    const oldestOf = (isWanted: boolean) => {
      let oldest: DepthSeries | null = null;
      for (const recording of this.#recordings.values()) {
        const { time } = recording.series;
        if (recording.isWanted !== isWanted || time === null) continue;
        if (oldest === null || time < oldest.time!) oldest = recording.series;
      }
      return oldest;
    };
    const series = oldestOf(false) ?? oldestOf(true)!;
    const before = series.bytes;
    series.forgetOldest();
    this.#bytes += series.bytes - before;
  }
}
