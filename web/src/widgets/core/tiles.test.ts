import { describe, expect, it } from 'vitest';
import { fontFor, isSeen, levelOf, shortLabels, weightsOf } from './tiles.ts';

describe('tiles', () => {
  it('are coloured by the size of the change, whichever its way', () => {
    expect([null, 0, 0.0005, 0.005, -0.005, 0.015, -0.03, 0.05, -0.5].map(levelOf)).toEqual([
      0, 0, 0, 1, 1, 2, 3, 4, 5,
    ]);
  });

  it('have the size of the middle one where theirs is not known, and none is too small', () => {
    expect(weightsOf([100, null, 50, 10], 0)).toEqual([100, 50, 50, 10]);
    expect(weightsOf([99, 1], 0.1)).toEqual([99, 10]);
    expect(weightsOf([null, null], 0.9)).toEqual([1, 1]);
  });

  it('are laid out anew where that is seen', () => {
    const before = new Map([
      ['a', 10],
      ['b', 10],
    ]);
    expect(isSeen(before, new Map([...before].map(([id, weight]) => [id, weight * 3])))).toBe(false);
    expect(isSeen(before, new Map([...before, ['b', 11]]))).toBe(false);
    expect(isSeen(before, new Map([...before, ['b', 20]]))).toBe(true);
    expect(isSeen(before, new Map([['a', 10]]))).toBe(true);
    expect(isSeen(new Map(), before)).toBe(true);
  });

  it('have letters that fit, or none', () => {
    expect(fontFor(106, 200, 5, 2)).toBe(20);
    expect(fontFor(1_000, 1_000, 5, 2)).toBe(26);
    expect(fontFor(30, 30, 5, 1)).toBeNull();
  });

  it('are called by their base where only one of them is', () => {
    expect(shortLabels(['BTC/USD', 'USD/JPY', 'USD/CHF', 'ES-2606'])).toEqual([
      'BTC',
      'USD/JPY',
      'USD/CHF',
      'ES-2606',
    ]);
  });
});
