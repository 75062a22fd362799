/**
 * Messages of Bitfinex's WebSocket API v2, a raw frame above each type. Arrays may grow at their end.
 * @see https://docs.bitfinex.com/docs/ws-general
 * @see https://docs.bitfinex.com/reference/ws-public-books, ws-public-trades, ws-public-ticker
 * @see https://docs.bitfinex.com/docs/ws-websocket-checksum
 */
import type { PriceLevel } from '../../core/levels.ts';

/** What a `conf` event asks for. */
export const flags = {
  /** "Adds a timestamp in milliseconds to each received event": after the sequence number. */
  TIMESTAMP: 32_768,
  /** A sequence number is added to each frame: one counter for the whole connection. */
  SEQ_ALL: 65_536,
  /** "Enable checksum for every book iteration. Checks the top 25 entries for each side of the book." */
  CHECKSUM: 131_072,
  /** Changes of a book come many in one frame, in the form of a snapshot. */
  BULK_UPDATES: 536_870_912,
} as const;

export const infoCodes = {
  /** "Stop/Restart Websocket Server (please reconnect)" */
  RESTART: 20_051,
  /** "Entering in Maintenance mode. Please pause any activity and resume after receiving 20061" */
  MAINTENANCE: 20_060,
  /** "Maintenance ended. It is advised to unsubscribe/subscribe again all channels." */
  MAINTENANCE_ENDED: 20_061,
} as const;

export const errorCodes = {
  ALREADY_SUBSCRIBED: 10_301,
  NOT_SUBSCRIBED: 10_401,
} as const;

// {"event":"info","version":2,"serverId":"…","platform":{"status":1}}
// {"event":"info","code":20051,"msg":"Stopping. Please try to reconnect"}
export interface Info {
  readonly code: number | null;
  /** `platform.status` 0. */
  readonly isMaintenance: boolean;
}

// {"event":"subscribed","channel":"book","chanId":10092,"symbol":"tBTCUSD","prec":"P0","freq":"F0","len":"100",
//  "pair":"BTCUSD"}
export interface Subscribed {
  readonly chanId: number;
  readonly channel: string;
  readonly symbol: string;
  /** Of books: `P0` is by price with five significant digits, the finest. */
  readonly prec: string | null;
  /** Of books: levels a side. */
  readonly len: number | null;
}

// {"event":"error","msg":"symbol: invalid","code":10300,"channel":"book","symbol":"tNOPE"}
export interface Refusal {
  readonly code: number | null;
  readonly message: string;
  readonly channel: string | null;
  readonly symbol: string | null;
}

// [10092,[[7254.7,3,3.3],[7254.8,1,-0.5]],1]   a book's snapshot, or many changes at once
// [10092,[7254.7,0,1],2]                       a change: price, count, amount; count 0 removes
// [17470,[[401597393,1574694475039,0.005,7244.9]],3]   trades before the subscription
// [224555,[7616.5,31.89,7617.5,43.36,-550.8,-0.0674,7617.1,8314.71,8257.8,7500],4]   a ticker

// [17470,"te",[401597395,1574694478808,0.005,7245.3],5]   executed
// [17470,"tu",[401597395,1574694478808,0.005,7245.3],6]   the same, once more
export interface Trade {
  readonly id: number;
  readonly timeMs: number;
  readonly price: string;
  readonly size: string;
  /** Of the taker: a positive amount bought. */
  readonly side: 'buy' | 'sell';
}

export interface Levels {
  readonly bids: readonly PriceLevel[];
  readonly asks: readonly PriceLevel[];
}

// [224555,[BID,BID_SIZE,ASK,ASK_SIZE,DAILY_CHANGE,DAILY_CHANGE_RELATIVE,LAST_PRICE,VOLUME,HIGH,LOW]]
export interface Ticker {
  readonly last?: number;
  readonly change?: number;
  readonly volume?: number;
  readonly high?: number;
  readonly low?: number;
}

// [10092,"hb",7]            nothing happened on the channel for 15 s
// [10092,"cs",-1175357890,8]   signed CRC-32 of the book
interface Channelled {
  readonly chanId: number;
  /** What follows the content: sequence number and time, as the flags say. */
  readonly extras: readonly unknown[];
}

// {"event":"conf","status":"OK","flags":229376}, or without the flags

/** A frame, told apart as far as it can be without knowing its channel. */
export type Frame =
  | { readonly kind: 'info'; readonly info: Info }
  | {
      readonly kind: 'conf';
      readonly isAccepted: boolean;
      /** Null in the answer of the documents, which does not repeat them. */
      readonly flags: number | null;
    }
  | { readonly kind: 'subscribed'; readonly subscribed: Subscribed }
  | { readonly kind: 'unsubscribed'; readonly chanId: number }
  | { readonly kind: 'error'; readonly refusal: Refusal }
  | { readonly kind: 'event'; readonly name: string }
  | (Channelled & { readonly kind: 'data'; readonly payload: readonly unknown[] })
  | (Channelled & { readonly kind: 'trade'; readonly trade: Trade })
  | (Channelled & { readonly kind: 'checksum'; readonly checksum: number })
  /** Heartbeats, and what no book or tape needs. */
  | (Channelled & { readonly kind: 'other' });

// GET /v2/conf/pub:list:pair:exchange,pub:list:currency,pub:map:currency:sym,pub:info:pair
// [["BTCUSD","DOGE:USD"],["BTC","DOGE","USD","UST"],[["UST","USDt"]],[["BTCUSD",[null,null,null,"0.00006","2000.0"]]]]
// GET /v2/tickers?symbols=ALL
// [["tBTCUSD",10645,73.93854271,10647,75.22266119,731.60645389,0.0738,10644.00645389,14480.89849423,10766,9889.1449809]]
// GET /v2/platform/status
// [1]
// An error is an array too: ["error",10020,"not found"]
