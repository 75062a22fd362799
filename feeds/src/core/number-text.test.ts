import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberText } from './number-text.ts';

describe('numberText', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['60417', '60417'],
    ['0.0155', '0.0155'],
    ['0.000001', '0.000001'],
    ['5.6e-7', '0.00000056'],
    ['-2e-8', '-0.00000002'],
    ['1.5e21', '1500000000000000000000'],
    ['-1e+22', '-10000000000000000000000'],
    ['1.23456789012345e-7', '0.000000123456789012345'],
  ])('writes %s as %s', (json, text) => {
    expect(numberText(JSON.parse(json) as number)).toBe(text);
  });

  it('writes plain digits that are the same number, whatever the number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = numberText(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});
