import { scaleOf } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { Formats } from './format.ts';

const lot = scaleOf('0.0001');
const en = new Formats('en', null, 'standard');
const de = new Formats('de', null, 'standard');

describe('sizes of a column', () => {
  it('have the same digits, cut rather than rounded', () => {
    expect(en.sizeIn({ exponent: 0, decimals: 2 }, 19_999, lot)).toBe('1.99');
    expect(en.sizeIn({ exponent: 0, decimals: 2 }, 12_345_678, lot)).toBe('1,234.56');
    expect(de.sizeIn({ exponent: 0, decimals: 2 }, 12_345_678, lot)).toBe('1.234,56');
  });

  it('are no zero where they are too little to be written', () => {
    expect(en.sizeIn({ exponent: 0, decimals: 2 }, 5, lot)).toBe('<0.01');
    expect(en.sizeIn({ exponent: 0, decimals: 2 }, 0, lot)).toBe('0.00');
  });

  it('are in thousands with the short word of the language, or a letter where it has none', () => {
    expect(en.sizeIn({ exponent: 3, decimals: 1 }, 123_456_789, lot)).toBe('12.3K');
    expect(de.sizeIn({ exponent: 3, decimals: 1 }, 123_456_789, lot)).toBe('12,3K');
    expect(de.sizeIn({ exponent: 6, decimals: 1 }, 123_456_789_000, lot)).toBe('12,3\u00a0Mio.');
  });

  it('are each as short as they may be where the page wants that', () => {
    const compact = new Formats('en', null, 'compact');
    expect(compact.sizeIn({ exponent: 0, decimals: 4 }, 123_456_789, lot)).toBe('12.35K');
  });
});

it('prices of a coarser step have the decimals that tell them apart', () => {
  const tick = scaleOf('0.01');
  expect(en.price(9_074_500, tick)).toBe('90,745.00');
  expect(en.price(9_074_500, tick, 0)).toBe('90,745');
  expect(en.price(null, tick)).toBe('–');
});
