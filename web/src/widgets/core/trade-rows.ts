import type { MergedTrades, Trade, TradesView } from '@depthwire/shared';
import { TradeFollower } from '../../lib/state/trade-follower.ts';

type Sums = Pick<MergedTrades, 'count' | 'missed' | 'bought' | 'sold' | 'low' | 'high'>;

/** A trade, or the sums of trades of which the connection could not take each. */
export type TradeRow =
  { readonly trade: Trade; readonly sums: null } | { readonly trade: null; readonly sums: Sums };

/** What a list of trades shows, the newest first: those that are large enough, and what is said of those not listed. */
export class TradeRows {
  /** How many were added at the head since it began. */
  added = 0;
  rows: readonly TradeRow[] = [];
  readonly #follower = new TradeFollower();
  readonly #most: number;
  readonly #isLarge: (trade: Trade) => boolean;
  #hasBegun = false;

  constructor(most: number, isLarge: (trade: Trade) => boolean) {
    this.#most = most;
    this.#isLarge = isLarge;
  }

  /** Call after each change of the subscription. */
  take(view: Pick<TradesView, 'trades' | 'latest' | 'merged'>): void {
    const { trades, merged, hasGap } = this.#follower.take(view);
    // Another widget may have the subscription already: what it holds is more than what came last.
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    if (isFirst || hasGap) {
      this.#add(view.trades, []);
      return;
    }
    const before = [...this.rows];
    if (merged && merged.missed > 0) {
      const sums = before[0]?.sums ? joined(before.shift()!.sums!, merged) : merged;
      before.unshift({ trade: null, sums });
    }
    this.#add(trades, before);
  }

  #add(trades: readonly Trade[], before: readonly TradeRow[]): void {
    const rows = trades
      .filter((trade) => this.#isLarge(trade))
      .map((trade): TradeRow => ({ trade, sums: null }))
      .reverse();
    this.added += rows.length;
    this.rows = [...rows, ...before].slice(0, this.#most);
  }
}

function joined(a: Sums, b: Sums): Sums {
  return {
    count: a.count + b.count,
    missed: a.missed + b.missed,
    bought: a.bought + b.bought,
    sold: a.sold + b.sold,
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
  };
}
