/**
 * Frames of Kraken's WebSocket API v2, a raw one above each type.
 * @see https://docs.kraken.com/api/docs/websocket-v2/book, /trade, /ticker, /instrument, /status
 */
import type { DepthwireError } from '@depthwire/shared';
import type { PriceLevel } from '../../core/levels.ts';

// {"channel":"book","type":"update","data":[{"symbol":"MATIC/USD","bids":[{"price":0.5657,"qty":1098.3947558}],
//  "asks":[],"checksum":2114181697,"timestamp":"2023-10-06T17:35:55.440295Z"}]}
// A snapshot has the same form. Numbers, not text: the digits of the wire are kept as text.
export interface BookEntry {
  readonly symbol: string;
  readonly bids: readonly PriceLevel[];
  readonly asks: readonly PriceLevel[];
  /** CRC-32 of the ten best levels a side; null where the frame has none. */
  readonly checksum: number | null;
  /** RFC 3339 with microseconds; null where the frame has none. */
  readonly timestamp: string | null;
}

// {"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell","price":0.5117,"qty":40.0,
//  "ord_type":"market","trade_id":4665906,"timestamp":"2023-09-25T07:49:37.708706Z"}]}
export interface TradeEntry {
  readonly symbol: string;
  /** Of the taker. */
  readonly side: 'buy' | 'sell';
  readonly price: string;
  readonly qty: string;
  readonly tradeId: number;
  readonly timestamp: string | null;
}

// {"channel":"ticker","type":"update","data":[{"symbol":"ALGO/USD","bid":0.10025,"bid_qty":740.0,"ask":0.10036,
//  "ask_qty":1361.44813783,"last":0.10035,"volume":997038.98383185,"vwap":0.10148,"low":0.09979,"high":0.10285,
//  "change":-0.00017,"change_pct":-0.17}]}
export interface TickerEntry {
  readonly symbol: string;
  readonly last: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** In the base currency. */
  readonly volume: number | null;
  readonly vwap: number | null;
  /** `last` less the price of 24 h ago. */
  readonly change: number | null;
  readonly timestamp: string | null;
}

// {"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"EUR/USD","base":"EUR",
//  "quote":"USD","status":"online","qty_precision":8,"qty_increment":0.00000001,"price_precision":5,
//  "price_increment":0.00001,"cost_precision":5,"marginable":false,"qty_min":0.5,"has_index":true}]}}
// An update has the same form, with the pairs that changed.
export interface Pair {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly status: string;
  /** Digits behind the point of every price and size: what the checksum is taken of. */
  readonly pricePrecision: number;
  readonly qtyPrecision: number;
  readonly priceIncrement: string;
  readonly qtyIncrement: string;
}

// {"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":"ALGO/USD"},"success":true,
//  "time_in":"2023-10-06T17:35:55.219022Z","time_out":"2023-10-06T17:35:55.219067Z","req_id":1}
// {"error":"Currency pair not supported ALGO/XXX","method":"subscribe","success":false,"symbol":"ALGO/XXX",…}
export interface Ack {
  readonly method: string;
  readonly channel: string | null;
  readonly symbol: string | null;
  readonly depth: number | null;
  /** Null where the request was accepted. */
  readonly error: string | null;
}

// {"channel":"status","type":"update","data":[{"system":"online","api_version":"v2",
//  "connection_id":13834774380200032777,"version":"2.0.0"}]}
// {"channel":"heartbeat"}
// {"method":"pong","req_id":101,"time_in":"…","time_out":"…"}
// {"Error":"Exceeded msg rate"}

/** A frame of the socket, told apart. `other` are those that no book or tape needs. */
export type Frame =
  | { readonly kind: 'book'; readonly isSnapshot: boolean; readonly entries: readonly BookEntry[] }
  | { readonly kind: 'trade'; readonly isSnapshot: boolean; readonly entries: readonly TradeEntry[] }
  | { readonly kind: 'ticker'; readonly entries: readonly TickerEntry[] }
  | {
      readonly kind: 'instrument';
      readonly isSnapshot: boolean;
      /** By symbol; what is wrong with a pair is wrong with that one alone. */
      readonly pairs: ReadonlyMap<string, Pair | DepthwireError>;
    }
  | { readonly kind: 'status'; readonly system: string }
  | { readonly kind: 'ack'; readonly ack: Ack }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'other'; readonly name: string };
