import type { Candle, Lots, Ticks } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { holesAt, holesWithin, placeOf, withPage, type Hole } from './holes.ts';

const price = 1 as Ticks;
const candle = (time: number): Candle => ({
  time,
  open: price,
  high: price,
  low: price,
  close: price,
  volume: 1 as Lots,
  trades: 1,
});
/** From and to in seconds. */
const hole = (from: number, to: number): Hole => ({ fromMs: from * 1000, toMs: to * 1000 });

describe('holes of pages', () => {
  it('are in order, and those that overlap or touch are one', () => {
    const newer = withPage([], hole(300, 600), [hole(290, 310), hole(500, 520)]);
    expect(withPage(newer, hole(0, 300), [hole(100, 110), hole(280, 310)])).toEqual([
      hole(100, 110),
      hole(280, 310),
      hole(500, 520),
    ]);
  });

  it('are gone where the page says that there are none any more', () => {
    const known = [hole(50, 150), hole(200, 210), hole(290, 310)];
    expect(withPage(known, hole(100, 300), [])).toEqual([hole(50, 100), hole(300, 310)]);
  });

  it('are held in bounded number, the newest', () => {
    const many = Array.from({ length: 600 }, (_, i) => hole(i * 10, i * 10 + 1));
    const held = withPage([], hole(0, 6_000), many);
    expect(held).toHaveLength(500);
    expect(held.at(-1)).toEqual(many.at(-1));
  });
});

describe('a hole and the candles', () => {
  const candles = [candle(0), candle(60), candle(600), candle(660)];
  const told = (holes: readonly Hole[]) => candles.map((_, i) => holesAt(holes, candles, i, 60).length);

  it('is told by those that it is in', () => {
    expect(told([hole(70, 80)])).toEqual([0, 1, 0, 0]);
    expect(told([hole(30, 90)])).toEqual([1, 1, 0, 0]);
    expect(told([hole(60, 120)])).toEqual([0, 1, 0, 0]);
  });

  it('is told by both neighbours where its candles are missing', () => {
    expect(told([hole(120, 600)])).toEqual([0, 1, 1, 0]);
    expect(told([hole(110, 610)])).toEqual([0, 1, 1, 0]);
  });

  it('is drawn over the part of the candles that it takes', () => {
    expect(placeOf(hole(60, 90), candles, 60)).toEqual({ from: 0.5, to: 1 });
    expect(placeOf(hole(30, 630), candles, 60)).toEqual({ from: 0, to: 2 });
    expect(placeOf(hole(-50, 1_000), candles, 60)).toEqual({ from: -0.5, to: 3.5 });
  });

  it('is drawn between two where its candles are missing', () => {
    expect(placeOf(hole(120, 600), candles, 60)).toEqual({ from: 1.5, to: 1.5 });
    expect(placeOf(hole(200, 300), candles, 60)).toEqual({ from: 1.5, to: 1.5 });
  });

  it('is not drawn outside of them', () => {
    expect(placeOf(hole(-90, 0), candles, 60)).toBeNull();
    expect(placeOf(hole(720, 800), candles, 60)).toBeNull();
    expect(placeOf(hole(0, 1), [], 60)).toBeNull();
  });

  it('is in sight where a candle in sight has a part of it', () => {
    const holes = [hole(0, 60), hole(100, 110), hole(720, 730)];
    expect(holesWithin(holes, { first: candles[1]!, last: candles[3]! }, 60)).toEqual([hole(100, 110)]);
  });
});
