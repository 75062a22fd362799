import { formatUnits, type Instrument } from '@depthwire/shared';
import { formatAmount, formatCompact } from '../../format/number.ts';
import { groupThousands, splitTrailingZeros } from '../../format/price.ts';
import { decimalsOfStep, quoteValue } from '../../format/scales.ts';
import { formatSize } from '../../format/size.ts';
import type { SizeFormat } from '../../format/size-format.ts';
import type { SizeUnit } from '../../state/preferences.svelte.ts';
import type { FixedRows } from './fixed-rows.ts';
import type { LadderSide } from './ladder-rows.ts';
import type { LadderColumn, LadderSettings } from './ladder-settings.ts';
import type { Traded } from './traded.ts';

/** What one row of the ladder shows; texts are null in a row without a price, empty in columns not chosen. */
export interface RowView extends Readonly<Record<LadderColumn, string>> {
  readonly lead: string | null;
  readonly trail: string;
  readonly side: 'bid' | 'ask' | null;
  /** Length of the bars, shares of the width. */
  readonly sizeBar: number;
  readonly totalBar: number;
  /** Whether all that rests there is known. */
  readonly isKnown: boolean;
}

export interface RowFormat {
  readonly instrument: Instrument;
  readonly step: number;
  readonly unit: SizeUnit;
  /** Of sizes in the base currency. */
  readonly size: SizeFormat;
  readonly columns: readonly LadderColumn[];
  readonly bars: LadderSettings['bars'];
  traded(priceTicks: number): Traded;
}

/** What the longest bars stand for, lots. */
export interface Largest {
  readonly size: number;
  readonly total: number;
}

interface Row {
  readonly price: number;
  readonly side: 'bid' | 'ask' | null;
  readonly lots: number;
  readonly value: number;
  readonly total: number;
  readonly cost: number;
  readonly isKnown: boolean;
}

const NO_TEXTS = { size: '', total: '', value: '', atBid: '', atAsk: '' };
const EMPTY_ROW: RowView = {
  ...NO_TEXTS,
  lead: null,
  trail: '',
  side: null,
  sizeBar: 0,
  totalBar: 0,
  isKnown: true,
};

/** Rows of one side, best first, always as many as asked for. */
export function viewRows(
  levels: LadderSide,
  side: 'bid' | 'ask',
  rows: number,
  largest: Largest,
  format: RowFormat,
): RowView[] {
  let costBefore = 0;
  return Array.from({ length: rows }, (_, row) => {
    if (row >= levels.count) return EMPTY_ROW;
    const cost = levels.cost[row]!;
    const value = cost - costBefore;
    costBefore = cost;
    const [price, lots, total] = [levels.price[row]!, levels.lots[row]!, levels.total[row]!];
    return viewRow({ price, side, lots, value, total, cost, isKnown: true }, largest, format);
  });
}

/** Rows of a fixed ladder, the dearest first. */
export function viewFixedRows(fixed: FixedRows, largest: Largest, format: RowFormat): RowView[] {
  return Array.from({ length: fixed.count }, (_, row) => {
    const sign = fixed.side[row]!;
    return viewRow(
      {
        price: fixed.price[row]!,
        side: sign === 0 ? null : sign > 0 ? 'bid' : 'ask',
        lots: fixed.lots[row]!,
        value: fixed.value[row]!,
        total: fixed.total[row]!,
        cost: fixed.cost[row]!,
        isKnown: fixed.known[row] === 1,
      },
      largest,
      format,
    );
  });
}

function viewRow(row: Row, largest: Largest, format: RowFormat): RowView {
  const { instrument, step, columns, bars } = format;
  const price = formatUnits(row.price, instrument.tick, decimalsOfStep(step, instrument.tick));
  const texts: Record<LadderColumn, string> = { ...NO_TEXTS };
  for (const column of columns) texts[column] = textOf(column, row, format);
  const share = (lots: number, of: number) => (of > 0 ? Math.min(1, lots / of) : 0);
  return {
    ...splitTrailingZeros(groupThousands(price)),
    ...texts,
    side: row.side,
    // With that of the total, the bar of the size is a part of it.
    sizeBar:
      bars === 'both' ? share(row.lots, largest.total) : bars === 'size' ? share(row.lots, largest.size) : 0,
    totalBar: bars === 'both' || bars === 'total' ? share(row.total, largest.total) : 0,
    isKnown: row.isKnown,
  };
}

function textOf(column: LadderColumn, row: Row, format: RowFormat): string {
  const { instrument, unit, size, traded } = format;
  const sizeText = (lots: number, cost: number) =>
    unit === 'base' ? formatSize(lots, instrument.lot, size) : formatCompact(quoteValue(cost, instrument));
  if (column === 'atBid' || column === 'atAsk') {
    const lots = traded(row.price)[column];
    // At the price of the row: how far the trades of a group are from it makes no odds here.
    return lots === 0 ? '' : sizeText(lots, lots * row.price);
  }
  if (row.lots === 0) return '';
  if (column === 'size') return sizeText(row.lots, row.value);
  if (column === 'total') return sizeText(row.total, row.cost);
  return formatCompact(quoteValue(row.value, instrument));
}

/** An amount of money for reading: in full while it is short, compact when it is long. */
export function formatQuote(value: number): string {
  return value < 1_000_000 ? formatAmount(value, value < 1 ? 6 : 2) : formatCompact(value);
}

/** Rows that fit on each side of a ladder of this height. */
export function rowsThatFit(height: number, rowHeight: number, middleHeight: number): number {
  return Math.max(1, Math.floor((height - middleHeight) / 2 / rowHeight));
}
