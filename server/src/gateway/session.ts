import {
  closeCodes,
  DepthwireError,
  parseRequest,
  PROTOCOL_VERSION,
  requestIdOf,
  toDepthwireError,
  type ClientRequest,
  type Clock,
  type Encoding,
  type Instrument,
  type ServerMessage,
  type SubscribeRequest,
  type Timer,
} from '@depthwire/shared';
import type { FeedLog } from '@depthwire/feeds';
import { Allowance, type Limits } from './allowance.ts';
import type { Subscriber } from './audience.ts';
import type { Channel, SharedFrame } from './channel.ts';
import type { Batch } from './batch.ts';
import { serverCodecs } from './codec.ts';
import { CADENCES_MS, DEPTHS, type Hub } from './hub.ts';
import { webSocketFrame } from './websocket-frame.ts';

/** In place of the number of a frame: the client has nothing of the channel yet. */
const NOTHING = -1;
/** Longest time that some of a client's data waits for its network before it gets merged frames, milliseconds. */
const MAX_WAIT_MS = 1_000;
/** A client whose data waits for so long without a break is gone, milliseconds. */
const STALLED_MS = 120_000;
/** Messages that could not be read, after which the session ends. */
const MAX_MALFORMED = 10;

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
}

/** The part of a socket that a session uses. */
export interface SessionSocket {
  /** Takes whole WebSocket frames, one or several. */
  write(frames: Uint8Array): void;
  close(code: number, reason: string): void;
  /** Bytes accepted by `write` that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Reads no messages of the client, or does so again. */
  pause(): void;
  resume(): void;
  /** Runs the task once the network has taken all bytes, of which there are some. */
  onceDrained(task: () => void): void;
}

export interface SessionOptions {
  readonly hub: Hub;
  readonly socket: SessionSocket;
  readonly encoding: Encoding;
  readonly limits: SessionLimits;
  /** Names this run of the market. */
  readonly epoch: number;
  readonly server: string;
  /** The market clock, which may be a recorded one. */
  readonly marketClock: Clock;
  /** The machine's clock, for pings and heartbeats. */
  readonly wallClock: Clock;
  readonly log: FeedLog;
}

