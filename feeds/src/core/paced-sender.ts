import { DepthwireError, type Clock, type Timer } from '@depthwire/shared';

/** Frames waiting; the next one is refused. */
const MAX_QUEUED = 10_000;

/** Sends text frames no faster than a venue allows, in order. */
export class PacedSender {
  readonly #clock: Clock;
  readonly #spacingMs: number;
  readonly #send: (text: string) => void;
  #queue: string[] = [];
  #nextAtMs = 0;
  #timer: Timer | null = null;

  /** @param spacingMs least time from one frame to the next; zero for none */
  constructor(clock: Clock, spacingMs: number, send: (text: string) => void) {
    this.#clock = clock;
    this.#spacingMs = spacingMs;
    this.#send = send;
  }

  /** @throws DepthwireError `venue_rejected` where too many frames wait already */
  send(text: string): void {
    if (this.#queue.length >= MAX_QUEUED)
      throw new DepthwireError('venue_rejected', `${MAX_QUEUED} frames already wait to be sent to the venue`);
    this.#queue.push(text);
    if (this.#timer === null) this.#next();
  }

  /** Drops what waits. */
  clear(): void {
    this.#queue = [];
    this.#timer?.cancel();
    this.#timer = null;
  }

  #next(): void {
    const now = this.#clock.now();
    this.#nextAtMs = Math.min(this.#nextAtMs, now + this.#spacingMs); // a clock may be set back
    while (this.#queue.length > 0) {
      if (now < this.#nextAtMs) {
        this.#timer = this.#clock.at(this.#nextAtMs, () => {
          this.#timer = null;
          this.#next();
        });
        return;
      }
      this.#nextAtMs = now + this.#spacingMs;
      this.#send(this.#queue.shift()!);
    }
  }
}
