import type { Clock, EpochMs } from '@depthwire/shared';
import { systemClock } from '../core/system.ts';

/** The machine's clock run so many times faster: real sockets without real waits. */
export function fastClock(factor: number): Clock {
  const startMs = systemClock.now();
  return {
    now: () => (startMs + (systemClock.now() - startMs) * factor) as EpochMs,
    at: (timeMs, task) => systemClock.at(startMs + (timeMs - startMs) / factor, task),
  };
}
