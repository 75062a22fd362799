import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { bookChecksum } from '../src/book/checksum.ts';
import { OrderBook } from '../src/book/order-book.ts';
import type { Instrument } from '../src/model/instrument.ts';
import { scaleOf } from '../src/model/units.ts';
import { codecs, type Message } from '../src/protocol/codec.ts';
import { encodeLevels } from '../src/protocol/levels.ts';
import {
  wireStateOf,
  type ClientRequest,
  type Hello,
  type SubscribeRequest,
} from '../src/protocol/messages.ts';
import { encodingOf, type Encoding } from '../src/protocol/version.ts';

// A real server on the loopback, which says what a test tells it to.

export const instrument: Instrument = {
  id: 'sim:BTC-USD',
  venue: 'sim',
  symbol: 'BTCUSD',
  base: 'BTC',
  quote: 'USD',
  kind: 'spot',
  name: 'Bitcoin / US dollar',
  tick: scaleOf('0.01'),
  lot: scaleOf('0.0001'),
  status: 'trading',
  origin: 'simulated',
  staleAfterMs: 5_000,
};

export const hello: Hello = {
  op: 'hello',
  session: 'test',
  protocol: 1,
  server: 'test',
  gateway: 'a',
  epoch: 1,
  time: 1_000,
  heartbeatMs: 60_000,
  depths: [10, 50, 0],
  cadences: [0, 100],
  limits: { maxMessageBytes: 16_384, maxSubscriptions: 10 },
  principal: 'local',
  expires: null,
};

/** One connection as the server sees it. */
export class Connection {
  readonly requests: ClientRequest[] = [];
  readonly socket: ServerSocket;
  readonly encoding: Encoding;
  /** What answers a request; null for silence. */
  answer: ((request: ClientRequest, connection: Connection) => void) | null = grantAll;

  constructor(socket: ServerSocket) {
    this.socket = socket;
    this.encoding = encodingOf(socket.protocol) ?? 'msgpack';
    socket.on('message', (data, isBinary) => {
      const frame = isBinary ? (data as Buffer) : (data as Buffer).toString();
      const request = codecs[this.encoding].decode(frame) as ClientRequest;
      this.requests.push(request);
      this.answer?.(request, this);
    });
    socket.on('error', () => undefined);
  }

  send(...messages: unknown[]): void {
    for (const message of messages) this.socket.send(codecs[this.encoding].encode(message as Message));
  }

  /** Requests of a kind, in the order they came. */
  asked<Op extends ClientRequest['op']>(op: Op): Extract<ClientRequest, { op: Op }>[] {
    return this.requests.filter((request) => request.op === op) as Extract<ClientRequest, { op: Op }>[];
  }
}

/** Channel 1 for whatever is asked, and an answer to everything else. */
export function grantAll(request: ClientRequest, connection: Connection): void {
  if (request.op === 'subscribe') grant(connection, request, 1);
  else if (request.op === 'ping') connection.send({ op: 'pong', id: request.id, time: 1_000 });
  else if (request.op === 'snapshot' || request.op === 'unsubscribe')
    connection.send({
      op: request.op === 'snapshot' ? 'snapshot' : 'unsubscribed',
      id: request.id,
      ch: request.ch,
    });
}

export function grant(connection: Connection, { id, topic }: SubscribeRequest, ch: number): void {
  connection.send({
    op: 'subscribed',
    id,
    ch,
    topic,
    instrument,
    epoch: 1,
    cadence: 100,
    ...(topic === 'book' ? { depth: 50 } : {}),
  });
}

/** Channels 1, 2, 3 … in the order of the subscriptions. */
export function grantEachItsOwn(request: ClientRequest, connection: Connection): void {
  if (request.op === 'subscribe') grant(connection, request, connection.asked('subscribe').length);
  else grantAll(request, connection);
}

export class ScriptedServer {
  readonly connections: Connection[] = [];
  /** Called for each new connection, in place of the greeting. */
  greet = (connection: Connection): void => connection.send(hello);
  readonly #server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

  constructor() {
    this.#server.on('connection', (socket) => {
      const connection = new Connection(socket);
      this.connections.push(connection);
      this.greet(connection);
    });
  }

  async start(): Promise<string> {
    if (this.#server.address() === null) await once(this.#server, 'listening');
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** The newest connection. */
  get last(): Connection {
    return this.connections.at(-1)!;
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export function snapshotFrame(
  ch: number,
  seq: number,
  bids: number[],
  asks: number[],
  state: 'live' | 'stale' = 'live',
) {
  const wire = [encodeLevels(bids, -1, 100), encodeLevels(asks, 1, 100)];
  return [1, ch, seq, wireStateOf(state), seq, 1_000, null, 100, ...wire, checksumOf(bids, asks)];
}

export function checksumOf(bids: number[], asks: number[]): number {
  const book = new OrderBook();
  book.loadSnapshot(bids, asks);
  return bookChecksum(book);
}

/** Puts 100 ticks × lots at the bid of a channel whose reference is 100. */
export function bidFrame(ch: number, seq: number, lots: number, checksum?: number) {
  return [2, ch, seq, 1, 20, 5, null, [0, lots], [], ...(checksum === undefined ? [] : [checksum])];
}

/** Waits for what comes over the network; the timeout only ends a test that has failed. */
export function until(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { interval: 2, timeout: 5_000 });
}

/** Lets everything that is on its way between client and server arrive: two pings there and back. */
export async function settled(connection: Connection): Promise<void> {
  for (let i = 0; i < 2; i++) {
    connection.socket.ping();
    await once(connection.socket, 'pong');
  }
}
