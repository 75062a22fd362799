import {
  bookChecksum,
  encodeLevels,
  frameCodes,
  OrderBook,
  wireStateOf,
  type BookDeltaFrame,
  type BookSide,
  type BookSnapshotFrame,
  type BookState,
} from '@depthwire/shared';
import type { MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { Channel, type ChannelSettings } from './channel.ts';
import type { SharedFrame } from './frame.ts';

/**
 * The book topic. Holds the book as its subscribers hold it, sends them the difference to the
 * engine's, and so can bring a newcomer to exactly their state.
 */
export class BookChannel extends Channel {
  readonly #view = new OrderBook();
  readonly #checksumIntervalMs: number;
  /** Prices touched since the last frame; only kept where the whole book is sent. */
  readonly #touchedBids = new Set<number>();
  readonly #touchedAsks = new Set<number>();
  #isDirty = false;
  #isReplaced = false;
  #state: BookState;
  #reason: string | null;
  #reference = 0;
  #oldestReceiveMs: number | null = null;
  #lastTimeMs: number;
  #lastChecksumMs: number;

  constructor(
    id: number,
    settings: ChannelSettings,
    onFrame: (frame: SharedFrame) => void,
    market: MarketView,
    nowMs: number,
    checksumIntervalMs: number,
  ) {
    super(id, settings, onFrame);
    this.#checksumIntervalMs = checksumIntervalMs;
    this.#state = market.state;
    this.#reason = market.reason;
    this.#lastTimeMs = Math.floor(nowMs);
    this.#lastChecksumMs = nowMs;
    this.#load(market);
  }

  override onEvent(event: MarketEvent): void {
    switch (event.type) {
      case 'book-delta':
        this.#isDirty = true;
        this.#oldestReceiveMs ??= event.receiveTimeMs;
        if (this.settings.depth === 0) {
          for (let i = 0; i < event.bids.length; i += 2) this.#touchedBids.add(event.bids[i]!);
          for (let i = 0; i < event.asks.length; i += 2) this.#touchedAsks.add(event.asks[i]!);
        }
        return;
      case 'book-snapshot':
        this.#isDirty = true;
        this.#isReplaced = true;
        this.#oldestReceiveMs ??= event.receiveTimeMs;
        return;
      case 'instrument':
        if (event.isRescaled) this.#isDirty = this.#isReplaced = true;
        return;
      case 'book-state':
        this.#isDirty = true;
        return;
      case 'trade':
    }
  }

  override flush(market: MarketView, nowMs: number): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    if (this.#isReplaced) {
      this.#isReplaced = false;
      this.#state = market.state;
      this.#reason = market.reason;
      this.#lastTimeMs = Math.floor(nowMs);
      this.#lastChecksumMs = nowMs;
      this.#load(market);
      this.seq += 1;
      this.publish(this.snapshotMessage(market));
      return;
    }
    // Bad news before the levels, good news after them: no replica is ever live and wrong.
    const isGood = market.state === 'live';
    if (!isGood) this.#sendState(market, nowMs);
    this.#sendDelta(market, nowMs);
    if (isGood) this.#sendState(market, nowMs);
  }

  protected override snapshotMessage(market: MarketView): SharedFrame['message'] {
    const frame: BookSnapshotFrame = [
      frameCodes.bookSnapshot,
      this.id,
      this.seq,
      wireStateOf(this.#state),
      this.#view.sequence,
      this.#lastTimeMs,
      lagMs(market),
      this.#reference,
      encodeLevels(this.#view.bids.toFlat(), -1, this.#reference),
      encodeLevels(this.#view.asks.toFlat(), 1, this.#reference),
      bookChecksum(this.#view),
    ];
    if (this.#reason !== null) frame.push(this.#reason);
    return frame;
  }

  /** Takes the engine's book over as a whole. */
  #load({ book }: MarketView): void {
    const depth = this.settings.depth === 0 ? Infinity : this.settings.depth;
    this.#view.loadSnapshot(book.bids.toFlat(depth), book.asks.toFlat(depth));
    this.#view.sequence = book.sequence;
    this.#reference = this.#view.bestBid ?? this.#view.bestAsk ?? 0;
    this.#oldestReceiveMs = null;
    this.#touchedBids.clear();
    this.#touchedAsks.clear();
  }

  #sendState(market: MarketView, nowMs: number): void {
    if (market.state === this.#state && market.reason === this.#reason) return;
    this.#state = market.state;
    this.#reason = market.reason;
    this.seq += 1;
    this.publish([
      frameCodes.bookState,
      this.id,
      this.seq,
      wireStateOf(this.#state),
      this.#elapsed(nowMs),
      this.#reason,
    ]);
  }

  #sendDelta(market: MarketView, nowMs: number): void {
    const { book } = market;
    const merged = book.sequence - this.#view.sequence;
    if (merged === 0) return;
    const { depth } = this.settings;
    const bids =
      depth === 0
        ? touched(this.#touchedBids, book.bids, this.#view.bids, -1)
        : difference(book.bids, this.#view.bids, depth, 1);
    const asks =
      depth === 0
        ? touched(this.#touchedAsks, book.asks, this.#view.asks, 1)
        : difference(book.asks, this.#view.asks, depth, -1);
    this.#touchedBids.clear();
    this.#touchedAsks.clear();
    this.#view.applyDelta(bids, asks);
    this.#view.sequence = book.sequence;
    this.seq += 1;
    const ageMs = Math.max(0, Math.floor(nowMs - (this.#oldestReceiveMs ?? nowMs)));
    this.#oldestReceiveMs = null;
    const frame: BookDeltaFrame = [
      frameCodes.bookDelta,
      this.id,
      this.seq,
      merged,
      this.#elapsed(nowMs),
      ageMs,
      lagMs(market),
      encodeLevels(bids, -1, this.#reference),
      encodeLevels(asks, 1, this.#reference),
    ];
    if (nowMs - this.#lastChecksumMs >= this.#checksumIntervalMs) {
      this.#lastChecksumMs = nowMs;
      frame.push(bookChecksum(this.#view));
    }
    this.publish(frame);
  }

  #elapsed(nowMs: number): number {
    const timeMs = Math.floor(nowMs);
    const elapsedMs = timeMs - this.#lastTimeMs;
    this.#lastTimeMs = timeMs;
    return elapsedMs;
  }
}

/** Receive time less venue time of the newest update. */
function lagMs({ receiveTimeMs, venueTimeMs }: MarketView): number | null {
  return receiveTimeMs === null || venueTimeMs === null ? null : Math.round(receiveTimeMs - venueTimeMs);
}

/**
 * What makes the top of `view` the top of `book`: `ticks, lots` pairs, best first.
 * @param sign +1 where a higher price is better (bids), -1 where a lower one is (asks)
 */
function difference(book: BookSide, view: BookSide, depth: number, sign: 1 | -1): number[] {
  const levels: number[] = [];
  const bookCount = Math.min(depth, book.count);
  const viewCount = view.count;
  let i = 0;
  let j = 0;
  while (i < bookCount || j < viewCount) {
    const ours = i < bookCount ? book.ticksAt(i) * sign : -Infinity;
    const theirs = j < viewCount ? view.ticksAt(j) * sign : -Infinity;
    if (ours > theirs) {
      levels.push(book.ticksAt(i), book.lotsAt(i));
      i += 1;
    } else if (ours < theirs) {
      levels.push(view.ticksAt(j), 0);
      j += 1;
    } else {
      if (book.lotsAt(i) !== view.lotsAt(j)) levels.push(book.ticksAt(i), book.lotsAt(i));
      i += 1;
      j += 1;
    }
  }
  return levels;
}

/** The same for a whole book, from the prices that were touched. */
function touched(prices: ReadonlySet<number>, book: BookSide, view: BookSide, direction: 1 | -1): number[] {
  const levels: number[] = [];
  for (const ticks of [...prices].sort((a, b) => (a - b) * direction)) {
    const lots = book.lotsAtPrice(ticks);
    if (lots !== view.lotsAtPrice(ticks)) levels.push(ticks, lots);
  }
  return levels;
}
