import type { Lots, Ticks, Trade } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { TradeFollower } from './trade-follower.ts';

const trade = (id: number): Trade => ({
  id,
  price: 100 as Ticks,
  size: 1 as Lots,
  side: 'buy',
  timeMs: id,
});

/** As the client keeps them: a snapshot replaces, other frames are added. */
class Tape {
  trades: Trade[] = [];
  latest: Trade[] = [];
  readonly merged = null;
  readonly follower = new TradeFollower();

  frame(ids: number[], isSnapshot = false) {
    this.latest = ids.map(trade);
    if (isSnapshot) this.trades = [];
    this.trades.push(...this.latest);
    const { trades, ...rest } = this.follower.take(this);
    return { ids: trades.map(({ id }) => id), ...rest };
  }
}

describe('trades that are followed', () => {
  it('are told once each, those that were there before as history', () => {
    const tape = new Tape();
    expect(tape.frame([1, 2], true)).toMatchObject({ ids: [1, 2], isHistory: true, hasGap: false });
    expect(tape.frame([3, 4])).toMatchObject({ ids: [3, 4], isHistory: false, hasGap: false });
    expect(tape.frame([5])).toMatchObject({ ids: [5], hasGap: false });
  });

  it('go on after a snapshot that repeats some of them', () => {
    const tape = new Tape();
    tape.frame([1, 2, 3], true);
    expect(tape.frame([2, 3, 4], true)).toMatchObject({ ids: [4], isHistory: false, hasGap: false });
  });

  it('have a gap where a snapshot repeats none', () => {
    const tape = new Tape();
    tape.frame([1, 2, 3], true);
    expect(tape.frame([7, 8], true)).toMatchObject({ ids: [7, 8], hasGap: true });
  });
});
