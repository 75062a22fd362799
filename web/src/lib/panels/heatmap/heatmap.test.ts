import { OrderBook, type Ticks } from '@depthwire/shared';
import { DEPTH_PERIOD_MS, depthColumn, TradeTally, type DepthColumn } from '@depthwire/shared/depth';
import { describe, expect, test } from 'vitest';
import { DepthColumns, holesBetween, MAX_PERIODS, recordedSince } from './depth-columns.ts';
import { sincePlace } from './draw-heatmap.ts';
import { codeOf, heatScale, rampOf, SHADES, SizeHistogram } from './heat-scale.ts';
import { gridFor, placeOf, TILE_TEXELS } from './heat-tiles.ts';
import { bubblesOf, pathOf, radiusOf, touchRange } from './marks.ts';
import { Texel } from './raster.ts';
import { largestIn, readAt } from './reading.ts';

const START = 1_760_000_000;

/** Bids of 10 lots at 99 and 97, asks of 20 lots at 101 and 104. */
function column(period: number, more: Partial<DepthColumn> = {}): DepthColumn {
  const book = new OrderBook();
  book.loadSnapshot([99, 10, 97, 10], [101, 20, 104, 20]);
  return { ...depthColumn(period * DEPTH_PERIOD_MS, book, 1), ...more };
}

function traded(...trades: [price: number, size: number, side: 'buy' | 'sell'][]) {
  const tally = new TradeTally();
  type Add = Parameters<TradeTally['add']>;
  for (const [price, size, side] of trades) tally.add(price as Add[0], size as Add[1], side);
  return tally.take();
}

function columnsOf(...periods: (number | DepthColumn)[]): DepthColumns {
  const columns = new DepthColumns();
  for (const one of periods) columns.put(typeof one === 'number' ? column(one) : one);
  return columns;
}

describe('columns', () => {
  test('what rests between two prices, and where nothing is known', () => {
    const columns = columnsOf(START);
    expect(columns.lotsBetween(START, 97, 100)).toEqual({ bid: 20, ask: 0 });
    expect(columns.lotsBetween(START, 100, 101)).toEqual({ bid: 0, ask: 0 });
    expect(columns.lotsBetween(START, 101, 105)).toEqual({ bid: 0, ask: 40 });
    expect(columns.lotsBetween(START, 90, 97)).toBeNull();
    expect(columns.lotsBetween(START, 105, 110)).toBeNull();
    expect(columns.lotsBetween(START + 1, 97, 100)).toBeNull();
  });

  test('a later word on a period replaces the one before, and keeps the trades where it has none', () => {
    const columns = columnsOf(column(START, { traded: traded([100, 3, 'buy']) }));
    columns.put(column(START, { bids: [7] }));
    expect(columns.count).toBe(1);
    expect(columns.lotsBetween(START, 99, 100)).toEqual({ bid: 7, ask: 0 });
    expect(columns.tradesIn(START)).toEqual({ low: 100, high: 100, last: 100, bought: 3, sold: 0 });
  });

  test('an hour is kept, whatever came before it', () => {
    const columns = new DepthColumns();
    for (let i = 0; i < MAX_PERIODS + 1_000; i++) columns.put(column(START + i));
    expect(columns.count).toBe(MAX_PERIODS);
    expect(columns.oldest).toBe(START + 1_000);
    expect(columns.has(START + 999)).toBe(false);
    expect(columns.put(column(START))).toBe(false);
    columns.put(column(START + 20_000));
    expect([columns.count, columns.oldest]).toEqual([1, START + 20_000]);
  });

  test('holes are told as they are', () => {
    const columns = columnsOf(START, START + 1, START + 4, START + 6);
    expect(holesBetween(columns, START - 2, START + 8)).toEqual([
      { from: START - 2, to: START },
      { from: START + 2, to: START + 4 },
      { from: START + 5, to: START + 6 },
      { from: START + 7, to: START + 8 },
    ]);
    expect(holesBetween(columns, START, START + 2)).toEqual([]);
  });
});

describe('where the recording begins', () => {
  test('is the oldest column, once the server has nothing before it', () => {
    const columns = columnsOf(START, START + 1);
    expect(recordedSince(columns, false)).toBeNull();
    expect(recordedSince(columns, true)).toBe(START);
    expect(recordedSince(new DepthColumns(), true)).toBeNull();
  });

  test('is not told where no more than an hour is kept', () => {
    expect(recordedSince({ oldest: START, newest: START + 3_000 }, true)).toBe(START);
    expect(recordedSince({ oldest: START, newest: START + MAX_PERIODS - 1 }, true)).toBeNull();
  });

  test('is written before the line where there is room, and behind it where there is not', () => {
    expect(sincePlace(300, 120, 500)).toBe(175);
    expect(sincePlace(40, 120, 500)).toBe(45);
    expect(sincePlace(80, 120, 160)).toBe(40);
    expect(sincePlace(-1, 120, 500)).toBeNull();
    expect(sincePlace(501, 120, 500)).toBeNull();
  });
});

