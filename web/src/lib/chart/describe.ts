import type { Candle, CandleInterval, Instrument } from '@depthwire/shared';
import { formatPercent } from '../format/number.ts';
import { formatPrice } from '../format/price.ts';
import { formatDate, formatTime, type TimeZone } from '../format/time.ts';
import { m } from '../paraglide/messages.js';
import type { Hole } from './holes.ts';
import type { ChartType } from './model.ts';

/** The chart in words, for who cannot see it: what it shows, the last price, and the range with its change. */
export function describeChart(
  { id, tick }: Instrument,
  { type, interval, zone }: { type: ChartType; interval: CandleInterval; zone: TimeZone },
  shown: { readonly first: Candle; readonly last: Candle } | null,
  newest: Candle | null,
  holes: readonly Hole[],
): string {
  const chart = m.chart_what({ type, id, interval });
  if (!shown || !newest) return m.chart_described_empty({ chart });
  const { first, last } = shown;
  const at = (seconds: number) => `${formatDate(seconds * 1000, zone)} ${formatTime(seconds * 1000, zone)}`;
  const change = formatPercent(last.close / first.open - 1).trim();
  const described = m.chart_described({
    chart,
    price: formatPrice(newest.close, tick),
    from: at(first.time),
    to: at(last.time),
    change,
  });
  return holes.length === 0 ? described : `${described}. ${describeHoles(holes, zone)}`;
}

/** In which stretch trades may be missing; of several, from the first to the last. */
export function describeHoles(holes: readonly Hole[], zone: TimeZone): string {
  const [fromMs, toMs] = [holes[0]!.fromMs, holes.at(-1)!.toMs];
  const isOneDay = formatDate(fromMs, zone) === formatDate(toMs, zone);
  const at = (ms: number) =>
    isOneDay ? formatTime(ms, zone) : `${formatDate(ms, zone)} ${formatTime(ms, zone)}`;
  return m.chart_holes({ count: holes.length, from: at(fromMs), to: at(toMs) });
}
