import type { OrderBook } from '@depthwire/shared';
import { groupOf } from './grouping.ts';

/** A price ladder: a row for each step, the dearest first, whether orders rest there or not. */
export interface FixedRows {
  count: number;
  /** Ticks. */
  readonly price: Float64Array;
  /** 1 on the bid, -1 on the ask, 0 between the two. */
  readonly side: Int8Array;
  /** Size resting in the row, lots. */
  readonly lots: Float64Array;
  /** Ticks × lots of that size. */
  readonly value: Float64Array;
  /** Size from the touch to the end of the row, lots, of rows above or below those shown too. */
  readonly total: Float64Array;
  /** Ticks × lots of that size. */
  readonly cost: Float64Array;
  /** 0 where the row is behind the last level that is known: an order may rest there. */
  readonly known: Uint8Array;
  /** Whether any row is not known. */
  isShort: boolean;
}

export function createFixedRows(capacity: number): FixedRows {
  return {
    count: 0,
    price: new Float64Array(capacity),
    side: new Int8Array(capacity),
    lots: new Float64Array(capacity),
    value: new Float64Array(capacity),
    total: new Float64Array(capacity),
    cost: new Float64Array(capacity),
    known: new Uint8Array(capacity),
    isShort: false,
  };
}

export interface FixedWindow {
  /** Ticks between two rows. */
  readonly step: number;
  /** Price of the first row in steps. */
  readonly top: number;
  readonly rows: number;
  /** Levels a side that the book is held to; 0 for the whole book, null where that is not known. */
  readonly depth: number | null;
}

export function fillFixedRows(out: FixedRows, book: OrderBook, window: FixedWindow): void {
  const { step, top } = window;
  const rows = Math.min(window.rows, out.price.length);
  out.count = rows;
  out.isShort = false;
  for (let row = 0; row < rows; row++) out.price[row] = (top - row) * step;
  for (const field of ['side', 'lots', 'value', 'total', 'cost'] as const) out[field].fill(0, 0, rows);
  out.known.fill(1, 0, rows);
  fillSide(out, book, 'bid', window);
  fillSide(out, book, 'ask', window);
}

/** From the touch outwards: bids down the rows, asks up. */
function fillSide(
  out: FixedRows,
  book: OrderBook,
  side: 'bid' | 'ask',
  { step, top, depth }: FixedWindow,
): void {
  const levels = side === 'bid' ? book.bids : book.asks;
  if (levels.count === 0) return;
  const sign = side === 'bid' ? 1 : -1;
  const isWhole = depth !== null && (depth === 0 || levels.count < depth);
  const touch = top - groupOf(levels.ticksAt(0), step, side) / step;
  let row = side === 'bid' ? Math.max(0, touch) : Math.min(out.count - 1, touch);
  let rank = 0;
  let total = 0;
  let cost = 0;
  for (; row >= 0 && row < out.count; row += sign) {
    const price = out.price[row]!;
    const isBehind = rank === levels.count && !isWhole;
    for (; rank < levels.count; rank++) {
      const ticks = levels.ticksAt(rank);
      const group = groupOf(ticks, step, side);
      if ((group - price) * sign < 0) break;
      const lots = levels.lotsAt(rank);
      total += lots;
      cost += ticks * lots;
      if (group !== price) continue;
      out.lots[row]! += lots;
      out.value[row]! += ticks * lots;
    }
    out.side[row] = sign;
    out.total[row] = total;
    out.cost[row] = cost;
    if (!isBehind) continue;
    out.known[row] = 0;
    out.isShort = true;
  }
}

/** The first row, in steps, with the middle of the touch in the middle of the rows. */
export function centredTop(midTicks: number, step: number, rows: number): number {
  return Math.round(midTicks / step) + Math.floor(rows / 2);
}

/** Where the middle of the touch is, in rows from the first. */
export function rowOfMid(midTicks: number, step: number, top: number): number {
  return top - midTicks / step;
}

/** Whether the middle of the touch has left the middle half of the rows. */
export function isOffCentre(midTicks: number, step: number, top: number, rows: number): boolean {
  const row = rowOfMid(midTicks, step, top);
  return row < rows / 4 || row > (rows * 3) / 4;
}
