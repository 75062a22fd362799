import { candleIntervals } from '@depthwire/shared';
import {
  checkIntegers,
  checkRecords,
  checkRows,
  checkTexts,
  malformed,
  parseJson,
} from '../../core/frame-checks.ts';
import { candleWindows, newestTrades, queryUrl, tradesFrom } from '../../core/past.ts';
import type { TradeAsk, TradePage, VenueCandle, VenuePast, VenuePastTrade } from '../../core/venue.ts';
import { PATHS, WEIGHT_MS } from './subscribe.ts';
import { isSpot, type Market } from './symbols.ts';

/** Most rows of an answer. */
const MAX_ROWS = 1_000;
/** COIN-M tells candles of no more than 200 days at once. */
const COINM_WINDOW_S = 200 * 86_400;
/** Aggregate trades are told of less than an hour at once. */
const TRADES_WINDOW_MS = 3_600_000 - 1;
/** Old trades weigh 25 of spot's 6,000 a minute, aggregate ones 20 of the 2,400 of futures. */
const PAST_WEIGHT = 50;

/**
 * Candles, and the trades that the stream tells: raw ones on spot, aggregate ones of futures. Binance.US tells old raw trades
 * only to who has a key: there it is the newest thousand.
 * @see https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints "Kline/Candlestick
 *   data", "Old trade lookup", "Compressed/Aggregate trades list"
 * @see https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
 * @see https://docs.binance.us "Get Recent Trades"
 */
export const past: VenuePast = {
  intervals: (market) => [
    ...(isSpot(market as Market) ? (['1s'] as const) : []),
    ...(['1m', '5m', '15m', '1h', '4h', '1d'] as const),
  ],
  spacingMs: PAST_WEIGHT * WEIGHT_MS,
  candles(ask) {
    const { interval, instrument } = ask;
    const market = ask.market as Market;
    const most = market === 'coinm' ? COINM_WINDOW_S / candleIntervals[interval] : MAX_ROWS;
    return candleWindows(ask, {
      size: Math.min(most, MAX_ROWS),
      url: (fromS, lastS) =>
        urlOf(ask, 'klines', {
          symbol: instrument.symbol,
          interval,
          startTime: fromS * 1_000,
          endTime: lastS * 1_000,
          limit: MAX_ROWS,
        }),
      read: readCandles,
    });
  },
  trades(ask) {
    if (ask.market === 'spot') return oldTrades(ask);
    return ask.market === 'us' ? recentTrades(ask) : aggregateTrades(ask, ask.fromMs);
  },
};

/** Raw trades are told by id: that of the first is found by the aggregate trade that it is a part of. */
function oldTrades(ask: TradeAsk, fromMs = ask.fromMs): TradePage {
  const endMs = Math.min(ask.toMs, fromMs + TRADES_WINDOW_MS);
  return {
    url: aggregateUrl(ask, fromMs, endMs, 1),
    read(body) {
      const first = readRows(body)[0];
      if (first === undefined)
        return { ...tradesFrom(ask, [], null), toMs: endMs, next: after(ask, endMs, oldTrades) };
      checkIntegers(first, ['f']);
      return { ...tradesFrom(ask, [], null), toMs: ask.fromMs, next: oldTradesFrom(ask, first.f as number) };
    },
  };
}

function oldTradesFrom(ask: TradeAsk, fromId: number): TradePage {
  const { symbol } = ask.instrument;
  return {
    url: urlOf(ask, 'historicalTrades', { symbol, fromId, limit: MAX_ROWS }),
    read: (body) => pageById(ask, readRows(body).map(rawTrade), oldTradesFrom),
  };
}

function recentTrades(ask: TradeAsk): TradePage {
  const { symbol } = ask.instrument;
  return {
    url: urlOf(ask, 'trades', { symbol, limit: MAX_ROWS }),
    read: (body) => newestTrades(ask, readRows(body).map(rawTrade), MAX_ROWS),
  };
}

/** The first page by time, the others by id, so that none of the same millisecond is left out. */
function aggregateTrades(ask: TradeAsk, fromMs: number): TradePage {
  const endMs = Math.min(ask.toMs, fromMs + TRADES_WINDOW_MS);
  return {
    url: aggregateUrl(ask, fromMs, endMs, MAX_ROWS),
    read(body) {
      const trades = readRows(body).map(aggregateTrade);
      const last = trades.at(-1);
      if (trades.length < MAX_ROWS && endMs === ask.toMs) return tradesFrom(ask, trades, null);
      if (last) return tradesFrom(ask, trades, aggregateTradesFrom(ask, (last.id as number) + 1));
      return { ...tradesFrom(ask, [], null), toMs: endMs, next: after(ask, endMs, aggregateTrades) };
    },
  };
}

