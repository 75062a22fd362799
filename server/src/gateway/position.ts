/** Frames of a channel whose places are remembered. */
const MAX_FRAMES = 512;
/** How a position is written. */
export const positionPattern = /^([\w-]{1,64})\.(\d{1,16})$/;

/**
 * A place among all frames that a gateway has made, whatever their channels. A client that names one has every frame up
 * to there of each of its channels, and none after it.
 */
export interface Position {
  /** Names the run of the gateway. */
  readonly gateway: string;
  /** Counted from 1; 0 is before the first frame. */
  readonly number: number;
}

/** As an event's `id`. */
export function formatPosition({ gateway, number }: Position): string {
  return `${gateway}.${number}`;
}

/** @returns null where the text is no position */
export function parsePosition(text: string): Position | null {
  const [, gateway, number] = positionPattern.exec(text) ?? [];
  return gateway === undefined ? null : { gateway, number: Number(number) };
}

/** Where the latest frames of one channel stand among all frames: tells what a client has of the channel. */
export class PositionLog {
  readonly #numbers = new Float64Array(MAX_FRAMES);
  /** The oldest frame whose place is remembered, and the newest. */
  #first: number;
  #newest: number;

  /**
   * @param seq the channel's newest frame
   * @param number the newest place by then
   */
  constructor(seq: number, number: number) {
    this.#first = seq;
    this.#newest = seq;
    this.#numbers[seq % MAX_FRAMES] = number;
  }

  /** Of the frame after the last one. */
  add(number: number): void {
    this.#newest += 1;
    this.#first = Math.max(this.#first, this.#newest - MAX_FRAMES + 1);
    this.#numbers[this.#newest % MAX_FRAMES] = number;
  }

  /** @returns the channel's newest frame as of that place; null where that is not remembered */
  seqAt(number: number): number | null {
    if (this.#numbers[this.#first % MAX_FRAMES]! > number) return null;
    let low = this.#first;
    let high = this.#newest;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#numbers[middle % MAX_FRAMES]! <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
