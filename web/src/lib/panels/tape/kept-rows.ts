import type { Trade } from '@depthwire/shared';
import type { TradeBatch } from '../../state/trade-follower.ts';
import type { TapeRow, TapeRows } from './aggregate.ts';

/** Most rows that are kept, and most fills of an order that may still get more. */
export const MOST_KEPT = 500;

/**
 * The rows that pass a filter, from when it was set: those of the trades held then, and of what came since. The list of
 * all trades forgets them sooner, where small ones are many.
 */
export class KeptRows {
  readonly #allRows: TapeRows;
  readonly #isAggregated: boolean;
  readonly #passes: (row: TapeRow) => boolean;
  /** Oldest first. */
  #rows: TapeRow[] = [];
  /** The fills of the newest row, whether it passes or not: more of them may come. */
  #open: readonly Trade[] = [];

  constructor(allRows: TapeRows, isAggregated: boolean, passes: (row: TapeRow) => boolean) {
    this.#allRows = allRows;
    this.#isAggregated = isAggregated;
    this.#passes = passes;
  }

  /** Begins anew where trades are missing before these: what is listed has no hole that nobody tells of. */
  take({ trades, isHistory, hasGap }: Pick<TradeBatch, 'trades' | 'isHistory' | 'hasGap'>): void {
    if (trades.length === 0) return;
    if (isHistory || hasGap) {
      this.#rows = [];
      this.#open = [];
    }
    const fills = [...this.#open, ...trades];
    const rows = this.#allRows.of(fills, this.#isAggregated);
    if (this.#rows.at(-1)?.first === fills[0]) this.#rows.pop();
    for (const row of rows) if (this.#passes(row)) this.#rows.push(row);
    this.#rows = this.#rows.slice(-MOST_KEPT);
    const { count } = rows.at(-1)!;
    this.#open = count < MOST_KEPT ? fills.slice(-count) : [];
  }

  newestFirst(): TapeRow[] {
    return this.#rows.toReversed();
  }
}
