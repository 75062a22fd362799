import type { Clock, Instrument, InstrumentId, Timer } from '@depthwire/shared';
import type { BookRelay, RelaySource } from './book-relay.ts';
import { VenueConnection } from './connection.ts';
import type { FeedLog } from './feed.ts';
import { guardCallback, guardSession } from './guarded-session.ts';
import type { HttpQueue } from './http.ts';
import { PacedSender } from './paced-sender.ts';
import { emptyStats, sumStats, type SessionStats } from './session-stats.ts';
import type { Endpoints, VenueAdapter, VenueSession } from './venue.ts';
import type { WireTap } from './wire-tap.ts';

/** A replacing connection that has taken over no other book for so long is given up. */
const TAKEOVER_MS = 180_000;
/** Wait after that before another one is tried. */
const RETRY_MS = 60_000;

export interface VenueLinkOptions {
  readonly adapter: VenueAdapter;
  readonly market: string;
  readonly endpoints: Endpoints;
  /** At most as many as one connection may carry. */
  readonly instruments: readonly Instrument[];
  readonly relay: BookRelay;
  readonly http: HttpQueue;
  readonly clock: Clock;
  readonly log: FeedLog;
  readonly random: () => number;
  /** Least time between two frames sent, milliseconds. Default: the venue's. */
  readonly sendSpacingMs?: number;
  /** Least time between two HTTP requests, whatever they cost, milliseconds. Default: as the session says. */
  readonly httpSpacingMs?: number;
  readonly tap?: WireTap;
  /** Told what the adapter throws that is none of the errors it may throw. */
  fail(error: unknown): void;
}

/** One connection, with its session and its way to the engine. */
interface Line {
  readonly session: VenueSession;
  readonly connection: VenueConnection;
  readonly sender: PacedSender;
  readonly source: RelaySource;
  /** Instruments that are heard from it. */
  readonly taken: Set<InstrumentId>;
}

/**
 * The instruments of one connection, through all the connections that serve them one after the
 * other. Before a planned end another connection is opened and takes over book by book, so that
 * none is ever without; after an unplanned one the connection is opened again.
 */
export class VenueLink {
  readonly #options: VenueLinkOptions;
  /** As the venue lists them now. */
  #instruments: readonly Instrument[];
  #line: Line;
  #next: Line | null = null;
  #ageTimer: Timer | null = null;
  #takeoverTimer: Timer | null = null;
  #isClosed = false;
  /** Connections that ended without being replaced first, since the start. */
  reconnects = 0;
  /** What sessions counted that are gone. */
  #past = emptyStats();

  constructor(options: VenueLinkOptions) {
    this.#options = options;
    this.#instruments = options.instruments;
    this.#line = this.#open();
  }

  resync(instrument: InstrumentId, reason: string): void {
    const line = this.#next?.taken.has(instrument) ? this.#next : this.#line;
    line.session.resync(instrument, reason);
  }

  update(instrument: Instrument): void {
    this.#instruments = this.#instruments.map((known) => (known.id === instrument.id ? instrument : known));
    this.#line.session.update(instrument);
    this.#next?.session.update(instrument);
  }

  stats(): readonly SessionStats[] {
    const next = this.#next ? [this.#next.session.stats] : [];
    return [this.#past, this.#line.session.stats, ...next];
  }

  close(): void {
    this.#isClosed = true;
    this.#ageTimer?.cancel();
    this.#takeoverTimer?.cancel();
    for (const line of [this.#line, this.#next]) if (line) this.#end(line);
    this.#next = null;
  }

  /** Opens a second connection, which takes over; unless one is on its way already. */
  replace(reason: string): void {
    if (this.#next || this.#isClosed) return;
    const { log, adapter, market } = this.#options;
    log.info({ venue: adapter.venue, market, reason }, 'replacing the connection');
    this.#next = this.#open();
    this.#awaitTakeover();
  }

  #awaitTakeover(): void {
    const { clock } = this.#options;
    this.#takeoverTimer?.cancel();
    this.#takeoverTimer = clock.at(clock.now() + TAKEOVER_MS, () =>
      this.#giveUpNext('it did not take over in time'),
    );
  }

  #open(): Line {
    const { adapter, market, endpoints, relay, http, clock, log, random } = this.#options;
    const instruments = this.#instruments;
    const taken = new Set<InstrumentId>();
    const source = relay.open(instruments, (instrument) => {
      taken.add(instrument);
      if (this.#next !== line) return;
      if (taken.size === instruments.length) this.#promote();
      else this.#awaitTakeover();
    });
    const { fail } = this.#options;
    const created = adapter.createSession({
      market,
      endpoints,
      instruments,
      io: {
        clock,
        log,
        emit: source.emit,
        send: (text) => line.sender.send(text),
        get: (url, callback, spacingMs) =>
          http.get(url, guardCallback(callback, fail), this.#options.httpSpacingMs ?? spacingMs),
        replaceConnection: (reason) => {
          if (this.#line === line) this.replace(reason);
        },
        reconnect: (reason) => connection.reset(reason),
      },
    });
    const session = guardSession(created, fail);
    const connection = new VenueConnection({
      url: adapter.socketUrl(market, endpoints),
      clock,
      log,
      random,
      silenceMs: adapter.limits.silenceMs,
      tap: this.#options.tap,
      onOpen: () => {
        if (this.#line === line) this.#watchAge();
        session.onOpen();
      },
      onText: (text, receiveTimeMs) => session.onFrame(text, receiveTimeMs),
      onClose: (reason) => {
        line.sender.clear();
        session.onClose(reason);
        if (this.#next === line) this.#giveUpNext(reason);
        else if (this.#line === line) this.#onLost();
      },
    });
    const sender = new PacedSender(
      clock,
      this.#options.sendSpacingMs ?? adapter.limits.sendSpacingMs,
      (text) => connection.send(text),
    );
    const line: Line = { session, connection, sender, source, taken };
    connection.open();
    return line;
  }

  #onLost(): void {
    this.reconnects += 1;
    // What the next connection has is newer than what this one will have once it is back.
    if (this.#next) this.#promote();
  }

  /** Makes the next connection the only one. */
  #promote(): void {
    const old = this.#line;
    this.#line = this.#next!;
    this.#next = null;
    this.#takeoverTimer?.cancel();
    this.#watchAge();
    this.#end(old);
  }

  #giveUpNext(reason: string): void {
    const next = this.#next;
    if (!next) return;
    const { clock, log, adapter, market } = this.#options;
    this.#next = null;
    this.#takeoverTimer?.cancel();
    log.warn({ venue: adapter.venue, market, reason }, 'the replacing connection was given up');
    this.#end(next);
    for (const instrument of next.taken)
      this.#line.session.resync(instrument, `the connection that had taken over was lost: ${reason}`);
    this.#ageTimer?.cancel();
    this.#ageTimer = clock.at(clock.now() + RETRY_MS, () => this.replace('trying again'));
  }

  #watchAge(): void {
    const { adapter, clock } = this.#options;
    this.#ageTimer?.cancel();
    const { maxAgeMs } = adapter.limits;
    if (maxAgeMs === null) return;
    this.#ageTimer = clock.at(clock.now() + maxAgeMs, () =>
      this.replace(
        `the venue ends connections of a certain age, this one has lived ${maxAgeMs / 60_000} min`,
      ),
    );
  }

  #end(line: Line): void {
    line.connection.close();
    line.sender.clear();
    line.session.dispose();
    this.#past = sumStats(this.#past, line.session.stats);
    line.source.close();
  }
}
