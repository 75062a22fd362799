import { DepthwireError, type CandleInterval } from '@depthwire/shared';
import { checkIntegers, checkNumbers, isRecord, malformed, parseJson } from '../../core/frame-checks.ts';
import { numberText } from '../../core/number-text.ts';
import { candleWindows, queryUrl, tradePages } from '../../core/past.ts';
import type { VenueCandle, VenuePast, VenuePastTrade } from '../../core/venue.ts';
import { checkTrades, describe } from './parse.ts';
import { isCombination, isInverse } from './symbols.ts';

/** Most candles asked for at once, and most trades of an answer. */
const MAX_ROWS = 1_000;

/** The venue has no candles of four hours. */
const RESOLUTIONS: Partial<Record<CandleInterval, string>> = {
  '1m': '1',
  '5m': '5',
  '15m': '15',
  '1h': '60',
  '1d': '1D',
};

const COLUMNS = ['ticks', 'open', 'high', 'low', 'close'] as const;

/**
 * Candles, without a count of their trades, and trades.
 * @see https://docs.deribit.com public/get_tradingview_chart_data, public/get_last_trades_by_instrument_and_time
 */
export const past: VenuePast = {
  intervals: () => Object.keys(RESOLUTIONS) as CandleInterval[],
  spacingMs: 1_000,
  candles(ask) {
    const { endpoints, instrument, interval } = ask;
    return candleWindows(ask, {
      size: MAX_ROWS,
      url: (fromS, lastS) =>
        queryUrl(`${endpoints.rest}/api/v2/public/get_tradingview_chart_data`, {
          instrument_name: instrument.symbol,
          start_timestamp: fromS * 1_000,
          end_timestamp: lastS * 1_000,
          resolution: RESOLUTIONS[interval]!,
        }),
      // Sizes of inverse futures are in US dollars, which is what their candles cost.
      read: (body) => readCandles(body, isInverse(instrument) ? 'cost' : 'volume'),
    });
  },
  trades(ask) {
    const { endpoints, instrument } = ask;
    return tradePages(ask, {
      size: MAX_ROWS,
      url: (fromMs) =>
        queryUrl(`${endpoints.rest}/api/v2/public/get_last_trades_by_instrument_and_time`, {
          instrument_name: instrument.symbol,
          start_timestamp: fromMs,
          end_timestamp: ask.toMs - 1,
          count: MAX_ROWS,
          sorting: 'asc',
        }),
      read: readTrades,
    });
  },
  isSigned: ({ symbol }) => isCombination(symbol),
};

// GET /api/v2/public/get_tradingview_chart_data?instrument_name=BTC-5APR19&start_timestamp=1554373800000&…
// {"jsonrpc":"2.0","result":{"volume":[19.007942601],"ticks":[1554373800000],"status":"ok","open":[4963.42],
//   "low":[4728.94],"high":[5185.45],"cost":[19007.942601],"close":[5052.95]},"usIn":1,"usOut":2,"usDiff":1}
// "status":"no_data" where there was no trade.
function readCandles(body: string, size: 'cost' | 'volume'): VenueCandle[] {
  const result = readResult(body);
  if (result.status === 'no_data') return [];
  const [ticks = [], ...prices] = COLUMNS.map((key) => columnOf(result, key));
  const sizes = columnOf(result, size);
  return ticks.map((time, i) => {
    checkIntegers({ ticks: time }, ['ticks']);
    const [open, high, low, close] = prices.map((column) => column[i]);
    const figures = { open, high, low, close, volume: sizes[i] };
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

// GET /api/v2/public/get_last_trades_by_instrument_and_time?instrument_name=ETH-PERPETUAL&start_timestamp=…
// {"jsonrpc":"2.0","result":{"trades":[{"trade_seq":1966031,"trade_id":"ETH-2696055","timestamp":1590470022768,
//   "price":203.6,"instrument_name":"ETH-PERPETUAL","direction":"buy","amount":1.0}],"has_more":true}}
// A trade is as on the stream.
function readTrades(body: string): VenuePastTrade[] {
  return checkTrades(readResult(body).trades).map(({ id, price, amount, direction, timestamp }) => {
    return { id, price, size: amount, side: direction, timeMs: timestamp };
  });
}

/** @throws DepthwireError `venue_rejected`, `malformed_venue_frame` */
function readResult(body: string): Record<string, unknown> {
  const answer = parseJson(body);
  if (!isRecord(answer)) throw malformed('answer', 'an object', answer);
  if (answer.error !== undefined)
    throw new DepthwireError('venue_rejected', `Deribit: ${describe(answer.error)}`);
  if (!isRecord(answer.result)) throw malformed('result', 'an object', answer.result);
  return answer.result;
}

function columnOf(result: Record<string, unknown>, key: string): readonly unknown[] {
  const column = result[key];
  if (!Array.isArray(column)) throw malformed(key, 'an array', column);
  return column as unknown[];
}
