import { describe, expect, it } from 'vitest';
import { follows, isBehind } from './sequencer.ts';

const at = (u: number, ts = 1_000) => ({ u, ts });

describe('sequence of Bybit', () => {
  it.each([
    ['the next delta', at(10), at(11), 'next'],
    ['the next one, whatever its time', at(10, 1_000), at(11, 900), 'next'],
    ['the first after a restart', at(1), at(2), 'next'],
    ['one is missing', at(10), at(12), 'gap'],
    ['a copy', at(10), at(10), 'old'],
    ['a late copy', at(10, 1_100), at(8, 900), 'old'],
    ['one after a restart whose snapshot was lost', at(10, 1_000), at(2, 1_100), 'gap'],
    ['another one of the same number', at(10, 1_000), at(10, 1_100), 'gap'],
  ])('%s', (_name, before, next, standing) => {
    expect(follows(before, next)).toBe(standing);
  });

  it('tells a snapshot that is left behind by its id and its time together', () => {
    expect(isBehind(at(10, 1_100), at(8, 1_000))).toBe(true);
    expect(isBehind(at(10, 1_100), at(1, 1_200))).toBe(false);
    expect(isBehind(at(10, 1_100), at(10, 1_100))).toBe(false);
  });
});
