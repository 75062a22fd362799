// Clients that subscribe and receive, and do no more with what they get than count it.
import { connect, type Socket } from 'node:net';
import { codecs, subprotocols, type ClientRequest } from '@depthwire/shared';
import { clientFrame, END_OF_HEAD, FrameParser, opcodes, upgradeRequest } from '../harness/websocket.ts';
import type { ConnectOptions } from './samples.ts';
import { DEPTH, instrumentOf } from './scenario.ts';
import { nowMs, Usage } from '../harness/usage.ts';
import { answerParent } from '../harness/worker.ts';

/** All sockets read into the same memory: it is looked at and thrown away. */
const BUFFER = Buffer.alloc(1 << 18);

/** What all clients of the process had while it was counted, a second. */
export interface Received {
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly cpu: number;
}

const usage = new Usage();
let received = { frames: 0, bytes: 0 };
let counted = { atMs: 0, frames: 0, bytes: 0 };
let failure: string | null = null;

const methods = {
  /** Connects one client; resolves once it has all its books. */
  connect: (options: ConnectOptions): Promise<void> => new Receiver(options).ready.promise,

  begin(): void {
    usage.begin();
    counted = { atMs: nowMs(), ...received };
  },

  end(): Received {
    if (failure !== null) throw new Error(failure);
    const seconds = (nowMs() - counted.atMs) / 1000;
    return {
      framesPerSecond: (received.frames - counted.frames) / seconds,
      bytesPerSecond: (received.bytes - counted.bytes) / seconds,
      cpu: usage.end(),
    };
  },
};

export type Receivers = typeof methods;

class Receiver {
  readonly ready = Promise.withResolvers<void>();
  readonly #options: ConnectOptions;
  readonly #socket: Socket;
  readonly #parser = new FrameParser({ onFrame: this.#onFrame.bind(this) }, false);
  /** The server's answer to the upgrade, until it is whole. */
  #head: string | null = '';
  /** A greeting, and an answer and a snapshot for each book. */
  #awaited: number;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.#awaited = 1 + 2 * options.books.length;
    const url = new URL(options.url);
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: BUFFER,
        callback: (count) => {
          this.#onRead(count);
          return true;
        },
      },
    });
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(url, subprotocols.msgpack)));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#fail('the server ended a connection'));
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
    if (!this.#head.startsWith('HTTP/1.1 101')) this.#fail(`refused: ${this.#head.split('\r\n')[0]}`);
    this.#head = null;
    this.#subscribe();
    this.#parser.push(BUFFER, end + END_OF_HEAD.length - before, count);
  }

  #subscribe(): void {
    const { books, cadenceMs } = this.#options;
    const requests = books.map((book, id) => {
      const instrument = instrumentOf(book);
      const request = { op: 'subscribe', id, topic: 'book', instrument, depth: DEPTH, cadence: cadenceMs };
      return clientFrame(opcodes.binary, codecs.msgpack.encode(request as ClientRequest) as Uint8Array);
    });
    this.#socket.write(Buffer.concat(requests));
  }

  #onFrame(opcode: number, bytes: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.#socket.write(clientFrame(opcodes.pong, payload));
    else if (opcode === opcodes.close) this.#fail(`closed by the server: ${payload.toString('utf8', 2)}`);
    if (opcode !== opcodes.binary) return;
    received = { frames: received.frames + 1, bytes: received.bytes + bytes };
    if (this.#awaited > 0 && --this.#awaited === 0) this.ready.resolve();
  }

  #fail(reason: string): void {
    failure ??= reason;
    this.ready.reject(new Error(reason));
  }
}

answerParent(methods);
