/**
 * Frames of Coinbase Advanced Trade, a raw one above each type.
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
 */
import type { PriceLevel } from '../../core/levels.ts';

// {"channel":"l2_data","timestamp":"2026-11-20T12:00:00.032123456Z","sequence_num":7,"events":[{"type":"update",
//  "product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2026-11-20T12:00:00.01Z",
//  "price_level":"21921.73","new_quantity":"0.06317902"},{"side":"offer","event_time":"…",
//  "price_level":"21921.74","new_quantity":"0"}]}]}
// A snapshot has the same form, and many megabytes. Asks are offers.
export interface BookEvent {
  readonly isSnapshot: boolean;
  readonly productId: string;
  readonly bids: readonly PriceLevel[];
  readonly asks: readonly PriceLevel[];
}

// {"channel":"market_trades","timestamp":"…","sequence_num":8,"events":[{"type":"update","trades":[
//  {"product_id":"ETH-USD","trade_id":"12345","price":"1260.01","size":"0.3","time":"2026-11-20T12:00:00.01Z",
//  "side":"BUY"}]}]}
// The first event after a subscription is a snapshot of past trades. Newest first.
export interface TradeMessage {
  readonly productId: string;
  readonly tradeId: string;
  readonly price: string;
  readonly size: string;
  readonly time: string;
  /** Of the maker. */
  readonly side: 'BUY' | 'SELL';
}

// {"channel":"ticker_batch","timestamp":"…","sequence_num":9,"events":[{"type":"update","tickers":[
//  {"type":"ticker","product_id":"BTC-USD","price":"21932.98","volume_24_h":"16038.28770938",
//  "low_24_h":"21835.29","high_24_h":"23011.18","low_52_w":"15460","high_52_w":"48240",
//  "price_percent_chg_24_h":"-4.15775596190603"}]}]}
// `ticker` has the same form, and best bid and ask.
export interface TickerMessage {
  readonly productId: string;
  readonly price: string;
  readonly volume: string;
  readonly low: string;
  readonly high: string;
  readonly percentChange: string;
}

// {"channel":"subscriptions","timestamp":"…","sequence_num":2,"events":[{"subscriptions":{"level2":["BTC-USD"]}}]}
// {"channel":"heartbeats","timestamp":"…","sequence_num":3,"events":[{"current_time":"…","heartbeat_counter":3049}]}
// {"type":"error","message":"authentication failure"}: the only frame without a sequence number.

export type Body =
  | { readonly kind: 'book'; readonly events: readonly BookEvent[] }
  | { readonly kind: 'trades'; readonly isSnapshot: boolean; readonly trades: readonly TradeMessage[] }
  | { readonly kind: 'tickers'; readonly tickers: readonly TickerMessage[] }
  | { readonly kind: 'error'; readonly message: string }
  /** Frames that no book or tape needs, but for their number. */
  | { readonly kind: 'other'; readonly name: string };

/** A frame of the socket, told apart. */
export interface Frame {
  /** Counts all frames of a connection, whatever their channel; null on errors. */
  readonly sequence: number | null;
  readonly timeMs: number | null;
  readonly body: Body;
}

// GET https://api.coinbase.com/api/v3/brokerage/market/products?product_type=SPOT
// {"products":[{"product_id":"BTC-USD","base_increment":"0.00000001","quote_increment":"0.01",
//  "price_increment":"0.01","status":"online","cancel_only":false,"limit_only":false,"post_only":false,
//  "trading_disabled":false,"auction_mode":false,"view_only":false,"is_disabled":false,"product_type":"SPOT",
//  "quote_currency_id":"USD","base_currency_id":"BTC","alias":"","alias_to":["BTC-USDC"]}]}
export interface Product {
  readonly product_id: string;
  readonly base_currency_id: string;
  readonly quote_currency_id: string;
  readonly base_increment: string;
  readonly quote_increment: string;
  readonly price_increment?: string;
  readonly status: string;
  /** The product that this one is another name of; empty for most. */
  readonly alias?: string;
  readonly is_disabled?: boolean;
  readonly trading_disabled?: boolean;
  readonly view_only?: boolean;
  readonly cancel_only?: boolean;
  readonly post_only?: boolean;
  readonly auction_mode?: boolean;
}
