import type { Clock, EpochMs, Timer } from '@depthwire/shared';
import { systemClock } from '../core/system.ts';

/** A clock that runs faster than the machine's, and can be set. */
export interface FastClock extends Clock {
  /** Sets the clock on by so much at once, as a machine's that was wrong; timers keep their time to go. */
  jump(ms: number): void;
}

/**
 * The machine's clock run so many times faster: real sockets without real waits. It stands while the
 * process does not get to run, so that a busy machine makes no feed look slow.
 */
export function fastClock(factor: number): FastClock {
  startPulse();
  const startMs = systemClock.now();
  const startAwakeMs = awakeMs();
  let jumpedMs = 0;
  const now = () => (startMs + jumpedMs + (awakeMs() - startAwakeMs) * factor) as EpochMs;
  return {
    now,
    at: (timeMs, task) => whenAwake(awakeMs() + (timeMs - now()) / factor, task),
    jump(ms) {
      jumpedMs += ms;
    },
  };
}

const PULSE_MS = 5;
/** Longest time between two pulses that counts; the rest of it the process did not run. */
const MAX_STEP_MS = 20;

let countedMs = 0;
let lastPulseMs: number | null = null;

/** Milliseconds that this process was awake since the first fast clock. */
function awakeMs(): number {
  return lastPulseMs === null ? 0 : countedMs + Math.min(systemClock.now() - lastPulseMs, MAX_STEP_MS);
}

function startPulse(): void {
  if (lastPulseMs !== null) return;
  lastPulseMs = systemClock.now();
  const pulse = () => {
    countedMs = awakeMs();
    lastPulseMs = systemClock.now();
  };
  // eslint-disable-next-line no-restricted-globals -- a timer of the clock would keep the process alive
  setInterval(pulse, PULSE_MS).unref();
}

function whenAwake(targetMs: number, task: () => void): Timer {
  let timer: Timer;
  const arm = () => {
    timer = systemClock.at(systemClock.now() + targetMs - awakeMs(), () => {
      if (targetMs - awakeMs() > 0.5) arm();
      else task();
    });
  };
  arm();
  return { cancel: () => timer.cancel() };
}
