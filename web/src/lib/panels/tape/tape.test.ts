import { scaleOf, type Lots, type Ticks, type Trade } from '@depthwire/shared';
import { describe, expect, it, vi } from 'vitest';
import type { TradeBatch } from '../../state/trade-follower.ts';
import { TapeRows } from './aggregate.ts';
import { KeptRows, MOST_KEPT } from './kept-rows.ts';
import { LargeTrades } from './large-trades.ts';
import { PointerHold } from './pointer-hold.ts';
import { presentMs, SpeedMeter } from './speed.ts';
import { valueText } from './tape-values.ts';
import { buyShare, countSince, largeSize, passes, rowSlots, type TapeFilter } from './tape-rows.ts';

const trade = (id: number, size: number, side: Trade['side'] = 'buy'): Trade => ({
  id,
  price: 100 as Ticks,
  size: size as Lots,
  side,
  timeMs: id * 1000,
});

const instrument = { tick: scaleOf('0.1'), lot: scaleOf('1') };

describe('tape', () => {
  it('leaves out what is of the other side, or worth less than the minimum', () => {
    const trades = [trade(1, 5), trade(2, 1, 'sell'), trade(3, 7)];
    const ids = (filter: TapeFilter) =>
      new TapeRows()
        .of(trades, false)
        .filter((row) => passes(row, instrument, filter))
        .map(({ first }) => first.id);
    expect(ids({ minimum: 0, unit: 'quote', side: 'both' })).toEqual([1, 2, 3]);
    expect(ids({ minimum: 50, unit: 'quote', side: 'both' })).toEqual([1, 3]);
    expect(ids({ minimum: 0, unit: 'quote', side: 'sell' })).toEqual([2]);
    expect(ids({ minimum: 5, unit: 'base', side: 'both' })).toEqual([1, 3]);
    expect(ids({ minimum: 5.5, unit: 'base', side: 'both' })).toEqual([3]);
  });

  it('calls the largest twentieth large, once enough trades are known', () => {
    const trades = Array.from({ length: 100 }, (_, i) => trade(i, i + 1));
    expect(largeSize(trades)).toBe(96);
    expect(largeSize(trades.slice(0, 5))).toBe(Infinity);
  });

  it('counts the rows that came while it was held still, of those that pass the filter', () => {
    const rows = new TapeRows();
    const kept = new KeptRows(rows, false, ({ size }) => size >= 5);
    const take = (trades: Trade[]) => kept.take({ trades, isHistory: false, hasGap: false });
    take([trade(1, 5), trade(2, 1)]);
    const [newest] = kept.newestFirst();
    take([trade(3, 1), trade(4, 9), trade(5, 1), trade(6, 5)]);
    expect(countSince(kept.newestFirst(), newest!)).toBe(2);
    expect(countSince(kept.newestFirst(), rows.of([trade(9, 1)], false)[0]!)).toBe(3);
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

describe('fills of one aggressor', () => {
  const fill = (price: number, size: number, timeMs: number, side: Trade['side'] = 'buy') => ({
    ...trade(1, size, side),
    price: price as Ticks,
    timeMs,
  });
  const rowsOf = (trades: Trade[]) =>
    new TapeRows()
      .of(trades, true)
      .map(({ price, size, count, low, high }) => [price, size, count, low, high]);

  it('are one row with their sum, the worst price and the range', () => {
    expect(rowsOf([fill(100, 1, 0), fill(101, 2, 0), fill(103, 4, 5)])).toEqual([[103, 7, 3, 100, 103]]);
    expect(rowsOf([fill(100, 1, 0, 'sell'), fill(99, 2, 1, 'sell')])).toEqual([[99, 3, 2, 99, 100]]);
  });

  it('end where the side changes, the time is over, or the price gets better', () => {
    expect(rowsOf([fill(100, 1, 0), fill(100, 2, 0, 'sell'), fill(100, 4, 0)])).toHaveLength(3);
    expect(rowsOf([fill(100, 1, 0), fill(100, 2, 6)])).toHaveLength(2);
    // The time is that since the first, not since the one before.
    expect(rowsOf([fill(100, 1, 0), fill(100, 2, 4), fill(100, 4, 8)])).toEqual([
      [100, 3, 2, 100, 100],
      [100, 4, 1, 100, 100],
    ]);
    expect(rowsOf([fill(100, 1, 0), fill(99, 2, 0)])).toHaveLength(2);
    expect(rowsOf([fill(100, 1, 0, 'sell'), fill(101, 2, 0, 'sell')])).toHaveLength(2);
  });

  it('are the same rows as long as no fill comes to them', () => {
    const rows = new TapeRows();
    const trades = [fill(100, 1, 0), fill(101, 2, 1), fill(100, 1, 50)];
    const before = rows.of(trades, true);
    const after = rows.of([...trades, fill(102, 1, 52)], true);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(after[1]!.first).toBe(before[1]!.first);
  });
});

describe('what is large', () => {
  const many = (from: number, count: number, size: number) =>
    Array.from({ length: count }, (_, i) => trade(from + i, size));
  const rows = new TapeRows();
  const judge = (large: LargeTrades, trades: Trade[]) => large.take(trades, rows.of(trades, false));
  const isLarge = (large: LargeTrades, of: Trade) => of.size >= large.from(rows.of([of], false)[0]!);

  it('is decided when it comes, and stays so', () => {
    const large = new LargeTrades();
    const first = [...many(0, 50, 1), trade(50, 20)];
    judge(large, first);
    expect(isLarge(large, first[50]!)).toBe(true);
    expect(isLarge(large, first[0]!)).toBe(false);
    const later = [...first, ...many(51, 150, 1000), trade(300, 20)];
    judge(large, later);
    expect(isLarge(large, later.at(-1)!)).toBe(false);
    expect(isLarge(large, first[50]!)).toBe(true);
  });

  it('stays so over a snapshot that repeats the trade', () => {
    const large = new LargeTrades();
    const first = [...many(0, 50, 1), trade(50, 20)];
    judge(large, first);
    const repeated = [...first.map((one) => ({ ...one })), ...many(51, 150, 1000)];
    judge(large, repeated);
    expect(isLarge(large, repeated[50]!)).toBe(true);
  });

  it('is nothing while few trades are known, after the fact neither', () => {
    const large = new LargeTrades();
    const first = [...many(0, 5, 1), trade(5, 20)];
    judge(large, first);
    judge(large, [...first, ...many(6, 50, 1)]);
    expect(isLarge(large, first[5]!)).toBe(false);
  });
});

describe('a pointer over the list', () => {
  const at = (clientX: number, clientY = 0, pointerType = 'mouse') => ({ clientX, clientY, pointerType });
  const holding = () => {
    const told = { isHeld: false };
    return { told, hold: new PointerHold((isHeld) => (told.isHeld = isHeld)) };
  };

  it('holds it still once it moves, not for being there', () => {
    const { told, hold } = holding();
    hold.enter(at(5));
    hold.move(at(5));
    expect(told.isHeld).toBe(false);
    hold.move(at(6));
    expect(told.isHeld).toBe(true);
    hold.leave();
    expect(told.isHeld).toBe(false);
    // Elsewhere, without having moved over the list.
    hold.enter(at(90));
    hold.move(at(90));
    expect(told.isHeld).toBe(false);
  });

  it('lets go after a rest, and until it moves again once it was told to', () => {
    vi.useFakeTimers();
    const { told, hold } = holding();
    hold.enter(at(0));
    hold.move(at(1));
    vi.advanceTimersByTime(9_000);
    hold.move(at(2));
    vi.advanceTimersByTime(9_000);
    expect(told.isHeld).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(told.isHeld).toBe(false);
    hold.move(at(3));
    expect(told.isHeld).toBe(true);
    hold.release();
    hold.move(at(3));
    expect(told.isHeld).toBe(false);
    vi.useRealTimers();
  });

  it('is not a finger, which scrolls', () => {
    const { told, hold } = holding();
    hold.enter(at(0, 0, 'touch'));
    hold.move(at(0, 9, 'touch'));
    expect(told.isHeld).toBe(false);
  });
});

describe('what passes the filter', () => {
  const keeping = (least: number, isAggregated = false) =>
    new KeptRows(new TapeRows(), isAggregated, ({ size }) => size >= least);
  const told = (trades: Trade[], isHistory = false, hasGap = false) => ({ trades, isHistory, hasGap });
  const ids = (kept: KeptRows) => kept.newestFirst().map(({ first }) => first.id);

  it('stays, however many trades that do not pass come after it', () => {
    const kept = keeping(10);
    kept.take(told([trade(0, 10), trade(1, 1)], true));
    for (let id = 2; id < 3 * MOST_KEPT; id++) kept.take(told([trade(id, 1)]));
    kept.take(told([trade(9_000, 11)]));
    expect(ids(kept)).toEqual([9_000, 0]);
  });

  it('is bounded, the newest of it', () => {
    const kept = keeping(1);
    for (let id = 0; id < MOST_KEPT + 7; id++) kept.take(told([trade(id, 1)]));
    expect(kept.newestFirst()).toHaveLength(MOST_KEPT);
    expect(ids(kept)[0]).toBe(MOST_KEPT + 6);
    expect(ids(kept).at(-1)).toBe(7);
  });

  it('begins anew with a history, and where trades are missing', () => {
    const kept = keeping(1);
    kept.take(told([trade(1, 1)], true));
    kept.take(told([trade(2, 1), trade(3, 1)], true));
    expect(ids(kept)).toEqual([3, 2]);
    kept.take(told([trade(8, 1)], false, true));
    expect(ids(kept)).toEqual([8]);
    kept.take(told([]));
    expect(ids(kept)).toEqual([8]);
  });

  it('is told by the whole order, whose fills come in several batches', () => {
    const kept = keeping(5, true);
    const fill = (id: number, size: number) => ({ ...trade(id, size), timeMs: 0 });
    kept.take(told([fill(1, 3)]));
    expect(ids(kept)).toEqual([]);
    kept.take(told([fill(2, 3)]));
    kept.take(told([fill(3, 1), trade(4, 9)]));
    expect(kept.newestFirst().map(({ first, size, count }) => [first.id, size, count])).toEqual([
      [4, 9, 1],
      [1, 7, 3],
    ]);
  });
});

describe('speed', () => {
  const batch = (trades: Trade[], other: Partial<TradeBatch> = {}): TradeBatch => ({
    trades,
    isHistory: false,
    merged: null,
    hasGap: false,
    ...other,
  });
  const at = (seconds: number, size: number) => trade(seconds, size);

  it('is the mean over the window, and falls when nothing is traded', () => {
    const meter = new SpeedMeter();
    meter.take(batch([at(0, 1), at(30, 6), at(55, 5), at(56, 5)], { isHistory: true }));
    expect(meter.read(60_000, 10_000)).toEqual({ trades: 0.2, lots: 1, overMs: 10_000 });
    expect(meter.read(90_000, 10_000)).toEqual({ trades: 0, lots: 0, overMs: 10_000 });
    expect(meter.read(90_000, 60_000)!.trades).toBe(2 / 60);
  });

  it('is over what is known where that is less than the window, and nothing over too little', () => {
    const meter = new SpeedMeter();
    expect(meter.read(1_000, 10_000)).toBeNull();
    meter.take(batch([at(0, 1), at(1, 3)], { isHistory: true }));
    expect(meter.read(1_000, 10_000)).toBeNull();
    expect(meter.read(4_000, 10_000)).toMatchObject({ overMs: 4_000, lots: 0.75 });
  });

  it('is nothing where the trades of a snapshot were long ago', () => {
    const meter = new SpeedMeter();
    meter.take(batch([at(0, 1), at(5, 6), at(9, 5)], { isHistory: true }));
    expect(meter.read(9 * 60_000, 10_000)).toMatchObject({ trades: 0, lots: 0 });
    expect(meter.read(9 * 60_000, 60_000)).toMatchObject({ trades: 0, lots: 0 });
  });

  it('is by a clock that a silent book does not hold back', () => {
    expect(presentMs(60_000, 600_000, 'live')).toBe(600_000);
    expect(presentMs(600_000, 60_000, 'live')).toBe(600_000);
    expect(presentMs(60_000, 600_000, 'replayed')).toBe(60_000);
    expect(presentMs(60_000, null, 'live')).toBe(60_000);
    expect(presentMs(null, null, 'live')).toBeNull();
  });

  it('counts trades that are told before the clock', () => {
    const meter = new SpeedMeter();
    meter.take(batch([at(0, 1), at(20, 5)], { isHistory: true }));
    expect(meter.read(19_000, 10_000)).toMatchObject({ trades: 0.1, lots: 0.5 });
  });

  it('counts those that came as sums, and begins anew after a gap', () => {
    const meter = new SpeedMeter();
    meter.take(batch([at(0, 0)], { isHistory: true }));
    const merged = { missed: 8, bought: 20, sold: 13 } as TradeBatch['merged'];
    meter.take(batch([at(9, 3)], { merged }));
    expect(meter.read(10_000, 10_000)).toMatchObject({ lots: 3.3, trades: 0.9 });
    meter.take(batch([at(20, 9), at(22, 5)], { hasGap: true }));
    expect(meter.read(25_000, 10_000)).toMatchObject({ overMs: 5_000, lots: 1 });
  });

  it('forgets what is older than it keeps, over long silences too', () => {
    const meter = new SpeedMeter();
    meter.take(batch([at(0, 100)], { isHistory: true }));
    meter.take(batch([at(500, 60)]));
    expect(meter.read(500_000, 60_000)).toMatchObject({ lots: 1, trades: 1 / 60 });
    meter.take(batch([at(499, 60), at(10, 60)]));
    expect(meter.read(500_000, 60_000)!.lots).toBe(2);
  });
});

it('writes a minimum with no more digits than it has', () => {
  expect([0.00025, 0.5, 1.5, 20, 100, 10_000, 1_000_000].map(valueText)).toEqual([
    '0.00025',
    '0.5',
    '1.5',
    '20',
    '100',
    '10K',
    '1M',
  ]);
});
