import { DepthwireError } from '../model/errors.ts';
import type { BookState, Candle, CandleInterval, Ticker } from '../model/events.ts';
import type { Instrument, InstrumentId } from '../model/instrument.ts';
import type { EpochMs, Scale } from '../model/units.ts';
import {
  frameCodes,
  type CandleFrame,
  type DataFrame,
  type ResumePoint,
  type StatusFrame,
  type Subscribed,
  type SubscribeRequest,
  type TickerFrame,
  type Topic,
  type TradesMergedFrame,
  type TradesFrame,
  type TradesSnapshotFrame,
} from '../protocol/messages.ts';
import { show } from '../protocol/show.ts';
import { decodeCandle, decodeState, decodeTicker, decodeTrade, type Trade } from '../protocol/records.ts';
import { Emitter } from './emitter.ts';
import { addTrades, putCandles } from './rows.ts';

export interface SubscriptionOptions {
  /** Smallest time between two updates, milliseconds; 0 for every one. The server may grant a slower one. */
  readonly cadenceMs?: number;
}

export interface CandlesOptions extends SubscriptionOptions {
  readonly interval: CandleInterval;
}

/** What the client gives a subscription to work with. */
export interface SubscriptionHost {
  now(): EpochMs;
  /** Of the newest greeting. */
  readonly epoch: number;
  readonly gateway: string | undefined;
  requestSnapshot(subscription: Subscription): void;
  release(subscription: Subscription): void;
}

export type SubscriptionEvents = {
  /** The server granted the subscription, after each connect. */
  ready: [];
  /** The data changed. */
  change: [];
  /** The state of the data changed, or the connection came or went. */
  state: [];
  /** Refused, or a resync began; the subscription goes on by itself where `error.retry`. */
  error: [error: DepthwireError];
  /** Its last user closed it: nothing follows. */
  close: [];
};

/** What of a channel the data of a subscription has. */
export interface Held {
  /** Its last frame. */
  readonly seq: number;
  /** As of `ResumePoint`; no integer where the server does not tell. */
  readonly sequence: number;
}

/** Frames that hold all, whatever there was before. */
const wholeCodes: ReadonlySet<number> = new Set([
  frameCodes.bookSnapshot,
  frameCodes.tradesSnapshot,
  frameCodes.candlesSnapshot,
]);

/**
 * One topic of one instrument. Subscriptions with the same settings are one object, shared: take
 * listeners off with the function that `on` returns, and `close` once for each time it was asked for.
 */
export abstract class Subscription extends Emitter<SubscriptionEvents> {
  readonly topic: Topic;
  readonly instrumentId: InstrumentId;
  /** Known from the first grant on. */
  instrument: Instrument | null = null;
  /** What the server granted; null while not connected. */
  granted: { readonly depth: number | null; readonly cadenceMs: number } | null = null;
  /** Why the server refused the subscription; null while it has not. */
  refusal: DepthwireError | null = null;
  /** Whether there is data: from the first change on. How good it is, `state` says where there is one. */
  hasData = false;
  /** Whether its last user closed it. */
  isClosed = false;
  /** Times the topic had to be taken anew because a frame was missing or the data was wrong. */
  resyncs = 0;
  /** When the last frame came, by this machine's clock; null before the first. */
  receivedAtMs: EpochMs | null = null;
  /** @internal */
  readonly key: string;
  /** @internal */
  users = 0;
  /** @internal The server's number for it; null while not granted. */
  channel: number | null = null;
  /** Where to go on after a reconnect; null where only a snapshot will do. */
  #resume: ResumePoint | null = null;
  /** The run of the market that frames are of now. */
  #epoch = 0;
  /** Whether the data is of an earlier run still. */
  #isOutdated = false;

  protected readonly host: SubscriptionHost;
  readonly #request: Omit<SubscribeRequest, 'id'>;

