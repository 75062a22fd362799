import { DepthwireError } from '@depthwire/shared';
import { limitedAddress } from './address.ts';
import type { Principal } from './grants.ts';

/** Connections that have not said yet who they are. */
const UNAUTHENTICATED = 'unauthenticated';
/** Of one address. */
const MAX_UNAUTHENTICATED = 20;

export interface QuotaLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxSubscriptionsPerAddress: number;
  readonly maxConnectionsPerKey: number;
  readonly maxSubscriptionsPerKey: number;
}

interface Use {
  readonly name: string;
  /** Of the newest token, where several of one owner differ. */
  maxConnections: number;
  maxSubscriptions: number;
  connections: number;
  subscriptions: number;
}

/** How many connections and subscriptions each key, and each address, has. */
export class Quotas {
  readonly #limits: QuotaLimits;
  readonly #uses = new Map<string, Use>();

  constructor(limits: QuotaLimits) {
    this.#limits = limits;
  }

  /**
   * Counts a connection, until it is released.
   * @throws DepthwireError `too_many_connections`
   */
  open(address: string, principal: Principal | null): Lease {
    const limited = limitedAddress(address);
    const ofAddress = limited === null ? null : this.#use(`address ${limited}`, this.#perAddress);
    return new Lease(ofAddress, this.#ofPrincipal(principal, limited), {
      next: (other) => this.#ofPrincipal(other, limited),
      forget: (use) => this.#uses.delete(use.name),
    });
  }

  /** Addresses and keys that hold something. */
  get size(): number {
    return this.#uses.size;
  }

  get #perAddress() {
    const { maxConnectionsPerAddress, maxSubscriptionsPerAddress } = this.#limits;
    return { maxConnections: maxConnectionsPerAddress, maxSubscriptions: maxSubscriptionsPerAddress };
  }

  #ofPrincipal(principal: Principal | null, address: string | null): Use {
    const { maxConnections, maxConnectionsPerKey, maxSubscriptionsPerKey } = this.#limits;
    // Whoever floods it without a key leaves room for those who have one, or have yet to say so.
    if (principal === null)
      return this.#use(`${UNAUTHENTICATED}${address === null ? '' : ` ${address}`}`, {
        maxConnections: address === null ? Math.ceil(maxConnections / 4) : MAX_UNAUTHENTICATED,
        maxSubscriptions: 0,
      });
    const { id, grants } = principal;
    // Of a key in pages too: its visitors do not share what one of them could use up.
    const isEverybody = id === 'local' || id === 'public' || id.startsWith('page:');
    return this.#use(id, {
      maxConnections: grants.maxConnections ?? (isEverybody ? Infinity : maxConnectionsPerKey),
      maxSubscriptions: grants.maxSubscriptions ?? (isEverybody ? Infinity : maxSubscriptionsPerKey),
    });
  }

  #use(name: string, limits: Pick<Use, 'maxConnections' | 'maxSubscriptions'>): Use {
    let use = this.#uses.get(name);
    if (!use) this.#uses.set(name, (use = { name, ...limits, connections: 0, subscriptions: 0 }));
    return Object.assign(use, limits);
  }
}

interface Register {
  next(principal: Principal): Use;
  forget(use: Use): void;
}

/** One connection's share of what its address and its key may have. */
export class Lease {
  readonly #ofAddress: Use | null;
  #ofKey: Use;
  readonly #register: Register;
  #subscriptions = 0;
  #isOpen = true;

  /** @throws DepthwireError `too_many_connections` */
  constructor(ofAddress: Use | null, ofKey: Use, register: Register) {
    this.#ofAddress = ofAddress;
    this.#ofKey = ofKey;
    this.#register = register;
    for (const use of this.#uses) {
      if (use.connections < use.maxConnections) continue;
      for (const other of this.#uses) this.#forgetUnused(other);
      throw tooManyConnections(use);
    }
    for (const use of this.#uses) use.connections += 1;
  }

  /**
   * The connection says who it is, or that it is somebody with other rights.
   * @throws DepthwireError `too_many_connections` or `too_many_subscriptions`, and nothing has changed
   */
  rebind(principal: Principal): void {
    const next = this.#register.next(principal);
    const before = this.#ofKey;
    const held = next === before ? next.subscriptions : next.subscriptions + this.#subscriptions;
    if (held > next.maxSubscriptions) {
      this.#forgetUnused(next);
      throw tooManySubscriptions(next);
    }
    if (next === before) {
      // It may have less than it had.
      if (next.connections > next.maxConnections) throw tooManyConnections(next);
      return;
    }
    if (next.connections >= next.maxConnections) throw tooManyConnections(next);
    next.connections += 1;
    next.subscriptions += this.#subscriptions;
    before.connections -= 1;
    before.subscriptions -= this.#subscriptions;
    this.#ofKey = next;
    this.#forgetUnused(before);
  }

  /** @throws DepthwireError `too_many_subscriptions` */
  assertRoom(): void {
    for (const use of this.#uses) {
      if (use.subscriptions >= use.maxSubscriptions) throw tooManySubscriptions(use);
    }
  }

  addSubscription(): void {
    this.#subscriptions += 1;
    for (const use of this.#uses) use.subscriptions += 1;
  }

  removeSubscription(): void {
    this.#subscriptions -= 1;
    for (const use of this.#uses) use.subscriptions -= 1;
  }

  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const use of this.#uses) {
      use.connections -= 1;
      use.subscriptions -= this.#subscriptions;
      this.#forgetUnused(use);
    }
  }

  get #uses(): Use[] {
    return this.#ofAddress === null ? [this.#ofKey] : [this.#ofAddress, this.#ofKey];
  }

  #forgetUnused(use: Use): void {
    if (use.connections === 0) this.#register.forget(use);
  }
}

function tooManyConnections({ name, maxConnections }: Use): DepthwireError {
  return new DepthwireError('too_many_connections', `${name} may hold ${maxConnections} connections`);
}

function tooManySubscriptions({ name, maxSubscriptions }: Use): DepthwireError {
  return new DepthwireError('too_many_subscriptions', `${name} may hold ${maxSubscriptions} subscriptions`);
}
