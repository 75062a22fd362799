import type { Clock } from '@depthwire/shared';

/** How often it is renewed, or looked at. */
export const LEASE_TICK_MS = 250;
/** A leader that could not renew for so long leads no more, until it has. */
export const LEASE_VALID_MS = 1_100;
/** One that was not renewed for so long is taken: by then its holder has known for a while. */
const TAKEN_AFTER_MS = 1_600;
/** Counts at most from one look to the next: what was not looked at, as while this process stood still, does not count. */
const MAX_LOOK_MS = 2 * LEASE_TICK_MS;

/** What Redis has of a lease. */
export interface LeaseRecord {
  /** Empty where it was given away, or never was. */
  readonly holder: string;
  readonly epoch: number;
  /** Counts renewals. */
  readonly beat: number;
}

/** Leases where all see them; each call is one step for all. */
export interface LeaseStore {
  /** Renews it where this holder has it under this epoch. @returns what is there then */
  renew(feed: string, holder: string, epoch: number): Promise<LeaseRecord>;
  /** Takes it under another epoch, where it is what was seen. @returns whether it was */
  take(feed: string, holder: string, seen: LeaseRecord, epoch: number): Promise<boolean>;
  /** Gives it away, where this holder has it. */
  give(feed: string, holder: string): Promise<void>;
}

export interface LeaseOptions {
  readonly feed: string;
  readonly holder: string;
  readonly store: LeaseStore;
  /** One that nobody can set. */
  readonly timers: Clock;
  /** The machine's: an epoch is at least its milliseconds, so that a Redis that forgot all is no trouble. */
  readonly wallClock: Clock;
  /** Whether this process is to lead the feed, which nobody does, and nobody else would for so long. */
  mayLead(unledMs: number): boolean;
  onTaken(epoch: number): void;
  onLost(): void;
}

/**
 * Who leads a feed. No clock decides that anybody can set, nor one that two have to agree on: the holder counts a beat, and
 * whoever sees it stand still for long enough takes the lease under a higher epoch.
 */
export class Lease {
  readonly #options: LeaseOptions;
  /** Under which it is held; null where it is not. */
  #epoch: number | null = null;
  /** The highest that was ever heard of. */
  #highest = 0;
  /** When the renewal began that succeeded last. */
  #renewedAtMs = -Infinity;
  #seen: LeaseRecord | null = null;
  #seenAtMs = 0;
  /** For how long it was looked at and did not change. */
  #unchangedMs = 0;
  #isBusy = false;
  #isClosed = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  get feed(): string {
    return this.#options.feed;
  }

  get epoch(): number | null {
    return this.#epoch;
  }

  /** Who has it, as far as is known here. */
  get holder(): string | null {
    if (this.#epoch !== null) return this.#options.holder;
    return this.#seen?.holder || null;
  }

  /** Whether this process leads under this epoch, and nobody else can lead by now. */
  isValid(epoch: number): boolean {
    return this.#epoch === epoch && this.#options.timers.now() - this.#renewedAtMs < LEASE_VALID_MS;
  }

  /** Renews it, or looks whether it is to be had. To be called every `LEASE_TICK_MS`; one at a time. */
  async tick(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    try {
      await this.#step();
    } finally {
      this.#isBusy = false;
    }
  }

  /** For others to have it at once. */
  async give(): Promise<void> {
    const { feed, holder, store } = this.#options;
    if (this.#epoch === null) return;
    this.#end();
    await store.give(feed, holder);
  }

  /** Takes part no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.give();
  }

  async #step(): Promise<void> {
    const { feed, holder, store, timers } = this.#options;
    const beganAtMs = timers.now();
    const epoch = this.#epoch;
    const record = await store.renew(feed, holder, epoch ?? 0);
    this.#highest = Math.max(this.#highest, record.epoch);
    if (this.#epoch !== epoch) return; // it was given away meanwhile
    if (epoch !== null) {
      if (record.holder === holder && record.epoch === epoch) {
        this.#renewedAtMs = beganAtMs;
        return;
      }
      this.#end();
    }
    this.#look(record);
    const isFree = record.holder === '' || this.#unchangedMs >= TAKEN_AFTER_MS;
    if (isFree && !this.#isClosed && this.#options.mayLead(this.#unchangedMs)) await this.#take(record);
  }

  #look(record: LeaseRecord): void {
    const now = this.#options.timers.now();
    const seen = this.#seen;
    const isSame =
      seen !== null && (['holder', 'epoch', 'beat'] as const).every((key) => seen[key] === record[key]);
    this.#unchangedMs = isSame ? this.#unchangedMs + Math.min(MAX_LOOK_MS, now - this.#seenAtMs) : 0;
    this.#seen = record;
    this.#seenAtMs = now;
  }

  async #take(seen: LeaseRecord): Promise<void> {
    const { feed, holder, store, timers, wallClock, onTaken } = this.#options;
    const beganAtMs = timers.now();
    const epoch = Math.max(this.#highest + 1, Math.floor(wallClock.now()));
    if (!(await store.take(feed, holder, seen, epoch))) return;
    this.#highest = epoch;
    if (this.#isClosed) {
      await store.give(feed, holder);
      return;
    }
    this.#epoch = epoch;
    this.#renewedAtMs = beganAtMs;
    onTaken(epoch);
  }

  #end(): void {
    this.#epoch = null;
    this.#seen = null;
    this.#unchangedMs = 0;
    this.#options.onLost();
  }
}
