import {
  closeCodes,
  DepthwireError,
  encodingOf,
  every,
  type ClientRequest,
  type Clock,
  type Timer,
} from '@depthwire/shared';
import type { FeedLog } from '@depthwire/feeds';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Access, Caller } from '../access/access.ts';
import type { Principal } from '../access/grants.ts';
import { Quotas, type Lease, type QuotaLimits } from '../access/quotas.ts';
import { pingComment, retryEvent } from './event.ts';
import { EventStream, type HttpHeaders } from './event-stream.ts';
import type { Hub } from './hub.ts';
import type { Position } from './position.ts';
import { Session, type SessionLimits, type SessionSocket } from './session.ts';

/** How often sessions are looked after, milliseconds. */
const TICK_MS = 250;
/** Sessions are ended at most so fast when the server stops, as far as there is time for it. */
const MS_PER_SESSION = 5;
/** Least time that clients are asked to spread their return over. */
const MIN_RECONNECT_MS = 2_000;
/** Close codes of a client that does not mean to come back: done, or its page was left. */
const leftOnPurpose: ReadonlySet<number> = new Set([1000, 1001, 1005]);
/** Clients of event streams come back within this time, each after one of its own, milliseconds. */
const STREAM_RETRY_MS = { least: 500, most: 2_500 };
/** Its multiples, without their whole parts, are spread evenly however many there are. */
const GOLDEN_RATIO = 0.618034;
/** What `ws` calls a message past its limit. */
const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

export interface GatewayLimits extends SessionLimits, QuotaLimits {}

/** What a client of an event stream asks for. */
export interface StreamRequest {
  readonly requests: readonly ClientRequest[];
  /** Up to which it has everything; null for a client that has nothing. */
  readonly position: Position | null;
}

export interface GatewayOptions {
  readonly hub: Hub;
  readonly access: Access;
  readonly limits: GatewayLimits;
  readonly epoch: number;
  readonly server: string;
  readonly marketClock: Clock;
  readonly wallClock: Clock;
  readonly log: FeedLog;
}

