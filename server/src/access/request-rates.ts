import type { Clock } from '@depthwire/shared';
import { RequestRate } from '../gateway/request-rate.ts';

const MAX_RATES = 20_000;

export interface AllowedRate {
  readonly perMinute: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** By name: those that were asked for longest ago are forgotten where there are too many. */
export class RequestRates {
  readonly #clock: Clock;
  readonly #rates = new Map<string, RequestRate>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns seconds to wait; 0 where there was enough left, which is taken then */
  waitFor(name: string, { perMinute, burst }: AllowedRate, wanted: number): number {
    const now = this.#clock.now();
    const cost = Math.min(wanted, burst);
    // Tokens of one owner may permit more or less than each other.
    const key = `${perMinute} ${name}`;
    const rate = this.#rates.get(key) ?? new RequestRate(perMinute / 60, burst);
    this.#rates.delete(key);
    this.#rates.set(key, rate);
    if (this.#rates.size > MAX_RATES) this.#rates.delete(this.#rates.keys().next().value!);
    return rate.take(now, cost) ? 0 : Math.ceil(rate.waitMs(now, cost) / 1000);
  }
}
