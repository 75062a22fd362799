import type { Trade } from '@depthwire/shared';
import type { TradeBatch } from '../../state/trade-follower.ts';
import { groupOf } from './grouping.ts';

/** What was traded at a price. */
export interface Traded {
  /** Lots that sellers gave to the bid. */
  readonly atBid: number;
  /** Lots that buyers took from the ask. */
  readonly atAsk: number;
}

const NOTHING: Traded = { atBid: 0, atAsk: 0 };

/** Volume by price since the panel opened or was reset; grouped as the ladder is: the bid down, the ask up. */
export class TradedVolumes {
  /** Trades that are in no list, so that the volumes are too small. */
  missed = 0;
  /** Whether others may be missing, of which it is not known how many. */
  hasGap = false;
  readonly #byPrice = new Map<number, { atBid: number; atAsk: number }>();
  #groups = new Map<number, { atBid: number; atAsk: number }>();
  #step = 1;

  /** What was traded before is not counted. */
  take({ trades, isHistory, merged, hasGap }: TradeBatch): void {
    if (isHistory) return;
    this.missed += merged?.missed ?? 0;
    this.hasGap ||= hasGap;
    for (const trade of trades) {
      add(this.#byPrice, trade.price, trade.side, trade.size);
      if (this.#step > 1) this.#addToGroup(trade.price, trade.side, trade.size);
    }
  }

  reset(): void {
    this.#byPrice.clear();
    this.#groups.clear();
    this.missed = 0;
    this.hasGap = false;
  }

  /** @param step of the group, ticks */
  at(price: number, step: number): Traded {
    if (step !== this.#step) this.#regroup(step);
    return (step === 1 ? this.#byPrice : this.#groups).get(price) ?? NOTHING;
  }

  #regroup(step: number): void {
    this.#step = step;
    this.#groups = new Map();
    if (step === 1) return;
    for (const [price, { atBid, atAsk }] of this.#byPrice) {
      if (atBid > 0) this.#addToGroup(price, 'sell', atBid);
      if (atAsk > 0) this.#addToGroup(price, 'buy', atAsk);
    }
  }

  #addToGroup(price: number, side: Trade['side'], lots: number): void {
    add(this.#groups, groupOf(price, this.#step, side === 'sell' ? 'bid' : 'ask'), side, lots);
  }
}

function add(
  volumes: Map<number, { atBid: number; atAsk: number }>,
  price: number,
  side: Trade['side'],
  lots: number,
): void {
  const entry = volumes.get(price);
  if (!entry) volumes.set(price, { atBid: side === 'sell' ? lots : 0, atAsk: side === 'buy' ? lots : 0 });
  else if (side === 'sell') entry.atBid += lots;
  else entry.atAsk += lots;
}
