import type { Instrument } from '@depthwire/shared';
import { localDecimal } from '../../format/locale.ts';
import { formatCompact } from '../../format/number.ts';

/** Values of a trade to choose from, in the quote currency. */
export const tradeValues = [0, 1_000, 10_000, 100_000, 1_000_000] as const;

export const tapeUnits = ['quote', 'base'] as const;
export type TapeUnit = (typeof tapeUnits)[number];

/** What a unit is called for an instrument, `BTC`; of none that is known yet, nothing. */
export const currencyOf = (unit: TapeUnit, instrument: Pick<Instrument, TapeUnit> | null) =>
  instrument?.[unit] ?? '';

/** `10K`, `1M`, `0.5`; a small one with all its digits. */
export function valueText(value: number): string {
  if (value < 1) return localDecimal(String(value));
  return formatCompact(value)
    .replace(/([.,]\d*?)0+(?=\D|$)/, '$1')
    .replace(/[.,](?=\D|$)/, '');
}
