import {
  closeCodes,
  DepthwireError,
  parseRequest,
  PROTOCOL_VERSION,
  requestIdOf,
  toDepthwireError,
  type AuthenticateRequest,
  type ClientRequest,
  type Clock,
  type ErrorCode,
  type Instrument,
  type InstrumentChanged,
  type InstrumentId,
  type ServerMessage,
  type SubscribeRequest,
  type Timer,
} from '@depthwire/shared';
import type { FeedLog } from '@depthwire/feeds';
import type { Credential } from '../access/access.ts';
import { assertGranted, type Principal } from '../access/grants.ts';
import type { Lease } from '../access/quotas.ts';
import { Allowance, type Limits } from './allowance.ts';
import type { Subscriber } from './audience.ts';
import type { Channel, SharedFrame } from './channel.ts';
import type { Batch } from './batch.ts';
import { serverCodecs } from './codec.ts';
import { positionEvent } from './event.ts';
import { CADENCES_MS, DEPTHS, isWithin, type Hub } from './hub.ts';
import type { Position } from './position.ts';
import { RequestRate } from './request-rate.ts';
import { encodingWithin, wireMessage, type WireFormat } from './wire-format.ts';

/** In place of the number of a frame: the client has nothing of the channel yet. */
const NOTHING = -1;
/** Longest time that some of a client's data waits for its network before it gets merged frames, milliseconds. */
const MAX_WAIT_MS = 1_000;
/** A client whose data waits for so long without a break is gone, milliseconds. */
const STALLED_MS = 120_000;
/** From telling a client that its session ends to cutting it off, milliseconds. */
const GRACE_MS = 2_000;
const LESS_PERMITTED = 'the key or token permits less by now';
/** Messages that could not be read, after which the session ends. */
export const MAX_MALFORMED = 10;
/** How often a client may be refused for a reason until the session ends; one is forgiven each `forgivenMs`. */
const patienceWith: Partial<
  Record<
    ErrorCode,
    {
      readonly most: number;
      readonly forgivenMs: number;
      readonly close: { code: number };
      readonly reason: string;
    }
  >
> = {
  malformed_message: {
    most: MAX_MALFORMED,
    forgivenMs: 60_000,
    close: closeCodes.malformed,
    reason: 'too many malformed messages',
  },
  unauthenticated: {
    most: 5,
    forgivenMs: 300_000,
    close: closeCodes.unauthenticated,
    reason: 'too often no right key or token',
  },
  rate_limited: {
    most: 100,
    forgivenMs: 1_000,
    close: closeCodes.tooManyRequests,
    reason: 'too many requests',
  },
};

export interface SessionLimits {
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  readonly maxSubscriptions: number;
  /**
   * Unsent bytes past which a session gets no more frames; what it missed comes as one merged frame of each
   * channel, once all of the bytes are gone. Twice as many, and its requests are not read until then.
   */
  readonly maxBufferedBytes: number;
  /** Bytes of data a second; as many as there are where it is left out. */
  readonly maxBandwidth?: number;
  /** Requests a second; after a pause, as many at once as it takes to subscribe to all it may, and more. */
  readonly maxRequestsPerSecond: number;
  /** A session without a subscription ends after so long, milliseconds. */
  readonly idleMs: number;
  readonly authenticateWithinMs: number;
}

/** Who a session belongs to. */
export interface SessionOwner {
  /** Null where the client has yet to say. */
  readonly principal: Principal | null;
  /** Its place among the connections that its address and its key may have. */
  readonly lease: Lease;
  /** @throws DepthwireError `unauthenticated` or `forbidden` */
  authenticate(token: string): Promise<Principal>;
  /**
   * Counts a subscription, which begins with the market as it is now.
   * @throws DepthwireError `rate_limited`
   */
  poll(principal: Principal, what: string): void;
  /**
   * Counts what was refused.
   * @param who whose connection it is, or the token that was not taken; null where neither is known
   */
  onRefused(code: ErrorCode, who: Principal | Credential | null): void;
  /** What has become of somebody that it said it is; null where that is no longer good. */
  current(principal: Principal): Principal | null;
}

