import {
  OrderBook,
  type BookDeltaEvent,
  type BookSnapshotEvent,
  type BookState,
  type BookStatusEvent,
  type Clock,
  type FeedEvent,
  type Instrument,
  type InstrumentId,
  type Timer,
  type TradeEvent,
} from '@depthwire/shared';

/** Trades of an instrument whose ids are remembered, to tell those that two connections bring. */
const MAX_TRADE_IDS = 512;

/**
 * Where two connections stand at the same millisecond and nobody can tell which of them has more of it, the later one
 * takes over when neither has brought anything for so long.
 */
const STILL_MS = 1_000;

/** How far a flow of updates has come, by the venue's clock. */
interface Place {
  /** Null before the first update, and where the venue gives no time. */
  readonly timeMs: number | null;
  /** Updates of that millisecond; null where a snapshot may stand for some of them. */
  readonly count: number | null;
}

const NOWHERE: Place = { timeMs: null, count: null };

function placeAfter(before: Place, { type, venueTimeMs: timeMs }: BookSnapshotEvent | BookDeltaEvent): Place {
  if (timeMs === null) return before;
  if (type === 'book-snapshot') return { timeMs, count: null };
  if (timeMs !== before.timeMs) return { timeMs, count: before.timeMs === null ? null : 1 };
  return { timeMs, count: before.count === null ? null : before.count + 1 };
}

/** What a source that is not heard holds of an instrument, until it may take over. */
interface Held {
  readonly book: OrderBook;
  hasBook: boolean;
  state: BookState;
  reason: string | null;
  newest: BookSnapshotEvent | BookDeltaEvent | null;
  place: Place;
  /** When nothing has come for a while; null while nothing is waited for. */
  still: Timer | null;
}

interface Heard {
  source: RelaySource;
  isLive: boolean;
  place: Place;
}

/**
 * When a later connection takes a book over: `early` as soon as its own is live and has all that
 * was heard, because the one before is about to end; `late` only where what was heard is not live.
 */
export type Takeover = 'early' | 'late';

/**
 * Makes one flow of events out of several connections that bring the same instruments. Of each
 * book one connection is heard at a time; a later one takes over with a snapshot. Trades pass once,
 * whoever brings them first.
 */
export class BookRelay {
  readonly #clock: Clock;
  readonly #emit: (event: FeedEvent) => void;
  readonly #takeover: Takeover;
  readonly #sources: RelaySource[] = [];
  readonly #heard = new Map<InstrumentId, Heard>();
  /** As they were last told: levels of a source that counts in other ticks would be misread. */
  readonly #told = new Map<InstrumentId, Instrument>();
  readonly #tradeIds = new Map<InstrumentId, RecentIds>();

  constructor(clock: Clock, emit: (event: FeedEvent) => void, takeover: Takeover = 'early') {
    this.#clock = clock;
    this.#emit = emit;
    this.#takeover = takeover;
  }

  /**
   * @param instruments as the source's session begins with; those of the first source were told already
   * @param onTakeover called for each instrument that is heard from this source from then on
   */
  open(
    instruments: readonly Instrument[],
    onTakeover: (instrument: InstrumentId) => void = () => {},
  ): RelaySource {
    const byId = new Map(instruments.map((instrument) => [instrument.id, instrument]));
    for (const [id, instrument] of byId) if (!this.#told.has(id)) this.#told.set(id, instrument);
    const source: RelaySource = new RelaySource(
      byId,
      (event) => this.#take(source, event),
      () => this.#close(source),
      (instrument, reason) => this.#endBook(source, instrument, reason),
      onTakeover,
    );
    this.#sources.push(source);
    return source;
  }

  #take(source: RelaySource, event: FeedEvent): void {
    if (!source.isOpen || source.hasEnded(event)) return;
    switch (event.type) {
      case 'trade':
        if (this.#isNewTrade(event)) this.#emit(event);
        return;
      case 'ticker':
        this.#emit(event);
        return;
      case 'instrument':
        source.instruments.set(event.instrument.id, event.instrument);
        if (this.#isHeard(source, event.instrument.id)) this.#tell(event.instrument);
        return;
      default:
        if (this.#isHeard(source, event.instrument)) this.#pass(event);
        else if (this.#isLater(source, event.instrument)) this.#hold(source, event);
    }
  }

  #tell(instrument: Instrument): void {
    this.#told.set(instrument.id, instrument);
    this.#emit({ type: 'instrument', instrument });
  }

  #isHeard(source: RelaySource, instrument: InstrumentId): boolean {
    const heard = this.#heard.get(instrument);
    if (heard) return heard.source === source;
    this.#heard.set(instrument, { source, isLive: false, place: NOWHERE });
    source.onTakeover(instrument);
    return true;
  }

  #isLater(source: RelaySource, instrument: InstrumentId): boolean {
    return this.#sources.indexOf(source) > this.#sources.indexOf(this.#heard.get(instrument)!.source);
  }

  #pass(event: BookSnapshotEvent | BookDeltaEvent | BookStatusEvent): void {
    const heard = this.#heard.get(event.instrument)!;
    if (event.type === 'book-status') heard.isLive = event.state === 'live';
    else heard.place = placeAfter(heard.place, event);
    this.#emit(event);
  }

