import type { CandleInterval, Instrument, InstrumentId, Topic } from '@depthwire/shared';
import type { MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { SharedFrame } from './frame.ts';

/** Who receives the frames of a channel. */
export interface Subscriber {
  deliver(channel: Channel, frame: SharedFrame): void;
  /** An instrument it subscribes to changed; told before the frames that follow from it. */
  onInstrument(instrument: Instrument): void;
}

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

/**
 * One topic of one instrument at one depth and cadence. Numbers its frames from 1 and builds
 * each of them once.
 */
export abstract class Channel {
  readonly id: number;
  readonly settings: ChannelSettings;
  readonly subscribers = new Set<Subscriber>();
  protected seq = 0;
  #snapshot: SharedFrame | null = null;

  constructor(id: number, settings: ChannelSettings) {
    this.id = id;
    this.settings = settings;
  }

  /** Whether what waits should not wait for the cadence, so that it stays bounded. */
  get isFull(): boolean {
    return false;
  }

  /** Takes note of an event of this channel's instrument. */
  abstract onEvent(event: MarketEvent): void;
  /** Sends what came since the last flush, if anything. */
  abstract flush(market: MarketView, nowMs: number): void;
  /** The message that brings a new subscriber to the state after frame `seq`. */
  protected abstract snapshotMessage(market: MarketView, nowMs: number): SharedFrame['message'];

  /** Built once for all who join before the next frame. */
  snapshot(market: MarketView, nowMs: number): SharedFrame {
    return (this.#snapshot ??= new SharedFrame(this.snapshotMessage(market, nowMs)));
  }

  protected publish(message: SharedFrame['message']): void {
    this.#snapshot = null;
    const frame = new SharedFrame(message);
    for (const subscriber of this.subscribers) subscriber.deliver(this, frame);
  }
}
