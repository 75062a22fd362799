import { OrderBook, scaleOf, type Instrument, type Trade } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import type { TradeBatch } from '../../state/trade-follower.ts';
import { centredTop, createFixedRows, fillFixedRows, isOffCentre } from './fixed-rows.ts';
import { groupOf, groupSteps, neighbourStep } from './grouping.ts';
import { createLadderSide, fillLadderSide, sweepOf } from './ladder-rows.ts';
import { TradedVolumes } from './traded.ts';
import { rowsThatFit, viewFixedRows, viewRows, type RowFormat } from './ladder-view.ts';

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
    expect(sweepOf(0, 0, 100)).toBeNull();
  });

  it('costs a sweep at the prices of the levels, not of the groups', () => {
    const side = createLadderSide(10);
    fillLadderSide(side, book.asks, 'ask', 5, 10);
    const sweep = sweepOf(side.total[0]!, side.cost[0]!, 105)!;
    expect(sweep.lots).toBe(11);
    expect(sweep.cost).toBe(106 * 5 + 107 * 6);
    expect(sweep.averageTicks).toBeCloseTo(1172 / 11);
    expect(sweep.slippageBps).toBeCloseTo(((1172 / 11 - 105) / 105) * 10_000);
  });
});

describe('fixed ladder', () => {
  const book = bookOf([104, 1, 103, 2, 98, 3, 91, 4], [106, 5, 107, 6, 111, 7]);
  const fill = (window: { step: number; top: number; rows: number; depth: number | null }) => {
    const fixed = createFixedRows(20);
    fillFixedRows(fixed, book, window);
    const column = (name: 'price' | 'lots' | 'total' | 'side' | 'known' | 'cost') => [
      ...fixed[name].subarray(0, fixed.count),
    ];
    return { column, isShort: fixed.isShort };
  };

  it('has a row for every step, whether orders rest there or not', () => {
    const { column } = fill({ step: 1, top: 108, rows: 8, depth: 0 });
    expect(column('price')).toEqual([108, 107, 106, 105, 104, 103, 102, 101]);
    expect(column('lots')).toEqual([0, 6, 5, 0, 1, 2, 0, 0]);
    expect(column('side')).toEqual([-1, -1, -1, 0, 1, 1, 1, 1]);
  });

  it('adds up from the touch, through empty rows and through those that are not shown', () => {
    const { column } = fill({ step: 1, top: 100, rows: 4, depth: 0 });
    expect(column('total')).toEqual([3, 3, 6, 6]);
    expect(column('cost')).toEqual([310, 310, 310 + 294, 310 + 294]);
    expect(fill({ step: 1, top: 112, rows: 3, depth: 0 }).column('total')).toEqual([18, 18, 11]);
  });

  it('groups bids down and asks up, without loss', () => {
    const { column } = fill({ step: 5, top: 23, rows: 6, depth: 0 });
    expect(column('price')).toEqual([115, 110, 105, 100, 95, 90]);
    expect(column('lots')).toEqual([7, 11, 0, 3, 3, 4]);
    expect(column('total')).toEqual([18, 11, 0, 3, 6, 10]);
  });

  it('tells prices without orders from those behind what is known', () => {
    const held = fill({ step: 1, top: 113, rows: 24, depth: 3 });
    expect(held.column('known').slice(0, 3)).toEqual([0, 0, 1]);
    expect(held.isShort).toBe(true);
    const whole = fill({ step: 1, top: 113, rows: 24, depth: 5 });
    expect(whole.column('known')).not.toContain(0);
    expect(whole.isShort).toBe(false);
  });

  it('is centred on the touch, and stays while that is in the middle half', () => {
    const top = centredTop(105, 1, 20);
    expect(fill({ step: 1, top, rows: 20, depth: 0 }).column('price')[10]).toBe(105);
    expect(isOffCentre(105, 1, top, 20)).toBe(false);
    expect(isOffCentre(110, 1, top, 20)).toBe(false);
    expect(isOffCentre(110.5, 1, top, 20)).toBe(true);
    expect(isOffCentre(99, 1, top, 20)).toBe(true);
  });
});

