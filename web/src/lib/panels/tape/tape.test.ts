import { scaleOf, type Lots, type Ticks, type Trade } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { buyShare, countSince, largeSize, newestFirst, rowSlots } from './tape-rows.ts';

const trade = (id: number, size: number, side: Trade['side'] = 'buy'): Trade => ({
  id,
  price: 100 as Ticks,
  size: size as Lots,
  side,
  timeMs: id * 1000,
});

const instrument = { tick: scaleOf('0.1'), lot: scaleOf('1') };

describe('tape', () => {
  it('puts the newest first and leaves out what is worth less than the minimum', () => {
    const trades = [trade(1, 5), trade(2, 1), trade(3, 7)];
    expect(newestFirst(trades, instrument, 0).map(({ id }) => id)).toEqual([3, 2, 1]);
    expect(newestFirst(trades, instrument, 50).map(({ id }) => id)).toEqual([3, 1]);
  });

  it('calls the largest twentieth large, once enough trades are known', () => {
    const trades = Array.from({ length: 100 }, (_, i) => trade(i, i + 1));
    expect(largeSize(trades)).toBe(96);
    expect(largeSize(trades.slice(0, 5))).toBe(Infinity);
  });

  it('counts what came while it was held still', () => {
    const trades = [trade(1, 1), trade(2, 1), trade(3, 1)];
    expect(countSince(trades, trades[0])).toBe(2);
    expect(countSince(trades, trade(9, 1))).toBe(3);
    expect(countSince(trades, undefined)).toBe(3);
  });

  it('tells the share of buyers within a window that ends with the newest trade', () => {
    const trades = [trade(1, 100), trade(60, 3), trade(61, 1, 'sell')];
    expect(buyShare(trades, 10_000)).toBe(0.75);
    expect(buyShare([], 10_000)).toBeNull();
  });

  it('moves each trade down in its row, and gives the row that falls out to the newest', () => {
    const before = rowSlots(17, 4);
    expect(new Set(before).size).toBe(4);
    const after = rowSlots(18, 4);
    expect(after.slice(1)).toEqual(before.slice(0, 3));
    expect(after[0]).toBe(before[3]);
  });

  it('has rows of their own too before the first trade has come', () => {
    expect(new Set(rowSlots(0, 5)).size).toBe(5);
    expect(rowSlots(3, 0)).toEqual([]);
  });
});
