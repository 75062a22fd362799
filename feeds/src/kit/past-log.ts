import type { AggressorSide } from '@depthwire/shared';
import { textUnits, unitsText } from './truth-book.ts';

/** A trade as it was. */
export interface EmulatedTrade {
  readonly symbol: string;
  readonly id: number;
  /** Of the taker. */
  readonly side: AggressorSide;
  readonly price: string;
  readonly size: string;
  /** Unix milliseconds. */
  readonly timeMs: number;
}

/** What the trades of an interval add up to. */
export interface EmulatedCandle {
  /** Unix seconds. */
  readonly time: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  /** Sum of price times size, a figure. */
  readonly turnover: number;
  readonly trades: number;
}

/** What a venue answers to a request of the past: rows, or a refusal. */
export type PastAnswer =
  | { readonly rows: readonly unknown[]; body(rows: readonly unknown[]): unknown }
  | { readonly status: number; readonly refusal: unknown };

/** Numbers of a query, in plain digits. */
export class PastQuery {
  readonly #params: URLSearchParams;

  constructor(url: URL) {
    this.#params = url.searchParams;
  }

  text(key: string): string {
    return this.#params.get(key) ?? '';
  }

  has(key: string): boolean {
    return this.#params.has(key);
  }

  /** @returns NaN where it is no whole number, the default where it is missing */
  integer(key: string, fallback: number): number {
    const text = this.#params.get(key);
    if (text === null) return fallback;
    return /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  }

  /** Whether a number of rows is one that the venue takes. */
  isLimit(key: string, fallback: number, most: number): boolean {
    const limit = this.integer(key, fallback);
    return limit >= 1 && limit <= most;
  }
}

/** Candles of so many seconds out of trades, oldest first; there are none of intervals without a trade. */
export function candlesOf(trades: readonly EmulatedTrade[], seconds: number): EmulatedCandle[] {
  const byTime = new Map<number, EmulatedTrade[]>();
  for (const trade of trades) {
    const time = Math.floor(trade.timeMs / 1_000 / seconds) * seconds;
    const known = byTime.get(time);
    if (known) known.push(trade);
    else byTime.set(time, [trade]);
  }
  return [...byTime].map(([time, all]) => {
    const prices = all.map(({ price }) => textUnits(price));
    return {
      time,
      open: all[0]!.price,
      high: unitsText(Math.max(...prices)),
      low: unitsText(Math.min(...prices)),
      close: all.at(-1)!.price,
      volume: unitsText(all.reduce((sum, { size }) => sum + textUnits(size), 0)),
      turnover: all.reduce((sum, { price, size }) => sum + Number(price) * Number(size), 0),
      trades: all.length,
    };
  });
}