/** The part of a socket that a session uses. */
export interface SessionSocket {
  /** Takes whole WebSocket frames or events, one or several. */
  write(frames: Uint8Array): void;
  close(code: number, reason: string): void;
  /** Ends the connection without a word. */
  terminate(): void;
  /** Bytes accepted by `write` that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Reads no messages of the client, or does so again. */
  pause(): void;
  resume(): void;
  /** Runs the task once the network has taken all bytes, of which there are some. */
  onceDrained(task: () => void): void;
}

export interface SessionOptions {
  /** Names it in the log, and to the client in `hello`. */
  readonly id: string;
  readonly hub: Hub;
  readonly socket: SessionSocket;
  readonly encoding: WireFormat;
  readonly owner: SessionOwner;
  readonly limits: SessionLimits;
  readonly server: string;
  /** The market clock, which may be a recorded one. */
  readonly marketClock: Clock;
  /** The machine's clock, for pings and for when keys expire. */
  readonly wallClock: Clock;
  /** One that nobody sets, for all durations. Default: the machine's. */
  readonly steadyClock?: Clock;
  readonly log: FeedLog;
}

/** One connected client: its requests, its subscriptions and what it is sent. */
export class Session implements Subscriber {
  readonly #options: SessionOptions;
  readonly #steadyClock: Clock;
  // Apart from the other options, for they are looked at with every write to every client.
  readonly #socket: SessionSocket;
  readonly #maxBufferedBytes: number;
  readonly #channels = new Map<number, Channel>();
  /**
   * Channels that missed frames because the client did not keep up, with the number of the last frame that
   * it has of each; null where there is none. Those that wait longest come first.
   */
  #lagging: Map<Channel, number> | null = null;
  /** Instruments that changed while too much waited to say so. */
  #untold: Map<InstrumentId, InstrumentChanged> | null = null;
  #allowance: Allowance | null = null;
  /** Goes off when data may be sent again. */
  #opening: Timer | null = null;
  /** Since when bytes have waited without a break, as far as was looked; null while none do. */
  #waitingSinceMs: number | null = null;
  #isPaused = false;
  #awaitsDrain = false;
  readonly #strikes = new Map<ErrorCode, RequestRate>();
  #isGivenUp = false;
  /** Up to which a client of an event stream has everything. */
  #startPosition: Position | null = null;
  #lastSeenMs: number;
  #principal: Principal | null;
  readonly #openedMs: number;
  /** Since when it has held no subscription. */
  #idleSinceMs: number;
  /** What arrives while a token is checked; null while none is. */
  #held: (Uint8Array | string)[] | null = null;
  readonly #rate: RequestRate;
  #asked: Limits = { bandwidth: null, rate: null };
  #isClosed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#steadyClock = options.steadyClock ?? options.wallClock;
    this.#socket = options.socket;
    this.#maxBufferedBytes = options.limits.maxBufferedBytes;
    const { limits, owner } = options;
    this.#lastSeenMs = this.#openedMs = this.#idleSinceMs = this.#steadyClock.now();
    this.#principal = owner.principal;
    const { maxRequestsPerSecond, maxSubscriptions } = limits;
    this.#rate = new RequestRate(maxRequestsPerSecond, 2 * Math.max(maxRequestsPerSecond, maxSubscriptions));
    this.#limit(this.#asked);
    this.#send({
      op: 'hello',
      protocol: PROTOCOL_VERSION,
      server: options.server,
      session: options.id,
      gateway: options.hub.gateway,
      epoch: options.hub.epoch,
      time: Math.floor(options.marketClock.now()),
      heartbeatMs: limits.heartbeatMs,
      depths: DEPTHS,
      cadences: CADENCES_MS,
      limits: { maxMessageBytes: limits.maxMessageBytes, maxSubscriptions: limits.maxSubscriptions },
      ...identityOf(this.#principal),
    });
  }

  get id(): string {
    return this.#options.id;
  }

  /** Whether some of its channels wait for a merged frame. */
  get isLagging(): boolean {
    return this.#lagging !== null;
  }

  /** Bytes that the network has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  get subscriptionCount(): number {
    return this.#channels.size;
  }

  /** A frame of the client arrived. Never throws. */
  onMessage(data: Uint8Array | string): void {
    if (this.#isGivenUp) return; // whatever else it sends is not worth the work
    this.onAlive();
    if (this.#held !== null) {
      this.#held.push(data);
      return;
    }
    const { figures } = this.#options.hub;
    let message: unknown;
    let id: number | null = null;
    try {
      const isTooMuch = !this.#rate.take(this.#steadyClock.now());
      message = serverCodecs[encodingWithin(this.#options.encoding)].decode(data);
      id = requestIdOf(message);
      if (isTooMuch)
        throw new DepthwireError(
          'rate_limited',
          `a session may send ${this.#options.limits.maxRequestsPerSecond} requests a second`,
        );
      const request = parseRequest(message);
      this.#handle(request);
      // How that comes out is known later.
      if (request.op !== 'authenticate') figures.onRequest(message, 'ok');
    } catch (error) {
      figures.onRequest(message, this.#refuse(id, error));
    }
    // Answers are what a client that reads nothing could still pile up.
    if (this.#socket.bufferedBytes <= 2 * this.#maxBufferedBytes || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
    this.#catchUpOnceDrained();
  }

  /**
   * All requests at once of a client that sends none later, on an event stream.
   * @param position up to which it has everything that it asks for; null where it has nothing
   * @throws DepthwireError of the first that is refused: the session is of no use then
   */
  start(requests: readonly ClientRequest[], position: Position | null): void {
    this.#startPosition = position;
    for (const request of requests) this.#handle(request);
    this.#tellPosition();
  }

  /** The client gave a sign of life. */
  onAlive(): void {
    this.#lastSeenMs = this.#steadyClock.now();
  }

  /** @param isLost the connection broke off, so that the client may come back and go on */
  onClose(isLost = false): void {
    this.#isClosed = true;
    this.#options.owner.lease.release();
    for (const channel of this.#channels.values()) this.#options.hub.leave(channel, this, isLost);
    this.#channels.clear();
    this.#lagging = null;
    this.#opening?.cancel();
  }

  get encoding(): WireFormat {
    return this.#options.encoding;
  }

  deliver(batch: Batch): void {
    const socket = this.#socket;
    const waiting = socket.bufferedBytes;
    const isBehind = waiting > 0 ? this.#isLate(waiting) : !this.#mayReceive;
    if (isBehind || this.#lagging !== null) {
      for (const frame of batch.frames) this.#deliverToLaggard(frame, isBehind);
      return;
    }
    // What has to wait in line must not hold the memory of what all others get.
    this.#write(waiting > 0 ? batch.copy : batch.wire);
    batch.sentTo += 1;
    if (waiting > 0) return;
    this.#waitingSinceMs = null;
    if (socket.bufferedBytes > 0) batch.keep();
  }

  /** Whether too much waits, or something for too long; one channel that lags waits for nobody but the network. */
  #isLate(waiting: number): boolean {
    const now = this.#steadyClock.now();
    this.#waitingSinceMs ??= now;
    return (
      waiting > this.#maxBufferedBytes ||
      now - this.#waitingSinceMs > MAX_WAIT_MS ||
      this.#lagging !== null ||
      !this.#mayReceive
    );
  }

  /** A channel that has missed a frame gets no other before it has caught up. */
  #deliverToLaggard(frame: SharedFrame, isBehind: boolean): void {
    if (this.#lagging?.has(frame.channel)) return;
    if (isBehind) this.#miss(frame.channel, frame.seq - 1);
    else this.#writeFrame(frame);
  }

  #writeFrame(frame: SharedFrame): void {
    const { hub, encoding } = this.#options;
    const data = frame.wireApart(encoding);
    this.#write(data);
    hub.figures.onSent(frame.channel.settings.topic, encoding, data.length);
  }

  #write(data: Uint8Array): void {
    if (this.#untold !== null) this.#tellInstruments(); // what follows is counted in their scales
    this.#socket.write(data);
    this.#allowance?.spend(data.length, this.#steadyClock.now());
  }

  /** Whether the limits that it asked for let it have data now. */
  get #mayReceive(): boolean {
    return this.#allowance === null || this.#allowance.opensAtMs <= this.#steadyClock.now();
  }

  /** @param seq the last frame that the client has */
  #miss(channel: Channel, seq: number): void {
    if (this.#lagging === null) {
      this.#lagging = new Map();
      this.#options.hub.figures.lagged += 1;
      this.#awaitRoom();
    }
    this.#lagging.set(channel, seq);
  }

  /** Has it catch up once the network, and its own limits, let it. */
  #awaitRoom(): void {
    if (this.#socket.bufferedBytes > 0) this.#catchUpOnceDrained();
    if (this.#allowance === null || this.#opening !== null) return;
    this.#opening = this.#steadyClock.at(this.#allowance.opensAtMs, () => {
      this.#opening = null;
      this.#catchUp();
    });
  }

  #catchUpOnceDrained(): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#socket.onceDrained(() => {
      this.#awaitsDrain = false;
      this.#catchUp();
    });
  }

  /** Goes on where the client did not keep up: with all that it missed, as far as there is room for it. */
  #catchUp(): void {
    const { hub, limits, socket } = this.#options;
    if (socket.bufferedBytes > 0) {
      if (this.#lagging !== null || this.#isPaused || this.#untold !== null) this.#catchUpOnceDrained();
      return;
    }
    this.#waitingSinceMs = null;
    if (this.#isPaused) {
      this.#isPaused = false;
      socket.resume();
    }
    this.#tellInstruments();
    if (this.#lagging === null) return;
    if (!this.#mayReceive) {
      this.#awaitRoom();
      return;
    }
    const now = this.#steadyClock.now();
    hub.deliver(); // what is made by now is in the merged frames
    for (const [channel, seq] of this.#lagging) {
      if (socket.bufferedBytes > limits.maxBufferedBytes || this.#allowance?.hasBandwidth(now) === false) {
        this.#awaitRoom();
        return;
      }
      // An instrument may have been forgotten meanwhile; where it comes again, so does a snapshot.
      if (hub.isServed(channel)) this.#sendFrom(channel, seq);
      else this.#lagging.delete(channel);
    }
    this.#lagging = null;
    this.#tellPosition();
  }

  /** Where the client of an event stream may go on from: only while it has missed nothing. */
  #tellPosition(): void {
    const { encoding, hub, socket } = this.#options;
    if (encoding === 'events' && this.#lagging === null) socket.write(positionEvent(hub.position));
  }

  /** Called every now and then: ends the session when the client is gone, brings laggards back. */
  tick(): void {
    if (this.#isGivenUp) return;
    const { limits, socket, wallClock } = this.#options;
    const now = this.#steadyClock.now();
    if (now - this.#lastSeenMs > 2 * limits.heartbeatMs) {
      this.#end(closeCodes.heartbeatMissed.code, 'heartbeat missed');
      return;
    }
    if (this.#endsForIdentity(now, wallClock.now())) return;
    if (socket.bufferedBytes > 0) this.#waitingSinceMs ??= now;
    else this.#waitingSinceMs = null;
    if (this.#waitingSinceMs !== null && now - this.#waitingSinceMs > STALLED_MS) {
      this.#end(closeCodes.stalled.code, 'took nothing for too long');
      return;
    }
    this.#catchUp();
  }

  /**
   * The client is gone, as far as can be told, or has to go.
   * @param refused what it was refused with too often
   */
  #end(closeCode: number, reason: string, refused?: ErrorCode): void {
    const { id: session, log, socket } = this.#options;
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    if (refused === undefined) log.info({ session, closeCode, reason }, 'session given up');
    else {
      const principal = this.#principal?.id;
      log.warn({ session, closeCode, code: refused, principal }, 'a session ends for what its client does');
    }
    socket.close(closeCode, reason);
    this.#options.owner.lease.release(); // others of its key need not wait until it is gone
    // Whoever does not close its side is cut off.
    this.#steadyClock.at(this.#steadyClock.now() + GRACE_MS, () => socket.terminate());
  }

  /** Says that the server will shut down; data go on until `end`. */
  goodbye(reconnectMs: number): void {
    this.#send({ op: 'goodbye', reconnectMs });
  }

  end(): void {
    this.#options.socket.close(closeCodes.goingAway.code, 'server shuts down');
  }

  /**
   * @param now by the steady clock
   * @param wallMs by the machine's
   * @returns whether the session ends, for who the client is or for doing nothing
   */
  #endsForIdentity(now: number, wallMs: number): boolean {
    const { limits } = this.#options;
    const end = ({ code }: { code: number }, reason: string) => {
      this.#end(code, reason);
      return true;
    };
    if (this.#principal === null)
      return now - this.#openedMs > limits.authenticateWithinMs
        ? end(closeCodes.unauthenticated, 'no key or token in time')
        : false;
    const { expiresMs } = this.#principal;
    if (expiresMs !== null && expiresMs <= wallMs)
      return end(closeCodes.unauthenticated, 'the key or token has expired');
    if (this.#channels.size === 0 && now - this.#idleSinceMs > limits.idleMs)
      return end(closeCodes.idle, 'no subscription for too long');
    return false;
  }

  onInstrument(instrument: Instrument, epoch: number): void {
    const message = { op: 'instrument', instrument, epoch } as const;
    if (this.#socket.bufferedBytes <= this.#maxBufferedBytes) {
      this.#send(message);
      return;
    }
    // The newest of each is enough for whoever does not take them.
    (this.#untold ??= new Map()).set(instrument.id, message);
    this.#catchUpOnceDrained();
  }

  #tellInstruments(): void {
    if (this.#untold === null) return;
    const messages = this.#untold.values();
    this.#untold = null;
    for (const message of messages) this.#send(message);
  }

  #handle(request: ClientRequest): void {
    const { hub, limits, owner } = this.#options;
    if (request.op === 'ping') {
      this.#send({ op: 'pong', id: request.id, time: this.#options.wallClock.now() });
      return;
    }
    if (request.op === 'authenticate') {
      this.#authenticate(request);
      return;
    }
    const principal = this.#principal;
    if (principal === null)
      throw new DepthwireError('unauthenticated', 'expected the request authenticate before any other');
    switch (request.op) {
      case 'subscribe': {
        assertGranted(principal, request.topic, request.instrument);
        if (this.#channels.size >= limits.maxSubscriptions) {
          throw new DepthwireError(
            'too_many_subscriptions',
            `a session may hold ${limits.maxSubscriptions} subscriptions`,
          );
        }
        // Requests that are granted the same settings share a channel.
        owner.lease.assertRoom();
        owner.poll(principal, `${request.topic} ${request.instrument}`);
        const channel = hub.open(request, principal.grants);
        const { topic, instrument, depth, cadenceMs, interval } = channel.settings;
        hub.deliver(); // what others wait for is in what it gets first
        // What others of the client hold may be older: a snapshot serves them all.
        const isShared = this.#channels.has(channel.id);
        const held = isShared ? NOTHING : this.#heldOf(channel, request);
        const resumed = isShared || held !== NOTHING ? null : this.#resumedIn(channel, request);
        const isBack = request.resume !== undefined || this.#startPosition !== null;
        const by = held !== NOTHING ? 'channel' : resumed !== null ? 'gateway' : 'snapshot';
        if (isBack) hub.figures.resumes[topic][by] += 1;
        const market = hub.market(instrument);
        this.#send({
          op: 'subscribed',
          id: request.id,
          ch: channel.id,
          topic,
          instrument: market.instrument,
          epoch: market.epoch,
          cadence: cadenceMs,
          ...(topic === 'book' ? { depth } : {}),
          ...(interval === null ? {} : { interval }),
          ...(held === NOTHING && resumed === null ? {} : { seq: channel.newestSeq }),
        });
        if (!isShared) owner.lease.addSubscription();
        this.#channels.set(channel.id, channel);
        if (resumed === null) this.#sendFrom(channel, held);
        else this.#writeFrame(resumed);
        hub.join(channel, this);
        return;
      }
      case 'unsubscribe': {
        const channel = this.#channel(request.ch);
        hub.leave(channel, this); // what waits goes out before
        this.#channels.delete(channel.id);
        owner.lease.removeSubscription();
        if (this.#channels.size === 0) this.#idleSinceMs = this.#steadyClock.now();
        this.#lagging?.delete(channel);
        this.#send({ op: 'unsubscribed', id: request.id, ch: channel.id });
        return;
      }
      case 'snapshot': {
        const channel = this.#channel(request.ch);
        assertGranted(principal, channel.settings.topic, channel.settings.instrument);
        hub.market(channel.settings.instrument); // or the request is refused
        this.#send({ op: 'snapshot', id: request.id, ch: channel.id });
        hub.deliver(); // a snapshot has it all
        this.#sendFrom(channel, NOTHING);
        return;
      }
      case 'limit':
        this.#send({ op: 'limited', id: request.id, ...this.#limit(request) });
        this.#catchUp();
    }
  }

  /** What arrives meanwhile waits, so that a client may send requests right behind it. */
  #authenticate({ id, token }: AuthenticateRequest): void {
    const { hub, owner, socket } = this.#options;
    const { figures } = hub;
    this.#held = [];
    socket.pause();
    void owner
      .authenticate(token)
      .then((principal) => {
        if (this.#isClosed) return;
        this.#become(principal, id);
        figures.onRequest({ op: 'authenticate' }, 'ok');
      })
      .catch((error: unknown) => {
        if (!this.#isClosed)
          figures.onRequest(
            { op: 'authenticate' },
            this.#refuse(id, error, { kind: 'header', value: token }),
          );
      })
      .finally(() => {
        const held = this.#held ?? [];
        this.#held = null;
        if (this.#isClosed || this.#isGivenUp) return;
        if (!this.#isPaused) socket.resume();
        while (held.length > 0 && this.#held === null) this.onMessage(held.shift()!);
        (this.#held as typeof held | null)?.push(...held);
      });
  }

  #become(principal: Principal, id: number): void {
    this.#adopt(principal);
    this.#strikes.delete('unauthenticated');
    this.#send({ op: 'authenticated', id, principal: principal.id, expires: principal.expiresMs });
    this.#endIfForbidden('the new token permits less');
  }

  /** What its key or token permits may have been changed. */
  reconsider(): void {
    if (this.#principal === null || this.#isGivenUp) return;
    const current = this.#options.owner.current(this.#principal);
    if (current === null) {
      this.#end(closeCodes.unauthenticated.code, 'the key or token is no longer good');
      return;
    }
    try {
      this.#adopt(current);
    } catch (error) {
      this.#refuse(null, error);
      this.#end(closeCodes.forbidden.code, LESS_PERMITTED);
      return;
    }
    this.#endIfForbidden(LESS_PERMITTED);
  }

  /** @throws DepthwireError where others of the same key hold too much already */
  #adopt(principal: Principal): void {
    this.#options.owner.lease.rebind(principal);
    this.#principal = principal;
    this.#limit(this.#asked);
  }

  /** What was granted before may be more than is granted now. */
  #endIfForbidden(reason: string): void {
    const principal = this.#principal!;
    try {
      for (const { settings } of this.#channels.values()) {
        assertGranted(principal, settings.topic, settings.instrument);
        if (!isWithin(settings, principal.grants))
          throw new DepthwireError(
            'forbidden',
            `${principal.id} may not read ${settings.topic} so deep or often`,
          );
      }
    } catch (error) {
      this.#refuse(null, error);
      this.#end(closeCodes.forbidden.code, reason);
    }
  }

  /** @returns what is granted */
  #limit({ bandwidth = null, rate = null }: Partial<Limits>): Limits {
    this.#asked = { bandwidth, rate };
    const { maxBandwidth = Infinity } = this.#options.limits;
    const least = Math.min(
      bandwidth ?? Infinity,
      maxBandwidth,
      this.#principal?.grants.maxBandwidth ?? Infinity,
    );
    const granted = { bandwidth: least === Infinity ? null : least, rate };
    const isUnlimited = granted.bandwidth === null && rate === null;
    this.#allowance = isUnlimited ? null : (this.#allowance?.with(granted) ?? new Allowance(granted));
    this.#opening?.cancel();
    this.#opening = null;
    return granted;
  }

  #channel(id: number): Channel {
    const channel = this.#channels.get(id);
    if (!channel)
      throw new DepthwireError('unknown_channel', `no subscription has channel ${id}`, { ch: id });
    return channel;
  }

  /** The frame that a client has of a channel that it was in before. */
  #heldOf(channel: Channel, { resume }: SubscribeRequest): number {
    const { encoding, hub } = this.#options;
    if (encoding === 'events') return hub.heldAt(channel, this.#startPosition) ?? NOTHING;
    return resume !== undefined && hub.isHere(channel, resume) ? resume.seq : NOTHING;
  }

  /** What brings the client here from another gateway; null where a snapshot has to do, now or later. */
  #resumedIn(channel: Channel, { resume }: SubscribeRequest): SharedFrame | null {
    return resume === undefined || !this.#hasRoom ? null : this.#options.hub.resume(channel, resume);
  }

  get #hasRoom(): boolean {
    return (
      this.#socket.bufferedBytes <= this.#maxBufferedBytes &&
      this.#allowance?.hasBandwidth(this.#steadyClock.now()) !== false
    );
  }

  /** @param held the last frame that the client has */
  #sendFrom(channel: Channel, held: number): void {
    const { hub } = this.#options;
    // What the client has yet to read of others comes first; whoever asks again keeps its place.
    if (!this.#hasRoom) {
      this.#miss(channel, held);
      return;
    }
    this.#lagging?.delete(channel);
    const frame = held === NOTHING ? hub.snapshot(channel) : hub.catchUp(channel, held);
    if (frame === null) return;
    if (held !== NOTHING) hub.figures.onCatchUp(frame, held);
    this.#writeFrame(frame);
  }

  /**
   * @param who the token that was not taken, where it is about one
   * @returns the code that it was told
   */
  #refuse(
    id: number | null,
    error: unknown,
    who: Principal | Credential | null = this.#principal,
  ): ErrorCode {
    const typed = toDepthwireError(error);
    const { id: session, log, owner } = this.#options;
    owner.onRefused(typed.code, who);
    if (typed.code === 'internal') log.error({ session, err: error }, 'request failed');
    else log.debug({ session, code: typed.code }, 'request refused');
    const message = typed.code === 'internal' ? 'the server failed; its log says why' : typed.message;
    this.#send({ op: 'error', id, code: typed.code, message, retry: typed.retry });
    const patience = patienceWith[typed.code];
    if (!patience) return typed.code;
    const { most, forgivenMs, close, reason } = patience;
    const strikes = this.#strikes.get(typed.code) ?? new RequestRate(1000 / forgivenMs, most - 1);
    this.#strikes.set(typed.code, strikes);
    if (!strikes.take(this.#steadyClock.now())) this.#end(close.code, reason, typed.code);
    return typed.code;
  }

  #send(message: ServerMessage): void {
    const { hub, socket, encoding } = this.#options;
    const data = wireMessage(message, encoding);
    socket.write(data);
    hub.figures.onSent('control', encoding, data.length);
  }
}

function identityOf(principal: Principal | null) {
  return { principal: principal?.id ?? null, expires: principal?.expiresMs ?? null } as const;
}
