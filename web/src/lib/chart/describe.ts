import type { Candle, CandleInterval, Instrument } from '@depthwire/shared';
import { formatPercent } from '../format/number.ts';
import { formatPrice } from '../format/price.ts';
import { formatDate, formatTime, type TimeZone } from '../format/time.ts';
import { chartTypeNames, type ChartType } from './model.ts';

/** The chart in words, for who cannot see it: what it shows, the last price, and the range with its change. */
export function describeChart(
  { id, tick }: Instrument,
  { type, interval, zone }: { type: ChartType; interval: CandleInterval; zone: TimeZone },
  shown: { readonly first: Candle; readonly last: Candle } | null,
  newest: Candle | null,
): string {
  const what = `${id}, ${interval}, ${chartTypeNames[type].toLowerCase()}`;
  if (!shown || !newest) return `${what}: no candles yet`;
  const { first, last } = shown;
  const at = (seconds: number) => `${formatDate(seconds * 1000, zone)} ${formatTime(seconds * 1000, zone)}`;
  const change = formatPercent(last.close / first.open - 1).trim();
  return `${what}. Last ${formatPrice(newest.close, tick)}. From ${at(first.time)} to ${at(last.time)}: ${change}`;
}
