import type { Endpoints, MetadataList, VenueLimits } from '../../core/venue.ts';
import type { Market } from './symbols.ts';

/** @see https://bybit-exchange.github.io/docs/v5/ws/connect */
const MAINNET: Endpoints = { ws: 'wss://stream.bybit.com', rest: 'https://api.bybit.com' };
export const endpoints: Readonly<Record<Market, Endpoints>> = {
  spot: MAINNET,
  linear: MAINNET,
  inverse: MAINNET,
};

/** Levels a side of the book asked for: of those that all markets offer, the most that come every 100 ms. */
const DEPTH = 200;
/** "We recommend that you send the ping heartbeat packet every 20 seconds." */
export const PING_PERIOD_MS = 20_000;
export const PING = JSON.stringify({ op: 'ping' });

export const limits: VenueLimits = {
  /** "For one public connection, you cannot have length of args array over 21,000 characters": some 90 a symbol. */
  symbolsPerConnection: 100,
  sendSpacingMs: 100,
  /** 600 requests in 5 s for an address. */
  httpSpacingMs: 100,
  /** Two pings without their pongs. */
  silenceMs: 45_000,
  maxAgeMs: null,
};

export function socketUrl(market: string, base: Endpoints): string {
  return `${base.ws}/v5/public/${market}`;
}

/**
 * Requests that subscribe books, trades and 24 h statistics of the symbols, in the order to send
 * them. "Spot can input up to 10 args for each subscription request", and a request with one wrong
 * argument fails as a whole: each symbol has its own, named after it.
 */
export function subscribeRequests(symbols: readonly string[]): string[] {
  return symbols.map((symbol) =>
    request('subscribe', symbol, [bookTopic(symbol), `publicTrade.${symbol}`, `tickers.${symbol}`]),
  );
}

/** Requests that make the venue send the snapshot of one book again. */
export function resubscribeRequests(symbol: string): string[] {
  return ['unsubscribe', 'subscribe'].map((op) => request(op, symbol, [bookTopic(symbol)]));
}

const bookTopic = (symbol: string) => `orderbook.${DEPTH}.${symbol}`;

function request(op: string, symbol: string, args: readonly string[]): string {
  return JSON.stringify({ req_id: symbol, op, args });
}

/**
 * "By default returns only Trading symbols": contracts that are not traded yet, or are being
 * delivered, have to be asked for. Spot lists those that trade, and nothing else.
 */
export function instrumentsLists(market: Market, base: Endpoints): MetadataList[] {
  const url = `${base.rest}/v5/market/instruments-info?category=${market}&limit=1000`;
  const others = market === 'spot' ? [] : ['PreLaunch', 'Delivering'];
  return [{ url }, ...others.map((status) => ({ url: `${url}&status=${status}`, isOptional: true }))];
}

/** The page after this one; null where it is the last. */
export function nextInstrumentsUrl(url: string, body: string): string | null {
  const cursor = /"nextPageCursor"\s*:\s*"([^"]+)"/.exec(body)?.[1];
  if (cursor === undefined) return null;
  const next = new URL(url);
  // A cursor comes percent-encoded.
  next.searchParams.set('cursor', decoded(cursor));
  return next.href;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}
