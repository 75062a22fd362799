import { m } from '../paraglide/messages.js';

/** How the price is drawn; the words are in saved workspaces. */
export const chartTypes = ['candles', 'bars', 'line', 'area', 'heikin-ashi'] as const;
export type ChartType = (typeof chartTypes)[number];

export const priceScales = ['linear', 'log', 'percent'] as const;
export type PriceScale = (typeof priceScales)[number];

export const chartTypeNames: Readonly<Record<ChartType, () => string>> = {
  candles: m.chart_candles,
  bars: m.chart_bars,
  line: m.chart_line,
  area: m.chart_area,
  'heikin-ashi': m.chart_heikin_ashi,
};

/** A line across the chart at a price, as of an alert. */
export interface ChartPriceLine {
  readonly id: string;
  readonly ticks: number;
  /** On the line, beside the price scale. */
  readonly title: string;
}