  constructor(host: SubscriptionHost, key: string, request: Omit<SubscribeRequest, 'id'>) {
    super();
    this.host = host;
    this.key = key;
    this.topic = request.topic;
    this.instrumentId = request.instrument;
    this.#request = request;
  }

  close(): void {
    this.host.release(this);
  }

  /** @internal */
  request(id: number): SubscribeRequest {
    return { ...this.#request, id, ...(this.#resume === null ? {} : { resume: this.#resume }) };
  }

  /** @internal */
  onGranted(message: Subscribed): void {
    const { gateway, epoch } = this.host;
    const resume = message.seq === undefined ? null : this.#resume;
    this.#resume = null;
    this.#epoch = message.epoch ?? epoch;
    this.#isOutdated = resume !== null && resume.epoch !== this.#epoch;
    this.channel = message.ch;
    const isRescaled = this.#describe(message.instrument);
    this.granted = { depth: message.depth ?? null, cadenceMs: message.cadence };
    this.refusal = null;
    if (resume === null) this.restart();
    else if (!isRescaled) {
      if (resume.ch === message.ch && resume.gateway === gateway) this.resumed(message.seq!);
      else this.moved();
    } else {
      this.restart();
      this.host.requestSnapshot(this);
    }
    this.emit('ready');
    this.emit('state');
  }

  /** @internal */
  onRefused(error: DepthwireError): void {
    this.refusal = error;
    this.emit('error', error);
    this.emit('state');
  }

  /** @internal */
  onDisconnected(): void {
    if (this.channel === null) return;
    this.#resume = this.#isOutdated ? null : this.#pointOf(this.channel, this.held);
    this.channel = null;
    this.granted = null;
    this.emit('state');
  }

  /** @internal */
  onInstrument(instrument: Instrument, epoch = this.#epoch): void {
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#isOutdated = true; // a snapshot follows
    }
    if (this.#describe(instrument)) {
      // The server sends a snapshot in the new scales too, but maybe before this message.
      this.restart();
      this.host.requestSnapshot(this);
      this.emit('change');
    }
    this.emit('state');
  }

  /** @internal */
  onFrame(frame: DataFrame): void {
    this.receivedAtMs = this.host.now();
    if (Number.isSafeInteger(frame[2])) {
      this.accept(frame);
      if (wholeCodes.has(frame[0])) this.#isOutdated = false;
    } else {
      this.restart();
      this.resync(new DepthwireError('malformed_frame', 'seq: expected an integer'));
    }
  }

  /** @internal */
  dispose(): void {
    this.isClosed = true;
    this.emit('close');
    this.removeAllListeners();
  }

  /** @returns whether it counts in other ticks or lots than before: what is held is then dropped */
  #describe(instrument: Instrument): boolean {
    const before = this.instrument;
    this.instrument = instrument;
    const isRescaled =
      before !== null &&
      !(isSameScale(before.tick, instrument.tick) && isSameScale(before.lot, instrument.lot));
    if (isRescaled) {
      this.clear();
      this.hasData = false;
    }
    return isRescaled;
  }

  protected changed(): void {
    this.hasData = true;
    this.emit('change');
  }

  /** The last frame of the channel that the data is right as of; null where there is none. */
  protected get held(): Held | null {
    return null;
  }

  #pointOf(ch: number, held: Held | null): ResumePoint | null {
    if (held === null) return null;
    const { seq, sequence } = held;
    const { gateway } = this.host;
    const depth = this.granted?.depth ?? null;
    return {
      ...{ epoch: this.#epoch, ch, seq },
      ...(gateway !== undefined && Number.isSafeInteger(sequence) ? { gateway, sequence } : {}),
      ...(depth === null ? {} : { depth }),
    };
  }

  /** The channel goes on, and its newest frame is this one. */
  protected resumed(_newestSeq: number): void {}

  /** The data goes on in another channel, with one frame that says from where. */
  protected moved(): void {
    this.restart();
  }

  /** A new channel begins: its sequence has nothing to do with the last one's. */
  protected abstract restart(): void;
  /** Drops the data. */
  protected abstract clear(): void;
  protected abstract accept(frame: DataFrame): void;

  protected resync(error: DepthwireError): void {
    this.resyncs += 1;
    this.emit('error', error);
    this.emit('state');
    this.host.requestSnapshot(this);
  }
}

