import { toDepthwireError, type Clock } from '@depthwire/shared';
import type { HistoryStore } from './stores/store.ts';
import { unavailable } from './stores/unavailable.ts';

/** How often a store that cannot be opened is tried again, and how long a try is waited for: a dead network disk never answers. */
const OPEN_PERIOD_MS = 10_000;

/** Why a store cannot be used, and since when, unix milliseconds. */
export interface Absence {
  readonly sinceMs: number;
  readonly reason: string;
}

export interface StoreWatchOptions {
  readonly store: HistoryStore;
  /** The market's. */
  readonly clock: Clock;
  /** Which nobody sets: for pauses. */
  readonly steadyClock: Clock;
}

/** Opens a store, again where that failed, and knows whether it could be opened and read the last time. */
export class StoreWatch {
  readonly #options: StoreWatchOptions;
  /** Null before the first try. */
  #opening: Promise<void> | null = null;
  /** By the steady clock. */
  #nextOpenMs = -Infinity;
  #hasOpened = false;
  #unopened: Absence | null = null;
  /** Who writes nothing learns that the database is gone by what he reads. */
  #unread: Absence | null = null;
  #bytes = 0;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
    this.opened().catch(() => undefined); // whoever needs it is told
  }

  /** Null while it can be used, as far as is known. */
  get absence(): Absence | null {
    return this.#unopened ?? this.#unread;
  }

  /** Of the store, as of the last look. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws DepthwireError `history_unavailable` where it cannot be opened; whoever asks too soon again is told the same */
  opened(): Promise<void> {
    const { store, steadyClock } = this.#options;
    if (this.#opening === null || steadyClock.now() >= this.#nextOpenMs) {
      const began = this.#absenceFor('');
      this.#nextOpenMs = Infinity;
      this.#hasOpened = false;
      this.#opening = this.#inTime(store.open()).then(
        () => {
          this.#unopened = null;
          this.#hasOpened = true;
        },
        (error: unknown) => {
          const { sinceMs } = this.#unopened ?? began;
          this.#unopened = { sinceMs, reason: toDepthwireError(error).message };
          this.#nextOpenMs = steadyClock.now() + OPEN_PERIOD_MS;
          throw error;
        },
      );
    }
    return this.#opening;
  }

  /** Nothing could be written: the tables may be gone, and are made as they are opened. */
  onFailure(): void {
    if (this.#nextOpenMs === Infinity && this.#hasOpened)
      this.#nextOpenMs = this.#options.steadyClock.now() + OPEN_PERIOD_MS;
  }

  /**
   * It answered somebody, or could not.
   * @param error null where it did
   */
  onRead(error: Error | null): void {
    this.#unread = error && (this.#unread ?? this.#absenceFor(error.message));
  }

  /** @throws DepthwireError `history_unavailable` where it cannot be read */
  async look(): Promise<void> {
    try {
      await this.opened();
      this.#bytes = (await this.#options.store.figures()).bytes;
      this.onRead(null);
    } catch (error) {
      this.onRead(toDepthwireError(error));
      throw error;
    }
  }

  /** Where it could not be read the last time: whether it can be now. Never rejects. */
  async lookAgain(): Promise<void> {
    if (this.#unread !== null) await this.look().catch(() => undefined);
  }

  #absenceFor(reason: string): Absence {
    return { sinceMs: Math.floor(this.#options.clock.now()), reason };
  }

  async #inTime(opened: Promise<void>): Promise<void> {
    const { steadyClock } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = steadyClock.at(steadyClock.now() + OPEN_PERIOD_MS, () =>
      late.reject(unavailable('away', `history could not be opened within ${OPEN_PERIOD_MS / 1000} s`)),
    );
    await Promise.race([opened, late.promise]).finally(() => timer.cancel());
  }
}
