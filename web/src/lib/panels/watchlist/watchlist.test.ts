import type { Instrument } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { fitColumns, moveColumn, watchlistSettings } from './columns.ts';
import { longestNames, nameRows } from './names.ts';
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

const listed = (id: string, more: Partial<Instrument> = {}) => {
  const [venue, name] = id.split(':') as [string, string];
  const [base, quote] = name.split('-') as [string, string];
  return { id, venue, base, quote, origin: 'live', status: 'trading', ...more } as const;
};

/** The names as they are read, without the empty parts. */
const read = (...instruments: ReturnType<typeof listed>[]) =>
  [...nameRows(instruments).values()].map((name) => Object.values(name).filter(Boolean).join(' '));

describe('names', () => {
  it('splits what follows the pair from it', () => {
    const names = nameRows([listed('binance:1000SHIB-USDT-PERP'), listed('sim:ES-USD')]);
    expect(names.get('binance:1000SHIB-USDT-PERP')).toMatchObject({ pair: '1000SHIB-USDT', suffix: 'perp' });
    expect(names.get('sim:ES-USD')).toMatchObject({ pair: 'ES-USD', suffix: '' });
  });

  it('names the venue where two would read the same', () => {
    expect(read(listed('a:BTC-USDT-PERP'), listed('b:BTC-USDT-PERP'), listed('b:ETH-USDT'))).toEqual([
      'BTC-USDT perp a',
      'BTC-USDT perp b',
      'ETH-USDT',
    ]);
  });

  it('names the origin where the list mixes them, and what does not trade', () => {
    const simulated = listed('sim:BTC-USD', { origin: 'simulated' });
    expect(read(simulated, listed('a:BTC-USD'))).toEqual(['BTC-USD sim', 'BTC-USD']);
    expect(read(simulated, listed('sim:ES-USD', { origin: 'simulated', status: 'halted' }))).toEqual([
      'BTC-USD',
      'ES-USD halted',
    ]);
  });

  it('finds the longest', () => {
    const names = nameRows(['a:B-USD', 'a:LONGEST-USD-PERP', 'a:C-USD'].map((id) => listed(id)));
    expect(longestNames(names.values())[0]).toMatchObject({ pair: 'LONGEST-USD' });
  });
});

describe('columns', () => {
  const room = { width: 412, name: 98, last: 76, em: 12 };

  it('shows all where there is room, in the order of the screen', () => {
    expect(fitColumns(room).shown).toEqual(['name', 'spark', 'last', 'change', 'turnover', 'spread']);
  });

  it('gives up the least useful first, and cuts no name for any of them', () => {
    expect(fitColumns({ ...room, name: 120 }).shown).not.toContain('spread');
    expect(fitColumns({ ...room, name: 150 }).shown).not.toContain('turnover');
    const narrow = fitColumns({ ...room, name: 220 });
    expect(narrow.shown).toEqual(['name', 'last', 'change']);
    expect(narrow.tracks).toBe('minmax(220px, 1fr) 76px 56px');
  });

  it('cuts names only where nothing else can give way', () => {
    expect(fitColumns({ ...room, width: 260, name: 150 }).tracks).toBe('minmax(150px, 1fr) 76px');
    expect(fitColumns({ ...room, width: 260, name: 220 }).tracks).toBe('minmax(160px, 1fr) 76px');
  });

  it('has those that were chosen, in their order, as far as they fit', () => {
    const wide = { ...room, width: 800 };
    expect(fitColumns(wide, ['bid', 'ask', 'change']).shown).toEqual([
      'name',
      'last',
      'bid',
      'ask',
      'change',
    ]);
    expect(fitColumns(wide, ['change', 'spark']).shown).toEqual(['name', 'last', 'change', 'spark']);
    expect(fitColumns(wide, []).tracks).toBe('minmax(98px, 1fr) 76px');
    expect(fitColumns({ ...room, width: 350 }, ['bid', 'ask', 'change']).shown).toEqual([
      'name',
      'last',
      'bid',
      'change',
    ]);
  });

  it('move by a place, and stop at the ends', () => {
    expect(moveColumn(['bid', 'ask', 'low'], 'ask', -1)).toEqual(['ask', 'bid', 'low']);
    expect(moveColumn(['bid', 'ask', 'low'], 'low', 1)).toEqual(['bid', 'ask', 'low']);
    expect(moveColumn(['bid'], 'ask', 1)).toEqual(['bid']);
  });

  it('are those of the first visit where what was saved makes no sense', () => {
    const { columns } = v.parse(watchlistSettings, {});
    expect(columns).toEqual(['spark', 'change', 'turnover', 'spread']);
    for (const wrong of [['bid', 'bid'], ['moon'], 7]) {
      expect(v.parse(watchlistSettings, { columns: wrong }).columns).toEqual(columns);
    }
    expect(v.parse(watchlistSettings, { columns: ['low'] }).columns).toEqual(['low']);
  });

  it('counts in the size of the text', () => {
    expect(fitColumns({ ...room, em: 16 }).shown).not.toContain('spread');
  });
});

describe('sparkline', () => {
  const series = { stepSeconds: 60, time: 600, values: [1, 2, 3] };

  it('moves the last point within a step and adds one after it', () => {
    expect(extendSeries(series, 659, 4, 10)).toEqual({ ...series, values: [1, 2, 4] });
    expect(extendSeries(series, 665, 4, 10)).toEqual({ stepSeconds: 60, time: 660, values: [1, 2, 3, 4] });
  });

  it('begins with nothing', () => {
    expect(extendSeries({ ...series, values: [] }, 601, 4, 10)).toEqual({ ...series, values: [4] });
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
