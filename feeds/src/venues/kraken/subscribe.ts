import type { Endpoints, VenueLimits } from '../../core/venue.ts';

/**
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-intro
 */
export const endpoints: Readonly<Record<string, Endpoints>> = {
  spot: { ws: 'wss://ws.kraken.com', rest: 'https://api.kraken.com' },
};

/** Levels a side: the deepest that the venue keeps up. */
export const BOOK_DEPTH = 1000;
/** Symbols named in one request, to keep its frame small. */
const SYMBOLS_PER_REQUEST = 50;

export const limits: VenueLimits = {
  /** The venue names no limit: ours keeps the snapshots of one connection at some ten megabytes. */
  symbolsPerConnection: 100,
  /** The message limit is not told in figures (`Exceeded msg rate`): five a second is well below others'. */
  sendSpacingMs: 200,
  /** No REST request is made. */
  httpSpacingMs: 1_000,
  /**
   * "heartbeat: sent approximately once every second in the absence of any other channel updates." Where none
   * comes, pings are sent: two of them without their pongs.
   */
  silenceMs: 30_000,
  /** The venue ends no connection for its age. */
  maxAgeMs: null,
};

/** Silence after which a ping is sent. */
export const PING_AFTER_MS = 10_000;
export const PING = JSON.stringify({ method: 'ping' });

export function socketUrl(_market: string, base: Endpoints): string {
  return `${base.ws}/v2`;
}

/** Asks for all pairs there are, and what changes of them later. */
export const instrumentRequest = JSON.stringify({
  method: 'subscribe',
  params: { channel: 'instrument', snapshot: true },
  req_id: 1,
});

/**
 * Metadata first, whose precisions the checksums need; then books, trades and 24 h statistics.
 * Past trades are not asked for: they are no new volume.
 */
export function subscribeRequests(symbols: readonly string[]): string[] {
  const requests = [instrumentRequest];
  for (let i = 0; i < symbols.length; i += SYMBOLS_PER_REQUEST) {
    const symbol = symbols.slice(i, i + SYMBOLS_PER_REQUEST);
    requests.push(
      request('subscribe', { channel: 'book', symbol, depth: BOOK_DEPTH, snapshot: true }),
      request('subscribe', { channel: 'trade', symbol, snapshot: false }),
      request('subscribe', { channel: 'ticker', symbol, event_trigger: 'trades', snapshot: true }),
    );
  }
  return requests;
}

/** Ends one book's subscription and begins it anew: with it comes a snapshot. */
export function resubscribeRequests(symbol: string): string[] {
  const book = { channel: 'book', symbol: [symbol], depth: BOOK_DEPTH };
  return [request('unsubscribe', book), request('subscribe', { ...book, snapshot: true })];
}

function request(method: 'subscribe' | 'unsubscribe', params: object): string {
  return JSON.stringify({ method, params });
}
