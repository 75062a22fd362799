import type { ServerResponse } from 'node:http';
import { crc32, decimalsOf } from '@depthwire/shared';
import { EmulatedBook, type EmulatedSymbol, type Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type PastAnswer } from '../past-log.ts';
import { bitfinexPast } from './past.ts';
import { unitsText, type TextBook, type TextLevel } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatorOptions,
} from '../venue-emulator.ts';
import { BitfinexClient, errors, type EmulatedChannel, type Refusal } from './client.ts';

const TICKER_PERIOD_MS = 1_000;
const HEARTBEAT_MS = 15_000;
const HEARTBEAT_CHECK_MS = 1_000;
/** From the notice that the server restarts to the end of the connections. */
const RESTART_NOTICE_MS = 20_000;
/** Fewer than the shortest book, so that no level ever falls out of one. */
const MAX_LEVELS = 22;
const CHECKSUM_DEPTH = 25;

type Connection = EmulatedConnection<BitfinexClient>;

/** Starts Bitfinex on the loopback interface: REST, WebSocket, and books that change. */
export function startBitfinexEmulator(options: EmulatorOptions): Promise<BitfinexEmulator> {
  return new BitfinexEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known. Each changed level is a frame, and the checksum
 * of the book follows the last one. The venue halts as a whole: one symbol halted is a maintenance.
 * @see https://docs.bitfinex.com/docs/ws-general, /reference/ws-public-books, /docs/ws-websocket-checksum
 */
export class BitfinexEmulator extends VenueEmulator<BitfinexClient> {
  #isDown = false;

  protected override createBook(spec: EmulatedSymbol, seed: number): EmulatedBook {
    return new EmulatedBook({ ...spec, levels: Math.min(spec.levels ?? MAX_LEVELS, MAX_LEVELS) }, seed);
  }

  protected createState(): BitfinexClient {
    return new BitfinexClient(1_000 * this.connectionCount);
  }

  protected override onStart(): void {
    this.repeat(HEARTBEAT_CHECK_MS, () => {
      for (const connection of this.connections) this.#beat(connection);
    });
    this.repeat(TICKER_PERIOD_MS, () => {
      for (const symbol of this.symbols)
        this.#broadcast('ticker', symbol, (send) => send(this.#ticker(symbol)));
    });
  }

  protected override onOpen(connection: Connection): void {
    connection.send({
      event: 'info',
      version: 2,
      serverId: '00000000-0000-4000-8000-000000000000',
      platform: { status: this.#isDown ? 0 : 1 },
    });
  }

  protected onMessage(connection: Connection, text: string): void {
    let request: Record<string, unknown>;
    try {
      request = Object(JSON.parse(text)) as Record<string, unknown>;
    } catch {
      connection.send({ event: 'error', ...errors.event });
      return;
    }
    switch (request.event) {
      case 'ping':
        connection.send({ event: 'pong', ts: this.nowMs(), cid: request.cid });
        return;
      case 'conf': {
        const isAccepted = connection.state.configure(request.flags);
        if (isAccepted) connection.send({ event: 'conf', status: 'OK', flags: request.flags });
        else connection.send({ event: 'conf', status: 'FAILED', ...errors.configuration });
        return;
      }
      case 'subscribe':
        this.#subscribe(connection, request);
        return;
      case 'unsubscribe':
        this.#unsubscribe(connection, request);
        return;
      default:
        connection.send({ event: 'error', ...errors.event });
    }
  }

  protected bookTopic(symbol: string): string {
    return `book:${symbol}`;
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<BitfinexClient> } | null {
    const levels = book.publish();
    if (!levels) return null;
    const { symbol } = book.spec;
    const checksum = checksumOf(book.published());
    return {
      levels,
      message: ({ state }, { bids, asks }, { breaksChecksum }) => {
        const channel = state.find('book', symbol)!;
        const frame = (...content: readonly unknown[]) => state.frame(channel, this.clock.now(), ...content);
        const frames = [
          ...bids.map((level) => entry(level, 1)),
          ...asks.map((level) => entry(level, -1)),
        ].map((level) => frame(level));
        if (state.hasChecksums) frames.push(frame('cs', breaksChecksum ? checksum ^ 1 : checksum));
        return { frames };
      },
    };
  }

  protected sendTrade(
    book: EmulatedBook,
    { price, quantity, taker }: WalkTrade,
    id: number,
    timeMs: number,
  ): void {
    const amount = Number(unitsText(quantity)) * (taker === 'buy' ? 1 : -1);
    const trade = [id, timeMs, amount, Number(unitsText(price))];
    this.#broadcast('trades', book.spec.symbol, (send) => {
      send('te', trade);
      send('tu', trade);
    });
  }

  /** "Stop/Restart Websocket Server (please reconnect)" */
  override announceEnd(): void {
    const told = [...this.connections];
    for (const connection of told)
      connection.send({ event: 'info', code: 20_051, msg: 'Stopping. Please try to reconnect' });
    this.after(RESTART_NOTICE_MS, () => {
      for (const { socket } of told) socket.close(1001);
    });
  }

  protected override onListingChange(): void {
    const isDown = [...this.books.values()].some(({ isHalted }) => isHalted);
    if (isDown === this.#isDown) return;
    this.#isDown = isDown;
    const notice = isDown
      ? { event: 'info', code: 20_060, msg: 'Entering in Maintenance mode' }
      : { event: 'info', code: 20_061, msg: 'Maintenance ended' };
    for (const connection of this.connections) connection.send(notice);
  }

  protected override onPast(url: URL): PastAnswer | null {
    return bitfinexPast(decodeURIComponent(url.pathname), new PastQuery(url), {
      trades: (symbol) => (this.books.has(symbol) ? this.trades(symbol) : null),
      candles: (symbol, seconds) => this.candles(symbol, seconds),
    });
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    const { pathname, searchParams } = url;
    if (pathname.startsWith('/v2/conf/')) {
      const keys = decodeURIComponent(pathname.slice('/v2/conf/'.length)).split(',');
      respondJson(
        response,
        200,
        keys.map((key) => this.#conf(key)),
      );
    } else if (pathname === '/v2/tickers') {
      const asked = searchParams.get('symbols')?.split(',') ?? [];
      const rows = this.symbols.filter((symbol) => asked.includes('ALL') || asked.includes(symbol));
      respondJson(
        response,
        200,
        rows.map((symbol) => [symbol, ...this.#ticker(symbol)]),
      );
    } else if (pathname === '/v2/platform/status') respondJson(response, 200, [this.#isDown ? 0 : 1]);
    else respondJson(response, 404, ['error', 10_020, 'not found']);
  }

  #conf(key: string): unknown[] {
    const listed = [...this.books.values()].filter(({ isListed }) => isListed);
    const pairs = listed.map(({ spec }) => spec.symbol.slice(1));
    switch (key) {
      case 'pub:list:pair:exchange':
        return pairs;
      case 'pub:list:currency':
        return [...new Set(pairs.flatMap((pair) => (pair.includes(':') ? pair.split(':') : halves(pair))))];
      case 'pub:map:currency:sym':
        return [['UST', 'USDt']];
      case 'pub:info:pair':
        return pairs.map((pair) => [
          pair,
          [null, null, null, '0.00006', '2000.0', null, null, null, 0.2, 0.1],
        ]);
      default:
        return [];
    }
  }

  #subscribe(connection: Connection, request: Record<string, unknown>): void {
    const { state, topics } = connection;
    const isKnown = this.books.has(String(request.symbol)) && this.of(String(request.symbol)).isListed;
    const channel = isKnown ? state.open(request, this.clock.now()) : errors.symbol;
    if (isRefusal(channel)) {
      connection.send({ ...request, event: 'error', ...channel });
      return;
    }
    const { lastMs: _, ...answer } = channel;
    const { prec, freq, len, ...short } = answer;
    const pair = channel.symbol.slice(1);
    const told = channel.channel === 'book' ? { ...short, prec, freq, len } : short;
    connection.send({ event: 'subscribed', ...told, pair });
    topics.add(`${channel.channel}:${channel.symbol}`);
    if (channel.channel === 'book' && this.withholds(channel.symbol)) return;
    connection.send(state.frame(channel, this.clock.now(), this.#firstContent(channel)));
  }

  #firstContent({ channel, symbol }: EmulatedChannel): unknown[] {
    if (channel === 'ticker') return this.#ticker(symbol);
    if (channel === 'trades')
      return this.trades(symbol)
        .slice(-30)
        .reverse()
        .map(({ id, side, price, size }) => [
          id,
          this.nowMs(),
          Number(size) * (side === 'buy' ? 1 : -1),
          Number(price),
        ]);
    const { bids, asks } = this.of(symbol).published();
    return [...bids.map((level) => entry(level, 1)), ...asks.map((level) => entry(level, -1))];
  }

  #unsubscribe(connection: Connection, { chanId }: Record<string, unknown>): void {
    const channel = connection.state.channels.get(chanId as number);
    if (!channel) {
      connection.send({ event: 'error', chanId, ...errors.unsubscribe });
      return;
    }
    connection.state.channels.delete(channel.chanId);
    connection.topics.delete(`${channel.channel}:${channel.symbol}`);
    connection.send({ event: 'unsubscribed', status: 'OK', chanId });
  }

  /** A day's low is where prices have the digits of the symbol's tick. */
  #ticker(symbol: string): number[] {
    const book = this.of(symbol);
    const { bids, asks } = book.published();
    const last = Number(bids[0]?.[0] ?? asks[0]?.[0] ?? 0);
    const low = 10 ** (4 - decimalsOf(book.tick));
    return [last, 10, last, 10, -1, -0.0001, last, 1234.5, last, low];
  }

  #broadcast(
    channel: string,
    symbol: string,
    task: (send: (...content: readonly unknown[]) => void) => void,
  ): void {
    for (const connection of this.subscribers(`${channel}:${symbol}`)) {
      const { state } = connection;
      const open = state.find(channel, symbol)!;
      task((...content) => connection.send(state.frame(open, this.clock.now(), ...content)));
    }
  }

  #beat(connection: Connection): void {
    const now = this.clock.now();
    for (const channel of connection.state.channels.values()) {
      if (now - channel.lastMs >= HEARTBEAT_MS) connection.send(connection.state.frame(channel, now, 'hb'));
    }
  }
}

/** `[price, count, amount]`; a level that is gone has count 0 and its side's sign alone. */
function entry([price, size]: TextLevel, sign: 1 | -1): [number, number, number] {
  return size === '0' ? [Number(price), 0, sign] : [Number(price), 1, sign * Number(size)];
}

/** Best 25 of bids and asks in turn, as JavaScript writes numbers, asks below zero. */
function checksumOf({ bids, asks }: TextBook): number {
  const parts = Array.from({ length: CHECKSUM_DEPTH }, (_, i) => [
    ...(bids[i] ? entry(bids[i], 1) : []).filter((_part, at) => at !== 1),
    ...(asks[i] ? entry(asks[i], -1) : []).filter((_part, at) => at !== 1),
  ]);
  return crc32(Buffer.from(parts.flat().join(':'))) | 0;
}

function halves(pair: string): string[] {
  return [pair.slice(0, 3), pair.slice(3)];
}

function isRefusal(value: EmulatedChannel | Refusal): value is Refusal {
  return 'code' in value;
}
