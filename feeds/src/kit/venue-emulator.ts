import type { IncomingMessage, ServerResponse } from 'node:http';
import { DepthwireError, type Clock, type Timer } from '@depthwire/shared';
import type { WebSocket } from 'ws';
import { systemClock } from '../core/system.ts';
import type { Endpoints } from '../core/venue.ts';
import { EmulatedBook, type EmulatedSymbol, type Levels } from './emulated-book.ts';
import { respondJson, startLoopbackServer, type LoopbackServer } from './loopback-server.ts';
import type { WalkTrade } from './market-walk.ts';
import { candlesOf, type EmulatedCandle, type EmulatedTrade, type PastAnswer } from './past-log.ts';
import { unitsText, type Side, type TextBook, type TextLevel } from './truth-book.ts';

const CHANGES_PER_TICK = 5;

export interface EmulatorOptions {
  readonly symbols: readonly EmulatedSymbol[];
  /** The same seed gives the same books and trades. Default 1. */
  readonly seed?: number;
  /** Calls `tick` this often, milliseconds; default: never, the owner calls it. */
  readonly tickMs?: number;
  /** To listen on; default: a free one. */
  readonly port?: number;
  readonly clock?: Clock;
}

/** What the venue lists of a symbol now. */
export interface EmulatedListing {
  readonly base: string;
  readonly quote: string;
  readonly tick: string;
  readonly lot: string;
  readonly isHalted: boolean;
}

/** What became of a snapshot that a client asked for. */
export interface SnapshotAnswer {
  readonly symbol: string;
  readonly timeMs: number;
  readonly outcome: 'whole' | 'old' | 'refused' | 'withheld';
}

/** One client's socket. */
export class EmulatedConnection<State = unknown> {
  readonly socket: WebSocket;
  /** What it has subscribed to. */
  readonly topics = new Set<string>();
  /** What the venue keeps for each connection: sequence numbers, channel ids. */
  readonly state: State;
  /** Sends nothing any more, and never says so. */
  isFrozen = false;
  /** When each frame of the client came. */
  readonly heardAtMs: number[] = [];

  constructor(socket: WebSocket, state: State) {
    this.socket = socket;
    this.state = state;
  }

  send(frame: object | string): void {
    if (this.isFrozen) return;
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }
}

/** How a message about a book is damaged on its way out. */
export interface Damage {
  /** The venue's checksum is another one than the book's. */
  readonly breaksChecksum: boolean;
}

/** Several frames that make up one update. */
export interface Burst {
  readonly frames: readonly string[];
}

/** An update ready to be put into each connection's own frame, or frames. */
export type BookMessage<State> = (
  connection: EmulatedConnection<State>,
  levels: Levels,
  damage: Damage,
) => object | string | Burst;

interface Faults {
  drop: number;
  duplicate: number;
  reorder: number;
  truncate: number;
  corruptSize: number;
  breakChecksum: number;
  isStalled: boolean;
  isWithheld: boolean;
  stale: { times: number; before: number };
  /** A book that a server is stuck at, after so many publications. */
  stuck: { times: number; at: number };
}

/** A fault of answers about the past: refused, with a row that makes no sense, or without any row. */
export type PastFault = number | 'garbage' | 'empty';

interface Refusal<Answer = number | 'garbage' | 'timeout'> {
  readonly answer: Answer;
  readonly retryAfterS: number | null;
  times: number;
}

/**
 * A venue on the loopback interface, whose true books are known: HTTP and WebSocket servers that
 * speak its protocol, and make the mistakes that venues and networks make when they are told to.
 * A subclass supplies the protocol.
 */
