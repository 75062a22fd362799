import { encodeCandle, encodeTrade, frameCodes, wireStateOf, type Trade } from '@depthwire/shared';
import type { MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { Channel, type SharedFrame } from './channel.ts';

/** Trades in a snapshot. */
const SNAPSHOT_TRADES = 200;
/** Trades in one frame; when as many wait, they do not wait for the cadence. */
const MAX_TRADES_PER_FRAME = 500;
/** Candles in a snapshot; older ones come by REST. */
const SNAPSHOT_CANDLES = 500;

type Message = SharedFrame['message'];

export class TradesChannel extends Channel {
  #waiting: Trade[] = [];
  #isReplaced = false;

  override get isFull(): boolean {
    return this.#waiting.length >= MAX_TRADES_PER_FRAME;
  }

  override onEvent(event: MarketEvent): void {
    if (event.type === 'trade') this.#waiting.push(event.trade);
    else if (event.type === 'instrument' && event.isRescaled) this.#isReplaced = true;
  }

  override flush(market: MarketView, nowMs: number): void {
    if (this.#isReplaced) {
      this.#isReplaced = false;
      this.#waiting = [];
      this.seq += 1;
      this.publish(this.snapshotMessage(market, nowMs));
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    this.seq += 1;
    this.publish([frameCodes.trades, this.id, this.seq, Math.floor(nowMs), waiting.map(encodeTrade)]);
  }

  protected override snapshotMessage({ tape }: MarketView, nowMs: number): Message {
    // Trades that wait for the next frame are not part of the state after the last one.
    const sent = tape.slice(0, tape.length - Math.min(tape.length, this.#waiting.length));
    const trades = sent.slice(-SNAPSHOT_TRADES).map(encodeTrade);
    return [frameCodes.tradesSnapshot, this.id, this.seq, Math.floor(nowMs), trades];
  }
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

  override onEvent(event: MarketEvent): void {
    if (event.type === 'trade') {
      this.#isDirty = true;
      this.#changedFromS = Math.min(this.#changedFromS, Math.floor(event.trade.timeMs / 1000));
    } else if (event.type === 'instrument' && event.isRescaled) {
      this.#isDirty = this.#isReplaced = true;
    }
  }

  override flush(market: MarketView, nowMs: number): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.seq += 1;
    if (this.#isReplaced) {
      this.#isReplaced = false;
      this.publish(this.snapshotMessage(market, nowMs));
    } else {
      const series = market.candles(this.settings.interval!);
      const fromS = series.openTimeOf(this.#changedFromS);
      this.publish([
        frameCodes.candle,
        this.id,
        this.seq,
        Math.floor(nowMs),
        series.since(fromS).map(encodeCandle),
      ]);
    }
    this.#changedFromS = Infinity;
  }

  protected override snapshotMessage(market: MarketView, nowMs: number): Message {
    const candles = market.candles(this.settings.interval!).latest(SNAPSHOT_CANDLES).map(encodeCandle);
    return [frameCodes.candlesSnapshot, this.id, this.seq, Math.floor(nowMs), candles];
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
