import { formatUnits, type Scale } from '@depthwire/shared';
import { localDecimal } from '../format/locale.ts';
import { m } from '../paraglide/messages.js';
import { groupThousands } from './price.ts';
import type { SizeFormat } from './size-format.ts';

const SUFFIXES = {
  0: () => '',
  3: m.suffix_thousand,
  6: m.suffix_million,
  9: m.suffix_billion,
  12: m.suffix_trillion,
} as const;

/**
 * A size in the column's format, cut rather than rounded: never more than there is. What is too
 * small for the format is `<0.01`, for a zero would say that there is nothing.
 */
export function formatSize(lots: number, lot: Scale, { exponent, decimals }: SizeFormat): string {
  const scale = { units: lot.units, decimals: lot.decimals + exponent };
  const text = formatUnits(lots, scale, decimals);
  if (lots > 0 && Number(text) === 0)
    return `<${localDecimal((10 ** -decimals).toFixed(decimals))}${SUFFIXES[exponent]()}`;
  return groupThousands(text) + SUFFIXES[exponent]();
}
