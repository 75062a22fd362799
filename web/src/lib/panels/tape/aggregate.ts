import type { Trade } from '@depthwire/shared';

/** How long after its first fill another may belong to the same order, milliseconds. */
export const SAME_ORDER_MS = 5;

/** A row of the tape: one trade, or the fills of what looks like one order. */
export interface TapeRow {
  /** The first fill: what the row is known by. */
  readonly first: Trade;
  readonly side: Trade['side'];
  /** Of the first fill. */
  readonly timeMs: number;
  /** Of the last fill, ticks: the worst that the aggressor took. */
  readonly price: number;
  /** Lots of all fills. */
  readonly size: number;
  /** Sum of ticks × lots: a statistic, so floating point. */
  readonly cost: number;
  readonly count: number;
  /** Ticks. */
  readonly low: number;
  readonly high: number;
}

/**
 * Rows of trades, oldest first, either a row for each or a row for each aggressor. Venues do not say who
 * took, so an aggressor is told by what it leaves: fills that follow each other, of one side, at most
 * `SAME_ORDER_MS` after the first, at prices that get no better for it (up when buying, down when selling).
 * Two orders of one side within that time become one row; one order that rests between is two.
 */
export class TapeRows {
  /** The same rows for the same trades, so that those that are drawn are not written anew. */
  readonly #rows = new WeakMap<Trade, TapeRow>();

  of(trades: readonly Trade[], isAggregated: boolean): TapeRow[] {
    const rows: TapeRow[] = [];
    for (let i = 0; i < trades.length;) {
      let end = i + 1;
      if (isAggregated)
        while (end < trades.length && isSameOrder(trades[i]!, trades[end - 1]!, trades[end]!)) end += 1;
      rows.push(this.#row(trades, i, end));
      i = end;
    }
    return rows;
  }

  #row(trades: readonly Trade[], from: number, end: number): TapeRow {
    const first = trades[from]!;
    const known = this.#rows.get(first);
    if (known?.count === end - from) return known;
    let [size, cost, low, high] = [0, 0, Infinity, -Infinity];
    for (let i = from; i < end; i++) {
      const trade = trades[i]!;
      size += trade.size;
      cost += trade.price * trade.size;
      low = Math.min(low, trade.price);
      high = Math.max(high, trade.price);
    }
    const { side, timeMs } = first;
    const row = {
      first,
      side,
      timeMs,
      price: trades[end - 1]!.price,
      size,
      cost,
      count: end - from,
      low,
      high,
    };
    this.#rows.set(first, row);
    return row;
  }
}

function isSameOrder(first: Trade, last: Trade, next: Trade): boolean {
  if (next.side !== first.side || Math.abs(next.timeMs - first.timeMs) > SAME_ORDER_MS) return false;
  return next.side === 'buy' ? next.price >= last.price : next.price <= last.price;
}
