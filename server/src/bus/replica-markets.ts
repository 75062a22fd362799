import {
  decodeCandle,
  decodeTrade,
  DepthwireError,
  every,
  hasSameScales,
  type BookState,
  type CandleInterval,
  type Clock,
  type InstrumentId,
  type Timer,
  type Trade,
} from '@depthwire/shared';
import { MAX_TAPE } from '../engine/market.ts';
import type { Bus } from './bus.ts';
import type { BusFigures } from './bus-figures.ts';
import { checkedCandles, checkFrame, checkGroup, checkHead } from './frame-checks.ts';
import { laneOf } from './lanes.ts';
import type { Refusals } from './refusals.ts';
import { ReplicaMarket, type Trouble } from './replica-market.ts';
import {
  busCodes,
  decodeDay,
  decodeMessage,
  decodeSide,
  MAX_ASKED,
  messageKinds,
  type Ask,
  type BookMoveFrame,
  type BusFrame,
  type Group,
  type Head,
  type LaneMessage,
  type WholeFrame,
} from './wire.ts';

/** A lane that told no heads for so long is silent: its books are not known to be right. Heads come four times as often. */
const SILENT_AFTER_MS = 2_000;
const WATCH_MS = 250;
/** A leader under a lower epoch is taken where nothing came under the higher one for so long: its clock was ahead, and Redis forgot it. */
const LOWER_AFTER_MS = 5_000;
/** Heads that come so much later than those that came fastest were held up: what they clear is long past. */
const LATE_AFTER_MS = 1_000;
/** Heads that come so much before those that came fastest are believed where others say so too. */
const EARLY_MS = 10_000;
/**
 * Heads that all come so much later than the fastest did, to within a quarter of a second for so long, are not held up: their
 * leader's clock stood still, as where its host was paused together with the Redis that has its lease.
 */
const STEADY_LAG_MS = 30_000;
const STEADY_WITHIN_MS = 250;
/** Two machines' clocks may drift apart so much from heads to heads: half a second in a thousand. */
const DRIFT_MS = 0.25;
/** A lane that stays silent is told of as often. */
const SILENT_AGAIN_MS = 5_000;
/** What was asked for is asked for again. */
const ASK_AGAIN_MS = 1_000;
/** What is missed within this time is asked for together. */
const ASK_DELAY_MS = 10;
/** By then every lane has told its heads once. */
const HEARD_AFTER_MS = 600;
/** Instruments of all feeds; as many as ten ingests have. */
const MAX_INSTRUMENTS = 100_000;
/** Feeds that a bus may have. */
const MAX_FEEDS = 1_000;

const LOST = 'the bus lost updates';

export interface ReplicaMarketsOptions {
  /** Of this process, from which its clients are served. */
  readonly bus: Bus;
  /** The market's clock. */
  readonly clock: Clock;
  /** Of what has to be done in time, whatever the machine's clock does. */
  readonly timers: Clock;
  readonly figures: BusFigures;
  readonly refusals: Refusals;
  ask(ask: Ask): void;
  /** Nothing came on a lane for long. */
  onSilent?(lane: number): void;
}

interface LaneView {
  /** Of the newest message; null before the first. */
  number: number | null;
  /** When the newest heads came. */
  headsAtMs: number;
  /** When its silence was told of, or is to have begun. */
  silentToldAtMs: number;
  /** Why its books are not known to be right; null while heads come. */
  silence: string | null;
  readonly instruments: Set<InstrumentId>;
  /** Instruments that are not known yet, with when they were asked for. */
  readonly unknown: Map<InstrumentId, number>;
}

interface FeedView {
  readonly feed: string;
  epoch: number;
  /** Who leads it. */
  ingest: string;
  /** From its leader's clock to this one: what came fastest, of late. */
  leastLagMs: number;
  /** Since when heads are late by about so much, all of them; null while they are not. */
  late: { readonly lagMs: number; readonly sinceMs: number } | null;
  /** The same of heads that came impossibly early, until others say so too. */
  earlyLagMs: number;
  /** When something came under its epoch. */
  heardAtMs: number;
  readonly lanes: Map<number, LaneView>;
}

