import { unitsToNumber, type Candle, type Scale } from '@depthwire/shared';
import {
  HistogramSeries,
  LineSeries,
  LineStyle,
  type IChartApi,
  type IPaneApi,
  type ISeriesApi,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { localDecimal } from '../format/locale.ts';
import { formatPrice } from '../format/price.ts';
import { indexAt } from './candles.ts';
import { withAlpha, type Colours } from './colours.ts';
import { IndicatorRun } from './indicator-run.ts';
import { indicatorDescriptions, type Indicator, type LineColour } from './indicators.ts';

const styles = { solid: LineStyle.Solid, dashed: LineStyle.Dashed, dotted: LineStyle.Dotted } as const;
const HISTOGRAM = 2;
/** Of panes of their own: above is the legend. */
const MARGINS = { top: 0.2, bottom: 0.1 } as const;
const NOWHERE: readonly Candle[] = [];
const RSI_RANGE = { minValue: 0, maxValue: 100 } as const;

const formatRsi = (value: number) => localDecimal(value.toFixed(1));

/** What the axis of an RSI says: the room above and below is for the legend, and no RSI is there. */
export function rsiMarks(values: readonly number[]): string[] {
  const { minValue, maxValue } = RSI_RANGE;
  return values.map((value) => (value < minValue || value > maxValue ? '' : formatRsi(value)));
}

/** One indicator: its values, and the lines that show them. */
export class IndicatorSeries {
  readonly indicator: Indicator;
  readonly #chart: IChartApi;
  readonly #series: (ISeriesApi<'Line'> | ISeriesApi<'Histogram'>)[];
  readonly #tick: Scale;
  #colours: Colours;
  #run: IndicatorRun;
  /** What is drawn, until the run is through all of another. */
  #shown: { readonly run: IndicatorRun; readonly candles: readonly Candle[] };
  /** The first point that is not drawn as it is; Infinity where all are. */
  #staleFrom = 0;

  constructor(chart: IChartApi, indicator: Indicator, tick: Scale, colours: Colours) {
    this.indicator = indicator;
    this.#chart = chart;
    this.#tick = tick;
    this.#colours = colours;
    this.#run = new IndicatorRun(indicator);
    this.#shown = { run: this.#run, candles: NOWHERE };
    this.#series = this.#add();
    this.setColours(colours);
  }

  get pane(): IPaneApi<Time> | null {
    return indicatorDescriptions[this.indicator.kind].ownPane ? this.#series[0]!.getPane() : null;
  }

  remove(): void {
    for (const series of this.#series) this.#chart.removeSeries(series);
  }

  /** The candles from the index on are new or changed. */
  invalidate(from: number): void {
    this.#staleFrom = Math.min(this.#staleFrom, from);
    if (from < this.#run.done - 1 && this.#run === this.#shown.run) {
      // What is drawn stays until all is worked out anew.
      this.#run = new IndicatorRun(this.indicator);
    } else this.#run.invalidate(from);
  }

  /** Works on, some candles at most, and draws what is new once all are done; says whether they are. */
  advance(candles: readonly Candle[], most: number): boolean {
    if (!this.#run.advance(candles, most)) return false;
    const run = this.#run;
    const from = this.#staleFrom;
    this.#staleFrom = Infinity;
    this.#shown = { run, candles };
    if (from === Infinity) return true;
    this.#series.forEach((series, line) => {
      const points = this.#points(line, from);
      if (from > 0) for (const point of points) series.update(point);
      else series.setData(points);
    });
    return true;
  }

  /** A value for each line, null where there is none: ticks, or numbers of its own. */
  valuesAt(time: number): (number | null)[] {
    const { run, candles } = this.#shown;
    const index = indexAt(candles, time);
    const isThere = candles[index]?.time === time;
    return run.columns.map((column) => (isThere && Number.isFinite(column[index]) ? column[index]! : null));
  }

  setColours(colours: Colours): void {
    this.#colours = colours;
    const { indicator } = this;
    const slots: LineColour[] = [indicator.colour];
    if (indicator.kind === 'macd') slots.push(indicator.signalColour);
    this.#series.forEach((series, line) => {
      if (indicator.kind === 'macd' && line === HISTOGRAM) return;
      series.applyOptions({
        color: colours[`series-${slots[line] ?? indicator.colour}`],
        lineStyle: styles[indicator.style],
      });
    });
    if (indicator.kind === 'macd') this.#series[HISTOGRAM]!.setData(this.#points(HISTOGRAM, 0));
  }

  /** What is shown of a line, from an index on. */
  #points(line: number, from: number) {
    const { run, candles } = this.#shown;
    const column = run.columns[line]!;
    const { unit } = indicatorDescriptions[this.indicator.kind];
    const { up, down } = this.#colours;
    const isHistogram = this.indicator.kind === 'macd' && line === HISTOGRAM;
    const points = [];
    for (let i = from; i < Math.min(column.length, candles.length); i += 1) {
      const value = column[i]!;
      if (Number.isNaN(value)) continue;
      points.push({
        time: candles[i]!.time as UTCTimestamp,
        value: unit === 'price' ? unitsToNumber(value, this.#tick) : value,
        ...(isHistogram ? { color: withAlpha(value >= 0 ? up : down, 0.5) } : {}),
      });
    }
    return points;
  }

  #add(): (ISeriesApi<'Line'> | ISeriesApi<'Histogram'>)[] {
    const { indicator } = this;
    const chart = this.#chart;
    const { ownPane, lines } = indicatorDescriptions[indicator.kind];
    const pane = ownPane ? chart.panes().length : 0;
    const minMove = unitsToNumber(1, this.#tick);
    const formatter = (price: number) => formatPrice(Math.round(price / minMove), this.#tick);
    const plain = {
      priceLineVisible: false,
      lastValueVisible: false,
      crosshairMarkerVisible: false,
    } as const;
    if (indicator.kind === 'macd') {
      const options = { ...plain, priceFormat: { type: 'custom', minMove, formatter } } as const;
      const histogram = chart.addSeries(HistogramSeries, options, pane);
      const line = chart.addSeries(LineSeries, { ...options, lineWidth: 1 }, pane);
      const signal = chart.addSeries(LineSeries, { ...options, lineWidth: 1 }, pane);
      line.priceScale().applyOptions({ scaleMargins: MARGINS });
      return [line, signal, histogram];
    }
    if (indicator.kind === 'rsi') {
      const series = chart.addSeries(
        LineSeries,
        {
          ...plain,
          lineWidth: 1,
          priceFormat: {
            type: 'custom',
            minMove: 0.01,
            formatter: formatRsi,
            tickmarksFormatter: rsiMarks,
          },
          autoscaleInfoProvider: () => ({ priceRange: RSI_RANGE }),
        },
        pane,
      );
      series.priceScale().applyOptions({ scaleMargins: MARGINS });
      for (const price of [indicator.overbought, indicator.oversold])
        series.createPriceLine({
          price,
          color: this.#colours['line-strong'],
          lineWidth: 1,
          lineStyle: LineStyle.Dashed,
          axisLabelVisible: false,
        });
      return [series];
    }
    // Bands belong to the price; an average far from it would leave the price no room.
    const scaling = indicator.kind === 'bollinger' ? {} : { autoscaleInfoProvider: () => null };
    return lines.map(() => chart.addSeries(LineSeries, { ...plain, ...scaling, lineWidth: 1 }, pane));
  }
}
