import type { Candle, Instrument } from '@depthwire/shared';
import type { IChartApi, IPaneApi, Time } from 'lightweight-charts';
import { whenIdle } from '../state/frames.ts';
import type { Colours } from './colours.ts';
import type { IndicatorSeries } from './indicator-series.ts';
import type { Indicator } from './indicators.ts';

/** What all indicators together take of one frame, milliseconds; the rest is done while the page is idle. */
const BUDGET_MS = 8;
/** Candles between two looks at the clock. */
const STEPS = 128;

/** What an indicator says at one time. */
export interface Reading {
  readonly indicator: Indicator;
  /** In the order of its lines: ticks, or numbers of its own. */
  readonly values: readonly (number | null)[];
}

interface LayerEvents {
  /** Values that took longer are there. */
  onDone(): void;
  /** What was set before the code of indicators was there is drawn, in its panes. */
  onLoaded(): void;
}

/** All indicators of a chart. */
export class IndicatorLayer {
  readonly #chart: IChartApi;
  readonly #events: LayerEvents;
  /** What works them out and draws them; null until the first one wants it. */
  #Series: typeof IndicatorSeries | null = null;
  #isLoading = false;
  #indicators: readonly Indicator[] = [];
  #colours: Colours;
  #series: IndicatorSeries[] = [];
  #candles: readonly Candle[] = [];
  #instrument: Instrument | null = null;
  #isWaiting = false;
  #isGone = false;
  readonly #later = () => {
    this.#isWaiting = false;
    if (this.#isGone) return;
    this.#work();
    this.#events.onDone();
  };

  constructor(chart: IChartApi, colours: Colours, events: LayerEvents) {
    this.#chart = chart;
    this.#colours = colours;
    this.#events = events;
  }

  destroy(): void {
    this.#isGone = true;
  }

  reset(instrument: Instrument): void {
    this.#instrument = instrument;
    this.#candles = [];
    const indicators = this.#indicators;
    this.set([]);
    this.set(indicators);
  }

  /** Shows these and no others; those that are as before stay. */
  set(indicators: readonly Indicator[]): void {
    this.#indicators = indicators;
    const instrument = this.#instrument;
    if (!instrument) return;
    const Series = this.#Series;
    if (!Series) {
      if (indicators.length > 0) void this.#load();
      return;
    }
    const before = this.#series;
    const words = (indicator: Indicator) => JSON.stringify({ ...indicator, height: 0 });
    const kept = indicators.map((indicator) =>
      before.find((series) => words(series.indicator) === words(indicator)),
    );
    for (const series of before) if (!kept.includes(series)) series.remove();
    this.#series = indicators.map(
      (indicator, i) => kept[i] ?? new Series(this.#chart, indicator, instrument.tick, this.#colours),
    );
    this.#work();
  }

  /** @param isTail whether the candles before the index are as they were */
  show(candles: readonly Candle[], from: number, isTail: boolean): void {
    this.#candles = candles;
    for (const series of this.#series) series.invalidate(isTail ? from : 0);
    this.#work();
  }

  setColours(colours: Colours): void {
    this.#colours = colours;
    for (const series of this.#series) series.setColours(colours);
  }

  read(time: number): Reading[] {
    return this.#series.map((series) => ({ indicator: series.indicator, values: series.valuesAt(time) }));
  }

  panes(): { readonly id: string; readonly pane: IPaneApi<Time> }[] {
    return this.#series.flatMap(({ indicator, pane }) => (pane ? [{ id: indicator.id, pane }] : []));
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      this.#Series = (await import('./indicator-series.ts')).IndicatorSeries;
    } catch {
      return; // the next change of the indicators asks again
    } finally {
      this.#isLoading = false;
    }
    if (this.#isGone) return;
    this.set(this.#indicators);
    this.#events.onLoaded();
    this.#events.onDone();
  }

  #work(): void {
    if (this.#candles.length === 0) return;
    const until = performance.now() + BUDGET_MS;
    let isDone = true;
    for (const series of this.#series) {
      // At least once, for a new trade is shown while something longer is under way.
      while (!series.advance(this.#candles, STEPS)) {
        if (performance.now() < until) continue;
        isDone = false;
        break;
      }
    }
    if (isDone || this.#isWaiting) return;
    this.#isWaiting = true;
    whenIdle(this.#later);
  }
}
