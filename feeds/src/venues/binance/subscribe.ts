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

/**
 * An address has 6,000 weight a minute on spot, 2,400 on the futures markets and 1,200 in the US; a little
 * is left to others. Weights below are those of spot: the others' are as large a part of their minute.
 */
export const WEIGHT_MS = 10.4;
const METADATA_WEIGHT = 20;
/** What a snapshot weighs, by its levels a side, fewest first. */
const DEPTH_WEIGHTS = [
  [500, 25],
  [1000, 50],
  [5000, 250],
] as const;
/** The venue's most. */
const MAX_LEVELS: Record<Market, number> = { spot: 5000, usdm: 1000, coinm: 1000, us: 5000 };
/** The snapshots of one connection are to be there after so long, where the fewest levels allow it. */
const SNAPSHOTS_MS = 95_000;

export const limits: VenueLimits = {
  symbolsPerConnection: Math.floor(MAX_STREAMS / STREAMS_PER_SYMBOL),
  /** "WebSocket connections have a limit of 5 incoming messages per second", pongs included. */
  sendSpacingMs: 300,
  httpSpacingMs: METADATA_WEIGHT * WEIGHT_MS,
  /** The venue pings every 20 s and its streams tick far more often. */
  silenceMs: 60_000,
  /** "A single connection is only valid for 24 hours." */
  maxAgeMs: 23.75 * 3_600_000,
};

/** How many levels a side the snapshots of so many books have, and the time that each takes of the budget. */
export function snapshotSize(market: Market, books: number): { levels: number; spacingMs: number } {
  const sizes = DEPTH_WEIGHTS.filter(([levels]) => levels <= MAX_LEVELS[market]).map(([levels, weight]) => ({
    levels,
    spacingMs: weight * WEIGHT_MS,
  }));
  return sizes.findLast(({ spacingMs }) => books * spacingMs <= SNAPSHOTS_MS) ?? sizes[0]!;
}

export function socketUrl(_market: string, base: Endpoints): string {
  return `${base.ws}/stream`;
}

/** Ids of the SUBSCRIBE requests that so many symbols take, in the order to send them. */
export function requestIds(symbols: readonly string[]): number[] {
  return Array.from({ length: Math.ceil(symbols.length / SYMBOLS_PER_REQUEST) }, (_, i) => i + 1);
}

/** The request of an id: the diff, trade and 24 h statistics streams of its part of the symbols. */
export function subscribeRequest(market: Market, symbols: readonly string[], id: number): string {
  const params = requestedSymbols(id, symbols).flatMap((symbol) => {
    const name = symbol.toLowerCase();
    return [
      `${name}@depth@100ms`,
      isSpot(market) ? `${name}@trade` : `${name}@aggTrade`,
      `${name}@miniTicker`,
    ];
  });
  return JSON.stringify({ method: 'SUBSCRIBE', params, id });
}

/** The symbols that the request of this id subscribes. */
export function requestedSymbols(id: number, symbols: readonly string[]): readonly string[] {
  if (!Number.isSafeInteger(id) || id < 1) return [];
  return symbols.slice((id - 1) * SYMBOLS_PER_REQUEST, id * SYMBOLS_PER_REQUEST);
}

export const PATHS: Record<Market, string> = {
  spot: '/api/v3',
  usdm: '/fapi/v1',
  coinm: '/dapi/v1',
  us: '/api/v3',
};

/** @param levels a side */
export function depthUrl(market: Market, base: Endpoints, symbol: string, levels: number): string {
  const query = `symbol=${encodeURIComponent(symbol)}&limit=${levels}`;
  return `${base.rest}${PATHS[market]}/depth?${query}`;
}

export function exchangeInfoUrl(market: Market, base: Endpoints): string {
  return `${base.rest}${PATHS[market]}/exchangeInfo`;
}
