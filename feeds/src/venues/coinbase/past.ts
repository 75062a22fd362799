import type { CandleInterval } from '@depthwire/shared';
import {
  checkRecords,
  checkTexts,
  isRecord,
  malformed,
  numberOf,
  parseJson,
} from '../../core/frame-checks.ts';
import { candleWindows, queryUrl } from '../../core/past.ts';
import type { TradeAsk, TradePage, VenueCandle, VenuePast, VenuePastTrade } from '../../core/venue.ts';
import { checkTrade, timeMs } from './parse.ts';

/** Most candles and trades of an answer. */
const MAX_CANDLES = 350;
const MAX_TRADES = 1_000;

const GRANULARITIES: Partial<Record<CandleInterval, string>> = {
  '1m': 'ONE_MINUTE',
  '5m': 'FIVE_MINUTE',
  '15m': 'FIFTEEN_MINUTE',
  '1h': 'ONE_HOUR',
  '1d': 'ONE_DAY',
};

/**
 * Candles, without a count of their trades, and trades. Answers may be a second old.
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-product-candles
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-market-trades
 */
export const past: VenuePast = {
  intervals: () => Object.keys(GRANULARITIES) as CandleInterval[],
  spacingMs: 300,
  candles(ask) {
    return candleWindows(ask, {
      size: MAX_CANDLES,
      url: (start, end) =>
        queryUrl(`${productUrl(ask)}/candles`, {
          start,
          end,
          granularity: GRANULARITIES[ask.interval]!,
          limit: MAX_CANDLES,
        }),
      read: readCandles,
    });
  },
  trades: (ask) => tradesUntil(ask, Math.ceil(ask.toMs / 1_000)),
};

/** The newest before a time in whole seconds, to which both ends are; then those before them. */
function tradesUntil(ask: TradeAsk, end: number): TradePage {
  const start = Math.floor(ask.fromMs / 1_000);
  return {
    url: queryUrl(`${productUrl(ask)}/ticker`, { limit: MAX_TRADES, start, end }),
    read(body) {
      const trades = readTrades(body);
      const { toMs } = ask;
      if (trades.length < MAX_TRADES) return { trades, fromMs: ask.fromMs, toMs, next: null };
      const oldestMs = trades[0]!.timeMs;
      const before = Math.floor(oldestMs / 1_000) + 1;
      const isStuck = before >= end; // a second that no page holds
      return {
        trades,
        fromMs: Math.floor(oldestMs) + 1,
        toMs,
        next: isStuck ? null : tradesUntil(ask, before),
      };
    },
  };
}

const productUrl = ({ endpoints, instrument }: Pick<TradeAsk, 'endpoints' | 'instrument'>) =>
  `${endpoints.rest}/api/v3/brokerage/market/products/${encodeURIComponent(instrument.symbol)}`;

// GET /api/v3/brokerage/market/products/BTC-USD/candles?start=1639508050&end=1639594450&granularity=FIVE_MINUTE
// {"candles":[{"start":"1639508050","low":"140.21","high":"140.21","open":"140.21","close":"140.21","volume":"0.0001"}]}
// Newest first; those without a trade are missing.
function readCandles(body: string): VenueCandle[] {
  return readList(body, 'candles').map((row) => {
    checkTexts(row, ['start', 'open', 'high', 'low', 'close', 'volume']);
    return { ...(row as unknown as VenueCandle), time: numberOf(row.start), trades: 0 };
  });
}

// GET /api/v3/brokerage/market/products/BTC-USD/ticker?limit=1000&start=1639508050&end=1639594450
// {"trades":[{"trade_id":"34b080bf-fcfd-445a-832b-46b5ddc65601","product_id":"BTC-USD","price":"140.91","size":"4",
//   "time":"2021-05-31T09:59:59.000Z","side":"BUY","exchange":""}],"best_bid":"291.13","best_ask":"292.40"}
// Newest first, and taken for what the stream sends: ids, times and the maker's side.
function readTrades(body: string): VenuePastTrade[] {
  const trades = readList(body, 'trades').map((row): VenuePastTrade => {
    const { tradeId: id, price, size, side, time } = checkTrade(row);
    const told = timeMs(time);
    if (told === null) throw malformed('time', 'a time', time);
    return { id, price, size, side: side === 'BUY' ? 'sell' : 'buy', timeMs: told };
  });
  return trades.reverse();
}

function readList(body: string, key: string): readonly Record<string, unknown>[] {
  const answer = parseJson(body);
  return checkRecords(isRecord(answer) ? answer[key] : undefined, key);
}
