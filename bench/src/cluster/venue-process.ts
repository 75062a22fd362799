// The venue, in a process of its own: it knows every state that its books ever had, and every trade.
import {
  KrakenEmulator,
  type EmulatedBook,
  type EmulatorOptions,
  type WalkTrade,
} from '@depthwire/feeds/kit';
import { parseUnits } from '@depthwire/shared';
import { systemClock, type Endpoints } from '@depthwire/feeds';
import { answerParent } from '../harness/worker.ts';
import { bookKey, DEPTHS, digestOf, type ByBook, type TrueStates, type TrueTrade } from './truth.ts';

/** As the emulator has them by default. */
const TICK = { units: 1, decimals: 2 };
const LOT = { units: 1, decimals: 3 };
/** Of the emulator's units, which are 10^-8. */
const TICK_UNITS = 1_000_000;
const LOT_UNITS = 100_000;

export interface VenueOptions {
  readonly bases: readonly string[];
  readonly tickMs: number;
}

const instrumentOf = (base: string): string => `kraken:${base}-USD`;
const baseOf = (symbol: string): string => symbol.split('/')[0]!;

class KnownVenue extends KrakenEmulator {
  isMoving = false;
  readonly log = new Map<string, TrueTrade[]>();
  readonly states: ByBook<{ current: number; endedMs: Map<number, number> }> = new Map();

  constructor(options: EmulatorOptions) {
    super(options);
    this.#note();
  }

  /** Clients that get all books and trades. */
  get listeners(): number {
    const wanted = this.symbols.flatMap((symbol) => [`book:${symbol}`, `trade:${symbol}`]);
    return [...this.connections].filter(({ topics }) => wanted.every((topic) => topics.has(topic))).length;
  }

  override tick(): void {
    if (!this.isMoving) return;
    super.tick();
    this.#note();
  }

  protected override sendTrade(book: EmulatedBook, trade: WalkTrade, id: number, timeMs: number): void {
    const instrument = instrumentOf(baseOf(book.spec.symbol));
    let trades = this.log.get(instrument);
    if (!trades) this.log.set(instrument, (trades = []));
    trades.push({
      id,
      timeMs,
      price: trade.price / TICK_UNITS,
      size: trade.quantity / LOT_UNITS,
      side: trade.taker,
    });
    super.sendTrade(book, trade, id, timeMs);
  }

  #note(): void {
    const nowMs = systemClock.now();
    for (const symbol of this.symbols) {
      const { bids, asks } = this.truth(symbol);
      const flat = (side: typeof bids) =>
        side.flatMap(([price, size]) => [parseUnits(price, TICK), parseUnits(size, LOT)]);
      const [allBids, allAsks] = [flat(bids), flat(asks)];
      for (const depth of DEPTHS) {
        const end = depth === 0 ? undefined : 2 * depth;
        const digest = digestOf(allBids.slice(0, end), allAsks.slice(0, end));
        const key = bookKey(instrumentOf(baseOf(symbol)), depth);
        const known = this.states.get(key);
        if (!known) this.states.set(key, { current: digest, endedMs: new Map() });
        else if (known.current !== digest) {
          known.endedMs.set(known.current, nowMs);
          known.current = digest;
        }
      }
    }
  }
}

let venue: KnownVenue | null = null;

const methods = {
  async start({ bases, tickMs }: VenueOptions): Promise<Endpoints & { readonly instruments: string[] }> {
    const symbols = bases.map((base, i) => ({
      ...{ symbol: `${base}/USD`, base, quote: 'USD' },
      price: `${100 * (i + 1)}`,
    }));
    venue = await new KnownVenue({ symbols, tickMs }).start();
    return { ...venue.endpoints, instruments: bases.map(instrumentOf) };
  },
  listeners: (): number => venue!.listeners,
  move(isMoving: boolean): void {
    venue!.isMoving = isMoving;
  },
  states: (): ByBook<TrueStates> => venue!.states,
  trades: (): Map<string, TrueTrade[]> => venue!.log,
};

export type Venue = typeof methods;

answerParent(methods);
