import type { ServerResponse } from 'node:http';
import { EmulatedBook, type EmulatedSymbol, type Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type PastAnswer } from '../past-log.ts';
import { okxPast } from './past.ts';
import { unitsText, type TextLevel } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatorOptions,
} from '../venue-emulator.ts';
import { answerRequest, BOOK_DEPTH, topicOf, type Channel, type PublicClient } from './channels.ts';

export type OkxMarket = 'spot' | 'swap' | 'futures' | 'option';

const TICKER_PERIOD_MS = 1_000;
/** A book that stays as it is says so this often. */
const QUIET_PERIOD_MS = 60_000;
/** "No data for 30 seconds": the connection breaks. */
const IDLE_MS = 30_000;
const IDLE_CHECK_MS = 5_000;
/** From the notice that a connection will end to its end. */
const NOTICE_MS = 30_000;
/** Where a sequence begins anew after maintenance. */
const RESET_ID = 3;
const INST_TYPES: Record<OkxMarket, string> = {
  spot: 'SPOT',
  swap: 'SWAP',
  futures: 'FUTURES',
  option: 'OPTION',
};

export interface OkxEmulatorOptions extends EmulatorOptions {
  /** The kind of its instruments; OKX has all of them on one socket, and so has an emulator of several. */
  readonly market: OkxMarket;
}