function isSameScale(a: Scale, b: Scale): boolean {
  return a.units === b.units && a.decimals === b.decimals;
}

/** Topics whose updates build on each other: a missing one means a new snapshot. */
abstract class SequencedSubscription extends Subscription {
  /** Trades of the epoch that the data has; no integer where the server does not tell. */
  protected sequence = Number.NaN;
  #seq = 0;
  #awaitingSnapshot = true;
  /** Whether the next frame is the first one of another channel, from the last one of that before. */
  #isMoving = false;

  protected override get held(): Held | null {
    return this.#awaitingSnapshot || this.#isMoving ? null : { seq: this.#seq, sequence: this.sequence };
  }

  protected restart(): void {
    this.#awaitingSnapshot = true;
    this.#isMoving = false;
  }

  protected override moved(): void {
    this.#isMoving = !this.#awaitingSnapshot;
  }

  protected accept(frame: DataFrame): void {
    const seq = frame[2];
    const isSnapshot = frame[0] === frameCodes.tradesSnapshot || frame[0] === frameCodes.candlesSnapshot;
    const isOld = !this.#isMoving && seq <= this.#seq;
    if (this.#awaitingSnapshot ? !isSnapshot : isOld) return;
    const isMerged = frame[0] === frameCodes.tradesMerged || frame[0] === frameCodes.candlesMerged;
    const before = isMerged ? frame[3] : this.#isMoving ? Number.NaN : seq - 1;
    const error =
      isSnapshot || before === this.#seq
        ? malformedBy(() => this.take(frame))
        : new DepthwireError('sequence_gap', `expected frame ${this.#seq + 1}, got ${before + 1}`);
    if (error) {
      this.restart();
      this.resync(error);
      return;
    }
    this.#seq = seq;
    this.#awaitingSnapshot = false;
    this.#isMoving = false;
    this.changed();
  }

  /** @throws DepthwireError `malformed_frame`; nothing is then changed */
  protected abstract take(frame: DataFrame): void;
}

/** What is wrong with a frame, where taking it fails. */
function malformedBy(take: () => void): DepthwireError | null {
  try {
    take();
    return null;
  } catch (error) {
    if (error instanceof DepthwireError) return error;
    throw error;
  }
}

function rows<Row>(wire: Row[]): Row[] {
  if (!Array.isArray(wire))
    throw new DepthwireError('malformed_frame', 'expected an array of trades or candles');
  return wire;
}

/** Trades that the server sent as sums, because the client did not keep up. */
export interface MergedTrades {
  /** All of them, those that came one by one too. */
  readonly count: number;
  /** Lots of those whose aggressor bought, and of those whose aggressor sold. */
  readonly bought: number;
  readonly sold: number;
  /** Ticks of the cheapest and of the dearest. */
  readonly low: number;
  readonly high: number;
  /** Since the first of the frames that it stands for was made, milliseconds. */
  readonly ageMs: number;
  /** How many of them are in no list: before the latest. */
  readonly missed: number;
}

/** The tape: the newest trades, newest last. */
export class TradesSubscription extends SequencedSubscription {
  trades: Trade[] = [];
  /** Those that the last frame brought. */
  latest: readonly Trade[] = [];
  /** What the last frame stands for where it merges others; null where it does not. */
  merged: MergedTrades | null = null;

