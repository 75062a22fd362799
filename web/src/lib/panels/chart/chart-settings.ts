import { candleIntervals, type CandleInterval } from '@depthwire/shared';
import * as v from 'valibot';

const intervals = Object.keys(candleIntervals) as [CandleInterval, ...CandleInterval[]];

/** What is chosen for a chart. */
export const chartSettings = v.object({
  interval: v.fallback(v.picklist(intervals), '1m'),
  logScale: v.fallback(v.boolean(), false),
  /** Exponential moving averages of 20 and 50 candles. */
  averages: v.fallback(v.boolean(), false),
});
