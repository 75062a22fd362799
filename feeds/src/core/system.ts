import type { Clock, EpochMs, Timer } from '@depthwire/shared';

const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** How far the monotonic clock may drift from the machine's before it is set again. */
const MAX_DRIFT_MS = 20;

let originMs: number = performance.timeOrigin;

function nowMs(): EpochMs {
  const monotonic = performance.now();
  const wallMs = Date.now();
  if (Math.abs(originMs + monotonic - wallMs) > MAX_DRIFT_MS) originMs = wallMs - monotonic;
  return (originMs + monotonic) as EpochMs;
}

/** The machine's chance, for jitter: a number in [0, 1). */
export const systemRandom = (): number => Math.random();

/** The machine's time since the start, which nobody can set: for durations. Begins with the clock's time. */
export const steadyClock: Clock = {
  now: () => (performance.timeOrigin + performance.now()) as EpochMs,
  at: (timeMs, task) => timerAfter(timeMs - steadyClock.now(), task),
};

function timerAfter(delayMs: number, task: () => void): Timer {
  const handle = setTimeout(task, Math.min(MAX_TIMEOUT_MS, Math.max(0, delayMs)));
  return { cancel: () => clearTimeout(handle) };
}

/** The machine's clock with a resolution below a millisecond, corrected when the machine's is set. */
export const systemClock: Clock = {
  now: nowMs,
  at: (timeMs, task) => timerAfter(timeMs - nowMs(), task),
};