/**
 * The markets of other processes, by what their lanes tell. A book is live only where every frame of it came, and where
 * it is known that none is missing: for each instrument by itself its frames are counted, and its book's checksum is told
 * with every heartbeat. Whatever is missed is asked for as a whole.
 */
export class ReplicaMarkets {
  readonly #options: ReplicaMarketsOptions;
  readonly #markets = new Map<InstrumentId, ReplicaMarket>();
  readonly #feeds = new Map<string, FeedView>();
  /** What is to be asked for, of each feed. */
  readonly #asks = new Map<string, Map<InstrumentId, number>>();
  #asking: Timer | null = null;
  readonly #watch: Timer;
  /** Candles that were asked for, with when. */
  readonly #candleAsks = new Map<ReplicaMarket, Map<CandleInterval, number>>();
  readonly #candleWaiters = new Set<() => void>();
  /** When the first message came. */
  #heardAtMs = Infinity;

  constructor(options: ReplicaMarketsOptions) {
    this.#options = options;
    this.#watch = every(options.timers, WATCH_MS, () => this.#look());
  }

  get markets(): ReadonlyMap<InstrumentId, ReplicaMarket> {
    return this.#markets;
  }

  /** Who leads each feed, under which epoch, and how many of its lanes are silent. */
  get feeds(): readonly { feed: string; ingest: string; epoch: number; silentLanes: number }[] {
    return [...this.#feeds.values()].map(({ feed, ingest, epoch, lanes }) => {
      const silentLanes = [...lanes.values()].filter(({ silence }) => silence !== null).length;
      return { feed, ingest, epoch, silentLanes };
    });
  }

  /** Whether all lanes were heard, and there is a book of every instrument that they told of. */
  get hasAll(): boolean {
    if (!(this.#options.timers.now() - this.#heardAtMs > HEARD_AFTER_MS)) return false;
    for (const { lanes } of this.#feeds.values())
      for (const { unknown } of lanes.values()) if (unknown.size > 0) return false;
    return this.#markets.size > 0 && [...this.#markets.values()].every(({ isInSync }) => isInSync);
  }

  countBooks(): Record<BookState, number> {
    const count: Record<BookState, number> = { syncing: 0, live: 0, stale: 0, recovering: 0 };
    for (const { state } of this.#markets.values()) count[state] += 1;
    return count;
  }

  /** Resolves once the past of these candles is known, or after a while without it. */
  async whenCandles(market: ReplicaMarket, interval: CandleInterval, withinMs: number): Promise<void> {
    market.candles(interval);
    if (market.hasWhole(interval)) return;
    const { timers } = this.#options;
    await new Promise<void>((resolve) => {
      const done = () => {
        timer.cancel();
        this.#candleWaiters.delete(look);
        resolve();
      };
      const look = () => {
        if (market.hasWhole(interval)) done();
      };
      const timer = timers.at(timers.now() + withinMs, done);
      this.#candleWaiters.add(look);
    });
  }

  /** A message of a lane: whatever it is, it does no harm to what it does not tell of. */
  onMessage(lane: number, bytes: Uint8Array): void {
    const { figures, clock, refusals } = this.#options;
    figures.receivedMessages += 1;
    figures.receivedBytes += bytes.length;
    let message: LaneMessage;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      refusals.refuse('lane', error);
      return;
    }
    const feed = this.#feedOf(message);
    if (!feed) return;
    this.#heardAtMs = Math.min(this.#heardAtMs, this.#options.timers.now());
    figures.lag.observe(clock.now() - message.sentMs);
    const view = this.#laneOf(feed, lane);
    const isNewest = view.number === null || message.number > view.number;
    if (isNewest) {
      if (view.number !== null && message.number !== view.number + 1) this.#suspect(view);
      view.number = message.number;
    }
    if (message.kind === messageKinds.updates)
      for (const group of message.body) this.#readGroup(feed, view, lane, group, message.sentMs);
    else if (isNewest && !this.#isLate(feed, message)) this.#readHeads(feed, view, lane, message.body);
  }

  #readGroup(feed: FeedView, view: LaneView, lane: number, group: unknown, sentMs: number): void {
    try {
      checkGroup(group);
      this.#checkLane(view, lane, group[0]);
    } catch (error) {
      this.#options.refusals.refuse('lane', error);
      this.#suspect(view); // until heads tell what is right
      return;
    }
    this.#applyGroup(feed, view, group, sentMs);
  }

  /** All of them or none: what heads leave out is there no more. */
  #readHeads(feed: FeedView, view: LaneView, lane: number, heads: readonly unknown[]): void {
    try {
      if (heads.length > MAX_INSTRUMENTS)
        throw new DepthwireError('malformed_message', `heads: expected up to ${MAX_INSTRUMENTS}`);
      for (const head of heads) {
        checkHead(head);
        this.#checkLane(view, lane, head[0]);
      }
    } catch (error) {
      this.#options.refusals.refuse('lane', error);
      this.#suspect(view); // until others tell what is right
      return;
    }
    this.#applyHeads(feed, view, heads as readonly Head[]);
  }

  #checkLane({ instruments }: LaneView, lane: number, id: InstrumentId): void {
    if (instruments.has(id) || laneOf(id) === lane) return;
    throw new DepthwireError('malformed_message', `${id} on lane ${lane}: expected on lane ${laneOf(id)}`);
  }

  /** What was held up on the way comes at once, and for a moment a book of long ago would pass for one of now. */
  #isLate(feed: FeedView, { steadyMs }: LaneMessage): boolean {
    const now = this.#options.timers.now();
    const lagMs = now - steadyMs;
    const { leastLagMs, earlyLagMs } = feed;
    const isEarly = leastLagMs !== Infinity && leastLagMs - lagMs > EARLY_MS;
    if (isEarly && Math.abs(lagMs - earlyLagMs) > EARLY_MS) {
      feed.earlyLagMs = lagMs;
      return true;
    }
    feed.leastLagMs = Math.min(feed.leastLagMs + DRIFT_MS, lagMs);
    if (lagMs - feed.leastLagMs <= LATE_AFTER_MS) {
      feed.late = null;
      return false;
    }
    if (feed.late === null || Math.abs(lagMs - feed.late.lagMs) > STEADY_WITHIN_MS)
      feed.late = { lagMs, sinceMs: now };
    if (now - feed.late.sinceMs < STEADY_LAG_MS) return true;
    feed.leastLagMs = lagMs;
    feed.late = null;
    return false;
  }

  /** Nothing comes any more; what comes again has to prove itself. */
  onDown(): void {
    for (const { lanes } of this.#feeds.values())
      for (const lane of lanes.values()) this.#silence(lane, 'the bus cannot be reached');
  }

  close(): void {
    this.#watch.cancel();
    this.#asking?.cancel();
    for (const waiter of this.#candleWaiters) waiter();
  }

  /** @returns undefined where the message is of an ingest that leads no more, or there are too many feeds */
  #feedOf({ feed: id, epoch, ingest }: LaneMessage): FeedView | undefined {
    let feed = this.#feeds.get(id);
    if (!feed) {
      if (this.#feeds.size >= MAX_FEEDS) return undefined;
      this.#feeds.set(
        id,
        (feed = {
          ...{
            feed: id,
            epoch,
            ingest,
            leastLagMs: Infinity,
            late: null,
            earlyLagMs: Infinity,
            heardAtMs: 0,
          },
          lanes: new Map(),
        }),
      );
    }
    const now = this.#options.timers.now();
    const isOther = epoch !== feed.epoch || ingest !== feed.ingest;
    if (isOther && epoch <= feed.epoch && now - feed.heardAtMs < LOWER_AFTER_MS) {
      const { figures, refusals } = this.#options;
      figures.fenced += 1;
      if (epoch === feed.epoch)
        refusals.refuse('leader', `${ingest} under the epoch of ${feed.ingest}, which leads ${id}`);
      return undefined;
    }
    if (isOther) this.#follow(feed, epoch, ingest);
    feed.heardAtMs = now;
    return feed;
  }

  /** Another ingest leads, or the same one anew: nothing that was counted before counts now. */
  #follow(feed: FeedView, epoch: number, ingest: string): void {
    feed.epoch = epoch;
    feed.ingest = ingest;
    feed.leastLagMs = feed.earlyLagMs = Infinity;
    feed.late = null;
    this.#asks.delete(feed.feed);
    const now = this.#options.timers.now();
    for (const lane of feed.lanes.values()) {
      lane.number = null;
      lane.headsAtMs = now;
      lane.unknown.clear();
      for (const id of lane.instruments) {
        const market = this.#markets.get(id);
        if (!market) continue;
        market.number = market.seen = 0;
        market.countsTrades = false;
        market.askedAtMs = now; // the new leader gives all of them unasked
        this.#lose(feed, lane, market);
      }
    }
  }

  #laneOf(feed: FeedView, number: number): LaneView {
    let lane = feed.lanes.get(number);
    if (!lane) {
      const headsAtMs = this.#options.timers.now();
      lane = {
        number: null,
        headsAtMs,
        silentToldAtMs: headsAtMs,
        silence: null,
        instruments: new Set(),
        unknown: new Map(),
      };
      feed.lanes.set(number, lane);
    }
    return lane;
  }

  #suspect(lane: LaneView): void {
    this.#options.figures.gaps += 1;
    for (const id of lane.instruments) {
      const market = this.#markets.get(id);
      if (!market) continue;
      market.isSuspect = true;
      this.#settle(lane, market);
    }
  }

  #silence(lane: LaneView, reason: string): void {
    if (lane.silence === reason) return;
    lane.silence = reason;
    for (const id of lane.instruments) {
      const market = this.#markets.get(id);
      if (market) this.#settle(lane, market);
    }
  }

  #look(): void {
    const now = this.#options.timers.now();
    for (const { lanes } of this.#feeds.values()) {
      for (const [number, lane] of lanes) {
        if (now - lane.headsAtMs <= SILENT_AFTER_MS) continue;
        if (lane.silence === null) this.#silence(lane, 'the bus is silent');
        // Heads tell of each book whether it is right; a number that was too high must not keep them away.
        lane.number = null;
        if (now - Math.max(lane.headsAtMs, lane.silentToldAtMs) <= SILENT_AGAIN_MS) continue;
        lane.silentToldAtMs = now;
        this.#options.onSilent?.(number);
      }
    }
    for (const [market, asked] of this.#candleAsks)
      for (const [interval, askedAtMs] of asked)
        if (now - askedAtMs > ASK_AGAIN_MS) this.#askCandles(market, interval);
  }

  // ── what comes ────────────────────────────────────────────────────────────────────────────────

  #applyGroup(feed: FeedView, lane: LaneView, [id, first, day, frames]: Group, sentMs: number): void {
    let number = first - 1;
    // Before the trades that made it, and behind a frame that began the market anew.
    this.#setDay(feed, id, number, day);
    for (const read of frames as readonly unknown[]) {
      try {
        const frame = checkFrame(id, read);
        switch (frame[0]) {
          case busCodes.whole:
            this.#applyWhole(feed, lane, id, frame);
            break;
          case busCodes.candles:
            this.#applyCandles(feed, id, frame);
            break;
          default:
            number += 1;
            this.#applyCounted(feed, lane, id, number, frame, sentMs);
        }
      } catch (error) {
        // Whatever is wrong with it: the book is not known to be right any more.
        this.#options.refusals.refuse('lane', error);
        const market = this.#known(feed, id);
        if (market) this.#lose(feed, lane, market);
      }
    }
    this.#setDay(feed, id, number, day);
  }

  /** @param number of the frame that they are figures as of: whoever is elsewhere gets others */
  #setDay(feed: FeedView, id: InstrumentId, number: number, day: Group[2]): void {
    const known = this.#known(feed, id);
    if (known?.isInSync && known.number === number && day !== null) known.setDay(decodeDay(day));
  }

  /** The market where what is counted of it is of this feed's epoch. */
  #known(feed: FeedView, id: InstrumentId): ReplicaMarket | undefined {
    const market = this.#markets.get(id);
    return market?.feed === feed.feed ? market : undefined;
  }

  #applyCounted(
    feed: FeedView,
    lane: LaneView,
    id: InstrumentId,
    number: number,
    frame: Exclude<BusFrame, WholeFrame | readonly [typeof busCodes.candles, ...unknown[]]>,
    sentMs: number,
  ): void {
    const known = this.#known(feed, id);
    if (frame[0] === busCodes.instrument && frame[2] && number > (known?.seen ?? 0)) {
      this.#begin(feed, lane, number, frame);
      return;
    }
    if (!known) return; // heads will tell
    known.seen = Math.max(known.seen, number);
    if (!known.isInSync || number <= known.number) return;
    if (number !== known.number + 1) {
      this.#lose(feed, lane, known);
      return;
    }
    known.number = number;
    const { bus } = this.#options;
    switch (frame[0]) {
      case busCodes.delta:
      case busCodes.snapshot:
        this.#applyMove(feed, lane, known, frame, sentMs);
        return;
      case busCodes.state:
        known.setLeaderState(frame[1], frame[2], frame[3]);
        this.#settle(lane, known);
        return;
      case busCodes.trades:
        for (const wire of frame[1]) this.#addTrade(known, decodeTrade(wire));
        return;
      case busCodes.instrument:
        known.instrument = frame[1];
        bus.publish({ type: 'instrument', instrument: id, isRescaled: false });
        return;
      case busCodes.candlesChanged:
        known.candleChanges += 1;
        if (!known.hasWhole(frame[1])) return;
        known.forgetCandles(frame[1]);
        this.#askCandles(known, frame[1]);
        return;
    }
  }

  /** An instrument that is new, or counted in other units than before. */
  #begin(
    feed: FeedView,
    lane: LaneView,
    number: number,
    [, instrument, , sequence, tradeCount]: BusFrame & readonly [typeof busCodes.instrument, ...unknown[]],
  ): void {
    const market = this.#create(feed, lane, instrument.id, instrument);
    if (!market) return;
    market.number = market.seen = market.begunAt = number;
    market.book.sequence = sequence;
    market.tradeCount = tradeCount;
    market.isInSync = market.countsTrades = true;
    this.#settle(lane, market, false);
    this.#options.bus.publish({ type: 'instrument', instrument: instrument.id, isRescaled: true });
  }

  #create(
    feed: FeedView,
    lane: LaneView,
    id: InstrumentId,
    instrument: ReplicaMarket['instrument'],
  ): ReplicaMarket | null {
    const before = this.#markets.get(id);
    if (before && before.feed !== feed.feed) {
      // Of two feeds that claim it, the one that was led later has it, until it gives it up or says nothing for long.
      const other = this.#feeds.get(before.feed);
      const isHeard = this.#options.timers.now() - (other?.heardAtMs ?? -Infinity) < LOWER_AFTER_MS;
      if (before.epoch > feed.epoch && isHeard) return null;
      for (const { instruments } of other?.lanes.values() ?? []) instruments.delete(id);
    }
    if (!before && this.#markets.size >= MAX_INSTRUMENTS) return null;
    if (before) this.#candleAsks.delete(before);
    const { clock } = this.#options;
    const market = new ReplicaMarket(feed.feed, feed.epoch, instrument, clock.now(), (wanted, interval) =>
      this.#askCandles(wanted, interval),
    );
    this.#markets.set(id, market);
    lane.instruments.add(id);
    lane.unknown.delete(id);
    return market;
  }

  #applyMove(
    feed: FeedView,
    lane: LaneView,
    market: ReplicaMarket,
    [code, sequence, receiveTime, takenAt, venueTime, reference, wireBids, wireAsks, state]: BookMoveFrame,
    sentMs: number,
  ): void {
    const { book } = market;
    if (sequence !== book.sequence + 1) {
      this.#lose(feed, lane, market);
      return;
    }
    const bids = decodeSide(wireBids, -1, reference);
    const asks = decodeSide(wireAsks, 1, reference);
    if (code === busCodes.delta) book.applyDelta(bids, asks);
    else book.loadSnapshot(bids, asks);
    book.sequence = sequence;
    market.receiveTimeMs = sentMs - receiveTime;
    market.venueTimeMs = venueTime === null ? null : sentMs - venueTime;
    if (state !== null) market.setLeaderState(...state);
    // The state is settled before anybody reads the levels: nobody sees a crossed book as live.
    const hasNewState = this.#settle(lane, market, false);
    const { receiveTimeMs, venueTimeMs } = market;
    const { bus } = this.#options;
    bus.publish({
      type: code === busCodes.delta ? 'book-delta' : 'book-snapshot',
      instrument: market.instrument.id,
      ...{ sequence, receiveTimeMs, venueTimeMs, takenAtMs: sentMs - takenAt, bids, asks },
    });
    if (hasNewState) this.#publishState(market);
  }

  #addTrade(market: ReplicaMarket, trade: Trade): void {
    market.addTrade(trade);
    this.#options.bus.publish({ type: 'trade', instrument: market.instrument.id, trade });
  }

  /** Brings whoever missed anything to where the leader is; those who have all of it leave it alone. */
  #applyWhole(feed: FeedView, lane: LaneView, id: InstrumentId, frame: WholeFrame): void {
    const [, number, begunAt, instrument, sequence, checksum, receiveTimeMs, venueTimeMs, reference] = frame;
    const [, , , , , , , , , wireBids, wireAsks, state, day, tradeCount, wireTrades, hasAll, candleChanges] =
      frame;
    const known = this.#known(feed, id);
    if (known && (known.isInSync || number < known.seen)) return;
    const bids = decodeSide(wireBids, -1, reference);
    const asks = decodeSide(wireAsks, 1, reference);
    const trades = wireTrades.map(decodeTrade);
    const isAnew =
      !known ||
      !hasSameScales(known.instrument, instrument) ||
      (known.epoch === feed.epoch && known.begunAt !== begunAt);
    const missed = isAnew ? null : missedTrades(known, trades, tradeCount, hasAll);
    if (missed === 'more') {
      // Nobody is told of a later trade before the earlier ones.
      if (known) this.#askWhole(feed, known, true);
      return;
    }
    const market = isAnew ? this.#create(feed, lane, id, instrument) : known;
    if (!market) return;
    const { bus, clock } = this.#options;
    market.instrument = instrument;
    market.book.loadSnapshot(bids, asks);
    market.book.sequence = sequence;
    market.receiveTimeMs = receiveTimeMs;
    market.venueTimeMs = venueTimeMs;
    market.number = market.seen = number;
    market.begunAt = begunAt;
    market.setLeaderState(...state);
    market.setDay(decodeDay(day));
    if (market.checksum !== checksum) {
      this.#lose(feed, lane, market);
      return;
    }
    market.isInSync = true;
    const isOtherEpoch = market.epoch !== feed.epoch;
    market.epoch = feed.epoch;
    if (missed === null) {
      market.loadTape(trades, tradeCount);
      market.forgetCandles();
    } else {
      market.recount(tradeCount - missed.length);
      if (isOtherEpoch || market.candleChanges !== candleChanges) market.forgetCandles();
    }
    market.candleChanges = candleChanges;
    market.countsTrades = true;
    const hasNewState = this.#settle(lane, market, false);
    if (isOtherEpoch || missed === null)
      bus.publish({ type: 'instrument', instrument: id, isRescaled: missed === null });
    const takenAtMs = clock.now();
    bus.publish({
      type: 'book-snapshot',
      instrument: id,
      ...{ sequence, receiveTimeMs: receiveTimeMs ?? takenAtMs, venueTimeMs, takenAtMs, bids, asks },
    });
    if (hasNewState) this.#publishState(market);
    for (const trade of missed ?? []) this.#addTrade(market, trade);
    for (const interval of market.missingCandles) this.#askCandles(market, interval);
  }

  #applyCandles(
    feed: FeedView,
    id: InstrumentId,
    [, interval, tradeCount, candleChanges, wire]: BusFrame &
      readonly [typeof busCodes.candles, ...unknown[]],
  ): void {
    const market = this.#known(feed, id);
    // The lane has them in order: whoever has every trade up to here has as many as they are of.
    if (!market?.isInSync || market.tradeCount !== tradeCount || market.candleChanges !== candleChanges)
      return;
    if (!market.missingCandles.includes(interval)) return;
    market.loadCandles(interval, checkedCandles(interval, wire.map(decodeCandle)));
    const asked = this.#candleAsks.get(market);
    asked?.delete(interval);
    if (asked?.size === 0) this.#candleAsks.delete(market);
    this.#options.bus.publish({ type: 'candles', instrument: id, interval });
    for (const waiter of this.#candleWaiters) waiter();
  }

  #applyHeads(feed: FeedView, lane: LaneView, heads: readonly Head[]): void {
    const now = this.#options.timers.now();
    lane.headsAtMs = now;
    lane.silence = null;
    const there = new Set<InstrumentId>();
    for (const [id, number, sequence, tradeCount, checksum, candleChanges] of heads) {
      there.add(id);
      const market = this.#known(feed, id);
      if (!market) {
        if (now - (lane.unknown.get(id) ?? -Infinity) > ASK_AGAIN_MS) {
          lane.unknown.set(id, now);
          this.#ask(feed.feed, id, -1);
        }
        continue;
      }
      market.seen = number; // whatever somebody else counted
      if (market.isInSync) {
        const isRight =
          market.number === number &&
          market.book.sequence === sequence &&
          market.tradeCount === tradeCount &&
          market.candleChanges === candleChanges &&
          market.checksum === checksum;
        market.isSuspect = false;
        if (!isRight) this.#lose(feed, lane, market);
        else this.#settle(lane, market);
      } else this.#askWhole(feed, market);
    }
    for (const id of lane.unknown.keys()) if (!there.has(id)) lane.unknown.delete(id);
    for (const id of lane.instruments) {
      if (there.has(id)) continue;
      lane.instruments.delete(id);
      this.#candleAsks.delete(this.#markets.get(id)!);
      this.#markets.delete(id);
    }
  }

  // ── what is missing ───────────────────────────────────────────────────────────────────────────

  #lose(feed: FeedView, lane: LaneView, market: ReplicaMarket): void {
    market.isInSync = market.isSuspect = false;
    this.#settle(lane, market);
    this.#askWhole(feed, market);
  }

  /** @param isMore what was given was not enough */
  #askWhole(feed: FeedView, market: ReplicaMarket, isMore = false): void {
    const now = this.#options.timers.now();
    if (!isMore && now - market.askedAtMs <= ASK_AGAIN_MS) return;
    market.askedAtMs = now;
    this.#ask(feed.feed, market.instrument.id, market.countsTrades ? market.tradeCount : -1);
  }

  #ask(feed: string, id: InstrumentId, tradeCount: number): void {
    let asks = this.#asks.get(feed);
    if (!asks) this.#asks.set(feed, (asks = new Map()));
    asks.set(id, tradeCount);
    this.#options.figures.resyncsAsked += 1;
    const { timers } = this.#options;
    this.#asking ??= timers.at(timers.now() + ASK_DELAY_MS, () => this.#sendAsks());
  }

  #sendAsks(): void {
    this.#asking = null;
    for (const [feed, asks] of this.#asks) {
      const { epoch } = this.#feeds.get(feed)!;
      const all = [...asks];
      for (let i = 0; i < all.length; i += MAX_ASKED)
        this.#options.ask({ op: 'wholes', feed, epoch, instruments: all.slice(i, i + MAX_ASKED) });
    }
    this.#asks.clear();
  }

  #askCandles(market: ReplicaMarket, interval: CandleInterval): void {
    let asked = this.#candleAsks.get(market);
    if (!asked) this.#candleAsks.set(market, (asked = new Map()));
    asked.set(interval, this.#options.timers.now());
    // Of one that is not in sync they are asked for when it is: they would fit nothing before.
    if (!market.isInSync) return;
    this.#options.ask({ op: 'candles', feed: market.feed, instrument: market.instrument.id, interval });
  }

  // ── states ────────────────────────────────────────────────────────────────────────────────────

  #settle(lane: LaneView, market: ReplicaMarket, isTold = true): boolean {
    market.setTrouble(troubleOf(lane, market, this.#feeds.get(market.feed)));
    const hasChanged = market.settleState(this.#options.clock.now());
    if (hasChanged && isTold) this.#publishState(market);
    return hasChanged;
  }

  #publishState({ instrument: { id }, state, reason }: ReplicaMarket): void {
    this.#options.bus.publish({ type: 'book-state', instrument: id, state, reason });
  }
}

