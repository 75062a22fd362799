/**
 * Frames of Bybit v5 public streams, a raw one above each type.
 * @see https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook and its neighbours
 * @see https://bybit-exchange.github.io/docs/v5/ws/connect
 */
import type { PriceLevel } from '../../core/levels.ts';

// {"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1672304484978,"data":{"s":"BTCUSDT",
//  "b":[["16493.50","0.006"]],"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724},"cts":1672304484976}
// "type" is "snapshot" or "delta"; the order of the keys varies.
export interface BookMessage {
  readonly symbol: string;
  /** Levels a side, as the topic names them. */
  readonly depth: number;
  readonly isSnapshot: boolean;
  readonly ts: number;
  readonly b: readonly PriceLevel[];
  readonly a: readonly PriceLevel[];
  readonly u: number;
}

// {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,
//  "s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af",
//  "BT":false,"seq":1783284617}]}
export interface Trade {
  readonly s: string;
  readonly i: string;
  readonly T: number;
  readonly p: string;
  readonly v: string;
  /** Of the taker. */
  readonly S: 'Buy' | 'Sell';
  /** A block trade: agreed upon outside of the book. */
  readonly BT?: boolean;
}

// {"topic":"tickers.BTCUSDT","type":"snapshot","cs":24987956059,"ts":1673272861686,"data":{"symbol":"BTCUSDT",
//  "lastPrice":"17216.00","prevPrice24h":"16926.50","highPrice24h":"17281.50","lowPrice24h":"16915.00",
//  "turnover24h":"1570383121.943499","volume24h":"91705.276","markPrice":"17217.33","fundingRate":"-0.000212"}}
// Linear and inverse add deltas, in which a field that is missing has not changed.
export const statisticsKeys = [
  'lastPrice',
  'prevPrice24h',
  'highPrice24h',
  'lowPrice24h',
  'volume24h',
  'turnover24h',
] as const;
export type Statistics = { readonly [Key in (typeof statisticsKeys)[number]]?: string };

export interface TickerMessage {
  readonly symbol: string;
  readonly isSnapshot: boolean;
  readonly ts: number;
  readonly statistics: Statistics;
}

// {"success":false,"ret_msg":"error:handler not found,topic:orderbook.200.NOPE","conn_id":"3cd84cb1-4d06-4a05",
//  "req_id":"NOPE","op":"subscribe"}
export interface Refusal {
  readonly reason: string;
  readonly requestId: string | null;
}

// {"success":true,"ret_msg":"pong","conn_id":"0970e817-426e-429a-a679-ff7f55e0b16a","op":"ping"}

/** A frame of the socket, told apart. `other` are topics and answers that no book or tape needs. */
export type Frame =
  | { readonly kind: 'book'; readonly book: BookMessage }
  | { readonly kind: 'trades'; readonly trades: readonly Trade[] }
  | { readonly kind: 'ticker'; readonly ticker: TickerMessage }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  | { readonly kind: 'other'; readonly name: string };
