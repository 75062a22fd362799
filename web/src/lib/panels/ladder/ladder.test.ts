import { OrderBook, scaleOf, type Instrument } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { groupOf, groupSteps, neighbourStep } from './grouping.ts';
import { createLadderSide, fillLadderSide, sweepTo } from './ladder-rows.ts';
import { rowsThatFit, viewRows } from './ladder-view.ts';

const bookOf = (bids: number[], asks: number[]) => {
  const book = new OrderBook();
  book.loadSnapshot(bids, asks);
  return book;
};

const rowsOf = (side: ReturnType<typeof createLadderSide>, field: 'price' | 'lots' | 'total') => [
  ...side[field].subarray(0, side.count),
];

describe('price grouping', () => {
  it('steps by 1, 2 and 5 up to about a percent of the price', () => {
    expect(groupSteps(100_000)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);
  });

  it('offers a few steps even where a tick is more than a percent', () => {
    expect(groupSteps(20)).toEqual([1, 2, 5, 10, 20, 50]);
  });

  it('moves bids down and asks up', () => {
    expect(groupOf(1234, 10, 'bid')).toBe(1230);
    expect(groupOf(1234, 10, 'ask')).toBe(1240);
    expect(groupOf(1230, 10, 'ask')).toBe(1230);
    expect(groupOf(-3, 2, 'bid')).toBe(-4);
  });

  it('stays within the list', () => {
    expect(neighbourStep([1, 2, 5], 1, -1)).toBe(1);
    expect(neighbourStep([1, 2, 5], 2, 1)).toBe(5);
    expect(neighbourStep([1, 2, 5], 5, 1)).toBe(5);
  });
});

describe('ladder rows', () => {
  const book = bookOf([104, 1, 103, 2, 98, 3, 91, 4], [106, 5, 107, 6, 111, 7]);

  it('shows each level with its running total when prices are not grouped', () => {
    const side = createLadderSide(10);
    fillLadderSide(side, book.bids, 'bid', 1, 10);
    expect(rowsOf(side, 'price')).toEqual([104, 103, 98, 91]);
    expect(rowsOf(side, 'total')).toEqual([1, 3, 6, 10]);
    expect(side.more).toBe(false);
  });

  it('sums the sizes of a group', () => {
    const side = createLadderSide(10);
    fillLadderSide(side, book.bids, 'bid', 10, 10);
    expect(rowsOf(side, 'price')).toEqual([100, 90]);
    expect(rowsOf(side, 'lots')).toEqual([3, 7]);
    fillLadderSide(side, book.asks, 'ask', 5, 10);
    expect(rowsOf(side, 'price')).toEqual([110, 115]);
    expect(rowsOf(side, 'lots')).toEqual([11, 7]);
  });

  it('fills no more rows than there are and says that more was left', () => {
    const side = createLadderSide(10);
    fillLadderSide(side, book.asks, 'ask', 1, 2);
    expect(rowsOf(side, 'price')).toEqual([106, 107]);
    expect(side.more).toBe(true);
  });

  it('is empty on an empty book', () => {
    const side = createLadderSide(4);
    fillLadderSide(side, bookOf([], []).bids, 'bid', 1, 4);
    expect(side.count).toBe(0);
    expect(sweepTo(side, 0, 100)).toBeNull();
  });

  it('costs a sweep at the prices of the levels, not of the groups', () => {
    const side = createLadderSide(10);
    fillLadderSide(side, book.asks, 'ask', 5, 10);
    const sweep = sweepTo(side, 0, 105)!;
    expect(sweep.lots).toBe(11);
    expect(sweep.cost).toBe(106 * 5 + 107 * 6);
    expect(sweep.averageTicks).toBeCloseTo(1172 / 11);
    expect(sweep.slippageBps).toBeCloseTo(((1172 / 11 - 105) / 105) * 10_000);
  });
});

describe('ladder texts', () => {
  const instrument = {
    tick: scaleOf('0.01'),
    lot: scaleOf('0.0001'),
    base: 'BTC',
    quote: 'USD',
  } as Instrument;
  const side = createLadderSide(10);
  fillLadderSide(side, bookOf([], [10_000, 25_000, 10_100, 5_000]).asks, 'ask', 1, 10);

  it('shows as many rows as asked for, empty ones at the end', () => {
    const rows = viewRows(side, 4, 30_000, {
      instrument,
      step: 1,
      unit: 'base',
      size: { exponent: 0, decimals: 2 },
    });
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ lead: '100', trail: '.00', size: '2.50', total: '2.50' });
    expect(rows[1]).toMatchObject({ lead: '101', total: '3.00', totalBar: 1 });
    expect(rows[2]!.lead).toBeNull();
  });

  it('shows sizes in the quote currency', () => {
    const rows = viewRows(side, 2, 30_000, {
      instrument,
      step: 1,
      unit: 'quote',
      size: { exponent: 0, decimals: 2 },
    });
    expect(rows[0]!.size).toBe('250.0');
    expect(rows[1]).toMatchObject({ size: '50.50', total: '300.5' });
  });

  it('needs fewer decimals for larger groups', () => {
    const rows = viewRows(side, 1, 30_000, {
      instrument,
      step: 100,
      unit: 'base',
      size: { exponent: 0, decimals: 2 },
    });
    expect(rows[0]).toMatchObject({ lead: '100', trail: '' });
  });

  it('fits the same number of rows on both sides', () => {
    expect(rowsThatFit(500, 20, 40)).toBe(11);
    expect(rowsThatFit(10, 20, 40)).toBe(1);
  });
});
