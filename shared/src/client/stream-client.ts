import type { Clock, Timer } from '../model/clock.ts';
import { DepthwireError, isErrorCode } from '../model/errors.ts';
import type { Instrument, InstrumentId } from '../model/instrument.ts';
import { closeCodes, shouldReconnect } from '../protocol/close-codes.ts';
import { codecs, type Codec, type RawFrame } from '../protocol/codec.ts';
import {
  frameCodes,
  type ClientRequest,
  type DataFrame,
  type Hello,
  type Limited,
  type ServerMessage,
  type SubscribeRequest,
} from '../protocol/messages.ts';
import { show } from '../protocol/show.ts';
import { encodingOf, PROTOCOL_VERSION, subprotocols, type Encoding } from '../protocol/version.ts';
import { backoffMs, defaultBackoff, type BackoffPolicy } from './backoff.ts';
import { ClockOffset } from './clock-offset.ts';
import { Emitter } from './emitter.ts';
import {
  openGlobalWebSocket,
  platformClock,
  platformRandom,
  type OpenWebSocket,
  type WebSocketLike,
} from './platform.ts';
import {
  CandlesSubscription,
  StatusSubscription,
  TickerSubscription,
  TradesSubscription,
  type CandlesOptions,
  type Subscription,
  type SubscriptionHost,
  type SubscriptionOptions,
} from './subscription.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
const SNAPSHOT_TIMEOUT_MS = 5_000;
const LIMITED_SNAPSHOT_TIMEOUT_MS = 60_000;
const MAX_SNAPSHOT_TRIES = 3;
/** A channel whose snapshots make no sense is left alone for so long, and the others go on. */
const CHANNEL_REST_MS = 10_000;
/** Shortest wait before a subscription that was refused for now is asked for again. */
const REFUSAL_RETRY_MS = 1_000;
/** What is known to nobody a feed may bring later, and what is not permitted somebody may permit. */
const LATER_MS = 30_000;
const mayHelpLater: ReadonlySet<string> = new Set(['unknown_instrument', 'forbidden']);
/** A connection that lived this long starts the back-off anew. */
const STABLE_AFTER_MS = 10_000;
const SLOWEST_PING_MS = 5_000;
/** Longest time that a timer can be set for. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** The part of a token's life after which another one is asked for. */
const REFRESH_AT = 0.8;
/** The first few follow each other faster: of a page that is still being drawn the first tells little of the network. */
const FIRST_PINGS = 4;
const FIRST_PING_MS = 500;
/** Stands for the request of a channel that is left alone; those of requests are not below zero. */
const RESTING = -1;
/** Frames that change what is there; all others replace it. */
const deltaCodes: ReadonlySet<number> = new Set([
  frameCodes.bookDelta,
  frameCodes.bookState,
  frameCodes.trades,
  frameCodes.candle,
  frameCodes.bookMerged,
  frameCodes.tradesMerged,
  frameCodes.candlesMerged,
]);

export interface ClientOptions {
  /** `ws://host:port/ws` or `wss://…`. */
  readonly url: string;
  /** Most bytes of data a second, and most times a second that it comes: what does not fit comes merged. */
  readonly limit?: { readonly bandwidth?: number; readonly rate?: number };
  /**
   * A key or token, or where to get a fresh one: asked for with each connection, and before it expires. None,
   * or null, is enough where the server is open to all.
   */
  readonly token?: string | (() => string | null | Promise<string | null>);
  /** Default `msgpack`. */
  readonly encoding?: Encoding;
  readonly backoff?: BackoffPolicy;
  /** Default: the platform's WebSocket. */
  readonly openWebSocket?: OpenWebSocket;
  readonly clock?: Clock;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/**
 * - `idle`: `connect` was not called yet
 * - `connecting`: the socket opens, or the server has not greeted yet
 * - `open`: subscriptions are live
 * - `waiting`: the connection was lost; the next try is under way after a back-off
 * - `closed`: `close` was called, or the server said that coming back is of no use
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export type ClientEvents = {
  state: [state: ConnectionState];
  error: [error: DepthwireError];
  /** A new round-trip time was measured. */
  latency: [];
  /** Every message in both directions, as it is on the wire; before the client reads it. */
  frame: [frame: RawFrame];
};

