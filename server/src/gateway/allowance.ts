/** Unused bandwidth is kept for so long: a burst may be as large. */
const BURST_MS = 1_000;

export interface Limits {
  /** Bytes a second; null for any number. */
  readonly bandwidth: number | null;
  /** Times a second; null for any number. */
  readonly rate: number | null;
}

/** How much and how often a client may be sent data. Clockless: every time is handed in, in milliseconds. */
export class Allowance {
  readonly #msPerByte: number;
  readonly #intervalMs: number;
  /** When the bytes that were sent will have had their time. */
  #paidAtMs = -Infinity;
  #nextMs = -Infinity;

  constructor({ bandwidth, rate }: Limits) {
    this.#msPerByte = bandwidth === null ? 0 : 1000 / bandwidth;
    this.#intervalMs = rate === null ? 0 : 1000 / rate;
  }

  /** Other limits, for a client that has spent what it has spent. */
  with(limits: Limits): Allowance {
    const next = new Allowance(limits);
    next.#paidAtMs = this.#paidAtMs;
    next.#nextMs = this.#nextMs;
    return next;
  }

  /** When data may be sent next. */
  get opensAtMs(): number {
    return Math.max(this.#paidAtMs, this.#nextMs);
  }

  /** Whether more may be sent at this very time, together with what was sent at it already. */
  hasBandwidth(nowMs: number): boolean {
    return this.#paidAtMs <= nowMs;
  }

  /** What is sent may be more than there is bandwidth for: then the next waits for longer. */
  spend(bytes: number, nowMs: number): void {
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - BURST_MS) + bytes * this.#msPerByte;
    this.#nextMs = nowMs + this.#intervalMs;
  }
}
