import type { Instrument } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { fitColumns, moveColumn, rangeOf, resized, watchlistSettings, withoutWidth } from './columns.ts';
import { figureOf, longestFigures } from './figures.ts';
import { longestNames, nameRows } from './names.ts';
import { OrderHold } from './order-hold.ts';
import { matches, nextSort, search, sortRows, type Sortable } from './sort.ts';
import { extendSeries, sparklinePath } from './sparkline.ts';

const row = (name: string, change: number | null): Sortable => ({
  id: `sim:${name}`,
  name,
  price: 1,
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

  it('begins with the largest figure, and with names from A; then the other way, then not at all', () => {
    const none = { sortBy: 'none', sortDescending: true } as const;
    for (const key of ['last', 'change', 'turnover', 'spread', 'name'] as const) {
      const first = nextSort(none, key);
      expect(first).toEqual({ sortBy: key, sortDescending: key !== 'name' });
      const second = nextSort(first, key);
      expect(second).toEqual({ sortBy: key, sortDescending: key === 'name' });
      expect(nextSort(second, key)).toEqual(none);
    }
    expect(nextSort({ sortBy: 'name', sortDescending: false }, 'spread').sortDescending).toBe(true);
  });

  it('sorts by price, not by ticks', () => {
    const priced = [
      { ...row('A', 0), price: 0.00002 },
      { ...row('B', 0), price: 64_000 },
    ];
    expect(names(sortRows(priced, 'last', true))).toBe('B A');
    expect(names(sortRows(priced, 'last', false))).toBe('A B');
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

  it('has the best match first, in whatever order the rows were', () => {
    const of = (id: string) => {
      const [venue, symbol] = id.split(':') as [string, string];
      const [base, quote] = symbol.split('-') as [string, string];
      return { id, venue, base, quote, name: `${base} at ${venue}` };
    };
    const all = ['sim:WBTC-USD', 'sim:BTC-USD-PERP', 'sim:ETH-BTC', 'sim:BTC-USD', 'btcmarkets:ETH-USD'].map(
      of,
    );
    const found = (query: string, rows = all) => search(rows, query, (one) => one).map(({ id }) => id);
    for (const query of ['BTC-USD', 'sim:btc-usd', ' btc-usd ', 'btcusd'])
      expect(found(query)[0], query).toBe('sim:BTC-USD');
    expect(found('btc')).toEqual([
      'sim:BTC-USD',
      'sim:BTC-USD-PERP',
      'sim:ETH-BTC',
      'btcmarkets:ETH-USD',
      'sim:WBTC-USD',
    ]);
    expect(found('btc', [...all].reverse())).toEqual(found('btc'));
    expect(found('perp')).toEqual(['sim:BTC-USD-PERP']);
  });
});

describe('the hold of the order', () => {
  it('is as long as the pointer or a key moves, and a while after; not for a pointer that was left', () => {
    let now = 0;
    const hold = new OrderHold(() => now);
    expect(hold.isHeld).toBe(false);
    hold.touch('mouse');
    now = 3_999;
    expect(hold.isHeld).toBe(true);
    hold.touch('key');
    now = 7_998;
    expect(hold.isHeld).toBe(true);
    now = 7_999;
    expect(hold.isHeld).toBe(false);
    hold.touch('finger');
    now += 1_500;
    expect(hold.isHeld).toBe(false);
  });

  it('ends where the pointer goes away', () => {
    const hold = new OrderHold(() => 0);
    hold.touch('mouse');
    hold.release();
    expect(hold.isHeld).toBe(false);
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
    expect(fitColumns({ ...room, name: 130 }).shown).not.toContain('spread');
    expect(fitColumns({ ...room, name: 180 }).shown).not.toContain('turnover');
    const narrow = fitColumns({ ...room, name: 220 });
    expect(narrow.shown).toEqual(['name', 'last', 'change']);
    expect(narrow.tracks).toBe('minmax(220px, 1fr) 76px 56px');
  });

  it('has the line of the day give room before a figure goes, and never the one that it is sorted by', () => {
    const wider = fitColumns({ ...room, longest: { spread: 6 } });
    expect(wider.shown).toContain('spread');
    expect(wider.widths.spark).toBeLessThan(fitColumns(room).widths.spark!);
    const full = Object.values(wider.widths).reduce((sum, width) => sum + width, 0);
    expect(full + 5 * 8 + 2 * 8).toBe(room.width);
    const sorted = fitColumns({ ...room, name: 180 }, undefined, undefined, 'spread').shown;
    expect(sorted).toContain('spread');
    expect(sorted).not.toContain('turnover');
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

  it('have the widths that were chosen, and leave the rest to the name', () => {
    const { widths, tracks } = fitColumns({ ...room, width: 500 }, ['change'], { change: 90 });
    expect(widths).toEqual({ name: 500 - 16 - 76 - 90 - 16, last: 76, change: 90 });
    expect(tracks).toBe('minmax(98px, 1fr) 76px 90px');
    // The name was cut for it by hand: nothing is left out then.
    const cut = { change: 90, name: 70 };
    expect(fitColumns({ ...room, width: 268 }, ['change'], cut).shown).toEqual(['name', 'last', 'change']);
    expect(fitColumns({ ...room, width: 267 }, ['change'], cut).shown).toEqual(['name', 'last']);
  });

  it('get wider until little is left of the name, and not so narrow that nothing is seen', () => {
    expect(rangeOf(56, 38, 98, 12)).toEqual({ least: 38, most: 56 + 38 });
    expect(rangeOf(70, 60, 40, 12)).toEqual({ least: 60, most: 70 });
    // What is narrower already is left as it is.
    expect(rangeOf(50, 60, 40, 12)).toEqual({ least: 50, most: 50 });
    expect(rangeOf(56, 56, 2_000, 12).most).toBe(360);
  });

  it('cut no figure: one that was made too narrow has room again, and the last ones go where there is none', () => {
    const narrow = { change: 40, last: 30, spark: 24 };
    const { widths, least } = fitColumns({ ...room, width: 500 }, undefined, narrow);
    expect(widths).toMatchObject({ last: 76, change: 56, spark: 24 });
    expect(least).toMatchObject({ last: 76, change: 56, spark: 24, turnover: 48 });
    const long = fitColumns({ ...room, width: 500, longest: { change: 9 } }, undefined, narrow);
    expect(long.widths.change).toBe(Math.ceil(9 * 0.63 * 12));
    expect(fitColumns({ ...room, longest: { change: 12 } }).shown).not.toContain('spread');
    // A price that was made wide in a wider panel leaves the names something.
    expect(fitColumns({ ...room, width: 260 }, [], { last: 300 }).widths).toEqual({ name: 60, last: 176 });
  });

  it('know how long their figures are', () => {
    const figures = {
      instrument: { tick: { units: 1, decimals: 2 }, lot: { units: 1, decimals: 3 } } as Instrument,
      bid: 123_456,
      ask: null,
      high: null,
      low: null,
      change: -0.1234,
      turnover: null,
      volume: null,
      spread: 16.5,
    };
    expect(figureOf(figures, 'change')).toHaveLength(7);
    const first = longestFigures([figures], {});
    expect(first).toMatchObject({ change: 7, spread: 4, ask: 1, bid: figureOf(figures, 'bid').length });
    expect(longestFigures([{ ...figures, change: 0.01, spread: 1 }], first)).toBe(first);
    expect(longestFigures([{ ...figures, change: 1.5 }], first).change).toBe(8);
    expect(figureOf({ ...figures, spread: 0.0055 }, 'spread')).toBe('<0.01');
    expect(figureOf({ ...figures, spread: 0 }, 'spread')).toBe('0.00');
  });

  it('keep the width that they get, and the name is cut as far as it had to give way', () => {
    const before = { width: 56, name: 110, longest: 98 };
    expect(resized({}, 'change', 66, before)).toEqual({ change: 66 });
    const cut = resized({ last: 80 }, 'change', 76.4, before);
    expect(cut).toEqual({ last: 80, change: 76, name: 90 });
    expect(resized(cut, 'change', 56, { width: 76, name: 90, longest: 98 })).toEqual({
      last: 80,
      change: 56,
    });
    expect(withoutWidth(cut, 'last')).toEqual({ change: 76, name: 90 });
  });

  it('are as before in what was saved before widths and groups', () => {
    expect(v.parse(watchlistSettings, { columns: ['low'] })).toEqual({
      columns: ['low'],
      widths: {},
      sortBy: 'none',
      sortDescending: true,
      show: 'all',
      group: null,
      closed: [],
    });
    expect(v.parse(watchlistSettings, { sortBy: 'moon', sortDescending: 1 })).toMatchObject({
      sortBy: 'none',
      sortDescending: true,
    });
    const wrong = { widths: { moon: 40 }, show: 'moon', group: 7, closed: [1] };
    expect(v.parse(watchlistSettings, wrong)).toMatchObject({
      widths: {},
      show: 'all',
      group: null,
      closed: [],
    });
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
