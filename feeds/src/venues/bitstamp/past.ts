import { candleIntervals } from '@depthwire/shared';
import {
  checkRecords,
  checkTexts,
  isRecord,
  malformed,
  numberOf,
  parseJson,
} from '../../core/frame-checks.ts';
import { candleWindows, queryUrl } from '../../core/past.ts';
import type { VenueCandle, VenuePast } from '../../core/venue.ts';

/** Most candles of an answer. */
const MAX_ROWS = 1_000;

/**
 * Candles, without a count of their trades. No trades: `transactions` tells their times in whole seconds, where the stream
 * has microseconds, and none before the last day.
 * @see https://www.bitstamp.net/api/#tag/Market-info "Get OHLC data"
 */
export const past: VenuePast = {
  intervals: () => ['1m', '5m', '15m', '1h', '4h', '1d'],
  spacingMs: 200,
  candles(ask) {
    const { endpoints, instrument, interval } = ask;
    return candleWindows(ask, {
      size: MAX_ROWS,
      url: (start, end) =>
        queryUrl(`${endpoints.rest}/api/v2/ohlc/${encodeURIComponent(instrument.symbol)}/`, {
          step: candleIntervals[interval],
          limit: MAX_ROWS,
          start,
          end,
        }),
      read: readCandles,
    });
  },
};

// GET /api/v2/ohlc/btcusd/?step=60&limit=1&start=1693917300&end=1693917300
// {"data":{"ohlc":[{"close":"25732","high":"25732","low":"25731","open":"25731","timestamp":"1693917300",
//   "volume":"0.10263000"}],"pair":"BTC/USD"}}
function readCandles(body: string): VenueCandle[] {
  const answer = parseJson(body);
  const data = isRecord(answer) ? answer.data : undefined;
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  return checkRecords(data.ohlc, 'ohlc').map((row) => {
    checkTexts(row, ['timestamp', 'open', 'high', 'low', 'close', 'volume']);
    return { ...(row as unknown as VenueCandle), time: numberOf(row.timestamp), trades: 0 };
  });
}
