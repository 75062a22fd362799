const TICK_MS = 250;

/** This machine's time as a signal, for ages and countdowns. Not for anything that must be exact. */
export class WallClock {
  now = $state(Date.now());

  start(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }
}
