import {
  type CandleInterval,
  type DataFrame,
  type Encoding,
  type InstrumentId,
  type ResumePoint,
  type Topic,
} from '@depthwire/shared';
import type { MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { serverCodecs } from './codec.ts';
import { frameEvent } from './event.ts';
import type { MarketLog } from './market-log.ts';
import { PositionLog, type Position } from './position.ts';
import { webSocketFrame } from './websocket-frame.ts';
import type { WireFormat } from './wire-format.ts';

/** What subscriptions share: those with equal settings get the very same frames. */
export interface ChannelSettings {
  readonly topic: Topic;
  readonly instrument: InstrumentId;
  /** Levels a side, 0 for all; 0 on topics without depth. */
  readonly depth: number;
  /** Milliseconds between frames, 0 for every update. */
  readonly cadenceMs: number;
  readonly interval: CandleInterval | null;
}

export function channelKey({ topic, instrument, depth, cadenceMs, interval }: ChannelSettings): string {
  return `${topic} ${instrument} ${depth} ${cadenceMs} ${interval ?? ''}`;
}

/** Where a client was in a channel of another gateway of the same market. */
export type ForeignPoint = ResumePoint & Required<Pick<ResumePoint, 'gateway' | 'sequence'>>;

/**
 * One topic of one instrument at one depth and cadence. Numbers its frames from 1 and builds
 * each of them once.
 */
export abstract class Channel {
  readonly id: number;
  readonly settings: ChannelSettings;
  protected seq = 0;
  #snapshot: SharedFrame | null = null;
  /** By the frame that they begin after. */
  #catchUps: Map<number, SharedFrame> | null = null;
  /** Where its frames stand among all, once somebody may ask. */
  #positions: PositionLog | null = null;
  readonly #onFrame: (frame: SharedFrame) => void;

  /** @param onFrame takes each frame as it is made */
  constructor(id: number, settings: ChannelSettings, onFrame: (frame: SharedFrame) => void) {
    this.id = id;
    this.settings = settings;
    this.#onFrame = onFrame;
  }

  /** Whether what waits should not wait for the cadence, so that it stays bounded. */
  get isFull(): boolean {
    return false;
  }

  /** Takes note of an event of this channel's instrument. */
  abstract onEvent(event: MarketEvent): void;
  /** Makes a frame of what came since the last flush, if anything. */
  abstract flush(market: MarketView, nowMs: number): void;
  /** The message that brings a new subscriber to the state after frame `seq`. */
  protected abstract snapshotMessage(market: MarketView, nowMs: number): SharedFrame['message'];

  /**
   * In place of the frames after `from`, for whom missed them.
   * @returns null where a snapshot has to do
   */
  protected mergedMessage(_from: number, _market: MarketView, _nowMs: number): SharedFrame['message'] | null {
    return null;
  }

  /**
   * What brings a client here that was in a channel of another gateway. May make a frame for all first, where the client
   * is ahead of the channel.
   * @returns null where a snapshot has to do
   */
  protected resumedMessage(
    _point: ForeignPoint,
    _log: MarketLog,
    _market: MarketView,
    _nowMs: number,
  ): SharedFrame['message'] | null {
    return null;
  }

  /** As `resumedMessage`; `seq` is then that of the newest frame. */
  resume(point: ForeignPoint, log: MarketLog, market: MarketView, nowMs: number): SharedFrame | null {
    const message = this.resumedMessage(point, log, market, nowMs);
    return message && new SharedFrame(this, message);
  }

  /** Number of the newest frame, 0 before the first. */
  get newestSeq(): number {
    return this.seq;
  }

  /**
   * What brings a client that holds frame `from` to the newest; a snapshot where nothing less does. Built
   * once for all who hold the same.
   * @returns null where it holds the newest
   */
  catchUp(from: number, market: MarketView, nowMs: number): SharedFrame | null {
    if (from === this.seq) return null;
    const known = this.#catchUps?.get(from);
    if (known) return known;
    const message = this.mergedMessage(from, market, nowMs);
    if (message === null) return this.snapshot(market, nowMs);
    const frame = new SharedFrame(this, message);
    (this.#catchUps ??= new Map()).set(from, frame);
    return frame;
  }

  /** Built once for all who join before the next frame. */
  snapshot(market: MarketView, nowMs: number): SharedFrame {
    return (this.#snapshot ??= new SharedFrame(this, this.snapshotMessage(market, nowMs)));
  }

  get keepsPositions(): boolean {
    return this.#positions !== null;
  }

  /**
   * Remembers from here on where its frames stand.
   * @param number the place at which it begins to, which no frame and no other channel has
   */
  keepPositions(number: number): void {
    this.#positions = new PositionLog(this.seq, number);
  }

  /** @returns its newest frame as of that place among all frames; null where that is not known */
  seqAt(number: number): number | null {
    return this.#positions?.seqAt(number) ?? null;
  }

  /** @param position of its newest frame, which is as it was published */
  place(frame: SharedFrame, position: Position): void {
    frame.position = position;
    this.#positions?.add(position.number);
  }

  /** @param takenAtMs when the engine took the oldest update in it; null where it has none */
  protected publish(message: SharedFrame['message'], takenAtMs: number | null = null): void {
    this.#snapshot = null;
    this.#catchUps = null;
    this.#onFrame(new SharedFrame(this, message, takenAtMs));
  }
}

/** A message of a channel that is encoded at most once for each encoding, however many sessions send it. */
export class SharedFrame {
  readonly channel: Channel;
  readonly message: DataFrame;
  /** When the engine took the oldest update in it, by the market clock; null where that is not known. */
  readonly takenAtMs: number | null;
  /** Its place among all frames; null of one that stands for others. */
  position: Position | null = null;
  readonly #encoded: Partial<Record<Encoding, Uint8Array | string>> = {};
  readonly #wire: Partial<Record<WireFormat, Buffer>> = {};
  #eventApart: Buffer | null = null;

  constructor(channel: Channel, message: DataFrame, takenAtMs: number | null = null) {
    this.channel = channel;
    this.message = message;
    this.takenAtMs = takenAtMs;
  }

  /** Its number in its channel. */
  get seq(): number {
    return this.message[2];
  }

  encode(encoding: Encoding): Uint8Array | string {
    return (this.#encoded[encoding] ??= serverCodecs[encoding].encode(this.message));
  }

  /** As it goes to a client that has every frame before it. */
  wire(format: WireFormat): Buffer {
    return (this.#wire[format] ??=
      format === 'events' ? this.#event(this.position) : webSocketFrame(this.encode(format)));
  }

  /** As it goes to a client that has not every frame before it, or that gets it in place of others. */
  wireApart(format: WireFormat): Buffer {
    return format === 'events' ? (this.#eventApart ??= this.#event(null)) : this.wire(format);
  }

  #event(position: Position | null): Buffer {
    return frameEvent(this.channel.settings.topic, this.encode('json') as string, position);
  }
}
