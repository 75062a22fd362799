import { systemClock } from '../core/system.ts';

/** Waits in real time, as tests with real sockets have to. */
export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => systemClock.at(systemClock.now() + delayMs, resolve));
}
