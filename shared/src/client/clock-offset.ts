/** Round trips that are remembered. */
const MAX_SAMPLES = 8;
/** How far two clocks may drift apart while those were measured, milliseconds. */
const MAX_DRIFT_MS = 2;

export interface ClockOffsetSample {
  /** The server's clock less this machine's, milliseconds. */
  readonly offsetMs: number;
  /** How far off that may be either way: half the round trip, for nobody knows how it divides. */
  readonly uncertaintyMs: number;
}

/** How far the server's clock is from this machine's: what the shortest of the latest round trips says. */
export class ClockOffset {
  #samples: readonly ClockOffsetSample[] = [];

  /** Null before the first round trip. */
  get best(): ClockOffsetSample | null {
    let best: ClockOffsetSample | null = null;
    for (const sample of this.#samples)
      if (best === null || sample.uncertaintyMs <= best.uncertaintyMs) best = sample;
    return best;
  }

  /**
   * @param sentAtMs by this machine's clock, as is `receivedAtMs`
   * @param serverTimeMs by the server's clock, at some moment in between
   */
  add(sentAtMs: number, receivedAtMs: number, serverTimeMs: number): void {
    const uncertaintyMs = (receivedAtMs - sentAtMs) / 2;
    if (!(uncertaintyMs >= 0)) return; // this machine's clock was set back meanwhile
    const newest = { offsetMs: serverTimeMs - sentAtMs - uncertaintyMs, uncertaintyMs };
    // What cannot be true together with the newest was measured before one of the clocks was set.
    const stillTrue = this.#samples.filter(
      (sample) =>
        Math.abs(sample.offsetMs - newest.offsetMs) <= sample.uncertaintyMs + uncertaintyMs + MAX_DRIFT_MS,
    );
    this.#samples = [...stillTrue, newest].slice(-MAX_SAMPLES);
  }
}
