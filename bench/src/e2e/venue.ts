// The venue: as much of Binance spot as its adapter speaks, with books that change at a steady rate.
import { respondJson, startLoopbackServer, type LoopbackServer } from '@depthwire/feeds/kit';
import { createRandom } from '../harness/random.ts';
import { DEPTH, symbolsOf } from './scenario.ts';
import { nowMs, Usage } from '../harness/usage.ts';
import { LOT, TICK, VenueBook } from './venue-book.ts';
import { answerParent } from '../harness/worker.ts';

/** Frames that are due are sent together this often, milliseconds. */
const SLICE_MS = 5;
/** Books take part at random: some have more updates than their share. */
const SPARE = 1.5;
const SPARE_UPDATES = 2_000;

type Socket = LoopbackServer['sockets'] extends ReadonlySet<infer T> ? T : never;

export interface VenueOptions {
  readonly instruments: number;
  readonly levelsPerSecond: number;
  /** How long it sends at most, seconds. */
  readonly seconds: number;
}

/** What flowed while it was counted, a second. */
export interface Flow {
  readonly framesPerSecond: number;
  readonly levelsPerSecond: number;
  readonly cpu: number;
}

/** When each frame of a book was sent, and the book after the last of them. */
export interface BookRecord {
  readonly sentMs: Float64Array;
  readonly snapshots: number;
  readonly bids: readonly number[];
  readonly asks: readonly number[];
}

const usage = new Usage();
let books: VenueBook[] = [];
let server: LoopbackServer;
let feed: Socket | null = null;
const streams = new Set<string>();
const snapshots = new Map<VenueBook, number>();
const sentMs = new Map<VenueBook, number[]>();
let levelsPerSecond = 0;
let timer: NodeJS.Timeout | undefined;
let beganMs = 0;
let sent = { frames: 0, levels: 0 };
let counted = { atMs: 0, frames: 0, levels: 0 };
const random = createRandom(5);

const methods = {
  /** @returns where it can be reached */
  async start(options: VenueOptions): Promise<{ ws: string; rest: string }> {
    levelsPerSecond = options.levelsPerSecond;
    const updates = (levelsPerSecond / options.instruments) * options.seconds * SPARE + SPARE_UPDATES;
    books = symbolsOf(options.instruments).map(
      (symbol, i) => new VenueBook(symbol, i + 1, Math.ceil(updates)),
    );
    server = await startLoopbackServer({
      onRequest(url, response) {
        if (url.pathname === '/api/v3/exchangeInfo') respondJson(response, 200, exchangeInfo());
        else if (url.pathname === '/api/v3/depth')
          respondJson(response, 200, snapshotOf(url.searchParams.get('symbol')));
        else respondJson(response, 404, {});
      },
      onSocket(socket) {
        feed = socket;
        socket.on('message', (data) => onMessage(socket, (data as Buffer).toString()));
      },
    });
    return { ws: server.ws, rest: server.rest };
  },

  /** Whether the server has all it needs for its books, but the frames. */
  isTaken: (): boolean =>
    books.every((book) => snapshots.has(book) && streams.has(`${book.symbol.toLowerCase()}@depth@100ms`)),

  run(): void {
    beganMs = nowMs();
    timer = setInterval(sendDue, SLICE_MS);
  },

  begin(): void {
    usage.begin();
    counted = { atMs: nowMs(), ...sent };
  },

  end(): Flow {
    const seconds = (nowMs() - counted.atMs) / 1000;
    return {
      framesPerSecond: (sent.frames - counted.frames) / seconds,
      levelsPerSecond: (sent.levels - counted.levels) / seconds,
      cpu: usage.end(),
    };
  },

  /** Sends no more. */
  finish(): BookRecord[] {
    clearInterval(timer);
    return books.map((book) => ({
      sentMs: Float64Array.from(sentMs.get(book) ?? []),
      snapshots: snapshots.get(book) ?? 0,
      ...book.truth(DEPTH),
    }));
  },
};

export type Venue = typeof methods;

function sendDue(): void {
  const due = ((nowMs() - beganMs) / 1000) * levelsPerSecond;
  while (sent.levels < due) {
    const book = books[Math.floor(random() * books.length)]!;
    const { text, levels } = book.next(Date.now());
    sent = { frames: sent.frames + 1, levels: sent.levels + levels };
    const times = sentMs.get(book);
    if (times) times.push(nowMs());
    else sentMs.set(book, [nowMs()]);
    feed!.send(text);
  }
}

function onMessage(socket: Socket, text: string): void {
  const { method, params, id } = JSON.parse(text) as { method: string; params: string[]; id: number };
  if (method !== 'SUBSCRIBE') throw new Error(`the server asks for ${method}`);
  for (const stream of params) streams.add(stream);
  socket.send(JSON.stringify({ result: null, id }));
}

function snapshotOf(symbol: string | null): string {
  const book = books.find((each) => each.symbol === symbol);
  if (!book) throw new Error(`the server asks for the book of ${symbol}`);
  snapshots.set(book, (snapshots.get(book) ?? 0) + 1);
  return book.snapshot();
}

function exchangeInfo(): object {
  const symbols = books.map(({ symbol }) => ({
    symbol,
    status: 'TRADING',
    baseAsset: symbol.replace('USDT', ''),
    quoteAsset: 'USDT',
    filters: [
      { filterType: 'PRICE_FILTER', tickSize: TICK },
      { filterType: 'LOT_SIZE', stepSize: LOT },
    ],
  }));
  return { timezone: 'UTC', serverTime: Date.now(), symbols };
}

answerParent(methods);
