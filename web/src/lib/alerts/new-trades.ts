import type { Trade, TradesView } from '@depthwire/shared';
import type { NewTrades } from './alert-rules.ts';

type Tape = Pick<TradesView, 'trades' | 'latest' | 'merged' | 'hasData'>;

/**
 * Which trades are new since the last look. Those that were there at the first one are not; nor are those of a
 * list that was taken anew and does not have the last one: when they came is not known.
 */
export class NewTradesReader {
  #hasBegun = false;
  #last: Trade | null = null;

  read({ trades, latest, merged, hasData }: Tape): NewTrades {
    const newest = trades.at(-1) ?? null;
    const last = this.#last;
    const hasBegun = this.#hasBegun;
    if (hasData) {
      this.#hasBegun = true;
      this.#last = newest ?? last;
    }
    if (!hasData || !hasBegun || newest === last) return { fresh: [], merged: null, newest };
    const fresh = last === null ? trades : after(trades, last, latest);
    return { fresh, merged: fresh.length > 0 ? merged : null, newest };
  }
}

function after(trades: readonly Trade[], last: Trade, latest: readonly Trade[]): readonly Trade[] {
  const index = trades.findLastIndex(({ id, timeMs }) => id === last.id && timeMs === last.timeMs);
  if (index >= 0) return trades.slice(index + 1);
  // Not a list that was taken anew: the last one seen has only gone from its far end.
  return latest.length < trades.length ? latest : [];
}
