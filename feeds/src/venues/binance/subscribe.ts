import type { Endpoints } from '../../core/venue.ts';
import type { Market } from './symbols.ts';

/** @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams "General WSS information" */
export const endpoints: Readonly<Record<Market, Endpoints>> = {
  spot: { ws: 'wss://stream.binance.com:9443', rest: 'https://api.binance.com' },
  usdm: { ws: 'wss://fstream.binance.com', rest: 'https://fapi.binance.com' },
};

/** "A single connection can listen to a maximum of 1024 streams." */
const MAX_STREAMS = 1024;
const STREAMS_PER_SYMBOL = 2;
export const MAX_SYMBOLS = MAX_STREAMS / STREAMS_PER_SYMBOL;
/** Symbols named in one request, to keep its frame small. */
const SYMBOLS_PER_REQUEST = 50;
/** "WebSocket connections have a limit of 5 incoming messages per second", pongs included. */
export const REQUEST_SPACING_MS = 300;

/** 6,000 weight a minute for an address, of which a snapshot of 5,000 levels takes 250. */
export const HTTP_SPACING_MS = 2_600;
/** The venue pings every 20 s and its streams tick far more often. */
export const SILENCE_MS = 60_000;

/** Levels a side of a snapshot: the venue's largest, so that fewer levels start out unknown. */
const SNAPSHOT_LIMIT: Record<Market, number> = { spot: 5000, usdm: 1000 };

export function socketUrl(base: Endpoints): string {
  return `${base.ws}/stream`;
}

/** SUBSCRIBE requests for the diff and trade streams of the symbols, to be sent in this order. */
export function subscribeRequests(market: Market, symbols: readonly string[]): string[] {
  const requests: string[] = [];
  for (let id = 1; (id - 1) * SYMBOLS_PER_REQUEST < symbols.length; id++) {
    const params = requestedSymbols(id, symbols).flatMap((symbol) => {
      const name = symbol.toLowerCase();
      return [`${name}@depth@100ms`, market === 'spot' ? `${name}@trade` : `${name}@aggTrade`];
    });
    requests.push(JSON.stringify({ method: 'SUBSCRIBE', params, id }));
  }
  return requests;
}

/** The symbols that the request of this id subscribes. */
export function requestedSymbols(id: number, symbols: readonly string[]): readonly string[] {
  if (!Number.isSafeInteger(id) || id < 1) return [];
  return symbols.slice((id - 1) * SYMBOLS_PER_REQUEST, id * SYMBOLS_PER_REQUEST);
}

export function depthUrl(market: Market, base: Endpoints, symbol: string): string {
  const path = market === 'spot' ? '/api/v3/depth' : '/fapi/v1/depth';
  return `${base.rest}${path}?symbol=${encodeURIComponent(symbol)}&limit=${SNAPSHOT_LIMIT[market]}`;
}

export function exchangeInfoUrl(market: Market, base: Endpoints): string {
  return `${base.rest}${market === 'spot' ? '/api/v3/exchangeInfo' : '/fapi/v1/exchangeInfo'}`;
}
