import type { Endpoints, VenueLimits } from '../../core/venue.ts';
import { isSpot, type Market } from './symbols.ts';

/**
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams "General WSS information"
 * @see https://developers.binance.com/docs/derivatives/coin-margined-futures
 * @see https://docs.binance.us
 */
export const endpoints: Readonly<Record<Market, Endpoints>> = {
  spot: { ws: 'wss://stream.binance.com:9443', rest: 'https://api.binance.com' },
  usdm: { ws: 'wss://fstream.binance.com', rest: 'https://fapi.binance.com' },
  coinm: { ws: 'wss://dstream.binance.com', rest: 'https://dapi.binance.com' },
  us: { ws: 'wss://stream.binance.us:9443', rest: 'https://api.binance.us' },
};

/** "A single connection can listen to a maximum of 1024 streams." */
const MAX_STREAMS = 1024;
const STREAMS_PER_SYMBOL = 3;
/** Symbols named in one request, to keep its frame small. */
const SYMBOLS_PER_REQUEST = 50;

export const limits: VenueLimits = {
  symbolsPerConnection: Math.floor(MAX_STREAMS / STREAMS_PER_SYMBOL),
  /** "WebSocket connections have a limit of 5 incoming messages per second", pongs included. */
  sendSpacingMs: 300,
  /** 6,000 weight a minute for an address, of which a snapshot of 5,000 levels takes 250. */
  httpSpacingMs: 2_600,
  /** The venue pings every 20 s and its streams tick far more often. */
  silenceMs: 60_000,
  /** "A single connection is only valid for 24 hours." */
  maxAgeMs: 23.75 * 3_600_000,
};

/** Levels a side of a snapshot: the venue's largest, so that fewer levels start out unknown. */
const SNAPSHOT_LIMIT: Record<Market, number> = { spot: 5000, usdm: 1000, coinm: 1000, us: 5000 };

export function socketUrl(_market: string, base: Endpoints): string {
  return `${base.ws}/stream`;
}

/** SUBSCRIBE requests for the diff, trade and 24 h statistics streams of the symbols, in the order to send them. */
export function subscribeRequests(market: Market, symbols: readonly string[]): string[] {
  const requests: string[] = [];
  for (let id = 1; (id - 1) * SYMBOLS_PER_REQUEST < symbols.length; id++) {
    const params = requestedSymbols(id, symbols).flatMap((symbol) => {
      const name = symbol.toLowerCase();
      return [
        `${name}@depth@100ms`,
        isSpot(market) ? `${name}@trade` : `${name}@aggTrade`,
        `${name}@miniTicker`,
      ];
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

const PATHS: Record<Market, string> = { spot: '/api/v3', usdm: '/fapi/v1', coinm: '/dapi/v1', us: '/api/v3' };

export function depthUrl(market: Market, base: Endpoints, symbol: string): string {
  const query = `symbol=${encodeURIComponent(symbol)}&limit=${SNAPSHOT_LIMIT[market]}`;
  return `${base.rest}${PATHS[market]}/depth?${query}`;
}

export function exchangeInfoUrl(market: Market, base: Endpoints): string {
  return `${base.rest}${PATHS[market]}/exchangeInfo`;
}
