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

/** The machine's clock with a resolution below a millisecond, corrected when the machine's is set. */
export const systemClock: Clock = {
  now: nowMs,
  at(timeMs: number, task: () => void): Timer {
    const delayMs = Math.min(MAX_TIMEOUT_MS, Math.max(0, timeMs - nowMs()));
    const handle = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
