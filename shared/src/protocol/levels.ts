import { DepthwireError } from '../model/errors.ts';
import type { FlatLevels } from '../model/events.ts';
import { isLots } from '../model/units.ts';
import type { WireLevels } from './messages.ts';
import { show } from './show.ts';

/**
 * Levels for the wire: `distance, lots` pairs, best price first. The first distance is measured
 * from the channel's reference price, each later one from the level before it, away from the
 * touch (down for bids, up for asks), so that most of them take one byte.
 * @param levels `ticks, lots` pairs, best first
 * @param direction -1 for bids, +1 for asks
 */
export function encodeLevels(levels: FlatLevels, direction: -1 | 1, reference: number): WireLevels {
  const wire = new Array<number>(levels.length);
  let from = reference;
  for (let i = 0; i < levels.length; i += 2) {
    const ticks = levels[i]!;
    wire[i] = (ticks - from) * direction;
    wire[i + 1] = levels[i + 1]!;
    from = ticks;
  }
  return wire;
}

/**
 * The inverse of `encodeLevels`.
 * @throws DepthwireError `malformed_frame` on anything but pairs of integers, prices within 2^53
 */
export function decodeLevels(wire: unknown, direction: -1 | 1, reference: number): number[] {
  if (!Array.isArray(wire) || wire.length % 2 !== 0) {
    throw new DepthwireError('malformed_frame', 'levels: expected an array of distance and lots pairs');
  }
  const levels = new Array<number>(wire.length);
  let from = reference;
  for (let i = 0; i < wire.length; i += 2) {
    const distance: unknown = wire[i];
    const lots: unknown = wire[i + 1];
    if (!Number.isSafeInteger(distance) || !isLots(lots)) {
      throw new DepthwireError(
        'malformed_frame',
        `level ${i / 2}: expected two integers, got ${show(distance)} and ${show(lots)}`,
      );
    }
    from += direction * (distance as number);
    if (!Number.isSafeInteger(from))
      throw new DepthwireError('malformed_frame', `level ${i / 2}: its price is past 2^53 ticks`);
    levels[i] = from;
    levels[i + 1] = lots;
  }
  return levels;
}
