import type { CandleInterval } from '@depthwire/shared';
import { checkIntegers, checkNumbers, checkRows, parseJson } from '../../core/frame-checks.ts';
import { numberText } from '../../core/number-text.ts';
import { candleWindows, queryUrl, tradePages } from '../../core/past.ts';
import type { VenueCandle, VenuePast, VenuePastTrade } from '../../core/venue.ts';
import { checkTrade } from './parse.ts';

/** Most rows of an answer. */
const MAX_ROWS = 10_000;

/** The venue has no candles of four hours. */
const FRAMES: Partial<Record<CandleInterval, string>> = {
  '1m': '1m',
  '5m': '5m',
  '15m': '15m',
  '1h': '1h',
  '1d': '1D',
};

/**
 * Candles, without a count of their trades, and trades.
 * @see https://docs.bitfinex.com/reference/rest-public-candles: 30 requests a minute
 * @see https://docs.bitfinex.com/reference/rest-public-trades: 15 requests a minute, which both are held to
 */
export const past: VenuePast = {
  intervals: () => Object.keys(FRAMES) as CandleInterval[],
  spacingMs: 4_000,
  candles(ask) {
    const { endpoints, instrument, interval } = ask;
    const key = `trade:${FRAMES[interval]}:${instrument.symbol}`;
    return candleWindows(ask, {
      size: MAX_ROWS,
      url: (fromS, lastS) =>
        queryUrl(`${endpoints.rest}/v2/candles/${encodeURIComponent(key)}/hist`, {
          start: fromS * 1_000,
          end: lastS * 1_000,
          limit: MAX_ROWS,
        }),
      read: readCandles,
    });
  },
  trades(ask) {
    const { symbol } = ask.instrument;
    return tradePages(ask, {
      size: MAX_ROWS,
      url: (start) =>
        queryUrl(`${ask.endpoints.rest}/v2/trades/${encodeURIComponent(symbol)}/hist`, {
          start,
          end: ask.toMs - 1,
          limit: MAX_ROWS,
          sort: 1,
        }),
      read: readTrades,
    });
  },
};

// GET /v2/candles/trade:1m:tBTCUSD/hist
// [[1678465320000,20097,20094,20097,20094,0.07870586]]
// Open time, open, close, high, low, volume; minutes without a trade are missing.
function readCandles(body: string): VenueCandle[] {
  return checkRows(parseJson(body), 'candles').map(([time, open, close, high, low, volume]) => {
    checkIntegers({ time }, ['time']);
    const figures = { open, high, low, close, volume };
    checkNumbers(figures);
    return {
      time: (time as number) / 1_000,
      open: numberText(figures.open),
      high: numberText(figures.high),
      low: numberText(figures.low),
      close: numberText(figures.close),
      volume: numberText(figures.volume),
      trades: 0,
    };
  });
}

// GET /v2/trades/tBTCUSD/hist?sort=1
// [[388063448,1567526214876,1.918524,10682]]: as on the stream
function readTrades(body: string): VenuePastTrade[] {
  return checkRows(parseJson(body), 'trades').map(checkTrade);
}
