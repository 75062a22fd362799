import type { Endpoints, MetadataList, VenueLimits } from '../../core/venue.ts';

/** One address for all markets. */
const addresses: Endpoints = { ws: 'wss://ws.bitstamp.net', rest: 'https://www.bitstamp.net' };

/** @see https://www.bitstamp.net/websocket/v2/ */
export const endpoints: Readonly<Record<string, Endpoints>> = { spot: addresses, perpetual: addresses };

/** The venue answers each, so that a quiet market is told from a dead socket. */
export const HEARTBEAT_MS = 20_000;

export const limits: VenueLimits = {
  /**
   * "Attempting a 1025th subscription causes the connection to be silently closed", and a symbol takes
   * two. Fewer, so that the snapshots of one connection are had within half a minute.
   */
  symbolsPerConnection: 200,
  /** No limit is published; a request names one channel, so that there are many. */
  sendSpacingMs: 20,
  /** "10,000 requests per 10 minutes", of which this leaves some to others of the same address. */
  httpSpacingMs: 100,
  /** Two heartbeats without an answer. */
  silenceMs: 45_000,
  /** "Maximum connection age is 90 days"; timers of the platform reach no further than 24. */
  maxAgeMs: 20 * 86_400_000,
};

export function socketUrl(_market: string, base: Endpoints): string {
  return base.ws;
}

/** A frame names one channel. Books first: they have snapshots to wait for. */
export function subscribeRequests(symbols: readonly string[]): string[] {
  return [...symbols.map(subscribeDiffs), ...symbols.map((symbol) => subscribe(`live_trades_${symbol}`))];
}

export function subscribeDiffs(symbol: string): string {
  return subscribe(`diff_order_book_${symbol}`);
}

export const heartbeatRequest = JSON.stringify({ event: 'bts:heartbeat' });

function subscribe(channel: string): string {
  return JSON.stringify({ event: 'bts:subscribe', data: { channel } });
}

/** `group=1`: orders of one price in one level. */
export function orderBookUrl(base: Endpoints, symbol: string): string {
  return `${base.rest}/api/v2/order_book/${encodeURIComponent(symbol)}/?group=1`;
}

/** The 24 h figures of all markets; no channel brings them. */
export function tickersUrl(base: Endpoints): string {
  return `${base.rest}/api/v2/ticker/`;
}

/** Where `markets` is not to be had, its predecessor `trading-pairs-info` is; it lists no perpetuals. */
export function marketsList(market: string, base: Endpoints): MetadataList {
  const url = `${base.rest}/api/v2/markets/`;
  return market === 'spot' ? { url, otherwise: [`${base.rest}/api/v2/trading-pairs-info/`] } : { url };
}
