import type { ServerResponse } from 'node:http';
import { decimalsOf } from '@depthwire/shared';
import { EmulatedBook, type EmulatedSymbol, type Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type PastAnswer } from '../past-log.ts';
import { binancePast } from './past.ts';
import { unitsText, type TextLevel } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatorOptions,
} from '../venue-emulator.ts';
import { answerRequest, StreamClient } from './streams.ts';

export type BinanceMarket = 'spot' | 'usdm' | 'coinm' | 'us';

const PING_PERIOD_MS = 20_000;
const TICKER_PERIOD_MS = 1_000;
/** From the notice that a connection will end to its end. */
const SHUTDOWN_NOTICE_MS = 20_000;
/** Names of the diff stream: each gets every diff, whatever speed it names. */
const DIFF_STREAMS = ['depth', 'depth@100ms', 'depth@500ms', 'depth@0ms'];
const DEFAULT_LIMIT = 100;
const PATHS: Record<BinanceMarket, string> = {
  spot: '/api/v3',
  usdm: '/fapi/v1',
  coinm: '/dapi/v1',
  us: '/api/v3',
};
const MAX_LIMIT: Record<BinanceMarket, number> = { spot: 5000, usdm: 1000, coinm: 1000, us: 5000 };
/** Ids of futures are shared by all symbols: they leave gaps of up to so many. */
const MAX_ID_STEP = 4;
/** Digits behind the point of every number on spot; on futures they follow tick and lot. */
const SPOT_DECIMALS = 8;

export interface BinanceSymbol extends EmulatedSymbol {
  /** Futures; default `PERPETUAL`. */
  readonly contractType?: string;
}

export interface BinanceEmulatorOptions extends EmulatorOptions {
  readonly market: BinanceMarket;
  readonly symbols: readonly BinanceSymbol[];
}

