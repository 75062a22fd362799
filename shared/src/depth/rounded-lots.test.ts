import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOfLots, lotsOfCode } from './rounded-lots.ts';

const lots = fc.oneof(
  fc.nat(5_000),
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 62 }).map((power) => 2 ** power),
  fc.integer({ min: 1, max: 52 }).map((power) => 2 ** power - 1),
);

test('a size is within 0.1 % of its code’s, and a small one exact', () => {
  fc.assert(
    fc.property(lots, (size) => {
      const code = codeOfLots(size);
      expect(Number.isInteger(code) && code >= 0 && code < 2 ** 15).toBe(true);
      const told = lotsOfCode(code);
      expect(Math.abs(told - size)).toBeLessThan(Math.max(size * 0.001, Number.MIN_VALUE));
      if (size < 1_024) expect(told).toBe(size);
      expect(codeOfLots(told)).toBe(code);
    }),
  );
});

test('a larger size has no smaller code', () => {
  fc.assert(
    fc.property(lots, lots, (a, b) => {
      if (a <= b) expect(codeOfLots(a)).toBeLessThanOrEqual(codeOfLots(b));
    }),
  );
});

test('every code up to the largest is that of a size', () => {
  for (let code = 0; code < codeOfLots(2 ** 62); code++) expect(codeOfLots(lotsOfCode(code))).toBe(code);
});
