import { connect, type Socket } from 'node:net';
import { BookReplica, codecs, frameCodes, subprotocols } from '@depthwire/shared';
import { DEPTH, instrumentOf, type Subscriptions } from './plan.ts';
import { clientFrame, END_OF_HEAD, FrameParser, opcodes, upgradeRequest } from '../harness/websocket.ts';

/** Which server is spoken to. */
export type ServerKind = 'net' | 'ws' | 'socket.io' | 'depthwire';

export interface ReceiverOptions {
  readonly kind: ServerKind;
  readonly port: number;
  /** Number of the client within the plan. */
  readonly client: number;
  readonly subscriptions: Subscriptions;
  /** Whether it keeps the books as a client of Depthwire does; others only count. */
  readonly isSample: boolean;
  /** A frame of data came. */
  onData(): void;
  /** The connection is lost, or something came that must not come. */
  onFailure(reason: string): void;
}

/** A book of a sample client. */
export interface SampledBook {
  readonly topic: number;
  readonly state: string;
  readonly sequence: number;
  /** Checksums compared and found right. */
  readonly verified: number;
  /** `ticks, lots` pairs, best first. */
  readonly bids: readonly number[];
  readonly asks: readonly number[];
}

const PATHS = { ws: '/', depthwire: '/ws', 'socket.io': '/socket.io/?EIO=4&transport=websocket' } as const;
/** Data is counted and thrown away, so all sockets of the process can read into the same memory. */
const BUFFER = Buffer.alloc(1 << 18);

/** One client: a socket that does no more with frames than a sender needs. */
export class Receiver {
  /** Binary frames and their bytes since `reset`. */
  frames = 0;
  bytes = 0;
  readonly ready = Promise.withResolvers<void>();
  readonly #options: ReceiverOptions;
  readonly #socket: Socket;
  readonly #parser: FrameParser;
  readonly #replicas = new Map<number, { topic: number; replica: BookReplica }>();
  /** What comes before the answer to the upgrade is over; null from then on. */
  #head: string | null;
  /** Binary frames until it has all that it subscribes to. */
  #awaited: number;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    const { kind, port, client, subscriptions } = options;
    const isOurs = kind === 'depthwire';
    // ours: a greeting, and an answer and a snapshot for each subscription
    this.#awaited = isOurs ? 1 + 2 * subscriptions.topics.length : 1;
    this.#parser = new FrameParser({ onFrame: this.#onFrame.bind(this) }, options.isSample && isOurs);
    this.#head = kind === 'net' ? null : '';
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: BUFFER,
        callback: (count) => {
          this.#onRead(count);
          return true;
        },
      },
    });
    this.#socket.on('connect', () => {
      if (kind === 'net') this.#socket.write(Buffer.of(client >>> 8, client & 0xff));
      else {
        const url = new URL(PATHS[kind], `http://127.0.0.1:${port}`);
        this.#socket.write(upgradeRequest(url, kind === 'depthwire' ? subprotocols.msgpack : null));
      }
    });
    this.#socket.on('error', (error) => options.onFailure(error.message));
    this.#socket.on('close', () => options.onFailure(`connection of client ${client} closed`));
    this.ready.promise.catch(() => undefined);
  }

  reset(): void {
    this.frames = this.bytes = 0;
  }

  books(): SampledBook[] {
    return [...this.#replicas.values()].map(({ topic, replica }) => ({
      topic,
      state: replica.error === null ? replica.state : replica.error.message,
      sequence: replica.book.sequence,
      verified: replica.verified,
      bids: replica.book.bids.toFlat(),
      asks: replica.book.asks.toFlat(),
    }));
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #onRead(count: number): void {
    if (this.#head === null) {
      this.#parser.push(BUFFER, 0, count);
      return;
    }
    const before = this.#head.length;
    this.#head += BUFFER.toString('latin1', 0, count);
    const end = this.#head.indexOf(END_OF_HEAD);
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#options.onFailure(`refused: ${this.#head.slice(0, this.#head.indexOf('\r\n'))}`);
      return;
    }
    this.#head = null;
    if (this.#options.kind === 'depthwire') this.#subscribe();
    this.#parser.push(BUFFER, end + END_OF_HEAD.length - before, count);
  }

  #subscribe(): void {
    const { topics, cadenceMs } = this.#options.subscriptions;
    const requests = topics.map((topic, id) =>
      codecs.msgpack.encode({
        op: 'subscribe',
        id,
        topic: 'book',
        instrument: instrumentOf(topic),
        depth: DEPTH,
        cadence: cadenceMs,
      }),
    );
    this.#socket.write(
      Buffer.concat(requests.map((request) => clientFrame(opcodes.binary, request as Uint8Array))),
    );
  }

  #onFrame(opcode: number, bytes: number, payload: Buffer): void {
    switch (opcode) {
      case opcodes.binary:
        if (payload.length > 0) this.#read(payload);
        if (this.#awaited > 0) {
          this.#awaited -= 1;
          if (this.#awaited === 0) this.ready.resolve();
          return;
        }
        this.frames += 1;
        this.bytes += bytes;
        this.#options.onData();
        return;
      case opcodes.text:
        if (this.#options.kind === 'socket.io') this.#onEngineText(payload.toString());
        return;
      case opcodes.ping:
        this.#socket.write(clientFrame(opcodes.pong, payload));
        return;
      case opcodes.close:
        this.#options.onFailure(`closed by the server: ${payload.toString('utf8', 2)}`);
    }
  }

  /** Engine.IO: joins the namespace after the greeting, and answers pings. */
  #onEngineText(text: string): void {
    if (text.startsWith('0')) this.#socket.write(clientFrame(opcodes.text, Buffer.from('40')));
    else if (text === '2') this.#socket.write(clientFrame(opcodes.text, Buffer.from('3')));
  }

  /** What a client of Depthwire does with a message. */
  #read(payload: Buffer): void {
    const message = codecs.msgpack.decode(payload);
    if (Array.isArray(message)) {
      const outcome = this.#replicas.get(message[1] as number)?.replica.apply(message);
      if (outcome !== 'applied')
        this.#options.onFailure(`frame ${message[2]} of ${message[1]} is ${outcome}`);
      if (message[0] !== frameCodes.bookSnapshot && this.#awaited > 0)
        this.#options.onFailure('data before the snapshots');
      return;
    }
    const { op, ch, id } = message as { op: string; ch: number; id: number };
    if (op === 'subscribed') {
      const topic = this.#options.subscriptions.topics[id]!;
      this.#replicas.set(ch, { topic, replica: new BookReplica() });
    } else if (op !== 'hello') this.#options.onFailure(`unexpected ${op}`);
  }
}
