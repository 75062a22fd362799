import { VirtualClock, type Feed, type FeedContext } from '@depthwire/feeds';
import type { Clock, EpochMs, FeedEvent, Instrument, Lots, Ticks } from '@depthwire/shared';
import { createMemoryBus, type Bus, type MarketEvent } from '../src/bus/bus.ts';
import { Engine } from '../src/engine/engine.ts';
import type { Market } from '../src/engine/market.ts';
import { Hub } from '../src/gateway/hub.ts';
import { History } from '../src/history/history.ts';
import type { Past } from '../src/history/past.ts';
import type { Retention } from '../src/history/stores/store.ts';

export const START_MS = 1_700_000_000_000;

export const silentLog = { debug() {}, info() {}, warn() {}, error() {} };

export function testInstrument(id = 'test:AAA-USD', changes: Partial<Instrument> = {}): Instrument {
  return {
    id,
    venue: 'test',
    symbol: id.slice(id.indexOf(':') + 1),
    base: 'AAA',
    quote: 'USD',
    kind: 'spot',
    name: id,
    tick: { units: 1, decimals: 2 },
    lot: { units: 1, decimals: 3 },
    status: 'trading',
    origin: 'simulated',
    staleAfterMs: 10_000,
    ...changes,
  };
}

/** A feed that says what the test tells it to. */
export class ScriptedFeed implements Feed {
  readonly id: string;
  readonly instruments: readonly Instrument[];
  readonly resyncs: { instrument: string; reason: string }[] = [];
  #context: FeedContext | null = null;

  constructor(id = 'scripted', instruments: readonly Instrument[] = [testInstrument()]) {
    this.id = id;
    this.instruments = instruments;
  }

  start(context: FeedContext): Promise<void> {
    this.#context = context;
    for (const instrument of this.instruments) context.emit({ type: 'instrument', instrument });
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#context = null;
    return Promise.resolve();
  }

  resync(instrument: string, reason: string): void {
    this.resyncs.push({ instrument, reason });
  }

  emit(event: FeedEvent): void {
    this.#context!.emit(event);
  }

  get #now(): EpochMs {
    return this.#context!.clock.now();
  }

  get #first(): string {
    return this.instruments[0]!.id;
  }

  snapshot(bids: number[], asks: number[], instrument: string = this.#first): void {
    const now = this.#now;
    this.emit({
      type: 'book-snapshot',
      instrument,
      venueTimeMs: now,
      receiveTimeMs: now,
      bids,
      asks,
    });
  }

  delta(bids: number[], asks: number[], instrument: string = this.#first): void {
    const now = this.#now;
    this.emit({
      type: 'book-delta',
      instrument,
      venueTimeMs: now,
      receiveTimeMs: now,
      bids,
      asks,
    });
  }

  state(
    state: 'syncing' | 'live' | 'recovering',
    reason: string | null = null,
    instrument: string = this.#first,
  ): void {
    this.emit({ type: 'book-status', instrument, timeMs: this.#now, state, reason });
  }

  trade(price: number, size: number, id: number, instrument: string = this.#first): void {
    const now = this.#now;
    this.emit({
      type: 'trade',
      instrument,
      venueTimeMs: now,
      receiveTimeMs: now,
      id,
      price: price as Ticks,
      size: size as Lots,
      side: 'buy',
    });
  }
}

/** An engine and a hub on a virtual clock, fed by a script. */
export async function startMarket(
  feed = new ScriptedFeed(),
  checksumIntervalMs = 0,
  soon?: (task: () => void) => void,
) {
  const clock = new VirtualClock(START_MS);
  const bus = createMemoryBus();
  const events: MarketEvent[] = [];
  bus.subscribe((event) => events.push(structuredClone(event)));
  const loadPast = (from: Feed, markets: readonly Market[]) => history.load(from, markets);
  const engine = new Engine({ clock, bus, log: silentLog, epoch: 1, loadPast });
  const history: History = memoryHistory({ clock, bus, engine });
  const hub = new Hub({ clock, bus, markets: engine.markets, checksumIntervalMs, soon, ownEpoch: 1 });
  await engine.addFeed(feed);
  const market = engine.markets.get(feed.instruments[0]!.id)!;
  /** As a client is told. */
  const candles = async (...query: Parameters<Past['candles']>) =>
    (await history.past.candles(...query)).candles;
  return { clock, bus, engine, hub, feed, events, market, past: history.past, candles };
}

/** Nothing is stored. */
function memoryHistory({ clock, bus, engine }: { clock: Clock; bus: Bus; engine: Engine }): History {
  return new History({
    ...{ clock, bus, markets: engine.markets, feedOf: (id) => engine.feedOf(id), log: silentLog },
    ...{ store: null, retention: keepAll, writesAll: true },
  });
}

export const keepAll: Retention = {
  tradesMs: Infinity,
  columnsMs: Infinity,
  candlesMs: { '1s': Infinity, '1m': Infinity, '1h': Infinity, '1d': Infinity },
};
