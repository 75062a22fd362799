/**
 * Frames of OKX API v5, a raw one above each type.
 * @see https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
 * @see https://www.okx.com/docs-v5/en/#overview-websocket
 */
import type { PriceLevel } from '../../core/levels.ts';

// {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":[["8476.98","415",
//  "0","13"]],"bids":[["8476.97","256","0","12"]],"ts":"1597026383085","checksum":0,"prevSeqId":-1,
//  "seqId":123456}]}
// "action" is "snapshot" or "update"; a level is price, size, a field without meaning, orders.
// {"arg":{"channel":"books5","instId":"BTC-USDT"},"data":[{"asks":[],"bids":[],"instId":"BTC-USDT",
//  "ts":"1597026383085","seqId":363996337}]}
export interface BookData {
  readonly asks: readonly PriceLevel[];
  readonly bids: readonly PriceLevel[];
  readonly ts: string;
  readonly seqId: number;
  /** Of updates the seqId of the message before, of snapshots -1; missing from channels that send whole books. */
  readonly prevSeqId?: number;
}

/** Levels a side of each channel that brings a book. */
export const bookDepths = {
  books: 400,
  'books-l2-tbt': 400,
  'books50-l2-tbt': 50,
  books5: 5,
  'bbo-tbt': 1,
} as const;
export type BookChannel = keyof typeof bookDepths;

// {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474",
//  "px":"42219.9","sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"}]}
export interface Trade {
  readonly tradeId: string;
  readonly px: string;
  /** Contracts, where the instrument is one. */
  readonly sz: string;
  /** Of the taker. */
  readonly side: 'buy' | 'sell';
  readonly ts: string;
}

// {"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT",
//  "last":"9999.99","lastSz":"0.1","askPx":"9999.99","askSz":"11","bidPx":"8888.88","bidSz":"5",
//  "open24h":"9000","high24h":"10000","low24h":"8888.88","volCcy24h":"2222","vol24h":"2222",
//  "sodUtc0":"2222","sodUtc8":"2222","ts":"1597026383085"}]}
export interface Ticker {
  readonly last: string;
  readonly open24h: string;
  readonly high24h: string;
  readonly low24h: string;
  /** In the units of sizes: contracts of derivatives, the base currency on spot. */
  readonly vol24h: string;
  /** In the quote currency on spot, in the base currency of derivatives. */
  readonly volCcy24h: string;
  readonly ts: string;
}

// {"event":"error","code":"60018","msg":"Wrong URL or channel:books,instId:NO-PE doesn't exist. Please use
//  the correct URL, channel and parameters referring to API document.","connId":"a4d3ae55"}
export interface Refusal {
  readonly reason: string;
  /** What it was that was refused, where the venue names it. */
  readonly channel: string | null;
  readonly instId: string | null;
}

// {"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please
//  reconnect.","connId":"a4d3ae55"}

// {"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"},"connId":"a4d3ae55"}

/** A frame of the socket, told apart. `other` are channels and events that no book or tape needs. */
export type Frame =
  | {
      readonly kind: 'book';
      readonly channel: BookChannel;
      readonly instId: string;
      /** Whether each of the data is a whole book, and no update. */
      readonly isWhole: boolean;
      readonly data: readonly BookData[];
    }
  | { readonly kind: 'trades'; readonly instId: string; readonly data: readonly Trade[] }
  | { readonly kind: 'tickers'; readonly instId: string; readonly data: readonly Ticker[] }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  | { readonly kind: 'ending'; readonly reason: string }
  | { readonly kind: 'other'; readonly name: string };
