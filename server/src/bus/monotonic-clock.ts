import type { Clock, EpochMs } from '@depthwire/shared';

/**
 * Milliseconds since this process began, which nobody can set: who leads and what is silent is told by it, whatever
 * becomes of the machine's clock.
 */
export const monotonicClock: Clock = {
  now: () => performance.now() as EpochMs,
  at(timeMs, task) {
    const handle = setTimeout(task, Math.max(0, timeMs - performance.now()));
    return { cancel: () => clearTimeout(handle) };
  },
};
