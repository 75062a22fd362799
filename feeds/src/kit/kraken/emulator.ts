import type { ServerResponse } from 'node:http';
import type { EmulatedBook, Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type PastAnswer } from '../past-log.ts';
import { krakenPast } from './past.ts';
import { unitsText } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatorOptions,
} from '../venue-emulator.ts';
import { checksumOf, digitsOf, number, stringify, wireLevels, withinDepth, type Digits } from './wire.ts';

/** "Sent approximately once every second." */
const HEARTBEAT_MS = 1_000;
const TICKER_PERIOD_MS = 1_000;
/** The venue's own limit moves, and is not told. */
const MAX_MESSAGES_PER_SECOND = 20;
const DEPTHS = [10, 25, 100, 500, 1000];
const DEFAULT_DEPTH = 10;
const SYMBOL_CHANNELS = ['book', 'trade', 'ticker'];

/** What the venue keeps for a client. */
class KrakenClient {
  /** Book depths, by symbol. */
  readonly depths = new Map<string, number>();
  recentMs: number[] = [];
}

type Connection = EmulatedConnection<KrakenClient>;

interface Request {
  readonly method?: unknown;
  readonly params?: Record<string, unknown>;
  readonly req_id?: unknown;
}

/** Starts Kraken on the loopback interface: its WebSocket API v2, and books that change. */
export function startKrakenEmulator(options: EmulatorOptions): Promise<KrakenEmulator> {
  return new KrakenEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known.
 * @see https://docs.kraken.com/api/docs/websocket-v2/book, /instrument, /trade, /ticker, /status
 */
export class KrakenEmulator extends VenueEmulator<KrakenClient> {
  #lastMicros = 0;

  protected createState(): KrakenClient {
    return new KrakenClient();
  }

  protected override onStart(): void {
    this.repeat(HEARTBEAT_MS, () => {
      for (const connection of this.connections)
        if (connection.topics.size > 0) connection.send({ channel: 'heartbeat' });
    });
    this.repeat(TICKER_PERIOD_MS, () => {
      for (const book of this.books.values())
        this.#sendTo(`ticker:${book.spec.symbol}`, () => this.#ticker(book, 'update'));
    });
  }

  protected override onOpen(connection: Connection): void {
    const status = {
      system: 'online',
      api_version: 'v2',
      connection_id: this.connectionCount,
      version: '2.0.10',
    };
    connection.send({ channel: 'status', type: 'update', data: [status] });
  }

  protected onMessage(connection: Connection, text: string): void {
    if (!this.#counts(connection)) {
      connection.send({ Error: 'Exceeded msg rate' });
      return;
    }
    let request: Request | null;
    try {
      request = JSON.parse(text) as Request | null;
    } catch {
      connection.send({ error: 'Malformed request', success: false, ...this.#times() });
      return;
    }
    const { method, req_id } = request ?? {};
    if (method === 'ping') connection.send({ method: 'pong', req_id, ...this.#times() });
    else if (method === 'subscribe' || method === 'unsubscribe')
      this.#onSubscription(connection, method, request!);
    else connection.send({ error: 'Unsupported method', success: false, req_id, ...this.#times() });
  }

  protected bookTopic(symbol: string): string {
    return `book:${symbol}`;
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<KrakenClient> } | null {
    const before = book.published();
    const levels = book.publish();
    if (!levels) return null;
    const now = book.published();
    const digits = digitsOf(book);
    const checksum = checksumOf(now, digits);
    const timestamp = this.#timestamp();
    return {
      levels,
      message: ({ state }, changed, { breaksChecksum }) => {
        const depth = state.depths.get(book.spec.symbol) ?? DEFAULT_DEPTH;
        const shown = breaksChecksum ? (checksum ^ 1) >>> 0 : checksum;
        return bookFrame('update', book, withinDepth(changed, before, now, depth), digits, shown, timestamp);
      },
    };
  }

  protected sendTrade(
    book: EmulatedBook,
    { price, quantity, taker }: WalkTrade,
    id: number,
    timeMs: number,
  ): void {
    const { symbol } = book.spec;
    const digits = digitsOf(book);
    const trade = {
      symbol,
      side: taker,
      price: number(unitsText(price), digits.price),
      qty: number(unitsText(quantity), digits.qty),
      ord_type: 'limit',
      trade_id: id,
      timestamp: new Date(timeMs).toISOString().replace('Z', '000Z'),
    };
    this.#sendTo(`trade:${symbol}`, () => stringify({ channel: 'trade', type: 'update', data: [trade] }));
  }

  protected override onListingChange(book: EmulatedBook): void {
    this.#sendTo('instrument', () => this.#instruments('update', [book]));
  }

  protected override onPast(url: URL): PastAnswer | null {
    return krakenPast(url.pathname, new PastQuery(url), {
      symbols: this.symbols,
      nowMs: this.nowMs(),
      trades: (symbol) => this.trades(symbol),
      candles: (symbol, seconds) => this.candles(symbol, seconds),
    });
  }

  protected onRequest(_url: URL, response: ServerResponse): void {
    respondJson(response, 404, { error: ['EGeneral:Unknown method'] });
  }

  #onSubscription(
    connection: Connection,
    method: 'subscribe' | 'unsubscribe',
    { params, req_id }: Request,
  ): void {
    const channel = params?.channel;
    const refuse = (error: string, symbol?: string) =>
      connection.send({ error, method, req_id, success: false, symbol, ...this.#times() });
    if (channel === 'instrument') {
      if (!this.#change(connection, method, channel)) return refuse(refusal(method));
      const snapshot = params?.snapshot !== false;
      connection.send({ method, req_id, result: { channel, snapshot }, success: true, ...this.#times() });
      if (method === 'subscribe' && snapshot) connection.send(this.#instruments('snapshot', this.#listed()));
      return;
    }
    if (typeof channel !== 'string' || !SYMBOL_CHANNELS.includes(channel)) return refuse('Unknown channel');
    const symbols = params?.symbol;
    if (!Array.isArray(symbols) || symbols.length === 0) return refuse('Missing symbol');
    const depth = params?.depth ?? DEFAULT_DEPTH;
    if (channel === 'book' && !DEPTHS.includes(depth as number))
      return refuse('Subscription depth not supported');
    for (const symbol of symbols as unknown[]) {
      const book = this.#listed().find(({ spec }) => spec.symbol === symbol);
      if (!book) refuse(`Currency pair not supported ${String(symbol)}`, String(symbol));
      else if (!this.#matches(connection, method, channel, book, depth as number))
        refuse(refusal(method), book.spec.symbol);
      else this.#obey(connection, method, channel, book, { ...params, req_id });
    }
  }

  /** Whether a subscription can begin, or is the one that is to end. */
  #matches(
    { topics, state }: Connection,
    method: string,
    channel: string,
    { spec }: EmulatedBook,
    depth: number,
  ) {
    const isSubscribed = topics.has(`${channel}:${spec.symbol}`);
    if (method === 'subscribe') return !isSubscribed;
    return isSubscribed && (channel !== 'book' || state.depths.get(spec.symbol) === depth);
  }

  #obey(
    connection: Connection,
    method: 'subscribe' | 'unsubscribe',
    channel: string,
    book: EmulatedBook,
    { depth = DEFAULT_DEPTH, snapshot = channel !== 'trade', req_id }: Record<string, unknown>,
  ): void {
    const { symbol } = book.spec;
    this.#change(connection, method, `${channel}:${symbol}`);
    const result = { channel, ...(channel === 'book' ? { depth } : {}), snapshot, symbol };
    connection.send({ method, req_id, result, success: true, ...this.#times() });
    if (channel === 'book') {
      if (method === 'subscribe') connection.state.depths.set(symbol, depth as number);
      else connection.state.depths.delete(symbol);
    }
    if (method === 'unsubscribe' || snapshot !== true) return;
    if (channel === 'book' && !this.withholds(symbol)) connection.send(this.#snapshot(book, depth as number));
    if (channel === 'ticker') connection.send(this.#ticker(book, 'snapshot'));
  }

  #change({ topics }: Connection, method: 'subscribe' | 'unsubscribe', topic: string): boolean {
    if (method === 'unsubscribe') return topics.delete(topic);
    const isNew = !topics.has(topic);
    topics.add(topic);
    return isNew;
  }

  #counts({ state }: Connection): boolean {
    const now = this.clock.now();
    state.recentMs = state.recentMs.filter((timeMs) => now - timeMs < 1000);
    state.recentMs.push(now);
    return state.recentMs.length <= MAX_MESSAGES_PER_SECOND;
  }

  #snapshot(book: EmulatedBook, depth: number): string {
    const { bids, asks } = book.published();
    const levels = { bids: bids.slice(0, depth), asks: asks.slice(0, depth) };
    const digits = digitsOf(book);
    return bookFrame('snapshot', book, levels, digits, checksumOf(levels, digits), this.#timestamp());
  }

  #ticker(book: EmulatedBook, type: 'snapshot' | 'update'): string {
    const { symbol, price } = book.spec;
    const [bid, ask] = [book.truth(1).bids[0], book.truth(1).asks[0]];
    const last = bid?.[0] ?? ask?.[0] ?? price;
    const digits = digitsOf(book);
    const change = unitsText(Math.round((Number(last) - Number(price)) * 1e8));
    const figures = { last, volume: '1000', vwap: last, low: price, high: last, change };
    const data = Object.fromEntries(
      Object.entries(figures).map(([key, text]) => [
        key,
        number(text, key === 'volume' ? digits.qty : digits.price),
      ]),
    );
    return stringify({ channel: 'ticker', type, data: [{ symbol, ...data, change_pct: 0 }] });
  }

  #instruments(type: 'snapshot' | 'update', books: readonly EmulatedBook[]): string {
    const pairs = books.map((book) => {
      const { symbol, base, quote, lot } = book.spec;
      const { price, qty } = digitsOf(book);
      return {
        symbol,
        base,
        quote,
        status: !book.isListed ? 'delisted' : book.isHalted ? 'cancel_only' : 'online',
        qty_precision: qty,
        qty_increment: number(lot),
        price_precision: price,
        price_increment: number(book.tick),
        cost_precision: 5,
        marginable: false,
        has_index: true,
        qty_min: number(lot),
      };
    });
    return stringify({ channel: 'instrument', type, data: { assets: [], pairs } });
  }

  #listed(): EmulatedBook[] {
    return [...this.books.values()].filter(({ isListed }) => isListed);
  }

  #sendTo(topic: string, frame: () => string): void {
    for (const connection of this.subscribers(topic)) connection.send(frame());
  }

  /** RFC 3339 with microseconds, later each time. */
  #timestamp(): string {
    this.#lastMicros = Math.max(this.#lastMicros + 1, Math.floor(this.clock.now() * 1_000));
    const ms = Math.floor(this.#lastMicros / 1_000);
    return new Date(ms).toISOString().replace('Z', `${String(this.#lastMicros % 1_000).padStart(3, '0')}Z`);
  }

  #times(): object {
    return { time_in: this.#timestamp(), time_out: this.#timestamp() };
  }
}

function refusal(method: 'subscribe' | 'unsubscribe'): string {
  return method === 'subscribe' ? 'Already subscribed' : 'Subscription Not Found';
}

function bookFrame(
  type: 'snapshot' | 'update',
  { spec }: EmulatedBook,
  { bids, asks }: Levels,
  digits: Digits,
  checksum: number,
  timestamp: string,
): string {
  const levels = { bids: wireLevels(bids, digits), asks: wireLevels(asks, digits) };
  return stringify({
    channel: 'book',
    type,
    data: [{ symbol: spec.symbol, ...levels, checksum, timestamp }],
  });
}
