import type { Clock, Timer } from '@depthwire/shared';

/** Diffs held while a snapshot is awaited; past it the buffer starts anew. */
const MAX_BUFFERED_DIFFS = 10_000;
/** A stream that stays silent this long after a snapshot has nothing that could contradict it. */
const QUIET_MS = 5_000;
/** A stream that has not come up to its snapshot for so long never will. */
const AHEAD_MS = 30_000;
/** Wait before a snapshot is asked for again, doubled each time. */
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** Losses in short order after which a snapshot is asked for at once. */
const FREE_LOSSES = 3;
/** A book that stayed live this long starts its tries anew. */
const STABLE_AFTER_MS = 30_000;

/**
 * What is to be known of a stream whose diffs do not name the one before them, so that nothing
 * tells of a lost one.
 */
export interface Unchained<Diff> {
  /** Whether a snapshot is as new as a diff: none can be missing between the two then. */
  reaches(snapshotId: number, diff: Diff): boolean;
  /** Diffs to hold before a snapshot is asked for, which would be too old otherwise. */
  readonly minDiffs: number;
  /** How far a snapshot lags behind the stream at most, milliseconds; the wait where fewer diffs come. */
  readonly lagMs: number;
}

/** A venue's sequence rule; pure. */
export interface Sequencer<Diff> {
  /** How a diff stands to the one before it on the wire. */
  follows(previous: Diff, next: Diff): 'next' | 'old' | 'gap';
  /** How a diff stands to a snapshot: in it already, the first after it, or too late. */
  joins(snapshotId: number, diff: Diff): 'joins' | 'old' | 'gap';
  /** Whether the snapshot is exactly the book after this diff. */
  matches(snapshotId: number, diff: Diff): boolean;
  describe(diff: Diff): string;
  readonly unchained?: Unchained<Diff>;
}

/** What a book sync tells its session. */
export interface BookSyncHandlers<Diff, Snapshot> {
  requestSnapshot(): void;
  applySnapshot(snapshot: Snapshot): void;
  applyDiff(diff: Diff): void;
  /** The book is in sequence from here on. */
  live(): void;
  /** The book may miss an update: it is kept, but not to be trusted before `live` is told again. */
  doubted(reason: string): void;
  /** The book is wrong or cut off from here on. */
  lost(reason: string): void;
  link(): void;
  gap(): void;
}

/**
 * Joins one instrument's stream of diffs to a REST snapshot and keeps watch over its sequence:
 * buffer, snapshot, join, follow; on a gap all over again. A book is live only once a diff has
 * joined the snapshot, the snapshot is exactly the last diff, or the stream stayed quiet.
 */
export class BookSync<Diff, Snapshot extends { readonly id: number }> {
  readonly #sequencer: Sequencer<Diff>;
  readonly #handlers: BookSyncHandlers<Diff, Snapshot>;
  readonly #clock: Clock;
  #phase: 'idle' | 'buffering' | 'joining' | 'live' = 'idle';
  #buffer: Diff[] = [];
  #previous: Diff | null = null;
  #snapshotId = 0;
  #attempt = 0;
  #requested = false;
  /** Losses since the book was last live for long. */
  #losses = 0;
  #liveSinceMs: number | null = null;
  /** When the diffs held began to be complete, and when the snapshot was asked for. */
  #begunAtMs = 0;
  #requestedAtMs = 0;
  /** Whether a snapshot is wanted, but not asked for yet. */
  #isHoldingBack = false;
  /** Whether `live` was told since the book was last begun or lost. */
  #isTold = false;
  /** Since when diffs come that the snapshot has already; null where none did. */
  #aheadSinceMs: number | null = null;
  /** Whether the timer is that of `#awaitQuiet`. */
  #isQuietAwaited = false;
  /** While held diffs are applied the book is still in the past. */
  #isCatchingUp = false;
  #timer: Timer | null = null;

