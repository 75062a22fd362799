import type { Endpoints, VenueLimits } from '../../core/venue.ts';
import { instTypes, type Market } from './symbols.ts';

/**
 * One public socket and one REST host for every kind of instrument.
 * @see https://www.okx.com/docs-v5/en/#overview-production-trading-services
 */
const PUBLIC: Endpoints = { ws: 'wss://ws.okx.com:8443', rest: 'https://www.okx.com' };
export const endpoints: Readonly<Record<Market, Endpoints>> = {
  spot: PUBLIC,
  swap: PUBLIC,
  futures: PUBLIC,
  option: PUBLIC,
};

/** "The total length of multiple channel cannot exceed 64 KB": symbols named in one request. */
const SYMBOLS_PER_REQUEST = 50;
/** "If there's a network problem or no data for 30 seconds, the connection breaks": `ping` well before. */
export const PING_PERIOD_MS = 15_000;

export const limits: VenueLimits = {
  /** 480 subscribe and unsubscribe requests an hour for a connection: room for every book to be taken anew. */
  symbolsPerConnection: 100,
  sendSpacingMs: 250,
  /** Instruments: 20 requests in 2 s for an address and instrument type. */
  httpSpacingMs: 200,
  /** Three pings without their pongs. */
  silenceMs: 45_000,
  maxAgeMs: null,
};

export function socketUrl(_market: string, base: Endpoints): string {
  return `${base.ws}/ws/v5/public`;
}

/** Requests that subscribe books, trades and 24 h statistics of the symbols, in the order to send them. */
export function subscribeRequests(symbols: readonly string[]): string[] {
  const requests: string[] = [];
  for (let i = 0; i < symbols.length; i += SYMBOLS_PER_REQUEST) {
    const args = symbols
      .slice(i, i + SYMBOLS_PER_REQUEST)
      .flatMap((instId) => ['books', 'trades', 'tickers'].map((channel) => ({ channel, instId })));
    requests.push(JSON.stringify({ op: 'subscribe', args }));
  }
  return requests;
}

/** Requests that make the venue send the snapshot of one book again. */
export function resubscribeRequests(instId: string): string[] {
  const args = [{ channel: 'books', instId }];
  return ['unsubscribe', 'subscribe'].map((op) => JSON.stringify({ op, args }));
}

/** Options are listed by family only: those of the symbols asked for. */
export function instrumentsUrls(market: Market, base: Endpoints, symbols: readonly string[]): string[] {
  const url = `${base.rest}/api/v5/public/instruments?instType=${instTypes[market]}`;
  if (market !== 'option') return [url];
  const families = symbols.map((symbol) => symbol.toUpperCase().replaceAll('/', '-').split('-').slice(0, 2));
  return [...new Set(families.map((family) => `${url}&instFamily=${encodeURIComponent(family.join('-'))}`))];
}
