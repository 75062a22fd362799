import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs, defaultBackoff } from './backoff.ts';

const policy = fc
  .tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 100_000 }))
  .map(([baseMs, more]) => ({ baseMs, maxMs: baseMs + more }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  test('waits between a tenth of the limit and the limit, which doubles up to the longest wait', () => {
    fc.assert(
      fc.property(policy, fc.nat(60), random, (ofPolicy, attempt, chance) => {
        const limit = Math.min(ofPolicy.maxMs, ofPolicy.baseMs * 2 ** attempt);
        const delay = backoffMs(ofPolicy, attempt, chance);
        expect(delay).toBeGreaterThanOrEqual(limit * 0.1);
        expect(delay).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('spreads clients over nine tenths of the limit', () => {
    expect(backoffMs({ baseMs: 1_000, maxMs: 8_000 }, 1, 0)).toBe(200);
    expect(backoffMs({ baseMs: 1_000, maxMs: 8_000 }, 1, 0.5)).toBe(1_100);
    expect(backoffMs({ baseMs: 1_000, maxMs: 8_000 }, 1, 0.999)).toBeCloseTo(1_998.2);
  });

  test('stays at the longest wait for good', () => {
    for (const attempt of [5, 31, 1_000, Number.MAX_SAFE_INTEGER]) {
      expect(backoffMs(defaultBackoff, attempt, 1)).toBe(defaultBackoff.maxMs);
    }
  });
});
