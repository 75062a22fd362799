import { unitsToNumber, type Instrument, type Scale } from '@depthwire/shared';

/** Ticks × lots as an amount of the quote currency. */
export function quoteValue(cost: number, instrument: Pick<Instrument, 'tick' | 'lot'>): number {
  return unitsToNumber(unitsToNumber(cost, instrument.tick), instrument.lot);
}

/** The smallest number of decimals that tells every multiple of `step` ticks apart. */
export function decimalsOfStep(step: number, tick: Scale): number {
  let units = step * tick.units;
  let decimals = tick.decimals;
  while (decimals > 0 && units % 10 === 0) {
    units /= 10;
    decimals -= 1;
  }
  return decimals;
}
