import type { Clock } from '@depthwire/shared';

/** After a refusal one instrument tries; the others look again so often, and wait for it no longer than this. */
const LOOK_MS = 500;
const PROBE_MS = 30_000;

/**
 * What the instruments of a venue that has had too many requests do together: none asks before the
 * venue's time is over, and then one alone, until it has its book or is refused again.
 */
export class VenuePause {
  readonly #clock: Clock;
  #untilMs = -Infinity;
  #isOver = true;
  #probe: { readonly who: object; readonly sinceMs: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The venue asks to be left alone for so long. */
  begin(waitMs: number): void {
    this.#untilMs = Math.max(this.#untilMs, this.#clock.now() + waitMs);
    this.#isOver = false;
    this.#probe = null;
  }

  /** Whether the venue is to be left alone by all that can wait. */
  get isOn(): boolean {
    return this.#clock.now() < this.#untilMs;
  }

  /** How long an instrument has to wait yet, milliseconds; at zero it may ask. */
  waitMs(who: object): number {
    const now = this.#clock.now();
    if (now < this.#untilMs) return this.#untilMs - now;
    if (this.#isOver) return 0;
    const probe = this.#probe;
    if (probe && probe.who !== who && now - probe.sinceMs < PROBE_MS) return LOOK_MS;
    this.#probe = { who, sinceMs: now };
    return 0;
  }

  /** An instrument has its book; others may have had theirs all the time. */
  succeeded(who: object): void {
    if (this.#probe?.who !== who) return;
    this.#isOver = true;
    this.#probe = null;
  }

  /** An instrument's try ended otherwise. */
  failed(who: object): void {
    if (this.#probe?.who === who) this.#probe = null;
  }
}
