import type { EpochMs } from './units.ts';

/** A timer that has been set; `cancel` is safe at any time. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. A recording replays to the same frames because its clock is a
 * virtual one; nothing in feeds, engine or gateway asks the machine for the time.
 */
export interface Clock {
  now(): EpochMs;
  /** Runs `task` once at the given time (at once, but not now, when it has passed). */
  at(timeMs: number, task: () => void): Timer;
}

/**
 * Runs `task` at every whole multiple of `periodMs`, so that all who share a period share the tick. Where the clock is
 * set back, it goes on by the multiples of its new time.
 */
export function every(clock: Clock, periodMs: number, task: () => void): Timer {
  let timer: Timer;
  let due = 0;
  const arm = () => {
    const now = clock.now();
    const next = Math.floor(now / periodMs) * periodMs + periodMs;
    due = next === due ? due + periodMs : next; // a timer may be a little early
    timer = clock.at(due, () => {
      arm();
      task();
    });
  };
  arm();
  return { cancel: () => timer.cancel() };
}
