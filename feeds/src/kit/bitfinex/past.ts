import type { EmulatedCandle, EmulatedTrade, PastAnswer, PastQuery } from '../past-log.ts';

const MAX_LIMIT = 10_000;
const DEFAULT_LIMITS = { candles: 100, trades: 125 };
const SECONDS: Readonly<Record<string, number>> = {
  '1m': 60,
  '5m': 300,
  '15m': 900,
  '1h': 3_600,
  '1D': 86_400,
};

export interface BitfinexPast {
  trades(symbol: string): readonly EmulatedTrade[] | null;
  candles(symbol: string, seconds: number): readonly EmulatedCandle[];
}

/** `candles/trade:FRAME:SYMBOL/hist` and `trades/SYMBOL/hist`; newest first unless asked otherwise. */
export function bitfinexPast(path: string, query: PastQuery, past: BitfinexPast): PastAnswer | null {
  const [, kind, name = ''] = /^\/v2\/(candles|trades)\/([^/]+)\/hist$/.exec(path) ?? [];
  if (kind !== 'candles' && kind !== 'trades') return null;
  const [, frame = '', symbol = ''] =
    kind === 'trades' ? ['', '', name] : (/^trade:([^:]+):(.+)$/.exec(name) ?? []);
  const trades = past.trades(symbol);
  const seconds = SECONDS[frame];
  if (trades === null) return { status: 500, refusal: ['error', 10_020, 'symbol: invalid'] };
  if (kind === 'candles' && seconds === undefined)
    return { status: 500, refusal: ['error', 10_020, 'time_interval: invalid'] };
  if (!query.isLimit('limit', DEFAULT_LIMITS[kind], MAX_LIMIT))
    return { status: 500, refusal: ['error', 10_020, 'limit: invalid'] };
  const rows =
    seconds === undefined
      ? trades.map(({ id, timeMs, side, price, size }) => [
          id,
          timeMs,
          Number(size) * (side === 'buy' ? 1 : -1),
          Number(price),
        ])
      : past
          .candles(symbol, seconds)
          .map(({ time, open, close, high, low, volume }) => [
            time * 1_000,
            ...[open, close, high, low, volume].map(Number),
          ]);
  const timeOf = (row: readonly number[]) => row[kind === 'trades' ? 1 : 0]!;
  const [start, end] = [query.integer('start', 0), query.integer('end', Infinity)];
  const found = (rows as number[][]).filter((row) => timeOf(row) >= start && timeOf(row) <= end);
  const ordered = query.integer('sort', -1) === 1 ? found : found.reverse();
  return { rows: ordered.slice(0, query.integer('limit', DEFAULT_LIMITS[kind])), body: (shown) => shown };
}
