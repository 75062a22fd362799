import type { BookState } from '@depthwire/shared';

/** Longest wait before the feed of a silent book is asked again. */
const MAX_WAIT_MS = 600_000;
/** So many times the silence that an instrument allows, without one, and its updates flow: one snapshot makes it once. */
const FLOWING = 2;

/**
 * When to have a silent book taken anew: at once where it falls silent for the first time, later each time
 * while nothing but that brings it back, so that a quiet market is asked rarely. Clockless.
 */
export class SilenceCure {
  #waitMs = 0;
  #askAtMs = -Infinity;
  #liveSinceMs: number | null = null;

  /**
   * Called every second or so.
   * @param isSilent whether silence is all that is wrong with the book
   * @returns whether the feed is to be asked now
   */
  isDue(isSilent: boolean, state: BookState, staleAfterMs: number, nowMs: number): boolean {
    if (state === 'live') {
      this.#liveSinceMs ??= nowMs;
      if (nowMs - this.#liveSinceMs > FLOWING * staleAfterMs) {
        this.#waitMs = 0;
        this.#askAtMs = -Infinity;
      }
      return false;
    }
    this.#liveSinceMs = null;
    const leftMs = this.#askAtMs - nowMs;
    // More than all of the wait is left where the clock was set back.
    if (!isSilent || (leftMs > 0 && leftMs <= this.#waitMs)) return false;
    this.#waitMs = Math.max(staleAfterMs, Math.min(MAX_WAIT_MS, this.#waitMs * 2));
    this.#askAtMs = nowMs + this.#waitMs;
    return true;
  }
}
