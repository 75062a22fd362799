/**
 * Messages of Deribit's API v2, JSON-RPC over WebSocket, a raw frame above each type.
 * @see https://docs.deribit.com "Subscriptions": book.{instrument_name}.{interval}, trades.*, ticker.*
 * @see https://docs.deribit.com public/set_heartbeat, public/get_instruments
 */
import type { PriceLevel } from '../../core/levels.ts';

// {"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":
//  {"type":"snapshot","timestamp":1700000000123,"instrument_name":"BTC-PERPETUAL","change_id":100,
//  "bids":[["new",50000.5,1000.0]],"asks":[["new",50001.0,20.0]]}}}
// {"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":
//  {"type":"change","timestamp":1700000000223,"prev_change_id":100,"instrument_name":"BTC-PERPETUAL",
//  "change_id":104,"bids":[["change",50000.5,900.0]],"asks":[["delete",50001.0,0.0]]}}}
export interface BookMessage {
  readonly type: 'snapshot' | 'change';
  readonly instrument: string;
  readonly timestamp: number;
  readonly changeId: number;
  /** Null in a snapshot. */
  readonly prevChangeId: number | null;
  /** Amounts are absolute, zero where the venue says `delete`. */
  readonly bids: readonly PriceLevel[];
  readonly asks: readonly PriceLevel[];
}

// {"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":
//  [{"trade_seq":30289,"trade_id":"48079","timestamp":1700000000123,"tick_direction":2,"price":50000.5,
//  "mark_price":50000.7,"instrument_name":"BTC-PERPETUAL","index_price":50001.2,"direction":"sell","amount":30.0}]}}
export interface Trade {
  readonly instrument: string;
  readonly id: string;
  readonly timestamp: number;
  readonly price: string;
  /** As in the book: US dollars on inverse futures, the base currency elsewhere. */
  readonly amount: string;
  /** Of the taker. */
  readonly direction: 'buy' | 'sell';
}

// {"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.BTC-PERPETUAL.agg2","data":
//  {"timestamp":1700000000123,"stats":{"volume_usd":1200000.0,"volume":24.1,"price_change":-1.2,"low":49000.0,
//  "high":51000.0},"state":"open","last_price":50000.5,"instrument_name":"BTC-PERPETUAL", …}}}
// Without a trade in 24 hours every figure of "stats" is null, without any at all "last_price" too.
export interface Ticker {
  readonly instrument: string;
  readonly timestamp: number;
  readonly last?: number;
  readonly low?: number;
  readonly high?: number;
  /** Change of the last 24 hours, per cent. */
  readonly changePercent?: number;
  /** In the base currency. */
  readonly volume?: number;
  /** Futures only. */
  readonly volumeUsd?: number;
  /** Spot and linear futures: in the quote currency. */
  readonly volumeNotional?: number;
}

// {"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}
// {"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}: answer with public/test.

// {"jsonrpc":"2.0","id":2,"result":["book.BTC-PERPETUAL.100ms"],"usIn":1,"usOut":2,"usDiff":1,"testnet":false}
// {"jsonrpc":"2.0","id":2,"error":{"code":10028,"message":"too_many_requests"},"testnet":false}
export interface Answer {
  readonly id: number | null;
  /** Channels accepted; null where the answer is no list. */
  readonly channels: readonly string[] | null;
  /** Null where the request was accepted. */
  readonly error: string | null;
}

// GET /api/v2/public/get_instruments?currency=BTC&kind=option&expired=false
// {"jsonrpc":"2.0","result":[{"tick_size":0.0001,"tick_size_steps":[{"above_price":0.005,"tick_size":0.0005}],
//  "strike":50000.0,"settlement_period":"month","quote_currency":"BTC","option_type":"call","min_trade_amount":0.1,
//  "kind":"option","is_active":true,"instrument_name":"BTC-27SEP24-50000-C","expiration_timestamp":1727424000000,
//  "counter_currency":"USD","contract_size":1.0,"base_currency":"BTC","state":"open", …}],"usIn":1, …}

/** A frame, told apart. `other` are channels and methods that no book or tape needs. */
export type Frame =
  | { readonly kind: 'book'; readonly book: BookMessage }
  | { readonly kind: 'trades'; readonly trades: readonly Trade[] }
  | { readonly kind: 'ticker'; readonly ticker: Ticker }
  | { readonly kind: 'heartbeat'; readonly wantsAnswer: boolean }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'other'; readonly name: string };
