import type { EmulatedCandle, EmulatedTrade, PastAnswer, PastQuery } from '../past-log.ts';
import type { BybitMarket } from './topics.ts';

const MAX_LIMIT = 1_000;
const MAX_SPOT_TRADES = 60;
const DEFAULT_KLINES = 200;
const SECONDS: Readonly<Record<string, number>> = {
  '1': 60,
  '5': 300,
  '15': 900,
  '60': 3_600,
  '240': 14_400,
  D: 86_400,
};

export interface BybitPast {
  readonly market: BybitMarket;
  readonly nowMs: number;
  trades(symbol: string): readonly EmulatedTrade[] | null;
  candles(symbol: string, seconds: number): readonly EmulatedCandle[];
}

/** `kline` and `recent-trade`, newest first. */
export function bybitPast(path: string, query: PastQuery, past: BybitPast): PastAnswer | null {
  const [, route] = /^\/v5\/market\/(kline|recent-trade)$/.exec(path) ?? [];
  if (route === undefined) return null;
  const [symbol, category] = [query.text('symbol'), query.text('category')];
  const answer = (retCode: number, retMsg: string, result: object) => {
    return { retCode, retMsg, result, retExtInfo: {}, time: past.nowMs };
  };
  const refuse = (retMsg: string): PastAnswer => ({ status: 200, refusal: answer(10001, retMsg, {}) });
  const trades = category === past.market ? past.trades(symbol) : null;
  if (trades === null) return refuse('Not supported symbols');
  const rowsAs = (rows: readonly unknown[]): PastAnswer => {
    return { rows, body: (list) => answer(0, 'OK', { symbol, category, list }) };
  };
  if (route === 'recent-trade') {
    const most = category === 'spot' ? MAX_SPOT_TRADES : MAX_LIMIT;
    if (!query.isLimit('limit', MAX_SPOT_TRADES, most)) return refuse('Limit is invalid');
    return rowsAs(trades.slice(-query.integer('limit', MAX_SPOT_TRADES)).reverse().map(tradeOf));
  }
  const seconds = SECONDS[query.text('interval')];
  if (seconds === undefined) return refuse('Invalid interval');
  if (!query.isLimit('limit', DEFAULT_KLINES, MAX_LIMIT)) return refuse('Limit is invalid');
  const [start, end] = [query.integer('start', 0), query.integer('end', Infinity)];
  const found = past
    .candles(symbol, seconds)
    .filter(({ time }) => time * 1_000 >= start && time * 1_000 <= end)
    .slice(-query.integer('limit', DEFAULT_KLINES))
    .reverse();
  return rowsAs(
    found.map(({ time, open, high, low, close, volume, turnover }) => {
      return [String(time * 1_000), open, high, low, close, volume, String(turnover)];
    }),
  );
}

function tradeOf({ id, symbol, price, size, side, timeMs }: EmulatedTrade) {
  const [execId, time] = [String(id), String(timeMs)];
  return { execId, symbol, price, size, side: side === 'buy' ? 'Buy' : 'Sell', time, isBlockTrade: false };
}
