import { unitsToNumber, type Candle, type Instrument } from '@depthwire/shared';
import {
  AreaSeries,
  BarSeries,
  CandlestickSeries,
  LineSeries,
  LineStyle,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type SeriesType,
  type UTCTimestamp,
} from 'lightweight-charts';
import { formatPrice } from '../format/price.ts';
import { withAlpha, type Colours } from './colours.ts';
import { heikinAshi, type Averaged } from './heikin-ashi.ts';
import type { ChartType } from './model.ts';

/** The price, drawn as candles, bars, a line … */
export class MainSeries {
  readonly type: ChartType;
  readonly api: ISeriesApi<SeriesType>;
  readonly #averaged: Averaged[] = [];
  /** At the last price, with its label on the axis; null before there is one. */
  #lastLine: IPriceLine | null = null;
  /** What that line shows. */
  #drawn: { readonly price: number; readonly color: string } | null = null;
  #last: Candle | null = null;
  #colours: Colours;
  #instrument: Instrument | null = null;

  constructor(chart: IChartApi, type: ChartType, colours: Colours) {
    this.type = type;
    this.#colours = colours;
    this.api = add(chart, type);
    // Below what is drawn over the price.
    this.api.setSeriesOrder(0);
    // The library's own label tells the last candle in sight, and its line the average of a Heikin-Ashi candle.
    this.api.applyOptions({ lastValueVisible: false, priceLineVisible: false });
    this.setColours(colours);
  }

  setInstrument(instrument: Instrument): void {
    const { tick } = instrument;
    this.#instrument = instrument;
    const minMove = unitsToNumber(1, tick);
    const formatter = (price: number) => formatPrice(Math.round(price / minMove), tick);
    this.api.applyOptions({ priceFormat: { type: 'custom', minMove, formatter } });
  }

  /** @param from the first candle that is new or changed; all are drawn anew unless `isTail` */
  show(candles: readonly Candle[], from: number, isTail: boolean): void {
    if (this.type === 'heikin-ashi') heikinAshi(candles, this.#averaged, isTail ? from : 0);
    if (isTail) for (let i = from; i < candles.length; i += 1) this.api.update(this.#point(candles, i));
    else this.api.setData(candles.map((_, i) => this.#point(candles, i)));
    this.#last = candles.at(-1) ?? null;
    this.#drawLast();
  }

  clear(): void {
    this.api.setData([]);
    this.#last = null;
    this.#drawLast();
  }

  setColours(colours: Colours): void {
    this.#colours = colours;
    this.#drawLast();
    const { up, down, text, 'text-2': second } = colours;
    switch (this.type) {
      case 'candles':
      case 'heikin-ashi':
        this.api.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
        return;
      case 'bars':
        this.api.applyOptions({ upColor: up, downColor: down });
        return;
      case 'line':
        this.api.applyOptions({ color: text });
        return;
      case 'area':
        this.api.applyOptions({
          lineColor: text,
          topColor: withAlpha(second, 0.28),
          bottomColor: withAlpha(second, 0),
        });
    }
  }

  /** The last price, whatever is in sight, in the colour of its candle. */
  #drawLast(): void {
    const last = this.#last;
    if (!last) {
      if (this.#lastLine) this.api.removePriceLine(this.#lastLine);
      this.#lastLine = null;
      return;
    }
    const { up, down } = this.#colours;
    const options = {
      price: unitsToNumber(last.close, this.#instrument!.tick),
      color: last.close >= last.open ? up : down,
    };
    if (this.#lastLine) {
      // Candles change with every trade, their last price not with each.
      const { price, color } = this.#drawn!;
      if (price !== options.price || color !== options.color) this.#lastLine.applyOptions(options);
    } else
      this.#lastLine = this.api.createPriceLine({
        ...options,
        lineWidth: 1,
        lineStyle: LineStyle.LargeDashed,
        axisLabelVisible: true,
      });
    this.#drawn = options;
  }

  #point(candles: readonly Candle[], index: number) {
    const { tick } = this.#instrument!;
    const candle = candles[index]!;
    const time = candle.time as UTCTimestamp;
    if (this.type === 'line' || this.type === 'area')
      return { time, value: unitsToNumber(candle.close, tick) };
    const { open, high, low, close } = this.type === 'heikin-ashi' ? this.#averaged[index]! : candle;
    return {
      time,
      open: unitsToNumber(open, tick),
      high: unitsToNumber(high, tick),
      low: unitsToNumber(low, tick),
      close: unitsToNumber(close, tick),
    };
  }
}

function add(chart: IChartApi, type: ChartType): ISeriesApi<SeriesType> {
  switch (type) {
    case 'candles':
    case 'heikin-ashi':
      return chart.addSeries(CandlestickSeries, { borderVisible: false });
    case 'bars':
      return chart.addSeries(BarSeries, { thinBars: false });
    case 'line':
      return chart.addSeries(LineSeries, { lineWidth: 2 });
    case 'area':
      return chart.addSeries(AreaSeries, { lineWidth: 2 });
  }
}
