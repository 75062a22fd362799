import { DepthwireClient, type ClientOptions } from '../client/client.ts';
import { BookSubscription } from '../client/book-subscription.ts';
import {
  CandlesSubscription,
  TickerSubscription,
  TradesSubscription,
  type CandlesOptions,
  type StatusSubscription,
  type Subscription,
} from '../client/subscription.ts';
import type { DepthwireError } from '../model/errors.ts';
import type { Instrument, InstrumentId } from '../model/instrument.ts';
import type { Topic } from '../protocol/messages.ts';
import type {
  AnyOptions,
  CandlesPart,
  ClientEvent,
  ClientWord,
  ErrorWord,
  PortLike,
  RemoteMessage,
  RemoteRequest,
  TopicWord,
  TradesPart,
  Update,
} from './messages.ts';

/** Rows that wait for a reader that is busy; beyond, it is told all that the subscription holds instead. */
const MAX_WAITING_PARTS = 100;
const MAX_WAITING_ERRORS = 20;

/** One reader's subscription and what it was not told of yet. */
interface Held {
  readonly id: number;
  readonly subscription: Subscription;
  readonly offs: (() => void)[];
  readonly events: Set<Update['events'][number]>;
  errors: ErrorWord[];
  tradesParts: TradesPart[];
  candlesParts: CandlesPart[];
  instrumentTold: Instrument | null;
}

/** A client that may be other readers' too, and how a host lets go of it. */
export interface ClientLease {
  readonly client: DepthwireClient;
  release(): void;
}

/** A client for one reader. */
function ownClient(options: ClientOptions): ClientLease {
  const client = new DepthwireClient(options);
  return { client, release: () => client.close() };
}

/**
 * Keeps a client for a reader on another thread: decodes, verifies and replicates here, and tells it what changed.
 * The reader says when it has taken that; until then changes are put together, so that a busy reader gets the
 * newest book at once instead of all those it missed. Trades and candles are told frame by frame, up to a hundred
 * frames; of more, all that the subscription holds is told instead, as after a resync.
 */
export class RemoteHost {
  readonly #port: PortLike;
  readonly #held = new Map<number, Held>();
  readonly #dirty = new Set<Held>();
  readonly #asks = new Map<number, { resolve(value: string | null): void; reject(error: Error): void }>();
  readonly #lease: (options: ClientOptions) => ClientLease;
  #client: DepthwireClient | null = null;
  /** How to leave the client, in turn. */
  #leave: (() => void)[] = [];
  #events: ClientEvent[] = [];
  #isReaderBusy = false;
  #isFlushing = false;
  #unlistenFrames: (() => void) | null = null;
  #ask = 0;

  /** @param lease where several readers have one client: `close` then ends the connection of all of them */
  constructor(port: PortLike, lease: (options: ClientOptions) => ClientLease = ownClient) {
    this.#port = port;
    this.#lease = lease;
    port.onmessage = ({ data }) => this.#onRequest(data as RemoteRequest);
  }

