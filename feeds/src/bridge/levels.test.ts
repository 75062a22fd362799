import { decimalScale, parseUnits, scaleOf } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyBook, decimalText, difference, faultOf, type BookCopy, type Side } from './levels.ts';
import type { CcxtLevel } from './library.ts';

const copy = (bids: CcxtLevel[], asks: CcxtLevel[], depth = 10): BookCopy => copyBook({ bids, asks }, depth);

describe('copyBook', () => {
  test('takes price and size of each level, best first, and no more levels than asked for', () => {
    const { bids, asks } = copy([[99, 1, 1700000000], [100, 2, 3], [98, 5, 'x']], [[102, 1], [101, 2]], 2); // prettier-ignore
    expect([...bids]).toEqual([[100, 2], [99, 1]]); // prettier-ignore
    expect([...asks]).toEqual([[101, 2], [102, 1]]); // prettier-ignore
  });

  test('adds up the orders at one price, and leaves out empty levels', () => {
    const { bids } = copy([[100, 2, 'order-1'], [100, 3, 'order-2'], [99, 0]], []); // prettier-ignore
    expect([...bids]).toEqual([[100, 5]]);
  });

  test('is not changed by what the library does with its own book later', () => {
    const level: [number, number] = [100, 2];
    const { bids } = copy([level], []);
    level[1] = 7;
    expect(bids.get(100)).toBe(2);
  });

  test.each([
    [[NaN, 1]],
    [[100, NaN]],
    [[undefined as unknown as number, 1]],
    [[100, -1]],
    [[0, 1]],
    [[Infinity, 1]],
  ] as [CcxtLevel][])('refuses the level %j', (level) => {
    expect(() => copy([level], [])).toThrow(expect.objectContaining({ code: 'malformed_venue_frame' }));
  });
});

test('faultOf finds crossed and empty books, not those with one side', () => {
  expect(faultOf(copy([[100, 1]], [[101, 1]]))).toBeNull();
  expect(faultOf(copy([[100, 1]], []))).toBeNull();
  expect(faultOf(copy([], []))).toBe('the book is empty');
  expect(faultOf(copy([[100, 1]], [[100, 1]]))).toBe('the book is crossed: 100 bid, 100 asked');
});

test('difference makes one side of the other', () => {
  const side = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 })))
    .map((levels): Side => new Map(levels));
  fc.assert(
    fc.property(side, side, (before, after) => {
      const made = new Map(before);
      for (const [price, size] of difference(before, after)) {
        if (size === 0) made.delete(price);
        else made.set(price, size);
      }
      expect(new Map([...made].sort())).toEqual(new Map([...after].sort()));
    }),
  );
});

describe('decimalText', () => {
  test('is the nearest decimal of the grid where only the noise of doubles is between', () => {
    expect(decimalText(0.1 + 0.2, decimalScale(8))).toBe('0.30000000');
    expect(decimalText(67_042.15, scaleOf('0.01'))).toBe('67042.15');
    expect(decimalText(4_512.75, scaleOf('0.25'))).toBe('4512.75');
    expect(decimalText(1e-8, decimalScale(8))).toBe('0.00000001');
  });

  test('says what lies between the grid', () => {
    expect(Number(decimalText(100.005, scaleOf('0.01')))).toBe(100.005);
    expect(Number(decimalText(4_512.8, scaleOf('0.25')))).toBe(4_512.8);
  });

  test('gives back every decimal of the grid that a double holds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 12 }),
        fc.integer({ min: 0, max: 10 }),
        (units, decimals) => {
          const scale = decimalScale(decimals);
          expect(parseUnits(decimalText(Number(`${units}e-${decimals}`), scale), scale)).toBe(units);
        },
      ),
    );
  });
});