  #hold(source: RelaySource, event: BookSnapshotEvent | BookDeltaEvent | BookStatusEvent): void {
    const held = source.hold(event.instrument);
    switch (event.type) {
      case 'book-snapshot':
        held.book.loadSnapshot(event.bids, event.asks);
        held.hasBook = true;
        held.newest = event;
        held.place = placeAfter(held.place, event);
        break;
      case 'book-delta':
        held.book.applyDelta(event.bids, event.asks);
        held.newest = event;
        held.place = placeAfter(held.place, event);
        break;
      case 'book-status':
        held.state = event.state;
        held.reason = event.reason;
    }
    this.#consider(source, event.instrument, held);
  }

  #consider(source: RelaySource, id: InstrumentId, held: Held, areStill = false): void {
    held.still?.cancel();
    held.still = null;
    const heard = this.#heard.get(id)!;
    if (held.state !== 'live' || !held.hasBook) return;
    if (!heard.isLive) this.#takeOver(source, id);
    else if (this.#takeover === 'early') {
      const lead = leadOf(held.place, heard.place);
      if (lead === 'ahead' || (lead === 'unknown' && areStill)) this.#takeOver(source, id);
      else if (lead === 'unknown') this.#considerWhenStill(source, id, held, heard.place);
    }
  }

  #considerWhenStill(source: RelaySource, id: InstrumentId, held: Held, place: Place): void {
    held.still = this.#clock.at(this.#clock.now() + STILL_MS, () => {
      held.still = null;
      const heard = this.#heard.get(id);
      if (!source.isOpen || !source.holds(id) || !heard || heard.source === source) return;
      this.#consider(source, id, held, heard.place === place);
    });
  }

  /** @param reason for a book that is not live, unless its own source tells one */
  #takeOver(source: RelaySource, id: InstrumentId, reason: string | null = null): void {
    const held = source.release(id);
    held.still?.cancel();
    const wasLive = this.#heard.get(id)?.isLive ?? false;
    this.#heard.set(id, {
      source,
      isLive: held.state === 'live',
      place: held.place,
    });
    const instrument = source.instruments.get(id);
    if (instrument && JSON.stringify(instrument) !== JSON.stringify(this.#told.get(id)))
      this.#tell(instrument);
    if (held.hasBook && held.newest) {
      const { venueTimeMs, receiveTimeMs } = held.newest;
      this.#emit({
        type: 'book-snapshot',
        instrument: id,
        venueTimeMs,
        receiveTimeMs,
        bids: held.book.bids.toFlat(),
        asks: held.book.asks.toFlat(),
      });
    }
    if (!(wasLive && held.state === 'live')) {
      this.#emit({
        type: 'book-status',
        instrument: id,
        timeMs: this.#clock.now(),
        state: held.state,
        reason: held.reason ?? (held.state === 'live' ? null : reason),
      });
    }
    source.onTakeover(id);
  }

  /** What was heard from it is heard from the newest of the others. */
  #close(source: RelaySource): void {
    const index = this.#sources.indexOf(source);
    if (index < 0) return;
    this.#sources.splice(index, 1);
    source.isOpen = false;
    for (const [id, heard] of this.#heard) {
      if (heard.source === source && !this.#cede(source, id, null)) this.#heard.delete(id);
    }
  }

  #endBook(source: RelaySource, id: InstrumentId, reason: string): void {
    if (!this.#cede(source, id, reason))
      this.#pass({
        type: 'book-status',
        instrument: id,
        timeMs: this.#clock.now(),
        state: 'recovering',
        reason,
      });
  }

  #cede(source: RelaySource, id: InstrumentId, reason: string | null): boolean {
    if (this.#heard.get(id)?.source !== source) return true; // another one is heard
    const next = this.#sources.findLast((other) => other !== source && other.holds(id));
    if (next) this.#takeOver(next, id, reason);
    return next !== undefined;
  }

  #isNewTrade({ instrument, id }: TradeEvent): boolean {
    let ids = this.#tradeIds.get(instrument);
    if (!ids) this.#tradeIds.set(instrument, (ids = new RecentIds()));
    return ids.add(id);
  }
}