  /** The reader is gone, or says that it wants nothing more. */
  end(): void {
    for (const id of [...this.#held.keys()]) this.#unsubscribe(id);
    for (const leave of this.#leave.splice(0)) leave();
    this.#port.onmessage = null;
    this.#port.close();
  }

  #onRequest(request: RemoteRequest): void {
    switch (request.do) {
      case 'open':
        this.#open(request);
        return;
      case 'connect':
        this.#client?.connect();
        return;
      case 'reconnect':
        this.#client?.reconnectNow();
        return;
      case 'close':
        this.#client?.close();
        return;
      case 'end':
        this.end();
        return;
      case 'subscribe':
        this.#subscribe(request.id, request.topic, request.instrument, request.options);
        return;
      case 'unsubscribe':
        this.#unsubscribe(request.id);
        return;
      case 'token': {
        const ask = this.#asks.get(request.ask);
        this.#asks.delete(request.ask);
        if (request.error === undefined) ask?.resolve(request.value);
        else ask?.reject(new Error(request.error));
        return;
      }
      case 'frames':
        this.#unlistenFrames?.();
        this.#unlistenFrames = request.wanted
          ? this.#client!.on('frame', (frame) => this.#tell({ tell: 'frame', frame }))
          : null;
        return;
      case 'taken':
        this.#isReaderBusy = false;
        this.#flushSoon();
    }
  }

  #open({ options, hasToken }: RemoteRequest & { do: 'open' }): void {
    const token = hasToken ? { token: () => this.#askForToken() } : {};
    const { client, release } = this.#lease({ ...options, ...token });
    this.#client = client;
    const tellClient = (kind: 'state' | 'latency') => {
      this.#events.push({ kind, client: wordOf(client) });
      // The reader is told at once, however busy; of the data it gets more when it has taken what it has.
      this.#flush(kind === 'state');
    };
    this.#leave = [
      () => this.#unlistenFrames?.(),
      client.on('state', () => tellClient('state')),
      client.on('latency', () => tellClient('latency')),
      client.on('error', (error) => {
        this.#events.push({ kind: 'error', error: errorWord(error) });
        this.#flush(false);
      }),
      release,
    ];
    // It may be connected already, for another reader.
    if (client.state !== 'idle') tellClient('state');
  }

  #askForToken(): Promise<string | null> {
    const ask = ++this.#ask;
    return new Promise((resolve, reject) => {
      this.#asks.set(ask, { resolve, reject });
      this.#tell({ tell: 'token', ask });
    });
  }

  #subscribe(id: number, topic: Topic, instrument: InstrumentId, options: AnyOptions): void {
    const subscription = this.#begin(topic, instrument, options);
    const held: Held = {
      ...{ id, subscription, offs: [], events: new Set(), errors: [], instrumentTold: null },
      ...{ tradesParts: [], candlesParts: [] },
    };
    this.#held.set(id, held);
    const mark = (event: 'ready' | 'state' | 'change') => {
      held.events.add(event);
      this.#mark(held);
    };
    held.offs.push(
      subscription.on('ready', () => mark('ready')),
      subscription.on('state', () => mark('state')),
      subscription.on('change', () => {
        addPart(held);
        mark('change');
      }),
      subscription.on('error', (error) => {
        if (held.errors.length < MAX_WAITING_ERRORS) held.errors.push(errorWord(error));
        this.#mark(held);
      }),
    );
    // What another reader has already comes with no frame to this one.
    if (subscription.granted) mark('ready');
    if (subscription.hasData) {
      addAll(held);
      mark('change');
    }
    if (subscription.refusal) mark('state');
  }

  #begin(topic: Topic, instrument: InstrumentId, options: AnyOptions): Subscription {
    const client = this.#client!;
    if (topic === 'book') return client.book(instrument, options);
    if (topic === 'candles') return client.candles(instrument, options as CandlesOptions);
    return client[topic](instrument, options);
  }

  #unsubscribe(id: number): void {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    this.#dirty.delete(held);
    for (const off of held.offs) off();
    held.subscription.close();
  }

  #mark(held: Held): void {
    this.#dirty.add(held);
    this.#flushSoon();
  }

  /** After the frame that is being read: it may change several subscriptions. */
  #flushSoon(): void {
    if (this.#isReaderBusy || this.#isFlushing || this.#dirty.size === 0) return;
    this.#isFlushing = true;
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      if (this.#dirty.size > 0 && !this.#isReaderBusy) this.#flush(true);
    });
  }

  /** @param withData also to a reader that is busy: what it draws has to be of one moment with the connection */
  #flush(withData: boolean): void {
    const { framesIn, bytesIn } = this.#client!.traffic;
    const transfer: ArrayBuffer[] = [];
    const told = withData || !this.#isReaderBusy ? [...this.#dirty] : [];
    const updates = told.map((held) => updateOf(held, transfer));
    const events = this.#events;
    for (const held of told) this.#dirty.delete(held);
    this.#events = [];
    this.#isReaderBusy = true;
    this.#tell({ tell: 'changes', traffic: { framesIn, bytesIn }, events, updates }, transfer);
  }

  #tell(message: RemoteMessage, transfer?: ArrayBuffer[]): void {
    this.#port.postMessage(message, transfer);
  }
}

