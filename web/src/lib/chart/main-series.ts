import { unitsToNumber, type Candle, type Instrument } from '@depthwire/shared';
import {
  AreaSeries,
  BarSeries,
  CandlestickSeries,
  LineSeries,
  type IChartApi,
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
  #instrument: Instrument | null = null;

  constructor(chart: IChartApi, type: ChartType) {
    this.type = type;
    this.api = add(chart, type);
    // Below what is drawn over the price.
    this.api.setSeriesOrder(0);
    this.api.applyOptions({ priceLineStyle: 3 });
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
  }

  setColours({ up, down, text, 'text-2': second }: Colours): void {
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
