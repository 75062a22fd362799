/** Where a book was: the engine's count of its updates, and that of the frames of its channel. */
interface Reading {
  readonly atMs: number;
  readonly merged: number;
}

/** Counts the updates of a book that came in one frame with others, over the last while. */
export class MergedCount {
  readonly #spanMs: number;
  readonly #readings: Reading[] = [];
  #sequence = 0;
  #seq = -1;

  /** @param spanMs how long a while is */
  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /**
   * @param sequence the engine's count of updates, of which the book held is the state
   * @param seq the last frame of the channel
   * @returns updates of the last while that had no frame of their own
   */
  read(nowMs: number, sequence: number, seq: number): number {
    const frames = seq - this.#seq;
    const updates = sequence - this.#sequence;
    // A channel that began anew, or a book: what was missed meanwhile was not merged.
    if (this.#seq >= 0 && frames >= 0 && updates > frames)
      this.#readings.push({ atMs: nowMs, merged: updates - frames });
    this.#sequence = sequence;
    this.#seq = seq;
    while (this.#readings[0] && this.#readings[0].atMs <= nowMs - this.#spanMs) this.#readings.shift();
    return this.#readings.reduce((sum, { merged }) => sum + merged, 0);
  }
}
