import type { Instrument } from '@depthwire/shared';
import type { SeriesKey } from './stores/store.ts';

/** What an instrument's rows are counted in now. */
export function seriesOf({ id, tick, lot }: Instrument): SeriesKey {
  return { instrument: id, tick, lot };
}
