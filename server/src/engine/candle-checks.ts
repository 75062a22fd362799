import { candleIntervals, type Candle } from '@depthwire/shared';
import type { CandleQuery } from '@depthwire/feeds';

/**
 * What a feed says are the candles asked for: copies of them, or what is wrong with them.
 * @throws unknown what the answer throws when it is read
 */
export function checkCandles(answer: unknown, { interval, fromS, toS }: CandleQuery): Candle[] | string {
  if (!Array.isArray(answer)) return 'expected an array of candles';
  const seconds = candleIntervals[interval];
  const { length } = answer;
  if (!(length <= Math.ceil((toS - fromS) / seconds)))
    return `${length} candles of ${interval} from ${fromS} to ${toS}: there can't be so many`;
  const candles: Candle[] = [];
  for (let i = 0; i < length; i++) {
    const candle = (answer as (Candle | null | undefined)[])[i];
    if (typeof candle !== 'object' || candle === null) return `candle ${i}: expected an object`;
    const { time, open, high, low, close, volume, trades } = candle;
    if (!Number.isSafeInteger(time) || time % seconds !== 0)
      return `candle ${i}: time: expected unix seconds, a multiple of ${seconds}`;
    if (time < fromS || time >= toS) return `candle ${i}: ${time} is not from ${fromS} to ${toS}`;
    if (i > 0 && time <= candles[i - 1]!.time) return `candle ${i}: not in order, oldest first`;
    if (![open, high, low, close, volume, trades].every(Number.isSafeInteger))
      return `candle ${i}: expected whole ticks, lots and trades`;
    if (low > Math.min(open, close) || high < Math.max(open, close) || volume < 0 || trades < 0)
      return `candle ${i}: low, high, volume or trades cannot be so`;
    candles.push({ time, open, high, low, close, volume, trades });
  }
  return candles;
}
