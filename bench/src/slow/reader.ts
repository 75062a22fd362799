import { connect, type Socket } from 'node:net';
import {
  BookReplica,
  codecs,
  frameCodes,
  subprotocols,
  type Encoding,
  type Subscribed,
} from '@depthwire/shared';
import { unixMs } from '../harness/clock.ts';
import { clientFrame, FrameParser, opcodes, upgradeRequest, END_OF_HEAD } from '../harness/websocket.ts';

/** How a client reads: all at once, nothing, or a tenth of what comes. */
export type Pace = 'all' | 'tenth' | 'nothing';

/** Sockets read into the same memory, one after the other. Those that read slowly read little at a time. */
const BUFFER = Buffer.alloc(1 << 18);
const SMALL_BUFFER = Buffer.alloc(1 << 13);
/** As often as the client of the SDK, milliseconds. */
const PING_MS = 5_000;
const TENTH = 0.1;
/** Answers and notices that are no matter of concern. */
const EXPECTED: ReadonlySet<string> = new Set(['hello', 'pong', 'unsubscribed']);

export interface ReaderOptions {
  readonly url: string;
  readonly encoding: Encoding;
  readonly instruments: readonly string[];
  /** Each book is asked for in all of these depths. */
  readonly depths: readonly number[];
  readonly cadenceMs: number;
  /** Whether it ever reads other than all. */
  readonly isSlow: boolean;
  /**
   * A frame changed a book.
   * @param readMs when it was read, by the clock of its times
   * @param isMerged whether it stands for frames that were missed
   */
  onFrame(held: HeldBook, readMs: number, isMerged: boolean): void;
  /** The connection is lost, or something came that must not come. */
  onFailure(reason: string): void;
}

export interface HeldBook {
  readonly instrument: string;
  readonly depth: number;
  readonly replica: BookReplica;
  /** Notes its checksum while books are compared. */
  note: (() => void) | null;
}

/** A client on a bare socket: it costs little, and still applies each frame and checks each checksum. */
export class Reader {
  readonly ready = Promise.withResolvers<void>();
  books: HeldBook[] = [];
  /** Of all that it read. */
  bytes = 0;
  readonly #options: ReaderOptions;
  readonly #socket: Socket;
  readonly #buffer: Buffer;
  readonly #parser = new FrameParser({ onFrame: this.#onFrame.bind(this) }, true);
  readonly #byChannel = new Map<number, HeldBook>();
  readonly #pings: NodeJS.Timeout;
  #resumes: NodeJS.Timeout | undefined;
  #head: string | null = '';
  #awaited: number;
  #requestId = 0;
  #pace: Pace = 'all';
  #bytesPerMs = Infinity;
  #readMs = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    // a greeting, and an answer and a snapshot for each book
    this.#awaited = 1 + 2 * options.instruments.length * options.depths.length;
    this.#buffer = options.isSlow ? SMALL_BUFFER : BUFFER;
    const url = new URL(options.url);
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: { buffer: this.#buffer, callback: (count) => this.#onRead(count) },
    });
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(url, subprotocols[options.encoding])));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#fail('the server ended a connection'));
    this.#pings = setInterval(() => this.#request({ op: 'ping' }), PING_MS + Math.random() * 100);
    this.ready.promise.catch(() => undefined);
  }

  /** @param bytesPerSecond what comes to it, of which it reads a tenth */
  setPace(pace: Pace, bytesPerSecond: number): void {
    this.#pace = pace;
    this.#bytesPerMs = (TENTH * bytesPerSecond) / 1000;
    clearTimeout(this.#resumes);
    if (pace === 'nothing') this.#socket.pause();
    else this.#socket.resume();
  }

  /** Goes on with the first of its depths alone. */
  lighten(): void {
    const [kept] = this.#options.depths;
    for (const [ch, { depth }] of this.#byChannel)
      if (depth !== kept) this.#request({ op: 'unsubscribe', ch });
    this.books = this.books.filter(({ depth }) => depth === kept);
  }

  close(): void {
    clearInterval(this.#pings);
    clearTimeout(this.#resumes);
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  /** @returns whether to go on reading */
  #onRead(count: number): boolean {
    this.#readMs = unixMs();
    this.bytes += count;
    if (this.#head === null) this.#parser.push(this.#buffer, 0, count);
    else this.#readHead(count);
    if (this.#pace === 'tenth') {
      this.#resumes = setTimeout(() => this.#socket.resume(), count / this.#bytesPerMs);
      return false;
    }
    return this.#pace === 'all';
  }

  #readHead(count: number): void {
    const before = this.#head!.length;
    const head = this.#head! + this.#buffer.toString('latin1', 0, count);
    const end = head.indexOf(END_OF_HEAD);
    this.#head = end < 0 ? head : null;
    if (end < 0) return;
    if (!head.startsWith('HTTP/1.1 101')) this.#fail(`refused: ${head.split('\r\n')[0]}`);
    const { instruments, depths, cadenceMs: cadence } = this.#options;
    for (const instrument of instruments)
      for (const depth of depths)
        this.#request({ op: 'subscribe', topic: 'book', instrument, depth, cadence });
    this.#parser.push(this.#buffer, end + END_OF_HEAD.length - before, count);
  }

  #request(request: object): void {
    if (this.#head !== null) return;
    const data = codecs[this.#options.encoding].encode({ id: this.#requestId++, ...request } as never);
    const isText = typeof data === 'string';
    this.#socket.write(
      clientFrame(isText ? opcodes.text : opcodes.binary, isText ? Buffer.from(data) : data),
    );
  }

  #onFrame(opcode: number, _bytes: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.#socket.write(clientFrame(opcodes.pong, payload));
    else if (opcode === opcodes.close) this.#fail(`closed by the server: ${payload.toString('utf8', 2)}`);
    else if (opcode === opcodes.binary) this.#onMessage(codecs.msgpack.decodeLazily(payload));
    else if (opcode === opcodes.text) this.#onMessage(codecs.json.decodeLazily(payload.toString()));
  }

  #onMessage(message: unknown): void {
    if (Array.isArray(message)) this.#onData(message);
    else {
      const { op, ch, instrument, depth } = message as Omit<Subscribed, 'op'> & { op: string };
      if (op === 'subscribed') {
        const held = { instrument: instrument.id, depth: depth!, replica: new BookReplica(), note: null };
        this.#byChannel.set(ch, held);
        this.books.push(held);
      } else if (!EXPECTED.has(op)) this.#fail(`unexpected ${op}`);
      if (op === 'pong') return;
    }
    if (this.#awaited > 0 && --this.#awaited === 0) this.ready.resolve();
  }

  #onData(frame: readonly unknown[]): void {
    const held = this.#byChannel.get(frame[1] as number);
    const outcome = held?.replica.apply(frame);
    // Nothing is lost on the way, so a book never has to be taken anew.
    if (outcome !== 'applied')
      this.#fail(
        `frame ${String(frame[2])} of ${held?.instrument} is ${outcome}: ${held?.replica.error?.message}`,
      );
    else if (frame[0] !== frameCodes.bookSnapshot)
      this.#options.onFrame(held!, this.#readMs, frame[0] === frameCodes.bookMerged);
    if (held!.note !== null) held!.note();
  }

  #fail(reason: string): void {
    this.#options.onFailure(reason);
    this.ready.reject(new Error(reason));
  }
}
