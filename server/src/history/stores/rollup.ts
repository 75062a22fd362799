import {
  candleIntervals,
  type Candle,
  type CandleInterval,
  type Lots,
  type Ticks,
  type Trade,
} from '@depthwire/shared';
import { capped, joinCandles } from '../../engine/candles.ts';
import { storedIntervals, type StoredInterval } from './store.ts';

/** What each interval is put together from when it is read. */
const bases: Readonly<Record<CandleInterval, StoredInterval>> = {
  '1s': '1s',
  '5s': '1s',
  '15s': '1s',
  '1m': '1m',
  '5m': '1m',
  '15m': '1m',
  '1h': '1h',
  '4h': '1h',
  '1d': '1d',
};

/** What is read for candles that opened before a time. */
export interface BaseQuery {
  readonly base: StoredInterval;
  /** Stored candles before this open time belong to candles that were asked for, unix seconds. */
  readonly endS: number;
  /** So many of the newest of them are enough. */
  readonly limit: number;
}

export function baseQuery(interval: CandleInterval, limit: number, beforeS: number): BaseQuery {
  const lengthS = candleIntervals[interval];
  const base = bases[interval];
  return {
    base,
    endS: Math.min(Math.ceil(beforeS / lengthS) * lengthS, Number.MAX_SAFE_INTEGER),
    limit: limit * (lengthS / candleIntervals[base]),
  };
}

/**
 * Candles of a longer interval. The first and last in time give open and close: shorter candles hold no more of the order of arrival.
 * @param candles of a shorter interval, oldest first
 */
export function aggregate(candles: readonly Candle[], interval: CandleInterval): Candle[] {
  const lengthS = candleIntervals[interval];
  const longer: Candle[] = [];
  for (const candle of candles) {
    const time = openTimeOf(candle.time, lengthS);
    const last = longer.at(-1);
    if (last?.time === time) longer[longer.length - 1] = joinCandles(last, candle);
    else longer.push({ ...candle, time });
  }
  return longer;
}

/** Open time of the newest candle of each stored interval that a series has; null before the first. */
export type NewestTimes = Record<StoredInterval, number | null>;

/** Finds a candle as it is stored. */
export type CandleLookup = (interval: StoredInterval, timeS: number) => Candle | undefined;

/**
 * Adds trades to the stored candles of a series, by the rule of the engine's (`server/src/engine/candles.ts`): the first to arrive
 * opens a candle, and one that comes late belongs to its candle but does not close it.
 */
export class CandleFold {
  /** Those that the trades changed, by open time. */
  readonly changed: Readonly<Record<StoredInterval, Map<number, Candle>>> = {
    '1s': new Map(),
    '1m': new Map(),
    '1h': new Map(),
    '1d': new Map(),
  };
  readonly newest: NewestTimes;
  /** Candles that were not there before. */
  added = 0;
  readonly #find: CandleLookup;

  constructor(newest: NewestTimes, find: CandleLookup) {
    this.newest = { ...newest };
    this.#find = find;
  }

  add({ timeMs, price, size }: Trade): void {
    for (const interval of storedIntervals) {
      const time = openTimeOf(timeMs / 1_000, candleIntervals[interval]);
      const newest = this.newest[interval];
      const found = this.changed[interval].get(time) ?? this.#find(interval, time);
      if (!found) this.added += 1;
      this.changed[interval].set(
        time,
        found
          ? {
              time,
              open: found.open,
              high: Math.max(found.high, price) as Ticks,
              low: Math.min(found.low, price) as Ticks,
              close: newest === null || time >= newest ? price : found.close,
              volume: capped(found.volume + size) as Lots,
              trades: capped(found.trades + 1),
            }
          : { time, open: price, high: price, low: price, close: price, volume: size, trades: 1 },
      );
      this.newest[interval] = Math.max(time, newest ?? time);
    }
  }
}

export function openTimeOf(timeS: number, lengthS: number): number {
  return Math.floor(timeS / lengthS) * lengthS;
}
