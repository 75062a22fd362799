import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FeedLog } from '@depthwire/feeds';
import {
  closeCodes,
  DepthwireError,
  encodingOf,
  every,
  toDepthwireError,
  type ClientRequest,
  type Clock,
  type Timer,
} from '@depthwire/shared';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Access, Caller } from '../access/access.ts';
import { limitedAddress } from '../access/address.ts';
import type { Principal } from '../access/grants.ts';
import { pollsTooOften } from '../access/polls.ts';
import { LogFlood } from '../log-flood.ts';
import { Quotas, type Lease, type QuotaLimits } from '../access/quotas.ts';
import { pingComment, retryEvent } from './event.ts';
import { EventStream, type HttpHeaders } from './event-stream.ts';
import type { Hub } from './hub.ts';
import type { Position } from './position.ts';
import type { WireFormat } from './wire-format.ts';
import { RequestRate } from './request-rate.ts';
import { Session, type SessionLimits, type SessionOwner, type SessionSocket } from './session.ts';

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
const SESSION_ID_BYTES = 9;
/** A close frame has room for 123 bytes of it; these are single bytes but for a few. */
const MAX_REASON_CHARS = 100;
/** From telling somebody that it may not connect to cutting it off, milliseconds. */
const REFUSED_MS = 1_000;
/** Of pings and pongs: a client needs one of each every heartbeat. */
const CONTROL_FRAMES_PER_SECOND = 10;
const CONTROL_FRAMES_AT_ONCE = 100;

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
  readonly server: string;
  readonly marketClock: Clock;
  readonly wallClock: Clock;
  /** One that nobody sets, for all durations. Default: `wallClock`. */
  readonly steadyClock?: Clock;
  readonly log: FeedLog;
}

/** Where a connection comes from, for the log. */
export interface Peer extends Caller {
  /** Of the request that was upgraded. */
  readonly requestId: string;
}

