import type { VirtualClock } from '@depthwire/feeds';
import type { Clock, EpochMs, Timer } from '@depthwire/shared';

/** A machine's clock that somebody sets, while the time that passes is a virtual clock's: timers go by what passes. */
export class JumpingClock implements Clock {
  readonly #steady: VirtualClock;
  #aheadMs = 0;

  constructor(steady: VirtualClock) {
    this.#steady = steady;
  }

  now(): EpochMs {
    return (this.#steady.now() + this.#aheadMs) as EpochMs;
  }

  at(timeMs: number, task: () => void): Timer {
    return this.#steady.at(timeMs - this.#aheadMs, task);
  }

  set(byMs: number): void {
    this.#aheadMs += byMs;
  }
}
