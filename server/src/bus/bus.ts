import type { BookState, CandleInterval, FlatLevels, InstrumentId, Trade } from '@depthwire/shared';

export interface BookMove {
  readonly instrument: InstrumentId;
  /** The book's count of updates, this one included. */
  readonly sequence: number;
  readonly receiveTimeMs: number;
  /** When the engine took it, by the market clock. */
  readonly takenAtMs: number;
  readonly venueTimeMs: number | null;
  readonly bids: FlatLevels;
  readonly asks: FlatLevels;
}

/** What the engine tells everyone who serves clients. */
export type MarketEvent =
  /**
   * New, or changed. After a change of scale all that was known in ticks and lots begins anew; so does all that is counted
   * where the market is of another epoch than before.
   */
  | { readonly type: 'instrument'; readonly instrument: InstrumentId; readonly isRescaled: boolean }
  /** Absolute sizes to apply. The arrays are read before the call returns. */
  | ({ readonly type: 'book-delta' } & BookMove)
  /** The whole book was replaced. */
  | ({ readonly type: 'book-snapshot' } & BookMove)
  | {
      readonly type: 'book-state';
      readonly instrument: InstrumentId;
      readonly state: BookState;
      readonly reason: string | null;
    }
  | { readonly type: 'trade'; readonly instrument: InstrumentId; readonly trade: Trade }
  /** Candles of the past came, or were put right: what is held of them is to be taken anew. */
  | { readonly type: 'candles'; readonly instrument: InstrumentId; readonly interval: CandleInterval };

export type MarketEventHandler = (event: MarketEvent) => void;

/** Carries market events from the engine to gateways, in order. */
export interface Bus {
  publish(event: MarketEvent): void;
  /** @returns the function that ends the subscription */
  subscribe(handler: MarketEventHandler): () => void;
}

/** The bus of a single process: a call. */
export function createMemoryBus(): Bus {
  const handlers = new Set<MarketEventHandler>();
  return {
    publish(event) {
      for (const handler of handlers) handler(event);
    },
    subscribe(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
  };
}
