import { DepthwireError } from '@depthwire/shared';
import type { FeedLog } from '../core/feed.ts';

/** The version of the library that the tests run with. */
export const CCXT_VERSION = '4.5.84';

/** What the bridge reads of a market; any of it may be missing. */
export interface CcxtMarket {
  readonly id: string;
  /** The library's name: `BTC/USDT`, `BTC/USDT:USDT`. */
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly settle?: string | null;
  readonly type?: string | null;
  readonly active?: boolean | null;
  readonly contractSize?: number | null;
  readonly precision?: { readonly price?: number | null; readonly amount?: number | null };
}

/** Rows may have more elements: counts, order ids, times. */
export type CcxtLevel = readonly [price: number, amount: number, ...more: unknown[]];

/** The library's own book, which it goes on changing. */
export interface CcxtOrderBook {
  readonly bids: readonly CcxtLevel[];
  readonly asks: readonly CcxtLevel[];
  readonly timestamp?: number | null;
  readonly nonce?: number | null;
}

export interface CcxtTrade {
  readonly id?: string | null;
  readonly timestamp?: number | null;
  readonly price?: number | null;
  readonly amount?: number | null;
  /** Of the taker. */
  readonly side?: string | null;
}

export interface CcxtTicker {
  readonly timestamp?: number | null;
  readonly last?: number | null;
  readonly open?: number | null;
  readonly high?: number | null;
  readonly low?: number | null;
  readonly baseVolume?: number | null;
  readonly quoteVolume?: number | null;
}

/** Unix milliseconds, open, high, low, close, volume. */
export type CcxtCandle = readonly unknown[];

/** One of the library's WebSocket clients. */
interface CcxtClient {
  send(message: unknown): Promise<unknown>;
  future(hash: string): Promise<unknown>;
  readonly connection?: { terminate?(): void };
}

export interface CcxtExchange {
  readonly has: Readonly<Record<string, boolean | string | undefined>>;
  readonly precisionMode: number;
  readonly markets?: Readonly<Record<string, CcxtMarket>>;
  readonly clients: Readonly<Record<string, CcxtClient>>;
  log: (...details: unknown[]) => void;
  /** Of its last HTTP answer. */
  readonly last_response_headers?: Readonly<Record<string, unknown>> | null;
  client(url: string): CcxtClient;
  sleep(ms: number): Promise<unknown>;
  /** Without it the library refuses sockets without TLS. */
  loadHttpProxyAgent(): Promise<unknown>;
  loadMarkets(reload?: boolean): Promise<Readonly<Record<string, CcxtMarket>>>;
  setMarketsFromExchange(source: CcxtExchange): unknown;
  watchOrderBook(symbol: string, limit?: number): Promise<CcxtOrderBook>;
  watchTrades(symbol: string): Promise<readonly CcxtTrade[]>;
  watchTicker(symbol: string): Promise<CcxtTicker>;
  /** Its names of the intervals that it has candles of. */
  readonly timeframes?: Readonly<Record<string, unknown>>;
  /** @param since unix milliseconds */
  fetchOHLCV?(
    symbol: string,
    timeframe: string,
    since: number,
    limit: number,
  ): Promise<readonly CcxtCandle[]>;
  close(): Promise<unknown>;
}

type ErrorClass = new (message: string) => Error;

/** The library, as far as the bridge knows it. */
export interface CcxtLibrary {
  readonly pro: Readonly<Record<string, new (settings: object) => CcxtExchange>>;
  readonly DECIMAL_PLACES: number;
  readonly SIGNIFICANT_DIGITS: number;
  /** The request did not get through, or the venue is busy: worth another try. */
  readonly NetworkError: ErrorClass;
  /** HTTP 429, and 418 of those who went on. */
  readonly RateLimitExceeded: ErrorClass;
  readonly DDoSProtection: ErrorClass;
  /** Also of a wrong checksum. */
  readonly InvalidNonce: ErrorClass;
  readonly NotSupported: ErrorClass;
  readonly AuthenticationError: ErrorClass;
}

/** @throws DepthwireError `missing_package` */
export async function loadLibrary(load: () => Promise<unknown> = () => import('ccxt')): Promise<CcxtLibrary> {
  try {
    return ((await load()) as { default: CcxtLibrary }).default;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'ccxt'")) throw error;
    throw new DepthwireError(
      'missing_package',
      `the ccxt feed needs the package ccxt, which is not installed; run: npm install --no-save ccxt@${CCXT_VERSION}`,
      { package: 'ccxt' },
      error,
    );
  }
}

export interface ExchangeSettings {
  readonly hostname?: string;
  /** Merged into the library's own. */
  readonly urls?: object;
  /** Merged into the library's own. */
  readonly options?: object;
  /** How long the library waits for an HTTP answer, milliseconds. Default: its own. */
  readonly timeoutMs?: number;
}

/** @throws DepthwireError `unknown_venue` where the library has no such venue, or no books of it */
export function createExchange(
  library: CcxtLibrary,
  name: string,
  { hostname, urls, options = {}, timeoutMs }: ExchangeSettings,
  log: FeedLog,
): CcxtExchange {
  const Exchange = Object.hasOwn(library.pro, name) ? library.pro[name] : undefined;
  if (typeof Exchange !== 'function' || !('prototype' in Exchange))
    throw new DepthwireError('unknown_venue', `ccxt has no WebSocket venue ${name}`, { key: 'exchange' });
  const own = options as { ws?: object; watchOrderBook?: object };
  const exchange = new Exchange({
    ...(hostname === undefined ? {} : { hostname }),
    ...(urls === undefined ? {} : { urls }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    // Waits and tries are the bridge's own: the library would add its own, and ask a venue again at once
    // that has asked to wait.
    options: {
      ...options,
      ws: { ...own.ws, backoff: { base: 0 } },
      watchOrderBook: { maxRetries: 1, ...own.watchOrderBook },
    },
  });
  if (!exchange.has.watchOrderBook)
    throw new DepthwireError('unknown_venue', `ccxt follows no order book of ${name}`, { key: 'exchange' });
  exchange.log = (...details) => log.debug({ exchange: name, details: details.map(String) }, 'ccxt');
  guardPromises(exchange);
  return exchange;
}

/** The library leaves some promises to nobody; without this, a rejection of theirs would end the process. */
function guardPromises(exchange: CcxtExchange): void {
  const open = exchange.client.bind(exchange);
  const guarded = new WeakSet<CcxtClient>();
  exchange.client = (url) => {
    const client = open(url);
    if (guarded.has(client)) return client;
    guarded.add(client);
    const send = client.send.bind(client);
    const future = client.future.bind(client);
    client.send = (message) => handled(send(message));
    client.future = (hash) => handled(future(hash));
    return client;
  };
}

function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}

/** Closes every connection of it, without waiting for a far end that does not answer. */
export async function closeExchange(exchange: CcxtExchange): Promise<void> {
  const clients = Object.values(exchange.clients ?? {});
  void handled(exchange.close());
  await exchange.sleep(0); // its own close begins a turn of the event loop later
  for (const { connection } of clients) connection?.terminate?.();
}
