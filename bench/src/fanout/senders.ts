import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import type { Server as SocketIoServer } from 'socket.io';
import { WebSocketServer, type WebSocket } from 'ws';
import { loadPeer } from '../harness/peers.ts';
import { isDue, type Subscriptions } from './plan.ts';
import type { SampledBook, ServerKind } from './receiver.ts';
import type { Holder, Recording } from './recording.ts';
import { serverFrameOf } from '../harness/websocket.ts';

/** A server that sends at each tick what its clients are to have. */
export interface Sender {
  readonly kind: ServerKind;
  readonly port: number;
  /** Makes ready what is not to be measured. Ticks count from 1. */
  prepare(firstTick: number, ticks: number): void;
  /** Sends all of a tick. */
  send(tick: number): void;
  /** CPU time since `prepare` that went to what the others have no counterpart of, microseconds. */
  readonly feedUs?: number;
  /** Opens all channels of the plan, before any client does. */
  holdChannels?(): Promise<Holder[]>;
  /** @throws Error where a client's book is not the engine's */
  expectSameBooks?(books: readonly SampledBook[]): void;
}

/** Plain sockets: one write of one buffer for each client and tick, of as many bytes as the gateway sends. */
export class NetSender implements Sender {
  readonly kind = 'net';
  readonly #server: NetServer;
  readonly #sockets: Socket[] = [];
  readonly #subscriptions: readonly Subscriptions[];
  readonly #bytes: Recording['bytes'];
  readonly #buffers = new Map<number, Buffer>();
  #first = 0;
  #writes: { sockets: Socket[]; buffers: Buffer[] }[] = [];

  static async start(subscriptions: readonly Subscriptions[], { bytes }: Recording): Promise<NetSender> {
    const server = createServer({ noDelay: true });
    await listen(server);
    return new NetSender(server, subscriptions, bytes);
  }

  private constructor(server: NetServer, subscriptions: readonly Subscriptions[], bytes: Recording['bytes']) {
    this.#server = server;
    this.#subscriptions = subscriptions;
    this.#bytes = bytes;
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (number) => {
        this.#sockets[(number as Buffer).readUInt16BE(0)] = socket;
        socket.write(serverFrameOf(GREETING_BYTES));
      });
    });
  }

  get port(): number {
    return portOf(this.#server);
  }

  prepare(firstTick: number, ticks: number): void {
    this.#first = firstTick;
    this.#writes = Array.from({ length: ticks }, (_, i) => {
      const tick = firstTick + i;
      const due = this.#subscriptions.map((wanted, client) => [wanted, client] as const);
      const writes = due.filter(([{ cadenceMs }]) => isDue(cadenceMs, tick));
      return {
        sockets: writes.map(([, client]) => this.#sockets[client]!),
        buffers: writes.map(([wanted]) =>
          this.#buffer(bytesAt(wanted, this.#bytes, tick), wanted.topics.length),
        ),
      };
    });
  }

  send(tick: number): void {
    const { sockets, buffers } = this.#writes[tick - this.#first]!;
    for (let i = 0; i < sockets.length; i++) sockets[i]!.write(buffers[i]!);
  }

  /**
   * One for each length: all clients that get as much get the same. It holds as many frames as the
   * gateway's, so that the receivers have as much to do.
   */
  #buffer(length: number, frames: number): Buffer {
    let buffer = this.#buffers.get(length);
    if (!buffer) {
      const each = Math.floor(length / frames);
      const parts = Array.from({ length: frames }, (_, i) =>
        serverFrameOf(i === 0 ? length - each * (frames - 1) : each),
      );
      this.#buffers.set(length, (buffer = Buffer.concat(parts)));
    }
    return buffer;
  }
}

/** What `ws` holds and does not promise. */
type OpenWebSocket = WebSocket & { _socket: Socket };

/** `ws`: one send for each client and topic, be it with the socket corked over those of a client. */
export class WsSender implements Sender {
  readonly kind = 'ws';
  readonly #server: WebSocketServer;
  readonly #isCorked: boolean;
  readonly #messages: Messages;

  static async start(recording: Recording, isCorked: boolean): Promise<WsSender> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    await new Promise((resolve) => server.once('listening', resolve));
    return new WsSender(server, new Messages(recording), isCorked);
  }

  private constructor(server: WebSocketServer, messages: Messages, isCorked: boolean) {
    this.#server = server;
    this.#messages = messages;
    this.#isCorked = isCorked;
    server.on('connection', (socket) => socket.send(GREETING));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  prepare(firstTick: number, ticks: number): void {
    this.#messages.prepare(firstTick, ticks);
  }

  send(tick: number): void {
    const messages = this.#messages.at(tick);
    for (const client of this.#server.clients) {
      if (this.#isCorked) (client as OpenWebSocket)._socket.cork();
      for (const message of messages) client.send(message);
      if (this.#isCorked) (client as OpenWebSocket)._socket.uncork();
    }
  }
}

/** socket.io: a room for each topic, over WebSockets alone. */
export class SocketIoSender implements Sender {
  readonly kind = 'socket.io';
  readonly #http: NetServer;
  readonly #io: SocketIoServer;
  readonly #messages: Messages;

  static async start(recording: Recording): Promise<SocketIoSender> {
    const { Server } = await loadPeer<typeof import('socket.io')>('socket.io');
    const http = createHttpServer();
    const io = new Server(http, {
      transports: ['websocket'],
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
    });
    await listen(http);
    const rooms = recording.messages[0]!.map((_, topic) => String(topic));
    io.on('connection', (socket) => {
      void socket.join(rooms);
      socket.emit('greeting', GREETING);
    });
    return new SocketIoSender(http, io, new Messages(recording));
  }

  private constructor(http: NetServer, io: SocketIoServer, messages: Messages) {
    this.#http = http;
    this.#io = io;
    this.#messages = messages;
  }

  get port(): number {
    return portOf(this.#http);
  }

  prepare(firstTick: number, ticks: number): void {
    this.#messages.prepare(firstTick, ticks);
  }

  send(tick: number): void {
    for (const [topic, message] of this.#messages.at(tick).entries())
      this.#io.to(String(topic)).emit('book', message);
  }
}

const GREETING = Buffer.of(0);
const GREETING_BYTES = 4;

/** The gateway's own messages, for servers that frame them by themselves. */
class Messages {
  readonly #recording: Recording;
  #first = 0;
  #messages: Buffer[][] = [];

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  prepare(firstTick: number, ticks: number): void {
    this.#first = firstTick;
    this.#messages = this.#recording.messages
      .slice(firstTick - 1, firstTick - 1 + ticks)
      .map((topics) => topics.map((text) => Buffer.from(text, 'base64')));
  }

  at(tick: number): readonly Buffer[] {
    return this.#messages[tick - this.#first]!;
  }
}

/** Bytes that a client gets at a tick. */
export function bytesAt(
  { cadenceMs, topics }: Subscriptions,
  bytes: Recording['bytes'],
  tick: number,
): number {
  const frames = bytes[cadenceMs]![tick - 1]!;
  return topics.reduce((sum, topic) => sum + frames[topic]!, 0);
}

async function listen(server: NetServer): Promise<void> {
  await new Promise<void>((resolve) =>
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, resolve),
  );
}

function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}
