import { formatUnits, unitsToNumber, type Instrument } from '@depthwire/shared';
import { formatAmount, formatCompact } from '../../format/number.ts';
import { decimalsOfStep, groupThousands, splitTrailingZeros } from '../../format/price.ts';
import { formatSize, type SizeFormat } from '../../format/size.ts';
import type { SizeUnit } from '../../state/preferences.svelte.ts';
import type { LadderSide } from './ladder-rows.ts';

/** What one row of the ladder shows; texts are null in a row without a level. */
export interface RowView {
  readonly lead: string | null;
  readonly trail: string;
  readonly size: string;
  readonly total: string;
  /** Length of the bars, shares of the width. */
  readonly sizeBar: number;
  readonly totalBar: number;
}

export interface RowFormat {
  readonly instrument: Instrument;
  readonly step: number;
  readonly unit: SizeUnit;
  /** Of sizes in the base currency. */
  readonly size: SizeFormat;
}

const EMPTY_ROW: RowView = { lead: null, trail: '', size: '', total: '', sizeBar: 0, totalBar: 0 };

/** Rows of one side, best first, always as many as asked for. */
export function viewRows(side: LadderSide, rows: number, largestTotal: number, format: RowFormat): RowView[] {
  const { instrument, step, unit, size } = format;
  const priceDecimals = decimalsOfStep(step, instrument.tick);
  const views = new Array<RowView>(rows);
  let costBefore = 0;
  for (let row = 0; row < rows; row++) {
    if (row >= side.count) {
      views[row] = EMPTY_ROW;
      continue;
    }
    const text = groupThousands(formatUnits(side.price[row]!, instrument.tick, priceDecimals));
    const { lead, trail } = splitTrailingZeros(text);
    const lots = side.lots[row]!;
    const total = side.total[row]!;
    const cost = side.cost[row]!;
    views[row] = {
      lead,
      trail,
      size:
        unit === 'base'
          ? formatSize(lots, instrument.lot, size)
          : formatCompact(quoteValue(cost - costBefore, instrument)),
      total:
        unit === 'base'
          ? formatSize(total, instrument.lot, size)
          : formatCompact(quoteValue(cost, instrument)),
      sizeBar: largestTotal > 0 ? lots / largestTotal : 0,
      totalBar: largestTotal > 0 ? total / largestTotal : 0,
    };
    costBefore = cost;
  }
  return views;
}

/** Ticks × lots as an amount of the quote currency. */
export function quoteValue(cost: number, instrument: Instrument): number {
  return unitsToNumber(unitsToNumber(cost, instrument.tick), instrument.lot);
}

/** An amount of money for reading: in full while it is short, compact when it is long. */
export function formatQuote(value: number): string {
  return value < 1_000_000 ? formatAmount(value, value < 1 ? 6 : 2) : formatCompact(value);
}

/** Rows that fit on each side of a ladder of this height. */
export function rowsThatFit(height: number, rowHeight: number, middleHeight: number): number {
  return Math.max(1, Math.floor((height - middleHeight) / 2 / rowHeight));
}
