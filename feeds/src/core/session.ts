import { DepthwireError, type EpochMs, type Instrument, type InstrumentId } from '@depthwire/shared';
import { InstrumentOutlet, type OutletOptions } from './instrument-outlet.ts';
import { emptyStats, type SessionStats } from './session-stats.ts';
import { type SessionIo, type SessionOptions, type VenueSession } from './venue.ts';

/** One instrument's book within a session: a `StreamBook` or a `JoinedBook`. */
export interface SessionBook {
  readonly outlet: InstrumentOutlet;
  /** A connection is open. @param isSubscribed whether its streams are known to flow */
  opened(isSubscribed: boolean): void;
  /** The connection is gone. @returns whether the book was live */
  closed(): boolean;
  /** Takes the book anew. */
  resync(reason: string): void;
  /** A message that could not be read may have been of this book. */
  doubt(reason: string): void;
  /** The venue refused to send this book. */
  refused(reason: string): void;
}

/** What a venue's session has to say for itself; `Session` does the rest. */
export interface Protocol<Book extends SessionBook> {
  createBook(outlet: InstrumentOutlet): Book;
  /** How each instrument's outlet is made. */
  readonly outlet?: OutletOptions;
  /** Requests that subscribe these symbols on a new connection, in the order to send them. */
  subscribe(symbols: readonly string[]): readonly string[];
  /**
   * Takes one frame.
   * @throws DepthwireError where it cannot be read: it counts as malformed, and the books it may
   *   have been of are in doubt
   */
  onFrame(text: string, receiveTimeMs: EpochMs): void;
  /** Symbols whose book a frame that cannot be read may have changed; null for any of them. */
  concerned(text: string): readonly string[] | null;
  /**
   * A new connection: nothing that belonged to the one before counts any more.
   * @param isSubscribed whether somebody else has subscribed, as in a recording: the answers are to their requests
   */
  opened?(isSubscribed: boolean): void;
  /** The connection is gone, or the session is over: timers of the protocol are cancelled. */
  closed?(): void;
  /** See `VenueSession.ended`. */
  ended?(): void;
}

/**
 * A venue's session but for its protocol: instruments by venue symbol, counters, the life of a
 * connection, and what becomes of frames that cannot be read.
 */
export class Session<Book extends SessionBook> implements VenueSession {
  readonly stats: SessionStats = emptyStats();
  readonly io: SessionIo;
  /** By venue symbol. */
  readonly books: ReadonlyMap<string, Book>;
  readonly #protocol: Protocol<Book>;
  readonly #market: string;
  /** Why the connection before was lost. */
  #lostBecause: string | null = null;
  #isDisposed = false;

  constructor(
    { market, instruments, io }: SessionOptions,
    createProtocol: (session: Session<Book>) => Protocol<Book>,
  ) {
    this.io = {
      ...io,
      emit: (event) => {
        if (!this.#isDisposed) io.emit(event);
      },
    };
    this.#market = market;
    const books = new Map<string, Book>();
    this.books = books;
    this.#protocol = createProtocol(this);
    for (const instrument of instruments) {
      const outlet = new InstrumentOutlet(instrument, this.io, this.stats, this.#protocol.outlet);
      books.set(instrument.symbol, this.#protocol.createBook(outlet));
    }
  }

  onOpen(isSubscribed = false): void {
    this.#protocol.opened?.(isSubscribed);
    for (const book of this.books.values()) {
      book.outlet.state('syncing', this.#lostBecause);
      book.opened(isSubscribed);
    }
    for (const request of this.#protocol.subscribe([...this.books.keys()])) this.io.send(request);
  }

  onFrame(text: string, receiveTimeMs: EpochMs): void {
    if (this.#isDisposed) return;
    this.stats.frames += 1;
    try {
      this.#protocol.onFrame(text, receiveTimeMs);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      this.stats.malformed += 1;
      const { code, message } = error;
      this.io.log.warn({ market: this.#market, code, reason: message }, 'frame skipped');
      for (const book of this.#concerned(text)) book.doubt(`${code}: ${message}`);
    }
  }

  onClose(reason: string): void {
    this.#lostBecause = reason;
    this.#protocol.closed?.();
    for (const book of this.books.values()) {
      if (book.closed()) this.stats.resyncs += 1;
      book.outlet.state('recovering', reason);
    }
  }

  resync(instrument: InstrumentId, reason: string): void {
    for (const book of this.books.values()) {
      if (book.outlet.instrument.id === instrument) book.resync(reason);
    }
  }

  update(instrument: Instrument): void {
    const book = this.books.get(instrument.symbol);
    const reason = book?.outlet.update(instrument);
    if (book && typeof reason === 'string') book.resync(reason);
  }

  /** Every book of this connection is in doubt or lost: what one of them missed cannot be told. */
  loseAll(reason: string): void {
    for (const book of this.books.values()) book.resync(reason);
  }

  ended(): void {
    this.#protocol.ended?.();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#protocol.closed?.();
    for (const book of this.books.values()) book.closed();
  }

  /** What a frame still tells of itself decides; a frame of a symbol that is not ours may be of any. */
  #concerned(text: string): Iterable<Book> {
    const symbols = this.#protocol.concerned(text);
    if (symbols === null || symbols.some((symbol) => !this.books.has(symbol))) return this.books.values();
    return symbols.map((symbol) => this.books.get(symbol)!);
  }
}
