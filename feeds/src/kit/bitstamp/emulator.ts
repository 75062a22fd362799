import type { ServerResponse } from 'node:http';
import { decimalsOf, type Clock } from '@depthwire/shared';
import { EmulatedBook, type EmulatedSymbol, type Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type PastAnswer } from '../past-log.ts';
import { bitstampPast } from './past.ts';
import { unitsText, type TextLevel } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatorOptions,
} from '../venue-emulator.ts';

/** Observed: one protocol ping every 54 seconds. */
const PING_PERIOD_MS = 54_000;
/** "You will have a few seconds to reconnect." */
const RECONNECT_NOTICE_MS = 5_000;
/** "Attempting a 1025th subscription causes the connection to be silently closed." */
const MAX_CHANNELS = 1024;
/** "Keep them under 512 bytes": longer ones end the connection. */
const MAX_CLIENT_FRAME_BYTES = 512;
/** RFC 6455, 7.4.1: a message that is too big. */
const MESSAGE_TOO_BIG = 1009;
const CHANNEL = /^(?:live_trades|live_orders|order_book|detail_order_book|diff_order_book)_[a-z0-9-]+$/;
/** More levels than any book has. */
const EVERY_LEVEL = 1_000_000;

/** Starts Bitstamp on the loopback interface: REST, WebSocket, and books that change. */
export function startBitstampEmulator(options: EmulatorOptions): Promise<BitstampEmulator> {
  return new BitstampEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known. Ids of its books are unix microseconds. Symbols
 * that end in `-perp` are perpetuals.
 * @see https://www.bitstamp.net/websocket/v2/, https://www.bitstamp.net/api/
 */
export class BitstampEmulator extends VenueEmulator {
  #lastMicros = 0;

  protected override createBook(spec: EmulatedSymbol, seed: number): EmulatedBook {
    // Called by the base class, before this one has its fields.
    return new EmulatedBook(spec, seed, microsOf(this.clock, 0), () => this.#stamp());
  }

  protected createState(): undefined {
    return undefined;
  }

  protected override onStart(): void {
    this.repeat(PING_PERIOD_MS, () => {
      for (const { socket, isFrozen } of this.connections) if (!isFrozen) socket.ping();
    });
  }

  protected onMessage(connection: EmulatedConnection, text: string): void {
    if (Buffer.byteLength(text) > MAX_CLIENT_FRAME_BYTES) {
      connection.socket.close(MESSAGE_TOO_BIG, `read limited at ${MAX_CLIENT_FRAME_BYTES + 1} bytes`);
      return;
    }
    const refuse = (message: string) =>
      connection.send({ event: 'bts:error', channel: '', data: { code: null, message } });
    let request: { readonly event?: unknown; readonly data?: { readonly channel?: unknown } } | null;
    try {
      request = JSON.parse(text) as typeof request;
    } catch {
      refuse('Incorrect JSON format.');
      return;
    }
    const { event, data } = request ?? {};
    const channel = data?.channel;
    if (event === 'bts:heartbeat') connection.send({ event, channel: '', data: { status: 'success' } });
    else if ((event !== 'bts:subscribe' && event !== 'bts:unsubscribe') || typeof channel !== 'string')
      refuse('Bad subscription string.');
    else if (!CHANNEL.test(channel)) refuse('Invalid channel provided.');
    else if (event === 'bts:subscribe') {
      // A market that there is none of is accepted like any other: nothing will ever come of it.
      connection.topics.add(channel);
      if (connection.topics.size > MAX_CHANNELS) connection.socket.terminate();
      else connection.send({ event: 'bts:subscription_succeeded', channel, data: {} });
    } else {
      connection.topics.delete(channel);
      connection.send({ event: 'bts:unsubscription_succeeded', channel, data: {} });
    }
  }

  protected bookTopic(symbol: string): string {
    return `diff_order_book_${symbol}`;
  }

  /** Only what differs from the last time is told, not what came and went between. */
  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<unknown> } | null {
    const levels = book.publish(EVERY_LEVEL);
    if (!levels || levels.bids.length + levels.asks.length === 0) return null;
    const times = timesOf(book.publishedId);
    const channel = this.bookTopic(book.spec.symbol);
    return {
      levels,
      message: (_connection, { bids, asks }) => {
        const data = { ...times, bids: this.#wire(book, bids), asks: this.#wire(book, asks) };
        return { data, channel, event: 'data' };
      },
    };
  }

  protected sendTrade(book: EmulatedBook, { price, quantity, taker }: WalkTrade, id: number): void {
    const channel = `live_trades_${book.spec.symbol}`;
    const [price_str, amount_str] = this.#wire(book, [[unitsText(price), unitsText(quantity)]])[0]!;
    const data = {
      id,
      id_str: String(id),
      ...timesOf(this.#stamp()),
      amount: Number(amount_str),
      amount_str,
      price: Number(price_str),
      price_str,
      type: taker === 'buy' ? 0 : 1,
      buy_order_id: 2 * id,
      sell_order_id: 2 * id + 1,
    };
    for (const connection of this.subscribers(channel)) connection.send({ data, channel, event: 'trade' });
  }

  override announceEnd(): void {
    const told = [...this.connections];
    for (const connection of told)
      connection.send({ event: 'bts:request_reconnect', channel: '', data: null });
    this.after(RECONNECT_NOTICE_MS, () => {
      for (const { socket } of told) socket.close(1001);
    });
  }

  /** The venue restarts: every client is cut off. Its ids are times, and go on. */
  override restart(): void {
    this.disconnectAll();
    for (const book of this.books.values()) book.restart(this.#stamp());
  }

  protected override onPast(url: URL): PastAnswer | null {
    return bitstampPast(decodeURIComponent(url.pathname), new PastQuery(url), (symbol, seconds) =>
      this.books.has(symbol) ? this.candles(symbol, seconds) : null,
    );
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    const [, symbol] = /^\/api\/v2\/order_book\/([^/]+)\/?$/.exec(url.pathname) ?? [];
    if (symbol !== undefined) this.#answerOrderBook(decodeURIComponent(symbol), response);
    else if (/^\/api\/v2\/ticker\/?$/.test(url.pathname))
      respondJson(
        response,
        200,
        this.#listed().map((book) => this.#ticker(book)),
      );
    else if (/^\/api\/v2\/markets\/?$/.test(url.pathname))
      respondJson(response, 200, this.#listed().map(marketEntry));
    else if (/^\/api\/v2\/trading-pairs-info\/?$/.test(url.pathname))
      respondJson(
        response,
        200,
        this.#listed()
          .filter((book) => !isPerpetual(book))
          .map(pairEntry),
      );
    else respondJson(response, 404, '');
  }

  /** As the venue's cache: the book of the last diff, at the time of the answer. */
  #answerOrderBook(symbol: string, response: ServerResponse): void {
    const book = this.books.get(symbol);
    if (!book) {
      respondJson(response, 404, '');
      return;
    }
    this.answerSnapshot(symbol, response, (before) => {
      const { id, bids, asks } = book.published(before);
      const times = timesOf(before === 0 ? this.#stamp() : id);
      return { ...times, bids: this.#wire(book, bids), asks: this.#wire(book, asks) };
    });
  }

  #ticker(book: EmulatedBook): object {
    const { bids, asks } = book.truth(1);
    const [bid] = bids[0] ?? [];
    const [ask] = asks[0] ?? [];
    const { base, quote, price } = book.spec;
    const last = bid ?? ask ?? price;
    return {
      timestamp: String(Math.floor(this.nowMs() / 1000)),
      ...{ open: price, high: last, low: price, last, volume: '1000.00000000', vwap: price, bid, ask },
      ...{ open_24: price, percent_change_24: '0.00', side: '0' },
      pair: `${base}/${quote}${isPerpetual(book) ? '-PERP' : ''}`,
    };
  }

  #listed(): EmulatedBook[] {
    return [...this.books.values()].filter(({ isListed }) => isListed);
  }

  /** Decimals as the venue writes them: a zero too has the digits of the market. */
  #wire({ spec, tick }: EmulatedBook, levels: readonly TextLevel[]): TextLevel[] {
    return levels.map(([price, size]) => [pad(price, decimalsOf(tick)), pad(size, decimalsOf(spec.lot))]);
  }

  /** Unix microseconds, never the same twice. */
  #stamp(): number {
    this.#lastMicros = microsOf(this.clock, this.#lastMicros);
    return this.#lastMicros;
  }
}

function microsOf(clock: Clock, after: number): number {
  return Math.max(after + 1, Math.floor(clock.now() * 1000));
}

const isPerpetual = ({ spec }: EmulatedBook) => spec.symbol.endsWith('-perp');

function marketEntry(book: EmulatedBook): object {
  const { symbol, base, quote } = book.spec;
  const { url_symbol: _, minimum_order: __, name, ...common } = pairEntry(book);
  return {
    ...common,
    name: `${String(name)}${isPerpetual(book) ? '-PERP' : ''}`,
    market_symbol: symbol,
    base_currency: base,
    counter_currency: quote,
    minimum_order_value: '10',
    market_type: isPerpetual(book) ? 'PERPETUAL' : 'SPOT',
  };
}

function pairEntry({ spec, tick, isHalted }: EmulatedBook): Record<string, unknown> {
  const { symbol, base, quote, lot } = spec;
  return {
    name: `${base}/${quote}`,
    url_symbol: symbol,
    base_decimals: decimalsOf(lot),
    counter_decimals: decimalsOf(tick),
    minimum_order: `10.0 ${quote}`,
    trading: isHalted ? 'Disabled' : 'Enabled',
    instant_and_market_orders: 'Enabled',
    description: `${base} / ${quote}`,
  };
}

function timesOf(micros: number): { timestamp: string; microtimestamp: string } {
  return { timestamp: String(Math.floor(micros / 1_000_000)), microtimestamp: String(micros) };
}

/** The decimal with at least so many digits behind its point. */
function pad(text: string, decimals: number): string {
  const [whole = '', fraction = ''] = text.split('.');
  return decimals > fraction.length ? `${whole}.${fraction.padEnd(decimals, '0')}` : text;
}
