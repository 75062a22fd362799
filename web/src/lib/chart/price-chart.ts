import {
  candleIntervals,
  unitsToNumber,
  type Candle,
  type CandleInterval,
  type Instrument,
} from '@depthwire/shared';
import {
  CandlestickSeries,
  createChart,
  CrosshairMode,
  HistogramSeries,
  LineSeries,
  PriceScaleMode,
  type IChartApi,
  type ISeriesApi,
  type MouseEventParams,
  type UTCTimestamp,
} from 'lightweight-charts';
import { formatCompact } from '../format/number.ts';
import { formatPrice } from '../format/price.ts';
import type { TimeZone } from '../format/time.ts';
import { indexAt, movingAverage } from './candles.ts';
import { formatChartTime, formatTickMark } from './chart-time.ts';
import { withAlpha, type Colours } from './colours.ts';

/** Bars left of the screen from which on older ones are fetched. */
const HISTORY_MARGIN_BARS = 30;
const PRICE_PANE_SHARE = 5;
const AVERAGE_PERIODS = [20, 50] as const;
/** No colour: those mean something else. */
const AVERAGE_COLOURS = ['text', 'text-3'] as const;

export interface PriceChartEvents {
  /** The candle under the crosshair; null without a crosshair. */
  onCrosshair(candle: Candle | null): void;
  onNeedOlder(): void;
  /** Whether the newest candle can be seen. */
  onFollow(isFollowing: boolean): void;
}

/** Candles and volume in lightweight-charts. Its logo, which the licence asks for, stays on. */
export class PriceChart {
  readonly #chart: IChartApi;
  readonly #candleSeries: ISeriesApi<'Candlestick'>;
  readonly #volumeSeries: ISeriesApi<'Histogram'>;
  readonly #averageSeries: ISeriesApi<'Line'>[] = [];
  readonly #events: PriceChartEvents;
  #candles: readonly Candle[] = [];
  #instrument: Instrument | null = null;
  #interval: CandleInterval = '1m';
  #zone: TimeZone = 'local';
  #colours: Colours;
  #hasAverages = false;
  #isFollowing = true;

