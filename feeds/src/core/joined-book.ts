import { DepthwireError, type EpochMs } from '@depthwire/shared';
import { BookSync, type Sequencer } from './book-sync.ts';
import type { FlatUpdate, InstrumentOutlet, LevelUpdate } from './instrument-outlet.ts';
import type { PriceLevel } from './levels.ts';
import type { Session, SessionBook } from './session.ts';
import type { HttpResponse } from './venue.ts';

/** A depth snapshot as the venue's REST interface gives it. */
export interface RestSnapshot {
  /** What the sequence rule compares diffs with. */
  readonly id: number;
  readonly timeMs: number | null;
  readonly bids: readonly PriceLevel[];
  readonly asks: readonly PriceLevel[];
}

export interface JoinedBookOptions<Diff> {
  readonly sequencer: Sequencer<Diff>;
  snapshotUrl(symbol: string): string;
  /** Least time from a snapshot to the venue's next HTTP request, milliseconds. Default: as of any request. */
  readonly snapshotSpacingMs?: number;
  /** @throws DepthwireError */
  parseSnapshot(body: string): RestSnapshot;
  levelsOf(diff: Diff): Omit<LevelUpdate, 'receiveTimeMs'>;
  /** The same levels in ticks and lots, where the frame was read straight into them. */
  flatOf?(diff: Diff): FlatUpdate | undefined;
}

/** A book whose stream brings changes only, and whose snapshot is fetched over HTTP. */
export class JoinedBook<Diff> implements SessionBook {
  readonly outlet: InstrumentOutlet;
  readonly #session: Session<JoinedBook<Diff>>;
  readonly #options: JoinedBookOptions<Diff>;
  readonly #sync: BookSync<Diff, RestSnapshot>;
  /** Receive time of the frame being worked on. */
  #receiveTimeMs: EpochMs;
  #wasLive = false;
  #isSuspect = false;
  #joinCount = 0;
  #isOpen = false;
  /** A recording may hold snapshots from before. */
  #openedAtMs = 0;
  /** Whether the streams are known to flow: a snapshot taken before could miss what came between. */
  #isSubscribed = false;
  /** Which connection this is, so that answers asked for on an earlier one are not taken. */
  #connection = 0;

  constructor(
    outlet: InstrumentOutlet,
    session: Session<JoinedBook<Diff>>,
    options: JoinedBookOptions<Diff>,
  ) {
    const { io, stats } = session;
    this.outlet = outlet;
    this.#session = session;
    this.#options = options;
    this.#receiveTimeMs = io.clock.now();
    this.#sync = new BookSync<Diff, RestSnapshot>(options.sequencer, io.clock, {
      requestSnapshot: () => this.#requestSnapshot(),
      applySnapshot: ({ bids, asks, timeMs }) =>
        outlet.snapshot({ bids, asks, venueTimeMs: timeMs, receiveTimeMs: this.#receiveTimeMs }),
      applyDiff: (diff) => this.#applyDiff(diff),
      live: () => {
        this.#wasLive = true;
        this.#isSuspect = false;
        this.#joinCount += 1;
        outlet.state('live', null);
      },
      doubted: (reason) => outlet.state('recovering', reason),
      lost: (reason) => {
        if (this.#wasLive) stats.resyncs += 1;
        this.#wasLive = false;
        io.log.warn({ instrument: outlet.instrument.id, reason }, 'book lost, resyncing');
        outlet.state('recovering', reason);
      },
      link: () => (stats.links += 1),
      gap: () => (stats.gaps += 1),
    });
  }

  /** Whether the book was told to be live since it was last lost. */
  get isJoined(): boolean {
    return this.#wasLive;
  }

  /** Whether it is kept, but not live, because of `suspect`. */
  get isSuspect(): boolean {
    return this.#wasLive && this.#isSuspect;
  }

  /** Whether the venue is known to send this book's diffs. */
  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  /** How often the book was joined to a snapshot. */
  get joinCount(): number {
    return this.#joinCount;
  }

  opened(isSubscribed: boolean): void {
    this.#openedAtMs = this.#session.io.clock.now();
    this.#connection += 1;
    this.#isOpen = true;
    this.#isSubscribed = false;
    if (isSubscribed) this.subscribed();
  }

  closed(): boolean {
    const wasLive = this.#wasLive;
    this.#isOpen = false;
    this.#wasLive = false;
    this.#sync.stop();
    return wasLive;
  }

  /** The venue has begun to send this book's diffs. */
  subscribed(): void {
    if (this.#isSubscribed || !this.#isOpen) return;
    this.#isSubscribed = true;
    this.#sync.start();
  }

  diff(diff: Diff, receiveTimeMs: EpochMs): void {
    this.subscribed();
    this.#receiveTimeMs = receiveTimeMs;
    this.#sync.onDiff(diff);
  }

  resync(reason: string): void {
    this.#sync.resync(reason);
  }

  /** Something else than the sequence makes the book doubtful: it is kept, but not live before `trust`. */
  suspect(reason: string): void {
    if (!this.#wasLive || this.#isSuspect) return;
    this.#isSuspect = true;
    this.outlet.state('recovering', reason);
  }

  /** The suspicion was wrong. */
  trust(): void {
    if (!this.#wasLive || !this.#isSuspect) return;
    this.#isSuspect = false;
    this.outlet.state('live', null);
  }

  /** Something else than the sequence of the diffs tells that one is missing. */
  gap(reason: string): void {
    this.#session.stats.gaps += 1;
    this.resync(reason);
  }

  doubt(reason: string): void {
    this.#sync.doubt(reason);
  }

  refused(reason: string): void {
    if (this.#isSubscribed) return; // what was asked once more flows already
    this.outlet.state('recovering', `the venue refused the subscription: ${reason}`);
  }

  #requestSnapshot(): void {
    const asked = this.#connection;
    const { snapshotUrl, snapshotSpacingMs } = this.#options;
    this.#session.io.get(
      snapshotUrl(this.outlet.instrument.symbol),
      (result) => {
        if (this.#isOpen && asked === this.#connection) this.#onSnapshotResult(result);
      },
      snapshotSpacingMs,
    );
  }

  #onSnapshotResult(result: HttpResponse | DepthwireError): void {
    const { io, stats } = this.#session;
    const instrument = this.outlet.instrument.id;
    if (result instanceof DepthwireError || result.status !== 200) {
      const reason = result instanceof DepthwireError ? result.message : `HTTP ${result.status}`;
      io.log.warn({ instrument, reason }, 'no snapshot');
      this.#sync.onSnapshotFailed(result instanceof DepthwireError ? null : result.retryAfterMs);
      return;
    }
    this.#receiveTimeMs = result.receiveTimeMs;
    try {
      this.#sync.onSnapshot(
        this.#options.parseSnapshot(result.body),
        result.receiveTimeMs >= this.#openedAtMs,
      );
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      stats.malformed += 1;
      io.log.warn({ instrument, code: error.code, reason: error.message }, 'unusable snapshot');
      this.#sync.onSnapshotFailed(null);
    }
  }

  #applyDiff(diff: Diff): void {
    try {
      const { outlet } = this;
      const flat = this.#options.flatOf?.(diff);
      if (flat && outlet.isOnGrid(flat)) outlet.flatDelta(flat, this.#receiveTimeMs);
      else outlet.delta({ ...this.#options.levelsOf(diff), receiveTimeMs: this.#receiveTimeMs });
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      this.#session.stats.malformed += 1;
      this.#sync.resync(`${error.code}: ${error.message}`);
    }
  }
}
