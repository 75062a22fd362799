import type { Candle } from '@depthwire/shared';
import { BollingerBands, EMA, MACD, RSI, SMA } from 'trading-signals';
import { anchorOf } from './anchor.ts';
import { indicatorDescriptions, type Indicator, type Source } from './indicators.ts';

/** Takes the next candle, or the last anew, and writes a value for each line; NaN where there is none yet. */
type Step = (candle: Candle, index: number, isReplaced: boolean, out: number[]) => void;

/**
 * The values of one indicator, in ticks where they are prices: floating-point numbers, for drawing
 * only. A candle that is added or changed at the end costs one step, one before it all of them.
 */
export class IndicatorRun {
  /** A column for each line, aligned with the candles. */
  readonly columns: readonly number[][];
  readonly #indicator: Indicator;
  readonly #out: number[];
  #step: Step;
  #done = 0;
  #isLastOld = false;

  constructor(indicator: Indicator) {
    this.#indicator = indicator;
    this.columns = indicatorDescriptions[indicator.kind].lines.map(() => []);
    this.#out = this.columns.map(() => NaN);
    this.#step = stepOf(indicator);
  }

  /** How many candles are worked out. */
  get done(): number {
    return this.#done;
  }

  /** The candles from the index on are new or changed. */
  invalidate(from: number): void {
    if (from >= this.#done) return;
    if (from === this.#done - 1) {
      this.#isLastOld = true;
      return;
    }
    this.#step = stepOf(this.#indicator);
    this.#done = 0;
    this.#isLastOld = false;
    for (const column of this.columns) column.length = 0;
  }

  /**
   * Works on, some candles at most.
   * @returns whether all are done
   */
  advance(candles: readonly Candle[], most = Infinity): boolean {
    if (this.#isLastOld) {
      this.#isLastOld = false;
      this.#take(candles, this.#done - 1, true);
    }
    const end = Math.min(candles.length, this.#done + most);
    for (; this.#done < end; this.#done += 1) this.#take(candles, this.#done, false);
    return this.#done === candles.length;
  }

  #take(candles: readonly Candle[], index: number, isReplaced: boolean): void {
    this.#step(candles[index]!, index, isReplaced, this.#out);
    this.columns.forEach((column, line) => (column[index] = this.#out[line]!));
  }
}

function stepOf(indicator: Indicator): Step {
  switch (indicator.kind) {
    case 'sma': {
      const average = new SMA(indicator.length);
      return (candle, _, isReplaced, out) => {
        out[0] = average.update(priceOf(candle, indicator.source), isReplaced) ?? NaN;
      };
    }
    case 'ema': {
      const average = new EMA(indicator.length);
      return (candle, index, isReplaced, out) => {
        const value = average.update(priceOf(candle, indicator.source), isReplaced);
        out[0] = index < indicator.length - 1 ? NaN : value;
      };
    }
    case 'bollinger': {
      const bands = new BollingerBands(indicator.length, indicator.deviations);
      return (candle, _, isReplaced, out) => {
        const result = bands.update(priceOf(candle, indicator.source), isReplaced);
        out[0] = result?.upper ?? NaN;
        out[1] = result?.middle ?? NaN;
        out[2] = result?.lower ?? NaN;
      };
    }
    case 'rsi': {
      const strength = new RSI(indicator.length);
      return (candle, _, isReplaced, out) => {
        out[0] = strength.update(priceOf(candle, indicator.source), isReplaced) ?? NaN;
      };
    }
    case 'macd': {
      const { fast, slow, signal, source } = indicator;
      const macd = new MACD(new EMA(fast), new EMA(slow), new EMA(signal));
      return (candle, index, isReplaced, out) => {
        const result = macd.update(priceOf(candle, source), isReplaced);
        // The library tells a signal before it has as many values as it averages.
        const hasSignal = index >= slow + signal - 2;
        out[0] = result?.macd ?? NaN;
        out[1] = hasSignal ? (result?.signal ?? NaN) : NaN;
        out[2] = hasSignal ? (result?.histogram ?? NaN) : NaN;
      };
    }
    case 'vwap':
      return vwap(indicator.anchor);
  }
}

/**
 * Of typical prices, from each anchor on. Not the library's, which knows no anchor and takes back the wrong candle
 * where the last had no volume before it was replaced.
 */
function vwap(anchor: Extract<Indicator, { kind: 'vwap' }>['anchor']): Step {
  let since = NaN;
  let turnover = 0;
  let volume = 0;
  /** Without the last candle, which may come again. */
  let before = { since, turnover, volume };
  return (candle, _, isReplaced, out) => {
    if (isReplaced) ({ since, turnover, volume } = before);
    else before = { since, turnover, volume };
    const start = anchorOf(candle.time, anchor);
    if (start !== since) {
      since = start;
      turnover = 0;
      volume = 0;
    }
    turnover += priceOf(candle, 'hlc3') * candle.volume;
    volume += candle.volume;
    out[0] = volume > 0 ? turnover / volume : NaN;
  };
}

function priceOf({ open, high, low, close }: Candle, source: Source): number {
  switch (source) {
    case 'open':
      return open;
    case 'high':
      return high;
    case 'low':
      return low;
    case 'close':
      return close;
    case 'hl2':
      return (high + low) / 2;
    case 'hlc3':
      return (high + low + close) / 3;
    case 'ohlc4':
      return (open + high + low + close) / 4;
  }
}
