import { candleIntervals, type CandleInterval } from '@depthwire/shared';
import * as v from 'valibot';
import {
  indicatorSchema,
  MAX_INDICATORS,
  newIndicator,
  paneHeight,
  type Indicator,
} from '../../chart/indicators.ts';
import { chartTypes, priceScales } from '../../chart/model.ts';

const intervals = Object.keys(candleIntervals) as [CandleInterval, ...CandleInterval[]];

/** Those that can be read, each once. */
const indicators = v.pipe(
  v.array(v.unknown()),
  v.transform((items) => {
    const read: Indicator[] = [];
    for (const item of items) {
      const result = v.safeParse(indicatorSchema, item);
      if (result.success && read.length < MAX_INDICATORS && read.every(({ id }) => id !== result.output.id))
        read.push(result.output);
    }
    return read;
  }),
);

const settings = v.object({
  interval: v.fallback(v.picklist(intervals), '1m'),
  type: v.fallback(v.picklist(chartTypes), 'candles'),
  scale: v.fallback(v.picklist(priceScales), 'linear'),
  hasVolume: v.fallback(v.boolean(), true),
  /** Of its pane, as a share of the price's. */
  volumeHeight: paneHeight(0.2),
  indicators: v.fallback(indicators, []),
  /** Whether its crosshair is in step with those of other charts. */
  isInStep: v.fallback(v.boolean(), true),
});

/** What is chosen for a chart. */
export const chartSettings = v.pipe(v.unknown(), v.transform(migrate), settings);
export type ChartSettings = v.InferOutput<typeof chartSettings>;

/** As the first charts saved it: a logarithmic scale or not, averages of 20 and 50 candles or not. */
function migrate(saved: unknown): Record<string, unknown> {
  if (typeof saved !== 'object' || saved === null) return {};
  const { logScale, averages, ...rest } = saved as Record<string, unknown>;
  if (logScale === true) rest.scale ??= 'log';
  if (averages === true) {
    const short = newIndicator('ema', []);
    rest.indicators ??= [short, newIndicator('ema', [short], { length: 50, colour: 'grey' })];
  }
  return rest;
}