/** Starts Binance on the loopback interface: REST, WebSocket, and books that change. */
export function startBinanceEmulator(options: BinanceEmulatorOptions): Promise<BinanceEmulator> {
  return new BinanceEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known, so that an adapter's copy can be compared
 * with the truth after every kind of trouble.
 * @see https://github.com/binance/binance-spot-api-docs web-socket-streams.md, rest-api.md
 */
export class BinanceEmulator extends VenueEmulator<StreamClient> {
  readonly #market: BinanceMarket;
  readonly #specs: readonly BinanceSymbol[];
  readonly #isSpot: boolean;
  #sharedId = 9_000_000;

  constructor(options: BinanceEmulatorOptions) {
    super(options);
    this.#market = options.market;
    this.#specs = options.symbols;
    this.#isSpot = options.market === 'spot' || options.market === 'us';
  }

  protected override createBook(spec: EmulatedSymbol, seed: number): EmulatedBook {
    // Called by the base class, before this one has its fields.
    const next = (id: number) => (this.#isSpot ? id + 1 : this.#nextSharedId());
    return new EmulatedBook(spec, seed, 1_000_000 * seed, next);
  }

  protected createState(url: URL): StreamClient {
    return new StreamClient(url);
  }

  protected override onStart(): void {
    this.repeat(PING_PERIOD_MS, () => {
      for (const { socket, isFrozen } of this.connections) if (!isFrozen) socket.ping(String(this.nowMs()));
    });
    this.repeat(TICKER_PERIOD_MS, () => {
      for (const book of this.books.values()) this.#sendTicker(book);
    });
  }

  protected override onOpen(connection: EmulatedConnection<StreamClient>): void {
    for (const stream of connection.state.firstStreams) connection.topics.add(stream);
    connection.socket.on('ping', () => connection.state.count(connection, this.clock.now()));
    connection.socket.on('pong', () => connection.state.count(connection, this.clock.now()));
  }

  protected onMessage(connection: EmulatedConnection<StreamClient>, text: string): void {
    if (connection.state.count(connection, this.clock.now())) answerRequest(connection, text);
  }

  protected bookTopic(symbol: string): string {
    return `${symbol.toLowerCase()}@depth@100ms`;
  }

  /** Every client that listens to some diff stream of the symbol. */
  protected override subscribers(topic: string): EmulatedConnection<StreamClient>[] {
    const [symbol, stream] = topic.split(/@(.*)/);
    if (stream !== 'depth@100ms') return super.subscribers(topic);
    return [...this.connections].filter(({ topics }) =>
      DIFF_STREAMS.some((name) => topics.has(`${symbol}@${name}`)),
    );
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<StreamClient> } | null {
    const { firstPendingId: U, publishedId: pu } = book;
    const levels = book.publish();
    if (!levels) return null;
    const { symbol } = book.spec;
    const E = this.nowMs();
    const u = book.publishedId;
    return {
      levels,
      message: ({ state, topics }, { bids, asks }) => {
        const [b, a] = [bids, asks].map((side) => side.map((level) => this.#text(book, level)));
        const futures = this.#isSpot ? {} : { T: E, pu };
        const stream = DIFF_STREAMS.find((name) => topics.has(`${symbol.toLowerCase()}@${name}`));
        const diff = { e: 'depthUpdate', E, s: symbol, U, u, ...futures, b, a };
        return state.wrap(`${symbol.toLowerCase()}@${stream}`, diff);
      },
    };
  }

  protected sendTrade(
    book: EmulatedBook,
    { price, quantity, taker }: WalkTrade,
    id: number,
    T: number,
  ): void {
    const { symbol } = book.spec;
    const [p, q] = this.#text(book, [unitsText(price), unitsText(quantity)]);
    const common = { E: T, s: symbol, p, q, T, m: taker === 'sell' };
    const extra = this.#isSpot ? { M: true } : {};
    this.#send(symbol, 'trade', {
      e: 'trade',
      t: id,
      ...common,
      ...(this.#isSpot ? extra : { X: 'MARKET' }),
    });
    this.#send(symbol, 'aggTrade', { e: 'aggTrade', a: id, f: id, l: id, ...common, ...extra });
  }

  override announceEnd(): void {
    const told = [...this.connections];
    for (const connection of told) connection.send({ e: 'serverShutdown', E: this.nowMs() });
    this.after(SHUTDOWN_NOTICE_MS, () => {
      for (const { socket } of told) socket.close(1001);
    });
  }

  protected override onPast(url: URL): PastAnswer | null {
    const path = `${PATHS[this.#market]}/`;
    if (!url.pathname.startsWith(path)) return null;
    return binancePast(url.pathname.slice(path.length), new PastQuery(url), {
      market: this.#market,
      trades: (symbol) => (this.books.has(symbol) ? this.trades(symbol) : null),
      candles: (symbol, seconds) => this.candles(symbol, seconds),
    });
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    const path = PATHS[this.#market];
    if (!url.pathname.startsWith(`${path}/`)) respondJson(response, 404, '');
    else if (url.pathname === `${path}/exchangeInfo`) respondJson(response, 200, this.#exchangeInfo());
    else if (url.pathname === `${path}/depth`) this.#answerDepth(url, response);
    else if (url.pathname === `${path}/ping`) respondJson(response, 200, {});
    else if (url.pathname === `${path}/time`) respondJson(response, 200, { serverTime: this.nowMs() });
    else respondJson(response, 404, '');
  }

  #answerDepth(url: URL, response: ServerResponse): void {
    const symbol = url.searchParams.get('symbol');
    const limit = Number(url.searchParams.get('limit') ?? DEFAULT_LIMIT);
    if (symbol === null) {
      const msg = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.";
      respondJson(response, 400, { code: -1102, msg });
      return;
    }
    const book = this.books.get(symbol);
    if (!book) {
      respondJson(response, 400, { code: -1121, msg: 'Invalid symbol.' });
      return;
    }
    if (!Number.isSafeInteger(limit) || limit < 1) {
      respondJson(response, 400, { code: -1100, msg: "Illegal characters found in parameter 'limit'." });
      return;
    }
    this.answerSnapshot(symbol, response, (before) => {
      const { id, bids, asks } = before === 0 ? { id: book.id, ...book.truth() } : book.published(before);
      const E = this.nowMs();
      const levels = (side: readonly TextLevel[]) =>
        side.slice(0, Math.min(limit, MAX_LIMIT[this.#market])).map((level) => this.#text(book, level));
      const times = this.#isSpot ? {} : { E, T: E };
      return { lastUpdateId: id, ...times, bids: levels(bids), asks: levels(asks) };
    });
  }

  #exchangeInfo(): object {
    const listed = [...this.books.values()].filter(({ isListed }) => isListed);
    const symbols = listed.map(({ spec, isHalted, tick }) => {
      const status = !isHalted ? 'TRADING' : this.#isSpot ? 'HALT' : 'PENDING_TRADING';
      const marginAsset = this.#market === 'coinm' ? spec.base : spec.quote;
      const { contractType = 'PERPETUAL' } = this.#specs.find(({ symbol }) => symbol === spec.symbol)!;
      return {
        symbol: spec.symbol,
        ...(this.#isSpot ? {} : { pair: spec.base + spec.quote, contractType, marginAsset }),
        [this.#market === 'coinm' ? 'contractStatus' : 'status']: status,
        baseAsset: spec.base,
        quoteAsset: spec.quote,
        filters: [
          { filterType: 'PRICE_FILTER', minPrice: tick, maxPrice: '1000000', tickSize: tick },
          { filterType: 'LOT_SIZE', minQty: spec.lot, maxQty: '9000', stepSize: spec.lot },
        ],
      };
    });
    return { timezone: 'UTC', serverTime: this.nowMs(), rateLimits: [], exchangeFilters: [], symbols };
  }

  #sendTicker(book: EmulatedBook): void {
    const { bids, asks } = book.truth(1);
    const last = bids[0]?.[0] ?? asks[0]?.[0];
    if (last === undefined) return;
    const { symbol, price } = book.spec;
    const ticker = { e: '24hrMiniTicker', E: this.nowMs(), s: symbol, c: last, o: price, h: last, l: price };
    this.#send(symbol, 'miniTicker', { ...ticker, v: '1000', q: '1000000' });
  }

  #send(symbol: string, name: string, payload: object): void {
    const stream = `${symbol.toLowerCase()}@${name}`;
    for (const connection of this.subscribers(stream))
      connection.send(connection.state.wrap(stream, payload));
  }

  #text(book: EmulatedBook, [price, size]: TextLevel): TextLevel {
    const { tick, lot } = book.spec;
    return [
      pad(price, this.#isSpot ? SPOT_DECIMALS : decimalsOf(tick)),
      pad(size, this.#isSpot ? SPOT_DECIMALS : decimalsOf(lot)),
    ];
  }

  #nextSharedId(): number {
    this.#sharedId += 1 + (this.#sharedId % MAX_ID_STEP);
    return this.#sharedId;
  }
}

/** The decimal with at least so many digits behind its point. */
function pad(text: string, decimals: number): string {
  const [whole = '', fraction = ''] = text.split('.');
  return decimals > fraction.length ? `${whole}.${fraction.padEnd(decimals, '0')}` : text;
}
