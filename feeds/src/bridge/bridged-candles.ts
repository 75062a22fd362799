import { candleIntervals, DepthwireError, type Candle, type Clock, type Instrument } from '@depthwire/shared';
import type { CandleQuery } from '../core/feed.ts';
import { checkNumbers } from '../core/frame-checks.ts';
import { MAX_PAST_PAGES, PAST_LIMIT_MS, toCandles } from '../core/past.ts';
import type { VenueCandle } from '../core/venue.ts';
import { decimalText } from './levels.ts';
import type { CcxtExchange } from './library.ts';
import type { VenuePause } from './venue-pause.ts';

/** Candles asked for at once; venues may give fewer. */
const PAGE = 500;

export interface BridgedCandlesOptions {
  /** One of its own, which spaces its requests by the library's rule. */
  readonly exchange: CcxtExchange;
  readonly clock: Clock;
  readonly pause: VenuePause;
  /** An error of the library as one of ours. */
  toTyped(error: unknown): DepthwireError;
}

/** Candles of the past as the library fetches them: rounded to the grid, one request at a time. */
export class BridgedCandles {
  readonly #options: BridgedCandlesOptions;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: BridgedCandlesOptions) {
    this.#options = options;
  }

  get isPossible(): boolean {
    const { exchange } = this.#options;
    return exchange.has.fetchOHLCV === true && typeof exchange.fetchOHLCV === 'function';
  }

  /** @throws DepthwireError `venue_http`, `venue_rejected`, `malformed_venue_frame` */
  async candles(symbol: string, instrument: Instrument, query: CandleQuery): Promise<Candle[]> {
    const { exchange, clock } = this.#options;
    const { interval, fromS, toS } = query;
    if (!this.isPossible || !Object.hasOwn(exchange.timeframes ?? {}, interval)) return [];
    const endS = Math.min(toS, clock.now() / 1_000);
    const dueMs = clock.now() + PAST_LIMIT_MS;
    const rows: VenueCandle[] = [];
    let sinceS = Math.max(0, Math.ceil(fromS));
    for (let page = 0; sinceS < endS; page++) {
      if (page >= MAX_PAST_PAGES) throw new DepthwireError('venue_http', `${symbol}: too many candles`);
      const found = await this.#inTurn(dueMs, () =>
        exchange.fetchOHLCV!(symbol, interval, sinceS * 1_000, PAGE),
      );
      const told = found.map((row) => readCandle(row, instrument));
      rows.push(...told);
      const lastS = Math.max(...told.map(({ time }) => time));
      if (lastS < sinceS) break; // there are no later ones
      sinceS = lastS + candleIntervals[interval];
    }
    return toCandles(rows, { instrument, interval, fromS, toS }, false);
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Asks when all who came before have their answers, and the venue does not want to be left alone. */
  async #inTurn<T>(dueMs: number, ask: () => Promise<T>): Promise<T> {
    const { clock, pause, toTyped } = this.#options;
    const turn = this.#last.then(async () => {
      if (this.#isClosed || clock.now() >= dueMs || pause.isOn)
        throw new DepthwireError('venue_http', 'ccxt: candles of the past cannot be asked for now');
      return ask();
    });
    this.#last = turn.catch(() => undefined);
    const late = Promise.withResolvers<never>();
    const timer = clock.at(dueMs, () =>
      late.reject(new DepthwireError('venue_http', 'ccxt: no candles of the past came in time')),
    );
    try {
      return await Promise.race([turn, late.promise]);
    } catch (error) {
      throw toTyped(error);
    } finally {
      timer.cancel();
    }
  }
}

/** The library's numbers are floating-point ones: they are brought to the grid as those of its books are. */
function readCandle(row: readonly unknown[], { tick, lot }: Instrument): VenueCandle {
  const [time, open, high, low, close, volume] = row;
  const figures = { time, open, high, low, close, volume };
  checkNumbers(figures);
  return {
    time: figures.time / 1_000,
    open: decimalText(figures.open, tick),
    high: decimalText(figures.high, tick),
    low: decimalText(figures.low, tick),
    close: decimalText(figures.close, tick),
    volume: decimalText(figures.volume, lot),
    trades: 0,
  };
}
