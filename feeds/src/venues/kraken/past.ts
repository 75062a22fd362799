import { candleIntervals, DepthwireError } from '@depthwire/shared';
import {
  checkIntegers,
  checkRows,
  checkTexts,
  isRecord,
  malformed,
  parseJson,
  show,
} from '../../core/frame-checks.ts';
import { queryUrl, tradePages } from '../../core/past.ts';
import type { CandleAsk, TradeAsk, VenueCandle, VenuePast, VenuePastTrade } from '../../core/venue.ts';

/** Candles that the venue keeps of each interval, the open one among them. */
const KEPT_CANDLES = 720;
const MAX_TRADES = 1_000;

/** REST names of currencies that the stream has other names of. */
const REST_NAMES: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' };

/**
 * The newest candles, and trades.
 * @see https://docs.kraken.com/api/docs/rest-api/get-ohlc-data
 * @see https://docs.kraken.com/api/docs/rest-api/get-recent-trades
 * @see https://docs.kraken.com/api/docs/guides/spot-rest-ratelimits: about a request a second for an address and pair
 */
export const past: VenuePast = {
  intervals: () => ['1m', '5m', '15m', '1h', '4h', '1d'],
  spacingMs: 1_200,
  candles(ask) {
    const seconds = candleIntervals[ask.interval];
    if (ask.toS <= ask.nowMs / 1_000 - KEPT_CANDLES * seconds) return null;
    return {
      url: routeUrl(ask, 'OHLC', { interval: seconds / 60, since: ask.fromS - 1 }),
      read: readCandles,
      next: () => null,
    };
  },
  trades(ask) {
    return tradePages(ask, {
      size: MAX_TRADES,
      // After this time, in nanoseconds.
      url: (fromMs) =>
        routeUrl(ask, 'Trades', { since: `${Math.max(0, fromMs - 1)}999999`, count: MAX_TRADES }),
      read: readTrades,
    });
  },
};

/** `BTC/USD` is `XBTUSD`. */
function routeUrl(
  { endpoints, instrument }: Pick<CandleAsk | TradeAsk, 'endpoints' | 'instrument'>,
  route: string,
  query: Readonly<Record<string, string | number>>,
): string {
  const pair = instrument.symbol
    .split('/')
    .map((name) => REST_NAMES[name] ?? name)
    .join('');
  return queryUrl(`${endpoints.rest}/0/public/${route}`, { pair, ...query });
}

// GET /0/public/OHLC?pair=XBTUSD&interval=60&since=1688671199
// {"error":[],"result":{"XXBTZUSD":[[1688671200,"30306.1","30306.2","30305.7","30305.7","30306.1","3.39243896",23]],
//   "last":1688672160}}
// Open time, open, high, low, close, average price, volume, trades; the last one is open.
function readCandles(body: string): VenueCandle[] {
  return readRows(body).map(([time, open, high, low, close, , volume, trades]) => {
    const candle = { time, open, high, low, close, volume, trades };
    checkIntegers(candle, ['time', 'trades']);
    checkTexts(candle, ['open', 'high', 'low', 'close', 'volume']);
    return candle as unknown as VenueCandle;
  });
}

// GET /0/public/Trades?pair=XBTUSD&since=1688669597827736900&count=1000
// {"error":[],"result":{"XXBTZUSD":[["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952]],
//   "last":"1688671969993150842"}}
// Price, size, time in seconds, buy or sell of the taker, market or limit, a field without meaning, id.
function readTrades(body: string): VenuePastTrade[] {
  return readRows(body).map(([price, size, time, side, , , id]) => {
    checkTexts({ price, size }, ['price', 'size']);
    checkIntegers({ id }, ['id']);
    if (typeof time !== 'number' || !Number.isFinite(time)) throw malformed('time', 'unix seconds', time);
    if (side !== 'b' && side !== 's') throw malformed('side', 'b or s', side);
    return {
      id: id as number,
      price: price as string,
      size: size as string,
      side: side === 'b' ? 'buy' : 'sell',
      timeMs: Math.floor(Math.round(time * 1e6) / 1_000), // by the microsecond, which the stream tells
    };
  });
}

/** @throws DepthwireError `venue_rejected`, `malformed_venue_frame` */
function readRows(body: string): readonly (readonly unknown[])[] {
  const answer = parseJson(body);
  if (!isRecord(answer) || !Array.isArray(answer.error)) throw malformed('error', 'an array', answer);
  const [error] = answer.error as unknown[];
  if (error !== undefined) throw new DepthwireError('venue_rejected', `Kraken: ${show(error)}`);
  if (!isRecord(answer.result)) throw malformed('result', 'an object', answer.result);
  const [key = 'pair'] = Object.keys(answer.result).filter((name) => name !== 'last');
  return checkRows(answer.result[key], key);
}
