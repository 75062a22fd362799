import { DepthwireError, type CandleInterval } from '@depthwire/shared';
import {
  checkRecords,
  checkRows,
  checkTexts,
  isRecord,
  malformed,
  numberOf,
  parseJson,
  show,
} from '../../core/frame-checks.ts';
import { candleWindows, newestTrades, queryUrl } from '../../core/past.ts';
import type { VenueCandle, VenuePast, VenuePastTrade } from '../../core/venue.ts';

/** Most candles of an answer, and the newest trades that are told. */
const MAX_ROWS = 1_000;
const MAX_SPOT_TRADES = 60;

const INTERVALS: Partial<Record<CandleInterval, string>> = {
  '1m': '1',
  '5m': '5',
  '15m': '15',
  '1h': '60',
  '4h': '240',
  '1d': 'D',
};

/**
 * Candles, without a count of their trades, and the newest trades: there are no others to be had.
 * @see https://bybit-exchange.github.io/docs/v5/market/kline
 * @see https://bybit-exchange.github.io/docs/v5/market/recent-trade
 */
export const past: VenuePast = {
  intervals: () => Object.keys(INTERVALS) as CandleInterval[],
  spacingMs: 200,
  candles(ask) {
    const { endpoints, instrument, interval, market } = ask;
    return candleWindows(ask, {
      size: MAX_ROWS,
      url: (fromS, lastS) =>
        queryUrl(`${endpoints.rest}/v5/market/kline`, {
          category: market,
          symbol: instrument.symbol,
          interval: INTERVALS[interval]!,
          start: fromS * 1_000,
          end: lastS * 1_000,
          limit: MAX_ROWS,
        }),
      read: readCandles,
    });
  },
  trades(ask) {
    const { endpoints, instrument, market } = ask;
    const size = market === 'spot' ? MAX_SPOT_TRADES : MAX_ROWS;
    return {
      url: queryUrl(`${endpoints.rest}/v5/market/recent-trade`, {
        category: market,
        symbol: instrument.symbol,
        limit: size,
      }),
      read(body) {
        const rows = checkRecords(readList(body), 'list').toReversed();
        const known = newestTrades(ask, rows.map(tradeOf), size);
        // Block trades are left out as they are of the stream, but they take room in the answer.
        return { ...known, trades: known.trades.filter((_, i) => rows[i]!.isBlockTrade !== true) };
      },
    };
  },
};

// GET /v5/market/kline?category=inverse&symbol=BTCUSD&interval=60
// {"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSD","category":"inverse","list":[["1670608800000","17071",
//   "17073","17027","17055.5","268611","15.74462667"]]},"time":1672025956592}
// Open time, open, high, low, close, volume in the units of sizes, turnover; newest first.
function readCandles(body: string): VenueCandle[] {
  return checkRows(readList(body), 'list').map(([startTime, open, high, low, close, volume]) => {
    const candle = { open, high, low, close, volume };
    checkTexts(candle, Object.keys(candle));
    return { ...(candle as unknown as VenueCandle), time: numberOf(startTime) / 1_000, trades: 0 };
  });
}

// GET /v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=1
// {"retCode":0,"retMsg":"OK","result":{"category":"spot","list":[{"execId":"2100000000007764263","symbol":"BTCUSDT",
//   "price":"16618.49","size":"0.00012","side":"Buy","time":"1672052955758","isBlockTrade":false}]}}
// Newest first; `execId` is `i` of the stream.
function tradeOf(row: Record<string, unknown>): VenuePastTrade {
  checkTexts(row, ['execId', 'price', 'size', 'time']);
  if (row.side !== 'Buy' && row.side !== 'Sell') throw malformed('side', 'Buy or Sell', row.side);
  const timeMs = numberOf(row.time);
  if (!Number.isSafeInteger(timeMs)) throw malformed('time', 'unix milliseconds', row.time);
  return {
    id: row.execId as string,
    price: row.price as string,
    size: row.size as string,
    side: row.side === 'Buy' ? 'buy' : 'sell',
    timeMs,
  };
}

/** @throws DepthwireError `venue_rejected`, `malformed_venue_frame` */
function readList(body: string): unknown {
  const answer = parseJson(body);
  if (!isRecord(answer)) throw malformed('answer', 'an object', answer);
  if (answer.retCode !== 0)
    throw new DepthwireError('venue_rejected', `Bybit: ${show(answer.retCode)}: ${show(answer.retMsg)}`);
  return isRecord(answer.result) ? answer.result.list : undefined;
}
