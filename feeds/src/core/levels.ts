import {
  decimalScale,
  decimalsOf,
  DepthwireError,
  parseLots,
  parseUnits,
  type Instrument,
  type Scale,
} from '@depthwire/shared';

/** A level as decimal text; size absolute, zero removes. */
export type PriceLevel = readonly [price: string, size: string];

/**
 * Venue levels as flat `ticks, lots` pairs.
 * @throws DepthwireError `off_grid`, `invalid_decimal`, `out_of_range`, or `malformed_venue_frame` on
 *   a size below zero
 */
export function flattenLevels(levels: readonly PriceLevel[], tick: Scale, lot: Scale): number[] {
  const flat = new Array<number>(levels.length * 2);
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]!;
    flat[2 * i] = parseUnits(level[0], tick);
    const lots = parseLots(level[1], lot);
    if (lots < 0)
      throw new DepthwireError('malformed_venue_frame', `size: expected zero or more, got ${level[1]}`, {
        key: 'size',
      });
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