/** Where clients meet the hub: one session for each WebSocket and each event stream. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #steadyClock: Clock;
  readonly #sessions = new Map<WebSocket, Session>();
  readonly #streams = new Map<EventStream, Session>();
  #streamsOpened = 0;
  readonly #timers: Timer[];
  readonly #quotas: Quotas;
  readonly #refusals: LogFlood;
  #isClosing = false;
  /** Those who wait for all sessions to have ended. */
  #onEmpty: (() => void) | null = null;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { limits } = options;
    const steadyClock = (this.#steadyClock = options.steadyClock ?? options.wallClock);
    this.#quotas = new Quotas(limits);
    this.#refusals = new LogFlood(steadyClock);
    this.#timers = [
      every(steadyClock, TICK_MS, () => {
        for (const session of this.#sessions.values()) session.tick();
        for (const session of this.#streams.values()) {
          session.onAlive(); // it says nothing; whether it takes what it is sent tells if it lives
          session.tick();
        }
      }),
      // A client without pings of its own still answers these.
      every(steadyClock, limits.heartbeatMs, () => {
        for (const socket of this.#sessions.keys()) socket.ping();
        for (const stream of this.#streams.keys()) if (stream.bufferedBytes === 0) stream.write(pingComment);
      }),
    ];
  }

  get connectionCount(): number {
    return this.#sessions.size + this.#streams.size;
  }

  /** Connections in each encoding, those that lag, and bytes that wait for the network. */
  census(): { connections: Record<WireFormat, number>; lagging: number; bufferedBytes: number } {
    const connections = { msgpack: 0, json: 0, events: 0 };
    let lagging = 0;
    let bufferedBytes = 0;
    for (const session of [...this.#sessions.values(), ...this.#streams.values()]) {
      connections[session.encoding] += 1;
      if (session.isLagging) lagging += 1;
      bufferedBytes += session.bufferedBytes;
    }
    return { connections, lagging, bufferedBytes };
  }

  /**
   * @param stream what the WebSocket runs on
   * @param offered whether the client named subprotocols at all
   * @param principal null where the client has yet to say who it is
   */
  accept(socket: WebSocket, stream: Duplex, offered: boolean, peer: Peer, principal: Principal | null): void {
    const { access, limits } = this.#options;
    // A client that names none gets the default.
    const encoding = offered ? encodingOf(socket.protocol) : 'msgpack';
    if (encoding === null) {
      this.#refuse(socket, peer, closeCodes.protocolError.code, 'no common subprotocol');
      return;
    }
    if (this.#isClosing || this.connectionCount >= limits.maxConnections) {
      const reason = this.#isClosing ? 'shutting down' : 'too many connections';
      this.#refuse(socket, peer, closeCodes.tryAgainLater.code, reason);
      return;
    }
    let lease: Lease;
    try {
      lease = this.#quotas.open(peer.address, principal);
    } catch (error) {
      access.onRefused(toDepthwireError(error).code, principal);
      this.#refuse(socket, peer, closeCodes.tryAgainLater.code, (error as Error).message);
      return;
    }
    const id = newSessionId();
    const session = new Session({
      ...this.#options,
      id,
      encoding,
      socket: new DirectSocket(socket, stream),
      owner: {
        principal,
        lease,
        authenticate: (token) => access.authenticate({ kind: 'header', value: token }, peer),
        ...this.#ownerAt(peer),
      },
    });
    this.#sessions.set(socket, session);
    const onEnded = this.#onOpened(session, peer, principal);
    socket.on('message', (data, isBinary) =>
      session.onMessage(isBinary ? (data as Buffer) : (data as Buffer).toString('utf8')),
    );
    const control = new RequestRate(CONTROL_FRAMES_PER_SECOND, CONTROL_FRAMES_AT_ONCE);
    for (const kind of ['ping', 'pong'] as const)
      socket.on(kind, () => {
        session.onAlive();
        if (!control.take(this.#steadyClock.now())) socket.terminate();
      });
    socket.on('close', (code) => {
      this.#sessions.delete(socket);
      session.onClose(!leftOnPurpose.has(code));
      onEnded(code);
    });
  }

  /** @returns what to call once it has ended, with its close code */
  #onOpened({ id, encoding }: Session, peer: Peer, principal: Principal | null): (closeCode: number) => void {
    const { hub, log } = this.#options;
    const steadyClock = this.#steadyClock;
    hub.figures.opened[encoding].count += 1;
    log.info({ session: id, ...traceOf(peer), principal: principal?.id, encoding }, 'session opened');
    const openedAtMs = steadyClock.now();
    return (closeCode) => {
      hub.figures.onEnded(closeCode);
      const seconds = Math.round((steadyClock.now() - openedAtMs) / 1000);
      log.info({ session: id, closeCode, seconds }, 'session ended');
      if (this.connectionCount === 0) this.#onEmpty?.();
    };
  }

  #refuse(socket: WebSocket, peer: Peer, closeCode: number, reason: string): void {
    const { hub, log } = this.#options;
    const steadyClock = this.#steadyClock;
    hub.figures.onRefused(closeCode);
    const said = this.#refusals.admit();
    if (said !== null) log.info({ ...traceOf(peer), closeCode, reason, ...said }, 'connection refused');
    socket.close(closeCode, reason.slice(0, MAX_REASON_CHARS));
    // It is in nobody's count: whoever does not close its side is cut off.
    steadyClock.at(steadyClock.now() + REFUSED_MS, () => socket.terminate());
  }

  /**
   * @param headers of the answer, besides those of an event stream
   * @throws DepthwireError where it is refused; the response is as it was then
   */
  acceptStream(
    response: ServerResponse,
    headers: HttpHeaders,
    wanted: StreamRequest,
    peer: Peer,
    principal: Principal,
  ): void {
    const { limits } = this.#options;
    if (this.#isClosing) throw new DepthwireError('unavailable', 'shutting down');
    if (this.connectionCount >= limits.maxConnections)
      throw new DepthwireError('unavailable', 'too many connections');
    const lease = this.#quotas.open(peer.address, principal);
    const stream = new EventStream();
    const { least, most } = STREAM_RETRY_MS;
    this.#streamsOpened += 1;
    stream.write(retryEvent(least + (most - least) * ((this.#streamsOpened * GOLDEN_RATIO) % 1)));
    const session = new Session({
      ...this.#options,
      id: newSessionId(),
      encoding: 'events',
      socket: stream,
      // It says who it is once, in its request.
      owner: {
        principal,
        lease,
        authenticate: () => Promise.resolve(principal),
        ...this.#ownerAt(peer),
      },
    });
    try {
      session.start(wanted.requests, wanted.position);
    } catch (error) {
      session.onClose();
      throw error;
    }
    this.#streams.set(stream, session);
    const onEnded = this.#onOpened(session, peer, principal);
    response.once('close', () => {
      this.#streams.delete(stream);
      session.onClose(true); // nobody can tell whether it means to come back
      onEnded(stream.closeCode);
    });
    stream.begin(response, headers);
  }

  /** What keys and tokens permit has changed: whoever may not go on as before is ended. */
  reconsider(): void {
    for (const session of [...this.#sessions.values(), ...this.#streams.values()]) session.reconsider();
  }

  /** What sessions of both kinds ask. */
  #ownerAt(peer: Peer): Pick<SessionOwner, 'current' | 'poll' | 'onRefused'> {
    const { access } = this.#options;
    return {
      current: (known) => access.current(known, peer),
      poll: (who, what) => this.#poll(who, peer, what),
      onRefused: (code, who) => access.onRefused(code, who),
    };
  }

  #poll(principal: Principal, { address }: Peer, what: string): void {
    const seconds = this.#options.access.polls.waitFor(principal, limitedAddress(address), what);
    if (seconds > 0) throw pollsTooOften(principal, seconds);
  }

  /** Something failed on an accepted socket. What the client did wrong, `ws` tells it and ends the socket. */
  onError(socket: WebSocket, error: NodeJS.ErrnoException): void {
    const { limits, log } = this.#options;
    const session = this.#sessions.get(socket)?.id;
    if (error.code === TOO_LARGE) {
      const { maxMessageBytes } = limits;
      log.warn(
        { session, closeCode: closeCodes.messageTooLarge.code, maxMessageBytes },
        'a client sent a message larger than it may; the session ends',
      );
    } else if (error.code?.startsWith('WS_ERR_')) {
      log.warn({ session, reason: error.message }, 'a client broke the WebSocket protocol; the session ends');
    } else if (error.syscall !== undefined) {
      log.debug({ session, reason: error.message }, 'socket error');
    } else {
      log.error({ session, err: error }, 'session failed');
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
    const steadyClock = this.#steadyClock;
    const beganMs = steadyClock.now();
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
      const due = perSessionMs === 0 ? leaving.length : (steadyClock.now() - beganMs) / perSessionMs + 1;
      while (ended < Math.min(due, leaving.length)) leaving[ended++]!.end();
      if (ended < leaving.length) steadyClock.at(steadyClock.now() + perSessionMs, endSome);
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
    for (const stream of this.#streams.keys()) stream.terminate();
  }
}

function newSessionId(): string {
  return randomBytes(SESSION_ID_BYTES).toString('base64url');
}

/** What of a peer belongs in the log. */
function traceOf({ requestId, address }: Peer) {
  return { requestId, address };
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
    this.#socket.close(code, reason.slice(0, MAX_REASON_CHARS));
  }

  terminate(): void {
    this.#socket.terminate();
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
