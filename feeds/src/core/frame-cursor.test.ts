import { decimalScale, scaleOf, type Scale } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attempt, parseJson } from './frame-checks.ts';
import { FrameCursor } from './frame-cursor.ts';
import { checkLevels, flattenLevels } from './levels.ts';

const cursor = new FrameCursor();

function levelsOf(text: string, tick: Scale, lot: Scale): number[] | null {
  cursor.begin(text);
  const levels = cursor.levels(tick, lot);
  return levels !== null && cursor.isAtEnd ? levels : null;
}

/** The way of all that is unusual. */
function parsedLevelsOf(text: string, tick: Scale, lot: Scale): number[] | null {
  return attempt(() => flattenLevels(checkLevels(parseJson(text), 'levels'), tick, lot));
}

const cent = scaleOf('0.01');
const milli = scaleOf('0.001');

describe('levels', () => {
  test.each([
    ['none', '[]', []],
    ['one', '[["100.01","2.500"]]', [10_001, 2_500]],
    ['several', '[["100.01","0"],["99","1.000"],["0.01","0.001"]]', [10_001, 0, 9_900, 1_000, 1, 1]],
    ['zeros finer than the grid', '[["100.0100","1.50000"]]', [10_001, 1_500]],
    ['zeros in front', '[["0100.01","00.5"]]', [10_001, 500]],
    [
      'fifteen digits',
      '[["1234567890123.45","123456789012.345"]]',
      [123_456_789_012_345, 123_456_789_012_345],
    ],
  ])('%s', (_, text, flat) => {
    expect(levelsOf(text, cent, milli)).toStrictEqual(flat);
    expect(parsedLevelsOf(text, cent, milli)).toStrictEqual(flat);
  });

  test('a grid of many units', () => {
    expect(levelsOf('[["100.25","30"]]', scaleOf('0.25'), scaleOf('10'))).toStrictEqual([401, 3]);
  });

  test.each([
    ['off the grid', '[["100.011","1"]]'],
    ['no multiple of the unit', '[["100.01","1.0005"]]'],
    ['a price of zero', '[["0.00","1"]]'],
    ['below zero', '[["-1.00","1"]]'],
    ['an exponent', '[["1e2","1"]]'],
    ['nothing before the point', '[[".5","1"]]'],
    ['two points', '[["1.0.0","1"]]'],
    ['a number', '[[100.01,1]]'],
    ['a third entry', '[["100.01","1","0"]]'],
    ['a blank', '[["100.01", "1"]]'],
    ['a comma too many', '[["100.01","1"],]'],
    ['no end', '[["100.01","1"]'],
    ['more than fifteen digits', '[["12345678901234.56","1"]]'],
    ['no ASCII', '[["１00.01","1"]]'],
  ])('leaves to others: %s', (_, text) => {
    expect(levelsOf(text, cent, milli)).toBeNull();
  });

  test('never reads on in an earlier text', () => {
    expect(levelsOf('[["100.01","1.5"],["100.02","1.5"]]', cent, milli)).toHaveLength(4);
    expect(levelsOf('[["100.01","1', cent, milli)).toBeNull();
    expect(levelsOf('[["100.01","1.5"]', cent, milli)).toBeNull();
  });

  test('of a text longer than any before', () => {
    const text = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => [`${i + 1}.00`, '1.000']));
    expect(levelsOf(text, cent, milli)).toStrictEqual(parsedLevelsOf(text, cent, milli));
  });

  const scale = fc.oneof(fc.integer({ min: 0, max: 8 }).map(decimalScale), fc.constant(scaleOf('0.25')));
  const digits = (max: number) => fc.stringMatching(new RegExp(`^\\d{1,${max}}$`));
  const decimal = fc
    .tuple(digits(9), fc.option(digits(9)))
    .map(([whole, fraction]) => (fraction === null ? whole : `${whole}.${fraction}`));
  const odd = fc.constantFrom('', '-1', '1e3', '.5', '5.', '+1', ' 1', '1_0', 'NaN', '９', '\u0130');
  const number = fc.oneof({ weight: 9, arbitrary: decimal }, { weight: 1, arbitrary: odd });
  const text = fc.array(fc.tuple(number, number), { maxLength: 6 }).map((levels) => JSON.stringify(levels));
  const damage = fc.tuple(
    fc.nat(200),
    fc.nat(3),
    fc.constantFrom('', '"', '[', ']', ',', '0', '.', 'é', '\\'),
  );

  test('are those of the general way, or none', () => {
    let taken = 0;
    fc.assert(
      fc.property(text, fc.option(damage), scale, scale, (whole, harm, tick, lot) => {
        const sent = harm === null ? whole : damaged(whole, harm);
        const levels = levelsOf(sent, tick, lot);
        if (levels === null) return;
        taken += 1;
        expect(levels).toStrictEqual(parsedLevelsOf(sent, tick, lot));
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('of plain decimals on the grid are always taken', () => {
    const units = fc.tuple(fc.integer({ min: 1, max: 1e9 }), fc.nat(1e9));
    const decimals = fc.nat(8);
    fc.assert(
      fc.property(fc.array(units), decimals, decimals, (levels, priceDecimals, sizeDecimals) => {
        const fixed = (count: number, places: number) => {
          const all = String(count).padStart(places + 1, '0');
          return places === 0 ? all : `${all.slice(0, -places)}.${all.slice(-places)}`;
        };
        const sent = levels.map(([ticks, lots]) => [fixed(ticks, priceDecimals), fixed(lots, sizeDecimals)]);
        const read = levelsOf(JSON.stringify(sent), decimalScale(priceDecimals), decimalScale(sizeDecimals));
        expect(read).toStrictEqual(levels.flat());
      }),
    );
  });
});

describe('the rest of a frame', () => {
  test.each([
    ['0', 0],
    ['160', 160],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', -1],
    ['01', -1],
    ['-1', -1],
    ['', -1],
    ['x', -1],
  ])('an integer: %j', (sent, value) => {
    cursor.begin(`${sent},`);
    expect(cursor.integer()).toBe(value);
    expect(cursor.skip(`${sent},`)).toBe(value < 0); // nothing was read where it is none
  });

  test('words, and what stands between them', () => {
    cursor.begin('{"s":"BTCUSDT_250627"}');
    expect(cursor.skip('{"x"')).toBe(false);
    expect(cursor.skip('{"s":"')).toBe(true);
    expect(cursor.word()).toBe('BTCUSDT_250627');
    expect(cursor.word()).toBe('');
    expect(cursor.skip('"}')).toBe(true);
    expect(cursor.isAtEnd).toBe(true);
    expect(cursor.skip('}')).toBe(false);
  });
});

/** @param harm where, how many characters are lost, and what comes in their place */
function damaged(text: string, [place, lost, put]: readonly [number, number, string]): string {
  const at = place % (text.length + 1);
  return text.slice(0, at) + put + text.slice(at + lost);
}
