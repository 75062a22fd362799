import {
  decimalScale,
  decimalsOf,
  DepthwireError,
  parseLots,
  parseUnits,
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
    const ticks = parseUnits(level[0], tick);
    if (ticks <= 0 && !isSigned) throw malformed('price', 'a price above zero', level[0]);
    const lots = parseLots(level[1], lot);
    if (lots < 0) throw malformed('size', 'zero or more', level[1]);
    flat[2 * i] = ticks;
    flat[2 * i + 1] = lots;
  }
  return flat;
}

/**
 * The instrument with a grid fine enough for the levels: a venue may change its tick size while
 * older orders rest between the new ticks.
 */
export function withGrid(instrument: Instrument, ...sides: readonly (readonly PriceLevel[])[]): Instrument {
  const { tick, lot } = instrument;
  let tickDecimals = -1;
  let lotDecimals = -1;
  for (const [price, size] of sides.flat()) {
    if (isOffGrid(price, tick)) tickDecimals = Math.max(tickDecimals, tick.decimals, decimalsOf(price));
    if (isOffGrid(size, lot)) lotDecimals = Math.max(lotDecimals, lot.decimals, decimalsOf(size));
  }
  if (tickDecimals < 0 && lotDecimals < 0) return instrument;
  return {
    ...instrument,
    tick: tickDecimals < 0 ? tick : decimalScale(tickDecimals),
    lot: lotDecimals < 0 ? lot : decimalScale(lotDecimals),
  };
}

function isOffGrid(text: string, scale: Scale): boolean {
  try {
    parseUnits(text, scale);
    return false;
  } catch (error) {
    return error instanceof DepthwireError && error.code === 'off_grid';
  }
}