/** Whether a book has at least all of another one. */
function leadOf(held: Place, heard: Place): 'ahead' | 'behind' | 'unknown' {
  if (heard.timeMs === null || held.timeMs === null || held.timeMs > heard.timeMs) return 'ahead';
  if (held.timeMs < heard.timeMs) return 'behind';
  if (held.count === null || heard.count === null) return 'unknown';
  return held.count >= heard.count ? 'ahead' : 'behind';
}

/** The ids that came last. A set alone would look for its oldest one behind all that were deleted. */
class RecentIds {
  readonly #known = new Set<string | number>();
  /** A ring. */
  readonly #ids: (string | number)[] = [];
  #oldest = 0;

  /** @returns whether it is a new one */
  add(id: string | number): boolean {
    if (this.#known.has(id)) return false;
    this.#known.add(id);
    if (this.#ids.length < MAX_TRADE_IDS) {
      this.#ids.push(id);
      return true;
    }
    this.#known.delete(this.#ids[this.#oldest]!);
    this.#ids[this.#oldest] = id;
    this.#oldest = (this.#oldest + 1) % MAX_TRADE_IDS;
    return true;
  }
}

/** One connection's way into a relay. */
export class RelaySource {
  isOpen = true;
  /** As its session has them now. */
  readonly instruments: Map<InstrumentId, Instrument>;
  readonly emit: (event: FeedEvent) => void;
  readonly close: () => void;
  readonly onTakeover: (instrument: InstrumentId) => void;
  readonly #held = new Map<InstrumentId, Held>();
  readonly #ended = new Set<InstrumentId>();
  readonly #onEnd: (instrument: InstrumentId, reason: string) => void;

  constructor(
    instruments: Map<InstrumentId, Instrument>,
    emit: (event: FeedEvent) => void,
    close: () => void,
    onEnd: (instrument: InstrumentId, reason: string) => void,
    onTakeover: (instrument: InstrumentId) => void,
  ) {
    this.instruments = instruments;
    this.emit = emit;
    this.close = close;
    this.#onEnd = onEnd;
    this.onTakeover = onTakeover;
  }

  /**
   * Brings this book no more, whatever its session still says of it: the newest of the other sources that
   * have it is heard, and where there is none it is `recovering`.
   * @param reason why, for a book that is not live elsewhere
   */
  endBook(id: InstrumentId, reason: string): void {
    if (this.#ended.has(id)) return;
    this.#onEnd(id, reason);
    this.#ended.add(id);
    this.#held.get(id)?.still?.cancel();
    this.#held.delete(id);
  }

  /** Whether an event is of a book that has ended. */
  hasEnded(event: FeedEvent): boolean {
    return event.type !== 'trade' && event.type !== 'instrument' && this.#ended.has(event.instrument);
  }

  holds(id: InstrumentId): boolean {
    return this.#held.has(id);
  }

  hold(id: InstrumentId): Held {
    let held = this.#held.get(id);
    if (!held) {
      held = {
        book: new OrderBook(),
        hasBook: false,
        state: 'syncing',
        reason: null,
        newest: null,
        place: NOWHERE,
        still: null,
      };
      this.#held.set(id, held);
    }
    return held;
  }

  release(id: InstrumentId): Held {
    const held = this.hold(id);
    this.#held.delete(id);
    return held;
  }
}
