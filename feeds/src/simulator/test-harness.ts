import { OrderBook } from '@depthwire/shared';
import type { FeedEvent, Instrument, TradeEvent } from '@depthwire/shared';
import type { Feed, FeedLog } from '../core/feed.ts';
import { VirtualClock } from '../core/virtual-clock.ts';
import { createSimulatorFeed } from './index.ts';
import type { SimulatorOptions } from './index.ts';

/** A Friday at the opening of the US session, off every round boundary. */
export const START_MS = Date.parse('2026-11-20T14:41:23.456Z');

const silent: FeedLog = { debug() {}, info() {}, warn() {}, error() {} };

/** A market as a reader of the feed sees it. */
export interface SeenMarket {
  readonly instrument: Instrument;
  readonly book: OrderBook;
  readonly trades: TradeEvent[];
  updates: number;
  readonly updatesBySecond: Map<number, number>;
}

export interface Session {
  readonly feed: Feed;
  readonly clock: VirtualClock;
  readonly markets: Map<string, SeenMarket>;
  market(id: string): SeenMarket;
  advanceS(seconds: number): void;
}

/** A started simulator whose events are replayed on books of the reader's own. */
export async function startSession(
  options: SimulatorOptions = {},
  onEvent: (event: FeedEvent, session: Session) => void = () => {},
  startMs: number = START_MS,
): Promise<Session> {
  const clock = new VirtualClock(startMs);
  const markets = new Map<string, SeenMarket>();
  const session: Session = {
    feed: createSimulatorFeed(options),
    clock,
    markets,
    market: (id) => markets.get(id)!,
    advanceS: (seconds) => clock.advanceTo(clock.now() + seconds * 1000),
  };
  await session.feed.start({
    clock,
    log: silent,
    fail(error) {
      throw error;
    },
    emit(event) {
      onEvent(event, session);
      if (event.type === 'instrument') {
        const { instrument } = event;
        markets.set(instrument.id, {
          instrument,
          book: new OrderBook(),
          trades: [],
          updates: 0,
          updatesBySecond: new Map(),
        });
      } else {
        see(markets.get(event.instrument)!, event);
      }
    },
  });
  return session;
}

function see(market: SeenMarket, event: Exclude<FeedEvent, { type: 'instrument' }>): void {
  if (event.type === 'trade') {
    market.trades.push(event);
  } else if (event.type === 'book-snapshot') {
    market.book.loadSnapshot(event.bids, event.asks);
  } else if (event.type === 'book-delta') {
    market.book.applyDelta(event.bids, event.asks);
    const updates = (event.bids.length + event.asks.length) / 2;
    const second = Math.floor(event.receiveTimeMs / 1000);
    market.updates += updates;
    market.updatesBySecond.set(second, (market.updatesBySecond.get(second) ?? 0) + updates);
  }
}

/** An event as text, arrays copied. */
export function textOf(event: FeedEvent): string {
  return JSON.stringify(event);
}
