import { unitsToNumber, type Candle, type Instrument } from '@depthwire/shared';
import {
  AreaSeries,
  CandlestickSeries,
  createChart,
  CrosshairMode,
  LineSeries,
  type IChartApi,
  type ISeriesApi,
  type SeriesType,
  type UTCTimestamp,
} from 'lightweight-charts';
import { translucent, type CanvasColours } from './canvas-colours.ts';
import { ChartTimes } from './chart-times.ts';
import type { Formats } from './format.ts';

export type ChartType = 'area' | 'line' | 'candles';

const series = { area: AreaSeries, line: LineSeries, candles: CandlestickSeries } as const;
/** Below so many pixels there is no room for an axis beside the picture. */
const NARROW = 240;
const LOW = 110;

/** The price over time, in lightweight-charts. It takes neither the wheel nor touches: those are the page's. */
export class PriceChart {
  readonly #chart: IChartApi;
  readonly #container: HTMLElement;
  #series: ISeriesApi<SeriesType> | null = null;
  #type: ChartType | null = null;
  #candles: readonly Candle[] = [];
  #count = 0;
  #instrument: Instrument | null = null;
  #formats: Formats;
  #times: ChartTimes;
  #colours: CanvasColours | null = null;
  #font = '';
  #size = '';

  constructor(container: HTMLElement, formats: Formats, onPoint: (candle: Candle | null) => void) {
    this.#container = container;
    this.#formats = formats;
    this.#times = new ChartTimes(formats);
    this.#chart = createChart(container, {
      autoSize: true,
      // Its own would need `unsafe-inline`; what the licence asks for is in the foot of the widget.
      layout: { attributionLogo: false, background: { color: 'transparent' } },
      handleScroll: false,
      handleScale: false,
      crosshair: { mode: CrosshairMode.Magnet },
      grid: { vertLines: { visible: false } },
      rightPriceScale: { borderVisible: false },
      timeScale: {
        ...{ borderVisible: false, timeVisible: true, fixLeftEdge: true, fixRightEdge: true },
        tickMarkFormatter: (time: UTCTimestamp, mark: number) => this.#times.mark(time, mark),
      },
      localization: {
        timeFormatter: (time: UTCTimestamp) => this.#times.full(time),
        priceFormatter: (price: number) => this.#price(price),
      },
    });
    this.#chart.subscribeCrosshairMove(({ logical }) =>
      onPoint(logical === undefined ? null : (this.#candles[Math.round(logical)] ?? null)),
    );
  }

  destroy(): void {
    this.#chart.remove();
  }

  setFormats(formats: Formats): void {
    this.#formats = formats;
    this.#times = new ChartTimes(formats);
    this.#chart.applyOptions({});
  }

  setInstrument(instrument: Instrument): void {
    if (instrument === this.#instrument) return;
    this.#instrument = instrument;
    this.clear();
  }

  /** What comes next is of something else. */
  clear(): void {
    this.#candles = [];
    this.#count = 0;
    this.#series?.setData([]);
  }

  setType(type: ChartType): void {
    if (type === this.#type) return;
    if (this.#series) this.#chart.removeSeries(this.#series);
    this.#type = type;
    this.#series = this.#chart.addSeries<SeriesType>(series[type], { priceLineVisible: true });
    this.#candles = [];
    this.#count = 0;
    if (this.#colours) this.#colour(this.#colours);
  }

  /** More than the newest may differ from what is drawn. */
  forget(): void {
    this.#count = 0;
  }

  /** @param candles oldest first; the last is still open */
  show(candles: readonly Candle[]): void {
    const { tick } = this.#instrument!;
    const point = ({ time, open, high, low, close }: Candle) => {
      const at = time as UTCTimestamp;
      const price = (ticks: number) => unitsToNumber(ticks, tick);
      return this.#type === 'candles'
        ? { time: at, open: price(open), high: price(high), low: price(low), close: price(close) }
        : { time: at, value: price(close) };
    };
    const isSame =
      candles[0]?.time === this.#candles[0]?.time && candles.length === this.#count && this.#count > 0;
    this.#candles = candles;
    this.#count = candles.length;
    if (isSame) this.#series!.update(point(candles.at(-1)!));
    else {
      this.#series!.applyOptions({
        priceFormat: {
          type: 'custom',
          minMove: unitsToNumber(1, tick),
          formatter: (price: number) => this.#price(price),
        },
      });
      this.#series!.setData(candles.map(point));
      this.#chart.timeScale().fitContent();
    }
  }

  /** Takes the colours, the font and the room that there are now. */
  adapt(colours: CanvasColours): void {
    const { fontFamily, fontSize } = getComputedStyle(this.#container);
    const { clientWidth, clientHeight } = this.#container;
    const font = `${fontSize} ${fontFamily}`;
    if (colours !== this.#colours || font !== this.#font) {
      this.#font = font;
      this.#colours = colours;
      this.#chart.applyOptions({
        layout: { fontFamily, fontSize: Math.round(parseFloat(fontSize) * 0.857) },
      });
      this.#colour(colours);
    }
    const size = `${clientWidth < NARROW} ${clientHeight < LOW}`;
    if (size === this.#size) return;
    this.#size = size;
    this.#chart.applyOptions({
      rightPriceScale: { visible: clientWidth >= NARROW },
      timeScale: { visible: clientHeight >= LOW },
    });
  }

  /** Puts the crosshair on a candle; null takes it away. */
  pointAt(index: number | null): void {
    const candle = index === null ? undefined : this.#candles[index];
    if (!candle || !this.#series) this.#chart.clearCrosshairPosition();
    else
      this.#chart.setCrosshairPosition(
        unitsToNumber(candle.close, this.#instrument!.tick),
        candle.time as UTCTimestamp,
        this.#series,
      );
  }

  #colour({ line, text, 'text-2': second, up, down, accent }: CanvasColours): void {
    const label = { color: second, labelBackgroundColor: second };
    this.#chart.applyOptions({
      layout: { textColor: second },
      grid: { horzLines: { color: translucent(line, 0.7) } },
      crosshair: { vertLine: label, horzLine: label },
    });
    if (this.#type === 'candles')
      this.#series?.applyOptions({
        ...{ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false },
      });
    else if (this.#type === 'line') this.#series?.applyOptions({ color: accent, lineWidth: 2 });
    else
      this.#series?.applyOptions({
        ...{
          lineColor: accent,
          lineWidth: 2,
          topColor: translucent(accent, 0.28),
          bottomColor: translucent(accent, 0),
        },
      });
    this.#series?.applyOptions({ priceLineColor: translucent(text, 0.6) });
  }

  timeOf(candle: Candle): string {
    return this.#times.full(candle.time);
  }

  #price(price: number): string {
    const instrument = this.#instrument;
    if (!instrument) return '';
    const { tick } = instrument;
    return this.#formats.price(Math.round(price / unitsToNumber(1, tick)), tick);
  }
}

/** Lowest and highest of candles, ticks. */
export function rangeOf(candles: readonly Candle[]): { readonly low: number; readonly high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (const candle of candles) {
    low = Math.min(low, candle.low);
    high = Math.max(high, candle.high);
  }
  return { low, high };
}
