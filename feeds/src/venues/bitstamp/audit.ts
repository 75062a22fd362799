import {
  DepthwireError,
  formatUnitsShortest,
  OrderBook,
  parseLots,
  parseUnits,
  type BookSide,
  type Scale,
  type Timer,
} from '@depthwire/shared';
import { attempt } from '../../core/frame-checks.ts';
import type { JoinedBook, RestSnapshot } from '../../core/joined-book.ts';
import { flattenLevels, type PriceLevel } from '../../core/levels.ts';
import type { HttpResponse, SessionIo } from '../../core/venue.ts';
import type { DiffOrderBook } from './messages.ts';
import { parseSnapshot } from './parse.ts';
import { diffSequencer } from './sequencer.ts';

/** From one comparison of a book to the next. */
const PERIOD_MS = 180_000;
/** To the first one, so that a book which joined its snapshot in quiet is soon looked at again. */
const FIRST_MS = 20_000;
/** Wait after a comparison that could not be made. */
const RETRY_MS = 10_000;
/** Time for the diff to come that the snapshot may be ahead of; a quiet stream has none. */
const SETTLE_MS = 5_000;
/** Comparisons that clear a book of a suspicion that is renewed all the time. */
const MAX_CLEARANCES = 3;
/** In a recording: time in which a second removal of a level that is not there makes a book suspect. */
const REMOVALS_WITHIN_US = 60_000_000;
/** Diffs held while a snapshot is awaited; past it the comparison is given up. */
const MAX_HELD_DIFFS = 10_000;

const { minDiffs, lagMs, reaches } = diffSequencer.unchained!;

/** What a diff tells that the book has already. */
interface Sign {
  /** In words. */
  readonly text: string;
  /** Whether every such level of it is one removed that is not there. */
  readonly isRemoval: boolean;
}

type Phase = 'idle' | 'holding' | 'asking' | 'settling';

/**
 * Compares a live book with a fresh snapshot every few minutes: the stream has nothing that could tell
 * of a lost diff. A book that is right is not disturbed; one that differs is taken anew.
 *
 * The snapshot shows the past, the book the present: diffs are held from before it is asked for, and those
 * after it are put on top of it. The snapshot may also be ahead of the stream: the comparison waits for a
 * diff that is later, or for the stream to stay quiet.
 *
 * The venue tells changes only. A diff that changes nothing shows that the book was another one before it:
 * the book is not live until a comparison has proved it right, or it is taken anew.
 *
 * In a recording nobody can be asked, and a suspicion would last for ever, unless the recorder had compared at
 * that place too. One diff that removes what is not there is no proof: the venue may tell the end of a level
 * that it never told, and with it gone the book is right. A lost diff leaves several: it told levels that will
 * all be removed one day. Two of them within a minute make the book suspect there, or one level that is told
 * the size it has: an order that came, was lost, and went again.
 */
export class BookAudit {
  readonly #book: JoinedBook<DiffOrderBook>;
  readonly #io: SessionIo;
  readonly #url: string;
  readonly #offset: number;
  #phase: Phase = 'idle';
  #held: DiffOrderBook[] = [];
  /** Of the newest diff of this connection. */
  #newestAt = 0;
  #snapshot: RestSnapshot | null = null;
  /** Which comparison this is, so that answers to another one are not taken. */
  #round = 0;
  /** Joins to a snapshot seen so far: the first diff after each may tell what the snapshot has already. */
  #joinCount = 0;
  /** Until a book that was right was told what it had already. */
  #tellsChangesOnly = true;
  /** Of the last diff that changed nothing: a snapshot before it proves nothing. */
  #suspectAt = 0;
  /** Whether the diffs are those of a recording. */
  #isRecorded = false;
  /** Of the last diff that removed what is not there; null where none did. */
  #removalAt: number | null = null;
  /** Comparisons in a row that found the suspect book right as far as they could see. */
  #clearances = 0;
  #timer: Timer | null = null;

  /** @param offset part of the period that its first comparison waits, so that those of many books are spread */
  constructor(book: JoinedBook<DiffOrderBook>, io: SessionIo, url: string, offset: number) {
    this.#book = book;
    this.#io = io;
    this.#url = url;
    this.#offset = offset;
  }

  opened(isRecorded: boolean): void {
    this.#newestAt = 0;
    this.#isRecorded = isRecorded;
    this.#removalAt = null;
    this.#rest(FIRST_MS + this.#offset * PERIOD_MS);
  }

  closed(): void {
    this.#round += 1;
    this.#phase = 'idle';
    this.#held = [];
    this.#snapshot = null;
    this.#timer?.cancel();
  }

