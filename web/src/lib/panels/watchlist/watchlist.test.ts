import { describe, expect, it } from 'vitest';
import { matches, sortRows, type Sortable } from './sort.ts';
import { extendSeries, sparklinePath } from './sparkline.ts';

const row = (name: string, change: number | null): Sortable => ({
  id: `sim:${name}`,
  name,
  last: 1,
  change,
  turnover: 1,
  spread: 1,
});

const names = (rows: Sortable[]) => rows.map(({ name }) => name).join(' ');

describe('sorting', () => {
  const rows = [row('B', 2), row('A', null), row('C', 3), row('D', 2)];

  it('sorts by a column, equal rows by name', () => {
    expect(names(sortRows(rows, 'change', true))).toBe('C B D A');
    expect(names(sortRows(rows, 'name', true))).toBe('D C B A');
  });

  it('puts what is not known last either way', () => {
    expect(names(sortRows(rows, 'change', false))).toBe('B D C A');
  });

  it('leaves the given rows as they are', () => {
    sortRows(rows, 'name', false);
    expect(names(rows)).toBe('B A C D');
  });
});

describe('search', () => {
  const bitcoin = {
    id: 'binance:BTC-USDT-PERP',
    venue: 'binance',
    base: 'BTC',
    quote: 'USDT',
    name: 'Bitcoin / Tether perpetual',
  };

  it('finds by id, name and pair in any case', () => {
    for (const query of ['btc', 'BTCUSDT', 'btc/usdt', 'tether', 'perp binance', '']) {
      expect(matches(bitcoin, query), query).toBe(true);
    }
    expect(matches(bitcoin, 'btc kraken')).toBe(false);
  });
});

describe('sparkline', () => {
  const series = { stepSeconds: 60, time: 600, values: [1, 2, 3] };

  it('moves the last point within a step and adds one after it', () => {
    expect(extendSeries(series, 659, 4, 10)).toEqual({ ...series, values: [1, 2, 4] });
    expect(extendSeries(series, 665, 4, 10)).toEqual({ stepSeconds: 60, time: 660, values: [1, 2, 3, 4] });
  });

  it('keeps its length', () => {
    expect(extendSeries(series, 665, 4, 3).values).toEqual([2, 3, 4]);
  });

  it('is the same object when nothing changed', () => {
    expect(extendSeries(series, 610, 3, 10)).toBe(series);
  });

  it('spans the box from the lowest to the highest value', () => {
    expect(sparklinePath([1, 3, 2], 20, 11)).toBe('M0 10.5L10 0.5L20 5.5');
  });

  it('is a level line where nothing moved, and nothing without two values', () => {
    expect(sparklinePath([5, 5], 10, 10)).toBe('M0 5L10 5');
    expect(sparklinePath([5], 10, 10)).toBe('');
  });
});