/** Starts OKX on the loopback interface: REST, WebSocket, and books that change. */
export function startOkxEmulator(options: OkxEmulatorOptions): Promise<OkxEmulator> {
  return new OkxEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known.
 * @see https://www.okx.com/docs-v5/en/
 */
export class OkxEmulator extends VenueEmulator<PublicClient> {
  readonly #market: OkxMarket;
  /** When each book was last spoken of. */
  readonly #spokenAtMs = new Map<string, number>();
  /** Last ids from before a reset that no update has told yet. */
  readonly #resetFrom = new Map<string, number>();
  #connId = 0x4d3ae550;

  constructor(options: OkxEmulatorOptions) {
    super(options);
    this.#market = options.market;
  }

  protected override createBook(spec: EmulatedSymbol, seed: number): EmulatedBook {
    return new EmulatedBook(spec, seed, 100_000 * seed);
  }

  protected createState(): PublicClient {
    this.#connId += 1;
    return { connId: this.#connId.toString(16), requestsAtMs: [], lastTrafficMs: this.nowMs() };
  }

  protected override onStart(): void {
    this.repeat(TICKER_PERIOD_MS, () => {
      for (const book of this.books.values()) this.#sendTicker(book);
    });
    this.repeat(IDLE_CHECK_MS, () => {
      for (const { socket, state } of this.connections)
        if (this.nowMs() - state.lastTrafficMs > IDLE_MS) socket.close(4004);
      for (const book of this.books.values()) this.#sayQuiet(book);
    });
  }

  protected override onOpen({ socket }: EmulatedConnection<PublicClient>, url: URL): void {
    if (url.pathname !== '/ws/v5/public') socket.close(1008);
  }

  protected onMessage(connection: EmulatedConnection<PublicClient>, text: string): void {
    connection.state.lastTrafficMs = this.nowMs();
    answerRequest(connection, text, {
      nowMs: this.nowMs(),
      has: (instId) => this.books.get(instId)?.isListed === true,
      onSubscribed: (channel, instId) => this.#onSubscribed(connection, channel, instId),
    });
  }

  protected bookTopic(symbol: string): string {
    return topicOf('books', symbol);
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<PublicClient> } | null {
    const { symbol } = book.spec;
    const prevSeqId = this.#resetFrom.get(symbol) ?? book.publishedId;
    const levels = book.publish(BOOK_DEPTH);
    if (!levels) return null;
    this.#resetFrom.delete(symbol);
    this.#spokenAtMs.set(symbol, this.nowMs());
    const ids = { seqId: book.publishedId, prevSeqId };
    const ts = String(this.nowMs());
    return {
      levels,
      message: (connection, sides) => {
        connection.state.lastTrafficMs = this.nowMs();
        return bookFrame(symbol, 'update', sides, ts, ids);
      },
    };
  }

  protected sendTrade(
    book: EmulatedBook,
    { price, quantity, taker }: WalkTrade,
    id: number,
    timeMs: number,
  ): void {
    const { symbol: instId } = book.spec;
    this.#send('trades', instId, {
      instId,
      tradeId: String(id),
      px: unitsText(price),
      sz: unitsText(quantity),
      side: taker,
      ts: String(timeMs),
      count: '1',
    });
  }

  override announceEnd(): void {
    const msg = 'The connection will soon be closed for a service upgrade. Please reconnect.';
    const told = [...this.connections];
    for (const connection of told)
      connection.send({ event: 'notice', code: '64008', msg, connId: connection.state.connId });
    this.after(NOTICE_MS, () => {
      for (const { socket } of told) socket.close(4002);
    });
  }

  /** Maintenance: the symbol's sequence begins anew without a snapshot, the connection stays. */
  resetSequence(symbol: string): void {
    const book = this.of(symbol);
    this.publish(symbol);
    this.#resetFrom.set(symbol, book.publishedId);
    book.restart(RESET_ID);
  }

  override restart(): void {
    super.restart();
    this.#resetFrom.clear();
  }

  protected override onPast(url: URL): PastAnswer | null {
    return okxPast(url.pathname, new PastQuery(url), this.nowMs(), (instId, seconds) =>
      this.books.has(instId) ? this.candles(instId, seconds) : null,
    );
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    if (url.pathname !== '/api/v5/public/instruments') {
      respondJson(response, 404, { code: '404', data: [], msg: 'Not Found' });
      return;
    }
    const instType = url.searchParams.get('instType');
    const family = url.searchParams.get('instFamily') ?? url.searchParams.get('uly');
    if (instType === null || !Object.values(INST_TYPES).includes(instType)) {
      respondJson(response, 400, { code: '51000', data: [], msg: 'Parameter instType error' });
    } else if (instType === 'OPTION' && family === null) {
      const msg = 'Either parameter uly or instFamily is required';
      respondJson(response, 400, { code: '50014', data: [], msg });
    } else {
      const isWanted = ({ spec, isListed }: EmulatedBook) =>
        isListed && (family === null || `${spec.base}-${spec.quote}` === family);
      const data = instType === INST_TYPES[this.#market] ? [...this.books.values()].filter(isWanted) : [];
      respondJson(response, 200, { code: '0', data: data.map((book) => this.#listing(book)), msg: '' });
    }
  }

  #listing({ spec, tick, isHalted }: EmulatedBook): object {
    const isSpot = this.#market === 'spot';
    const pair = isSpot ? '' : `${spec.base}-${spec.quote}`;
    const [, , date, stk = '', optType = ''] = spec.symbol.split('-');
    return {
      instType: INST_TYPES[this.#market],
      instId: spec.symbol,
      uly: pair,
      instFamily: pair,
      baseCcy: isSpot ? spec.base : '',
      quoteCcy: isSpot ? spec.quote : '',
      settleCcy: isSpot ? '' : spec.quote,
      ctVal: isSpot ? '' : '0.01',
      ctValCcy: isSpot ? '' : spec.base,
      optType,
      stk,
      expTime: date === undefined || date === 'SWAP' ? '' : expiryMs(date),
      tickSz: tick,
      lotSz: spec.lot,
      state: isHalted ? 'suspend' : 'live',
    };
  }

  #onSubscribed(connection: EmulatedConnection<PublicClient>, channel: Channel, instId: string): void {
    const book = this.of(instId);
    if (channel === 'books') {
      if (this.withholds(instId)) return;
      const { id, bids, asks } = book.published();
      const sides = { bids: bids.slice(0, BOOK_DEPTH), asks: asks.slice(0, BOOK_DEPTH) };
      const ts = String(this.#spokenAtMs.get(instId) ?? this.nowMs());
      const seqId = this.#resetFrom.get(instId) ?? id;
      connection.send(bookFrame(instId, 'snapshot', sides, ts, { seqId, prevSeqId: -1 }));
    } else if (channel === 'tickers') this.#sendTicker(book);
  }

  #sayQuiet(book: EmulatedBook): void {
    const { symbol } = book.spec;
    const now = this.nowMs();
    const spokenAtMs = this.#spokenAtMs.get(symbol);
    if (spokenAtMs === undefined) this.#spokenAtMs.set(symbol, now);
    else if (now - spokenAtMs >= QUIET_PERIOD_MS) {
      this.#spokenAtMs.set(symbol, now);
      const id = this.#resetFrom.get(symbol) ?? book.publishedId;
      for (const connection of this.subscribers(this.bookTopic(symbol))) {
        connection.state.lastTrafficMs = now;
        const ids = { seqId: id, prevSeqId: id };
        connection.send(bookFrame(symbol, 'update', { bids: [], asks: [] }, String(now), ids));
      }
    }
  }

  #sendTicker(book: EmulatedBook): void {
    const { bids, asks } = book.truth(1);
    const [bid, ask] = [bids[0], asks[0]];
    if (!bid || !ask) return;
    const { symbol: instId, price } = book.spec;
    this.#send('tickers', instId, {
      instType: INST_TYPES[this.#market],
      instId,
      last: bid[0],
      lastSz: bid[1],
      askPx: ask[0],
      askSz: ask[1],
      bidPx: bid[0],
      bidSz: bid[1],
      open24h: price,
      high24h: bid[0],
      low24h: price,
      sodUtc0: price,
      sodUtc8: price,
      volCcy24h: '1000000',
      vol24h: '1000',
      ts: String(this.nowMs()),
    });
  }

  #send(channel: Channel, instId: string, entry: object): void {
    for (const connection of this.subscribers(topicOf(channel, instId))) {
      connection.state.lastTrafficMs = this.nowMs();
      connection.send({ arg: { channel, instId }, data: [entry] });
    }
  }
}

function bookFrame(
  instId: string,
  action: 'snapshot' | 'update',
  { bids, asks }: Levels,
  ts: string,
  ids: { seqId: number; prevSeqId: number },
): object {
  const side = (levels: readonly TextLevel[]) =>
    levels.map(([price, size]) => [price, size, '0', size === '0' ? '0' : '1']);
  return {
    arg: { channel: 'books', instId },
    action,
    data: [{ asks: side(asks), bids: side(bids), ts, checksum: 0, ...ids }],
  };
}

/** Contracts expire at eight in the morning, UTC. */
function expiryMs(date: string): string {
  const [, year, month, day] = /^(\d\d)(\d\d)(\d\d)$/.exec(date) ?? [];
  return String(Date.UTC(2000 + Number(year), Number(month) - 1, Number(day), 8));
}
