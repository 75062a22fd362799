import { OrderBook } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { createLadderSide } from '../../lib/panels/ladder/ladder-rows.ts';
import { depthFor, fillRows } from './book-levels.ts';

describe('levels of a book', () => {
  it('are as many as the rows may hold, within reason', () => {
    expect(depthFor(10, 1)).toBe(10);
    expect(depthFor(10, 20)).toBe(200);
    expect(depthFor(100, 1_000_000)).toBe(1_000);
  });

  const rowsOf = (granted: number | null, step: number, rows = 5) => {
    const book = new OrderBook();
    book.loadSnapshot([], [101, 1, 104, 2, 106, 3, 111, 4]);
    const out = createLadderSide(rows);
    fillRows(out, book.asks, 'ask', { step, rows, granted });
    return Array.from({ length: out.count }, (_, i) => [out.price[i], out.lots[i], out.total[i]]);
  };

  it('are grouped away from the touch, with their total', () => {
    expect(rowsOf(0, 5)).toEqual([
      [105, 3, 3],
      [110, 3, 6],
      [115, 4, 10],
    ]);
  });

  it('are no row where more may rest in it than the server sends', () => {
    expect(rowsOf(4, 5)).toHaveLength(2);
    expect(rowsOf(5, 5)).toHaveLength(3);
    expect(rowsOf(4, 1)).toHaveLength(4);
    // A full last row is known whole: a level beyond it was there.
    expect(rowsOf(4, 5, 2)).toHaveLength(2);
  });
});
