import type { Clock, EpochMs } from '@depthwire/shared';
import { systemClock } from '../core/system.ts';

/** A clock that runs faster than the machine's, and can be set. */
export interface FastClock extends Clock {
  /** Sets the clock on by so much at once, as a machine's that was wrong; timers keep their time to go. */
  jump(ms: number): void;
}

/** The machine's clock run so many times faster: real sockets without real waits. */
export function fastClock(factor: number): FastClock {
  const startMs = systemClock.now();
  let jumpedMs = 0;
  const now = () => (startMs + jumpedMs + (systemClock.now() - startMs) * factor) as EpochMs;
  return {
    now,
    at: (timeMs, task) => systemClock.at(systemClock.now() + (timeMs - now()) / factor, task),
    jump(ms) {
      jumpedMs += ms;
    },
  };
}
