import { DepthwireError, type Clock } from '@depthwire/shared';
import type { Principal } from './grants.ts';
import { RequestRates } from './request-rates.ts';

/** Above one each time between two frames. */
const BURST = 5;

/**
 * Who asks again and again for the market as it is now: no more often than a key's least time between two frames, by
 * REST or by subscribing anew.
 */
export class Polls {
  readonly #rates: RequestRates;

  constructor(clock: Clock) {
    this.#rates = new RequestRates(clock);
  }

  /**
   * Each visitor of a page has polls of its own, as each has frames of its own.
   * @param what a topic of an instrument
   * @returns seconds to wait; 0 where it may ask
   */
  waitFor({ id, grants }: Principal, address: string | null, what: string): number {
    if (grants.minCadenceMs === 0) return 0;
    const rate = { perMinute: 60_000 / grants.minCadenceMs, burst: BURST };
    return this.#rates.waitFor(`${id} ${address} ${what}`, rate, 1);
  }
}

export function pollsTooOften({ grants }: Principal, seconds: number): DepthwireError {
  return new DepthwireError(
    'rate_limited',
    `the key may ask this once in ${grants.minCadenceMs} ms: a subscription that stays tells of every change: try again in ${seconds} s`,
  );
}
