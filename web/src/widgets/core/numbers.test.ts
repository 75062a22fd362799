import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numbersIn } from './numbers.ts';

const english = numbersIn('en');
const local = numbersIn('en-u-nu-latn'); // by the browser's own

describe('English without the browser’s formats is the same', () => {
  test('decimals', () => {
    const text = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.bigInt({ min: 0n, max: 10n ** 18n }),
        fc.integer({ min: 0, max: 12 }),
        fc.nat(),
      )
      .map(([sign, whole, digits, part]) => ({
        text: `${sign}${whole + 1n}${digits > 0 ? `.${String(part).padStart(digits, '0').slice(0, digits)}` : ''}`,
        digits,
      }));
    fc.assert(
      fc.property(text, ({ text, digits }) => {
        expect(english.decimal(text, digits)).toBe(local.decimal(text, digits));
      }),
    );
  });

  test('short ones', () => {
    const value = fc
      .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -5, max: 16 }))
      .map(([m, e]) => Number((m * 10 ** e).toPrecision(6)));
    fc.assert(
      fc.property(value, (size) => {
        expect(english.compact(size)).toBe(local.compact(size));
        expect(english.compact(-size)).toBe(local.compact(-size));
      }),
    );
    for (const size of [0, 0.032505, 999.95, 999_950, 999_949, 1000, 9999.5, 1e12, 1e15, 12_345.6e12])
      expect(english.compact(size)).toBe(local.compact(size));
  });

  test('percentages', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_000_000, max: 2_000_000 }), (units) => {
        const ratio = units / 1e6 + 1e-9 * Math.sign(units); // no halves, of which a float knows nothing
        expect(english.percent(ratio)).toBe(local.percent(ratio));
      }),
    );
    for (const ratio of [0, -0, 0.00001, -0.00001, 12.5])
      expect(english.percent(ratio)).toBe(local.percent(ratio));
  });
});

test('three figures, shares and suffixes too', () => {
  for (const value of [0, 0.0794, 0.000123, 1.006, 12.5, 999.6, 1234.5, 98_765, -42.42])
    expect(english.figures(value)).toBe(local.figures(value));
  for (const ratio of [0, 0.025, 0.5, 0.00001234, 1.5]) expect(english.share(ratio)).toBe(local.share(ratio));
  for (const exponent of [0, 3, 6, 9, 12] as const)
    expect(english.suffix(exponent)).toBe(local.suffix(exponent));
});

test('other languages, and other Englishes, are the browser’s', () => {
  expect(numbersIn('de').decimal('1234567.5', 2)).toBe('1.234.567,50');
  expect(numbersIn('en-IN').decimal('1234567.5', 2)).toBe('12,34,567.50');
  expect(numbersIn('en-ZA').decimal('1234.5', 1)).toBe(
    new Intl.NumberFormat('en-ZA', { minimumFractionDigits: 1 }).format(1234.5),
  );
});