describe('the picture', () => {
  const grid = { rowTicks: 1, firstRow: 95, rows: 16, perTexel: 1 };
  const rowsOf = (texel: Texel) =>
    Object.fromEntries([...texel.lots].flatMap((lots, row) => (lots ? [[row + 95, lots]] : [])));

  test('a column is read into rows of one price, and knows how far it knows', () => {
    const texel = new Texel(16);
    texel.read(columnsOf(START), START, grid);
    expect(rowsOf(texel)).toEqual({ 97: 10, 99: 10, 101: 20, 104: 20 });
    expect([texel.from + 95, texel.to + 95]).toEqual([97, 105]);
  });

  test('prices are added up in rows of several, periods are averaged over those that there are', () => {
    const texel = new Texel(16);
    const columns = columnsOf(START, column(START + 1, { bids: [30, 0, 50] }));
    texel.read(columns, START, { rowTicks: 5, firstRow: 19, rows: 16, perTexel: 4 });
    expect([...texel.lots.subarray(0, 3)]).toEqual([(20 + 80) / 2, 40, 0]);
  });

  test('a bucket of another column that is higher than a row is spread over the rows', () => {
    const coarse = depthColumn(START * DEPTH_PERIOD_MS, new OrderBook(), 4);
    const texel = new Texel(16);
    const columns = columnsOf({ ...coarse, bid: 99 as Ticks, bids: [40] });
    texel.read(columns, START, grid);
    expect(rowsOf(texel)).toEqual({ 96: 10, 97: 10, 98: 10, 99: 10 });
  });

  test('a hole, and what is beyond the book, stays transparent; nothing resting is a colour', () => {
    const texel = new Texel(16);
    const pixels = new Uint32Array(16 * 2).fill(7);
    const ramp = Uint32Array.from({ length: SHADES }, (_, shade) => 1_000 + shade);
    const scale = { low: 10, high: 20 };
    texel.read(columnsOf(START), START, grid);
    texel.paint(pixels, 2, 0, scale, ramp);
    const at = (ticks: number) => pixels[(16 - 1 - (ticks - 95)) * 2];
    expect(at(96)).toBe(0);
    expect(at(105)).toBe(0);
    expect(at(98)).toBe(1_000);
    expect(at(97)).toBe(1_001);
    expect(at(104)).toBe(1_000 + SHADES - 1);
    expect(pixels[1]).toBe(7);
    texel.read(columnsOf(START), START + 1, grid);
    texel.paint(pixels, 2, 0, scale, ramp);
    expect([96, 97, 98, 104].map(at)).toEqual([0, 0, 0, 0]);
  });

  test('a period is in one column of one tile', () => {
    expect(placeOf(TILE_TEXELS * 3 + 5, 1)).toEqual({ tile: 3, texel: 5 });
    expect(placeOf(TILE_TEXELS * 8 - 1, 4)).toEqual({ tile: 1, texel: TILE_TEXELS - 1 });
  });

  test('the rows stay while they hold what is shown', () => {
    const first = gridFor(null, { centre: 1_000, span: 100 }, 1, 1);
    expect(first.firstRow).toBeLessThanOrEqual(950);
    expect(first.firstRow + first.rows).toBeGreaterThanOrEqual(1_050);
    expect(gridFor(first, { centre: 1_010, span: 100 }, 1, 1)).toBe(first);
    expect(gridFor(first, { centre: 1_300, span: 100 }, 1, 1)).not.toBe(first);
    expect(gridFor(first, { centre: 1_000, span: 100 }, 1, 2)).not.toBe(first);
  });
});

