import { OrderBook } from '../book/order-book.ts';
import { Emitter } from '../client/emitter.ts';
import { addTrades, putCandles } from '../client/rows.ts';
import type { MergedTrades, SubscriptionEvents } from '../client/subscription.ts';
import type {
  BookView,
  CandlesView,
  StatusView,
  SubscriptionView,
  TickerView,
  TradesView,
} from '../client/views.ts';
import { DepthwireError } from '../model/errors.ts';
import type { BookState, Candle, Ticker } from '../model/events.ts';
import type { Instrument, InstrumentId } from '../model/instrument.ts';
import type { EpochMs } from '../model/units.ts';
import type { Topic } from '../protocol/messages.ts';
import type { Trade } from '../protocol/records.ts';
import type { AnyOptions, ErrorWord, TopicWord, Update } from './messages.ts';

/** A subscription as its reader's thread has it: what the host told of it last. */
export abstract class RemoteSubscription extends Emitter<SubscriptionEvents> implements SubscriptionView {
  readonly topic: Topic;
  readonly instrumentId: InstrumentId;
  instrument: Instrument | null = null;
  granted: SubscriptionView['granted'] = null;
  refusal: DepthwireError | null = null;
  hasData = false;
  isClosed = false;
  resyncs = 0;
  receivedAtMs: EpochMs | null = null;
  /** @internal */
  readonly id: number;
  /** @internal */
  readonly options: AnyOptions;
  /** @internal */
  users = 0;
  readonly #release: () => void;

  constructor(
    id: number,
    topic: Topic,
    instrumentId: InstrumentId,
    options: AnyOptions,
    release: () => void,
  ) {
    super();
    this.id = id;
    this.topic = topic;
    this.instrumentId = instrumentId;
    this.options = options;
    this.#release = release;
  }

  close(): void {
    this.#release();
  }

  /** @internal */
  take({ common, word, events, errors }: Update): void {
    const { instrument, granted, refusal, hasData, resyncs, receivedAtMs } = common;
    if (instrument !== undefined) this.instrument = instrument;
    this.granted = granted;
    this.refusal = refusal && errorOf(refusal);
    this.hasData = hasData;
    this.resyncs = resyncs;
    this.receivedAtMs = receivedAtMs;
    this.accept(word);
    for (const error of errors) this.emit('error', errorOf(error));
    for (const event of events) if (event !== 'change' || !this.tellsChanges) this.emit(event);
  }

  /** @internal */
  dispose(): void {
    this.isClosed = true;
    this.emit('close');
    this.removeAllListeners();
  }

  /** Whether `accept` tells of each change by itself. */
  protected get tellsChanges(): boolean {
    return false;
  }

  protected abstract accept(word: TopicWord): void;
}

export function errorOf({ code, message, details }: ErrorWord): DepthwireError {
  return new DepthwireError(code, message, details);
}

export class RemoteBook extends RemoteSubscription implements BookView {
  readonly book = new OrderBook();
  state: BookState = 'syncing';
  reason: string | null = null;
  replica: BookView['replica'] = {
    ...{ merged: 0, isConflated: false, ageMs: 0, lagMs: null, timeMs: 0 as EpochMs },
    ...{ isDelta: false, verified: 0, seq: -1 },
  };

  protected accept(word: TopicWord & { topic: 'book' }): void {
    this.state = word.state;
    this.reason = word.reason;
    this.replica = word.replica;
    this.book.sequence = word.sequence;
    if (word.bids && word.asks) this.book.loadSnapshot(word.bids, word.asks);
  }
}

export class RemoteTrades extends RemoteSubscription implements TradesView {
  trades: Trade[] = [];
  latest: readonly Trade[] = [];
  merged: MergedTrades | null = null;

  protected override get tellsChanges(): boolean {
    return true;
  }

  protected accept({ parts }: TopicWord & { topic: 'trades' }): void {
    for (const { latest, merged, isAll } of parts) {
      this.latest = latest;
      this.merged = merged;
      if (isAll) this.trades = [];
      addTrades(this.trades, latest);
      this.emit('change');
    }
  }
}

export class RemoteCandles extends RemoteSubscription implements CandlesView {
  candles: Candle[] = [];
  latest: readonly Candle[] = [];
  replaced = false;

  protected override get tellsChanges(): boolean {
    return true;
  }

  protected accept({ parts }: TopicWord & { topic: 'candles' }): void {
    for (const { latest, isAll } of parts) {
      this.latest = latest;
      this.replaced = isAll;
      if (isAll) this.candles = [];
      putCandles(this.candles, latest);
      this.emit('change');
    }
  }
}

export class RemoteTicker extends RemoteSubscription implements TickerView {
  state: BookState = 'syncing';
  ticker: Ticker | null = null;

  protected accept({ state, ticker }: TopicWord & { topic: 'ticker' }): void {
    this.state = state;
    this.ticker = ticker;
  }
}

export class RemoteStatus extends RemoteSubscription implements StatusView {
  state: BookState = 'syncing';
  sinceMs: number | null = null;
  reason: string | null = null;

  protected accept({ state, sinceMs, reason }: TopicWord & { topic: 'status' }): void {
    this.state = state;
    this.sinceMs = sinceMs;
    this.reason = reason;
  }
}
