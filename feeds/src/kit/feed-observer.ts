import {
  formatUnitsShortest,
  OrderBook,
  type BookSide,
  type BookState,
  type Clock,
  type FeedEvent,
  type Instrument,
  type InstrumentId,
  type Scale,
  type TickerEvent,
  type TradeEvent,
} from '@depthwire/shared';
import type { FeedContext, FeedLog } from '../core/feed.ts';
import type { TextBook, TextLevel } from './truth-book.ts';

const silent: FeedLog = { debug() {}, info() {}, warn() {}, error() {} };

/** An instrument as a reader of the feed sees it. */
export interface ObservedMarket {
  instrument: Instrument;
  book: OrderBook;
  state: BookState;
  reason: string | null;
  /** Every state the feed told, in order. */
  readonly states: BookState[];
  readonly trades: TradeEvent[];
  /** The venue's 24 h figures, as told last. */
  ticker: TickerEvent | null;
  snapshots: number;
  deltas: number;
}

/**
 * Stands in for the engine: takes a feed's events, keeps the books that they make, and fails on
 * events out of order.
 */
export class FeedObserver {
  readonly markets = new Map<InstrumentId, ObservedMarket>();
  readonly context: FeedContext;
  /** What the feed said it failed with. */
  readonly failures: unknown[] = [];
  readonly #onEvent: (event: FeedEvent, market: ObservedMarket) => void;

  /** @param onEvent called after each event took effect */
  constructor(
    clock: Clock,
    onEvent: (event: FeedEvent, market: ObservedMarket) => void = () => {},
    log: FeedLog = silent,
  ) {
    this.#onEvent = onEvent;
    this.context = {
      clock,
      log,
      emit: (event) => this.#accept(event),
      fail: (error) => this.failures.push(error),
    };
  }

  /** By instrument id or by venue symbol. */
  market(name: string): ObservedMarket {
    const markets = [...this.markets.values()];
    const market = this.markets.get(name) ?? markets.find(({ instrument }) => instrument.symbol === name);
    if (!market) throw new Error(`the feed announced no ${name}`);
    return market;
  }

  isLive(name: string): boolean {
    return this.market(name).state === 'live';
  }

  /** The book as decimal text, best levels first. */
  text(name: string): TextBook {
    const { book, instrument } = this.market(name);
    return { bids: sideText(book.bids, instrument), asks: sideText(book.asks, instrument) };
  }

  #accept(event: FeedEvent): void {
    if (event.type === 'instrument') {
      this.#onEvent(event, this.#announce(event.instrument));
      return;
    }
    const market = this.markets.get(event.instrument);
    if (!market) throw new Error(`${event.type} of ${event.instrument}, which was not announced`);
    switch (event.type) {
      case 'book-snapshot':
        market.book.loadSnapshot(event.bids, event.asks);
        market.snapshots += 1;
        break;
      case 'book-delta':
        if (market.snapshots === 0) throw new Error(`a delta of ${event.instrument} before its snapshot`);
        market.book.applyDelta(event.bids, event.asks);
        market.deltas += 1;
        break;
      case 'trade':
        market.trades.push(event);
        break;
      case 'ticker':
        market.ticker = event;
        break;
      case 'book-status':
        market.state = event.state;
        market.reason = event.reason;
        market.states.push(event.state);
    }
    this.#onEvent(event, market);
  }

  /** An instrument announced again keeps its book, unless its scales are other ones. */
  #announce(instrument: Instrument): ObservedMarket {
    const known = this.markets.get(instrument.id);
    if (!known) {
      const market: ObservedMarket = {
        instrument,
        book: new OrderBook(),
        state: 'syncing',
        reason: null,
        states: [],
        trades: [],
        ticker: null,
        snapshots: 0,
        deltas: 0,
      };
      this.markets.set(instrument.id, market);
      return market;
    }
    if (
      !isSameScale(known.instrument.tick, instrument.tick) ||
      !isSameScale(known.instrument.lot, instrument.lot)
    ) {
      known.book = new OrderBook();
      known.snapshots = 0;
      known.state = 'syncing';
    }
    known.instrument = instrument;
    return known;
  }
}

function isSameScale(a: Scale, b: Scale): boolean {
  return a.units === b.units && a.decimals === b.decimals;
}

function sideText(side: BookSide, { tick, lot }: Instrument): TextLevel[] {
  return Array.from({ length: side.count }, (_, rank): TextLevel => [
    formatUnitsShortest(side.ticksAt(rank), tick),
    formatUnitsShortest(side.lotsAt(rank), lot),
  ]);
}
