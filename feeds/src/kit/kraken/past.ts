import type { EmulatedCandle, EmulatedTrade, PastAnswer, PastQuery } from '../past-log.ts';

const KEPT_CANDLES = 720;
const MAX_TRADES = 1_000;
const MINUTES = [1, 5, 15, 30, 60, 240, 1_440, 10_080, 21_600];
const NAMES: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' };

export interface KrakenPast {
  readonly symbols: readonly string[];
  readonly nowMs: number;
  trades(symbol: string): readonly EmulatedTrade[];
  candles(symbol: string, seconds: number): readonly EmulatedCandle[];
}

/** `OHLC` and `Trades`. */
export function krakenPast(path: string, query: PastQuery, past: KrakenPast): PastAnswer | null {
  const [, route] = /^\/0\/public\/(OHLC|Trades)$/.exec(path) ?? [];
  if (route === undefined) return null;
  const refuse = (error: string): PastAnswer => ({ status: 200, refusal: { error: [error] } });
  const pair = query.text('pair');
  const symbol = past.symbols.find((name) => restName(name) === pair);
  if (symbol === undefined) return refuse('EQuery:Unknown asset pair');
  const rowsAs = (rows: readonly unknown[], last: number | string): PastAnswer => {
    return { rows, body: (shown) => ({ error: [], result: { [`X${pair}`]: shown, last } }) };
  };
  if (route === 'OHLC') {
    const minutes = query.integer('interval', 1);
    if (!MINUTES.includes(minutes)) return refuse('EGeneral:Invalid arguments');
    const since = Math.max(query.integer('since', 0), past.nowMs / 1_000 - KEPT_CANDLES * minutes * 60);
    const candles = past.candles(symbol, minutes * 60).filter(({ time }) => time > since);
    return rowsAs(candles.map(candleOf), candles.at(-2)?.time ?? 0);
  }
  if (!query.isLimit('count', MAX_TRADES, MAX_TRADES)) return refuse('EGeneral:Invalid arguments:count');
  const since = BigInt(query.text('since') || '0');
  const found = past.trades(symbol).filter(({ timeMs }) => BigInt(timeMs) * 1_000_000n > since);
  const page = found.slice(0, query.integer('count', MAX_TRADES));
  return rowsAs(page.map(tradeOf), `${page.at(-1)?.timeMs ?? 0}000000`);
}

/** `BTC/USD` is `XBTUSD`. */
function restName(symbol: string): string {
  return symbol
    .split('/')
    .map((name) => NAMES[name] ?? name)
    .join('');
}

function candleOf({ time, open, high, low, close, volume, trades }: EmulatedCandle) {
  return [time, open, high, low, close, close, volume, trades];
}

function tradeOf({ id, price, size, side, timeMs }: EmulatedTrade) {
  return [price, size, timeMs / 1_000, side === 'buy' ? 'b' : 's', 'l', '', id];
}
