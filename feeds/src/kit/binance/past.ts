import type { EmulatedCandle, EmulatedTrade, PastAnswer, PastQuery } from '../past-log.ts';

const MAX_LIMIT = 1_000;
const MAX_KLINES = { spot: 1_000, us: 1_000, usdm: 1_500, coinm: 1_500 };
const DEFAULT_LIMIT = 500;
const HOUR_MS = 3_600_000;
const COINM_MAX_MS = 200 * 24 * HOUR_MS;
const SECONDS: Readonly<Record<string, number>> = {
  '1s': 1,
  '1m': 60,
  '5m': 300,
  '15m': 900,
  '1h': 3_600,
  '4h': 14_400,
  '1d': 86_400,
};

/** What the venue knows of a symbol. */
export interface BinancePast {
  readonly market: 'spot' | 'usdm' | 'coinm' | 'us';
  trades(symbol: string): readonly EmulatedTrade[] | null;
  candles(symbol: string, seconds: number): readonly EmulatedCandle[];
}

/**
 * `klines`, `aggTrades`, `historicalTrades` and `trades`.
 * @param route what follows on the version
 */
export function binancePast(route: string, query: PastQuery, past: BinancePast): PastAnswer | null {
  if (!['klines', 'aggTrades', 'historicalTrades', 'trades'].includes(route)) return null;
  const isSpot = past.market === 'spot' || past.market === 'us';
  const trades = past.trades(query.text('symbol'));
  if (trades === null) return refusal(-1121, 'Invalid symbol.');
  if (!query.isLimit('limit', DEFAULT_LIMIT, route === 'klines' ? MAX_KLINES[past.market] : MAX_LIMIT))
    return refusal(-1130, "Data sent for parameter 'limit' is not valid.");
  const limit = query.integer('limit', DEFAULT_LIMIT);
  const [startMs, endMs] = [query.integer('startTime', 0), query.integer('endTime', Infinity)];
  if (route === 'klines') {
    const seconds = SECONDS[query.text('interval')];
    if (seconds === undefined || (seconds === 1 && !isSpot)) return refusal(-1120, 'Invalid interval.');
    if (past.market === 'coinm' && endMs - startMs > COINM_MAX_MS)
      return refusal(-4088, 'Maximum time interval is 200 days.');
    const candles = past.candles(query.text('symbol'), seconds);
    const found = candles.filter(({ time }) => time * 1_000 >= startMs && time * 1_000 <= endMs);
    return list(found.slice(0, limit).map((candle) => klineOf(candle, seconds)));
  }
  if (route === 'trades') return list(trades.slice(-limit).map(rawTrade));
  const fromId = query.integer('fromId', Number.NaN);
  if (route === 'historicalTrades') {
    if (past.market !== 'spot') return refusal(-2014, 'API-key format invalid.');
    return list(
      trades
        .filter(({ id }) => id >= fromId)
        .slice(0, limit)
        .map(rawTrade),
    );
  }
  if (query.has('fromId'))
    return list(
      trades
        .filter(({ id }) => id >= fromId)
        .slice(0, limit)
        .map(aggregateTrade),
    );
  if (endMs - startMs >= HOUR_MS) return refusal(-1127, 'More than 1 hours between startTime and endTime.');
  const found = trades.filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs);
  return list(found.slice(0, limit).map(aggregateTrade));
}

function klineOf({ time, open, high, low, close, volume, trades }: EmulatedCandle, seconds: number) {
  const endMs = (time + seconds) * 1_000 - 1;
  return [time * 1_000, open, high, low, close, volume, endMs, '0', trades, '0', '0', '0'];
}

function rawTrade({ id, price, size, timeMs, side }: EmulatedTrade) {
  return { id, price, qty: size, quoteQty: '0', time: timeMs, isBuyerMaker: side === 'sell' };
}

function aggregateTrade({ id, price, size, timeMs, side }: EmulatedTrade) {
  return { a: id, p: price, q: size, f: id, l: id, T: timeMs, m: side === 'sell' };
}

const list = (rows: readonly unknown[]): PastAnswer => ({ rows, body: (shown) => shown });
const refusal = (code: number, msg: string): PastAnswer => ({ status: 400, refusal: { code, msg } });