  constructor(container: HTMLElement, colours: Colours, events: PriceChartEvents) {
    this.#events = events;
    this.#colours = colours;
    this.#chart = createChart(container, {
      autoSize: true,
      layout: { fontFamily: "'Inter', system-ui, sans-serif", fontSize: 11, attributionLogo: true },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, minimumWidth: 78 },
      timeScale: {
        borderVisible: false,
        timeVisible: true,
        rightOffset: 6,
        barSpacing: 7,
        minBarSpacing: 0.5,
      },
      localization: {
        timeFormatter: (time: UTCTimestamp) =>
          formatChartTime(time, candleIntervals[this.#interval], this.#zone),
      },
    });
    this.#applyTickMarks();
    this.#candleSeries = this.#chart.addSeries(CandlestickSeries, {
      borderVisible: false,
      priceLineStyle: 3,
    });
    this.#volumeSeries = this.#chart.addSeries(
      HistogramSeries,
      {
        priceFormat: { type: 'custom', minMove: 1e-8, formatter: formatCompact },
        priceLineVisible: false,
        lastValueVisible: false,
      },
      1,
    );
    const [pricePane, volumePane] = this.#chart.panes();
    pricePane?.setStretchFactor(PRICE_PANE_SHARE);
    volumePane?.setStretchFactor(1);
    this.#volumeSeries.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom: 0 } });
    this.setColours(colours);

    this.#chart.subscribeCrosshairMove((event) => this.#onCrosshair(event));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || this.#candles.length === 0) return;
      if (range.from < HISTORY_MARGIN_BARS) this.#events.onNeedOlder();
      const isFollowing = range.to >= this.#candles.length - 1;
      if (isFollowing !== this.#isFollowing) this.#events.onFollow((this.#isFollowing = isFollowing));
    });
  }

  destroy(): void {
    this.#chart.remove();
  }

  /** Empties the chart for another instrument or interval. */
  reset(instrument: Instrument, interval: CandleInterval): void {
    const { tick } = instrument;
    this.#instrument = instrument;
    this.#interval = interval;
    this.#candles = [];
    const minMove = unitsToNumber(1, tick);
    const formatter = (price: number) => formatPrice(Math.round(price / minMove), tick);
    this.#candleSeries.applyOptions({ priceFormat: { type: 'custom', minMove, formatter } });
    this.#candleSeries.setData([]);
    this.#volumeSeries.setData([]);
    for (const series of this.#averageSeries) series.setData([]);
    this.#chart.priceScale('right').applyOptions({ autoScale: true });
    this.#chart.timeScale().applyOptions({ secondsVisible: candleIntervals[interval] < 60 });
    this.#chart.timeScale().resetTimeScale();
  }

  /** Shows the candles, of which those from the index on are new. */
  show(candles: readonly Candle[], from: number): void {
    const isFirst = this.#candles.length === 0;
    const grown = candles.length - this.#candles.length;
    const isTail = from > 0 && grown >= 0 && from >= this.#candles.length - 1;
    this.#candles = candles;
    if (isTail) {
      for (const candle of candles.slice(from)) {
        this.#candleSeries.update(this.#bar(candle));
        this.#volumeSeries.update(this.#volume(candle));
      }
    } else {
      this.#candleSeries.setData(candles.map((candle) => this.#bar(candle)));
      this.#volumeSeries.setData(candles.map((candle) => this.#volume(candle)));
    }
    this.#showAverages(isTail ? from : 0);
    if (isFirst) this.#chart.timeScale().scrollToRealTime();
  }

  setColours(colours: Colours): void {
    this.#colours = colours;
    const { ground, line, up, down } = colours;
    this.#chart.applyOptions({
      layout: {
        background: { color: ground },
        textColor: colours['text-3'],
        panes: { separatorColor: line, separatorHoverColor: withAlpha(colours['line-strong'], 0.5) },
      },
      grid: { vertLines: { color: withAlpha(line, 0.55) }, horzLines: { color: withAlpha(line, 0.55) } },
      crosshair: {
        vertLine: { color: colours['text-3'], labelBackgroundColor: colours['line-strong'] },
        horzLine: { color: colours['text-3'], labelBackgroundColor: colours['line-strong'] },
      },
    });
    this.#candleSeries.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
    this.#averageSeries.forEach((series, i) => series.applyOptions({ color: colours[AVERAGE_COLOURS[i]!] }));
    if (this.#candles.length > 0)
      this.#volumeSeries.setData(this.#candles.map((candle) => this.#volume(candle)));
  }

  setTimeZone(zone: TimeZone): void {
    this.#zone = zone;
    this.#applyTickMarks();
  }

  setLogScale(isLog: boolean): void {
    this.#candleSeries
      .priceScale()
      .applyOptions({ mode: isLog ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
  }

  setAverages(isOn: boolean): void {
    if (isOn === this.#hasAverages) return;
    this.#hasAverages = isOn;
    if (isOn) {
      for (const colour of AVERAGE_COLOURS) {
        this.#averageSeries.push(
          this.#chart.addSeries(LineSeries, {
            color: this.#colours[colour],
            lineWidth: 1,
            priceLineVisible: false,
            lastValueVisible: false,
            crosshairMarkerVisible: false,
          }),
        );
      }
      this.#showAverages(0);
    } else {
      for (const series of this.#averageSeries.splice(0)) this.#chart.removeSeries(series);
    }
  }

  scrollToNow(): void {
    this.#chart.timeScale().scrollToRealTime();
  }

  /** Anew for each time zone: the scale keeps the labels that a formatter made. */
  #applyTickMarks(): void {
    const zone = this.#zone;
    this.#chart.applyOptions({
      timeScale: {
        tickMarkFormatter: (time: UTCTimestamp, mark: number) => formatTickMark(time, mark, zone),
      },
    });
  }

  #showAverages(from: number): void {
    const instrument = this.#instrument;
    if (!instrument) return;
    this.#averageSeries.forEach((series, i) => {
      const points = movingAverage(this.#candles, AVERAGE_PERIODS[i]!).flatMap((ticks, at) =>
        ticks === null || at < from
          ? []
          : [{ time: this.#candles[at]!.time as UTCTimestamp, value: unitsToNumber(ticks, instrument.tick) }],
      );
      if (from > 0) for (const point of points) series.update(point);
      else series.setData(points);
    });
  }

  #onCrosshair({ time, point }: MouseEventParams): void {
    if (time === undefined || !point) {
      this.#events.onCrosshair(null);
      return;
    }
    const candle = this.#candles[indexAt(this.#candles, time as number)];
    this.#events.onCrosshair(candle?.time === time ? candle : null);
  }

  #bar(candle: Candle) {
    const { tick } = this.#instrument!;
    return {
      time: candle.time as UTCTimestamp,
      open: unitsToNumber(candle.open, tick),
      high: unitsToNumber(candle.high, tick),
      low: unitsToNumber(candle.low, tick),
      close: unitsToNumber(candle.close, tick),
    };
  }

  #volume(candle: Candle) {
    const { up, down } = this.#colours;
    return {
      time: candle.time as UTCTimestamp,
      value: unitsToNumber(candle.volume, this.#instrument!.lot),
      color: withAlpha(candle.close >= candle.open ? up : down, 0.45),
    };
  }
}
