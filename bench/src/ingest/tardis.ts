import { loadPeer } from '../harness/peers.ts';
import type { Pass } from './pass.ts';

interface Level {
  readonly price: number;
  readonly amount: number;
}

interface Normalized {
  readonly type: string;
  readonly symbol: string;
}

interface Mapper {
  canHandle(message: unknown): boolean;
  map(message: unknown, localTimestamp: Date): Iterable<Normalized> | undefined;
}

interface Tardis {
  readonly OrderBook: new () => {
    update(change: Normalized): void;
    bids(): Iterable<Level>;
    asks(): Iterable<Level>;
  };
  normalizeBookChanges(exchange: string, localTimestamp: Date): Mapper;
  normalizeTrades(exchange: string, localTimestamp: Date): Mapper;
}

/** Recordings through tardis-dev's mappers of the venue, and its order book. */
export async function createTardis(): Promise<Pass> {
  const tardis = await loadPeer<Tardis>('tardis-dev');
  return ({ instruments, arrivals }) => {
    const books = new Map(instruments.map(({ symbol }) => [symbol, new tardis.OrderBook()]));
    const mappers = [
      tardis.normalizeBookChanges('binance-futures', new Date()),
      tardis.normalizeTrades('binance-futures', new Date()),
    ];
    for (const arrival of arrivals) {
      const message: unknown =
        arrival.kind === 'frame'
          ? JSON.parse(arrival.text)
          : {
              stream: `${arrival.symbol.toLowerCase()}@depthSnapshot`,
              generated: true,
              data: JSON.parse(arrival.body),
            };
      const now = new Date();
      for (const mapper of mappers) {
        if (!mapper.canHandle(message)) continue;
        for (const event of mapper.map(message, now) ?? [])
          if (event.type === 'book_change') books.get(event.symbol)?.update(event);
      }
    }
    return (hash) => {
      for (const [symbol, book] of books)
        hash.add(symbol, { bids: pairsOf(book.bids()), asks: pairsOf(book.asks()) });
    };
  };
}

const pairsOf = (levels: Iterable<Level>) => [...levels].map(({ price, amount }) => [price, amount] as const);