  constructor(sequencer: Sequencer<Diff>, clock: Clock, handlers: BookSyncHandlers<Diff, Snapshot>) {
    this.#sequencer = sequencer;
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /** Begins, or begins anew; the stream must be subscribed already. */
  start(): void {
    this.#phase = 'buffering';
    this.#isTold = false;
    this.#buffer = [];
    this.#previous = null;
    this.#attempt = this.#losses = 0;
    this.#liveSinceMs = null;
    this.#requested = false;
    this.#begunAtMs = this.#clock.now();
    this.#clearTimer();
    this.#request();
  }

  stop(): void {
    this.#phase = 'idle';
    this.#isTold = false;
    this.#isHoldingBack = false;
    this.#buffer = [];
    this.#previous = null;
    this.#clearTimer();
  }

  /** Drops the book, for a reason found outside the sequence, and takes it anew. A handler may call it. */
  resync(reason: string): void {
    if (this.#phase === 'idle') return;
    this.#lose(reason);
  }

  /**
   * Something came that could not be read and may have been a diff of this book. The next diff
   * proves by its sequence whether one is missing; where none comes, or diffs are unchained, only a
   * snapshot can.
   */
  doubt(reason: string): void {
    if (this.#sequencer.unchained) {
      this.resync(reason);
      return;
    }
    if (this.#phase !== 'live' && this.#phase !== 'joining') return;
    if (this.#isTold) {
      this.#isTold = false;
      this.#handlers.doubted(reason);
    } else if (this.#phase === 'live') return; // doubted already
    this.#arm(QUIET_MS, () => this.#lose(reason));
  }

  onDiff(diff: Diff): void {
    if (this.#phase === 'idle') return;
    const previous = this.#previous;
    const order = previous === null ? 'next' : this.#sequencer.follows(previous, diff);
    if (order === 'old') return;
    this.#previous = diff;
    if (order === 'gap') {
      this.#handlers.gap();
      this.#bridge(
        diff,
        `sequence gap: ${this.#sequencer.describe(diff)} after ${this.#sequencer.describe(previous!)}`,
      );
      return;
    }
    if (previous !== null) this.#handlers.link();
    this.#take(diff);
  }

  /**
   * What `applySnapshot` throws passes through, and the snapshot counts as not had.
   * @param isFresh whether it was taken while the stream was subscribed: quiet can prove no other one whole
   */
  onSnapshot(snapshot: Snapshot, isFresh = true): void {
    this.#requested = false;
    if (this.#phase !== 'buffering') return;
    if (this.#isTooOld(snapshot)) {
      this.#retry();
      return;
    }
    const buffer = this.#buffer;
    this.#buffer = [];
    this.#snapshotId = snapshot.id;
    this.#aheadSinceMs = null;
    this.#phase = 'joining';
    try {
      this.#handlers.applySnapshot(snapshot);
    } catch (error) {
      this.#buffer = buffer;
      this.#phase = 'buffering';
      throw error;
    }
    if (!this.#is('joining')) return;
    this.#isCatchingUp = true;
    for (const diff of buffer) this.#take(diff);
    this.#isCatchingUp = false;
    if (this.#is('live')) this.#tellLive();
    if (!this.#is('joining')) return;
    if (this.#previous !== null && this.#sequencer.matches(snapshot.id, this.#previous)) this.#goLive();
    else if (isFresh) this.#awaitQuiet();
    else this.#arm(AHEAD_MS, () => this.#lose('no update has followed an old snapshot'));
  }

  /** The snapshot could not be had. */
  onSnapshotFailed(waitMs: number | null): void {
    this.#requested = false;
    if (this.#phase === 'buffering') this.#retry(waitMs);
  }

  /** Whether the snapshot lacks diffs that have come, but are no longer held. */
  #isTooOld({ id }: Snapshot): boolean {
    const first = this.#buffer[0];
    const { unchained } = this.#sequencer;
    if (unchained)
      return first === undefined
        ? this.#requestedAtMs < this.#begunAtMs + unchained.lagMs
        : !unchained.reaches(id, first);
    if (first !== undefined) return this.#sequencer.joins(id, first) === 'gap';
    const previous = this.#previous;
    if (previous === null) return false;
    return this.#sequencer.joins(id, previous) !== 'old' && !this.#sequencer.matches(id, previous);
  }

  /** Read through a method, because handlers may change the phase. */
  #is(phase: 'buffering' | 'joining' | 'live'): boolean {
    return this.#phase === phase;
  }

  /** A diff in sequence with the one before. */
  #take(diff: Diff): void {
    if (this.#is('live')) {
      this.#handlers.applyDiff(diff);
      if (this.#is('live')) this.#tellLive();
    } else if (this.#is('joining')) this.#join(diff);
    else this.#push(diff);
  }

  #join(diff: Diff): void {
    const place = this.#sequencer.joins(this.#snapshotId, diff);
    if (place === 'old') {
      this.#onOld(diff);
      return;
    }
    if (place === 'gap') {
      this.#handlers.gap();
      this.#lose(`sequence gap: ${this.#sequencer.describe(diff)} after snapshot ${this.#snapshotId}`);
      this.#push(diff);
      return;
    }
    this.#follow(diff);
  }

  /** A diff that the snapshot has already: the stream has yet to come up to it, and is not quiet. */
  #onOld(diff: Diff): void {
    if (this.#isCatchingUp) return;
    const now = this.#clock.now();
    this.#aheadSinceMs ??= now;
    if (now - this.#aheadSinceMs > AHEAD_MS)
      this.#lose(`${this.#sequencer.describe(diff)} still comes before snapshot ${this.#snapshotId}`);
    else if (!this.#isTold && this.#isQuietAwaited) this.#awaitQuiet();
  }

  #awaitQuiet(): void {
    this.#arm(QUIET_MS, () => this.#tellLive());
    this.#isQuietAwaited = true;
  }

  /** A diff after a gap on the wire, which harms only where no snapshot covers it. */
  #bridge(diff: Diff, reason: string): void {
    if (this.#is('joining')) {
      const place = this.#sequencer.joins(this.#snapshotId, diff);
      if (place === 'old') {
        this.#onOld(diff);
        return;
      }
      if (place === 'joins') {
        this.#follow(diff);
        return;
      }
    }
    if (this.#is('buffering')) this.#buffer = [];
    else this.#lose(reason);
    this.#push(diff);
  }

  /** The first diff after the snapshot. */
  #follow(diff: Diff): void {
    this.#handlers.applyDiff(diff);
    if (this.#is('joining')) this.#goLive();
  }

  #goLive(): void {
    this.#phase = 'live';
    this.#tellLive();
  }

  /** After quiet alone the phase stays `joining`: the first diff has still to fit the snapshot. */
  #tellLive(): void {
    if (this.#isTold || this.#isCatchingUp) return;
    this.#clearTimer();
    this.#liveSinceMs ??= this.#clock.now();
    this.#isTold = true;
    this.#handlers.live();
  }

  #lose(reason: string): void {
    const now = this.#clock.now();
    if (this.#liveSinceMs !== null && now - this.#liveSinceMs >= STABLE_AFTER_MS) this.#losses = 0;
    this.#losses += 1;
    this.#attempt = 0;
    this.#liveSinceMs = null;
    this.#clearTimer();
    this.#phase = 'buffering';
    this.#isTold = false;
    this.#buffer = [];
    this.#begunAtMs = now;
    this.#handlers.lost(reason);
    if (!this.#is('buffering') || this.#requested) return;
    // One that is lost again and again is not asked for each time at once.
    if (this.#losses <= FREE_LOSSES) this.#request();
    else
      this.#arm(Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (this.#losses - FREE_LOSSES)), () =>
        this.#request(),
      );
  }

  #push(diff: Diff): void {
    if (this.#buffer.length >= MAX_BUFFERED_DIFFS) this.#buffer = [];
    this.#buffer.push(diff);
    if (this.#isHoldingBack && this.#buffer.length >= this.#sequencer.unchained!.minDiffs) this.#ask();
  }

  #request(): void {
    if (this.#requested) return;
    const { unchained } = this.#sequencer;
    const waitMs = unchained ? this.#begunAtMs + unchained.lagMs - this.#clock.now() : 0;
    if (unchained && waitMs > 0 && this.#buffer.length < unchained.minDiffs) {
      this.#isHoldingBack = true;
      this.#arm(waitMs, () => this.#ask());
    } else this.#ask();
  }

  #ask(): void {
    this.#isHoldingBack = false;
    this.#clearTimer();
    this.#requested = true;
    this.#requestedAtMs = this.#clock.now();
    this.#handlers.requestSnapshot();
  }

  #retry(waitMs: number | null = null): void {
    const delayMs = waitMs ?? Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    this.#arm(delayMs, () => this.#request());
  }

  #arm(delayMs: number, task: () => void): void {
    this.#clearTimer();
    this.#isQuietAwaited = false;
    this.#timer = this.#clock.at(this.#clock.now() + delayMs, task);
  }

  #clearTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
