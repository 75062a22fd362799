import type { ClientEvents, ClientOptions, ConnectionState } from '../client/client.ts';
import { Emitter } from '../client/emitter.ts';
import type { BookOptions } from '../client/book-subscription.ts';
import type { CandlesOptions, SubscriptionOptions } from '../client/subscription.ts';
import type { ClientView } from '../client/views.ts';
import type { InstrumentId } from '../model/instrument.ts';
import type { Topic } from '../protocol/messages.ts';
import type {
  AnyOptions,
  ClientEvent,
  ClientWord,
  PortLike,
  RemoteMessage,
  RemoteOptions,
  RemoteRequest,
} from './messages.ts';
import {
  errorOf,
  RemoteBook,
  RemoteCandles,
  RemoteStatus,
  RemoteTicker,
  RemoteTrades,
  type RemoteSubscription,
} from './remote-subscription.ts';

const NOTHING: ClientWord = {
  ...{ state: 'idle', hello: null, principal: null, limited: null, roundTripMs: null },
  ...{ clockOffsetMs: null, clockUncertaintyMs: null, retryAtMs: null },
};

/** The reader's end of a client that a `RemoteHost` keeps on another thread; nothing is decoded here. */
export class RemoteClient extends Emitter<ClientEvents> implements ClientView {
  readonly traffic = { framesIn: 0, bytesIn: 0 };
  readonly #options: RemoteOptions;
  readonly #token: ClientOptions['token'];
  readonly #byKey = new Map<string, RemoteSubscription>();
  readonly #byId = new Map<number, RemoteSubscription>();
  #port: PortLike | null = null;
  #client = NOTHING;
  #isWanted = false;
  #lastId = 0;

  constructor({ token, ...options }: RemoteOptions & Pick<ClientOptions, 'token'>) {
    super();
    this.#options = options;
    this.#token = token;
  }

  get state(): ConnectionState {
    return this.#client.state;
  }

  get hello() {
    return this.#client.hello;
  }

  get principal() {
    return this.#client.principal;
  }

  get limited() {
    return this.#client.limited;
  }

  get roundTripMs() {
    return this.#client.roundTripMs;
  }

  get clockOffsetMs() {
    return this.#client.clockOffsetMs;
  }

  get clockUncertaintyMs() {
    return this.#client.clockUncertaintyMs;
  }

  get retryAtMs() {
    return this.#client.retryAtMs;
  }

  /** Has a `RemoteHost` at the other end of this port do the work, in place of that of before. */
  attach(port: PortLike): void {
    this.#leave();
    this.#port = port;
    port.onmessage = ({ data }) => this.#onMessage(data as RemoteMessage);
    this.#ask({ do: 'open', options: this.#options, hasToken: this.#token !== undefined });
    if (this.hears('frame')) this.#ask({ do: 'frames', wanted: true });
    for (const subscription of this.#byId.values()) this.#subscribe(subscription);
    if (this.#isWanted) this.#ask({ do: 'connect' });
  }

  /** Ends the connection, and the host: nothing follows. */
  end(): void {
    this.#isWanted = false;
    this.#leave();
  }

  connect(): void {
    this.#isWanted = true;
    this.#ask({ do: 'connect' });
  }

  reconnectNow(): void {
    this.#ask({ do: 'reconnect' });
  }

  close(): void {
    this.#isWanted = false;
    this.#ask({ do: 'close' });
  }

  override on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (...args: ClientEvents[Name]) => void,
  ): () => void {
    const had = this.hears('frame');
    const off = super.on(name, listener);
    if (!had && this.hears('frame')) this.#ask({ do: 'frames', wanted: true });
    return () => {
      off();
      if (name === 'frame' && !this.hears('frame')) this.#ask({ do: 'frames', wanted: false });
    };
  }

  book(instrument: InstrumentId, options: BookOptions = {}): RemoteBook {
    return this.#get('book', instrument, options, RemoteBook);
  }

  trades(instrument: InstrumentId, options: SubscriptionOptions = {}): RemoteTrades {
    return this.#get('trades', instrument, options, RemoteTrades);
  }

  ticker(instrument: InstrumentId, options: SubscriptionOptions = {}): RemoteTicker {
    return this.#get('ticker', instrument, options, RemoteTicker);
  }

  candles(instrument: InstrumentId, options: CandlesOptions): RemoteCandles {
    return this.#get('candles', instrument, options, RemoteCandles);
  }

  status(instrument: InstrumentId, options: SubscriptionOptions = {}): RemoteStatus {
    return this.#get('status', instrument, options, RemoteStatus);
  }

  #get<S extends RemoteSubscription>(
    topic: Topic,
    instrument: InstrumentId,
    options: AnyOptions,
    Kind: new (...args: ConstructorParameters<typeof RemoteSubscription>) => S,
  ): S {
    const { depth, cadenceMs, interval } = options;
    const key = JSON.stringify([topic, instrument, depth, cadenceMs, interval]);
    let subscription = this.#byKey.get(key) as S | undefined;
    if (!subscription) {
      const id = ++this.#lastId;
      const made = new Kind(id, topic, instrument, options, () => this.#release(key, made));
      subscription = made;
      this.#byKey.set(key, subscription);
      this.#byId.set(id, subscription);
      this.#subscribe(subscription);
    }
    subscription.users += 1;
    return subscription;
  }

  #subscribe({ id, topic, instrumentId: instrument, options }: RemoteSubscription): void {
    this.#ask({ do: 'subscribe', id, topic, instrument, options });
  }

  #release(key: string, subscription: RemoteSubscription): void {
    subscription.users -= 1;
    if (subscription.users > 0 || this.#byKey.get(key) !== subscription) return;
    this.#byKey.delete(key);
    this.#byId.delete(subscription.id);
    this.#ask({ do: 'unsubscribe', id: subscription.id });
    subscription.dispose();
  }

  #onMessage(message: RemoteMessage): void {
    if (message.tell === 'changes') {
      Object.assign(this.traffic, message.traffic);
      for (const update of message.updates) this.#byId.get(update.id)?.take(update);
      for (const event of message.events) this.#onEvent(event);
      this.#ask({ do: 'taken' });
    } else if (message.tell === 'frame') this.emit('frame', message.frame);
    else if (message.tell === 'token') void this.#answer(message.ask);
  }

  #onEvent(event: ClientEvent): void {
    if (event.kind === 'error') {
      this.emit('error', errorOf(event.error));
      return;
    }
    this.#client = event.client;
    if (event.kind === 'state') this.emit('state', event.client.state);
    else this.emit('latency');
  }

  async #answer(ask: number): Promise<void> {
    try {
      const value = (typeof this.#token === 'function' ? await this.#token() : this.#token) ?? null;
      this.#ask({ do: 'token', ask, value });
    } catch (error) {
      this.#ask({ do: 'token', ask, value: null, error: String(error) });
    }
  }

  #leave(): void {
    this.#ask({ do: 'end' });
    if (this.#port) this.#port.onmessage = null;
    this.#port = null;
    // Until another host tells it, nothing is connected and nothing granted.
    this.#client = NOTHING;
    for (const subscription of this.#byId.values()) subscription.granted = null;
  }

  #ask(request: RemoteRequest): void {
    this.#port?.postMessage(request);
  }
}
