import { encodeCandle, encodeTrade, frameCodes, wireStateOf, type Trade } from '@depthwire/shared';
import type { MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { Channel, type ChannelSettings, type ForeignPoint, type SharedFrame } from './channel.ts';
import { FrameLog } from './frame-log.ts';
import type { MarketLog } from './market-log.ts';

/** Trades in a snapshot. */
const SNAPSHOT_TRADES = 200;
/** Trades in one frame; when as many wait, they do not wait for the cadence. */
const MAX_TRADES_PER_FRAME = 500;
/** The latest trades that stand in a merged frame one by one. */
const MERGED_TRADES = 50;
/** The same of a client that comes from another gateway: it is not the one that was too slow. */
const RESUMED_TRADES = 500;
/** Candles in a snapshot; older ones come by REST. */
const SNAPSHOT_CANDLES = 500;

type Message = SharedFrame['message'];

interface TradesNote {
  readonly timeMs: number;
  readonly count: number;
  readonly bought: number;
  readonly sold: number;
  readonly low: number;
  readonly high: number;
}

export class TradesChannel extends Channel {
  #waiting: Trade[] = [];
  #isReplaced = false;
  /** Trades of the epoch that frames have brought. */
  #sequence: number;
  readonly #log = new FrameLog<TradesNote>();

  constructor(
    id: number,
    settings: ChannelSettings,
    onFrame: (frame: SharedFrame) => void,
    market: MarketView,
  ) {
    super(id, settings, onFrame);
    this.#sequence = market.tradeCount;
  }

  override get isFull(): boolean {
    return this.#waiting.length >= MAX_TRADES_PER_FRAME;
  }

  override onEvent(event: MarketEvent): void {
    if (event.type === 'trade') this.#waiting.push(event.trade);
    else if (event.type === 'instrument' && event.isRescaled) this.#isReplaced = true;
  }

  override flush(market: MarketView, nowMs: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#sequence += waiting.length;
    // A market that was loaded anew may have trades that nobody told of.
    if (this.#isReplaced || this.#sequence !== market.tradeCount) {
      this.#isReplaced = false;
      this.#sequence = market.tradeCount;
      this.seq += 1;
      this.#log.restart(this.seq);
      this.publish(this.snapshotMessage(market, nowMs));
      return;
    }
    if (waiting.length === 0) return;
    this.seq += 1;
    this.#log.add(noteOf(waiting, nowMs));
    this.publish([frameCodes.trades, this.id, this.seq, Math.floor(nowMs), waiting.map(encodeTrade)]);
  }

  protected override snapshotMessage({ tape }: MarketView, nowMs: number): Message {
    const trades = this.#sent(tape, SNAPSHOT_TRADES).map(encodeTrade);
    return [frameCodes.tradesSnapshot, this.id, this.seq, Math.floor(nowMs), trades, this.#sequence];
  }

  protected override mergedMessage(from: number, { tape }: MarketView, nowMs: number): Message | null {
    const notes = this.#log.since(from);
    return notes && this.#merge(from, notes, notes[0].timeMs, tape, MERGED_TRADES, nowMs);
  }

  protected override resumedMessage(
    { seq, sequence }: ForeignPoint,
    _log: MarketLog,
    market: MarketView,
    nowMs: number,
  ): Message | null {
    if (tradesSince(sequence, market) === null) return null;
    if (sequence > this.#sequence) this.flush(market, nowMs);
    const missed = this.#sent(market.tape, this.#sequence - sequence);
    const firstMs = missed[0]?.timeMs ?? nowMs;
    const notes = missed.length === 0 ? [] : [noteOf(missed, firstMs)];
    return this.#merge(seq, notes, firstMs, market.tape, RESUMED_TRADES, nowMs);
  }

  #merge(
    from: number,
    notes: readonly TradesNote[],
    firstMs: number,
    tape: readonly Trade[],
    most: number,
    nowMs: number,
  ): Message {
    const sum = (of: (note: TradesNote) => number) => notes.reduce((total, note) => total + of(note), 0);
    const count = sum((note) => note.count);
    return [
      frameCodes.tradesMerged,
      this.id,
      this.seq,
      from,
      Math.floor(nowMs),
      Math.max(0, Math.floor(nowMs - firstMs)),
      count,
      sum(({ bought }) => bought),
      sum(({ sold }) => sold),
      count === 0 ? 0 : Math.min(...notes.map(({ low }) => low)),
      count === 0 ? 0 : Math.max(...notes.map(({ high }) => high)),
      this.#sent(tape, Math.min(count, most)).map(encodeTrade),
    ];
  }

  /** The latest trades that frames have brought: those that wait for the next frame are not among them. */
  #sent(tape: readonly Trade[], count: number): readonly Trade[] {
    const end = Math.max(0, tape.length - this.#waiting.length);
    return tape.slice(Math.max(0, end - count), end);
  }
}

/**
 * The trades after those that a client has, oldest first.
 * @param sequence trades of the epoch that it has
 * @returns null where the last one that it has is on the tape no more: then some may be missing, or be of other scales
 */
function tradesSince(sequence: number, { tape, tradeCount }: MarketView): readonly Trade[] | null {
  const missing = tradeCount - sequence;
  return missing < 0 || missing >= tape.length ? null : tape.slice(tape.length - missing);
}

function noteOf(trades: readonly Trade[], timeMs: number): TradesNote {
  const lots = (side: Trade['side']) =>
    trades.reduce((sum, trade) => sum + (trade.side === side ? trade.size : 0), 0);
  const prices = trades.map(({ price }) => price);
  return {
    timeMs,
    count: trades.length,
    bought: lots('buy'),
    sold: lots('sell'),
    low: Math.min(...prices),
    high: Math.max(...prices),
  };
}

export class TickerChannel extends Channel {
  #isDirty = false;

  override onEvent(): void {
    this.#isDirty = true;
  }

  override flush(market: MarketView, nowMs: number): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.seq += 1;
    this.publish(this.snapshotMessage(market, nowMs));
  }

  protected override snapshotMessage(market: MarketView, nowMs: number): Message {
    const { last, open, high, low, volume, turnover, trades, bid, bidSize, ask, askSize } =
      market.ticker(nowMs);
    return [
      frameCodes.ticker,
      this.id,
      this.seq,
      Math.floor(nowMs),
      wireStateOf(market.state),
      last,
      open,
      high,
      low,
      volume,
      turnover,
      trades,
      bid,
      bidSize,
      ask,
      askSize,
    ];
  }
}

export class CandlesChannel extends Channel {
  #isDirty = false;
  #isReplaced = false;
  /** Open time of the oldest candle that changed since the last frame, unix seconds. */
  #changedFromS = Infinity;
  readonly #log = new FrameLog<{ readonly timeMs: number; readonly changedFromS: number }>();

  override onEvent(event: MarketEvent): void {
    if (event.type === 'trade') {
      this.#isDirty = true;
      this.#changedFromS = Math.min(this.#changedFromS, Math.floor(event.trade.timeMs / 1000));
    } else if (
      (event.type === 'instrument' && event.isRescaled) ||
      (event.type === 'candles' && event.interval === this.settings.interval)
    ) {
      this.#isDirty = this.#isReplaced = true;
    }
  }

  override flush(market: MarketView, nowMs: number): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.seq += 1;
    if (this.#isReplaced) {
      this.#isReplaced = false;
      this.#log.restart(this.seq);
      this.publish(this.snapshotMessage(market, nowMs));
    } else {
      this.#log.add({ timeMs: nowMs, changedFromS: this.#changedFromS });
      const series = market.candles(this.settings.interval!);
      const fromS = series.openTimeOf(this.#changedFromS);
      this.publish([
        frameCodes.candle,
        this.id,
        this.seq,
        Math.floor(nowMs),
        series.since(fromS).map(encodeCandle),
        market.tradeCount,
      ]);
    }
    this.#changedFromS = Infinity;
  }

  protected override snapshotMessage(market: MarketView, nowMs: number): Message {
    const candles = market.candles(this.settings.interval!).latest(SNAPSHOT_CANDLES).map(encodeCandle);
    return [frameCodes.candlesSnapshot, this.id, this.seq, Math.floor(nowMs), candles, market.tradeCount];
  }

  protected override mergedMessage(from: number, market: MarketView, nowMs: number): Message | null {
    const notes = this.#log.since(from);
    if (notes === null) return null;
    const changedFromS = Math.min(...notes.map((note) => note.changedFromS));
    return this.#merge(from, changedFromS, notes[0].timeMs, market, nowMs);
  }

  protected override resumedMessage(
    { seq, sequence }: ForeignPoint,
    log: MarketLog,
    market: MarketView,
    nowMs: number,
  ): Message | null {
    const missed = tradesSince(sequence, market);
    if (missed === null || sequence <= log.candlesFrom(this.settings.interval!)) return null;
    const changedFromS = Math.min(...missed.map(({ timeMs }) => Math.floor(timeMs / 1000)));
    return this.#merge(seq, changedFromS, missed[0]?.timeMs ?? nowMs, market, nowMs);
  }

  #merge(from: number, changedFromS: number, firstMs: number, market: MarketView, nowMs: number): Message {
    const series = market.candles(this.settings.interval!);
    return [
      frameCodes.candlesMerged,
      this.id,
      this.seq,
      from,
      Math.floor(nowMs),
      Math.max(0, Math.floor(nowMs - firstMs)),
      series.since(series.openTimeOf(changedFromS)).map(encodeCandle),
      market.tradeCount,
    ];
  }
}

export class StatusChannel extends Channel {
  #isDirty = false;

  override onEvent(event: MarketEvent): void {
    if (event.type === 'book-state') this.#isDirty = true;
  }

  override flush(market: MarketView, nowMs: number): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.seq += 1;
    this.publish(this.snapshotMessage(market, nowMs));
  }

  protected override snapshotMessage(market: MarketView, nowMs: number): Message {
    return [
      frameCodes.status,
      this.id,
      this.seq,
      Math.floor(nowMs),
      wireStateOf(market.state),
      Math.floor(market.stateSinceMs),
      market.reason,
    ];
  }
}
