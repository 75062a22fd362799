/**
 * Frames of Binance Spot, USD-M and COIN-M Futures, a raw one above each type.
 * @see https://github.com/binance/binance-spot-api-docs web-socket-streams.md, rest-api.md
 * @see https://developers.binance.com/docs/derivatives/usds-margined-futures
 */
import type { FlatUpdate } from '../../core/instrument-outlet.ts';
import type { PriceLevel } from '../../core/levels.ts';

// {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000123,"s":"BTCUSDT","U":157,
//  "u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"]]}}
// Futures add "T", the transaction time, and "pu", the last u of the event before.
export interface DepthUpdate {
  readonly e: 'depthUpdate';
  readonly E: number;
  readonly T?: number | undefined;
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly pu?: number | undefined;
  readonly b: readonly PriceLevel[];
  readonly a: readonly PriceLevel[];
  /** The levels in ticks and lots, where the frame was read straight into them. */
  readonly flat?: FlatUpdate;
}

// {"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000123,"s":"BTCUSDT","t":12345,"p":"0.001",
//  "q":"100","T":1700000000120,"m":true,"M":true}}
export interface RawTrade {
  readonly e: 'trade';
  readonly E: number;
  readonly s: string;
  readonly t: number;
  readonly p: string;
  readonly q: string;
  readonly T: number;
  /** Whether the buyer was the maker: then the taker sold. */
  readonly m: boolean;
  /** USD-M: `MARKET`; others (insurance fund, auto-deleveraging) are no trades of the market. */
  readonly X?: string;
}

// {"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1700000000123,"s":"BTCUSDT","a":5933014,
//  "p":"0.001","q":"100","f":100,"l":105,"T":1700000000120,"m":true,"M":true}}
export interface AggregateTrade {
  readonly e: 'aggTrade';
  readonly E: number;
  readonly s: string;
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly T: number;
  readonly m: boolean;
}

// {"stream":"btcusdt@miniTicker","data":{"e":"24hrMiniTicker","E":1672515782136,"s":"BTCUSDT","c":"0.0025",
//  "o":"0.0010","h":"0.0025","l":"0.0010","v":"10000","q":"18"}}
export interface MiniTicker {
  readonly e: '24hrMiniTicker';
  readonly E: number;
  readonly s: string;
  readonly c: string;
  readonly o: string;
  readonly h: string;
  readonly l: string;
  /** In the units of quantities: contracts on COIN-M. */
  readonly v: string;
  /** In the quote currency; on COIN-M in the base currency. */
  readonly q: string;
}

// {"e":"serverShutdown","E":1770123456789}: the connection ends in ten minutes or less.

// GET /api/v3/depth?symbol=BTCUSDT&limit=5000
// {"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}
// USD-M and COIN-M add "E" and "T".

// {"result":null,"id":1}
// {"code":2,"msg":"Invalid request: request ID must be an unsigned integer","id":null}
// {"error":{"code":2,"msg":"Invalid request: unknown method"},"id":1}
export interface RequestAnswer {
  readonly id: number | null;
  /** Null where the request was accepted. */
  readonly error: string | null;
}

/** A frame of the socket, told apart. `other` are streams that no book or tape needs. */
export type Frame =
  | { readonly kind: 'depth'; readonly depth: DepthUpdate }
  | { readonly kind: 'trade'; readonly trade: RawTrade }
  | { readonly kind: 'aggTrade'; readonly trade: AggregateTrade }
  | { readonly kind: 'miniTicker'; readonly ticker: MiniTicker }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'answer'; readonly answer: RequestAnswer }
  | { readonly kind: 'other'; readonly name: string };
