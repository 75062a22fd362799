import {
  DepthwireError,
  every,
  type EpochMs,
  type Instrument,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import type { FeedContext } from '../core/feed.ts';
import { penaltyMs, retryAfterMs } from '../core/http.ts';
import { systemRandom } from '../core/system.ts';
import type { CountingFeed } from '../core/venue-feed.ts';
import { emptyStats, sumStats, type SessionStats } from '../core/session-stats.ts';
import { BridgedCandles } from './bridged-candles.ts';
import { BridgedInstrument } from './bridged-instrument.ts';
import { findMarket, toInstrument } from './instruments.ts';
import { VenuePause } from './venue-pause.ts';
import {
  closeExchange,
  createExchange,
  loadLibrary,
  type CcxtExchange,
  type CcxtLibrary,
  type CcxtMarket,
} from './library.ts';

/** How often the venue is asked whether an instrument was halted, delisted or given another tick size. */
const METADATA_PERIOD_MS = 300_000;
/** Venues limit how many connections may be opened in a while. */
const OPEN_SPACING_MS = 500;
/** Levels a side that are followed where no depth is configured. */
const DEFAULT_DEPTH = 1_000;
/** Each symbol has sockets of its own. */
const MAX_SYMBOLS = 50;

export interface CcxtFeedOptions {
  /** The library's name of the venue: `kraken`. */
  readonly exchange: string;
  /** `BTC/USDT`, `BTC/USDT:USDT`, or `BTC-USDT`, `BTC-USDT-PERP`; at least one. */
  readonly symbols: readonly string[];
  /** Default: `ccxt-EXCHANGE`. */
  readonly id?: string;
  /** Levels a side; some venues know a few depths only. Default: the library's for the venue, 1000 at most. */
  readonly depth?: number;
  /** The library's `options` of the venue. */
  readonly options?: object;
  /** The library's `urls` of the venue: to reach an emulator or a proxy instead. */
  readonly urls?: object;
  /** The library's `hostname` of the venue. */
  readonly hostname?: string;
  /** How long the library waits for an HTTP answer, milliseconds. Default: its own, 10 s. */
  readonly timeoutMs?: number;
  /** Least time between the openings of two symbols' connections, milliseconds. */
  readonly openSpacingMs?: number;
  readonly random?: () => number;
  /** Where the library comes from. Default: the package, if it is installed. */
  readonly load?: () => Promise<unknown>;
}

/** Any venue that CCXT follows over WebSockets, of lower fidelity than an adapter: see docs/ccxt-bridge.md. */
export function createCcxtFeed(options: CcxtFeedOptions): CountingFeed {
  const { exchange: name, symbols, depth, openSpacingMs = OPEN_SPACING_MS, random = systemRandom } = options;
  const id = options.id ?? `ccxt-${name}`;
  if (symbols.length === 0 || symbols.length > MAX_SYMBOLS)
    throw new DepthwireError('invalid_config', `feed ${id}: name 1 to ${MAX_SYMBOLS} symbols`, {
      key: 'symbols',
    });

  const bridged = new Map<
    InstrumentId,
    { market: CcxtMarket; listed: Instrument; bridge: BridgedInstrument }
  >();
  const timers: Timer[] = [];
  let source: CcxtExchange | null = null;
  let past: BridgedCandles | null = null;
  let isStopped = false;
  let unknown: readonly string[] = [];

  /** A venue that has had too many requests is asked nothing by any instrument for as long as it says. */
  function onError(
    error: unknown,
    exchange: CcxtExchange | null,
    library: CcxtLibrary,
    pause: VenuePause,
    now: EpochMs,
  ): void {
    const isTooMuch = error instanceof library.RateLimitExceeded || error instanceof library.DDoSProtection;
    if (!isTooMuch) return;
    const headers = Object.entries(exchange?.last_response_headers ?? {});
    const header = headers.find(([key]) => key.toLowerCase() === 'retry-after')?.[1];
    const askedMs = typeof header === 'string' ? retryAfterMs(header, now) : null;
    pause.begin(penaltyMs({ status: 429, retryAfterMs: askedMs }));
  }

  /** One exchange for the metadata; each instrument gets another that shares its markets. */
  async function open(library: CcxtLibrary, context: FeedContext): Promise<CcxtExchange> {
    const exchange = createExchange(library, name, options, context.log);
    await exchange.loadHttpProxyAgent();
    if (source) exchange.setMarketsFromExchange(source);
    return exchange;
  }

  function list(
    library: CcxtLibrary,
    exchange: CcxtExchange,
    markets: Readonly<Record<string, CcxtMarket>>,
  ): Map<InstrumentId, { market: CcxtMarket; listed: Instrument }> {
    const missing: string[] = [];
    const found = new Map<InstrumentId, { market: CcxtMarket; listed: Instrument }>();
    for (const symbol of symbols) {
      const market = findMarket(markets, symbol);
      if (!market) {
        missing.push(symbol);
        continue;
      }
      const listed = toInstrument(name, market, library, exchange.precisionMode);
      found.set(listed.id, { market, listed });
    }
    if (missing.length === symbols.length && bridged.size === 0)
      throw new DepthwireError('unknown_symbol', `${name} lists no ${missing.join(', ')}`, {
        key: 'symbols',
      });
    unknown = missing;
    return found;
  }

  async function refresh(library: CcxtLibrary, exchange: CcxtExchange, context: FeedContext): Promise<void> {
    let found;
    try {
      found = list(library, exchange, await exchange.loadMarkets(true));
    } catch (error) {
      const reason = toTyped(error, library, name).message;
      context.log.warn({ feed: id, reason }, 'metadata could not be renewed');
      return;
    }
    if (isStopped) return;
    for (const [instrumentId, entry] of bridged) {
      const next: Instrument = found.get(instrumentId)?.listed ?? { ...entry.listed, status: 'closed' };
      if (JSON.stringify(next) === JSON.stringify(entry.listed)) continue;
      context.log.info({ feed: id, instrument: instrumentId, status: next.status }, 'instrument changed');
      entry.listed = next;
      entry.bridge.update(next);
    }
  }

  return {
    id,
    async start(context: FeedContext) {
      const library = await loadLibrary(options.load);
      const exchange = await open(library, context);
      let found;
      try {
        found = list(library, exchange, await exchange.loadMarkets());
      } catch (error) {
        await closeExchange(exchange);
        throw toTyped(error, library, name);
      }
      if (isStopped) {
        await closeExchange(exchange);
        return;
      }
      source = exchange;
      for (const symbol of unknown)
        context.log.error(
          { feed: id, symbol, exchange: name },
          'symbol left out: the venue does not list it',
        );
      const stamped: FeedContext = {
        ...context,
        emit: (event) => {
          if (!isStopped) context.emit(event);
        },
      };
      const pause = new VenuePause(context.clock);
      past = new BridgedCandles({
        exchange,
        clock: context.clock,
        pause,
        toTyped(error) {
          onError(error, exchange, library, pause, context.clock.now());
          return toTyped(error, library, name);
        },
      });
      let openAtMs: number = context.clock.now();
      for (const { market, listed } of found.values()) {
        const bridge = new BridgedInstrument({
          symbol: market.symbol,
          instrument: listed,
          depth: depth ?? DEFAULT_DEPTH,
          limit: depth,
          library,
          context: stamped,
          random,
          openExchange: () => open(library, context),
          onError: (error, of) => onError(error, of, library, pause, context.clock.now()),
          pause,
        });
        stamped.emit({ type: 'instrument', instrument: listed });
        bridged.set(listed.id, { market, listed, bridge });
        timers.push(context.clock.at(openAtMs, () => bridge.open()));
        openAtMs += openSpacingMs;
      }
      timers.push(every(context.clock, METADATA_PERIOD_MS, () => void refresh(library, exchange, stamped)));
    },
    resync: (instrument, reason) => bridged.get(instrument)?.bridge.resync(reason),
    candlesEnd: 'now',
    async candles(query) {
      const { market, bridge } = bridged.get(query.instrument) ?? {};
      if (!past || !market || !bridge)
        throw new DepthwireError('unknown_instrument', `feed ${id} has no instrument ${query.instrument}`);
      return past.candles(market.symbol, bridge.instrument, query);
    },
    candlesFromS: () => (past && !past.isPossible ? Infinity : undefined),
    async stop() {
      isStopped = true;
      past?.close();
      for (const timer of timers) timer.cancel();
      const ends = [...bridged.values()].map(({ bridge }) => bridge.close());
      if (source) ends.push(closeExchange(source));
      await Promise.all(ends);
    },
    stats: (): SessionStats =>
      [...bridged.values()].map(({ bridge }) => bridge.stats).reduce(sumStats, emptyStats()),
    problems: () => unknown.map((symbol) => `${name} lists no ${symbol}`),
    reconnects: () => [...bridged.values()].reduce((sum, { bridge }) => sum + bridge.reconnects, 0),
  };
}

/** The library's error as one of ours. */
function toTyped(error: unknown, library: CcxtLibrary, exchange: string): DepthwireError {
  if (error instanceof DepthwireError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof library.NetworkError ? 'venue_http' : 'venue_rejected';
  return new DepthwireError(code, `ccxt: ${message.slice(0, 300)}`, { exchange }, error);
}
