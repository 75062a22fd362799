import { describe, expect, it } from 'vitest';
import { fitColumns, sortRows } from './market-rows.ts';

describe('fitColumns', () => {
  const columns = ['name', 'last', 'change', 'bid', 'volume'];
  const widths = [10, 10, 6, 10, 8];
  const fit = (room: number, ...wanted: string[]) => [...fitColumns(columns, widths, room, wanted)].sort();

  it('shows all where there is room', () => {
    expect(fit(44, 'name', 'last')).toHaveLength(5);
  });

  it('leaves out the last ones first, but not those that are wanted', () => {
    expect(fit(26, 'name', 'last')).toEqual(['change', 'last', 'name']);
    expect(fit(28, 'name', 'volume', 'last')).toEqual(['last', 'name', 'volume']);
  });

  it('keeps two in any case: the name, and what the rows are sorted by', () => {
    expect(fit(5, 'name', 'volume', 'last')).toEqual(['name', 'volume']);
  });

  it('knows that a column which is wanted may not be there', () => {
    expect(fit(44, 'name', 'spread', 'last')).toHaveLength(5);
  });
});

describe('sortRows', () => {
  const sort = (values: (number | string | null)[], isDescending: boolean) =>
    sortRows([...values.keys()], values, isDescending, 'en');

  it('has what is not known last, whichever way', () => {
    expect(sort([2, null, 3, 1], true)).toEqual([2, 0, 3, 1]);
    expect(sort([2, null, 3, 1], false)).toEqual([3, 0, 2, 1]);
  });

  it('leaves equals as they were', () => {
    expect(sort([1, 2, 1, 2], true)).toEqual([1, 3, 0, 2]);
  });

  it('sorts names as people do', () => {
    expect(sort(['b', 'A10', 'a9'], false)).toEqual([2, 1, 0]);
  });
});
