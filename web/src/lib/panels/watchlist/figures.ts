import { unitsToNumber } from '@depthwire/shared';
import { formatBps, formatCompact, formatPercent } from '../../format/number.ts';
import { formatPrice } from '../../format/price.ts';
import type { WatchRow } from '../../state/watchlist.svelte.ts';
import type { Lengths } from './columns.ts';

type Figures = Pick<
  WatchRow,
  'instrument' | 'bid' | 'ask' | 'high' | 'low' | 'change' | 'turnover' | 'volume' | 'spread'
>;
type FigureColumn = Exclude<keyof Figures, 'instrument'>;

const NOTHING = '–';
/** Smaller spreads would take a column twice as wide for digits that nobody compares. */
const LEAST_BPS = 0.00995;

/** What a row shows in a column. */
export function figureOf(row: Figures, column: FigureColumn): string {
  const value = row[column];
  if (value === null) return NOTHING;
  if (column === 'change') return formatPercent(value);
  if (column === 'turnover') return formatCompact(value);
  if (column === 'volume') return formatCompact(unitsToNumber(value, row.instrument.lot));
  if (column === 'spread')
    return value > 0 && value < LEAST_BPS ? `<${formatBps(LEAST_BPS)}` : formatBps(value);
  return formatPrice(value, row.instrument.tick);
}

const columns = ['bid', 'ask', 'high', 'low', 'change', 'turnover', 'volume', 'spread'] as const;

/** Characters of the longest figure of each column; the same object where none is longer than before. */
export function longestFigures(rows: readonly Figures[], before: Lengths): Lengths {
  const next: Partial<Record<FigureColumn, number>> = { ...before };
  let isLonger = false;
  for (const row of rows)
    for (const column of columns) {
      const { length } = figureOf(row, column);
      if (length <= (next[column] ?? 0)) continue;
      next[column] = length;
      isLonger = true;
    }
  return isLonger ? next : before;
}
