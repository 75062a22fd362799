import { fillLadderSide, type LadderSide } from '../../lib/panels/ladder/ladder-rows.ts';
import type { BookSide } from '@depthwire/shared';

/** The most that is asked for of a side: more than that a page of another site does not need. */
const DEEPEST = 1_000;

/**
 * Levels a side for so many rows of so many ticks: as many as there may be, where an order rests at every tick.
 */
export function depthFor(rows: number, step: number): number {
  return Math.min(DEEPEST, rows * step);
}

/**
 * Rows of a side, best first. The last one is left out where more may rest in it than is known.
 * @param granted levels a side that the server sends; 0 for all, null where that is not known
 */
export function fillRows(
  out: LadderSide,
  levels: BookSide,
  side: 'bid' | 'ask',
  { step, rows, granted }: { readonly step: number; readonly rows: number; readonly granted: number | null },
): void {
  fillLadderSide(out, levels, side, step, rows);
  const isCut = granted !== null && granted > 0 && levels.count >= granted;
  if (step > 1 && isCut && !out.more && out.count > 0) out.count -= 1;
}
