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

  test.each([3, 5, 8, 20, 60])(
    'brings 2,000 clients back soon, and not together, when their server was away for %i s',
    (awaySeconds) => {
      const awayMs = awaySeconds * 1_000;
      const backMs = Array.from({ length: 2_000 }, (_, client) => firstTryAfter(awayMs, seeded(client)));
      expect(Math.max(...backMs)).toBeLessThanOrEqual(8_000);
      for (let fromMs = 0; fromMs <= 8_000; fromMs += 100) {
        const together = backMs.filter((ms) => ms >= fromMs && ms < fromMs + 1_000).length;
        expect(together).toBeLessThan(1_000);
      }
    },
  );
});

/** How long after the server's return a client that kept trying comes back, milliseconds. */
function firstTryAfter(awayMs: number, chance: () => number): number {
  let nowMs = 0;
  for (let attempt = 0; nowMs < awayMs; attempt++) nowMs += backoffMs(defaultBackoff, attempt, chance());
  return nowMs - awayMs;
}

/** Numbers in [0, 1), the same each time. */
function seeded(client: number): () => number {
  let state = (client + 1) * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
