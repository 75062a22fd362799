import {
  DepthwireError,
  formatUnitsShortest,
  OrderBook,
  type AggressorSide,
  type BookSide,
  type BookState,
  type EpochMs,
  type Instrument,
  type Lots,
  type Scale,
  type Ticks,
} from '@depthwire/shared';
import { flattenLevels, withGrid, type PriceLevel } from './levels.ts';
import type { SessionStats } from './session-stats.ts';
import type { SessionIo } from './venue.ts';

/** Levels of one message, bids and asks each in the order of the wire. */
export interface LevelUpdate {
  readonly bids: readonly PriceLevel[];
  readonly asks: readonly PriceLevel[];
  readonly venueTimeMs: number | null;
  readonly receiveTimeMs: EpochMs;
}

/** Levels of one message as flat `ticks, lots` pairs, all of them valid, and the grid that they count in. */
export interface FlatUpdate {
  readonly tick: Scale;
  readonly lot: Scale;
  readonly bids: number[];
  readonly asks: number[];
  readonly venueTimeMs: number | null;
}

/**
 * Why a book is wrong with the levels of a message in it, by the venue's checksum; null where it is right.
 * @param instrument with the grid that the book counts in
 */
export type BookCheck = (book: OrderBook, instrument: Instrument) => string | null;

/** A trade in the venue's decimals. */
export interface VenueTrade {
  readonly id: string | number;
  readonly price: string;
  readonly size: string;
  /** Of the taker. */
  readonly side: AggressorSide;
  readonly venueTimeMs: number | null;
  readonly receiveTimeMs: EpochMs;
}

/** The venue's own figures of the last 24 hours; left out where it gives none. */
export interface VenueTicker {
  readonly last?: string | number;
  readonly open?: string | number;
  readonly high?: string | number;
  readonly low?: string | number;
  /** In the units that sizes are in. */
  readonly volume?: string | number;
  /** In the quote currency. */
  readonly turnover?: string | number;
  readonly venueTimeMs: number | null;
  readonly receiveTimeMs: EpochMs;
}

export interface OutletOptions {
  /**
   * Keeps a copy of the book: for venues whose checksum covers it, or who cut it off at a depth
   * without saying which levels fell out of it.
   */
  readonly keepsBook?: boolean;
  /** Levels a side that the venue keeps up; what lies deeper is removed. Needs `keepsBook`. */
  readonly depth?: number;
  /** Whether the prices of an instrument may be zero or below, as those of spreads. */
  isSigned?(this: void, instrument: Instrument): boolean;
}

/** What an outlet needs of a session. */
export type OutletIo = Pick<SessionIo, 'clock' | 'log' | 'emit'>;

/**
 * One instrument's way out of a session: from the venue's decimals to events, on a grid that
 * grows finer where the venue's numbers ask for it.
 */
export class InstrumentOutlet {
  readonly #io: OutletIo;
  readonly #stats: SessionStats;
  /** Levels a side that are kept of the copy; a venue may say so only once it has accepted a subscription. */
  depth: number;
  /** The copy of the book; null unless kept. */
  readonly book: OrderBook | null;
  readonly #isSigned: boolean;
  #instrument: Instrument;
  /** As the venue lists it; the grid in use may be finer. */
  #listed: Instrument;
  /** Levels of a delta that the grid was too coarse for; they may lie too deep for a snapshot to show. */
  #offGrid: readonly PriceLevel[] = [];

  constructor(
    instrument: Instrument,
    io: OutletIo,
    stats: SessionStats,
    { keepsBook = false, depth = Infinity, isSigned = () => false }: OutletOptions = {},
  ) {
    this.#instrument = this.#listed = instrument;
    this.#io = io;
    this.#stats = stats;
    this.depth = depth;
    this.#isSigned = isSigned(instrument);
    this.book = keepsBook ? new OrderBook() : null;
  }

  get instrument(): Instrument {
    return this.#instrument;
  }

  /** As the venue lists it; the grid in use may be finer. */
  get listed(): Instrument {
    return this.#listed;
  }