function aggregateTradesFrom(ask: TradeAsk, fromId: number): TradePage {
  const { symbol } = ask.instrument;
  return {
    url: urlOf(ask, 'aggTrades', { symbol, fromId, limit: MAX_ROWS }),
    read: (body) => pageById(ask, readRows(body).map(aggregateTrade), aggregateTradesFrom),
  };
}

/** The page of what follows on a stretch without trades. */
function after(ask: TradeAsk, endMs: number, page: (ask: TradeAsk, fromMs: number) => TradePage) {
  return endMs < ask.toMs ? page(ask, endMs) : null;
}

/** Ids count up by one: after a page that is not full, or that reaches past the query, there is no more. */
function pageById(
  ask: TradeAsk,
  trades: readonly VenuePastTrade[],
  page: (ask: TradeAsk, fromId: number) => TradePage,
) {
  const last = trades.at(-1);
  const isLast = trades.length < MAX_ROWS || last!.timeMs >= ask.toMs;
  return tradesFrom(ask, trades, isLast ? null : page(ask, (last!.id as number) + 1));
}

function aggregateUrl(ask: TradeAsk, fromMs: number, endMs: number, limit: number): string {
  const { symbol } = ask.instrument;
  return urlOf(ask, 'aggTrades', { symbol, startTime: fromMs, endTime: endMs - 1, limit });
}

function urlOf(
  { market, endpoints }: Pick<TradeAsk, 'market' | 'endpoints'>,
  route: string,
  query: Readonly<Record<string, string | number>>,
): string {
  return queryUrl(`${endpoints.rest}${PATHS[market as Market]}/${route}`, query);
}

// GET /api/v3/klines?symbol=BNBBTC&interval=1m
// [[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,
//   "2434.19055334",308,"1756.87402397","28.46694368","0"]]
// Open time, open, high, low, close, volume (contracts on COIN-M), close time, quote volume, trades, …
function readCandles(body: string): VenueCandle[] {
  return checkRows(parseJson(body), 'klines').map(([openMs, open, high, low, close, volume, , , trades]) => {
    const candle = { time: openMs, open, high, low, close, volume, trades };
    checkIntegers(candle, ['time', 'trades']);
    checkTexts(candle, ['open', 'high', 'low', 'close', 'volume']);
    return { ...(candle as unknown as VenueCandle), time: (openMs as number) / 1_000 };
  });
}

// GET /api/v3/historicalTrades?symbol=BNBBTC&fromId=28457, and /api/v3/trades
// [{"id":28457,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.000012","time":1499865549590,
//   "isBuyerMaker":true,"isBestMatch":true}]
function rawTrade(row: Record<string, unknown>): VenuePastTrade {
  checkIntegers(row, ['id', 'time']);
  checkTexts(row, ['price', 'qty']);
  return tradeOf(row.id, row.price, row.qty, row.time, 'isBuyerMaker', row.isBuyerMaker);
}

// GET /fapi/v1/aggTrades?symbol=BTCUSDT&startTime=1498793709000&endTime=1498793710000
// [{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true}]
function aggregateTrade(row: Record<string, unknown>): VenuePastTrade {
  checkIntegers(row, ['a', 'T']);
  checkTexts(row, ['p', 'q']);
  return tradeOf(row.a, row.p, row.q, row.T, 'm', row.m);
}

/** @param isBuyerMaker then the taker sold */
function tradeOf(
  id: unknown,
  price: unknown,
  size: unknown,
  timeMs: unknown,
  key: string,
  isBuyerMaker: unknown,
): VenuePastTrade {
  if (typeof isBuyerMaker !== 'boolean') throw malformed(key, 'true or false', isBuyerMaker);
  const trade = { id, price, size, timeMs } as Omit<VenuePastTrade, 'side'>;
  return { ...trade, side: isBuyerMaker ? 'sell' : 'buy' };
}

function readRows(body: string): readonly Record<string, unknown>[] {
  return checkRecords(parseJson(body), 'trades');
}
