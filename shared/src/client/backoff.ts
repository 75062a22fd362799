export interface BackoffPolicy {
  /** Longest wait before the first retry, milliseconds. */
  readonly baseMs: number;
  /** Longest wait before any retry, milliseconds. */
  readonly maxMs: number;
}

/** No longer than this is a screen without its books once the server is there again. */
const LONGEST_MS = 8_000;

export const defaultBackoff: BackoffPolicy = { baseMs: 500, maxMs: LONGEST_MS };

/**
 * How long to wait before the next try: anywhere between a tenth of the doubled limit and the
 * limit, so that clients which lost the same server do not come back together.
 * @param attempt 0 for the first retry
 * @param random a number in [0, 1)
 * @see "Exponential Backoff and Jitter", AWS Architecture Blog, 2015
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: number): number {
  const limit = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 30));
  return limit * (0.1 + 0.9 * random);
}