export abstract class VenueEmulator<State = unknown> {
  /** Paths and queries of all HTTP requests so far. */
  readonly requests: string[] = [];
  /** When each of them came. */
  readonly requestsAtMs: number[] = [];
  /** Snapshots of books so far: those asked for over HTTP, and those withheld on the stream. */
  readonly snapshotAnswers: SnapshotAnswer[] = [];
  /** When answers about the past were refused. */
  readonly pastRefusedAtMs: number[] = [];
  /** When clients tried to connect, with success or without. */
  readonly attemptsAtMs: number[] = [];
  /** Sockets opened so far. */
  connectionCount = 0;
  /** For each of them, when its frames came. */
  readonly heardAtMs: (readonly number[])[] = [];
  protected readonly clock: Clock;
  protected readonly books = new Map<string, EmulatedBook>();
  protected readonly connections = new Set<EmulatedConnection<State>>();
  readonly #faults = new Map<string, Faults>();
  /** Frames held back by `reorderNext`, by connection and symbol. */
  readonly #heldBack = new Map<EmulatedConnection<State>, Map<string, (object | string)[]>>();
  readonly #timers = new Set<Timer>();
  readonly #trades: EmulatedTrade[] = [];
  /** Candles by symbol and length, and of how many trades they are: to add them up takes longer than to send them. */
  readonly #candles = new Map<string, { trades: number; candles: readonly EmulatedCandle[] }>();
  #server: LoopbackServer | null = null;
  #refusal: Refusal = { answer: 0, retryAfterS: null, times: 0 };
  #pastFault: Refusal<PastFault> = { answer: 0, retryAfterS: null, times: 0 };
  #delayMs = 0;
  #held: (() => void)[] | null = null;
  #turnedAway: 'at-handshake' | 'once-open' | null = null;
  #maxAgeMs = Infinity;

  readonly #tickMs: number | null;
  readonly #port: number | undefined;