  /**
   * @param check whether the book is right now that the levels are in it; a text says why not
   * @throws DepthwireError as `flattenLevels`, or `checksum_mismatch`; nothing is emitted then
   */
  snapshot(update: LevelUpdate, check?: BookCheck): void {
    const offGrid = this.#offGrid;
    this.#offGrid = [];
    const instrument = withGrid(this.#instrument, update.bids, update.asks, offGrid);
    const bids = this.#flatten(update.bids, instrument);
    const asks = this.#flatten(update.asks, instrument);
    this.book?.loadSnapshot(bids, asks);
    this.book?.bids.truncate(this.depth);
    this.book?.asks.truncate(this.depth);
    if (this.book && check) assertRight(check(this.book, instrument));
    if (instrument !== this.#instrument) {
      this.#io.log.warn(
        {
          instrument: instrument.id,
          tickDecimals: instrument.tick.decimals,
          lotDecimals: instrument.lot.decimals,
        },
        'levels that the grid does not hold, using another one',
      );
      this.#announce(instrument);
    }
    this.#io.emit({
      type: 'book-snapshot',
      instrument: instrument.id,
      venueTimeMs: update.venueTimeMs as EpochMs | null,
      receiveTimeMs: update.receiveTimeMs,
      bids: this.book ? this.book.bids.toFlat() : bids,
      asks: this.book ? this.book.asks.toFlat() : asks,
    });
  }

  /**
   * @param check as in `snapshot`
   * @throws DepthwireError as `flattenLevels`, or `checksum_mismatch`: the book misses the update,
   *   and nothing is emitted. A finer grid, if that is what is wrong, comes with the next snapshot.
   */
  delta(update: LevelUpdate, check?: BookCheck): void {
    let bids: number[];
    let asks: number[];
    try {
      bids = this.#flatten(update.bids);
      asks = this.#flatten(update.asks);
    } catch (error) {
      const { code } = error as DepthwireError;
      if (code === 'off_grid' || code === 'out_of_range') this.#offGrid = [...update.bids, ...update.asks];
      throw error;
    }
    this.#emitDelta(bids, asks, update.venueTimeMs, update.receiveTimeMs, check);
  }

  /** Whether levels count in the ticks and lots that the book now counts in. */
  isOnGrid({ tick, lot }: FlatUpdate): boolean {
    return isSame(tick, this.#instrument.tick) && isSame(lot, this.#instrument.lot);
  }

  /** As `delta`, of levels that are on the grid. */
  flatDelta({ bids, asks, venueTimeMs }: FlatUpdate, receiveTimeMs: EpochMs): void {
    this.#emitDelta(bids, asks, venueTimeMs, receiveTimeMs);
  }

  /** The next snapshot takes a grid that fits these levels too. */
  refine(levels: readonly PriceLevel[]): void {
    this.#offGrid = [...this.#offGrid, ...levels];
  }

  /** @throws DepthwireError `checksum_mismatch` */
  verify(check: BookCheck): void {
    if (this.book) assertRight(check(this.book, this.#instrument));
  }

  /** @throws DepthwireError as `flattenLevels` */
  trade({ id, price, size, side, venueTimeMs, receiveTimeMs }: VenueTrade): void {
    const instrument = this.#instrument.id;
    const [ticks, lots] = this.#flatten([[price, size]]);
    if (lots === 0) return;
    this.#stats.trades += 1;
    this.#io.emit({
      type: 'trade',
      instrument,
      venueTimeMs: venueTimeMs as EpochMs | null,
      receiveTimeMs,
      id,
      price: ticks as Ticks,
      size: lots as Lots,
      side,
    });
  }

  state(state: BookState, reason: string | null): void {
    this.#io.emit({
      type: 'book-status',
      instrument: this.#instrument.id,
      timeMs: this.#io.clock.now(),
      state,
      reason,
    });
  }

  ticker({ last, open, high, low, volume, turnover, venueTimeMs, receiveTimeMs }: VenueTicker): void {
    const { id, tick, lot } = this.#instrument;
    this.#io.emit({
      type: 'ticker',
      instrument: id,
      venueTimeMs: venueTimeMs as EpochMs | null,
      receiveTimeMs,
      last: nearestUnits(last, tick) as Ticks | null,
      open: nearestUnits(open, tick) as Ticks | null,
      high: nearestUnits(high, tick) as Ticks | null,
      low: nearestUnits(low, tick) as Ticks | null,
      volume: nearestUnits(volume, lot) as Lots | null,
      turnover: finite(turnover),
    });
  }

  /**
   * Takes what the venue now lists the instrument as, and announces it.
   * @returns why the book has to be taken anew; null where it need not be
   */
  update(next: Instrument): string | null {
    const { tick, lot } = this.#listed;
    this.#listed = next;
    if (!isSame(tick, next.tick) || !isSame(lot, next.lot)) {
      this.#announce(next);
      return isSame(tick, next.tick)
        ? `lot size changed from ${unit(lot)} to ${unit(next.lot)}`
        : `tick size changed from ${unit(tick)} to ${unit(next.tick)}`;
    }
    this.#announce({ ...next, tick: this.#instrument.tick, lot: this.#instrument.lot });
    return null;
  }

  /** @param bids levels that fall out of the book are added to it, as to the asks */
  #emitDelta(
    bids: number[],
    asks: number[],
    venueTimeMs: number | null,
    receiveTimeMs: EpochMs,
    check?: BookCheck,
  ): void {
    if (this.book) {
      this.book.applyDelta(bids, asks);
      cutOff(this.book.bids, this.depth, bids);
      cutOff(this.book.asks, this.depth, asks);
      if (check) assertRight(check(this.book, this.#instrument));
    }
    this.#io.emit({
      type: 'book-delta',
      instrument: this.#instrument.id,
      venueTimeMs: venueTimeMs as EpochMs | null,
      receiveTimeMs,
      bids,
      asks,
    });
  }

  #flatten(levels: readonly PriceLevel[], { tick, lot } = this.#instrument): number[] {
    return flattenLevels(levels, tick, lot, this.#isSigned);
  }

  #announce(instrument: Instrument): void {
    this.#instrument = instrument;
    this.#io.emit({ type: 'instrument', instrument });
  }
}

function assertRight(problem: string | null): void {
  if (problem !== null) throw new DepthwireError('checksum_mismatch', problem);
}

/** Drops what lies deeper than the depth, and adds it to the delta as removed. */
function cutOff(side: BookSide, depth: number, delta: number[]): void {
  for (let rank = depth; rank < side.count; rank++) delta.push(side.ticksAt(rank), 0);
  side.truncate(depth);
}

const isSame = (a: Scale, b: Scale) => a.units === b.units && a.decimals === b.decimals;
const unit = (scale: Scale) => formatUnitsShortest(1, scale);

/** A figure of statistics in whole units, the nearest where it lies between two. */
export function nearestUnits(value: string | number | undefined, scale: Scale): number | null {
  const number = finite(value);
  return number === null ? null : Math.round((number * 10 ** scale.decimals) / scale.units);
}

function finite(value: string | number | undefined): number | null {
  if (value === undefined || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
