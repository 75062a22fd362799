import {
  candleIntervals,
  unitsToNumber,
  type Candle,
  type CandleInterval,
  type Instrument,
} from '@depthwire/shared';
import {
  createChart,
  CrosshairMode,
  HistogramSeries,
  PriceScaleMode,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type MouseEventParams,
  type UTCTimestamp,
} from 'lightweight-charts';
import { formatCompact } from '../format/number.ts';
import type { TimeZone } from '../format/time.ts';
import { indexAt } from './candles.ts';
import { FAMILY, textSizeIn } from './canvas-text.ts';
import { formatChartTime, formatTickMark } from './chart-time.ts';
import { withAlpha, type Colours } from './colours.ts';
import { HoleMarks } from './hole-marks.ts';
import type { Hole } from './holes.ts';
import { IndicatorLayer, type Reading } from './indicator-layer.ts';
import type { Indicator } from './indicators.ts';
import { MainSeries } from './main-series.ts';
import type { ChartPriceLine, ChartType, PriceScale } from './model.ts';
import { PaneHeights, VOLUME_PANE } from './pane-heights.ts';

/** Bars left of the screen from which on older ones are fetched. */
const HISTORY_MARGIN_BARS = 30;
/** Bars on either side of a time that was asked for, where so many were not to be seen before. */
const LEAST_BARS_ABOUT = 30;
/** Room right of the newest candle. */
const RIGHT_OFFSET_BARS = 6;
const ZOOM = 1.25;

const modes = {
  linear: PriceScaleMode.Normal,
  log: PriceScaleMode.Logarithmic,
  percent: PriceScaleMode.Percentage,
} as const;

export interface PriceChartEvents {
  /** The crosshair is at the candle of this time, unix seconds; null without one. */
  onCrosshair(time: number | null, isOwn: boolean): void;
  onNeedOlder(): void;
  /** Whether the newest candle can be seen. */
  onFollow(isFollowing: boolean): void;
  /** Other candles can be seen. */
  onScroll(): void;
  /** Indicators that took longer are there. */
  onIndicators(): void;
  /** Where each pane begins below the top, pixels. */
  onPanes(tops: ReadonlyMap<string, number>): void;
  /** The user dragged a pane: heights as shares of the price's. */
  onResize(heights: ReadonlyMap<string, number>): void;
}

/** Price, volume and indicators in lightweight-charts. Its logo, which the licence asks for, stays on. */
export class PriceChart {
  readonly #chart: IChartApi;
  readonly #indicators: IndicatorLayer;
  readonly #panes: PaneHeights;
  readonly #holes: HoleMarks;
  readonly #events: PriceChartEvents;
  #main: MainSeries;
  #volumeSeries: ISeriesApi<'Histogram'> | null = null;
  #priceLines: readonly ChartPriceLine[] = [];
  #drawnLines: IPriceLine[] = [];
  #candles: readonly Candle[] = [];
  #instrument: Instrument | null = null;
  #interval: CandleInterval = '1m';
  #zone: TimeZone = 'local';
  #colours: Colours;
  #isFollowing = true;
  /** Whether a pointer is over this chart. */
  #isPointed = false;
  /** Where a pointer was first over a crosshair that was set; null where none has been. */
  #pointer: { readonly x: number; readonly y: number } | null = null;
  /** Where a crosshair that is not the pointer's is; null without one. */
  #at: number | null = null;
  /** Whether the crosshair has its horizontal line. */
  #hasPriceLine = true;

