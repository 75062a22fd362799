import {
  decimalScale,
  decimalsOf,
  DepthwireError,
  parseLots,
  parseTicks,
  type Instrument,
  type Scale,
} from '@depthwire/shared';
import { malformed } from './frame-checks.ts';

/** A level as decimal text; size absolute, zero removes. */
export type PriceLevel = readonly [price: string, size: string];

/** @throws DepthwireError `malformed_venue_frame` where a level is not `["price","size",…]` */
export function checkLevels(value: unknown, key: string): readonly PriceLevel[] {
  if (!Array.isArray(value)) throw malformed(key, 'an array of levels', value);
  for (const level of value as unknown[]) {
    if (!Array.isArray(level) || typeof level[0] !== 'string' || typeof level[1] !== 'string')
      throw malformed(key, '["price","size"]', level);
  }
  return value as PriceLevel[];
}

/**
 * Venue levels as flat `ticks, lots` pairs.
 * @param isSigned whether a price may be zero or below, as that of a spread
 * @throws DepthwireError `off_grid`, `invalid_decimal`, `out_of_range`, or `malformed_venue_frame` on
 *   a size below zero or a price that is not above it
 */
export function flattenLevels(
  levels: readonly PriceLevel[],
  tick: Scale,
  lot: Scale,
  isSigned = false,
): number[] {
  const flat = new Array<number>(levels.length * 2);
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]!;
    const ticks = parseTicks(level[0], tick);
    if (ticks <= 0 && !isSigned) throw malformed('price', 'a price above zero', level[0]);
    const lots = parseLots(level[1], lot);
    if (lots < 0) throw malformed('size', 'zero or more', level[1]);
    flat[2 * i] = ticks;
    flat[2 * i + 1] = lots;
  }
  return flat;
}

/**
 * The instrument with a grid that holds the levels: finer where they lie between its ticks or lots, for a
 * venue may change its tick size while older orders rest; coarser where one is too large to be counted in
 * them, as far as the digits of the others allow.
 */
export function withGrid(instrument: Instrument, ...sides: readonly (readonly PriceLevel[])[]): Instrument {
  const levels = sides.flat();
  const tick = fit(instrument.tick, levels, 0, parseTicks);
  const lot = fit(instrument.lot, levels, 1, parseLots);
  return tick === instrument.tick && lot === instrument.lot ? instrument : { ...instrument, tick, lot };
}

/** @param key of the level: its price or its size */
function fit(
  scale: Scale,
  levels: readonly PriceLevel[],
  key: 0 | 1,
  parse: (text: string, scale: Scale) => number,
): Scale {
  let isFiner = false;
  let isLarger = false;
  for (const level of levels) {
    const problem = problemOf(() => parse(level[key], scale));
    isFiner ||= problem === 'off_grid';
    isLarger ||= problem === 'out_of_range';
  }
  if (!isFiner && !isLarger) return scale;
  let decimals = 0;
  for (const level of levels) {
    if (problemOf(() => decimalsOf(level[key])) === null)
      decimals = Math.max(decimals, decimalsOf(level[key]));
  }
  return decimalScale(isLarger ? decimals : Math.max(decimals, scale.decimals));
}

function problemOf(parse: () => unknown): string | null {
  try {
    parse();
    return null;
  } catch (error) {
    return error instanceof DepthwireError ? error.code : 'other';
  }
}