/** Connects, subscribes and recovers; in a browser and in Node. Of books it knows nothing: see `DepthwireClient`. */
export class StreamClient extends Emitter<ClientEvents> {
  /** The server's greeting; null while not connected. */
  hello: Hello | null = null;
  /** Whom the server takes this client for; null while it does not say. */
  principal: string | null = null;
  /** What the server granted of `limit`; null while it has not. */
  limited: Pick<Limited, 'bandwidth' | 'rate'> | null = null;
  /** The newest round trip, milliseconds; null before the first. */
  roundTripMs: number | null = null;
  /** The server's wall clock less this machine's, milliseconds; null before the first round trip of a connection. */
  clockOffsetMs: number | null = null;
  /** How far off that may be either way: half of the shortest of the latest round trips. */
  clockUncertaintyMs: number | null = null;
  /** When the next try to connect begins, by this machine's clock; null when none waits. */
  retryAtMs: number | null = null;
  /** Frames and bytes of this client's life. */
  readonly traffic = { framesIn: 0, bytesIn: 0 };

  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: BackoffPolicy;
  readonly #host: SubscriptionHost & { epoch: number; gateway: string | undefined };
  readonly #subscriptions = new Map<string, Subscription>();
  /** Subscriptions that were granted the same settings share a channel. */
  readonly #byChannel = new Map<number, Set<Subscription>>();
  readonly #pending = new Map<
    number,
    { subscription: Subscription | null; request: ClientRequest; sentAtMs: number }
  >();
  /** Refused because the server had no room for one more, the longest first; each channel that is left makes room. */
  readonly #crowdedOut = new Set<Subscription>();
  /** Snapshots that were asked for since the last right one, and the last such request. */
  readonly #snapshotTries = new Map<Subscription, { count: number; requestId: number }>();
  #state: ConnectionState = 'idle';
  #socket: WebSocketLike | null = null;
  #codec: Codec;
  #clockOffset = new ClockOffset();
  #requestId = 0;
  #attempt = 0;
  #reconnectHintMs: number | null = null;
  #lastFrameAtMs = 0;
  /** Whether a frame that replaces all of a channel is being read. */
  #isReadingWhole = false;
  #openedAtMs = 0;
  #timers: Timer[] = [];

