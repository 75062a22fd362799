import type { Instrument, Scale } from '@depthwire/shared';
import type { SeriesKey } from './stores/store.ts';

/** What an instrument's rows are counted in now. */
export function seriesOf({ id, tick, lot }: Instrument): SeriesKey {
  return { instrument: id, tick, lot };
}

/** Whether rows of both are counted in the same. */
export function isSameSeries(one: SeriesKey, other: SeriesKey): boolean {
  const isSame = (a: Scale, b: Scale) => a.units === b.units && a.decimals === b.decimals;
  return one.instrument === other.instrument && isSame(one.tick, other.tick) && isSame(one.lot, other.lot);
}
