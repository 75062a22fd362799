import type { Clock } from '@depthwire/shared';
import { RequestRate } from './gateway/request-rate.ts';

/** Lines a second that strangers can have written, and as many at once after a pause. */
const LINES_PER_SECOND = 10;
const LINES_AT_ONCE = 100;

/** Bounds the lines of a log about what anybody can do as often as they like; metrics count all of it. */
export class LogFlood {
  readonly #clock: Clock;
  readonly #rate = new RequestRate(LINES_PER_SECOND, LINES_AT_ONCE);
  #leftOut = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns null where the line is left out; what to say in it otherwise */
  admit(): { leftOut?: number } | null {
    if (!this.#rate.take(this.#clock.now())) {
      this.#leftOut += 1;
      return null;
    }
    const said = this.#leftOut === 0 ? {} : { leftOut: this.#leftOut };
    this.#leftOut = 0;
    return said;
  }
}
