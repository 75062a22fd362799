import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DepthwireError } from './errors.ts';
import {
  decimalScale,
  decimalsOf,
  formatUnits,
  formatUnitsShortest,
  isLots,
  parseLots,
  parseUnits,
  scaleOf,
  unitsToNumber,
  type Scale,
} from './units.ts';

const scale: fc.Arbitrary<Scale> = fc.oneof(
  fc.nat(18).map(decimalScale),
  fc.constantFrom(scaleOf('0.25'), scaleOf('0.015625'), scaleOf('0.05'), scaleOf('1000'), scaleOf('2.5')),
  fc.record({ units: fc.integer({ min: 1, max: 10 ** 9 }), decimals: fc.nat(18) }),
);
const units = fc.oneof(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.maxSafeInteger());

/** The same number in a form that the fast path leaves alone. */
const forSlowPath = (text: string) => `${text}e0`;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DepthwireError) return error.code;
    throw error;
  }
  return 'no error';
}

/** What came of it: the value, or the code of the error. */
function outcomeOf(text: string, ofScale: Scale): number | string {
  let value = Number.NaN;
  const code = codeOf(() => (value = parseUnits(text, ofScale)));
  return code === 'no error' ? value : code;
}

describe('parse and format', () => {
  test('are inverse for every scale and every safe integer', () => {
    fc.assert(
      fc.property(units, scale, (count, ofScale) => {
        expect(parseUnits(formatUnits(count, ofScale), ofScale)).toBe(count);
        expect(parseUnits(formatUnitsShortest(count, ofScale), ofScale)).toBe(count);
      }),
      { numRuns: 500 },
    );
  });

  test('the text is the exact product of units and scale', () => {
    fc.assert(
      fc.property(units, scale, (count, ofScale) => {
        const text = formatUnits(count, ofScale);
        const [whole = '', fraction = ''] = text.replace('-', '').split('.');
        expect(fraction).toHaveLength(ofScale.decimals);
        expect(BigInt(whole + fraction)).toBe(BigInt(Math.abs(count)) * BigInt(ofScale.units));
        expect(text.startsWith('-')).toBe(count < 0);
      }),
    );
  });

  test('trailing zeros and a missing fraction change nothing', () => {
    fc.assert(
      fc.property(units, scale, fc.nat(4), (count, ofScale, zeros) => {
        const text = formatUnits(count, ofScale);
        const padded = `${text}${text.includes('.') ? '' : '.'}${'0'.repeat(zeros)}`;
        expect(parseUnits(padded, ofScale)).toBe(count);
      }),
    );
  });

  test('the fast path gives what the slow path gives, errors too', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 12 });
    const decimal = fc
      .tuple(fc.constantFrom('', '-'), digits, fc.constantFrom('', '.'), digits)
      .map((parts) => parts.join(''));
    const nearGrid = fc.tuple(units, scale).map(([count, ofScale]) => formatUnits(count, ofScale));
    fc.assert(
      fc.property(fc.oneof(decimal, nearGrid), scale, (text, ofScale) => {
        expect(outcomeOf(text, ofScale)).toEqual(outcomeOf(forSlowPath(text), ofScale));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('parseUnits', () => {
  const cent = scaleOf('0.01');
  const quarter = scaleOf('0.25');
  const sixtyFourth = scaleOf('0.015625');

  test.each<[string, Scale, number]>([
    ['67042.15', cent, 6_704_215],
    ['67042', cent, 6_704_200],
    ['67042.1500000', cent, 6_704_215],
    ['0', cent, 0],
    ['-0', cent, 0],
    ['-0.00', cent, 0],
    ['.5', cent, 50],
    ['5.', cent, 500],
    ['+5', cent, 500],
    ['-37.63', cent, -3_763],
    ['1e3', cent, 100_000],
    ['1.5E-1', cent, 15],
    ['12e-2', cent, 12],
    ['4512.75', quarter, 18_051],
    ['-0.25', quarter, -1],
    ['110.515625', sixtyFourth, 7_073],
    ['0.00000001', scaleOf('0.00000001'), 1],
    ['0.000000000000000001', decimalScale(18), 1],
    ['9007199254740991', decimalScale(0), Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', decimalScale(0), Number.MIN_SAFE_INTEGER],
    ['90071992547409.91', cent, Number.MAX_SAFE_INTEGER],
  ])('reads %s as exact units', (text, ofScale, expected) => {
    expect(Object.is(parseUnits(text, ofScale), expected)).toBe(true);
  });

  test.each<[string, Scale]>([
    ['0.001', cent],
    ['67042.155', cent],
    ['1e-3', cent],
    ['4512.80', quarter],
    ['4512.751', quarter],
    ['-0.1', quarter],
    ['110.5156', sixtyFourth],
    ['1500', scaleOf('1000')],
  ])('refuses %s as off the grid', (text, ofScale) => {
    expect(codeOf(() => parseUnits(text, ofScale))).toBe('off_grid');
  });

  test('an off-grid error names the value and the unit', () => {
    expect(() => parseUnits('4512.80', quarter)).toThrow(
      expect.objectContaining({ details: { value: '4512.80', unit: '0.25' } }),
    );
  });

  test.each<[string, Scale]>([
    ['9007199254740992', decimalScale(0)],
    ['-9007199254740992', decimalScale(0)],
    ['90071992547409.92', cent],
    ['1e300', cent],
    ['99999999999999999999', decimalScale(0)],
    ['1', decimalScale(18)],
  ])('refuses %s as out of range', (text, ofScale) => {
    expect(codeOf(() => parseUnits(text, ofScale))).toBe('out_of_range');
  });

  test.each<[string, Scale, number]>([
    ['112716000.00000000', decimalScale(8), 11_271_600_000_000_000],
    ['14722.10011783', decimalScale(8), 1_472_210_011_783],
    ['9007199254740992', decimalScale(0), 2 ** 53],
    ['9223372036854774784', decimalScale(0), 2 ** 63 - 1024],
  ])('takes a size of %s where a double holds it exactly', (text, ofScale, expected) => {
    const lots = parseLots(text, ofScale);
    expect(lots).toBe(expected);
    expect(isLots(lots)).toBe(true);
    expect(Number(formatUnitsShortest(lots, ofScale))).toBe(Number(text));
  });

  test.each<[string, Scale]>([
    ['9007199254740993', decimalScale(0)],
    ['112716000.00000001', decimalScale(8)],
    ['9223372036854775808', decimalScale(0)],
  ])('refuses a size of %s, which none holds', (text, ofScale) => {
    expect(codeOf(() => parseLots(text, ofScale))).toBe('out_of_range');
  });

  test.each([-1, 0.5, 2 ** 63, Number.NaN, Infinity, '1', null])('%s is no number of lots', (value) => {
    expect(isLots(value)).toBe(false);
  });

  test.each([
    '',
    ' ',
    '.',
    '-',
    '+',
    '-.',
    '1.2.3',
    '1,5',
    ' 1',
    '1 ',
    '0x10',
    'NaN',
    'Infinity',
    '--1',
    '1e',
    '1e1.5',
    'e5',
    '1_000',
    '１',
  ])('refuses %j as no decimal', (text) => {
    expect(codeOf(() => parseUnits(text, cent))).toBe('invalid_decimal');
  });

  test('any text at all gives a whole number or a typed error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), scale, (text, ofScale) => {
        expect(outcomeOf(text, ofScale)).toSatisfy(
          (outcome) =>
            Number.isSafeInteger(outcome) ||
            ['invalid_decimal', 'off_grid', 'out_of_range'].includes(outcome as string),
        );
      }),
    );
  });
});

describe('scaleOf', () => {
  test.each<[string, Scale]>([
    ['0.01', { units: 1, decimals: 2 }],
    ['0.0100', { units: 1, decimals: 2 }],
    ['0.25', { units: 25, decimals: 2 }],
    ['0.015625', { units: 15_625, decimals: 6 }],
    ['1', { units: 1, decimals: 0 }],
    ['10', { units: 10, decimals: 0 }],
    ['1e-8', { units: 1, decimals: 8 }],
    ['1e3', { units: 1_000, decimals: 0 }],
  ])('of %s', (size, expected) => {
    expect(scaleOf(size)).toEqual(expected);
  });

  test.each([
    ['0', 'invalid_decimal'],
    ['-0.01', 'invalid_decimal'],
    ['', 'invalid_decimal'],
    ['tick', 'invalid_decimal'],
    ['1e-19', 'out_of_range'],
    ['9007199254740992', 'out_of_range'],
  ])('refuses %j with %s', (size, code) => {
    expect(codeOf(() => scaleOf(size))).toBe(code);
  });

  test('one unit of a scale reads as its size', () => {
    fc.assert(
      fc.property(scale, (ofScale) => {
        expect(parseUnits(formatUnits(1, ofScale), scaleOf(formatUnits(1, ofScale)))).toBe(1);
      }),
    );
  });
});

test('decimalsOf leaves trailing zeros out', () => {
  expect(['0.0100', '1', '1.0', '1e-3', '150e-2', '0.000'].map(decimalsOf)).toEqual([2, 0, 0, 3, 1, 0]);
});

test('formatUnits gives the digits that are asked for', () => {
  const cent = scaleOf('0.01');
  expect(formatUnits(6_704_215, cent)).toBe('67042.15');
  expect(formatUnits(6_704_215, cent, 4)).toBe('67042.1500');
  expect(formatUnits(6_704_215, cent, 1)).toBe('67042.1');
  expect(formatUnits(6_704_215, cent, 0)).toBe('67042');
  expect(formatUnits(5, cent)).toBe('0.05');
  expect(formatUnits(-5, cent)).toBe('-0.05');
  expect(formatUnits(12, decimalScale(0), 2)).toBe('12.00');
  expect(formatUnits(-0, cent)).toBe('0.00');
});

test('formatUnitsShortest leaves trailing zeros out, never those of a whole number', () => {
  expect(formatUnitsShortest(6_704_200, scaleOf('0.01'))).toBe('67042');
  expect(formatUnitsShortest(6_704_210, scaleOf('0.01'))).toBe('67042.1');
  expect(formatUnitsShortest(100, decimalScale(0))).toBe('100');
  expect(formatUnitsShortest(0, scaleOf('0.01'))).toBe('0');
});

test('unitsToNumber is the value as a floating-point number', () => {
  expect(unitsToNumber(18_051, scaleOf('0.25'))).toBe(4512.75);
});
