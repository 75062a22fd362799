import type { ServerResponse } from 'node:http';
import { DepthwireError, every, type Clock, type Timer } from '@depthwire/shared';
import type { WebSocket } from 'ws';
import { systemClock } from '../../core/system.ts';
import type { Endpoints } from '../../core/venue.ts';
import { respondJson, startLoopbackServer, type LoopbackServer } from '../loopback-server.ts';
import type { Side, TextBook } from '../truth-book.ts';
import { EmulatedMarket, type BinanceMarket, type EmulatedSymbol, type TradeIds } from './market.ts';
import { StreamSession } from './streams.ts';

const PING_PERIOD_MS = 20_000;
const CHANGES_PER_TICK = 5;
/** Names of the diff stream: each gets every diff, whatever speed it names. */
const DIFF_STREAMS = ['depth', 'depth@100ms', 'depth@500ms', 'depth@0ms'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT: Record<BinanceMarket, number> = { spot: 5000, usdm: 1000 };
/** Ids of USD-M are shared by all symbols: they leave gaps of up to so many. */
const MAX_ID_STEP = 4;

export interface BinanceEmulatorOptions {
  readonly market: BinanceMarket;
  readonly symbols: readonly EmulatedSymbol[];
  /** The same seed gives the same books and trades. Default 1. */
  readonly seed?: number;
  /** Calls `tick` this often, milliseconds; default: never, the owner calls it. */
  readonly tickMs?: number;
  readonly clock?: Clock;
}

interface Faults {
  drop: number;
  duplicate: number;
  corrupt: number;
  /** Snapshots to answer with the state of so many diffs ago. */
  stale: { times: number; diffs: number };
}

interface Refusal {
  readonly status: number;
  readonly retryAfterS: number | null;
  times: number;
}

/** Starts Binance on the loopback interface: REST, WebSocket, and books that change. */
export function startBinanceEmulator(options: BinanceEmulatorOptions): Promise<BinanceEmulator> {
  return BinanceEmulator.start(options);
}

/**
 * A stand-in for the venue with books that are known, so that an adapter's copy can be compared
 * with the truth after every kind of trouble.
 * @see https://github.com/binance/binance-spot-api-docs web-socket-streams.md, rest-api.md
 */
export class BinanceEmulator {
  /** What a feed takes as its `endpoints`. */
  readonly endpoints: Endpoints;
  /** Paths and queries of all HTTP requests so far. */
  readonly requests: string[] = [];
  /** Sockets opened so far. */
  connections = 0;
  readonly #market: BinanceMarket;
  readonly #clock: Clock;
  readonly #server: LoopbackServer;
  readonly #sessions = new Set<StreamSession>();
  readonly #markets = new Map<string, EmulatedMarket>();
  readonly #faults = new Map<string, Faults>();
  readonly #timers = new Set<Timer>();
  #refusal: Refusal = { status: 0, retryAfterS: null, times: 0 };
  #delayMs = 0;
  #held: (() => void)[] | null = null;
  #sharedId = 9_000_000;

  private constructor(
    { market, symbols, seed = 1, tickMs, clock = systemClock }: BinanceEmulatorOptions,
    server: LoopbackServer,
  ) {
    this.#market = market;
    this.#clock = clock;
    this.#server = server;
    this.endpoints = { ws: server.ws, rest: server.rest };
    for (const [i, spec] of symbols.entries()) {
      const firstId = market === 'spot' ? (i + 1) * 1_000_000 : this.#sharedId++;
      const nextId = market === 'spot' ? (id: number) => id + 1 : () => this.#nextSharedId();
      this.#markets.set(spec.symbol, new EmulatedMarket(market, spec, seed + i, firstId, nextId));
      this.#faults.set(spec.symbol, { drop: 0, duplicate: 0, corrupt: 0, stale: { times: 0, diffs: 0 } });
    }
    this.#timers.add(
      every(clock, PING_PERIOD_MS, () =>
        server.sockets.forEach((socket) => socket.ping(String(this.#nowMs()))),
      ),
    );
    if (tickMs !== undefined) this.#timers.add(every(clock, tickMs, () => this.tick()));
  }

  static async start(options: BinanceEmulatorOptions): Promise<BinanceEmulator> {
    let emulator: BinanceEmulator | null = null;
    const server = await startLoopbackServer({
      onRequest: (url, response) => emulator!.#onRequest(url, response),
      onSocket: (socket, url) => emulator!.#onSocket(socket, url),
    });
    emulator = new BinanceEmulator(options, server);
    return emulator;
  }

  /** The book as the venue has it, with all changes, published or not. */
  truth(symbol: string): TextBook {
    return this.#of(symbol).book.toText();
  }

  lastUpdateId(symbol: string): number {
    return this.#of(symbol).lastUpdateId;
  }

  /** Streams that some client listens to. */
  subscriptions(): Set<string> {
    return new Set([...this.#sessions].flatMap((session) => [...session.streams]));
  }

  /** Changes every book, and publishes the diffs. */
  tick(): void {
    for (const symbol of this.#markets.keys()) {
      this.change(symbol);
      this.publish(symbol);
    }
  }

  /** Changes a book; trades are told at once, the new levels with the next `publish`. */
  change(symbol: string, times = CHANGES_PER_TICK): void {
    const market = this.#of(symbol);
    if (market.status !== 'TRADING') return;
    for (let i = 0; i < times; i++) {
      const trade = market.change();
      if (trade) this.#publishTrade(market, trade);
    }
  }

  /** Puts a level, on the symbol's grid or off it; quantity zero removes. Goes out with the next `publish`. */
  setLevel(symbol: string, side: Side, price: string, quantity: string): void {
    this.#of(symbol).setLevel(side, price, quantity);
  }

  /** Sends the diff of the changes since the one before; nothing where there are none. */
  publish(symbol: string): void {
    const diff = this.#of(symbol).takeDiff(this.#nowMs());
    if (!diff) return;
    const faults = this.#faults.get(symbol)!;
    const copies = take(faults, 'drop') ? 0 : take(faults, 'duplicate') ? 2 : 1;
    const damage = copies > 0 && take(faults, 'corrupt') ? (text: string) => text.slice(0, -9) : undefined;
    for (let i = 0; i < copies; i++) {
      for (const stream of DIFF_STREAMS) this.#send(symbol, stream, diff, damage);
    }
  }

  /** The next diff, or the next few, never arrive. */
  dropNextDiff(symbol: string, times = 1): void {
    this.#faultsOf(symbol).drop += times;
  }

  duplicateNextDiff(symbol: string, times = 1): void {
    this.#faultsOf(symbol).duplicate += times;
  }

  /** The next diff arrives as text that is no JSON. */
  corruptNextFrame(symbol: string, times = 1): void {
    this.#faultsOf(symbol).corrupt += times;
  }

  /** The next snapshots show the book as it was some diffs ago, as a lagging server's do. */
  staleSnapshot(symbol: string, times = 1, diffs = 1): void {
    this.#faultsOf(symbol).stale = { times, diffs };
  }

  /** Snapshots are refused with this status, and with `Retry-After` where seconds are given. */
  refuseSnapshots(status: number, times: number, retryAfterS: number | null = null): void {
    this.#refusal = { status, times, retryAfterS };
  }

  /** Snapshots are taken when asked for, but arrive so much later. */
  delaySnapshots(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Snapshots are taken when asked for, but arrive only after the function returned is called. */
  holdSnapshots(): () => void {
    this.#held ??= [];
    return () => {
      const held = this.#held ?? [];
      this.#held = null;
      for (const send of held) send();
    };
  }

  /** Metadata and new prices keep to another tick; older levels stay where they are. */
  changeTick(symbol: string, tick: string): void {
    this.#of(symbol).setTick(tick);
  }

  halt(symbol: string): void {
    this.#of(symbol).status = this.#market === 'spot' ? 'HALT' : 'PENDING_TRADING';
  }

  resume(symbol: string): void {
    this.#of(symbol).status = 'TRADING';
  }

  /** Cuts every client off. */
  disconnectAll(): void {
    this.#server.disconnectAll();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#server.close();
  }

  #onSocket(socket: WebSocket, url: URL): void {
    this.connections += 1;
    const session = new StreamSession(socket, url, this.#clock);
    this.#sessions.add(session);
    socket.on('close', () => this.#sessions.delete(session));
  }

  #onRequest(url: URL, response: ServerResponse): void {
    this.requests.push(url.pathname + url.search);
    const path = /^\/(?:api\/v3|fapi\/v1)\/(\w+)$/.exec(url.pathname);
    if (!path || url.pathname.startsWith('/api/') !== (this.#market === 'spot'))
      respondJson(response, 404, '');
    else if (path[1] === 'exchangeInfo') respondJson(response, 200, this.#exchangeInfo());
    else if (path[1] === 'depth') this.#answerDepth(url, response);
    else if (path[1] === 'ping') respondJson(response, 200, {});
    else if (path[1] === 'time') respondJson(response, 200, { serverTime: this.#nowMs() });
    else respondJson(response, 404, '');
  }

  #answerDepth(url: URL, response: ServerResponse): void {
    const symbol = url.searchParams.get('symbol');
    const limit = Number(url.searchParams.get('limit') ?? DEFAULT_LIMIT);
    if (symbol === null) {
      respondJson(response, 400, {
        code: -1102,
        msg: "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
      });
      return;
    }
    const market = this.#markets.get(symbol);
    if (!market) {
      respondJson(response, 400, { code: -1121, msg: 'Invalid symbol.' });
      return;
    }
    if (!Number.isSafeInteger(limit) || limit < 1) {
      respondJson(response, 400, { code: -1100, msg: "Illegal characters found in parameter 'limit'." });
      return;
    }
    if (this.#refusal.times > 0) {
      this.#refusal.times -= 1;
      const { status, retryAfterS } = this.#refusal;
      const headers: Record<string, string> =
        retryAfterS === null ? {} : { 'retry-after': String(retryAfterS) };
      respondJson(response, status, { code: -1003, msg: 'Too many requests.' }, headers);
      return;
    }
    const { stale } = this.#faults.get(symbol)!;
    const diffsAgo = take(stale, 'times') ? stale.diffs : 0;
    const body = market.depth(Math.min(limit, MAX_LIMIT[this.#market]), this.#nowMs(), diffsAgo);
    const send = () => respondJson(response, 200, body);
    if (this.#held) this.#held.push(send);
    else if (this.#delayMs > 0) this.#timers.add(this.#clock.at(this.#nowMs() + this.#delayMs, send));
    else send();
  }

  #exchangeInfo(): object {
    const symbols = [...this.#markets.values()].map(({ spec, status, tick }) => ({
      symbol: spec.symbol,
      ...(this.#market === 'spot' ? {} : { pair: spec.base + spec.quote, contractType: spec.contractType }),
      status,
      baseAsset: spec.base,
      quoteAsset: spec.quote,
      filters: [
        { filterType: 'PRICE_FILTER', minPrice: tick, maxPrice: '1000000', tickSize: tick },
        { filterType: 'LOT_SIZE', minQty: spec.lot, maxQty: '9000', stepSize: spec.lot },
      ],
    }));
    return { timezone: 'UTC', serverTime: this.#nowMs(), rateLimits: [], exchangeFilters: [], symbols };
  }

  #publishTrade(market: EmulatedMarket, { trade, id }: TradeIds): void {
    const { symbol } = market.spec;
    const [p, q] = market.tradeText(trade);
    const T = this.#nowMs();
    const common = { E: T, s: symbol, p, q, T, m: trade.taker === 'sell' };
    const extra = this.#market === 'spot' ? { M: true } : {};
    this.#send(symbol, 'trade', {
      e: 'trade',
      t: id,
      ...common,
      ...(this.#market === 'spot' ? extra : { X: 'MARKET' }),
    });
    this.#send(symbol, 'aggTrade', { e: 'aggTrade', a: id, f: id, l: id, ...common, ...extra });
  }

  #send(symbol: string, stream: string, payload: object, damage?: (text: string) => string): void {
    for (const session of this.#sessions) session.send(`${symbol.toLowerCase()}@${stream}`, payload, damage);
  }

  #of(symbol: string): EmulatedMarket {
    const market = this.#markets.get(symbol);
    if (!market) throw new DepthwireError('unknown_symbol', `the emulator has no ${symbol}`, { symbol });
    return market;
  }

  #faultsOf(symbol: string): Faults {
    this.#of(symbol);
    return this.#faults.get(symbol)!;
  }

  #nextSharedId(): number {
    this.#sharedId += 1 + (this.#sharedId % MAX_ID_STEP);
    return this.#sharedId;
  }

  #nowMs(): number {
    return Math.floor(this.#clock.now());
  }
}

/** Uses up one of a fault's times; false where none is left. */
function take<Key extends string>(faults: Record<Key, number>, key: Key): boolean {
  if (faults[key] <= 0) return false;
  faults[key] -= 1;
  return true;
}
