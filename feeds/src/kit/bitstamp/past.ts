import type { EmulatedCandle, PastAnswer, PastQuery } from '../past-log.ts';

const MAX_LIMIT = 1_000;
const STEPS = [60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 259_200];

/** `ohlc/SYMBOL/`. @param candles null of a symbol that there is none of */
export function bitstampPast(
  path: string,
  query: PastQuery,
  candles: (symbol: string, seconds: number) => readonly EmulatedCandle[] | null,
): PastAnswer | null {
  const [, symbol] = /^\/api\/v2\/ohlc\/([^/]+)\/$/.exec(path) ?? [];
  if (symbol === undefined) return null;
  const step = query.integer('step', Number.NaN);
  const limit = query.integer('limit', Number.NaN);
  if (!STEPS.includes(step)) return invalid('step', 'Not a valid choice.');
  if (!(limit >= 1 && limit <= MAX_LIMIT)) return invalid('limit', `Must be from 1 to ${MAX_LIMIT}.`);
  const known = candles(symbol, step);
  if (known === null) return { status: 404, refusal: '' };
  const [start, end] = [query.integer('start', 0), query.integer('end', Infinity)];
  const found = known.filter(({ time }) => time >= start && time <= end).slice(-limit);
  return {
    rows: found.map(({ time, open, high, low, close, volume }) => {
      return { timestamp: String(time), open, high, low, close, volume };
    }),
    body: (ohlc) => ({ data: { ohlc, pair: symbol } }),
  };
}

function invalid(field: string, message: string): PastAnswer {
  return { status: 400, refusal: { code: 'validation-error', errors: [{ field, message }] } };
}
