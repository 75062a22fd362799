// What is true of the market, and how a book, a tape and candles are held against it.
import { crc32, type Candle, type Lots, type OrderBook, type Ticks } from '@depthwire/shared';

/** Levels a side that clients ask for; 0 for all. */
export const DEPTHS = [10, 20, 50, 0] as const;
/** Ids of trades count up from here for each instrument. */
export const FIRST_TRADE_ID = 1_000;

export interface TrueTrade {
  readonly id: number;
  readonly timeMs: number;
  readonly price: number;
  readonly size: number;
  readonly side: 'buy' | 'sell';
}

/** By instrument and depth, see `bookKey`. */
export type ByBook<Value> = Map<string, Value>;

/** All states that a book ever had, as a client of one depth sees it. */
export interface TrueStates {
  readonly current: number;
  /** When each of them gave way to the next, unix milliseconds; the last time where it came back. */
  readonly endedMs: ReadonlyMap<number, number>;
}

export const bookKey = (instrument: string, depth: number): string => `${instrument} ${depth}`;

/** CRC-32 of all levels, ticks and lots, best first: the protocol's own checksum ends at the 25th. */
export function digestOf(bids: readonly number[], asks: readonly number[]): number {
  const levels = Float64Array.of(bids.length, ...bids, ...asks);
  return crc32(new Uint8Array(levels.buffer), levels.byteLength);
}

export const digestOfBook = ({ bids, asks }: OrderBook): number => digestOf(bids.toFlat(), asks.toFlat());

/** Candles of an interval as the trades make them, oldest first. */
export function candlesOf(trades: readonly TrueTrade[], seconds: number): Candle[] {
  const candles: Candle[] = [];
  for (const { timeMs, price, size } of trades) {
    const time = Math.floor(timeMs / 1000 / seconds) * seconds;
    const last = candles.at(-1);
    if (last?.time === time) {
      candles[candles.length - 1] = {
        ...last,
        high: Math.max(last.high, price) as Ticks,
        low: Math.min(last.low, price) as Ticks,
        close: price as Ticks,
        volume: (last.volume + size) as Lots,
        trades: last.trades + 1,
      };
      continue;
    }
    const ticks = price as Ticks;
    candles.push({
      time,
      open: ticks,
      high: ticks,
      low: ticks,
      close: ticks,
      volume: size as Lots,
      trades: 1,
    });
  }
  return candles;
}

const candleKeys = ['open', 'high', 'low', 'close', 'volume', 'trades'] as const;

export function isSameCandle(a: Candle, b: Candle): boolean {
  return a.time === b.time && candleKeys.every((key) => a[key] === b[key]);
}
