import type { Trade } from '@depthwire/shared';
import { steadyScale } from '../../format/steady.ts';
import type { TapeRow } from './aggregate.ts';
import { largeSize } from './tape-rows.ts';

/**
 * From which size a trade is large, as it was when the trade came: what was written once as large, or as not, stays
 * so. Begin another for rows of another kind.
 */
export class LargeTrades {
  readonly #from = new WeakMap<Trade, number>();
  #now: number | null = null;
  #known: readonly Trade[] = [];

  /**
   * Call after each change of the list.
   * @param trades all that the list has
   * @param rows of these trades
   */
  take(trades: readonly Trade[], rows: readonly TapeRow[]): void {
    const fresh = trades.filter((trade) => !this.#from.has(trade));
    if (fresh.length === 0) return;
    const size = largeSize(rows);
    this.#now = size === Infinity ? null : steadyScale(this.#now, size);
    // A snapshot repeats trades that were there.
    const isReplaced = fresh.length === trades.length;
    const before = new Map(
      (isReplaced ? this.#known : []).map((trade) => [trade.id, this.#from.get(trade)!]),
    );
    for (const trade of fresh) this.#from.set(trade, before.get(trade.id) ?? this.#now ?? Infinity);
    this.#known = [...trades];
  }

  /** Infinity where too few trades were known. */
  from({ first }: TapeRow): number {
    return this.#from.get(first) ?? Infinity;
  }
}
