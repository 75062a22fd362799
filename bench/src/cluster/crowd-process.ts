// Clients of the SDK, each with a book, trades and candles of one instrument, and all that they were ever shown.
import {
  codecs,
  type BookSubscription,
  type Candle,
  type CandlesSubscription,
  type DepthwireClient,
  type TradesSubscription,
} from '@depthwire/shared';
import type { WebSocket } from 'ws';
import { unixMs } from '../harness/clock.ts';
import { sdkClient } from '../harness/sdk-client.ts';
import { answerParent } from '../harness/worker.ts';
import {
  bookKey,
  digestOfBook,
  FIRST_TRADE_ID,
  isSameCandle,
  type ByBook,
  type TrueStates,
} from './truth.ts';

/** Clients that connect at the same time at first. */
const HANDSHAKES = 25;
const POLL_MS = 20;
/** How often all of them are looked at. */
const LOOK_MS = 200;
/** A live book that shows nothing new for so long, while the market moves, does not go on. */
const STILL_MS = 1_500;
/** Trades of an instrument that are told apart, after which the run is too long. */
const MAX_TRADES = 200_000;
/** Of a message that is a map, in its first byte: answers and notices are, data are not. */
const MAP_MASK = 0xf0;
const MAP = 0x80;
/** What is told of those who are not right yet. */
const MAX_EXAMPLES = 5;

export interface Wish {
  readonly instrument: string;
  readonly depth: number;
  readonly cadenceMs: number;
}

/** What happened to all clients of a process since `begin`. */
export interface Account {
  /** When the last client was not live, or its book stood still; null where that never was. */
  readonly troubleMs: number | null;
  readonly reconnects: number;
  /** Books that went on where they were, and those that began anew with a snapshot, after a connection was lost. */
  readonly resumed: number;
  readonly snapshots: number;
  readonly resyncs: number;
  /** Books whose sequence went back within an epoch. */
  readonly wentBack: number;
  /** Two books of the same sequence and epoch that were not the same, here or there. */
  readonly differing: number;
  readonly doubledTrades: number;
  readonly missedTrades: number;
  /** Came as sums, because the client did not keep up. */
  readonly summedTrades: number;
  readonly wrongCandles: number;
}

/** What was shown as live since `begin`. */
export interface Shown {
  /** Digests, and when each was last shown. */
  readonly books: ByBook<Map<number, number>>;
  /** By instrument, depth, epoch and sequence. */
  readonly sequences: Map<string, number>;
}

export interface Now {
  readonly states: ByBook<Pick<TrueStates, 'current'>>;
  readonly lastTradeIds: ReadonlyMap<string, number>;
  /** Candles of a minute. */
  readonly candles: ReadonlyMap<string, readonly Candle[]>;
}

const noCounts = () => ({
  reconnects: 0,
  resumed: 0,
  snapshots: 0,
  resyncs: 0,
  wentBack: 0,
  differing: 0,
  doubledTrades: 0,
  missedTrades: 0,
  summedTrades: 0,
  wrongCandles: 0,
});

const spectators: Spectator[] = [];
let counts = noCounts();
let shown: Shown = { books: new Map(), sequences: new Map() };
let troubleMs: number | null = null;
let isMoving = true;

class Spectator {
  readonly client: DepthwireClient;
  readonly #book: BookSubscription;
  readonly #trades: TradesSubscription;
  readonly #candles: CandlesSubscription;
  #digest: number | null = null;
  #changedMs = unixMs();
  #opened = 0;
  #resyncs = 0;
  /** Of the market, as the gateway says, and that of the last book shown. */
  #epoch = 0;
  #shownEpoch = 0;
  #sequence = -1;
  /** Whether the connection is another one, and the book's first frame on it is still to come. */
  #isReturning = false;
  readonly #seen = new Uint8Array(MAX_TRADES);
  #firstTradeId: number | null = null;
  /** Those up to here are accounted for. */
  #judgedTradeId = 0;