function troubleOf(lane: LaneView, market: ReplicaMarket, feed: FeedView | undefined): Trouble | null {
  if (!market.isInSync) {
    const isOtherEpoch = feed !== undefined && feed.epoch !== market.epoch;
    return { state: 'recovering', reason: isOtherEpoch ? `another ingest leads ${feed.feed} now` : LOST };
  }
  if (market.isSuspect) return { state: 'recovering', reason: LOST };
  return lane.silence === null ? null : { state: 'stale', reason: lane.silence };
}

/**
 * Those of the leader's latest trades that are not here.
 * @param hasAll whether the leader has no others
 * @returns `more` where some between may be missing that the leader has; null where it has them no more, and all have to
 *   begin anew
 */
function missedTrades(
  market: ReplicaMarket,
  trades: readonly Trade[],
  count: number,
  hasAll: boolean,
): readonly Trade[] | 'more' | null {
  if (market.countsTrades) {
    const missing = count - market.tradeCount;
    if (missing < 0) return null;
    if (missing > trades.length) return hasAll ? null : 'more';
    return missing === 0 ? [] : trades.slice(-missing);
  }
  // Another leader counts in its own way: the venue's ids tell.
  const ids = new Set(market.tape.map(({ id }) => id));
  const at = trades.findLastIndex(({ id }) => ids.has(id));
  if (at >= 0) return trades.slice(at + 1);
  const last = market.tape.at(-1);
  const isReached = last !== undefined && trades.some(({ timeMs }) => timeMs < last.timeMs);
  if (!isReached && !hasAll) return 'more';
  // As many as a tape keeps: those before them were there, and are gone.
  if (!isReached && trades.length >= MAX_TAPE) return null;
  return last === undefined ? trades : trades.filter(({ timeMs }) => timeMs > last.timeMs);
}
