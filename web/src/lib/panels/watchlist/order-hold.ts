/** Rows keep still for so long after the pointer last moved over them, or a key did something in them. */
const HOLD_MS = 4000;
/** A finger does not hover: a moment after it was there. */
const TOUCH_HOLD_MS = 1500;

/**
 * When the rows of a list that is sorted by live figures keep their places: while somebody is about to click one of
 * them. A pointer that was only left there holds nothing, for the order would no longer be that of the figures.
 */
export class OrderHold {
  readonly #now: () => number;
  #untilMs = -Infinity;

  /** @param now milliseconds that never go back */
  constructor(now: () => number) {
    this.#now = now;
  }

  get isHeld(): boolean {
    return this.#now() < this.#untilMs;
  }

  /** The pointer moves over the rows, or a key moves in them. */
  readonly touch = (by: 'mouse' | 'key' | 'finger'): void => {
    this.#untilMs = this.#now() + (by === 'finger' ? TOUCH_HOLD_MS : HOLD_MS);
  };

  /** The pointer is gone. */
  readonly release = (): void => {
    this.#untilMs = -Infinity;
  };
}
