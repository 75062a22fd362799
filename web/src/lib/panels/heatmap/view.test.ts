import { describe, expect, test } from 'vitest';
import { priceMarks, timeMarks } from './axes.ts';
import {
  autoRange,
  clampTime,
  panPrice,
  panTime,
  periodAt,
  periodsPerTexel,
  rowTicksFor,
  ticksAtY,
  xOf,
  yOf,
  zoomPrice,
  zoomTime,
} from './view.ts';

const WIDTH = 800;
const HEIGHT = 400;
const extent = { from: 1_000, to: 4_600 };
const time = { end: 4_000, scale: 4 };
const price = { centre: 50_000, span: 1_000 };

describe('places', () => {
  test('a period is where the one before it ends, the last one at the right edge', () => {
    expect(xOf(4_000, time, WIDTH)).toBe(WIDTH);
    expect(xOf(3_999, time, WIDTH)).toBe(WIDTH - 4);
    expect(periodAt(xOf(3_877, time, WIDTH), time, WIDTH)).toBe(3_877);
  });

  test('higher prices are further up', () => {
    expect(yOf(50_500, price, HEIGHT)).toBe(0);
    expect(yOf(49_500, price, HEIGHT)).toBe(HEIGHT);
    expect(ticksAtY(yOf(50_123, price, HEIGHT), price, HEIGHT)).toBeCloseTo(50_123);
  });
});

describe('zoom and pan', () => {
  test('what is under the pointer stays there', () => {
    const before = periodAt(300, time, WIDTH);
    const zoomed = zoomTime(time, 2, 300, WIDTH, extent);
    expect(zoomed.scale).toBe(8);
    expect(periodAt(300, zoomed, WIDTH)).toBeCloseTo(before);
    const closer = zoomPrice(price, 2, 100, HEIGHT);
    expect(closer.span).toBe(500);
    expect(ticksAtY(100, closer, HEIGHT)).toBeCloseTo(ticksAtY(100, price, HEIGHT));
  });

  test('time goes no further than there are columns, to either end', () => {
    expect(panTime(time, -1e6, WIDTH, extent).end).toBe(extent.to);
    const oldest = panTime(time, 1e6, WIDTH, extent);
    expect(periodAt(0, oldest, WIDTH)).toBe(extent.from);
  });

  test('all of the hour fits, and no more than it', () => {
    const out = zoomTime(time, 1e-6, 100, WIDTH, extent);
    expect(out).toEqual({ end: extent.to, scale: WIDTH / 3_600 });
    expect(zoomTime(time, 1e6, 100, WIDTH, extent).scale).toBe(32);
  });

  test('a past shorter than the plot ends at its right edge', () => {
    expect(clampTime({ end: 1_005, scale: 4 }, WIDTH, { from: 1_000, to: 1_020 }).end).toBe(1_020);
  });

  test('dragging down shows higher prices', () => {
    expect(panPrice(price, 40, HEIGHT).centre).toBe(50_100);
  });
});

describe('the automatic range', () => {
  test('is about the path, and stays while the path moves a little', () => {
    const first = autoRange(null, 49_900, 50_100, 1);
    expect(first).toEqual({ centre: 50_000, span: 500 });
    expect(autoRange(first, 49_950, 50_180, 1)).toBe(first);
    const moved = autoRange(first, 50_100, 50_300, 1);
    expect(moved.centre).toBe(50_200);
  });

  test('shows some buckets also where nothing moves, and comes closer only where much is empty', () => {
    const still = autoRange(null, 50_000, 50_001, 10);
    expect(still.span).toBe(600);
    const wide = autoRange(null, 48_000, 52_000, 10);
    expect(autoRange(wide, 48_200, 51_800, 10)).toBe(wide);
    expect(autoRange(wide, 49_900, 50_100, 10).span).toBeLessThan(wide.span);
  });
});

describe('what the picture is made of', () => {
  test('rows are buckets, or 2, 5, 10 … of them, at least two pixels high', () => {
    expect(rowTicksFor(5, { centre: 0, span: 1_000 }, 400)).toBe(5);
    expect(rowTicksFor(5, { centre: 0, span: 2_500 }, 400)).toBe(25);
  });

  test('columns are periods, or 2, 4, 8 … of them, at least a pixel of the screen wide', () => {
    expect(periodsPerTexel(4, 1)).toBe(1);
    expect(periodsPerTexel(0.5, 1)).toBe(2);
    expect(periodsPerTexel(0.5, 2)).toBe(1);
    expect(periodsPerTexel(0.22, 1)).toBe(8);
  });
});

describe('axes', () => {
  test('prices are round and far enough apart', () => {
    const marks = priceMarks(price, HEIGHT, 44);
    expect(marks).toEqual([49_600, 49_800, 50_000, 50_200, 50_400]);
    expect(priceMarks({ centre: 3, span: 4 }, HEIGHT, 44)).toEqual([1, 2, 3, 4, 5]);
  });

  test('times are round', () => {
    expect(timeMarks(1_001, 1_061, 4, 80)).toEqual({ step: 30, periods: [1_020, 1_050] });
    expect(timeMarks(0, 3_600, 0.2, 80).step).toBe(600);
  });
});
