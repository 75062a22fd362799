import type { MergedTrades, Trade } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { TradeRows } from './trade-rows.ts';

const trade = (id: number, size = 1) => ({ id, size, price: 100, side: 'buy', timeMs: id }) as Trade;
const merged = (missed: number, listed: number): MergedTrades => ({
  ...{ count: missed + listed, missed, bought: 2, sold: 3, low: 90 + missed, high: 110 + missed, ageMs: 5 },
});
const shown = ({ rows }: TradeRows) =>
  rows.map(({ trade: one, sums }) => (one ? one.id : `${sums!.missed} of ${sums!.count}`));

describe('rows of trades', () => {
  const begun = (most = 10, least = 0) => {
    const rows = new TradeRows(most, ({ size }) => size >= least);
    const trades = [trade(1), trade(2, 9)];
    rows.take({ trades, latest: [trades[1]!], merged: null });
    return { rows, trades };
  };
  const add = (of: ReturnType<typeof begun>, latest: Trade[], sums: MergedTrades | null = null) => {
    of.trades.push(...latest);
    of.rows.take({ trades: of.trades, latest, merged: sums });
  };

  it('begin with all that is held, the newest first', () => {
    expect(shown(begun().rows)).toEqual([2, 1]);
  });

  it('are no more than wanted, and counted as they come', () => {
    const of = begun(3);
    add(of, [trade(3), trade(4)]);
    expect(shown(of.rows)).toEqual([4, 3, 2]);
    expect(of.rows.added).toBe(4);
  });

  it('leave small trades out, and keep a large one though many small ones come', () => {
    const of = begun(10, 5);
    for (let id = 3; id < 600; id++) add(of, [trade(id)]);
    expect(shown(of.rows)).toEqual([2]);
  });

  it('say where trades are missing: before the latest of a frame of sums', () => {
    const of = begun();
    add(of, [trade(9)], merged(4, 1));
    expect(shown(of.rows)).toEqual([9, '4 of 5', 2, 1]);
  });

  it('say it once for frames of sums with no trade listed between them', () => {
    const of = begun(10, 5);
    add(of, [trade(9)], merged(4, 1));
    add(of, [trade(20)], merged(6, 1));
    expect(shown(of.rows)).toEqual(['10 of 12', 2]);
    expect(of.rows.rows[0]!.sums).toEqual({ count: 12, missed: 10, bought: 4, sold: 6, low: 94, high: 116 });
  });

  it('begin anew after a gap that nobody tells of', () => {
    const of = begun();
    const trades = [trade(50), trade(51)];
    of.rows.take({ trades, latest: trades, merged: null });
    expect(shown(of.rows)).toEqual([51, 50]);
  });
});