/** Where clients meet the hub: one session for each WebSocket and each event stream. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #sessions = new Map<WebSocket, Session>();
  readonly #streams = new Map<EventStream, Session>();
  #streamsOpened = 0;
  readonly #timers: Timer[];
  readonly #quotas: Quotas;
  #isClosing = false;
  /** Those who wait for all sessions to have ended. */
  #onEmpty: (() => void) | null = null;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { wallClock, limits } = options;
    this.#quotas = new Quotas(limits);
    this.#timers = [
      every(wallClock, TICK_MS, () => {
        for (const session of this.#sessions.values()) session.tick();
        for (const session of this.#streams.values()) {
          session.onAlive(); // it says nothing; whether it takes what it is sent tells if it lives
          session.tick();
        }
      }),
      // A client without pings of its own still answers these.
      every(wallClock, limits.heartbeatMs, () => {
        for (const socket of this.#sessions.keys()) socket.ping();
        for (const stream of this.#streams.keys()) if (stream.bufferedBytes === 0) stream.write(pingComment);
      }),
    ];
  }

  get connectionCount(): number {
    return this.#sessions.size + this.#streams.size;
  }

  /**
   * @param stream what the WebSocket runs on
   * @param offered whether the client named subprotocols at all
   * @param principal null where the client has yet to say who it is
   */
  accept(
    socket: WebSocket,
    stream: Duplex,
    offered: boolean,
    caller: Caller,
    principal: Principal | null,
  ): void {
    const { access, limits, log } = this.#options;
    // A client that names none gets the default.
    const encoding = offered ? encodingOf(socket.protocol) : 'msgpack';
    if (encoding === null) {
      socket.close(closeCodes.protocolError.code, 'no common subprotocol');
      return;
    }
    if (this.#isClosing || this.connectionCount >= limits.maxConnections) {
      socket.close(closeCodes.tryAgainLater.code, this.#isClosing ? 'shutting down' : 'too many connections');
      return;
    }
    let lease: Lease;
    try {
      lease = this.#quotas.open(caller.address, principal);
    } catch (error) {
      const { message } = error as Error;
      log.warn({ address: caller.address, reason: message }, 'a connection was refused');
      socket.close(closeCodes.tryAgainLater.code, message);
      return;
    }
    const session = new Session({
      ...this.#options,
      encoding,
      socket: new DirectSocket(socket, stream),
      owner: {
        principal,
        lease,
        authenticate: (token) => access.authenticate({ kind: 'header', value: token }, caller.origin),
      },
    });
    this.#sessions.set(socket, session);
    socket.on('message', (data, isBinary) =>
      session.onMessage(isBinary ? (data as Buffer) : (data as Buffer).toString('utf8')),
    );
    socket.on('pong', () => session.onAlive());
    socket.on('close', (code) => {
      this.#sessions.delete(socket);
      session.onClose(!leftOnPurpose.has(code));
      log.debug({ code }, 'session ended');
      if (this.connectionCount === 0) this.#onEmpty?.();
    });
  }

  /**
   * @param headers of the answer, besides those of an event stream
   * @throws DepthwireError where it is refused; the response is as it was then
   */
  acceptStream(
    response: ServerResponse,
    headers: HttpHeaders,
    wanted: StreamRequest,
    caller: Caller,
    principal: Principal,
  ): void {
    const { limits, log } = this.#options;
    if (this.#isClosing) throw new DepthwireError('unavailable', 'shutting down');
    if (this.connectionCount >= limits.maxConnections)
      throw new DepthwireError('unavailable', 'too many connections');
    const lease = this.#quotas.open(caller.address, principal);
    const stream = new EventStream();
    const { least, most } = STREAM_RETRY_MS;
    this.#streamsOpened += 1;
    stream.write(retryEvent(least + (most - least) * ((this.#streamsOpened * GOLDEN_RATIO) % 1)));
    const session = new Session({
      ...this.#options,
      encoding: 'events',
      socket: stream,
      // It says who it is once, in its request.
      owner: { principal, lease, authenticate: () => Promise.resolve(principal) },
    });
    try {
      session.start(wanted.requests, wanted.position);
    } catch (error) {
      session.onClose();
      throw error;
    }
    this.#streams.set(stream, session);
    response.once('close', () => {
      this.#streams.delete(stream);
      session.onClose(true); // nobody can tell whether it means to come back
      log.debug({}, 'event stream ended');
      if (this.connectionCount === 0) this.#onEmpty?.();
    });
    stream.begin(response, headers);
  }

  /** Something failed on an accepted socket. What the client did wrong, `ws` tells it and ends the socket. */
  onError(socket: WebSocket, error: NodeJS.ErrnoException): void {
    const { limits, log } = this.#options;
    if (error.code === TOO_LARGE) {
      const { maxMessageBytes } = limits;
      log.warn(
        { closeCode: closeCodes.messageTooLarge.code, maxMessageBytes },
        'a client sent a message larger than it may; the session ends',
      );
    } else if (error.code?.startsWith('WS_ERR_')) {
      log.warn({ reason: error.message }, 'a client broke the WebSocket protocol; the session ends');
    } else if (error.syscall !== undefined) {
      log.debug({ reason: error.message }, 'socket error');
    } else {
      log.error({ err: error }, 'session failed');
      socket.terminate();
    }
  }

  /**
   * Accepts nobody any more, tells everyone, and ends one session after the other; those that are left go on
   * as before. Resolves once all have ended.
   * @param withinMs how long it may take until the last is told to end
   */
  async close(withinMs: number): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const { wallClock } = this.#options;
    const beganMs = wallClock.now();
    const leaving = [...this.#sessions.values(), ...this.#streams.values()];
    const perSessionMs = Math.min(MS_PER_SESSION, withinMs / Math.max(1, leaving.length));
    const reconnectMs = Math.max(MIN_RECONNECT_MS, Math.round(leaving.length * MS_PER_SESSION));
    // A browser waits as long as it is told, so each is told another time.
    let told = 0;
    for (const stream of this.#streams.keys())
      stream.write(retryEvent((reconnectMs * (told += 1)) / this.#streams.size));
    for (const session of leaving) session.goodbye(reconnectMs);
    const empty = Promise.withResolvers<void>();
    this.#onEmpty = empty.resolve;
    let ended = 0;
    const endSome = () => {
      const due = perSessionMs === 0 ? leaving.length : (wallClock.now() - beganMs) / perSessionMs + 1;
      while (ended < Math.min(due, leaving.length)) leaving[ended++]!.end();
      if (ended < leaving.length) wallClock.at(wallClock.now() + perSessionMs, endSome);
    };
    endSome();
    if (this.connectionCount === 0) empty.resolve();
    await empty.promise;
    for (const timer of this.#timers) timer.cancel();
  }

  /** Ends what `close` still waits for, and leaves nothing behind. */
  destroy(): void {
    for (const timer of this.#timers) timer.cancel();
    for (const socket of this.#sessions.keys()) socket.terminate();
    for (const stream of this.#streams.keys()) stream.destroy();
  }
}

/**
 * Data go straight to the stream, for they are WebSocket frames already; whatever `ws` sends itself, such as
 * pings, it writes there frame by frame too, as there is no compression.
 */
class DirectSocket implements SessionSocket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;

  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  /** After the frame that closes the connection there must be no other. */
  write(frames: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#stream.write(frames);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  onceDrained(task: () => void): void {
    this.#stream.once('drain', task);
  }
}
