import { randomBytes } from 'node:crypto';
import {
  DepthwireError,
  type Clock,
  type InstrumentId,
  type ResumePoint,
  type SubscribeRequest,
  topics,
  type Timer,
  type Topic,
} from '@depthwire/shared';
import type { Bus, MarketEvent } from '../bus/bus.ts';
import type { MarketView } from '../engine/market.ts';
import { BookChannel } from './book-channel.ts';
import { Audiences, type Subscriber } from './audience.ts';
import { channelKey, type Channel, type ChannelSettings, type SharedFrame } from './channel.ts';
import { GatewayFigures } from './figures.ts';
import { MarketLog } from './market-log.ts';
import type { Position } from './position.ts';
import { CandlesChannel, StatusChannel, TickerChannel, TradesChannel } from './topic-channels.ts';

/** Depths that are granted, levels a side; a request gets the next larger one. 0 is the whole book. */
export const DEPTHS = [1, 5, 10, 20, 50, 100, 200, 500, 1000, 0] as const;
/** Cadences that are granted, milliseconds; a request gets the next slower one. */
export const CADENCES_MS = [0, 20, 50, 100, 250, 500, 1000, 2000, 5000] as const;

/** How long a channel goes on when all of its clients were lost: they may come back, and go on from there. */
const LINGER_MS = 30_000;
/** Channels that go on for nobody. */
const MAX_LINGERING = 1_000;
/** Instruments that are remembered before those that are gone are forgotten. */
const MAX_LOGS = 20_000;
const GATEWAY_BYTES = 9;
/** How early a timer may be, milliseconds; more, and the clock was set back meanwhile. */
const MAX_EARLY_MS = 5;

/** What a client may have at most. */
export interface ChannelBounds {
  /** Levels a side; as many as there are where it is left out. */
  readonly maxDepth?: number;
  readonly minCadenceMs: number;
}

const DEFAULT_DEPTH = 50;
const DEFAULT_CADENCE_MS = { book: 100, trades: 100, ticker: 250, candles: 250, status: 0 } as const;

export interface HubOptions {
  /** The market clock: cadences tick on it, frames carry it. */
  readonly clock: Clock;
  /** One that nobody sets: for how long clients are waited for. Default: the market's. */
  readonly steadyClock?: Clock;
  readonly bus: Bus;
  readonly markets: { get(id: string): MarketView | undefined };
  /** Longest time between two checksums in the deltas of a channel, milliseconds; 0 for each. */
  readonly checksumIntervalMs: number;
  /**
   * Puts off a task until what has arrived by now is dealt with: frames of cadence 0 that are made meanwhile
   * go out together then. Default: at once.
   */
  readonly soon?: (task: () => void) => void;
  /**
   * Names the run of a market that no other gateway serves: with it alone a client without the name of a gateway may go on
   * where it was. Left out where there are several gateways, whose channels it could not tell apart.
   */
  readonly ownEpoch?: number;
}

interface CadenceGroup {
  channels: number;
  /** When it is flushed next, unix milliseconds: a whole multiple of the cadence. */
  dueMs: number;
}