/** One connected client: its requests, its subscriptions and what it is sent. */
export class Session implements Subscriber {
  readonly #options: SessionOptions;
  // Apart from the other options, for they are looked at with every write to every client.
  readonly #socket: SessionSocket;
  readonly #maxBufferedBytes: number;
  readonly #channels = new Map<number, Channel>();
  /**
   * Channels that missed frames because the client did not keep up, with the number of the last frame that
   * it has of each; null where there is none. Those that wait longest come first.
   */
  #lagging: Map<Channel, number> | null = null;
  #allowance: Allowance | null = null;
  /** Goes off when data may be sent again. */
  #opening: Timer | null = null;
  /** Since when bytes have waited without a break, as far as was looked; null while none do. */
  #waitingSinceMs: number | null = null;
  #isPaused = false;
  #awaitsDrain = false;
  #malformed = 0;
  #lastSeenMs: number;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#maxBufferedBytes = options.limits.maxBufferedBytes;
    this.#lastSeenMs = options.wallClock.now();
    const { limits } = options;
    this.#limit({ bandwidth: null, rate: null });
    this.#send({
      op: 'hello',
      protocol: PROTOCOL_VERSION,
      server: options.server,
      epoch: options.epoch,
      time: Math.floor(options.marketClock.now()),
      heartbeatMs: limits.heartbeatMs,
      depths: DEPTHS,
      cadences: CADENCES_MS,
      limits: { maxMessageBytes: limits.maxMessageBytes, maxSubscriptions: limits.maxSubscriptions },
    });
  }

  get subscriptionCount(): number {
    return this.#channels.size;
  }

  /** A frame of the client arrived. Never throws. */
  onMessage(data: Uint8Array | string): void {
    this.onAlive();
    let id: number | null = null;
    try {
      const message = serverCodecs[this.#options.encoding].decode(data);
      id = requestIdOf(message);
      this.#handle(parseRequest(message));
    } catch (error) {
      this.#refuse(id, error);
    }
    // Answers are what a client that reads nothing could still pile up.
    if (this.#socket.bufferedBytes <= 2 * this.#maxBufferedBytes || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
    this.#catchUpOnceDrained();
  }

  /** The client gave a sign of life. */
  onAlive(): void {
    this.#lastSeenMs = this.#options.wallClock.now();
  }

  /** @param isLost the connection broke off, so that the client may come back and go on */
  onClose(isLost = false): void {
    for (const channel of this.#channels.values()) this.#options.hub.leave(channel, this, isLost);
    this.#channels.clear();
    this.#lagging = null;
    this.#opening?.cancel();
  }

  get encoding(): Encoding {
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
    if (waiting > 0) return;
    this.#waitingSinceMs = null;
    if (socket.bufferedBytes > 0) batch.keep();
  }

  /** Whether too much waits, or something for too long; one channel that lags waits for nobody but the network. */
  #isLate(waiting: number): boolean {
    const now = this.#options.wallClock.now();
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
    else this.#write(frame.wire(this.#options.encoding));
  }

  #write(data: Uint8Array): void {
    this.#socket.write(data);
    this.#allowance?.spend(data.length, this.#options.wallClock.now());
  }

  /** Whether the limits that it asked for let it have data now. */
  get #mayReceive(): boolean {
    return this.#allowance === null || this.#allowance.opensAtMs <= this.#options.wallClock.now();
  }

  /** @param seq the last frame that the client has */
  #miss(channel: Channel, seq: number): void {
    if (this.#lagging === null) {
      this.#lagging = new Map();
      this.#awaitRoom();
    }
    this.#lagging.set(channel, seq);
  }

  /** Has it catch up once the network, and its own limits, let it. */
  #awaitRoom(): void {
    if (this.#socket.bufferedBytes > 0) this.#catchUpOnceDrained();
    if (this.#allowance === null || this.#opening !== null) return;
    this.#opening = this.#options.wallClock.at(this.#allowance.opensAtMs, () => {
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
      if (this.#lagging !== null || this.#isPaused) this.#catchUpOnceDrained();
      return;
    }
    this.#waitingSinceMs = null;
    if (this.#isPaused) {
      this.#isPaused = false;
      socket.resume();
    }
    if (this.#lagging === null) return;
    if (!this.#mayReceive) {
      this.#awaitRoom();
      return;
    }
    const now = this.#options.wallClock.now();
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
  }

  /** Called every now and then: ends the session when the client is gone, brings laggards back. */
  tick(): void {
    const { wallClock, limits, socket } = this.#options;
    if (wallClock.now() - this.#lastSeenMs > 2 * limits.heartbeatMs) {
      const { code } = closeCodes.heartbeatMissed;
      socket.close(code, 'heartbeat missed');
      return;
    }
    if (socket.bufferedBytes > 0) this.#waitingSinceMs ??= wallClock.now();
    else this.#waitingSinceMs = null;
    if (this.#waitingSinceMs !== null && wallClock.now() - this.#waitingSinceMs > STALLED_MS) {
      socket.close(closeCodes.stalled.code, 'took nothing for too long');
      return;
    }
    this.#catchUp();
  }

  goodbye(reconnectMs: number): void {
    this.#send({ op: 'goodbye', reconnectMs });
    this.#options.socket.close(closeCodes.goingAway.code, 'server shuts down');
  }

  onInstrument(instrument: Instrument): void {
    this.#send({ op: 'instrument', instrument });
  }

  #handle(request: ClientRequest): void {
    const { hub, limits } = this.#options;
    switch (request.op) {
      case 'subscribe': {
        if (this.#channels.size >= limits.maxSubscriptions) {
          throw new DepthwireError(
            'too_many_subscriptions',
            `a session may hold ${limits.maxSubscriptions} subscriptions`,
          );
        }
        // Requests that are granted the same settings share a channel.
        const channel = hub.open(request);
        const { topic, instrument, depth, cadenceMs, interval } = channel.settings;
        hub.deliver(); // what others wait for is in what it gets first
        // What others of the client hold may be older: a snapshot serves them all.
        const held = this.#channels.has(channel.id) ? NOTHING : this.#heldOf(channel, request);
        this.#send({
          op: 'subscribed',
          id: request.id,
          ch: channel.id,
          topic,
          instrument: hub.market(instrument).instrument,
          cadence: cadenceMs,
          ...(topic === 'book' ? { depth } : {}),
          ...(interval === null ? {} : { interval }),
          ...(held === NOTHING ? {} : { seq: channel.newestSeq }),
        });
        this.#channels.set(channel.id, channel);
        this.#sendFrom(channel, held);
        hub.join(channel, this);
        return;
      }
      case 'unsubscribe': {
        const channel = this.#channel(request.ch);
        hub.leave(channel, this); // what waits goes out before
        this.#channels.delete(channel.id);
        this.#lagging?.delete(channel);
        this.#send({ op: 'unsubscribed', id: request.id, ch: channel.id });
        return;
      }
      case 'snapshot': {
        const channel = this.#channel(request.ch);
        hub.market(channel.settings.instrument); // or the request is refused
        this.#send({ op: 'snapshot', id: request.id, ch: channel.id });
        hub.deliver(); // a snapshot has it all
        this.#sendFrom(channel, NOTHING);
        return;
      }
      case 'limit':
        this.#send({ op: 'limited', id: request.id, ...this.#limit(request) });
        this.#catchUp();
        return;
      case 'ping':
        this.#send({ op: 'pong', id: request.id, time: this.#options.wallClock.now() });
    }
  }

  /** @returns what is granted */
  #limit({ bandwidth, rate = null }: Partial<Limits>): Limits {
    const { maxBandwidth } = this.#options.limits;
    const least = Math.min(bandwidth ?? Infinity, maxBandwidth ?? Infinity);
    const granted = { bandwidth: least === Infinity ? null : least, rate };
    this.#allowance = granted.bandwidth === null && rate === null ? null : new Allowance(granted);
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
    const isHeld =
      resume?.epoch === this.#options.epoch && resume.ch === channel.id && resume.seq <= channel.newestSeq;
    return isHeld ? resume.seq : NOTHING;
  }

  /** @param held the last frame that the client has */
  #sendFrom(channel: Channel, held: number): void {
    const { hub, socket, encoding, wallClock } = this.#options;
    this.#lagging?.delete(channel);
    // What the client has yet to read of others comes first.
    if (
      socket.bufferedBytes > this.#maxBufferedBytes ||
      this.#allowance?.hasBandwidth(wallClock.now()) === false
    ) {
      this.#miss(channel, held);
      return;
    }
    const frame = held === NOTHING ? hub.snapshot(channel) : hub.catchUp(channel, held);
    if (frame !== null) this.#write(frame.wire(encoding));
  }

  #refuse(id: number | null, error: unknown): void {
    const typed = toDepthwireError(error);
    const { log, socket } = this.#options;
    if (typed.code === 'internal') log.error({ err: error }, 'request failed');
    const message = typed.code === 'internal' ? 'the server failed; its log says why' : typed.message;
    this.#send({ op: 'error', id, code: typed.code, message, retry: typed.retry });
    if (typed.code !== 'malformed_message') return;
    this.#malformed += 1;
    if (this.#malformed >= MAX_MALFORMED)
      socket.close(closeCodes.malformed.code, 'too many malformed messages');
  }

  #send(message: ServerMessage): void {
    const { socket, encoding } = this.#options;
    socket.write(webSocketFrame(serverCodecs[encoding].encode(message)));
  }
}