  constructor(url: string, { instrument, depth, cadenceMs }: Wish) {
    this.client = sdkClient(url, (socket) => this.#readEpochs(socket));
    this.#book = this.client.book(instrument, { depth, cadenceMs });
    this.#trades = this.client.trades(instrument, { cadenceMs });
    this.#candles = this.client.candles(instrument, { interval: '1m', cadenceMs });
    this.client.on('state', (state) => {
      if (state === 'open' && this.#opened++ > 0) counts.reconnects += 1;
    });
    this.#book.on('ready', () => {
      if (this.#opened < 2) return;
      const isSameChannel = this.#book.replica.seq > 0;
      if (isSameChannel) counts.resumed += 1;
      this.#isReturning = !isSameChannel;
    });
    this.#book.on('change', () => this.#onBook());
    this.#book.on('state', () => this.look(unixMs()));
    this.#trades.on('change', () => this.#onTrades());
    this.client.connect();
  }

  get isLive(): boolean {
    return this.client.state === 'open' && this.#book.state === 'live';
  }

  get framesIn(): number {
    return this.client.traffic.framesIn;
  }

  /** The market moves again: from now on so does the book. */
  goOn(nowMs: number): void {
    this.#changedMs = nowMs;
  }

  /** Notes what is on the screen now. */
  look(nowMs: number): void {
    const { isLive } = this;
    if (isLive && this.#digest !== null) {
      const key = bookKey(this.#book.instrumentId, this.#book.granted?.depth ?? 0);
      let digests = shown.books.get(key);
      if (!digests) shown.books.set(key, (digests = new Map()));
      digests.set(this.#digest, nowMs);
    }
    if (!isLive || (isMoving && nowMs - this.#changedMs > STILL_MS)) troubleMs = nowMs;
  }

  /** @returns what is wrong; null where all is as it should be */
  fault({ states, candles }: Now): string | null {
    const { instrumentId, granted, state, reason } = this.#book;
    if (this.client.state !== 'open') return `${instrumentId}: ${this.client.state}`;
    if (state !== 'live') return `${instrumentId}: ${state}: ${reason}`;
    if (digestOfBook(this.#book.book) !== states.get(bookKey(instrumentId, granted?.depth ?? 0))?.current)
      return `${instrumentId}, depth ${granted?.depth}: another book, sequence ${this.#book.book.sequence}`;
    const last = candles.get(instrumentId)?.at(-1);
    const mine = this.#candles.candles.at(-1);
    if (last && !(mine && isSameCandle(mine, last)))
      return `${instrumentId}: last candle ${JSON.stringify(mine)}, not ${JSON.stringify(last)}`;
    return null;
  }

  /** Counts what is missing of trades up to now, and candles that are wrong. */
  judge({ lastTradeIds, candles }: Now): void {
    const { instrumentId } = this.#book;
    const lastId = lastTradeIds.get(instrumentId) ?? 0;
    if (this.#firstTradeId !== null) {
      for (let id = Math.max(this.#firstTradeId, this.#judgedTradeId + 1); id <= lastId; id++)
        counts.missedTrades += this.#seen[id - FIRST_TRADE_ID] === 0 ? 1 : 0;
    }
    this.#judgedTradeId = lastId;
    const right = new Map((candles.get(instrumentId) ?? []).map((candle) => [candle.time, candle]));
    for (const candle of this.#candles.candles) {
      const other = right.get(candle.time);
      if (!other || !isSameCandle(candle, other)) counts.wrongCandles += 1;
    }
  }

  #onBook(): void {
    const { book, state, granted, instrumentId } = this.#book;
    const nowMs = unixMs();
    this.#changedMs = nowMs;
    this.#digest = digestOfBook(book);
    counts.resyncs += this.#book.resyncs - this.#resyncs;
    this.#resyncs = this.#book.resyncs;
    if (this.#isReturning) {
      // What differs comes merged, a snapshot does not.
      if (this.#book.replica.isConflated) counts.resumed += 1;
      else counts.snapshots += 1;
      this.#isReturning = false;
    }
    if (state === 'live') {
      const epoch = this.#epoch;
      if (epoch === this.#shownEpoch && book.sequence < this.#sequence) counts.wentBack += 1;
      this.#shownEpoch = epoch;
      this.#sequence = book.sequence;
      const key = `${bookKey(instrumentId, granted?.depth ?? 0)} ${epoch} ${book.sequence}`;
      const other = shown.sequences.get(key);
      if (other === undefined) shown.sequences.set(key, this.#digest);
      else if (other !== this.#digest) counts.differing += 1;
    }
    this.look(nowMs);
  }

  /** The SDK keeps them to itself. */
  #readEpochs(socket: WebSocket): void {
    socket.on('message', (data: ArrayBuffer | Buffer) => {
      const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data);
      if ((bytes[0]! & MAP_MASK) !== MAP) return;
      const { op, epoch } = codecs.msgpack.decode(bytes) as { op: string; epoch?: number };
      if (epoch !== undefined && ['hello', 'subscribed', 'instrument'].includes(op)) this.#epoch = epoch;
    });
  }

  #onTrades(): void {
    const { latest, trades, merged } = this.#trades;
    const isSnapshot = trades.length === latest.length;
    const inFrame = new Set<number>();
    for (const { id: text } of latest) {
      const id = Number(text);
      const at = id - FIRST_TRADE_ID;
      if (inFrame.has(id) || (!isSnapshot && this.#seen[at])) counts.doubledTrades += 1;
      inFrame.add(id);
      this.#seen[at] = 1;
      this.#firstTradeId ??= id;
    }
    counts.summedTrades += merged?.missed ?? 0;
  }
}

const methods = {
  /** Resolves once all are live. */
  async connect({ url, wishes }: { url: string; wishes: readonly Wish[] }): Promise<void> {
    const waiting = wishes.values();
    const connectNext = async () => {
      for (const wish of waiting) {
        const spectator = new Spectator(url, wish);
        spectators.push(spectator);
        while (!spectator.isLive) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    };
    await Promise.all(Array.from({ length: HANDSHAKES }, connectNext));
    const look = () => {
      const nowMs = unixMs();
      for (const spectator of spectators) spectator.look(nowMs);
    };
    setInterval(look, LOOK_MS).unref();
  },

  /** A new account begins. */
  begin(): void {
    counts = noCounts();
    shown = { books: new Map(), sequences: new Map() };
    troubleMs = null;
  },

  /** Whether books have to change. */
  move(moves: boolean): void {
    isMoving = moves;
    const nowMs = unixMs();
    for (const spectator of spectators) spectator.goOn(nowMs);
  },

  troubleMs: (): number | null => troubleMs,

  /** How many are not right, and what is wrong with some of them. */
  unsettled(now: Now): { count: number; examples: string[] } {
    const faults = spectators.map((spectator) => spectator.fault(now)).filter((fault) => fault !== null);
    return { count: faults.length, examples: faults.slice(0, MAX_EXAMPLES) };
  },

  account(now: Now): Account {
    for (const spectator of spectators) spectator.judge(now);
    return { ...counts, troubleMs };
  },

  shown: (): Shown => shown,
  framesIn: (): number => spectators.reduce((sum, { framesIn }) => sum + framesIn, 0),

  close(): void {
    for (const { client } of spectators.splice(0)) client.close();
  },
};

export type Crowd = typeof methods;

answerParent(methods);
