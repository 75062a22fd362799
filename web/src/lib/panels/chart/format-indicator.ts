import type { Scale } from '@depthwire/shared';
import { indicatorDescriptions, type IndicatorKind } from '../../chart/indicators.ts';
import { localDecimal } from '../../format/locale.ts';
import { MINUS } from '../../format/number.ts';
import { formatBetweenTicks } from '../../format/price.ts';

/** A value of an indicator: a price lies between ticks, so it has one decimal more than they have. */
export function formatIndicator(kind: IndicatorKind, value: number | null, tick: Scale): string {
  if (value === null) return '–';
  const text =
    indicatorDescriptions[kind].unit === 'price'
      ? formatBetweenTicks(value, tick)
      : localDecimal(value.toFixed(2));
  return text.replace(/^-/, MINUS);
}