describe('traded volumes', () => {
  const trade = (price: number, size: number, side: Trade['side']) =>
    ({ id: price, price, size, side, timeMs: 0 }) as Trade;
  const batch = (trades: Trade[], other: Partial<TradeBatch> = {}): TradeBatch => ({
    trades,
    isHistory: false,
    merged: null,
    hasGap: false,
    ...other,
  });

  it('are kept by price and side, and grouped as the levels are', () => {
    const traded = new TradedVolumes();
    traded.take(batch([trade(104, 3, 'sell'), trade(106, 5, 'buy'), trade(104, 1, 'sell')]));
    expect(traded.at(104, 1)).toEqual({ atBid: 4, atAsk: 0 });
    expect(traded.at(100, 10)).toEqual({ atBid: 4, atAsk: 0 });
    expect(traded.at(110, 10)).toEqual({ atBid: 0, atAsk: 5 });
    traded.take(batch([trade(101, 2, 'sell')]));
    expect(traded.at(100, 10)).toEqual({ atBid: 6, atAsk: 0 });
    expect(traded.at(101, 1)).toEqual({ atBid: 2, atAsk: 0 });
    expect(traded.at(120, 10)).toEqual({ atBid: 0, atAsk: 0 });
  });

  it('leave out what was traded before, and say what is missing', () => {
    const traded = new TradedVolumes();
    traded.take(batch([trade(104, 3, 'sell')], { isHistory: true }));
    expect(traded.at(104, 1)).toEqual({ atBid: 0, atAsk: 0 });
    traded.take(batch([trade(104, 1, 'buy')], { merged: { missed: 7 } as TradeBatch['merged'] }));
    traded.take(batch([], { hasGap: true }));
    expect([traded.missed, traded.hasGap]).toEqual([7, true]);
    traded.reset();
    expect([traded.missed, traded.hasGap, traded.at(104, 1).atAsk]).toEqual([0, false, 0]);
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

  const largest = { size: 25_000, total: 30_000 };
  const format = (other: Partial<RowFormat> = {}): RowFormat => ({
    instrument,
    step: 1,
    unit: 'base',
    size: { exponent: 0, decimals: 2 },
    columns: ['size', 'total'],
    bars: 'both',
    traded: () => ({ atBid: 0, atAsk: 0 }),
    ...other,
  });

  it('shows as many rows as asked for, empty ones at the end', () => {
    const rows = viewRows(side, 'ask', 4, largest, format());
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ lead: '100', trail: '.00', size: '2.50', total: '2.50' });
    expect(rows[1]).toMatchObject({ lead: '101', total: '3.00', totalBar: 1 });
    expect(rows[2]!.lead).toBeNull();
  });

  it('shows sizes in the quote currency', () => {
    const rows = viewRows(side, 'ask', 2, largest, format({ unit: 'quote' }));
    expect(rows[0]!.size).toBe('250.0');
    expect(rows[1]).toMatchObject({ size: '50.50', total: '300.5' });
  });

  it('needs fewer decimals for larger groups', () => {
    const rows = viewRows(side, 'ask', 1, largest, format({ step: 100 }));
    expect(rows[0]).toMatchObject({ lead: '100', trail: '' });
  });

  it('writes what was traded in the columns that are shown, and nothing where nothing was', () => {
    const traded = (price: number) => ({ atBid: 0, atAsk: price === 10_000 ? 12_300 : 0 });
    const rows = viewRows(side, 'ask', 2, largest, format({ columns: ['value', 'atBid', 'atAsk'], traded }));
    expect(rows[0]).toMatchObject({ size: '', value: '250.0', atBid: '', atAsk: '1.23' });
    expect(rows[1]).toMatchObject({ value: '50.50', atAsk: '' });
  });

  it('draws the bars that were asked for, to their own scales', () => {
    const barsOf = (bars: RowFormat['bars']) => {
      const [, row] = viewRows(side, 'ask', 2, largest, format({ bars }));
      return [row!.sizeBar, row!.totalBar];
    };
    expect(barsOf('both')).toEqual([5_000 / 30_000, 1]);
    expect(barsOf('size')).toEqual([5_000 / 25_000, 0]);
    expect(barsOf('total')).toEqual([0, 1]);
    expect(barsOf('none')).toEqual([0, 0]);
  });

  it('keeps a price without orders, of no side between the best prices', () => {
    const fixed = createFixedRows(10);
    fillFixedRows(fixed, bookOf([9_999, 100], [10_002, 100]), { step: 1, top: 10_003, rows: 5, depth: 0 });
    const rows = viewFixedRows(fixed, largest, format());
    expect(rows.map(({ lead, trail }) => `${lead}${trail}`)).toEqual([
      '100.03',
      '100.02',
      '100.01',
      '100.00',
      '99.99',
    ]);
    expect(rows.map(({ side: of }) => of)).toEqual(['ask', 'ask', null, null, 'bid']);
    expect(rows.map(({ size }) => size)).toEqual(['', '0.01', '', '', '0.01']);
  });

  it('fits the same number of rows on both sides', () => {
    expect(rowsThatFit(500, 20, 40)).toBe(11);
    expect(rowsThatFit(10, 20, 40)).toBe(1);
  });
});
