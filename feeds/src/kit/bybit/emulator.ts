import type { ServerResponse } from 'node:http';
import { decimalsOf } from '@depthwire/shared';
import type { EmulatedBook } from '../emulated-book.ts';
import { difference, type EmulatedSymbol, type Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type PastAnswer } from '../past-log.ts';
import { bybitPast } from './past.ts';
import { textUnits, unitsText, type TextBook, type TextLevel } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatorOptions,
} from '../venue-emulator.ts';
import {
  answerRequest,
  bookTopic,
  DEPTHS,
  type BybitMarket,
  type Depth,
  type PublicClient,
  type Topic,
} from './topics.ts';

export type { BybitMarket } from './topics.ts';

/** The depth that faults are made with; books of the others are right. */
const DEPTH = 200;
const TICKER_PERIOD_MS = 1_000;
/** "If there is no ping-pong and no stream data, the connection will be cut off after 10 minutes." */
const IDLE_MS = 600_000;
const IDLE_CHECK_MS = 30_000;
const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1000;

export interface BybitSymbol extends EmulatedSymbol {
  /** Of contracts; default a perpetual. */
  readonly contractType?: string;
  /** Unix milliseconds; of dated contracts. */
  readonly deliveryTime?: number;
}

export interface BybitEmulatorOptions extends EmulatorOptions {
  readonly market: BybitMarket;
  readonly symbols: readonly BybitSymbol[];
}

