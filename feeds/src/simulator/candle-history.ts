import { candleIntervals } from '@depthwire/shared';
import type { Candle, CandleInterval, Lots, Ticks } from '@depthwire/shared';
import { pathLevelsS } from './price-path.ts';
import type { PricePath } from './price-path.ts';

/** Candles in one answer; a longer query gets the latest ones. */
const MAX_CANDLES = 20_000;

const DAY_S = 86_400;

interface MutableCandle {
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  trades: number;
}

/** The stretch of the path that is history: whole days at its start, whole seconds at its end. */
export interface HistoryRange {
  readonly fromS: number;
  readonly toS: number;
}

/** History of a simulator started at `startMs`. */
export function historyRange(startMs: number, historyDays: number): HistoryRange {
  const toS = Math.floor(startMs / 1000);
  return { fromS: Math.max(0, Math.floor(toS / DAY_S) - historyDays) * DAY_S, toS };
}

/**
 * Candles of the path whose open times lie in `[fromS, toS)`, oldest first. Nothing is missing
 * between them: an interval without trades is flat, with volume 0. A candle still open when the
 * history ends covers what there is of it, so that it can go on with the live trades.
 */
export function historyCandles(
  path: PricePath,
  interval: CandleInterval,
  fromS: number,
  toS: number,
  history: HistoryRange,
): Candle[] {
  const lengthS = candleIntervals[interval];
  const level = (pathLevelsS as readonly number[]).indexOf(lengthS);
  const end = Math.ceil(Math.min(toS, history.toS) / lengthS);
  const begin = Math.max(Math.ceil(Math.max(fromS, history.fromS) / lengthS), end - MAX_CANDLES);
  const candles: Candle[] = [];
  for (let index = begin; index < end; index++) {
    const openS = index * lengthS;
    const closeS = Math.min(openS + lengthS, history.toS);
    const candle = closeS - openS === lengthS ? path.bar(level, index) : sum(path, openS, closeS);
    candles.push({
      time: openS,
      open: candle.open as Ticks,
      high: candle.high as Ticks,
      low: candle.low as Ticks,
      close: candle.close as Ticks,
      volume: candle.volume as Lots,
      trades: candle.trades,
    });
  }
  return candles;
}

/** One candle of a stretch that no single bar covers, from the largest bars that fit. */
function sum(path: PricePath, fromS: number, toS: number): MutableCandle {
  let candle: MutableCandle | null = null;
  for (let timeS = fromS; timeS < toS;) {
    const level = pathLevelsS.findIndex((lengthS) => timeS % lengthS === 0 && timeS + lengthS <= toS);
    const lengthS = pathLevelsS[level]!;
    const bar = path.bar(level, timeS / lengthS);
    if (candle === null) {
      candle = { time: fromS, ...bar };
    } else {
      candle.high = Math.max(candle.high, bar.high);
      candle.low = Math.min(candle.low, bar.low);
      candle.close = bar.close;
      candle.volume += bar.volume;
      candle.trades += bar.trades;
    }
    timeS += lengthS;
  }
  return candle!;
}
