import { DepthwireError, type EpochMs, type Timer } from '@depthwire/shared';
import type { BookCheck, InstrumentOutlet, LevelUpdate } from './instrument-outlet.ts';
import type { Session, SessionBook } from './session.ts';

/** Wait for the first snapshot of a connection: the requests of many symbols are paced. */
const SUBSCRIBE_WAIT_MS = 30_000;
/** Wait for a snapshot that was asked for anew. */
const SNAPSHOT_WAIT_MS = 10_000;
/** How long an unreadable frame may stay unexplained. */
const PROOF_WAIT_MS = 5_000;
/** Wait before a book is asked for again, doubled each time; the first time there is none. */
const RETRY_BASE_MS = 1_000;
/** Failed tries with one book after which the whole connection is made anew, once. */
const MAX_ATTEMPTS = 3;
/** Longest wait before a book is asked for again that another connection did not cure. */
const SLOW_MAX_MS = 600_000;
/** A book that stayed live this long starts its tries anew. */
const STABLE_AFTER_MS = 30_000;
/** Wait before a book that the venue refused is asked for again. */
const REFUSED_WAIT_MS = 60_000;

/**
 * A book whose venue sends the snapshot on the stream itself, after each subscription. Its
 * protocol checks sequence or checksum; on trouble this book alone is subscribed anew, later each
 * time, and the connection only after repeated failure.
 */
export class StreamBook implements SessionBook {
  readonly outlet: InstrumentOutlet;
  readonly #session: Session<StreamBook>;
  readonly #resubscribe: (symbol: string) => readonly string[];
  #phase: 'idle' | 'waiting' | 'following' = 'idle';
  /** Whether `live` is what was told last. */
  #isLive = false;
  #isDoubted = false;
  #attempt = 0;
  /** Whether another connection was tried for this book since it was last stable. */
  #hasReconnected = false;
  /** Tries since then. */
  #slowAttempt = 0;
  #liveSinceMs: EpochMs | null = null;
  #timer: Timer | null = null;

  /** @param resubscribe requests that make the venue send one symbol's snapshot again */
  constructor(
    outlet: InstrumentOutlet,
    session: Session<StreamBook>,
    resubscribe: (symbol: string) => readonly string[],
  ) {
    this.outlet = outlet;
    this.#session = session;
    this.#resubscribe = resubscribe;
  }

  /** Whether a snapshot is there that updates can follow; without one they are of no use. */
  get isFollowing(): boolean {
    return this.#phase === 'following';
  }

  opened(): void {
    this.#phase = 'waiting';
    this.#isLive = this.#isDoubted = false;
    this.#attempt = 0;
    this.#arm(SUBSCRIBE_WAIT_MS, () => this.#request('no snapshot came'));
  }

  closed(): boolean {
    const wasLive = this.#isLive;
    this.#phase = 'idle';
    this.#isLive = this.#isDoubted = false;
    this.#timer?.cancel();
    return wasLive;
  }

