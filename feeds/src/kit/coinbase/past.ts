import type { EmulatedCandle, EmulatedTrade, PastAnswer, PastQuery } from '../past-log.ts';

const MAX_CANDLES = 350;
const MAX_TRADES = 1_000;
const SECONDS: Readonly<Record<string, number>> = {
  ONE_MINUTE: 60,
  FIVE_MINUTE: 300,
  FIFTEEN_MINUTE: 900,
  ONE_HOUR: 3_600,
  ONE_DAY: 86_400,
};

export interface CoinbasePast {
  trades(product: string): readonly EmulatedTrade[] | null;
  candles(product: string, seconds: number): readonly EmulatedCandle[];
  /** As the stream tells it. */
  message(trade: EmulatedTrade): object;
}

/** `candles` and `ticker` of a product, newest first. */
export function coinbasePast(path: string, query: PastQuery, past: CoinbasePast): PastAnswer | null {
  const route = /^\/api\/v3\/brokerage\/market\/products\/([^/]+)\/(candles|ticker)$/.exec(path);
  if (!route) return null;
  const [, product = '', kind] = route;
  const trades = past.trades(product);
  if (trades === null) return invalid('product_id is invalid');
  const [start, end] = [query.integer('start', Number.NaN), query.integer('end', Number.NaN)];
  if (!(start <= end)) return invalid('start and end are invalid');
  if (kind === 'ticker') {
    if (!query.isLimit('limit', Number.NaN, MAX_TRADES)) return invalid('limit is invalid');
    const found = trades.filter(({ timeMs }) => timeMs >= start * 1_000 && timeMs <= end * 1_000);
    const newest = found.slice(-query.integer('limit', MAX_TRADES)).reverse();
    return {
      rows: newest.map((trade) => past.message(trade)),
      body: (rows) => ({ trades: rows, best_bid: '', best_ask: '' }),
    };
  }
  const seconds = SECONDS[query.text('granularity')];
  if (seconds === undefined) return invalid('granularity is invalid');
  if ((end - start) / seconds >= MAX_CANDLES || !query.isLimit('limit', MAX_CANDLES, MAX_CANDLES))
    return invalid('number of candles requested should be less than 350');
  const found = past.candles(product, seconds).filter(({ time }) => time >= start && time <= end);
  const rows = found.reverse().map(({ time, open, high, low, close, volume }) => {
    return { start: String(time), low, high, open, close, volume };
  });
  return { rows, body: (candles) => ({ candles }) };
}

function invalid(message: string): PastAnswer {
  return { status: 400, refusal: { error: 'INVALID_ARGUMENT', error_details: message, message } };
}
