import { randomBytes } from 'node:crypto';
import { DepthwireError, type Clock } from '@depthwire/shared';
import type { Principal } from './grants.ts';

const LIFE_MS = 30_000;
const MAX_TICKETS = 10_000;
/** Of one key or token. */
const MAX_OWN_TICKETS = 1_000;
const BYTES = 24;

export interface Ticket {
  readonly ticket: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

interface Issued {
  readonly principal: Principal;
  readonly origin: string | undefined;
  readonly expiresMs: number;
}

/**
 * Stand-ins for a secret where a browser can send no header: good once, for half a minute, and for pages of the
 * origin that asked for it.
 */
export class Tickets {
  readonly #clock: Clock;
  /** In the order of their expiry. */
  readonly #issued = new Map<string, Issued>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @throws DepthwireError `rate_limited` where too many wait to be used, `forbidden` for whoever needs none
   */
  issue(principal: Principal, origin: string | undefined): Ticket {
    this.#forgetExpired();
    const { id, expiresMs: endMs } = principal;
    if (id === 'public')
      throw new DepthwireError(
        'forbidden',
        'everybody may connect here without a ticket, or has a key for one',
      );
    const own = [...this.#issued.values()].filter((issued) => issued.principal.id === id).length;
    if (own >= MAX_OWN_TICKETS || this.#issued.size >= MAX_TICKETS)
      throw new DepthwireError(
        'rate_limited',
        `${own >= MAX_OWN_TICKETS ? own : MAX_TICKETS} tickets wait to be used: try again later`,
      );
    const ticket = randomBytes(BYTES).toString('base64url');
    const expiresMs = Math.min(this.#clock.now() + LIFE_MS, endMs ?? Infinity);
    this.#issued.set(ticket, { principal, origin, expiresMs });
    return { ticket, expires: Math.floor(expiresMs) };
  }

  /** @throws DepthwireError `unauthenticated` */
  redeem(ticket: string, origin: string | undefined): Principal {
    this.#forgetExpired();
    const issued = this.#issued.get(ticket);
    if (!issued || issued.origin !== origin)
      throw new DepthwireError(
        'unauthenticated',
        'ticket: expected one that was issued to this origin in the last 30 seconds and not used yet',
      );
    this.#issued.delete(ticket);
    return issued.principal;
  }

  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [ticket, { expiresMs }] of this.#issued) {
      if (expiresMs > now) return;
      this.#issued.delete(ticket);
    }
  }
}
