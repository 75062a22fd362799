import type { ServerResponse } from 'node:http';
import type { EmulatedBook, Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type EmulatedTrade, type PastAnswer } from '../past-log.ts';
import { coinbasePast } from './past.ts';
import { unitsText, type TextLevel } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatorOptions,
} from '../venue-emulator.ts';

/** "Heartbeats messages every second." */
const HEARTBEAT_MS = 1_000;
/** "Real-time price updates every 5000 milli-seconds." */
const TICKER_BATCH_MS = 5_000;
/** "Most channels close within 60-90 seconds if no updates are sent." */
const IDLE_MS = 90_000;
/** "Unauthenticated messages are rate-limited at 8 per second per IP address." */
const MAX_MESSAGES_PER_SECOND = 8;
/** Past trades that a subscription begins with. */
const PAST_TRADES = 50;
const PRODUCT_CHANNELS = ['level2', 'market_trades', 'ticker', 'ticker_batch'];
const PRODUCTS_PATH = '/api/v3/brokerage/market/products';

/** What the venue keeps for a client. */
class CoinbaseClient {
  /** Of the next message, whatever its channel. */
  sequence = 0;
  lastSentMs: number;
  recentMs: number[] = [];

  constructor(nowMs: number) {
    this.lastSentMs = nowMs;
  }
}

type Connection = EmulatedConnection<CoinbaseClient>;

/** Starts Coinbase Advanced Trade on the loopback interface: WebSocket, list of products, and books that change. */
export function startCoinbaseEmulator(options: EmulatorOptions): Promise<CoinbaseEmulator> {
  return new CoinbaseEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known. Each product quoted in USD has an alias in
 * USDC, whose data come under the name of the former.
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
 */
export class CoinbaseEmulator extends VenueEmulator<CoinbaseClient> {
  readonly #stalled = new Set<string>();

  protected createState(): CoinbaseClient {
    return new CoinbaseClient(this.clock.now());
  }

  protected override onStart(): void {
    let counter = 0;
    this.repeat(HEARTBEAT_MS, () => {
      counter += 1;
      for (const connection of this.subscribers('heartbeats'))
        this.#send(connection, 'heartbeats', { current_time: this.#timestamp(), heartbeat_counter: counter });
      for (const { socket, state } of this.connections)
        if (this.clock.now() - state.lastSentMs > IDLE_MS) socket.close(1000);
    });
    this.repeat(TICKER_BATCH_MS, () => {
      for (const book of this.books.values()) this.#sendTicker('ticker_batch', book);
    });
  }

  /** Messages go on being numbered, but are lost on their way. */
  override stall(symbol: string, isStalled = true): void {
    super.stall(symbol, isStalled);
    if (isStalled) this.#stalled.add(symbol);
    else this.#stalled.delete(symbol);
  }

  protected onMessage(connection: Connection, text: string): void {
    if (!this.#counts(connection)) return this.#refuse(connection, 'rate limit exceeded');
    let request: Record<string, unknown> | null;
    try {
      request = JSON.parse(text) as Record<string, unknown> | null;
    } catch {
      return this.#refuse(connection, 'failed to parse message');
    }
    const { type, channel, product_ids: products = [] } = request ?? {};
    if (type !== 'subscribe' && type !== 'unsubscribe')
      return this.#refuse(connection, 'unknown message type');
    if (channel === 'heartbeats') this.#obey(connection, type, channel, [channel]);
    else if (typeof channel !== 'string' || !PRODUCT_CHANNELS.includes(channel))
      this.#refuse(connection, 'channel is not supported');
    else if (!Array.isArray(products) || products.length === 0)
      this.#refuse(connection, 'no product ids were named');
    else {
      const symbols = products.map((product) => this.#symbolOf(product));
      const unknown = symbols.indexOf(null);
      if (unknown >= 0) this.#refuse(connection, `${String(products[unknown])} is not a valid product`);
      else this.#obey(connection, type, channel, symbols as string[]);
    }
  }

  protected bookTopic(symbol: string): string {
    return `level2:${symbol}`;
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<CoinbaseClient> } | null {
    const levels = book.publish();
    if (!levels) return null;
    const { symbol } = book.spec;
    if (this.#stalled.has(symbol))
      for (const { state } of this.subscribers(this.bookTopic(symbol))) state.sequence += 1;
    return {
      levels,
      message: (connection, changed) =>
        this.#frame(connection, 'l2_data', this.#bookEvent('update', symbol, changed)),
    };
  }

  protected sendTrade(
    book: EmulatedBook,
    { price, quantity, taker }: WalkTrade,
    id: number,
    timeMs: number,
  ): void {
    const { symbol } = book.spec;
    const trade = { symbol, id, side: taker, price: unitsText(price), size: unitsText(quantity), timeMs };
    for (const connection of this.subscribers(`market_trades:${symbol}`))
      this.#send(connection, 'market_trades', { type: 'update', trades: [this.#trade(trade)] });
    this.#sendTicker('ticker', book);
  }

  protected override onPast(url: URL): PastAnswer | null {
    return coinbasePast(url.pathname, new PastQuery(url), {
      trades: (product) => (this.books.has(product) ? this.trades(product) : null),
      candles: (product, seconds) => this.candles(product, seconds),
      message: (trade) => this.#trade(trade),
    });
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    if (url.pathname !== PRODUCTS_PATH) respondJson(response, 404, { error: 'NOT_FOUND' });
    else {
      const products = [...this.books.values()].flatMap((book) => productsOf(book));
      respondJson(response, 200, { products, num_products: products.length });
    }
  }

  /** The snapshots of what is new come before the answer that lists all subscriptions. */
  #obey(
    connection: Connection,
    type: 'subscribe' | 'unsubscribe',
    channel: string,
    names: readonly string[],
  ): void {
    const { topics } = connection;
    for (const name of names) {
      const topic = channel === 'heartbeats' ? channel : `${channel}:${name}`;
      const isNew = type === 'subscribe' && !topics.has(topic);
      if (type === 'subscribe') topics.add(topic);
      else topics.delete(topic);
      if (isNew && channel !== 'heartbeats') this.#sendSnapshot(connection, channel, this.of(name));
    }
    const subscriptions: Record<string, string[]> = {};
    for (const topic of topics) {
      const [of = '', name = of] = topic.split(':');
      (subscriptions[of] ??= []).push(name);
    }
    this.#send(connection, 'subscriptions', { subscriptions });
  }

  #sendSnapshot(connection: Connection, channel: string, book: EmulatedBook): void {
    const { symbol } = book.spec;
    if (channel === 'level2') {
      if (!this.withholds(symbol))
        this.#send(connection, 'l2_data', this.#bookEvent('snapshot', symbol, book.published()));
    } else if (channel === 'market_trades') {
      const past = this.trades(symbol).slice(-PAST_TRADES).reverse();
      this.#send(connection, channel, { type: 'snapshot', trades: past.map((trade) => this.#trade(trade)) });
    } else this.#send(connection, channel, { type: 'snapshot', tickers: [ticker(book)] });
  }

  #sendTicker(channel: 'ticker' | 'ticker_batch', book: EmulatedBook): void {
    for (const connection of this.subscribers(`${channel}:${book.spec.symbol}`))
      this.#send(connection, channel, { type: 'update', tickers: [ticker(book)] });
  }

  #bookEvent(type: 'snapshot' | 'update', symbol: string, { bids, asks }: Levels): object {
    const event_time = this.#timestamp();
    const updates = (side: 'bid' | 'offer', levels: readonly TextLevel[]) =>
      levels.map(([price_level, new_quantity]) => ({ side, event_time, price_level, new_quantity }));
    return { type, product_id: symbol, updates: [...updates('bid', bids), ...updates('offer', asks)] };
  }

  /** The side is the maker's. */
  #trade({ symbol, id, side, price, size, timeMs }: EmulatedTrade): object {
    const maker = side === 'buy' ? 'SELL' : 'BUY';
    return { product_id: symbol, trade_id: String(id), price, size, time: timestampOf(timeMs), side: maker };
  }

  #symbolOf(product: unknown): string | null {
    const listed = [...this.books.values()].filter(({ isListed }) => isListed);
    const book = listed.find(({ spec }) => spec.symbol === product || aliasOf(spec) === product);
    return book?.spec.symbol ?? null;
  }

  #refuse(connection: Connection, message: string): void {
    connection.send({ type: 'error', message });
  }

  #counts({ state }: Connection): boolean {
    const now = this.clock.now();
    state.recentMs = state.recentMs.filter((timeMs) => now - timeMs < 1000);
    state.recentMs.push(now);
    return state.recentMs.length <= MAX_MESSAGES_PER_SECOND;
  }

  #send(connection: Connection, channel: string, event: object): void {
    connection.send(this.#frame(connection, channel, event));
  }

  #frame({ state }: Connection, channel: string, event: object): object {
    state.lastSentMs = this.clock.now();
    return { channel, timestamp: this.#timestamp(), sequence_num: state.sequence++, events: [event] };
  }

  /** RFC 3339 with nanoseconds. */
  #timestamp(): string {
    return timestampOf(this.clock.now());
  }
}

function timestampOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('Z', '000000Z');
}

function aliasOf({ base, quote }: { base: string; quote: string }): string | null {
  return quote === 'USD' ? `${base}-USDC` : null;
}

function ticker(book: EmulatedBook): object {
  const { symbol, price } = book.spec;
  const { bids, asks } = book.truth(1);
  const last = bids[0]?.[0] ?? asks[0]?.[0] ?? price;
  return {
    type: 'ticker',
    product_id: symbol,
    price: last,
    volume_24_h: '1000',
    low_24_h: price,
    high_24_h: last,
    low_52_w: price,
    high_52_w: last,
    price_percent_chg_24_h: String((Number(last) / Number(price) - 1) * 100),
  };
}

/** The product, and its alias where it has one. */
function productsOf({ spec, tick, isHalted, isListed }: EmulatedBook): object[] {
  const { symbol, base, quote, lot } = spec;
  const alias = aliasOf(spec);
  const product = {
    product_id: symbol,
    base_increment: lot,
    quote_increment: tick,
    price_increment: tick,
    base_currency_id: base,
    quote_currency_id: quote,
    product_type: 'SPOT',
    status: isListed ? 'online' : 'delisted',
    is_disabled: false,
    trading_disabled: isHalted || !isListed,
    cancel_only: false,
    limit_only: false,
    post_only: false,
    auction_mode: false,
    view_only: false,
    alias: '',
    alias_to: alias === null ? [] : [alias],
  };
  if (alias === null) return [product];
  return [product, { ...product, product_id: alias, quote_currency_id: 'USDC', alias: symbol, alias_to: [] }];
}
