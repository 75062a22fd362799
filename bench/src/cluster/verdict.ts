import type { Account, Shown } from './crowd-process.ts';
import type { ByBook, TrueStates } from './truth.ts';

/** Sums over all processes of clients, and what only all of them together show. */
export interface Verdict extends Account {
  /** Different books that were shown as live and never were. */
  readonly wrongBooks: number;
  /** Books of the same sequence and epoch that were not the same, in different processes too. */
  readonly differing: number;
  /** How long a book was shown as live after the market had another one, at most. */
  readonly oldestMs: number;
}

export function verdictOf(
  accounts: readonly Account[],
  shown: readonly Shown[],
  states: ByBook<TrueStates>,
): Verdict {
  const sum = (name: keyof Omit<Account, 'troubleMs'>) =>
    accounts.reduce((all, account) => all + account[name], 0);
  const troubles = accounts.map(({ troubleMs }) => troubleMs ?? -Infinity);
  const troubleMs = Math.max(-Infinity, ...troubles);
  let wrongBooks = 0;
  let oldestMs = 0;
  for (const { books } of shown) {
    for (const [key, digests] of books) {
      const truth = states.get(key);
      for (const [digest, lastMs] of digests) {
        if (digest === truth?.current) continue;
        const endedMs = truth?.endedMs.get(digest);
        if (endedMs === undefined) wrongBooks += 1;
        else oldestMs = Math.max(oldestMs, lastMs - endedMs);
      }
    }
  }
  return {
    troubleMs: troubleMs === -Infinity ? null : troubleMs,
    reconnects: sum('reconnects'),
    resumed: sum('resumed'),
    snapshots: sum('snapshots'),
    resyncs: sum('resyncs'),
    wentBack: sum('wentBack'),
    differing: sum('differing') + differingAcross(shown),
    doubledTrades: sum('doubledTrades'),
    missedTrades: sum('missedTrades'),
    summedTrades: sum('summedTrades'),
    wrongCandles: sum('wrongCandles'),
    wrongBooks,
    oldestMs,
  };
}

function differingAcross(shown: readonly Shown[]): number {
  const digests = new Map<string, number>();
  let differing = 0;
  for (const { sequences } of shown) {
    for (const [key, digest] of sequences) {
      const other = digests.get(key);
      if (other === undefined) digests.set(key, digest);
      else if (other !== digest) differing += 1;
    }
  }
  return differing;
}
