import type { MergedTrades, Trade, TradesView } from '@depthwire/shared';

/** Trades that nobody was told of before. */
export interface TradeBatch {
  /** Oldest first. */
  readonly trades: readonly Trade[];
  /** Whether they were there before the first look: the newest of what was traded until then. */
  readonly isHistory: boolean;
  /** Sums that stand for more than these trades; null where each trade is told. */
  readonly merged: MergedTrades | null;
  /** Whether trades may be missing before them, as after a lost connection. */
  readonly hasGap: boolean;
}

/** Tells the trades of a subscription once each, over snapshots that repeat them. */
export class TradeFollower {
  #last: Trade | null = null;

  /** Call after each change of the subscription. */
  take({ trades, latest, merged }: Pick<TradesView, 'trades' | 'latest' | 'merged'>): TradeBatch {
    const last = this.#last;
    const seen = last === null ? -1 : latest.findLastIndex(({ id }) => id === last.id);
    // What the last frame brought is all there is: a snapshot took the place of what was there.
    const isReplaced = latest.length > 0 && trades[0] === latest[0];
    this.#last = latest.at(-1) ?? last;
    return {
      trades: latest.slice(seen + 1),
      isHistory: last === null,
      merged,
      hasGap: last !== null && isReplaced && seen < 0,
    };
  }
}
