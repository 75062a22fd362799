import type { Endpoints, VenueLimits } from '../../core/venue.ts';

/**
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview
 */
export const endpoints: Readonly<Record<string, Endpoints>> = {
  spot: { ws: 'wss://advanced-trade-ws.coinbase.com', rest: 'https://api.coinbase.com' },
};

export const limits: VenueLimits = {
  /** The venue names no limit: ours is for a lost message, which costs every book of its connection. */
  symbolsPerConnection: 30,
  /** "Unauthenticated messages are rate-limited at 8 per second per IP address." */
  sendSpacingMs: 150,
  /** Public REST endpoints: 10 requests a second for an address. */
  httpSpacingMs: 200,
  /**
   * "Subscribe to the heartbeats channel to receive heartbeats messages every second." There is no ping; a
   * quiet server without heartbeats still has the statistics of every five seconds.
   */
  silenceMs: 30_000,
  /** The venue ends no connection for its age. */
  maxAgeMs: null,
};

export function socketUrl(_market: string, base: Endpoints): string {
  return base.ws;
}

export function productsUrl(base: Endpoints): string {
  return `${base.rest}/api/v3/brokerage/market/products?product_type=SPOT`;
}

/**
 * One channel a request. Heartbeats first: "Most channels close within 60-90 seconds if no updates
 * are sent. Subscribe to heartbeats to keep all subscriptions open." Statistics every five
 * seconds do; `ticker` sends them with each trade.
 */
export function subscribeRequests(products: readonly string[]): string[] {
  return [
    request('subscribe', 'heartbeats'),
    request('subscribe', 'level2', products),
    request('subscribe', 'market_trades', products),
    request('subscribe', 'ticker_batch', products),
  ];
}

/** Ends one book's subscription and begins it anew: with it comes a snapshot. */
export function resubscribeRequests(product: string): string[] {
  return [request('unsubscribe', 'level2', [product]), request('subscribe', 'level2', [product])];
}

function request(type: 'subscribe' | 'unsubscribe', channel: string, products?: readonly string[]): string {
  return JSON.stringify({ type, product_ids: products, channel });
}
