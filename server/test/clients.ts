import {
  codecs,
  DepthwireClient,
  every,
  type ClientOptions,
  type Clock,
  type DataFrame,
  type WebSocketLike,
} from '@depthwire/shared';
import type { Hub } from '../src/gateway/hub.ts';
import { Session, type SessionLimits, type SessionSocket } from '../src/gateway/session.ts';
import { silentLog } from './markets.ts';
import { localOwner } from './owners.ts';
import { messagesIn } from './websocket.ts';

/** How often a session is looked after, as the gateway does. */
const TICK_MS = 250;
const limits: SessionLimits = {
  ...{ heartbeatMs: 1e9, maxMessageBytes: 1e6, maxSubscriptions: 100, maxBufferedBytes: 1e6 },
  ...{ maxRequestsPerSecond: 1e6, idleMs: 1e9, authenticateWithinMs: 1e4 },
};

type Listener = (event: { data: unknown; code: number; reason: string }) => void;

/** Both ends of a connection that takes no time, from a client to a session of a hub. */
export class LocalConnection implements WebSocketLike, SessionSocket {
  binaryType = '';
  readonly protocol = 'depthwire.v1.json';
  readonly bufferedBytes = 0;
  /** All messages, as they came. */
  readonly received: unknown[] = [];
  closeCode: number | null = null;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #session: Session;
  /** What was sent before the client could listen. */
  #early: string[] | null = [];

  /** @param steadyClock one that nobody sets, on which the session is looked after */
  constructor(
    hub: Hub,
    clock: Clock,
    { steadyClock, heartbeatMs }: { steadyClock?: Clock; heartbeatMs?: number } = {},
  ) {
    const session = new Session({
      ...{ id: 'test', hub, socket: this, encoding: 'json', owner: localOwner(), server: 'test' },
      ...{ marketClock: clock, wallClock: clock, steadyClock, log: silentLog },
      limits: { ...limits, heartbeatMs: heartbeatMs ?? limits.heartbeatMs },
    });
    this.#session = session;
    if (steadyClock) every(steadyClock, TICK_MS, () => session.tick());
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  /** Lets the client read. */
  open(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const data of early) this.#emit('message', data);
  }

  write(frames: Uint8Array): void {
    for (const message of messagesIn(frames)) {
      const data = Buffer.from(message as Uint8Array).toString();
      this.received.push(codecs.json.decode(data));
      if (this.#early) this.#early.push(data);
      else this.#emit('message', data);
    }
  }

  send(data: string): void {
    this.#session.onMessage(data);
  }

  /** The connection breaks off, which both ends notice. */
  break(): void {
    this.#session.onClose(true);
    this.#emit('close', null);
  }

  close(code: number): void {
    this.closeCode ??= code;
  }

  terminate(): void {}
  pause(): void {}
  resume(): void {}
  onceDrained(): void {}

  #emit(type: string, data: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data, code: 1006, reason: '' });
  }
}

/** A client of the SDK that the test connects to one hub after the other. */
export class WanderingClient {
  readonly client: DepthwireClient;
  #hub: Hub;
  #connection: LocalConnection | null = null;

  constructor(
    hub: Hub,
    clock: Clock,
    options: Partial<ClientOptions> = {},
    session: ConstructorParameters<typeof LocalConnection>[2] = {},
  ) {
    this.#hub = hub;
    this.client = new DepthwireClient({
      ...{ url: 'ws://test', encoding: 'json', clock, random: () => 0.5, ...options },
      openWebSocket: () => (this.#connection = new LocalConnection(this.#hub, clock, session)),
    });
    this.client.connect();
    this.#connection!.open();
  }

  /** With which this connection was given up; null where it was not. */
  get closeCode(): number | null {
    return this.#connection!.closeCode;
  }

  /** Data frames of this connection. */
  get received(): readonly DataFrame[] {
    return this.#connection!.received.filter((message) => Array.isArray(message)) as unknown as DataFrame[];
  }

  /** Loses its connection. */
  leave(): void {
    this.#connection!.break();
  }

  come(hub: Hub): void {
    this.#hub = hub;
    this.client.reconnectNow();
    this.#connection!.open();
  }
}
