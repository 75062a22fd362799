import { decimalScale, type Instrument } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { flattenLevels, withGrid, type PriceLevel } from './levels.ts';

describe('flattenLevels', () => {
  const cents = decimalScale(2);
  const lots = decimalScale(3);

  it('counts prices in ticks and quantities in lots, exactly', () => {
    const levels = [
      ['63867.40000000', '0.00100000'],
      ['0.01', '0.00000000'],
    ] as const;
    expect(flattenLevels(levels, cents, lots)).toEqual([6386740, 1, 1, 0]);
    expect(flattenLevels([['10.5', '3']], { units: 25, decimals: 2 }, lots)).toEqual([42, 3000]);
    expect(flattenLevels([], cents, lots)).toEqual([]);
    expect(flattenLevels([['-0.05', '3']], cents, lots, true)).toEqual([-5, 3000]);
  });

  it.each([
    ['a price between ticks', ['1.005', '1'], 'off_grid'],
    ['a quantity between lots', ['1', '0.0001'], 'off_grid'],
    ['a price that is no number', ['abc', '1'], 'invalid_decimal'],
    ['an empty quantity', ['1', ''], 'invalid_decimal'],
    ['a price past 2^53 ticks', ['99999999999999999', '1'], 'out_of_range'],
    ['a quantity below zero', ['1', '-1'], 'malformed_venue_frame'],
    ['a price below zero', ['-1', '1'], 'malformed_venue_frame'],
    ['a price of zero', ['0', '1'], 'malformed_venue_frame'],
  ])('refuses %s', (_name, level, code) => {
    expect(() => flattenLevels([level as [string, string]], cents, lots)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});

describe('withGrid', () => {
  const instrument = { tick: decimalScale(2), lot: { units: 5, decimals: 3 } } as Instrument;
  const decimals = (levels: PriceLevel[], of = instrument) => {
    const { tick, lot } = withGrid(of, levels, []);
    return [tick.decimals, lot.decimals];
  };

  it('leaves an instrument whose grid holds the levels', () => {
    expect(withGrid(instrument, [['1.25', '0.005']], [['11258999068426.24', '46116860184273.92']])).toBe(
      instrument,
    );
  });

  it('is finer where levels lie between', () => {
    expect(decimals([['1.255', '0.005']])).toEqual([3, 3]);
    expect(decimals([['1.25', '0.001']])).toEqual([2, 3]);
    expect(withGrid(instrument, [['1', '0.001']]).lot).toEqual(decimalScale(3));
  });

  it('is coarser where one is too large to be counted, as far as the others allow', () => {
    const fine = { ...instrument, tick: decimalScale(8) };
    const levels: PriceLevel[] = [
      ['212.40120000', '1'],
      ['99999997.00000000', '1'],
    ];
    expect(decimals(levels, fine)).toEqual([4, 3]);
    expect(flattenLevels(levels, withGrid(fine, levels).tick, fine.lot)[2]).toBe(999_999_970_000);
    expect(decimals([...levels, ['0.12345678', '1']], fine)[0]).toBe(8); // no grid holds both
    expect(decimals([['11258999.1', '1']], fine)[0]).toBe(1); // past 2^50 ticks, as the engine counts
  });

  it('leaves what is no number to those who read it', () => {
    expect(withGrid(instrument, [['x', '']])).toBe(instrument);
    expect(
      decimals([
        ['x', '1'],
        ['1.001', '1'],
      ]),
    ).toEqual([3, 3]);
  });
});
