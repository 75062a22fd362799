import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLots } from '../model/units.ts';
import { decodeLevels, encodeLevels } from './levels.ts';

const direction = fc.constantFrom<1 | -1>(1, -1);
const price = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
);
const levels = fc.array(fc.tuple(price, fc.oneof(fc.nat(50), fc.maxSafeNat())), { maxLength: 30 });

describe('levels on the wire', () => {
  test('come back as they went, in any order, on either side, from any reference', () => {
    fc.assert(
      fc.property(levels, direction, price, (pairs, side, reference) => {
        const flat = pairs.flat();
        const wire = encodeLevels(flat, side, reference);
        expect(decodeLevels(wire, side, reference)).toEqual(flat);
        expect(decodeLevels(JSON.parse(JSON.stringify(wire)), side, reference)).toEqual(flat);
      }),
    );
  });

  test('distances of sorted levels are zero or more, but for the first', () => {
    fc.assert(
      fc.property(levels, direction, price, (pairs, side, reference) => {
        const sorted = pairs.toSorted(([a], [b]) => (a - b) * side).flat();
        const distances = encodeLevels(sorted, side, reference).filter((_, index) => index % 2 === 0);
        expect(distances.slice(1).every((distance) => distance >= 0)).toBe(true);
      }),
    );
  });

  test('count down for bids and up for asks', () => {
    expect(encodeLevels([100, 5, 99, 7, 96, 1], -1, 100)).toEqual([-0, 5, 1, 7, 3, 1]);
    expect(encodeLevels([101, 3, 104, 2], 1, 100)).toEqual([1, 3, 3, 2]);
    expect(encodeLevels([102, 4], -1, 100)).toEqual([-2, 4]);
  });

  test('read typed arrays', () => {
    expect(encodeLevels(Float64Array.of(101, 3, 104, 2), 1, 100)).toEqual([1, 3, 3, 2]);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a map', {}],
    ['a text', '12'],
    ['bytes', Uint8Array.of(1, 2)],
    ['half a level', [1, 2, 3]],
    ['a fraction', [1.5, 2]],
    ['a fraction of a lot', [1, 0.5]],
    ['a size below zero', [1, -2]],
    ['a text for a number', ['1', 2]],
    ['null for a number', [1, null]],
    ['a big integer', [1n, 2]],
    ['no number', [Number.NaN, 2]],
    ['a distance past 2^53', [2 ** 53, 2]],
    ['a price past 2^53', [Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER, 1]],
    ['a size past 2^63', [1, 2 ** 63]],
    ['a hole', Array.from({ length: 2 })],
    ['what cannot be shown', [{ toString: 1 }, Object.create(null)]],
  ])('refuse %s', (_, wire) => {
    expect(() => decodeLevels(wire, 1, 0)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });

  test('anything at all is levels or a malformed frame', () => {
    fc.assert(
      fc.property(fc.anything(), direction, (wire, side) => {
        try {
          const decoded = decodeLevels(wire, side, 0);
          expect(
            decoded.every((value, i) => (i % 2 === 0 ? Number.isSafeInteger(value) : isLots(value))),
          ).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'malformed_frame' });
        }
      }),
      { numRuns: 500 },
    );
  });
});