  constructor(options: ClientOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? platformClock;
    this.#random = options.random ?? platformRandom;
    this.#backoff = options.backoff ?? defaultBackoff;
    this.#codec = codecs[options.encoding ?? 'msgpack'];
    this.#host = {
      now: () => this.#clock.now(),
      epoch: 0,
      gateway: undefined,
      requestSnapshot: (subscription) => this.#requestSnapshot(subscription),
      release: (subscription) => this.#release(subscription),
    };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Opens the connection and keeps it open until `close`. */
  connect(): void {
    if (this.#state !== 'idle' && this.#state !== 'closed') return;
    this.#attempt = 0;
    this.#reconnectHintMs = null;
    this.#open();
  }

  /** Tries again at once instead of after the back-off. */
  reconnectNow(): void {
    if (this.#state === 'waiting') this.#open();
  }

  /** Ends the connection for good; subscriptions keep what they last held. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#drop(null);
    this.#setState('closed');
  }

  trades(instrument: InstrumentId, options: SubscriptionOptions = {}): TradesSubscription {
    return this.subscribe(
      { op: 'subscribe', topic: 'trades', instrument, cadence: options.cadenceMs },
      TradesSubscription,
    );
  }

  ticker(instrument: InstrumentId, options: SubscriptionOptions = {}): TickerSubscription {
    return this.subscribe(
      { op: 'subscribe', topic: 'ticker', instrument, cadence: options.cadenceMs },
      TickerSubscription,
    );
  }

  candles(instrument: InstrumentId, options: CandlesOptions): CandlesSubscription {
    const { interval, cadenceMs } = options;
    return this.subscribe(
      { op: 'subscribe', topic: 'candles', instrument, interval, cadence: cadenceMs },
      CandlesSubscription,
    );
  }

  status(instrument: InstrumentId, options: SubscriptionOptions = {}): StatusSubscription {
    return this.subscribe(
      { op: 'subscribe', topic: 'status', instrument, cadence: options.cadenceMs },
      StatusSubscription,
    );
  }

  // ── subscriptions ─────────────────────────────────────────────────────────────────────────────

  /** @internal */
  subscribe<S extends Subscription>(
    wanted: Omit<SubscribeRequest, 'id'>,
    Kind: new (host: SubscriptionHost, key: string, request: Omit<SubscribeRequest, 'id'>) => S,
  ): S {
    const request = Object.fromEntries(
      Object.entries(wanted).filter(([, value]) => value !== undefined),
    ) as unknown as Omit<SubscribeRequest, 'id'>;
    const key = JSON.stringify(request);
    let subscription = this.#subscriptions.get(key) as S | undefined;
    if (!subscription) {
      subscription = new Kind(this.#host, key, request);
      this.#subscriptions.set(key, subscription);
      if (this.#state === 'open') this.#sendSubscribe(subscription);
    }
    subscription.users += 1;
    return subscription;
  }

  #release(subscription: Subscription): void {
    subscription.users -= 1;
    if (subscription.users > 0 || this.#subscriptions.get(subscription.key) !== subscription) return;
    this.#subscriptions.delete(subscription.key);
    this.#snapshotTries.delete(subscription);
    this.#crowdedOut.delete(subscription);
    subscription.dispose();
    if (subscription.channel !== null) this.#leaveChannel(subscription, subscription.channel);
  }

  #leaveChannel(subscription: Subscription, channel: number): void {
    const sharing = this.#byChannel.get(channel);
    sharing?.delete(subscription);
    if (sharing && sharing.size > 0) return;
    this.#byChannel.delete(channel);
    this.#request({ op: 'unsubscribe', id: this.#nextId(), ch: channel }, null);
  }

  #sendSubscribe(subscription: Subscription): void {
    this.#request(subscription.request(this.#nextId()), subscription);
  }

  #onRefused(subscription: Subscription, error: DepthwireError): void {
    // Closed while the request was under way, it wants nothing any more.
    const isWanted = this.#subscriptions.get(subscription.key) === subscription;
    if (isWanted && error.code === 'too_many_subscriptions') this.#crowdedOut.add(subscription);
    subscription.onRefused(error);
    const isLater = mayHelpLater.has(error.code);
    if (!error.retry && !isLater) return;
    this.#after((isLater ? LATER_MS : REFUSAL_RETRY_MS) * (1 + this.#random()), () => {
      const wanted = this.#subscriptions.get(subscription.key) === subscription;
      if (wanted && subscription.channel === null) this.#sendSubscribe(subscription);
    });
  }

  /** There is room for one more. */
  #letIn(): void {
    const [next] = this.#crowdedOut;
    if (!next) return;
    this.#crowdedOut.delete(next);
    this.#sendSubscribe(next);
  }

  #requestSnapshot(subscription: Subscription): void {
    const { channel } = subscription;
    if (channel === null || this.#state !== 'open') return;
    const tries = this.#snapshotTries.get(subscription);
    if (tries?.requestId === RESTING) return;
    const count = (tries?.count ?? 0) + 1;
    if (count > MAX_SNAPSHOT_TRIES) {
      if (this.#isReadingWhole) {
        this.#rest(subscription);
        return;
      }
      this.#lose(
        new DepthwireError(
          'request_timeout',
          `no right snapshot of ${subscription.instrumentId} in ${MAX_SNAPSHOT_TRIES} tries`,
        ),
      );
      return;
    }
    const requestId = this.#nextId();
    this.#snapshotTries.set(subscription, { count, requestId });
    this.#request({ op: 'snapshot', id: requestId, ch: channel }, subscription);
    // Within a bandwidth that was asked for, snapshots come in turn.
    const isLimited = this.limited?.bandwidth != null;
    this.#after(isLimited ? LIMITED_SNAPSHOT_TIMEOUT_MS : SNAPSHOT_TIMEOUT_MS, () => {
      const isWaiting = this.#snapshotTries.get(subscription)?.requestId === requestId;
      if (isWaiting && subscription.channel === channel) this.#requestSnapshot(subscription);
    });
  }

  /** The server answers, and it is this channel alone that makes no sense. */
  #rest(subscription: Subscription): void {
    const { channel } = subscription;
    const resting = { count: 0, requestId: RESTING };
    this.#snapshotTries.set(subscription, resting);
    this.#after(CHANNEL_REST_MS, () => {
      if (this.#snapshotTries.get(subscription) !== resting) return; // it mended, or was left
      this.#snapshotTries.delete(subscription);
      if (subscription.channel === channel) this.#requestSnapshot(subscription);
    });
  }

  // ── connection ────────────────────────────────────────────────────────────────────────────────

  #open(): void {
    this.#clearTimers();
    this.retryAtMs = null;
    this.#setState('connecting');
    const encoding = this.#options.encoding ?? 'msgpack';
    let socket: WebSocketLike;
    try {
      socket = (this.#options.openWebSocket ?? openGlobalWebSocket)(this.#options.url, [
        subprotocols[encoding],
      ]);
    } catch (error) {
      const typed =
        error instanceof DepthwireError
          ? error
          : new DepthwireError('invalid_argument', `url: ${String(error)}`, {}, error);
      this.#setState('closed');
      this.emit('error', typed);
      return;
    }
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#lastFrameAtMs = this.#clock.now();
    const current = () => this.#socket === socket;
    socket.addEventListener('message', (event) => {
      if (current()) this.#onData(event.data);
    });
    socket.addEventListener('close', (event) => {
      if (current()) this.#onClose(event.code, event.reason);
    });
    socket.addEventListener('error', () => undefined); // a close event follows and says more
    this.#after(CONNECT_TIMEOUT_MS, () => {
      if (this.#state === 'connecting')
        this.#lose(new DepthwireError('connection_lost', 'the server did not greet in time'));
    });
  }

  #onClose(code: number, reason: string): void {
    const isRefused = code === closeCodes.unauthenticated.code;
    // Whoever can get another token comes back with it.
    const isRenewable = isRefused && typeof this.#options.token === 'function';
    const error = new DepthwireError(
      isRefused && !isRenewable ? 'unauthenticated' : 'connection_lost',
      `connection closed with code ${code}${reason ? `: ${reason}` : ''}`,
      { closeCode: code },
    );
    if (shouldReconnect(code) || isRenewable) this.#lose(error);
    else this.#giveUp(error);
  }

  #giveUp(error: DepthwireError): void {
    this.#drop(null);
    this.#setState('closed');
    this.emit('error', error);
  }

  /** Drops the connection and plans the next one. */
  #lose(error: DepthwireError): void {
    if (this.#state === 'closed' || this.#state === 'waiting') return;
    const now = this.#clock.now();
    if (this.#state === 'open' && now - this.#openedAtMs >= STABLE_AFTER_MS) this.#attempt = 0;
    const delayMs =
      this.#reconnectHintMs === null
        ? backoffMs(this.#backoff, this.#attempt, this.#random())
        : this.#reconnectHintMs * this.#random();
    this.#attempt += 1;
    this.#reconnectHintMs = null;
    this.#drop(error);
    this.retryAtMs = now + delayMs;
    this.#setState('waiting');
    this.emit('error', error);
    this.#after(delayMs, () => this.#open());
  }

  #drop(error: DepthwireError | null): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#clearTimers();
    this.#pending.clear();
    this.#byChannel.clear();
    this.#crowdedOut.clear();
    this.#snapshotTries.clear();
    this.hello = null;
    this.principal = null;
    this.limited = null;
    this.roundTripMs = null;
    this.#clockOffset = new ClockOffset(); // the next server may be another
    this.#readClocks();
    this.retryAtMs = null;
    try {
      socket?.close(error ? 4000 : 1000);
    } catch {
      // the socket never opened
    }
    for (const subscription of this.#subscriptions.values()) subscription.onDisconnected();
  }

  #onData(data: unknown): void {
    this.#lastFrameAtMs = this.#clock.now();
    const frame = typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer);
    this.traffic.framesIn += 1;
    this.traffic.bytesIn += frame.length;
    if (this.hears('frame')) this.#show('in', frame);
    let message: unknown;
    try {
      message = this.#codec.decodeLazily(frame);
    } catch (error) {
      this.#lose(error as DepthwireError);
      return;
    }
    if (Array.isArray(message)) this.#onFrame(message as unknown as DataFrame);
    else this.#onMessage(message as ServerMessage);
  }

  #onFrame(frame: DataFrame): void {
    const isWhole = !deltaCodes.has(frame[0]);
    for (const subscription of this.#byChannel.get(frame[1]) ?? []) {
      const { resyncs } = subscription;
      this.#isReadingWhole = isWhole;
      subscription.onFrame(frame);
      this.#isReadingWhole = false;
      if (isWhole && subscription.resyncs === resyncs) this.#snapshotTries.delete(subscription);
    }
  }

  #onMessage(message: ServerMessage): void {
    switch (message?.op) {
      case 'hello':
        this.#onHello(message);
        return;
      case 'subscribed': {
        const subscription = this.#settle(message.id)?.subscription;
        if (!subscription) return;
        if (!Number.isInteger(message.ch) || !hasScales(message.instrument)) {
          this.#lose(
            new DepthwireError('malformed_frame', 'subscribed: expected a channel number and an instrument'),
          );
          return;
        }
        if (this.#subscriptions.get(subscription.key) !== subscription) {
          this.#leaveChannel(subscription, message.ch); // closed while the request was under way
          return;
        }
        const sharing = this.#byChannel.get(message.ch);
        if (sharing) sharing.add(subscription);
        else this.#byChannel.set(message.ch, new Set([subscription]));
        subscription.onGranted(message);
        return;
      }
      case 'unsubscribed': {
        this.#settle(message.id);
        // One that was granted this channel while the request was under way lost it again.
        const sharing = this.#byChannel.get(message.ch);
        this.#byChannel.delete(message.ch);
        for (const subscription of sharing ?? []) {
          subscription.onDisconnected();
          this.#sendSubscribe(subscription);
        }
        if (!sharing) this.#letIn();
        return;
      }
      case 'snapshot':
        this.#settle(message.id);
        return;
      case 'authenticated':
        this.#settle(message.id);
        this.principal = message.principal;
        this.#renewBefore(message.expires);
        if (this.#state === 'connecting') this.#begin();
        return;
      case 'limited':
        this.#settle(message.id);
        this.limited = message;
        return;
      case 'pong': {
        const ping = this.#settle(message.id);
        if (!ping || typeof message.time !== 'number') return;
        const now = this.#clock.now();
        this.roundTripMs = now - ping.sentAtMs;
        this.#clockOffset.add(ping.sentAtMs, now, message.time);
        this.#readClocks();
        this.emit('latency');
        return;
      }
      case 'error': {
        const code = isErrorCode(message.code) ? message.code : 'internal';
        const error = new DepthwireError(code, typeof message.message === 'string' ? message.message : code);
        const request = message.id === null ? undefined : this.#settle(message.id);
        if (request?.subscription && request.request.op === 'subscribe')
          this.#onRefused(request.subscription, error);
        else if (request?.request.op === 'authenticate' && this.#state === 'connecting')
          this.#onStranger(error);
        else this.emit('error', error);
        return;
      }
      case 'instrument':
        if (!hasScales(message.instrument)) return;
        for (const subscription of this.#subscriptions.values()) {
          if (subscription.instrumentId !== message.instrument.id) continue;
          this.#snapshotTries.delete(subscription); // in vain for another reason, if they were
          subscription.onInstrument(message.instrument, message.epoch);
        }
        return;
      case 'goodbye':
        this.#reconnectHintMs = message.reconnectMs;
        return;
      default: // a message of a newer server
    }
  }

  #onHello(hello: Hello): void {
    if (hello.protocol !== PROTOCOL_VERSION) {
      this.#giveUp(
        new DepthwireError(
          'unsupported_protocol',
          `the server speaks protocol ${show(hello.protocol)}, this client ${PROTOCOL_VERSION}`,
        ),
      );
      return;
    }
    if (!(hello.heartbeatMs > 0)) {
      this.#lose(
        new DepthwireError(
          'malformed_frame',
          `hello: heartbeatMs: expected milliseconds, got ${show(hello.heartbeatMs)}`,
        ),
      );
      return;
    }
    const encoding = encodingOf(this.#socket?.protocol ?? '');
    if (encoding) this.#codec = codecs[encoding];
    this.hello = hello;
    this.#host.epoch = hello.epoch;
    this.#host.gateway = hello.gateway;
    this.principal = hello.principal ?? null;
    this.#watchHeartbeat(hello.heartbeatMs);
    if (this.#options.token === undefined) this.#beginUnnamed();
    else void this.#authenticate();
  }

  /** Says who it is, where there is anything to say; what follows comes with the answer. */
  async #authenticate(): Promise<void> {
    const socket = this.#socket;
    const { token } = this.#options;
    try {
      const value = typeof token === 'function' ? await token() : token!;
      if (socket !== this.#socket) return;
      if (value !== null) this.#request({ op: 'authenticate', id: this.#nextId(), token: value }, null);
      else if (this.#state === 'connecting') this.#beginUnnamed();
    } catch (error) {
      if (socket !== this.#socket) return;
      this.#lose(new DepthwireError('unauthenticated', `no token: ${describe(error)}`, {}, error));
    }
  }

  #beginUnnamed(): void {
    if (this.hello?.principal !== null) this.#begin();
    else
      this.#giveUp(
        new DepthwireError('unauthenticated', 'the server wants a key or token: hand it in as `token`'),
      );
  }

  /** The server does not take it for who it says it is. */
  #onStranger(error: DepthwireError): void {
    if (error.retry || typeof this.#options.token === 'function') this.#lose(error);
    else this.#giveUp(error);
  }

  #renewBefore(expiresMs: number | null): void {
    if (expiresMs === null || typeof this.#options.token !== 'function') return;
    // By the server's clock, as far as it is known.
    const leftMs = expiresMs - (this.#clock.now() + (this.clockOffsetMs ?? 0));
    this.#after(Math.min(MAX_TIMER_MS, Math.max(0, leftMs * REFRESH_AT)), () => void this.#authenticate());
  }

  /** The server knows as much as it wants to: subscriptions begin. */
  #begin(): void {
    const { hello } = this;
    if (!hello) return;
    this.#openedAtMs = this.#clock.now();
    this.#setState('open');
    const { limit } = this.#options;
    if (limit) this.#request({ op: 'limit', id: this.#nextId(), ...limit }, null);
    for (const subscription of this.#subscriptions.values()) this.#sendSubscribe(subscription);
    this.#ping();
  }

  #readClocks(): void {
    const { best } = this.#clockOffset;
    this.clockOffsetMs = best?.offsetMs ?? null;
    this.clockUncertaintyMs = best?.uncertaintyMs ?? null;
  }

  #ping(count = 1): void {
    if (!this.hello) return;
    this.#request({ op: 'ping', id: this.#nextId() }, null);
    const slowestMs = count < FIRST_PINGS ? FIRST_PING_MS : SLOWEST_PING_MS;
    this.#after(Math.min(slowestMs, this.hello.heartbeatMs), () => this.#ping(count + 1));
  }

  #watchHeartbeat(heartbeatMs: number): void {
    this.#after(heartbeatMs, () => {
      const silentMs = this.#clock.now() - this.#lastFrameAtMs;
      if (silentMs > 2 * heartbeatMs) {
        this.#lose(
          new DepthwireError('heartbeat_missed', `the server was silent for ${Math.round(silentMs)} ms`),
        );
        return;
      }
      const oldest = this.#pending.values().next().value;
      if (oldest && this.#clock.now() - oldest.sentAtMs > REQUEST_TIMEOUT_MS + heartbeatMs) {
        this.#lose(
          new DepthwireError(
            'request_timeout',
            `no answer to ${oldest.request.op} within ${REQUEST_TIMEOUT_MS} ms`,
          ),
        );
        return;
      }
      this.#watchHeartbeat(heartbeatMs);
    });
  }

  #request(request: ClientRequest, subscription: Subscription | null): void {
    if (!this.#socket || (this.#state !== 'open' && request.op !== 'authenticate')) return;
    this.#pending.set(request.id, { subscription, request, sentAtMs: this.#clock.now() });
    const frame = this.#codec.encode(request);
    // Whoever looks at the traffic need not see who may.
    const isSecret = request.op === 'authenticate';
    if (this.hears('frame'))
      this.#show('out', isSecret ? this.#codec.encode({ ...request, token: '…' }) : frame);
    this.#socket.send(frame);
  }

  #show(direction: RawFrame['direction'], data: RawFrame['data']): void {
    const { encoding } = this.#codec;
    this.emit('frame', { direction, encoding, data, timeMs: this.#clock.now() });
  }

  #settle(id: number) {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    return request;
  }

  #nextId(): number {
    this.#requestId = (this.#requestId + 1) % 2 ** 32;
    return this.#requestId;
  }

  #after(delayMs: number, task: () => void): void {
    const timer = this.#clock.at(this.#clock.now() + delayMs, () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      task();
    });
    this.#timers.push(timer);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
  }

  #setState(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit('state', state);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hasScales(instrument: Instrument | undefined): boolean {
  return Boolean(instrument?.tick && instrument.lot);
}
