import { unitsToNumber, type Candle, type Instrument, type Lots, type Ticks } from '@depthwire/shared';

const MINUTE_MS = 60_000;
/** The rolling window: 24 h in minutes. */
const WINDOW_MINUTES = 1_440;

interface Minute {
  readonly minute: number;
  readonly open: Ticks;
  high: Ticks;
  low: Ticks;
  close: Ticks;
  volume: number;
  turnover: number;
  trades: number;
}

export interface DayStatistics {
  readonly last: Ticks | null;
  readonly open: Ticks | null;
  readonly high: Ticks | null;
  readonly low: Ticks | null;
  readonly volume: Lots;
  readonly turnover: number;
  readonly trades: number;
}

/** Figures of the last 24 hours, rolling by the minute. */
export class RollingStatistics {
  #minutes: Minute[] = [];
  #last: Ticks | null = null;
  #closed: DayStatistics | null = null;

  add(instrument: Instrument, timeMs: number, price: Ticks, size: Lots): void {
    this.#last = price;
    const minute = Math.floor(timeMs / MINUTE_MS);
    const turnover = unitsToNumber(price, instrument.tick) * unitsToNumber(size, instrument.lot);
    let current = this.#minutes.at(-1);
    if (!current || minute > current.minute) {
      current = {
        minute,
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 0,
        turnover: 0,
        trades: 0,
      };
      this.#minutes.push(current);
      this.#closed = null;
    }
    // A late trade counts into the newest minute: the window is a day, the error at most seconds.
    current.high = Math.max(current.high, price) as Ticks;
    current.low = Math.min(current.low, price) as Ticks;
    current.close = price;
    current.volume += size;
    current.turnover += turnover;
    current.trades += 1;
  }

  /** History from one-minute candles, for the minutes before the first trade. */
  seed(instrument: Instrument, candles: readonly Candle[]): void {
    const firstLive = this.#minutes[0]?.minute ?? Infinity;
    const seeded = candles.filter((candle) => candle.time / 60 < firstLive).slice(-WINDOW_MINUTES);
    this.#minutes = [...seeded.map((candle) => minuteOf(instrument, candle)), ...this.#minutes];
    this.#last ??= seeded.at(-1)?.close ?? null;
    this.#closed = null;
  }

  /** Becomes what one-minute candles say; a minute whose trades were all seen here keeps its exact turnover. */
  take(instrument: Instrument, candles: readonly Candle[]): void {
    const seen = new Map(this.#minutes.map((minute) => [minute.minute, minute]));
    this.#minutes = candles.slice(-WINDOW_MINUTES).map((candle) => {
      const minute = seen.get(candle.time / 60);
      const isSame = minute && minute.trades === candle.trades && minute.volume === candle.volume;
      return isSame ? minute : minuteOf(instrument, candle);
    });
    this.#last ??= candles.at(-1)?.close ?? null;
    this.#closed = null;
  }

  at(nowMs: number): DayStatistics {
    const oldest = Math.floor(nowMs / MINUTE_MS) - WINDOW_MINUTES + 1;
    let expired = 0;
    while (expired < this.#minutes.length && this.#minutes[expired]!.minute < oldest) expired += 1;
    if (expired > 0) {
      this.#minutes.splice(0, expired);
      this.#closed = null;
    }
    const current = this.#minutes.at(-1);
    if (!current)
      return {
        last: this.#last,
        open: null,
        high: null,
        low: null,
        volume: 0 as Lots,
        turnover: 0,
        trades: 0,
      };
    this.#closed ??= sum(this.#minutes.slice(0, -1));
    const closed = this.#closed;
    return {
      last: this.#last,
      open: closed.open ?? current.open,
      high: Math.max(closed.high ?? current.high, current.high) as Ticks,
      low: Math.min(closed.low ?? current.low, current.low) as Ticks,
      volume: (closed.volume + current.volume) as Lots,
      turnover: closed.turnover + current.turnover,
      trades: closed.trades + current.trades,
    };
  }
}

function sum(minutes: readonly Minute[]): DayStatistics {
  let high: Ticks | null = null;
  let low: Ticks | null = null;
  let volume = 0;
  let turnover = 0;
  let trades = 0;
  for (const minute of minutes) {
    if (high === null || minute.high > high) high = minute.high;
    if (low === null || minute.low < low) low = minute.low;
    volume += minute.volume;
    turnover += minute.turnover;
    trades += minute.trades;
  }
  return { last: null, open: minutes[0]?.open ?? null, high, low, volume: volume as Lots, turnover, trades };
}

/** Turnover is taken at the candle's mean price. */
function minuteOf(instrument: Instrument, { time, open, high, low, close, volume, trades }: Candle): Minute {
  const mean = unitsToNumber((open + high + low + close) / 4, instrument.tick);
  const turnover = mean * unitsToNumber(volume, instrument.lot);
  return { minute: time / 60, open, high, low, close, volume, turnover, trades };
}
