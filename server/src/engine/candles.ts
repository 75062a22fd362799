import {
  candleIntervals,
  type Candle,
  type CandleInterval,
  type Lots,
  type Ticks,
  type Trade,
} from '@depthwire/shared';

/** Candles kept for each interval of an instrument. */
export const MAX_CANDLES = 1_500;

/** The candles of one interval, oldest first. */
export class CandleSeries {
  readonly interval: CandleInterval;
  readonly #seconds: number;
  readonly #candles: Candle[] = [];

  constructor(interval: CandleInterval) {
    this.interval = interval;
    this.#seconds = candleIntervals[interval];
  }

  /** The last one is still open. */
  get all(): readonly Candle[] {
    return this.#candles;
  }

  /** Open time of the candle that a moment falls into, both unix seconds. */
  openTimeOf(timeS: number): number {
    return Math.floor(timeS / this.#seconds) * this.#seconds;
  }

  add(timeMs: number, price: Ticks, size: Lots): void {
    const time = this.openTimeOf(timeMs / 1000);
    const index = this.#indexFrom(time);
    const candle = this.#candles[index];
    if (candle?.time === time) {
      this.#candles[index] = {
        time,
        open: candle.open,
        high: Math.max(candle.high, price) as Ticks,
        low: Math.min(candle.low, price) as Ticks,
        // a late trade belongs to its candle but was not its last
        close: index === this.#candles.length - 1 ? price : candle.close,
        volume: capped(candle.volume + size) as Lots,
        trades: candle.trades + 1,
      };
      return;
    }
    if (index === 0 && this.#candles.length >= MAX_CANDLES) return; // older than all that is kept
    this.#candles.splice(index, 0, {
      time,
      open: price,
      high: price,
      low: price,
      close: price,
      volume: size,
      trades: 1,
    });
    if (this.#candles.length > MAX_CANDLES) this.#candles.shift();
  }

  /**
   * Puts history before what was traded since. Where history ends in the candle that live trades
   * began in, the two parts become one.
   * @param history oldest first, of times before the first live trade
   */
  seed(history: readonly Candle[]): void {
    const live = this.#candles.splice(0);
    const first = live[0];
    for (const candle of history) {
      if (first && candle.time > first.time) break;
      this.#candles.push(first && candle.time === first.time ? joinCandles(candle, live.shift()!) : candle);
    }
    this.#candles.push(...live);
    if (this.#candles.length > MAX_CANDLES) this.#candles.splice(0, this.#candles.length - MAX_CANDLES);
  }

  /**
   * Becomes what is stored.
   * @param stored oldest first
   * @param since trades that are not stored yet, in the order in which they came
   */
  take(stored: readonly Candle[], since: readonly Trade[]): void {
    this.#candles.splice(0, this.#candles.length, ...stored.slice(-MAX_CANDLES));
    for (const { timeMs, price, size } of since) this.add(timeMs, price, size);
  }

  /** The newest `limit` candles with an open time below `beforeS`. */
  latest(limit: number, beforeS: number = Infinity): Candle[] {
    const end = beforeS === Infinity ? this.#candles.length : this.#indexFrom(beforeS);
    return this.#candles.slice(Math.max(0, end - limit), end);
  }

  /** Candles that opened at `timeS` or later. */
  since(timeS: number): readonly Candle[] {
    return this.#candles.slice(this.#indexFrom(timeS));
  }

  /** Index of the first candle that opened at `timeS` or later; near the end, where trades come. */
  #indexFrom(timeS: number): number {
    let index = this.#candles.length;
    while (index > 0 && this.#candles[index - 1]!.time >= timeS) index -= 1;
    return index;
  }
}

/** The two parts of one candle. */
export function joinCandles(earlier: Candle, later: Candle): Candle {
  return {
    time: earlier.time,
    open: earlier.open,
    high: Math.max(earlier.high, later.high) as Ticks,
    low: Math.min(earlier.low, later.low) as Ticks,
    close: later.close,
    volume: capped(earlier.volume + later.volume) as Lots,
    trades: capped(earlier.trades + later.trades),
  };
}

/** Sums stay exact integers, as the protocol has them: past 2^53 they stand still. */
export const capped = (sum: number) => Math.min(sum, Number.MAX_SAFE_INTEGER);
