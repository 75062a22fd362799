import type { Candle, Instrument } from '@depthwire/shared';
import type { IChartApi, IPaneApi, Time } from 'lightweight-charts';
import { whenIdle } from '../state/frames.ts';
import type { Colours } from './colours.ts';
import { IndicatorSeries } from './indicator-series.ts';
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

/** All indicators of a chart. */
export class IndicatorLayer {
  readonly #chart: IChartApi;
  readonly #onDone: () => void;
  #series: IndicatorSeries[] = [];
  #candles: readonly Candle[] = [];
  #instrument: Instrument | null = null;
  #isWaiting = false;
  #isGone = false;
  readonly #later = () => {
    this.#isWaiting = false;
    if (this.#isGone) return;
    this.#work();
    this.#onDone();
  };

  constructor(chart: IChartApi, onDone: () => void) {
    this.#chart = chart;
    this.#onDone = onDone;
  }

  destroy(): void {
    this.#isGone = true;
  }

  reset(instrument: Instrument, colours: Colours): void {
    this.#instrument = instrument;
    this.#candles = [];
    const indicators = this.#series.map(({ indicator }) => indicator);
    this.set([], colours);
    this.set(indicators, colours);
  }

  /** Shows these and no others; those that are as before stay. */
  set(indicators: readonly Indicator[], colours: Colours): void {
    const instrument = this.#instrument;
    if (!instrument) return;
    const before = this.#series;
    const words = (indicator: Indicator) => JSON.stringify({ ...indicator, height: 0 });
    const kept = indicators.map((indicator) =>
      before.find((series) => words(series.indicator) === words(indicator)),
    );
    for (const series of before) if (!kept.includes(series)) series.remove();
    this.#series = indicators.map(
      (indicator, i) => kept[i] ?? new IndicatorSeries(this.#chart, indicator, instrument.tick, colours),
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
    for (const series of this.#series) series.setColours(colours);
  }

  read(time: number): Reading[] {
    return this.#series.map((series) => ({ indicator: series.indicator, values: series.valuesAt(time) }));
  }

  panes(): { readonly id: string; readonly pane: IPaneApi<Time> }[] {
    return this.#series.flatMap(({ indicator, pane }) => (pane ? [{ id: indicator.id, pane }] : []));
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
