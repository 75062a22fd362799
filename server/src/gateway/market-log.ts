import type { CandleInterval } from '@depthwire/shared';
import type { MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { BookLog } from './book-log.ts';

/**
 * What a hub remembers of an instrument's market, whether or not anybody subscribes to it: clients come from another
 * gateway and go on here.
 */
export class MarketLog {
  readonly epoch: number;
  readonly book: BookLog;
  /** Trades there were when candles were last put right, by their interval. */
  readonly #candlesFrom = new Map<CandleInterval, number>();
  /** Trades there were when it began. */
  readonly #tradesFrom: number;

  /** @param market as it is: of what was before nothing is known */
  constructor({ epoch, book, tradeCount }: MarketView) {
    this.epoch = epoch;
    this.book = new BookLog(book.sequence);
    this.#tradesFrom = tradeCount;
  }

  onEvent(event: MarketEvent, market: MarketView): void {
    if (event.type === 'book-delta') this.book.add(event);
    else if (event.type === 'book-snapshot') this.book.restart(event.sequence);
    else if (event.type === 'candles') this.#candlesFrom.set(event.interval, market.tradeCount);
  }

  /** Candles with so many trades of the epoch may lack what was put right since, others do not. */
  candlesFrom(interval: CandleInterval): number {
    return this.#candlesFrom.get(interval) ?? this.#tradesFrom;
  }
}
