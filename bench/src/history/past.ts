import { candleIntervals, type Candle, type Lots, type Ticks, type Trade } from '@depthwire/shared';
import type { HistoryBatch, SeriesKey, StoredInterval } from '../../../server/src/history/stores/store.ts';
import { createRandom } from '../harness/random.ts';

/** How much of the past there is: of each instrument. */
export interface PastSize {
  readonly instruments: number;
  /** Seconds of trades, a few in each. */
  readonly seconds: number;
  readonly tradesASecond: number;
  /** Candles as a venue gives them, of the time before. */
  readonly candles: Readonly<Partial<Record<StoredInterval, number>>>;
}

const START_MS = 1_750_032_000_000;
/** Seconds of trades of all instruments that are written at once: as after a while in which the database was away. */
const BATCH_S = 50;

/** The same past each time, made as it is asked for. */
export class Past {
  readonly size: PastSize;
  readonly series: readonly SeriesKey[];
  readonly endMs: number;
  readonly #random = createRandom(17);
  readonly #prices: number[];
  #lastId = 0;

  constructor(size: PastSize) {
    this.size = size;
    this.series = Array.from({ length: size.instruments }, (_, i) => ({
      instrument: `bench:I${i}-USD`,
      tick: { units: 1, decimals: 2 },
      lot: { units: 1, decimals: 6 },
    }));
    this.#prices = this.series.map(() => 5_000_000);
    this.endMs = START_MS + size.seconds * 1_000;
  }

  get trades(): number {
    return this.size.instruments * this.size.seconds * this.size.tradesASecond;
  }

  /** Candles of before the trades, oldest first. */
  venueCandles(interval: StoredInterval): Candle[] {
    const lengthS = candleIntervals[interval];
    const endS = Math.floor(START_MS / 1_000 / lengthS) * lengthS;
    const count = this.size.candles[interval] ?? 0;
    return Array.from({ length: count }, (_, i) => {
      const open = 5_000_000 + this.#step(20_000);
      const close = open + this.#step(2_000);
      return {
        time: endS - (count - i) * lengthS,
        open: open as Ticks,
        high: (Math.max(open, close) + 100) as Ticks,
        low: (Math.min(open, close) - 100) as Ticks,
        close: close as Ticks,
        volume: Math.floor(this.#random() * 1e9) as Lots,
        trades: Math.floor(this.#random() * 5_000),
      };
    });
  }

  /** All trades, each batch some seconds of all instruments. */
  *batches(): Generator<HistoryBatch[]> {
    const { seconds } = this.size;
    for (let from = 0; from < seconds; from += BATCH_S) {
      const to = Math.min(seconds, from + BATCH_S);
      yield this.series.map((series, index) => ({
        series,
        trades: this.#tradesOf(index, START_MS + from * 1_000, to - from),
        heard: { fromMs: START_MS + from * 1_000, toMs: START_MS + to * 1_000 },
        columns: [],
      }));
    }
  }

  /** One second after the past, as a server writes it: trades and a column of each instrument. */
  liveBatch(second: number, data: Uint8Array): HistoryBatch[] {
    const fromMs = this.endMs + second * 1_000;
    return this.series.map((series, index) => ({
      series,
      trades: this.#tradesOf(index, fromMs, 1),
      heard: { fromMs, toMs: fromMs + 1_000 },
      columns: [{ time: fromMs, step: 5, data: data.map((byte, i) => (i % 7 === 0 ? byte ^ second : byte)) }],
    }));
  }

  #tradesOf(index: number, fromMs: number, seconds: number): Trade[] {
    const { tradesASecond } = this.size;
    return Array.from({ length: seconds * tradesASecond }, (_, i) => {
      const price = (this.#prices[index]! += this.#step(6));
      return {
        id: ++this.#lastId,
        price: price as Ticks,
        size: (1 + Math.floor(this.#random() * 5_000_000)) as Lots,
        side: this.#random() < 0.5 ? 'buy' : 'sell',
        timeMs: fromMs + Math.floor((i * 1_000) / tradesASecond),
      };
    });
  }

  #step(size: number): number {
    return Math.floor((this.#random() - 0.5) * size);
  }
}