/**
 * Channels by their settings. All that tick at the same time are flushed together, whatever their cadences,
 * so that a client gets what it has subscribed to in one write.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #byKey = new Map<string, Channel>();
  readonly #byInstrument = new Map<string, Set<Channel>>();
  readonly #byCadence = new Map<number, CadenceGroup>();
  /** What it and its sessions have done. */
  readonly figures = new GatewayFigures();
  /** Names its run: numbers of channels and frames, and places of frames, mean nothing to another. */
  readonly gateway = randomBytes(GATEWAY_BYTES).toString('base64url');
  #epoch: number;
  readonly #logs = new Map<InstrumentId, MarketLog>();
  readonly #audiences = new Audiences(this.figures);
  /** Until when somebody who was lost may come back to a channel, by the steady clock. */
  readonly #awaited = new Map<Channel, number>();
  /** Channels that nobody has joined, with when they end. */
  readonly #lingering = new Map<Channel, Timer>();
  /** Frames that are made, and have yet to go out. */
  #frames: SharedFrame[] = [];
  /** How many places were given to frames. */
  #places = 0;
  #isDeliveryDue = false;
  #isDelivering = false;
  #timer: Timer | null = null;
  #timerDueMs = Infinity;
  readonly #unsubscribe: () => void;
  #nextId = 1;
  #onFirstChannel: (() => void) | null = null;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#epoch = options.ownEpoch ?? 0;
    this.#unsubscribe = options.bus.subscribe((event) => this.#onEvent(event));
  }

  /** Runs `task` once, when somebody has subscribed for the first time. */
  onFirstChannel(task: () => void): void {
    this.#onFirstChannel = task;
  }

  /** @throws DepthwireError `unknown_instrument` */
  market(id: string): MarketView {
    const market = this.#options.markets.get(id);
    if (!market)
      throw new DepthwireError('unknown_instrument', `no feed publishes ${id}`, { instrument: id });
    return market;
  }

  /** The newest run of a market that it knows. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether the channel's instrument is one that a feed publishes, still. */
  isServed(channel: Channel): boolean {
    return this.#options.markets.get(channel.settings.instrument) !== undefined;
  }

  /** The channel for a request, with what is granted; made when it is the first of its kind. */
  open(request: SubscribeRequest, bounds?: ChannelBounds): Channel {
    const market = this.market(request.instrument);
    const settings = grant(request, bounds);
    const key = channelKey(settings);
    let channel = this.#byKey.get(key);
    if (!channel) {
      channel = this.#create(settings, market);
      this.#byKey.set(key, channel);
      getOrAdd(this.#byInstrument, settings.instrument, () => new Set<Channel>()).add(channel);
      this.#joinCadence(channel);
    }
    return channel;
  }

  join(channel: Channel, subscriber: Subscriber): void {
    this.deliver();
    this.#stopLingering(channel);
    this.#audiences.join(channel, subscriber);
    this.#onFirstChannel?.();
    this.#onFirstChannel = null;
  }

  /**
   * The last one to leave ends the channel.
   * @param isLost the subscriber may come back, and the channel waits a while for it, whoever leaves meanwhile
   */
  leave(channel: Channel, subscriber: Subscriber, isLost = false): void {
    this.deliver();
    const { clock, steadyClock = clock } = this.#options;
    const now = steadyClock.now();
    if (isLost) this.#awaited.set(channel, now + LINGER_MS);
    if (this.#audiences.leave(channel, subscriber) || this.#lingering.has(channel)) return;
    // Of those who left before, one may have been lost.
    const untilMs = this.#awaited.get(channel) ?? 0;
    if (untilMs <= now) {
      this.#end(channel);
      return;
    }
    const [longest] = this.#lingering.keys();
    if (longest && this.#lingering.size >= MAX_LINGERING) this.#end(longest);
    this.#lingering.set(
      channel,
      steadyClock.at(untilMs, () => this.#end(channel)),
    );
  }

  #stopLingering(channel: Channel): void {
    this.#lingering.get(channel)?.cancel();
    this.#lingering.delete(channel);
  }

  #end(channel: Channel): void {
    this.#stopLingering(channel);
    this.#awaited.delete(channel);
    const { instrument, cadenceMs } = channel.settings;
    const key = channelKey(channel.settings);
    if (this.#byKey.get(key) !== channel) return; // it has ended before, and there may be another one like it
    this.#byKey.delete(key);
    const siblings = this.#byInstrument.get(instrument);
    siblings?.delete(channel);
    if (siblings?.size === 0) this.#byInstrument.delete(instrument);
    const group = this.#byCadence.get(cadenceMs);
    if (group && --group.channels === 0) this.#byCadence.delete(cadenceMs);
  }

  /** Sends out what is made. Whatever else a subscriber is sent comes after it. */
  deliver(): void {
    if (this.#isDelivering) return; // a subscriber wants something while it is sent something
    this.#isDelivering = true;
    try {
      while (this.#frames.length > 0) {
        const frames = this.#frames;
        this.#frames = [];
        this.#audiences.deliver(frames);
        this.#timeWaits(frames);
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  #timeWaits(frames: readonly SharedFrame[]): void {
    const now = this.#options.clock.now();
    for (const { takenAtMs } of frames)
      if (takenAtMs !== null) this.figures.frameWait.observe(now - takenAtMs);
  }

  /** Channels that are kept, how many of them for nobody, and how often each topic's are joined. */
  census(): { channels: Map<Topic, number>; lingering: number; subscriptions: Map<Topic, number> } {
    const channels = new Map<Topic, number>(topics.map((topic) => [topic, 0]));
    const subscriptions = new Map(channels);
    const add = (to: Map<Topic, number>, { settings: { topic } }: Channel, count: number) =>
      to.set(topic, to.get(topic)! + count);
    for (const channel of this.#byKey.values()) add(channels, channel, 1);
    for (const [channel, count] of this.#audiences.counts) add(subscriptions, channel, count);
    return { channels, lingering: this.#lingering.size, subscriptions };
  }

  snapshot(channel: Channel): SharedFrame {
    return channel.snapshot(this.market(channel.settings.instrument), this.#options.clock.now());
  }

  /** In place of all frames after `from`; null where there are none. */
  catchUp(channel: Channel, from: number): SharedFrame | null {
    return channel.catchUp(from, this.market(channel.settings.instrument), this.#options.clock.now());
  }

  /** Whether a client was in this very channel, so that its frames are known by their numbers. */
  isHere(channel: Channel, { ch, seq, gateway, epoch }: ResumePoint): boolean {
    const isOurs = gateway === undefined ? epoch === this.#options.ownEpoch : gateway === this.gateway;
    return isOurs && ch === channel.id && seq <= channel.newestSeq;
  }

  /**
   * What brings a client here that was in a channel of another gateway, or in one that has ended.
   * @returns null where a snapshot has to do
   */
  resume(channel: Channel, { gateway, sequence, ...point }: ResumePoint): SharedFrame | null {
    if (gateway === undefined || sequence === undefined) return null;
    const { instrument } = channel.settings;
    const market = this.market(instrument);
    if (point.epoch !== market.epoch) return null;
    return channel.resume(
      { ...point, gateway, sequence },
      this.#logOf(instrument, market),
      market,
      this.#options.clock.now(),
    );
  }

  /** The newest there is. */
  get position(): Position {
    return { gateway: this.gateway, number: this.#places };
  }

  /**
   * What a client that has everything up to a position has of a channel. From here on the channel remembers it.
   * @returns the number of a frame; null where it is to get a snapshot
   */
  heldAt(channel: Channel, position: Position | null): number | null {
    if (!channel.keepsPositions) {
      // A place of its own: whoever has everything up to the newest frame has nothing of this channel.
      this.#places += 1;
      channel.keepPositions(this.#places);
    }
    const isKnown = position?.gateway === this.gateway && position.number <= this.#places;
    return isKnown ? channel.seqAt(position.number) : null;
  }

  close(): void {
    this.#unsubscribe();
    for (const timer of this.#lingering.values()) timer.cancel();
    this.#lingering.clear();
    this.deliver();
    this.#timer?.cancel();
    this.#byCadence.clear();
    this.#byInstrument.clear();
    this.#byKey.clear();
  }

  #create(settings: ChannelSettings, market: MarketView): Channel {
    const id = this.#nextId++;
    const onFrame = (frame: SharedFrame) => this.#onFrame(frame);
    switch (settings.topic) {
      case 'book':
        return new BookChannel(
          id,
          settings,
          onFrame,
          market,
          this.#options.clock.now(),
          this.#options.checksumIntervalMs,
        );
      case 'trades':
        return new TradesChannel(id, settings, onFrame, market);
      case 'ticker':
        return new TickerChannel(id, settings, onFrame);
      case 'candles':
        return new CandlesChannel(id, settings, onFrame);
      case 'status':
        return new StatusChannel(id, settings, onFrame);
    }
  }

  #joinCadence(channel: Channel): void {
    const { cadenceMs } = channel.settings;
    const now = this.#options.clock.now();
    const group = getOrAdd(this.#byCadence, cadenceMs, () => ({
      channels: 0,
      dueMs: nextTick(now, cadenceMs),
    }));
    group.channels += 1;
    this.#arm();
  }

  /** One timer for all cadences, for those that fall due together. */
  #arm(): void {
    let dueMs = Infinity;
    for (const group of this.#byCadence.values()) dueMs = Math.min(dueMs, group.dueMs);
    if (dueMs === this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = dueMs === Infinity ? null : this.#options.clock.at(dueMs, () => this.#tick(dueMs));
  }

  #tick(dueMs: number): void {
    this.#timerDueMs = Infinity;
    const clockMs = this.#options.clock.now();
    const now = clockMs < dueMs - MAX_EARLY_MS ? clockMs : Math.max(dueMs, clockMs);
    const due = new Set<number>();
    for (const [cadenceMs, group] of this.#byCadence) {
      const isSetBack = group.dueMs - now > cadenceMs;
      if (group.dueMs > now && !isSetBack) continue;
      group.dueMs = nextTick(now, cadenceMs);
      due.add(cadenceMs);
    }
    this.#arm(); // before anything that could fail
    // Book by book, for all channels of one look at the same memory.
    for (const channels of this.#byInstrument.values()) {
      for (const channel of channels) if (due.has(channel.settings.cadenceMs)) this.#flush(channel);
    }
    this.deliver();
  }

  #onFrame(frame: SharedFrame): void {
    this.#places += 1;
    frame.channel.place(frame, this.position);
    this.#frames.push(frame);
  }

  /** Frames that no tick sends out. */
  #deliverSoon(): void {
    if (this.#frames.length === 0 || this.#isDeliveryDue) return;
    if (!this.#options.soon) {
      this.deliver();
      return;
    }
    this.#isDeliveryDue = true;
    this.#options.soon(() => {
      this.#isDeliveryDue = false;
      this.deliver();
    });
  }

  #onEvent(event: MarketEvent): void {
    const market = this.#options.markets.get(event.instrument);
    if (!market) return;
    const isRenewed = event.type === 'instrument' && this.#isRenewed(event, market);
    if (isRenewed) this.#logs.delete(event.instrument);
    this.#logOf(event.instrument, market).onEvent(event, market);
    const channels = this.#byInstrument.get(event.instrument);
    if (!channels) return;
    if (event.type === 'instrument') this.#tellInstrument(channels, market);
    for (const channel of channels) {
      channel.onEvent(isRenewed ? { ...event, isRescaled: true } : event);
      // Nobody is to get what is counted as before.
      if (channel.settings.cadenceMs === 0 || channel.isFull || isRenewed) this.#flush(channel);
    }
    this.#deliverSoon();
  }

  /** Whether ticks, lots, updates and trades count otherwise than before. */
  #isRenewed(event: MarketEvent & { type: 'instrument' }, { epoch }: MarketView): boolean {
    this.#epoch = Math.max(this.#epoch, epoch);
    return event.isRescaled || this.#logs.get(event.instrument)?.epoch !== epoch;
  }

  #logOf(instrument: InstrumentId, market: MarketView): MarketLog {
    let log = this.#logs.get(instrument);
    if (log?.epoch !== market.epoch) {
      if (this.#logs.size >= MAX_LOGS)
        for (const id of this.#logs.keys()) if (!this.#options.markets.get(id)) this.#logs.delete(id);
      log = new MarketLog(market);
      this.#logs.set(instrument, log);
    }
    return log;
  }

  #tellInstrument(channels: ReadonlySet<Channel>, { instrument, epoch }: MarketView): void {
    this.deliver();
    for (const subscriber of this.#audiences.subscribersOf(channels))
      subscriber.onInstrument(instrument, epoch);
  }

  #flush(channel: Channel): void {
    const market = this.#options.markets.get(channel.settings.instrument);
    if (market) channel.flush(market, this.#options.clock.now());
  }
}

/** The first whole multiple of the cadence after now; never, for cadence 0. */
function nextTick(nowMs: number, cadenceMs: number): number {
  return cadenceMs === 0 ? Infinity : (Math.floor(nowMs / cadenceMs) + 1) * cadenceMs;
}

/**
 * What a request gets: the next larger depth and the next slower cadence of those there are, as far as its
 * bounds go.
 */
function grant(request: SubscribeRequest, bounds?: ChannelBounds): ChannelSettings {
  const { topic, instrument } = request;
  const wantedCadenceMs = Math.max(request.cadence ?? DEFAULT_CADENCE_MS[topic], bounds?.minCadenceMs ?? 0);
  return {
    topic,
    instrument,
    depth: topic === 'book' ? grantDepth(request.depth ?? DEFAULT_DEPTH, bounds?.maxDepth ?? Infinity) : 0,
    cadenceMs: CADENCES_MS.find((cadenceMs) => cadenceMs >= wantedCadenceMs) ?? CADENCES_MS.at(-1)!,
    interval: request.interval ?? null,
  };
}

/** Whether a channel is one that such a client could be granted. */
export function isWithin({ topic, depth, cadenceMs }: ChannelSettings, bounds: ChannelBounds): boolean {
  const { maxDepth = Infinity, minCadenceMs } = bounds;
  const isShallow = topic !== 'book' || (depth === 0 ? maxDepth === Infinity : depth <= maxDepth);
  return isShallow && cadenceMs >= minCadenceMs;
}

function grantDepth(wanted: number, most: number): number {
  const next = wanted === 0 ? 0 : (DEPTHS.find((depth) => depth >= wanted) ?? 0);
  return next !== 0 && next <= most
    ? next
    : most === Infinity
      ? 0
      : DEPTHS.findLast((depth) => depth !== 0 && depth <= most)!;
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