describe('the colour scale', () => {
  const sizesFrom = (sizes: Iterable<number>) => {
    const histogram = new SizeHistogram();
    for (const size of sizes) histogram.add(size);
    return histogram;
  };
  const upTo1000 = () => sizesFrom(Array.from({ length: 1_000 }, (_, i) => i + 1));

  test('percentiles are within 1.6 % of what they are', () => {
    const sizes = upTo1000();
    for (const share of [0.05, 0.5, 0.9, 0.99, 1]) {
      const found = sizes.percentile(share)!;
      expect(found / (share * 1_000)).toBeGreaterThan(0.984);
      expect(found / (share * 1_000)).toBeLessThanOrEqual(1);
    }
    expect(sizesFrom([]).percentile(0.5)).toBeNull();
  });

  test('a larger size never has a smaller code', () => {
    let before = codeOf(0.5);
    for (let lots = 1; lots < 1e12; lots *= 1.01) {
      expect(codeOf(lots)).toBeGreaterThanOrEqual(before);
      before = codeOf(lots);
    }
  });

  test('the scale keeps still while sizes change little', () => {
    const first = heatScale(null, upTo1000(), { from: 50, to: 99 })!;
    expect(first.low).toBeGreaterThan(490);
    expect(first.high).toBeGreaterThan(970);
    const more = Array.from({ length: 1_000 }, (_, i) => (i + 1) * 1.1);
    expect(heatScale(first, sizesFrom(more), { from: 50, to: 99 })).toBe(first);
    const double = more.map((size) => 2 * size);
    expect(heatScale(first, sizesFrom(double), { from: 50, to: 99 })!.low).toBeGreaterThan(1_000);
    expect(heatScale(first, sizesFrom([]), { from: 50, to: 99 })).toBe(first);
  });

  test('equal sizes have a scale all the same', () => {
    const { low, high } = heatScale(null, sizesFrom([5, 5, 5]), { from: 50, to: 99 })!;
    expect(high).toBeGreaterThan(low);
  });

  test('the ramp begins with what nothing has, and goes from the first shade to the last', () => {
    const ramp = rampOf([
      [1, 2, 3],
      [10, 20, 30],
      [110, 120, 130],
    ]);
    expect(ramp[0]).toBe(0xff030201);
    expect(ramp[1]! & 0xff).toBe(10);
    expect(ramp[SHADES - 1]).toBe(0xff82786e);
  });
});

describe('what is drawn over it', () => {
  test('lines do not cross holes', () => {
    const columns = columnsOf(column(START, { traded: traded([100, 1, 'buy']) }), START + 1, START + 3);
    const path = pathOf(columns, START, START + 4, 1);
    expect(path.map(({ from, last, isBroken }) => [from - START, last, isBroken])).toEqual([
      [0, 100, true],
      [1, 100, false],
      [3, NaN, true],
    ]);
  });

  test('points and bubbles of several periods begin at the same ones wherever the view begins', () => {
    const columns = columnsOf(START + 1, START + 2, START + 3, START + 4);
    const from = (start: number) => pathOf(columns, start, START + 8, 4).map((point) => point.from);
    expect(from(START + 1)).toEqual(from(START + 3));
  });

  test('a bubble sums both sides at the mean price', () => {
    const columns = columnsOf(
      column(START, { traded: traded([100, 3, 'buy']) }),
      column(START + 1, { traded: traded([104, 1, 'sell']) }),
      START + 2,
    );
    const bubbles = bubblesOf(columns, START, START + 3, 2);
    expect(bubbles).toEqual([{ period: START + 1, ticks: 101, bought: 3, sold: 1 }]);
    expect(radiusOf(25, 100, 12)).toBe(6);
  });

  test('the range of the touch leaves holes out', () => {
    expect(touchRange(columnsOf(START, START + 3), START, START + 4)).toEqual({ low: 99, high: 101 });
    expect(touchRange(columnsOf(START), START + 1, START + 4)).toBeNull();
  });
});

describe('a reading', () => {
  test('tells the row, its size and what was traded', () => {
    const columns = columnsOf(column(START, { traded: traded([99, 2, 'sell']) }), START + 2);
    expect(readAt(columns, START + 0.7, 98.4, 5)).toMatchObject({
      period: START,
      from: 95,
      to: 100,
      hole: null,
      lots: { bid: 20, ask: 0 },
      trades: { sold: 2 },
    });
    expect(readAt(columns, START + 1, 98, 5)).toMatchObject({ hole: 'within', lots: null });
    expect(readAt(columns, START - 1, 98, 5)).toMatchObject({ hole: 'before' });
  });

  test('the largest of each side in view', () => {
    const columns = columnsOf(column(START, { bids: [10, 0, 50] }));
    expect(largestIn(columns, START, 98, 102)).toEqual({
      bid: { ticks: 99, lots: 10 },
      ask: { ticks: 101, lots: 20 },
    });
    expect(largestIn(columns, START, 90, 102).bid).toEqual({ ticks: 97, lots: 50 });
  });
});
