import type { Candle } from '../model/events.ts';
import type { Trade } from '../protocol/records.ts';

/** Most trades and candles that a subscription keeps. */
const MAX_TRADES = 500;
const MAX_CANDLES = 2_000;

/** Adds the latest trades at the end, in place, and drops the oldest beyond the bound. */
export function addTrades(trades: Trade[], latest: readonly Trade[]): void {
  for (const trade of latest) trades.push(trade);
  if (trades.length > MAX_TRADES) trades.splice(0, trades.length - MAX_TRADES);
}

/** Puts candles where their times belong, in place, and drops the oldest beyond the bound. */
export function putCandles(candles: Candle[], latest: readonly Candle[]): void {
  for (const candle of latest) putCandle(candles, candle);
  if (candles.length > MAX_CANDLES) candles.splice(0, candles.length - MAX_CANDLES);
}

/** Mostly the last one; a late trade changes, or makes, an earlier one. */
function putCandle(candles: Candle[], candle: Candle): void {
  let index = candles.length;
  while (index > 0 && candles[index - 1]!.time >= candle.time) index -= 1;
  candles.splice(index, candles[index]?.time === candle.time ? 1 : 0, candle);
}
