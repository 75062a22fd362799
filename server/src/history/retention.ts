import type { Config } from '../config/config.ts';
import type { Retention } from './stores/store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long the configuration has things kept. */
export function retentionOf(history: Config['history']): Retention {
  const { keepTradesHours, keepSecondsHours, keepMinutesDays, keepHoursDays, keepDepthHours } = history;
  const hoursMs = keepHoursDays * DAY_MS;
  return {
    tradesMs: keepTradesHours * HOUR_MS,
    columnsMs: keepDepthHours * HOUR_MS,
    candlesMs: {
      '1s': keepSecondsHours * HOUR_MS,
      '1m': keepMinutesDays * DAY_MS,
      '1h': hoursMs,
      '1d': hoursMs,
    },
  };
}
