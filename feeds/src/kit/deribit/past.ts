import type { EmulatedCandle, EmulatedTrade, PastAnswer, PastQuery } from '../past-log.ts';
import { invalid, type RpcError } from './rpc.ts';

const MAX_COUNT = 1_000;
const DEFAULT_COUNT = 10;
const SECONDS: Readonly<Record<string, number>> = { '1': 60, '5': 300, '15': 900, '60': 3_600, '1D': 86_400 };

export interface DeribitPast {
  trades(instrument: string): readonly EmulatedTrade[] | null;
  candles(instrument: string, seconds: number): readonly EmulatedCandle[];
  /** Whether its sizes are in US dollars. */
  isInverse(instrument: string): boolean;
  /** As the stream tells it. */
  message(trade: EmulatedTrade): object;
  answer(outcome: { readonly result: unknown } | { readonly error: RpcError }): object;
}

/** `get_tradingview_chart_data` and `get_last_trades_by_instrument_and_time`. */
export function deribitPast(path: string, query: PastQuery, past: DeribitPast): PastAnswer | null {
  const method = path.replace('/api/v2/public/', '');
  const isChart = method === 'get_tradingview_chart_data';
  if (!isChart && method !== 'get_last_trades_by_instrument_and_time') return null;
  const refuse = (key: string): PastAnswer => {
    return { status: 400, refusal: past.answer({ error: invalid(key, 'is wrong') }) };
  };
  const name = query.text('instrument_name');
  const trades = past.trades(name);
  if (trades === null) return refuse('instrument_name');
  const start = query.integer('start_timestamp', Number.NaN);
  const end = query.integer('end_timestamp', Number.NaN);
  if (!(start <= end)) return refuse('end_timestamp');
  if (isChart) {
    const seconds = SECONDS[query.text('resolution')];
    if (seconds === undefined) return refuse('resolution');
    const candles = past.candles(name, seconds);
    return {
      rows: candles.filter(({ time }) => time * 1_000 >= start && time * 1_000 <= end),
      body: (rows) =>
        past.answer({ result: chartOf(rows as readonly (EmulatedCandle | null)[], past.isInverse(name)) }),
    };
  }
  const count = query.integer('count', DEFAULT_COUNT);
  if (!query.isLimit('count', DEFAULT_COUNT, MAX_COUNT)) return refuse('count');
  const found = trades.filter(({ timeMs }) => timeMs >= start && timeMs <= end);
  const ordered = query.text('sorting') === 'asc' ? found : found.reverse();
  return {
    rows: ordered.slice(0, count).map((trade) => past.message(trade)),
    body: (rows) => past.answer({ result: { trades: rows, has_more: found.length > count } }),
  };
}

/** Volume is in the base currency, and cost in the other one. */
function chartOf(candles: readonly (EmulatedCandle | null)[], isInverse: boolean): object {
  const figure = (key: 'open' | 'high' | 'low' | 'close' | 'volume') =>
    candles.map((candle) => candle && Number(candle[key]));
  const sizes = figure('volume');
  const turnovers = candles.map((candle) => candle && candle.turnover);
  return {
    status: candles.length === 0 ? 'no_data' : 'ok',
    ticks: candles.map((candle) => candle && candle.time * 1_000),
    open: figure('open'),
    high: figure('high'),
    low: figure('low'),
    close: figure('close'),
    volume: isInverse ? sizes.map(() => 1.5) : sizes,
    cost: isInverse ? sizes : turnovers,
  };
}