  constructor({ symbols, seed = 1, tickMs, port, clock = systemClock }: EmulatorOptions) {
    this.clock = clock;
    this.#port = port;
    this.#tickMs = tickMs ?? null;
    for (const [i, spec] of symbols.entries()) {
      this.books.set(spec.symbol, this.createBook(spec, seed + i));
      this.#faults.set(spec.symbol, {
        drop: 0,
        duplicate: 0,
        reorder: 0,
        truncate: 0,
        corruptSize: 0,
        breakChecksum: 0,
        isStalled: false,
        isWithheld: false,
        stale: { times: 0, before: 0 },
        stuck: { times: 0, at: 0 },
      });
    }
  }

  /** Begins to listen. */
  async start(): Promise<this> {
    this.#server = await startLoopbackServer({
      port: this.#port,
      onRequest: (url, response, request) => {
        this.requests.push(url.pathname + url.search);
        this.requestsAtMs.push(this.clock.now());
        const past = this.onPast(url);
        if (past) this.#answerPast(past, response);
        else this.onRequest(url, response, request);
      },
      accepts: () => {
        this.attemptsAtMs.push(this.clock.now());
        return this.#turnedAway !== 'at-handshake';
      },
      onSocket: (socket, url) => this.#accept(socket, url),
    });
    if (this.#tickMs !== null) this.repeat(this.#tickMs, () => this.tick());
    this.onStart();
    return this;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#server?.close();
  }

  /** What a feed takes as its `endpoints`. */
  get endpoints(): Endpoints {
    const { ws, rest } = this.#server!;
    return { ws, rest };
  }

  // The protocol, which a subclass supplies.

  protected createBook(spec: EmulatedSymbol, seed: number): EmulatedBook {
    return new EmulatedBook(spec, seed);
  }

  /** What the venue keeps for a connection. */
  protected abstract createState(url: URL): State;

  /** A client sent a text frame. */
  protected abstract onMessage(connection: EmulatedConnection<State>, text: string): void;

  protected abstract onRequest(url: URL, response: ServerResponse, request: IncomingMessage): void;

  /** The topic under which a client gets updates of this symbol's book. */
  protected abstract bookTopic(symbol: string): string;

  /** Publishes the changes since the last time; null where there are none. */
  protected abstract takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<State> } | null;

  /** Sends a trade to those who want it. */
  protected abstract sendTrade(book: EmulatedBook, trade: WalkTrade, id: number, timeMs: number): void;

  /** Answers a request for candles or trades of the past; null where it is for something else. */
  protected onPast(_url: URL): PastAnswer | null {
    return null;
  }

  /** Tells every client, in the venue's way, that its connection will end soon. */
  announceEnd(): void {
    throw new DepthwireError('internal', 'this venue does not announce the end of a connection');
  }

  /** Called once the servers listen: the place to start heartbeats, with `repeat`. */
  protected onStart(): void {
    // most venues need nothing
  }

  /** A connection was opened: some venues greet. */
  protected onOpen(_connection: EmulatedConnection<State>, _url: URL): void {
    // most venues say nothing
  }

  /** The venue's metadata or status of a symbol has changed: some venues push that. */
  protected onListingChange(_book: EmulatedBook): void {
    // most venues tell only those who ask
  }

  /** Runs a task over and over until the emulator is closed. */
  protected repeat(periodMs: number, task: () => void): void {
    const arm = () => {
      const timer = this.clock.at(this.clock.now() + periodMs, () => {
        this.#timers.delete(timer);
        arm();
        task();
      });
      this.#timers.add(timer);
    };
    arm();
  }

  protected after(delayMs: number, task: () => void): void {
    const timer = this.clock.at(this.clock.now() + delayMs, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }

  protected nowMs(): number {
    return Math.floor(this.clock.now());
  }

  protected subscribers(topic: string): EmulatedConnection<State>[] {
    return [...this.connections].filter((connection) => connection.topics.has(topic));
  }

  /**
   * Answers a request for a snapshot, with the faults that were asked for.
   * @param body of the book as it stood at its last publication, or so many before
   */
  protected answerSnapshot(
    symbol: string,
    response: ServerResponse,
    body: (before: number) => object | string,
  ): void {
    if (this.withholds(symbol)) {
      respondJson(response, 503, { message: 'unavailable' });
      return;
    }
    if (this.#refusal.times > 0) {
      this.#refusal.times -= 1;
      const { answer, retryAfterS } = this.#refusal;
      this.#noteAnswer(symbol, 'refused');
      if (answer === 'timeout') return;
      if (answer === 'garbage') respondJson(response, 200, '<html>502 Bad Gateway');
      else
        respondJson(
          response,
          answer,
          { message: 'refused' },
          retryAfterS === null ? {} : { 'retry-after': String(retryAfterS) },
        );
      return;
    }
    const { stale, stuck } = this.#faultsOf(symbol);
    const before = take(stale, 'times')
      ? stale.before
      : take(stuck, 'times')
        ? this.of(symbol).publications - stuck.at
        : 0;
    this.#noteAnswer(symbol, before > 0 ? 'old' : 'whole');
    const text = body(before);
    const send = () => respondJson(response, 200, text);
    if (this.#held) this.#held.push(send);
    else if (this.#delayMs > 0) this.after(this.#delayMs, send);
    else send();
  }

  /** Whether the symbol's snapshot, which is due on the stream now, must not be sent. */
  protected withholds(symbol: string): boolean {
    const { isWithheld } = this.#faultsOf(symbol);
    if (isWithheld) this.#noteAnswer(symbol, 'withheld');
    return isWithheld;
  }

  // Its owner's controls.

  get symbols(): string[] {
    return [...this.books.keys()];
  }

  /** The book as the venue has it, with all changes, published or not. */
  truth(symbol: string, depth = Infinity): TextBook {
    return this.of(symbol).truth(depth);
  }

  listing(symbol: string): EmulatedListing {
    const { spec, tick, isHalted } = this.of(symbol);
    const { base, quote, lot } = spec;
    return { base, quote, tick, lot, isHalted };
  }

  /** Id of the symbol's last change, published or not. */
  lastId(symbol: string): number {
    return this.of(symbol).id;
  }

  /** Topics that some client listens to. */
  subscriptions(): Set<string> {
    return new Set([...this.connections].flatMap((connection) => [...connection.topics]));
  }

  /** Whether some client gets the updates of this symbol's book. */
  isSubscribed(symbol: string): boolean {
    return this.subscribers(this.bookTopic(symbol)).length > 0;
  }

  /** Changes every book, and publishes the changes. */
  tick(): void {
    for (const symbol of this.books.keys()) {
      this.change(symbol, CHANGES_PER_TICK);
      this.publish(symbol);
    }
  }

  /** Changes a book; trades are told at once, the new levels with the next `publish`. */
  change(symbol: string, times = 1): void {
    const book = this.of(symbol);
    if (book.isHalted || !book.isListed) return;
    for (let i = 0; i < times; i++) {
      const done = book.change();
      if (!done) continue;
      const { trade, id } = done;
      const timeMs = this.nowMs();
      this.#note(symbol, trade, id, timeMs);
      if (!this.#faultsOf(symbol).isStalled) this.sendTrade(book, trade, id, timeMs);
    }
  }

  /** So many trades that were before anybody listened, the last of them a while ago. */
  addPastTrades(symbol: string, count: number, stepMs: number): void {
    const endMs = this.nowMs();
    for (const [i, { trade, id }] of this.of(symbol).pastTrades(count).entries())
      this.#note(symbol, trade, id, endMs - (count - i) * stepMs);
  }

  /** The symbol's candles of so many seconds, oldest first. */
  candles(symbol: string, seconds: number): readonly EmulatedCandle[] {
    const key = `${symbol} ${seconds}`;
    const known = this.#candles.get(key);
    if (known?.trades === this.#trades.length) return known.candles;
    const candles = candlesOf(this.trades(symbol), seconds);
    this.#candles.set(key, { trades: this.#trades.length, candles });
    return candles;
  }

  /** All trades of the symbol so far. */
  trades(symbol: string): readonly EmulatedTrade[] {
    return this.#trades.filter((trade) => trade.symbol === symbol);
  }

  /** Puts a level, on the symbol's grid or off it; quantity zero removes. Goes out with the next `publish`. */
  setLevel(symbol: string, side: Side, price: string, quantity: string): void {
    this.of(symbol).setLevel(side, price, quantity);
  }

  /** Sends the changes since the last time; nothing where there are none. */
  publish(symbol: string): void {
    const faults = this.#faultsOf(symbol);
    const update = this.takeUpdate(this.of(symbol));
    if (!update || faults.isStalled) return;
    const isDropped = take(faults, 'drop');
    const copies = !isDropped && take(faults, 'duplicate') ? 2 : 1;
    const isReordered = !isDropped && take(faults, 'reorder');
    const isCut = !isDropped && take(faults, 'truncate');
    const breaksChecksum = !isDropped && take(faults, 'breakChecksum');
    const levels = !isDropped && take(faults, 'corruptSize') ? withWrongSize(update.levels) : update.levels;
    for (const connection of this.subscribers(this.bookTopic(symbol))) {
      const message = update.message(connection, levels, { breaksChecksum }); // counts, even where it is lost
      if (isDropped) continue;
      const frames: (object | string)[] =
        'frames' in Object(message) ? [...(message as Burst).frames] : [message];
      if (isCut) frames[0] = cut(frames[0]!);
      if (isReordered) {
        for (const frame of frames) this.#holdBack(connection, symbol, frame);
        continue;
      }
      for (let i = 0; i < copies; i++) for (const frame of frames) connection.send(frame);
      this.#releaseHeldBack(connection, symbol);
    }
  }

  /** The next update, or the next few, never arrive. */
  dropNext(symbol: string, times = 1): void {
    this.#faultsOf(symbol).drop += times;
  }

  duplicateNext(symbol: string, times = 1): void {
    this.#faultsOf(symbol).duplicate += times;
  }

  /** The next update arrives after the one that follows it. */
  reorderNext(symbol: string): void {
    this.#faultsOf(symbol).reorder += 1;
  }

  /** The next update arrives cut off: it is no JSON. */
  truncateNext(symbol: string, times = 1): void {
    this.#faultsOf(symbol).truncate += times;
  }

  /** The next update arrives with one wrong size, under a checksum (where there is one) of the right book. */
  corruptSizeNext(symbol: string): void {
    this.#faultsOf(symbol).corruptSize += 1;
  }

  /** The next update arrives right, but with a wrong checksum. */
  breakChecksumNext(symbol: string): void {
    this.#faultsOf(symbol).breakChecksum += 1;
  }

  /** Sends the same text to every client, whatever it is. */
  sendToAll(text: string): void {
    for (const connection of this.connections) connection.send(text);
  }

  /** Data of the symbol stops; heartbeats go on. */
  stall(symbol: string, isStalled = true): void {
    this.#faultsOf(symbol).isStalled = isStalled;
  }

  /** Every socket open now goes silent for good without being closed, as one whose far end is gone. */
  freeze(): void {
    for (const connection of this.connections) {
      connection.isFrozen = true;
      connection.topics.clear();
    }
  }

  /** Snapshots over HTTP show the book as it was some publications ago, as a lagging server's do. */
  staleSnapshot(symbol: string, times = 1, before = 1): void {
    this.#faultsOf(symbol).stale = { times, before };
  }

  /** Snapshots over HTTP show the book as it is now, so many times: their server is stuck. */
  stickSnapshots(symbol: string, times: number): void {
    this.#faultsOf(symbol).stuck = { times, at: this.of(symbol).publications };
  }

  /** The symbol's snapshot is not to be had, neither over HTTP nor on the stream. */
  withholdSnapshots(symbol: string, isWithheld = true): void {
    this.#faultsOf(symbol).isWithheld = isWithheld;
  }

  /** Snapshots over HTTP are refused with a status, answered with garbage, or not at all. */
  refuseSnapshots(
    answer: number | 'garbage' | 'timeout',
    times: number,
    retryAfterS: number | null = null,
  ): void {
    this.#refusal = { answer, times, retryAfterS };
  }

  /** The next answers about the past are refused, have a row that makes no sense, or none. */
  spoilPast(answer: PastFault, times: number, retryAfterS: number | null = null): void {
    this.#pastFault = { answer, times, retryAfterS };
  }

  /** Snapshots over HTTP are taken when asked for, but arrive so much later. */
  delaySnapshots(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /**
   * Snapshots over HTTP are taken when asked for, but arrive only after the function returned is called;
   * those asked for after a second call are held for that.
   */
  holdSnapshots(): () => void {
    const held: (() => void)[] = [];
    this.#held = held;
    return () => {
      if (this.#held === held) this.#held = null;
      for (const send of held) send();
    };
  }

  /** The venue is down: who connects is refused, or cut off as soon as it is open; null ends that. */
  turnAway(when: 'at-handshake' | 'once-open' | null): void {
    this.#turnedAway = when;
  }

  /** Every socket opened from here on is closed at that age. */
  endAtAge(maxAgeMs: number): void {
    this.#maxAgeMs = maxAgeMs;
  }

  /** Cuts every client off. */
  disconnectAll(): void {
    this.#server!.disconnectAll();
  }

  /** The venue restarts: every client is cut off, and ids begin anew. */
  restart(): void {
    this.disconnectAll();
    for (const book of this.books.values()) book.restart(1);
  }

  /** Metadata and new prices keep to another tick; older levels stay where they are. */
  changeTick(symbol: string, tick: string): void {
    this.of(symbol).setTick(tick);
    this.onListingChange(this.of(symbol));
  }

  halt(symbol: string): void {
    this.of(symbol).isHalted = true;
    this.onListingChange(this.of(symbol));
  }

  resume(symbol: string): void {
    this.of(symbol).isHalted = false;
    this.onListingChange(this.of(symbol));
  }

  /** The venue does not list the symbol any more. */
  delist(symbol: string): void {
    this.of(symbol).isListed = false;
    this.onListingChange(this.of(symbol));
  }

  protected of(symbol: string): EmulatedBook {
    const book = this.books.get(symbol);
    if (!book) throw new DepthwireError('unknown_symbol', `the emulator has no ${symbol}`, { symbol });
    return book;
  }

  #accept(socket: WebSocket, url: URL): void {
    if (this.#turnedAway !== null) {
      socket.terminate();
      return;
    }
    this.connectionCount += 1;
    const connection = new EmulatedConnection<State>(socket, this.createState(url));
    this.connections.add(connection);
    this.heardAtMs.push(connection.heardAtMs);
    if (this.#maxAgeMs < Infinity) this.after(this.#maxAgeMs, () => socket.close(1001));
    socket.on('close', () => this.connections.delete(connection));
    socket.on('message', (data) => {
      connection.heardAtMs.push(this.clock.now());
      if (!connection.isFrozen) this.onMessage(connection, (data as Buffer).toString('utf8'));
    });
    this.onOpen(connection, url);
  }

  #answerPast(past: PastAnswer, response: ServerResponse): void {
    const { answer, retryAfterS } = this.#pastFault;
    const isSpoilt = take(this.#pastFault, 'times');
    if (isSpoilt && typeof answer === 'number') {
      this.pastRefusedAtMs.push(this.clock.now());
      const headers = retryAfterS === null ? undefined : { 'retry-after': String(retryAfterS) };
      respondJson(response, answer, { message: 'refused' }, headers);
    } else if ('refusal' in past) {
      respondJson(response, past.status, past.refusal);
    } else {
      const rows = !isSpoilt ? past.rows : answer === 'empty' ? [] : [null, ...past.rows];
      respondJson(response, 200, past.body(rows));
    }
  }

  #note(symbol: string, { taker, price, quantity }: WalkTrade, id: number, timeMs: number): void {
    const [told, size] = [unitsText(price), unitsText(quantity)];
    this.#trades.push({ symbol, id, side: taker, price: told, size, timeMs });
  }

  #noteAnswer(symbol: string, outcome: SnapshotAnswer['outcome']): void {
    this.snapshotAnswers.push({ symbol, timeMs: this.clock.now(), outcome });
  }

  #faultsOf(symbol: string): Faults {
    this.of(symbol);
    return this.#faults.get(symbol)!;
  }

  #holdBack(connection: EmulatedConnection<State>, symbol: string, frame: object | string): void {
    let bySymbol = this.#heldBack.get(connection);
    if (!bySymbol) this.#heldBack.set(connection, (bySymbol = new Map()));
    bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), frame]);
  }

  #releaseHeldBack(connection: EmulatedConnection<State>, symbol: string): void {
    const frames = this.#heldBack.get(connection)?.get(symbol) ?? [];
    this.#heldBack.get(connection)?.delete(symbol);
    for (const frame of frames) connection.send(frame);
  }
}

/** What an emulator's owner can do with it, whatever the venue. */
export type EmulatorControls = Pick<VenueEmulator, Exclude<keyof VenueEmulator, 'start'>>;

/** Uses up one of a fault's times; false where none is left. */
function take<Key extends string>(faults: Record<Key, number>, key: Key): boolean {
  if (faults[key] <= 0) return false;
  faults[key] -= 1;
  return true;
}

function cut(frame: object | string): string {
  const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
  return text.slice(0, -9);
}

/** One digit of one size is another: the wrong book that only a checksum can find. */
function withWrongSize({ bids, asks }: Levels): Levels {
  const spoil = ([price, size]: TextLevel): TextLevel => [price, size === '0' ? '7' : `1${size}`];
  return bids.length > 0
    ? { bids: [spoil(bids[0]!), ...bids.slice(1)], asks }
    : { bids, asks: [spoil(asks[0]!), ...asks.slice(1)] };
}