  constructor(container: HTMLElement, colours: Colours, events: PriceChartEvents) {
    this.#events = events;
    this.#colours = colours;
    this.#chart = createChart(container, {
      autoSize: true,
      layout: { fontFamily: FAMILY, attributionLogo: true },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, minimumWidth: 78 },
      timeScale: {
        borderVisible: false,
        timeVisible: true,
        rightOffset: RIGHT_OFFSET_BARS,
        barSpacing: 7,
        minBarSpacing: 0.5,
      },
      localization: {
        timeFormatter: (time: UTCTimestamp) =>
          formatChartTime(time, candleIntervals[this.#interval], this.#zone),
      },
    });
    this.#applyTickMarks();
    this.#main = new MainSeries(this.#chart, 'candles', colours);
    this.#indicators = new IndicatorLayer(this.#chart, colours, {
      onDone: () => events.onIndicators(),
      onLoaded: () => this.#applyPanes(),
    });
    this.#panes = new PaneHeights(this.#chart, container, events);
    this.#holes = new HoleMarks(colours);
    this.#chart.panes()[0]!.attachPrimitive(this.#holes);
    this.setColours(colours);

    this.#chart.subscribeCrosshairMove((event) => this.#onCrosshair(event));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || this.#candles.length === 0) return;
      if (range.from < HISTORY_MARGIN_BARS) this.#events.onNeedOlder();
      const isFollowing = range.to >= this.#candles.length - 1;
      if (isFollowing !== this.#isFollowing) this.#events.onFollow((this.#isFollowing = isFollowing));
      this.#events.onScroll();
      // The library keeps the place on the screen of a crosshair that was set, not its candle.
      if (this.#at !== null) this.#pointAt(this.#at);
    });
  }

  destroy(): void {
    this.#indicators.destroy();
    this.#panes.destroy();
    this.#chart.remove();
  }

  /** Empties the chart for another instrument or interval. */
  reset(instrument: Instrument, interval: CandleInterval): void {
    this.#instrument = instrument;
    this.#interval = interval;
    this.#candles = [];
    this.#at = null;
    this.#main.setInstrument(instrument);
    this.#main.clear();
    this.#holes.reset(candleIntervals[interval]);
    this.#volumeSeries?.setData([]);
    this.#indicators.reset(instrument);
    this.#applyPanes();
    this.setPriceLines([]);
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
    this.#holes.setCandles(candles);
    this.#main.show(candles, from, isTail);
    if (isTail) for (const candle of candles.slice(from)) this.#volumeSeries?.update(this.#volume(candle));
    else this.#showVolume();
    this.#indicators.show(candles, from, isTail);
    if (isFirst) this.#chart.timeScale().scrollToRealTime();
    if (this.#at !== null) this.#pointAt(this.#at);
  }

  /** Marks where trades may be missing; gone with the next instrument or interval. */
  showHoles(holes: readonly Hole[]): void {
    this.#holes.show(holes);
  }

  setColours(colours: Colours): void {
    this.#colours = colours;
    const { ground, line, grid } = colours;
    this.#chart.applyOptions({
      layout: {
        fontSize: textSizeIn(this.#chart.chartElement()),
        background: { color: ground },
        textColor: colours['text-3'],
        panes: { separatorColor: line, separatorHoverColor: withAlpha(colours['line-strong'], 0.5) },
      },
      grid: { vertLines: { color: withAlpha(grid, 0.55) }, horzLines: { color: withAlpha(grid, 0.55) } },
      crosshair: {
        vertLine: { color: colours['text-3'], labelBackgroundColor: colours['line-strong'] },
        horzLine: { color: colours['text-3'], labelBackgroundColor: colours['line-strong'] },
      },
    });
    this.#main.setColours(colours);
    this.#holes.setColours(colours);
    this.#indicators.setColours(colours);
    this.#showVolume();
    this.#drawPriceLines();
  }

  setTimeZone(zone: TimeZone): void {
    this.#zone = zone;
    this.#applyTickMarks();
  }

  setType(type: ChartType): void {
    if (type === this.#main.type) return;
    const before = this.#main;
    // The new one first: a pane without series is gone.
    this.#main = new MainSeries(this.#chart, type, this.#colours);
    this.#drawnLines = [];
    this.#chart.removeSeries(before.api);
    this.#main.api.setSeriesOrder(0);
    if (this.#instrument) this.#main.setInstrument(this.#instrument);
    this.#main.show(this.#candles, 0, false);
    this.#drawPriceLines();
  }

  setScale(scale: PriceScale): void {
    this.#chart.priceScale('right', 0).applyOptions({ mode: modes[scale] });
  }

  setVolume(isShown: boolean, height: number): void {
    this.#panes.set(VOLUME_PANE, height);
    if (isShown && !this.#volumeSeries) {
      const series = this.#chart.addSeries(
        HistogramSeries,
        {
          priceFormat: { type: 'custom', minMove: 1e-8, formatter: formatCompact },
          priceLineVisible: false,
          lastValueVisible: false,
        },
        this.#chart.panes().length,
      );
      series.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom: 0 } });
      series.getPane().moveTo(1);
      this.#volumeSeries = series;
      this.#showVolume();
    } else if (!isShown && this.#volumeSeries) {
      this.#chart.removeSeries(this.#volumeSeries);
      this.#volumeSeries = null;
    }
    this.#applyPanes();
  }

  setIndicators(indicators: readonly Indicator[]): void {
    for (const indicator of indicators)
      if ('height' in indicator) this.#panes.set(indicator.id, indicator.height);
    this.#indicators.set(indicators);
    this.#applyPanes();
  }

  /** Lines across the chart, as of alerts; gone with the next instrument or interval. */
  setPriceLines(lines: readonly ChartPriceLine[]): void {
    this.#priceLines = lines;
    this.#drawPriceLines();
  }

  /** Back to the newest candle, and away from the one that a crosshair was set to. */
  scrollToNow(): void {
    if (this.#at !== null) this.unpoint();
    // Not by the library's animation, which ends short of it where frames take long.
    this.#chart.timeScale().scrollToPosition(RIGHT_OFFSET_BARS, false);
  }

  /** Brings the candle of a time into the middle; unix seconds. */
  scrollTo(time: number): void {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    const within = this.#indexWithin(time);
    const index = within >= 0 ? within : Math.min(indexAt(this.#candles, time), this.#candles.length - 1);
    const half = Math.max(LEAST_BARS_ABOUT, range ? (range.to - range.from) / 2 : 0);
    scale.setVisibleLogicalRange({ from: index - half, to: index + half });
    this.#pointAt(this.#candles[index]?.time ?? null);
    this.#events.onCrosshair(this.#at, true);
  }

  /** Fewer or more candles on the same room, the last that can be seen staying where it is. */
  zoom(direction: 1 | -1): void {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range) return;
    const bars = (range.to - range.from) * (direction > 0 ? 1 / ZOOM : ZOOM);
    scale.setVisibleLogicalRange({ from: range.to - bars, to: range.to });
  }

  /** The crosshair to the candle before or after, or to the newest without one; scrolls with it. */
  step(by: number): void {
    if (this.#candles.length === 0) return;
    const last = this.#candles.length - 1;
    const index =
      this.#at === null ? last : Math.min(last, Math.max(0, indexAt(this.#candles, this.#at) + by));
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (range && (index < range.from || index > range.to)) {
      const shift = index < range.from ? index - range.from : index - range.to;
      this.#chart.timeScale().setVisibleLogicalRange({ from: range.from + shift, to: range.to + shift });
    }
    this.#pointAt(this.#candles[index]!.time);
    this.#events.onCrosshair(this.#at, true);
  }

  /** Shows a crosshair at a time that another chart points at; the candle of that time. */
  follow(time: number | null): void {
    if (this.#isPointed) return;
    this.#pointAt(time);
    this.#events.onCrosshair(this.#at, false);
  }

  unpoint(): void {
    this.#pointAt(null);
    this.#events.onCrosshair(null, true);
  }

  /** What the indicators say at the candle that opened at a time. */
  read(time: number): Reading[] {
    return this.#indicators.read(time);
  }

  /** The first and the last candle that can be seen; null without any. */
  get visible(): { readonly first: Candle; readonly last: Candle } | null {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (!range) return null;
    const first = this.#candles[Math.max(0, Math.ceil(range.from))];
    const last = this.#candles[Math.min(this.#candles.length - 1, Math.floor(range.to))];
    return first && last ? { first, last } : null;
  }

  /** The chart as it is drawn now, in device pixels; with the crosshair that stands at a candle, for the legend tells of that one. */
  takePicture(): HTMLCanvasElement {
    return this.#chart.takeScreenshot(true, this.#at !== null);
  }

  #pointAt(time: number | null): void {
    const index = time === null ? -1 : this.#indexWithin(time);
    const candle = this.#candles[index];
    if (this.#at === null) this.#pointer = null;
    this.#at = candle?.time ?? null;
    // The price of another chart's crosshair is not this one's.
    this.#showPriceLine(!candle);
    if (candle) {
      const price = unitsToNumber(candle.close, this.#instrument!.tick);
      this.#chart.setCrosshairPosition(price, candle.time as UTCTimestamp, this.#main.api);
    } else this.#chart.clearCrosshairPosition();
  }

  #showPriceLine(isShown: boolean): void {
    if (isShown === this.#hasPriceLine) return;
    this.#hasPriceLine = isShown;
    this.#chart.applyOptions({ crosshair: { horzLine: { visible: isShown, labelVisible: isShown } } });
  }

  /** Index of the candle that a time is in; -1 where there is none. */
  #indexWithin(time: number): number {
    const at = indexAt(this.#candles, time);
    if (this.#candles[at]?.time === time) return at;
    const before = this.#candles[at - 1];
    return before && time < before.time + candleIntervals[this.#interval] ? at - 1 : -1;
  }

  #onCrosshair({ time, point, sourceEvent }: MouseEventParams): void {
    const isThere = time !== undefined && point !== undefined;
    if (sourceEvent) {
      this.#isPointed = true;
      if (this.#at !== null) {
        if (!this.#hasMoved(sourceEvent)) {
          this.#pointAt(this.#at);
          return;
        }
        this.#at = null;
        this.#showPriceLine(true);
      }
    }
    if (!this.#isPointed) return;
    if (!isThere) this.#isPointed = sourceEvent !== undefined;
    // What the chart tells of a crosshair that was set is known already.
    if (this.#at !== null) {
      if (!isThere) this.#pointAt(this.#at);
      return;
    }
    const candle = isThere ? this.#candles[indexAt(this.#candles, time as number)] : undefined;
    this.#events.onCrosshair(candle?.time === time ? (candle?.time ?? null) : null, true);
  }

  /** A pointer that a menu or a dialog uncovers, or candles scroll under, has not moved: it does not take a crosshair that was set. */
  #hasMoved({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }): boolean {
    const before = this.#pointer;
    this.#pointer = { x: clientX, y: clientY };
    return before !== null && (before.x !== clientX || before.y !== clientY);
  }

  #applyPanes(): void {
    const volume = this.#volumeSeries?.getPane();
    this.#panes.apply([...(volume ? [{ id: VOLUME_PANE, pane: volume }] : []), ...this.#indicators.panes()]);
  }

  #drawPriceLines(): void {
    for (const line of this.#drawnLines) this.#main.api.removePriceLine(line);
    const { accent } = this.#colours;
    this.#drawnLines = this.#priceLines.map(({ id, ticks, title }) =>
      this.#main.api.createPriceLine({
        id,
        price: unitsToNumber(ticks, this.#instrument!.tick),
        title,
        color: accent,
        lineWidth: 1,
        lineStyle: 2,
        axisLabelVisible: true,
      }),
    );
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

  #showVolume(): void {
    if (this.#instrument) this.#volumeSeries?.setData(this.#candles.map((candle) => this.#volume(candle)));
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