function wordOf(client: DepthwireClient): ClientWord {
  const { state, hello, principal, limited, roundTripMs, clockOffsetMs, clockUncertaintyMs, retryAtMs } =
    client;
  return { state, hello, principal, limited, roundTripMs, clockOffsetMs, clockUncertaintyMs, retryAtMs };
}

function errorWord({ code, message, details }: DepthwireError): ErrorWord {
  return { code, message, details };
}

/** Notes all that the subscription holds. */
function addAll(held: Held): void {
  const { subscription } = held;
  if (subscription instanceof TradesSubscription)
    held.tradesParts = [{ latest: [...subscription.trades], merged: subscription.merged, isAll: true }];
  else if (subscription instanceof CandlesSubscription)
    held.candlesParts = [{ latest: [...subscription.candles], isAll: true }];
}

/** Notes what the last frame brought, where each of its rows has to be told. */
function addPart(held: Held): void {
  const { subscription } = held;
  if (subscription instanceof TradesSubscription) {
    const { trades, latest, merged } = subscription;
    const isAll = trades.length === latest.length && trades[0] === latest[0];
    if (isAll || held.tradesParts.length >= MAX_WAITING_PARTS) addAll(held);
    else held.tradesParts.push({ latest, merged, isAll });
  } else if (subscription instanceof CandlesSubscription) {
    const { latest, replaced } = subscription;
    if (replaced || held.candlesParts.length >= MAX_WAITING_PARTS) addAll(held);
    else held.candlesParts.push({ latest, isAll: false });
  }
}

function updateOf(held: Held, transfer: ArrayBuffer[]): Update {
  const { id, subscription, errors } = held;
  const { instrument, granted, refusal, hasData, resyncs, receivedAtMs } = subscription;
  const events = [...held.events];
  const update: Update = {
    ...{ id, events, errors },
    common: {
      ...{ granted, hasData, resyncs, receivedAtMs },
      refusal: refusal && errorWord(refusal),
      ...(instrument !== held.instrumentTold && { instrument }),
    },
    word: topicWordOf(held, transfer),
  };
  held.instrumentTold = instrument;
  held.errors = [];
  held.events.clear();
  held.tradesParts = [];
  held.candlesParts = [];
  return update;
}

function topicWordOf(held: Held, transfer: ArrayBuffer[]): TopicWord {
  const { subscription } = held;
  if (subscription instanceof BookSubscription) return bookWordOf(subscription, held.events, transfer);
  if (subscription instanceof TradesSubscription) return { topic: 'trades', parts: held.tradesParts };
  if (subscription instanceof CandlesSubscription) return { topic: 'candles', parts: held.candlesParts };
  if (subscription instanceof TickerSubscription) {
    const { state, ticker } = subscription;
    return { topic: 'ticker', state, ticker };
  }
  const { state, sinceMs, reason } = subscription as StatusSubscription;
  return { topic: 'status', state, sinceMs, reason };
}

function bookWordOf(
  { book, state, reason, replica }: BookSubscription,
  events: Held['events'],
  transfer: ArrayBuffer[],
): TopicWord {
  const { merged, isConflated, ageMs, lagMs, timeMs, isDelta, verified, seq } = replica;
  const word = {
    ...{ topic: 'book' as const, state, reason, sequence: book.sequence },
    replica: { merged, isConflated, ageMs, lagMs, timeMs, isDelta, verified, seq },
  };
  if (!events.has('change')) return word;
  const bids = Float64Array.from(book.bids.toFlat());
  const asks = Float64Array.from(book.asks.toFlat());
  transfer.push(bids.buffer, asks.buffer);
  return { ...word, bids, asks };
}
