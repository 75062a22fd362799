/** Parts of a window; what is older than it goes a part at a time. */
const PARTS = 240;

interface Part {
  readonly startMs: number;
  low: number;
  high: number;
}

/** The lowest and the highest price of the last minutes, to the 240th part of them. */
export class PriceWindow {
  readonly #partMs: number;
  #parts: Part[] = [];

  constructor(minutes: number) {
    this.#partMs = (minutes * 60_000) / PARTS;
  }

  /** @param timeMs not before that of the last one; a clock that was set back begins the window anew */
  add(timeMs: number, ticks: number): void {
    let newest = this.#parts.at(-1);
    if (newest && timeMs < newest.startMs) {
      this.#parts = [];
      newest = undefined;
    }
    if (newest && timeMs < newest.startMs + this.#partMs) {
      newest.low = Math.min(newest.low, ticks);
      newest.high = Math.max(newest.high, ticks);
    } else {
      this.#parts.push({ startMs: timeMs, low: ticks, high: ticks });
    }
    const from = timeMs - PARTS * this.#partMs;
    while (this.#parts[0]!.startMs + this.#partMs <= from) this.#parts.shift();
  }

  get low(): number | null {
    return this.#extreme(({ low }) => low, Math.min);
  }

  get high(): number | null {
    return this.#extreme(({ high }) => high, Math.max);
  }

  #extreme(of: (part: Part) => number, pick: (a: number, b: number) => number): number | null {
    return this.#parts.length === 0 ? null : this.#parts.map(of).reduce((a, b) => pick(a, b));
  }
}