/** Starts Bybit on the loopback interface: REST, WebSocket, and books that change. */
export function startBybitEmulator(options: BybitEmulatorOptions): Promise<BybitEmulator> {
  return new BybitEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known.
 * @see https://bybit-exchange.github.io/docs/v5/ws/connect
 */
export class BybitEmulator extends VenueEmulator<PublicClient> {
  readonly #market: BybitMarket;
  readonly #specs: readonly BybitSymbol[];
  /** Last u of each book topic. */
  readonly #u = new Map<string, number>();
  /** Statistics as told last, of which deltas name the changes. */
  readonly #told = new Map<string, Record<string, string>>();

  constructor(options: BybitEmulatorOptions) {
    super(options);
    this.#market = options.market;
    this.#specs = options.symbols;
  }

  protected createState(): PublicClient {
    return { connId: `d9avt8-${this.connectionCount}`, lastTrafficMs: this.nowMs() };
  }

  protected override onStart(): void {
    this.repeat(TICKER_PERIOD_MS, () => {
      for (const book of this.books.values()) this.#sendTicker(book);
    });
    this.repeat(IDLE_CHECK_MS, () => {
      for (const { socket, state } of this.connections)
        if (this.nowMs() - state.lastTrafficMs > IDLE_MS) socket.close(1001);
    });
  }

  protected override onOpen({ socket }: EmulatedConnection<PublicClient>, url: URL): void {
    if (url.pathname !== `/v5/public/${this.#market}`) socket.close(1008);
  }

  protected onMessage(connection: EmulatedConnection<PublicClient>, text: string): void {
    connection.state.lastTrafficMs = this.nowMs();
    answerRequest(connection, text, {
      market: this.#market,
      has: (symbol) => this.books.get(symbol)?.isListed === true,
      onSubscribed: (_name, topic) => this.#onSubscribed(connection, topic),
    });
  }

  protected bookTopic(symbol: string): string {
    return bookTopic(DEPTH, symbol);
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<PublicClient> } | null {
    const levels = book.publish(DEPTH);
    if (!levels) return null;
    const u = this.#nextU(bookTopic(DEPTH, book.spec.symbol));
    return { levels, message: (_connection, sides) => this.#frame(book, DEPTH, 'delta', sides, u) };
  }

  /** The books of other depths go out along with it. */
  override publish(symbol: string): void {
    const book = this.of(symbol);
    const before = book.published();
    super.publish(symbol);
    const now = book.published();
    if (now.id === before.id) return;
    for (const depth of DEPTHS) {
      const subscribers = depth === DEPTH ? [] : this.subscribers(bookTopic(depth, symbol));
      if (subscribers.length === 0) continue;
      const delta = {
        bids: difference(before.bids, now.bids, depth, true),
        asks: difference(before.asks, now.asks, depth, true),
      };
      if (delta.bids.length + delta.asks.length === 0) continue;
      const u = this.#nextU(bookTopic(depth, symbol));
      const frame =
        depth === 1
          ? this.#frame(book, depth, 'snapshot', topOf(now, depth), u)
          : this.#frame(book, depth, 'delta', delta, u);
      for (const connection of subscribers) connection.send(frame);
    }
  }

  protected sendTrade(
    book: EmulatedBook,
    { price, quantity, taker }: WalkTrade,
    id: number,
    T: number,
  ): void {
    const { symbol } = book.spec;
    const [p, v] = this.#text(book, [unitsText(price), unitsText(quantity)]);
    const trade = { i: String(id), T, p, v, S: taker === 'buy' ? 'Buy' : 'Sell', s: symbol, BT: false };
    const topic = `publicTrade.${symbol}`;
    for (const connection of this.subscribers(topic))
      connection.send({ topic, ts: T, type: 'snapshot', data: [trade] });
  }

  /** The service behind the streams restarts: connections stay, every book is sent anew with a u of 1. */
  restartService(): void {
    for (const [symbol, book] of this.books) {
      this.publish(symbol);
      for (const depth of DEPTHS) {
        this.#u.set(bookTopic(depth, symbol), 1);
        for (const connection of this.subscribers(bookTopic(depth, symbol)))
          connection.send(this.#snapshot(book, depth));
      }
    }
  }

  override restart(): void {
    super.restart();
    this.#u.clear();
  }

  protected override onPast(url: URL): PastAnswer | null {
    return bybitPast(url.pathname, new PastQuery(url), {
      market: this.#market,
      nowMs: this.nowMs(),
      trades: (symbol) => (this.books.has(symbol) ? this.trades(symbol) : null),
      candles: (symbol, seconds) => this.candles(symbol, seconds),
    });
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    if (url.pathname !== '/v5/market/instruments-info') {
      respondJson(response, 404, '');
      return;
    }
    const { searchParams: query } = url;
    const category = query.get('category') ?? '';
    const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
    const refuse = (retCode: number, retMsg: string) =>
      respondJson(response, 200, { retCode, retMsg, result: {}, retExtInfo: {}, time: this.nowMs() });
    if (!['spot', 'linear', 'inverse', 'option'].includes(category)) {
      refuse(10001, 'Illegal category');
      return;
    }
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
      refuse(10001, 'Limit is invalid');
      return;
    }
    const wanted = query.get('status') ?? 'Trading';
    const books = category === this.#market ? [...this.books.values()] : [];
    const all = books.filter((book) => book.isListed && this.#statusOf(book) === wanted);
    // "Spot does not support pagination, so limit, cursor are invalid."
    const first = category === 'spot' ? 0 : Number(/^first=(\d+)$/.exec(query.get('cursor') ?? '')?.[1] ?? 0);
    const page = category === 'spot' ? all : all.slice(first, first + limit);
    const isLast = first + page.length >= all.length;
    const result = {
      category,
      list: page.map((book) => this.#listing(book)),
      ...(category === 'spot'
        ? {}
        : { nextPageCursor: isLast ? '' : encodeURIComponent(`first=${first + limit}`) }),
    };
    respondJson(response, 200, { retCode: 0, retMsg: 'OK', result, retExtInfo: {}, time: this.nowMs() });
  }

  /** Spot lists what trades, and nothing else: a symbol that is halted is missing. */
  #statusOf({ isHalted }: EmulatedBook): string {
    return isHalted ? 'Delivering' : 'Trading';
  }

  #listing(book: EmulatedBook): object {
    const { spec, tick } = book;
    const common = {
      symbol: spec.symbol,
      status: this.#statusOf(book),
      baseCoin: spec.base,
      quoteCoin: spec.quote,
    };
    if (this.#market === 'spot') {
      const lotSizeFilter = { basePrecision: spec.lot, quotePrecision: '0.0000001', maxOrderQty: '230' };
      return { ...common, lotSizeFilter, priceFilter: { tickSize: tick } };
    }
    const { contractType, deliveryTime = 0 } = this.#specs.find(({ symbol }) => symbol === spec.symbol)!;
    return {
      ...common,
      contractType: contractType ?? (this.#market === 'linear' ? 'LinearPerpetual' : 'InversePerpetual'),
      deliveryTime: String(deliveryTime),
      priceFilter: { minPrice: tick, maxPrice: '1999999.80', tickSize: tick },
      lotSizeFilter: { maxOrderQty: '1500', minOrderQty: spec.lot, qtyStep: spec.lot },
      settleCoin: this.#market === 'linear' ? spec.quote : spec.base,
      isPreListing: false,
      preListingInfo: null,
    };
  }

  #onSubscribed(connection: EmulatedConnection<PublicClient>, { kind, symbol, depth }: Topic): void {
    const book = this.of(symbol);
    if (depth !== null) {
      if (!this.withholds(symbol)) connection.send(this.#snapshot(book, depth));
    } else if (kind === 'tickers') connection.send(this.#ticker(book, 'snapshot', this.#statistics(book)));
  }

  #snapshot(book: EmulatedBook, depth: Depth): object {
    const topic = bookTopic(depth, book.spec.symbol);
    if (!this.#u.has(topic)) this.#u.set(topic, 1);
    return this.#frame(book, depth, 'snapshot', topOf(book.published(), depth), this.#u.get(topic)!);
  }

  #frame(
    book: EmulatedBook,
    depth: Depth,
    type: 'snapshot' | 'delta',
    { bids, asks }: Levels,
    u: number,
  ): object {
    const { symbol } = book.spec;
    const ts = this.nowMs();
    const [b, a] = [bids, asks].map((side) => side.map((level) => this.#text(book, level)));
    const data = { s: symbol, b, a, u, seq: book.publishedId };
    return { topic: bookTopic(depth, symbol), type, ts, data, cts: ts };
  }

  #nextU(topic: string): number {
    const u = (this.#u.get(topic) ?? 0) + 1;
    this.#u.set(topic, u);
    return u;
  }

  #statistics(book: EmulatedBook): Record<string, string> {
    const { bids, asks } = book.truth(1);
    const last = bids[0]?.[0] ?? asks[0]?.[0] ?? book.spec.price;
    return {
      lastPrice: last,
      highPrice24h: last,
      lowPrice24h: book.spec.price,
      prevPrice24h: book.spec.price,
      volume24h: '1000',
      turnover24h: '1000000',
    };
  }

  /** Spot tells everything each time, contracts what has changed. */
  #sendTicker(book: EmulatedBook): void {
    const { symbol } = book.spec;
    const now = this.#statistics(book);
    const before = this.#told.get(symbol) ?? {};
    this.#told.set(symbol, now);
    const changed = Object.fromEntries(Object.entries(now).filter(([key, value]) => before[key] !== value));
    const frame =
      this.#market === 'spot' ? this.#ticker(book, 'snapshot', now) : this.#ticker(book, 'delta', changed);
    for (const connection of this.subscribers(`tickers.${symbol}`)) connection.send(frame);
  }

  #ticker({ spec: { symbol } }: EmulatedBook, type: 'snapshot' | 'delta', statistics: object): object {
    return { topic: `tickers.${symbol}`, type, ts: this.nowMs(), cs: 1, data: { symbol, ...statistics } };
  }

  /** Contracts are written with the digits of tick and lot, spot without trailing zeros. */
  #text(book: EmulatedBook, [price, size]: TextLevel): TextLevel {
    if (this.#market === 'spot') return [price, size];
    const { tick, spec } = book;
    return [
      unitsText(textUnits(price), decimalsOf(tick)),
      size === '0' ? size : unitsText(textUnits(size), decimalsOf(spec.lot)),
    ];
  }
}

function topOf({ bids, asks }: TextBook, depth: number): Levels {
  return { bids: bids.slice(0, depth), asks: asks.slice(0, depth) };
}
