import type { Endpoints, VenueLimits } from '../../core/venue.ts';
import type { Market } from './symbols.ts';

/** One host serves every market. */
const HOST: Endpoints = { ws: 'wss://www.deribit.com', rest: 'https://www.deribit.com' };

export const endpoints: Readonly<Record<Market, Endpoints>> = { options: HOST, futures: HOST, spot: HOST };

/** "Max number of connections per IP: 32", HTTP requests among them: a connection carries many symbols. */
const SYMBOLS_PER_CONNECTION = 150;
/** Symbols named in one request, to keep its frame and its answer small. */
const SYMBOLS_PER_REQUEST = 50;
/** Seconds; the smallest that public/set_heartbeat takes. */
const HEARTBEAT_S = 10;

export const limits: VenueLimits = {
  symbolsPerConnection: SYMBOLS_PER_CONNECTION,
  /** public/subscribe: some 3.3 requests a second, bursts of 10 (error 10028 past it). */
  sendSpacingMs: 300,
  /** public/get_instruments: "1 request per second". */
  httpSpacingMs: 1_000,
  /** Three heartbeats. */
  silenceMs: 3 * HEARTBEAT_S * 1_000,
  /** The venue names no age at which it ends connections. */
  maxAgeMs: null,
};

export function socketUrl(_market: string, base: Endpoints): string {
  return `${base.ws}/ws/api/v2`;
}

const request = (id: number, method: string, params: object) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

export const heartbeatRequest = (id: number) =>
  request(id, 'public/set_heartbeat', { interval: HEARTBEAT_S });

/** The answer to a `test_request`; without one the venue ends the connection. */
export const testRequest = (id: number) => request(id, 'public/test', {});

/** 100 ms is the fastest interval without a login: `raw` asks for one. */
const bookChannel = (symbol: string) => `book.${symbol}.100ms`;

const channelsOf = (symbol: string) => [
  bookChannel(symbol),
  `trades.${symbol}.100ms`,
  // Greeks and mark prices change all the time: `agg2` tells them once a second.
  `ticker.${symbol}.agg2`,
];

/** Requests that subscribe the symbols, and which symbols each of them names. */
export function subscribeRequests(
  symbols: readonly string[],
  nextId: () => number,
): { id: number; symbols: readonly string[]; text: string }[] {
  const requests = [];
  for (let i = 0; i < symbols.length; i += SYMBOLS_PER_REQUEST) {
    const part = symbols.slice(i, i + SYMBOLS_PER_REQUEST);
    const id = nextId();
    const text = request(id, 'public/subscribe', { channels: part.flatMap(channelsOf) });
    requests.push({ id, symbols: part, text });
  }
  return requests;
}

export const subscribeBook = (id: number, symbol: string) =>
  request(id, 'public/subscribe', { channels: [bookChannel(symbol)] });

export const unsubscribeBook = (id: number, symbol: string) =>
  request(id, 'public/unsubscribe', { channels: [bookChannel(symbol)] });

const KINDS: Record<Market, string> = { options: 'option', futures: 'future', spot: 'spot' };
/** Currencies that instruments settle in, as get_instruments takes them; `any` for all of them. */
const SETTLED_IN = ['BTC', 'ETH', 'USDC', 'USDT', 'EURR'];

/**
 * get_instruments takes one settlement currency or `any`. Options come by the thousand, so those
 * currencies are asked for that the names tell; where one tells none, and on spot, which has no
 * settlement currency and few instruments, all are.
 */
export function instrumentsUrls(market: Market, base: Endpoints, symbols: readonly string[]): string[] {
  const told = new Set(symbols.map((symbol) => (market === 'spot' ? 'any' : settlementOf(symbol))));
  const currencies = told.size === 0 || told.has('any') ? ['any'] : [...told];
  return currencies.map(
    (currency) =>
      `${base.rest}/api/v2/public/get_instruments?currency=${currency}&kind=${KINDS[market]}&expired=false`,
  );
}

/** Inverse contracts settle in their base (`BTC-PERPETUAL`), linear ones in their quote (`SOL_USDC-PERPETUAL`). */
function settlementOf(symbol: string): string {
  const [first = '', second = ''] = symbol.toUpperCase().split(/[-/]/);
  const [base = '', linear = SETTLED_IN.includes(second) ? second : undefined] = first.split('_');
  const currency = linear ?? base;
  return SETTLED_IN.includes(currency) ? currency : 'any';
}
