/**
 * Frames and answers of Bitstamp, a raw one above each type.
 * @see https://www.bitstamp.net/websocket/v2/
 * @see https://www.bitstamp.net/api/ "Order book", "Market info", "Tickers"
 */
import type { AggressorSide } from '@depthwire/shared';
import type { PriceLevel } from '../../core/levels.ts';

// {"data":{"timestamp":"1789456316","microtimestamp":"1789456316507635","bids":[["77049","0.00000"],
//  ["77035","2.45710"]],"asks":[["77409","0.00000"]]},"channel":"diff_order_book_btcusd","event":"data"}
export interface DiffOrderBook {
  readonly symbol: string;
  /** Unix microseconds: the only order that diffs have. */
  readonly microtimestamp: number;
  readonly bids: readonly PriceLevel[];
  readonly asks: readonly PriceLevel[];
}

// {"data":{"id":2001939623936278528,"id_str":"2001939623936278528","type":0,"sell_order_id":2050545352740993,
//  "buy_order_id":2050545360601216,"amount":0.00921,"amount_str":"0.00921","price":77204,"price_str":"77204",
//  "microtimestamp":"1789456400586000","timestamp":"1789456400"},"channel":"live_trades_btcusd","event":"trade"}
// Ids have outgrown the whole numbers that JSON readers hold; older frames have no "id_str".
export interface LiveTrade {
  readonly symbol: string;
  readonly id: string;
  readonly price: string;
  readonly amount: string;
  /** Of the taker: "type: 0 - buy; 1 - sell". */
  readonly side: AggressorSide;
  readonly microtimestamp: number | null;
}

// {"event":"bts:subscription_succeeded","channel":"diff_order_book_btcusd","data":{}}
// {"event":"bts:error","channel":"","data":{"code":null,"message":"Invalid channel provided."}}
// {"event":"bts:heartbeat","channel":"","data":{"status":"success"}}
// {"event":"bts:request_reconnect","channel":"","data":null}

/** A frame of the socket, told apart. `other` are channels that no book or tape needs. */
export type Frame =
  | { readonly kind: 'diff'; readonly diff: DiffOrderBook }
  | { readonly kind: 'trade'; readonly trade: LiveTrade }
  | { readonly kind: 'subscribed'; readonly channel: string }
  | { readonly kind: 'error'; readonly channel: string; readonly message: string }
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'other'; readonly name: string };

// GET /api/v2/order_book/btcusd/?group=1
// {"timestamp":"1641343695","microtimestamp":"1641343695681418","bids":[["3802.90","0.60000000"]],
//  "asks":[["3803.58","0.90000000"]]}

// GET /api/v2/ticker/
// [{"timestamp":"1686068944","high":"26252","last":"26216","bid":"26208","vwap":"25681",
//   "volume":"3563.13819902","low":"25350","ask":"26211","open":"25730","open_24":"25895",
//   "percent_change_24":"1.24","pair":"BTC/USD"}]
export interface Ticker {
  readonly symbol: string;
  readonly last?: string;
  readonly high?: string;
  readonly low?: string;
  /** The price of 24 hours ago; "open" is that of the day. */
  readonly open24?: string;
  readonly volume?: string;
  readonly vwap?: string;
  readonly timeMs: number | null;
}

// GET /api/v2/markets/
// [{"name":"BTC/USD","market_symbol":"btcusd","base_currency":"BTC","base_decimals":8,
//   "counter_currency":"USD","counter_decimals":0,"minimum_order_value":"10","trading":"Enabled",
//   "instant_and_market_orders":"Enabled","description":"Bitcoin / U.S. dollar","market_type":"SPOT"}]
// GET /api/v2/trading-pairs-info/, its predecessor
// [{"name":"BTC/USD","url_symbol":"btcusd","base_decimals":8,"counter_decimals":2,"trading":"Enabled",
//   "minimum_order":"20.0 USD","instant_and_market_orders":"Enabled","description":"Bitcoin / U.S. dollar"}]
export interface Market {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly isPerpetual: boolean;
  /** Digits behind the point of sizes and of prices. */
  readonly baseDecimals: number;
  readonly counterDecimals: number;
  readonly trading: string;
}