  /**
   * Replaces the book, which is live from here on.
   * @param check why the book is wrong with these levels in it, by the venue's checksum; null where it is right
   * @returns whether it was taken
   */
  snapshot(update: LevelUpdate, check?: BookCheck): boolean {
    if (this.#phase === 'idle') return false;
    if (!this.#try(() => this.outlet.snapshot(update, check), check !== undefined)) return false;
    this.#phase = 'following';
    this.#tellLive();
    return true;
  }

  /**
   * Applies an update that the protocol found in sequence; one that cannot be applied loses the book.
   * @param check as of `snapshot`
   * @returns whether it was taken
   */
  delta(update: LevelUpdate, check?: BookCheck): boolean {
    return this.isFollowing && this.#try(() => this.outlet.delta(update, check), check !== undefined);
  }

  /** Holds the book against a checksum that came by itself. @returns whether it is right; if not, it is lost */
  verify(check: BookCheck): boolean {
    return this.isFollowing && this.#try(() => this.outlet.verify(check), true);
  }

  /** The update at hand follows the one before: nothing is missing. */
  link(): void {
    this.#session.stats.links += 1;
    this.prove();
  }

  /** Something is missing before the update at hand. */
  gap(reason: string): void {
    this.#session.stats.gaps += 1;
    this.#lose(reason);
  }

  resync(reason: string): void {
    if (this.isFollowing) this.#lose(reason);
  }

  doubt(reason: string): void {
    if (!this.isFollowing || this.#isDoubted) return;
    this.#isDoubted = true;
    this.#isLive = false;
    this.outlet.state('recovering', reason);
    this.#arm(PROOF_WAIT_MS, () => this.#lose(reason));
  }

  /** What came since shows that no update is missing. */
  prove(): void {
    if (this.#isDoubted) this.#tellLive();
  }

  refused(reason: string): void {
    if (this.isFollowing) return; // what was asked once more flows already
    this.suspend(`the venue refused the subscription: ${reason}`, REFUSED_WAIT_MS);
  }

  /** The book is not to be had for a while: unless its snapshot comes by itself, it is asked for then. */
  suspend(reason: string, waitMs: number): void {
    if (this.#phase === 'idle') return;
    if (this.#isLive || this.#isDoubted) this.#session.stats.resyncs += 1;
    this.#phase = 'waiting';
    this.#isLive = this.#isDoubted = false;
    this.#attempt = 0; // one symbol that the venue does not send must not cost the others their connection
    this.outlet.state('recovering', reason);
    this.#arm(waitMs, () => this.#request(reason));
  }

  /** @returns whether the levels were taken; if not, the book is lost */
  #try(take: () => void, isChecked: boolean): boolean {
    const { stats } = this.#session;
    try {
      take();
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      if (error.code === 'checksum_mismatch') stats.checksumsBad += 1;
      else stats.malformed += 1;
      this.#lose(`${error.code}: ${error.message}`);
      return false;
    }
    if (isChecked) {
      stats.checksumsOk += 1;
      this.prove();
    }
    return true;
  }

  #tellLive(): void {
    this.#timer?.cancel();
    this.#isDoubted = false;
    if (this.#isLive) return;
    this.#isLive = true;
    this.#liveSinceMs = this.#session.io.clock.now();
    this.outlet.state('live', null);
  }

  #lose(reason: string): void {
    const { io, stats } = this.#session;
    if (this.#isLive || this.#isDoubted) stats.resyncs += 1;
    if (this.#liveSinceMs !== null && io.clock.now() - this.#liveSinceMs >= STABLE_AFTER_MS) {
      this.#attempt = this.#slowAttempt = 0;
      this.#hasReconnected = false;
    }
    this.#phase = 'waiting';
    this.#isLive = this.#isDoubted = false;
    this.#liveSinceMs = null;
    io.log.warn({ instrument: this.outlet.instrument.id, reason }, 'book lost, resyncing');
    this.outlet.state('recovering', reason);
    this.#request(reason);
  }

  #request(reason: string): void {
    const { io } = this.#session;
    const { id, symbol } = this.outlet.instrument;
    const isTrading = this.outlet.listed.status === 'trading';
    const ask = () => {
      this.#arm(SNAPSHOT_WAIT_MS, () => this.#request('no snapshot came'));
      for (const request of this.#resubscribe(symbol)) io.send(request);
    };
    if (this.#attempt < MAX_ATTEMPTS) {
      const delayMs = this.#attempt === 0 ? 0 : RETRY_BASE_MS * 2 ** (this.#attempt - 1);
      this.#attempt += 1;
      if (delayMs === 0) ask();
      else this.#arm(delayMs, ask);
    } else if (this.#hasReconnected || !isTrading) {
      // What no other connection cures is this book's alone: the others keep theirs.
      this.#arm(Math.min(SLOW_MAX_MS, REFUSED_WAIT_MS * 2 ** this.#slowAttempt), ask);
      this.#slowAttempt += 1;
    } else {
      this.#attempt = 0;
      this.#hasReconnected = true;
      this.#arm(SNAPSHOT_WAIT_MS, () => this.#request(reason));
      io.reconnect(`${id} failed ${MAX_ATTEMPTS} times, lastly: ${reason}`);
    }
  }

  #arm(delayMs: number, task: () => void): void {
    const { clock } = this.#session.io;
    this.#timer?.cancel();
    this.#timer = clock.at(clock.now() + delayMs, task);
  }
}
