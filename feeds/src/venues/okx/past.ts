import { candleIntervals, DepthwireError, type CandleInterval } from '@depthwire/shared';
import {
  checkRows,
  checkTexts,
  isRecord,
  malformed,
  numberOf,
  parseJson,
  show,
} from '../../core/frame-checks.ts';
import { candleWindows, queryUrl } from '../../core/past.ts';
import type { VenueCandle, VenuePast } from '../../core/venue.ts';

/** Most candles of an answer. */
const MAX_ROWS = 100;
/** `candles` tells so many of the newest, the open one among them; older ones `history-candles`. */
const RECENT_CANDLES = 1_440;

/** Days are those of UTC: `1D` is one of Hong Kong. */
const BARS: Partial<Record<CandleInterval, string>> = {
  '1s': '1s',
  '1m': '1m',
  '5m': '5m',
  '15m': '15m',
  '1h': '1H',
  '4h': '4H',
  '1d': '1Dutc',
};

/**
 * Candles, without a count of their trades. No trades: on the stream one may stand for several that a single order made, and
 * has the id of the last, while REST tells each of them.
 * @see https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks
 * @see https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks-history: 20 requests in 2 s
 */
export const past: VenuePast = {
  /** There are no seconds of options. */
  intervals: (market) =>
    (Object.keys(BARS) as CandleInterval[]).filter((bar) => bar !== '1s' || market !== 'option'),
  spacingMs: 200,
  candles(ask) {
    const { endpoints, instrument, interval, nowMs } = ask;
    const seconds = candleIntervals[interval];
    return candleWindows(ask, {
      size: MAX_ROWS,
      url(fromS, lastS) {
        const isRecent = fromS > nowMs / 1_000 - (RECENT_CANDLES - 1) * seconds;
        return queryUrl(`${endpoints.rest}/api/v5/market/${isRecent ? 'candles' : 'history-candles'}`, {
          instId: instrument.symbol,
          bar: BARS[interval]!,
          before: fromS * 1_000 - 1, // those that opened later
          after: lastS * 1_000 + 1, // those that opened earlier
          limit: MAX_ROWS,
        });
      },
      read: readCandles,
    });
  },
};

// GET /api/v5/market/candles?instId=BTC-USDT&bar=1m
// {"code":"0","msg":"","data":[["1597026383085","3.721","3.743","3.677","3.708","8422410","22698348.04828491",
//   "12698348.04828491","0"]]}
// Open time, open, high, low, close, volume in the units of sizes, in the base and in the quote currency, whether it
// has ended; newest first.
function readCandles(body: string): VenueCandle[] {
  const answer = parseJson(body);
  if (!isRecord(answer)) throw malformed('answer', 'an object', answer);
  if (answer.code !== '0')
    throw new DepthwireError('venue_rejected', `OKX: ${show(answer.code)}: ${show(answer.msg)}`);
  return checkRows(answer.data, 'data').map(([ts, open, high, low, close, volume]) => {
    const candle = { open, high, low, close, volume };
    checkTexts(candle, Object.keys(candle));
    return { ...(candle as unknown as VenueCandle), time: numberOf(ts) / 1_000, trades: 0 };
  });
}
