import { describe, expect, test } from 'vitest';
import type { Lots, Ticks } from '@depthwire/shared';
import type { DepthColumn } from '@depthwire/shared/depth';
import { packr } from '../msgpack.ts';
import { packColumn, unpackColumns } from './stored-columns.ts';
import type { StoredColumn } from './stores/store.ts';

const START_MS = 1_700_006_400_000;

const column = (second: number): DepthColumn => ({
  time: START_MS + second * 1_000,
  step: 2,
  bid: 100 as Ticks,
  ask: 102 as Ticks,
  bids: Float64Array.of(5, 0, 3),
  asks: Float64Array.of(4),
  traded: {
    low: 100 as Ticks,
    high: 102 as Ticks,
    last: 101 as Ticks,
    bought: 3 as Lots,
    sold: 0 as Lots,
  },
});
const stored = (data: Uint8Array): StoredColumn => ({ time: START_MS, step: 2, data });
const packed = (value: unknown) => stored(packr.pack(value));

/** What no column is. */
const foreign: [what: string, column: StoredColumn][] = [
  ['no bytes', stored(Uint8Array.of())],
  ['bytes of nothing', stored(Uint8Array.of(0xc1))],
  ['half a column', stored(packColumn(column(0)).data.subarray(0, 5))],
  ['a number', packed(5)],
  ['nothing', packed(null)],
  ['a text', packed('hello')],
  ['an object', packed({ periods: 0 })],
  ['too few parts', packed([0, 1, 1])],
  ['sizes that are none', packed([0, 100, 2, [0, -1], []])],
  ['trades that are none', packed([0, 100, 2, [], [], null])],
  ['that of another time', packed([3, 100, 2, [], []])],
];

describe('stored columns', () => {
  test('are what was packed', () => {
    expect(unpackColumns([packColumn(column(0))])).toEqual([column(0)]);
  });

  test.for(foreign)('are left out where they are %s', ([, one]) => {
    expect(unpackColumns([one])).toEqual([]);
  });

  test('leave out those that cannot be read, and no others', () => {
    const all = [packColumn(column(0)), ...foreign.map(([, one]) => one), packColumn(column(1))];
    expect(unpackColumns(all)).toEqual([column(0), column(1)]);
  });
});