  protected take(frame: DataFrame): void {
    const isMerged = frame[0] === frameCodes.tradesMerged;
    const wire = isMerged ? frame[11] : (frame as TradesFrame | TradesSnapshotFrame)[4];
    const latest = rows(wire).map(decodeTrade);
    const merged = isMerged ? decodeMerged(frame, latest.length) : null;
    this.merged = merged?.count === 0 ? null : merged;
    this.latest = latest;
    if (frame[0] === frameCodes.tradesSnapshot) {
      this.trades = [];
      this.sequence = frame[5];
    } else this.sequence += merged?.count ?? latest.length;
    addTrades(this.trades, latest);
  }

  protected clear(): void {
    this.trades = [];
    this.latest = [];
    this.merged = null;
  }
}

/** @throws DepthwireError `malformed_frame` */
function decodeMerged(frame: TradesMergedFrame, listed: number): MergedTrades {
  const [, , , , , ageMs, count, bought, sold, low, high] = frame;
  for (const [name, value] of Object.entries({ ageMs, count, bought, sold, low, high })) {
    if (!Number.isFinite(value))
      throw new DepthwireError('malformed_frame', `${name}: expected a number, got ${show(value)}`);
  }
  return { count, bought, sold, low, high, ageMs, missed: count - listed };
}

/** Candles, oldest first; the last one is still open. */
export class CandlesSubscription extends SequencedSubscription {
  candles: Candle[] = [];
  /** Those that the last frame replaced or appended; all of them after a snapshot. */
  latest: readonly Candle[] = [];
  /** Whether the last frame was a snapshot. */
  replaced = false;

  protected take(frame: DataFrame): void {
    const [wire, sequence] =
      frame[0] === frameCodes.candlesMerged
        ? [frame[6], frame[7]]
        : [(frame as CandleFrame)[4], (frame as CandleFrame)[5]];
    this.latest = rows(wire).map(decodeCandle);
    this.sequence = sequence;
    this.replaced = frame[0] === frameCodes.candlesSnapshot;
    if (this.replaced) this.candles = [];
    putCandles(this.candles, this.latest);
  }

  protected clear(): void {
    this.candles = [];
    this.latest = [];
  }
}

/** Topics whose every frame is the whole state: only the newest counts. */
abstract class LatestSubscription extends Subscription {
  #seq = -1;

  protected restart(): void {
    this.#seq = -1;
  }

  protected accept(frame: DataFrame): void {
    if (frame[2] <= this.#seq) return;
    const error = malformedBy(() => this.take(frame));
    if (error) {
      this.#seq = -1;
      this.resync(error);
      return;
    }
    this.#seq = frame[2];
    this.changed();
  }

  /** @throws DepthwireError `malformed_frame`; nothing is then changed */
  protected abstract take(frame: DataFrame): void;
}

/** Best bid and ask, last price and 24 h figures, with the state of the book they come from. */
export class TickerSubscription extends LatestSubscription {
  ticker: Ticker | null = null;
  #state: BookState = 'syncing';

  get state(): BookState {
    return this.channel === null && this.ticker ? 'recovering' : this.#state;
  }

  protected take(frame: DataFrame): void {
    const state = decodeState((frame as TickerFrame)[4]);
    this.ticker = decodeTicker(frame as TickerFrame);
    if (state === this.#state) return;
    this.#state = state;
    this.emit('state');
  }

  protected clear(): void {
    this.ticker = null;
  }
}

/** The state of an instrument's book, since when and why. */
export class StatusSubscription extends LatestSubscription {
  sinceMs: number | null = null;
  reason: string | null = null;
  #state: BookState = 'syncing';

  /** `recovering` too while the connection is away. */
  get state(): BookState {
    return this.channel === null && this.sinceMs !== null ? 'recovering' : this.#state;
  }

  protected take(frame: DataFrame): void {
    const [, , , , state, sinceMs, reason] = frame as StatusFrame;
    this.#state = decodeState(state);
    this.sinceMs = sinceMs;
    this.reason = reason;
  }

  protected clear(): void {}
}