  /** A diff that the book has not taken yet. */
  before(diff: DiffOrderBook): void {
    const { isJoined, joinCount } = this.#book;
    if (!isJoined || !this.#tellsChangesOnly) return;
    if (joinCount !== this.#joinCount) {
      this.#joinCount = joinCount;
      this.#clearances = 0;
      this.#removalAt = null;
      return;
    }
    const sign = this.#signIn(diff);
    if (sign === null) return;
    this.#suspectAt = diff.microtimestamp;
    if (this.#isEnough(sign, diff.microtimestamp))
      this.#book.suspect(`an update tells of no change, one before it may be lost: ${sign.text}`);
    if (this.#phase === 'idle') this.#begin();
  }

  #isEnough({ isRemoval }: Sign, at: number): boolean {
    if (!this.#isRecorded || !isRemoval) return true;
    const before = this.#removalAt;
    this.#removalAt = at;
    return before !== null && at - before <= REMOVALS_WITHIN_US;
  }

  /** A diff that the book has taken. */
  after(diff: DiffOrderBook): void {
    this.#newestAt = diff.microtimestamp;
    if (this.#phase === 'idle') return;
    if (this.#held.length >= MAX_HELD_DIFFS) {
      this.#rest(RETRY_MS);
      return;
    }
    this.#held.push(diff);
    if (this.#phase === 'holding' && this.#held.length >= minDiffs) this.#ask();
    else if (this.#phase === 'settling') this.#compare();
  }

  #rest(delayMs: number): void {
    this.closed();
    this.#arm(delayMs, () => this.#begin());
  }

  #begin(): void {
    this.closed();
    if (!this.#book.isJoined) {
      this.#rest(RETRY_MS);
      return;
    }
    this.#phase = 'holding';
    this.#arm(lagMs, () => this.#ask());
  }

  #ask(): void {
    this.#timer?.cancel();
    this.#phase = 'asking';
    const round = this.#round;
    this.#io.get(this.#url, (result) => {
      if (round === this.#round) this.#onAnswer(result);
    });
  }

  #onAnswer(result: HttpResponse | DepthwireError): void {
    const snapshot =
      result instanceof DepthwireError || result.status !== 200
        ? null
        : attempt(() => parseSnapshot(result.body));
    const [first] = this.#held;
    // Without a diff since, the book is as it was at its newest: an older snapshot shows another one.
    const isTooOld = (id: number) => (first ? !reaches(id, first) : id < this.#newestAt);
    if (!snapshot || isTooOld(snapshot.id)) {
      this.#rest(RETRY_MS);
      return;
    }
    this.#snapshot = snapshot;
    if (this.#held.some((diff) => diff.microtimestamp > snapshot.id)) this.#compare();
    else {
      this.#phase = 'settling';
      this.#arm(SETTLE_MS, () => this.#compare());
    }
  }

  #compare(): void {
    const snapshot = this.#snapshot!;
    const later = this.#held.filter((diff) => diff.microtimestamp > snapshot.id);
    const { isJoined, isSuspect } = this.#book;
    this.#rest(isJoined ? PERIOD_MS : RETRY_MS);
    if (!isJoined) return;
    const problem = this.#difference(snapshot, later);
    if (problem !== null) this.#book.gap(`the book differs from the venue's, an update was lost: ${problem}`);
    else if (isSuspect) this.#clear(snapshot.id);
  }

  /** The suspect book is right as of the snapshot. */
  #clear(snapshotId: number): void {
    this.#clearances += 1;
    if (snapshotId < this.#suspectAt && this.#clearances < MAX_CLEARANCES) {
      this.#begin();
      return;
    }
    const instrument = this.#book.outlet.instrument.id;
    this.#io.log.warn({ instrument }, 'an update told of no change, but nothing was lost');
    this.#tellsChangesOnly = false;
    this.#book.trust();
  }

  /** What is wrong with the book, seen from the snapshot; null where nothing is. */
  #difference(snapshot: RestSnapshot, later: readonly DiffOrderBook[]): string | null {
    const { book, instrument } = this.#book.outlet;
    const { tick, lot } = instrument;
    const expected = new OrderBook();
    try {
      const flat = (levels: readonly PriceLevel[]) => flattenLevels(levels, tick, lot);
      expected.loadSnapshot(flat(snapshot.bids), flat(snapshot.asks));
      for (const { bids, asks } of later) expected.applyDelta(flat(bids), flat(asks));
    } catch (error) {
      // A grid that is too coarse: the snapshot that a resync takes makes it finer.
      if (error instanceof DepthwireError) return error.message;
      throw error;
    }
    return (
      sideDifference('bid', book!.bids, expected.bids, tick, lot) ??
      sideDifference('ask', book!.asks, expected.asks, tick, lot)
    );
  }

  /** A level that is told the size it has, or removed where it is not. What cannot be counted is not judged here. */
  #signIn({ bids, asks }: DiffOrderBook): Sign | null {
    const { book, instrument } = this.#book.outlet;
    const { tick, lot } = instrument;
    const find = (name: string, side: BookSide, levels: readonly PriceLevel[]): Sign[] =>
      levels.flatMap(([price, size]) => {
        const lots = parseLots(size, lot);
        if (side.lotsAtPrice(parseUnits(price, tick)) !== lots) return [];
        return [{ text: `${name} ${price} has ${size}`, isRemoval: lots === 0 }];
      });
    const signs = attempt(() => [...find('bid', book!.bids, bids), ...find('ask', book!.asks, asks)]) ?? [];
    return signs.find(({ isRemoval }) => !isRemoval) ?? signs[0] ?? null;
  }

  #arm(delayMs: number, task: () => void): void {
    const { clock } = this.#io;
    this.#timer?.cancel();
    this.#timer = clock.at(clock.now() + delayMs, task);
  }
}

/** The first level that differs, in words. */
function sideDifference(
  name: string,
  side: BookSide,
  expected: BookSide,
  tick: Scale,
  lot: Scale,
): string | null {
  const find = (from: BookSide) => {
    for (let rank = 0; rank < from.count; rank++) {
      const ticks = from.ticksAt(rank);
      if (side.lotsAtPrice(ticks) !== expected.lotsAtPrice(ticks)) return ticks;
    }
    return null;
  };
  const ticks = find(side) ?? find(expected);
  if (ticks === null) return null;
  const size = (from: BookSide) => formatUnitsShortest(from.lotsAtPrice(ticks), lot);
  return `${name} ${formatUnitsShortest(ticks, tick)} has ${size(side)}, not ${size(expected)}`;
}
