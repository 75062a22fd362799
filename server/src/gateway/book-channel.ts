import {
  bookChecksum,
  encodeLevels,
  frameCodes,
  wireStateOf,
  type BookDeltaFrame,
  type BookMergedFrame,
  type BookResumedFrame,
  type BookSnapshotFrame,
  type BookSide,
  type BookState,
} from '@depthwire/shared';
import type { MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { ChangeLog } from './change-log.ts';
import { Channel, type ChannelSettings, type ForeignPoint, type SharedFrame } from './channel.ts';
import type { MarketLog } from './market-log.ts';
import { TopView, WholeView, type SideView } from './side-view.ts';

/** Levels that what a client gets from another gateway may always have; more only where a snapshot has more still. */
const SMALL_DIFFERENCE = 64;

/**
 * The book topic. Holds the book as its subscribers hold it, sends them the difference to the
 * engine's, and so can bring a newcomer to exactly their state.
 */
export class BookChannel extends Channel {
  readonly #view: { readonly bids: SideView; readonly asks: SideView };
  readonly #log: ChangeLog;
  /** The engine's count of updates that the view has. */
  #sequence = 0;
  readonly #checksumIntervalMs: number;
  #isDirty = false;
  #isReplaced = false;
  #state: BookState;
  #reason: string | null;
  #reference = 0;
  #oldestReceiveMs: number | null = null;
  #oldestTakenMs: number | null = null;
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
    const { depth } = settings;
    this.#view =
      depth === 0
        ? { bids: new WholeView('bid'), asks: new WholeView('ask') }
        : { bids: new TopView('bid', depth), asks: new TopView('ask', depth) };
    this.#log = new ChangeLog(depth);
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
        this.#oldestTakenMs ??= event.takenAtMs;
        if (this.settings.depth === 0) {
          for (let i = 0; i < event.bids.length; i += 2) this.#view.bids.touch(event.bids[i]!);
          for (let i = 0; i < event.asks.length; i += 2) this.#view.asks.touch(event.asks[i]!);
        }
        return;
      case 'book-snapshot':
        this.#isDirty = true;
        this.#isReplaced = true;
        this.#oldestReceiveMs ??= event.receiveTimeMs;
        this.#oldestTakenMs ??= event.takenAtMs;
        return;
      case 'instrument':
        if (event.isRescaled) this.#isDirty = this.#isReplaced = true;
        return;
      case 'book-state':
        this.#isDirty = true;
        return;
      case 'trade':
      case 'candles':
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
      this.seq += 1;
      const takenAtMs = this.#oldestTakenMs;
      this.#load(market);
      this.publish(this.snapshotMessage(market), takenAtMs);
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
      this.#sequence,
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

  protected override mergedMessage(from: number, market: MarketView, nowMs: number): BookMergedFrame | null {
    const changes = this.#log.since(from);
    if (changes === null) return null;
    const { bids, asks } = this.#view;
    // Then a snapshot takes fewer bytes.
    if (changes.bids.length + changes.asks.length > bids.count + asks.count) return null;
    const frame: BookMergedFrame = [
      frameCodes.bookMerged,
      this.id,
      this.seq,
      from,
      wireStateOf(this.#state),
      this.#sequence - changes.sequence,
      this.#lastTimeMs - changes.timeMs,
      ageOf(changes.oldestReceiveMs, nowMs),
      lagMs(market),
      encodeLevels(levelsAt(bids, changes.bids), -1, this.#reference),
      encodeLevels(levelsAt(asks, changes.asks), 1, this.#reference),
      bookChecksum(this.#view),
    ];
    if (this.#reason !== null) frame.push(this.#reason);
    return frame;
  }

  protected override resumedMessage(
    { depth, sequence }: ForeignPoint,
    log: MarketLog,
    market: MarketView,
    nowMs: number,
  ): BookResumedFrame | null {
    const { book } = market;
    const changes = log.book.since(sequence, book.sequence);
    if (changes === null || depth !== this.settings.depth) return null;
    if (sequence > this.#sequence) this.flush(market, nowMs);
    const { bids, asks } = this.#view;
    const bidPrices = pricesToTell(book.bids, changes.bids, depth).sort((a, b) => b - a);
    const askPrices = pricesToTell(book.asks, changes.asks, depth).sort((a, b) => a - b);
    if (bidPrices.length + askPrices.length > Math.max(SMALL_DIFFERENCE, bids.count + asks.count))
      return null;
    const frame: BookResumedFrame = [
      frameCodes.bookResumed,
      this.id,
      this.seq,
      wireStateOf(this.#state),
      sequence,
      this.#sequence,
      this.#lastTimeMs,
      ageOf(changes.oldestReceiveMs, nowMs),
      lagMs(market),
      this.#reference,
      encodeLevels(levelsAt(bids, bidPrices), -1, this.#reference),
      encodeLevels(levelsAt(asks, askPrices), 1, this.#reference),
      bookChecksum(this.#view),
    ];
    if (this.#reason !== null) frame.push(this.#reason);
    return frame;
  }

  /** Takes the engine's book over as a whole. */
  #load({ book }: MarketView): void {
    this.#view.bids.load(book.bids);
    this.#view.asks.load(book.asks);
    this.#sequence = book.sequence;
    this.#reference = book.bestBid ?? book.bestAsk ?? 0;
    this.#oldestReceiveMs = null;
    this.#oldestTakenMs = null;
    this.#log.restart(this.seq, this.#sequence, this.#lastTimeMs);
  }

  #sendState(market: MarketView, nowMs: number): void {
    if (market.state === this.#state && market.reason === this.#reason) return;
    this.#state = market.state;
    this.#reason = market.reason;
    this.seq += 1;
    const elapsedMs = this.#elapsed(nowMs);
    this.#log.add(this.#sequence, this.#lastTimeMs, null, [], []);
    this.publish([
      frameCodes.bookState,
      this.id,
      this.seq,
      wireStateOf(this.#state),
      elapsedMs,
      this.#reason,
    ]);
  }

  #sendDelta(market: MarketView, nowMs: number): void {
    const { book } = market;
    const merged = book.sequence - this.#sequence;
    if (merged === 0) return;
    const bids = this.#view.bids.update(book.bids);
    const asks = this.#view.asks.update(book.asks);
    this.#sequence = book.sequence;
    this.seq += 1;
    const elapsedMs = this.#elapsed(nowMs);
    this.#log.add(this.#sequence, this.#lastTimeMs, this.#oldestReceiveMs, bids, asks);
    const ageMs = ageOf(this.#oldestReceiveMs, nowMs);
    const takenAtMs = this.#oldestTakenMs;
    this.#oldestReceiveMs = null;
    this.#oldestTakenMs = null;
    const frame: BookDeltaFrame = [
      frameCodes.bookDelta,
      this.id,
      this.seq,
      merged,
      elapsedMs,
      ageMs,
      lagMs(market),
      encodeLevels(bids, -1, this.#reference),
      encodeLevels(asks, 1, this.#reference),
    ];
    // A clock may be set back.
    if (Math.abs(nowMs - this.#lastChecksumMs) >= this.#checksumIntervalMs) {
      this.#lastChecksumMs = nowMs;
      frame.push(bookChecksum(this.#view));
    }
    this.publish(frame, takenAtMs);
  }

  #elapsed(nowMs: number): number {
    const timeMs = Math.floor(nowMs);
    const elapsedMs = timeMs - this.#lastTimeMs;
    this.#lastTimeMs = timeMs;
    return elapsedMs;
  }
}

function levelsAt(side: SideView, prices: readonly number[]): number[] {
  return prices.flatMap((ticks) => [ticks, side.lotsAtPrice(ticks)]);
}

/**
 * Prices at which the best levels of a side may have changed since some update, in no order.
 *
 * The levels that were not touched since are the same ever since, and whatever touched ones came and went between them,
 * the best `depth` are within reach of the first `depth` of these. So touched prices behind those do not count; and of k
 * that do, each can have moved an untouched level by one rank at most: only the last k of the first `depth` can have
 * come or gone.
 * @param touched all prices whose levels changed since
 * @param depth levels that are looked at, 0 for all
 */
export function pricesToTell(side: BookSide, touched: ReadonlySet<number>, depth: number): number[] {
  if (depth === 0) return [...touched];
  const untouched: number[] = [];
  const levels = side.toFlat(depth + touched.size);
  for (let i = 0; i < levels.length && untouched.length < depth; i += 2)
    if (!touched.has(levels[i]!)) untouched.push(levels[i]!);
  const farthest = untouched.length === depth ? untouched.at(-1)! : null;
  const near = [...touched].filter((ticks) => farthest === null || side.isBetter(ticks, farthest));
  return [...near, ...untouched.slice(Math.max(0, depth - near.length))];
}

/** How long the update that came first has waited, milliseconds. */
function ageOf(receiveMs: number | null, nowMs: number): number {
  return Math.max(0, Math.floor(nowMs - (receiveMs ?? nowMs)));
}

/** Receive time less venue time of the newest update. */
function lagMs({ receiveTimeMs, venueTimeMs }: MarketView): number | null {
  return receiveTimeMs === null || venueTimeMs === null ? null : Math.round(receiveTimeMs - venueTimeMs);
}
