import {
  bookChecksum,
  encodeCandle,
  encodeTrade,
  every,
  type BookState,
  type CandleInterval,
  type Clock,
  type InstrumentId,
  type Timer,
  type Trade,
} from '@depthwire/shared';
import type { MarketView } from '../engine/market.ts';
import type { Bus, MarketEvent } from './bus.ts';
import type { BusFigures } from './bus-figures.ts';
import { laneOf } from './lanes.ts';
import {
  busCodes,
  encodeDay,
  encodeMessage,
  encodeSide,
  isSameDay,
  messageKinds,
  type Ask,
  type BookMoveFrame,
  type BusFrame,
  type DayFrame,
  type Group,
  type Head,
  type LaneMessage,
  type WholeFrame,
} from './wire.ts';

/** What comes within this time of the first update goes into one message a lane. */
const BATCH_MS = 5;
/** Numbers of levels and trades that may wait in a lane; with as many it does not wait for the time. */
const MAX_WAITING = 20_000;
/** How often each lane tells its heads: a lost tail is found by them, and they are its heartbeat. */
const HEADS_MS = 500;
/** How often wholes are given, and so many bytes, about, each time. */
const ANSWER_MS = 20;
const ANSWER_BYTES = 262_144;
/** An instrument is given as a whole no more often: who joins asks for all, and so does everybody after an outage. */
const ANSWER_AGAIN_MS = 250;
/** Requests for candles that may wait. */
const MAX_CANDLE_ASKS = 1_000;
/**
 * Under a new lease gateways may have missed so long: trades of that time come with the books, and the one before them, by
 * which a gateway knows that none is missing between.
 */
const RECENT_MS = 30_000;
/** Bytes, about, of a level and a trade. */
const LEVEL_BYTES = 4;
const TRADE_BYTES = 30;

export interface LanePublisherOptions {
  readonly ingest: string;
  /** The engine's. */
  readonly bus: Bus;
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  /** The feed that an instrument is brought by. */
  feedOf(id: InstrumentId): string | undefined;
  /** The market's clock. */
  readonly clock: Clock;
  /** Of what has to be done in time, whatever the machine's clock does. */
  readonly timers: Clock;
  readonly figures: BusFigures;
  /** Whether this process may speak for the feed under this epoch, as far as it knows now. */
  isLeading(feed: string, epoch: number): boolean;
  /** @returns false where the message was not taken */
  send(lane: number, bytes: Buffer): boolean;
}

/** What gateways know of an instrument that is led here, had they missed nothing. */
interface Told {
  readonly lane: number;
  /** Frames that were published. */
  number: number;
  /** The one with which all began anew. */
  begunAt: number;
  state: BookState | null;
  reason: string | null;
  day: DayFrame | null;
  /** How often the past of its candles became another one. */
  candleChanges: number;
  /** Checksum of the book as of that frame. */
  checksum: number;
  checkedNumber: number;
  /** When it was given as a whole. */
  givenAtMs: number;
}

interface Lane {
  messages: number;
  waiting: number;
  readonly groups: Map<InstrumentId, Group>;
}

/** Which trades come with a whole: whoever it is for has to have enough. */
interface WantedTrades {
  /** Those from this count on; Infinity where nobody asked by a count. */
  readonly since: number;
  /** Those of late. */
  readonly hasRecent: boolean;
}

interface LedFeed {
  readonly feed: string;
  readonly epoch: number;
  readonly told: Map<InstrumentId, Told>;
  readonly lanes: Map<number, Lane>;
  /** Those to be given as a whole. */
  readonly wholes: Map<InstrumentId, WantedTrades>;
  readonly candles: Set<`${CandleInterval} ${InstrumentId}`>;
}

/** Tells gateways what the engine makes of the feeds that this process leads. */
export class LanePublisher {
  readonly #options: LanePublisherOptions;
  readonly #led = new Map<string, LedFeed>();
  readonly #leaveBus: () => void;
  readonly #heads: Timer;
  #flush: Timer | null = null;
  #answers: Timer | null = null;

  constructor(options: LanePublisherOptions) {
    this.#options = options;
    this.#leaveBus = options.bus.subscribe((event) => this.#onEvent(event));
    this.#heads = every(options.timers, HEADS_MS, () => this.#tellHeads());
  }

  /** Speaks for a feed from here on; all of its instruments go out as a whole, for nobody knows them by this epoch. */
  lead(feed: string, epoch: number): void {
    const led: LedFeed = {
      ...{ feed, epoch, told: new Map(), lanes: new Map() },
      ...{ wholes: new Map(), candles: new Set() },
    };
    this.#led.set(feed, led);
    for (const id of this.#options.markets.keys()) {
      if (this.#options.feedOf(id) !== feed) continue;
      this.#toldOf(led, id);
      led.wholes.set(id, { since: Infinity, hasRecent: true });
    }
    this.#answerSoon();
    this.#tellHeadsOf(led);
  }

  cease(feed: string): void {
    this.#led.delete(feed);
  }

  /** Sends what waits for its time. */
  flush(): void {
    this.#flush?.cancel();
    this.#flushAll();
  }

  onAsk(ask: Ask): void {
    const led = this.#led.get(ask.feed);
    if (!led) return;
    if (ask.op === 'wholes') {
      // Whoever counts by another epoch asks anew once it hears of this one.
      if (ask.epoch !== led.epoch) return;
      for (const [id, count] of ask.instruments) {
        if (!led.told.has(id)) continue;
        const before = led.wholes.get(id);
        const since = Math.min(before?.since ?? Infinity, count);
        led.wholes.set(id, { since, hasRecent: before?.hasRecent ?? false });
      }
    } else if (ask.op === 'candles' && led.told.has(ask.instrument)) {
      if (led.candles.size < MAX_CANDLE_ASKS) led.candles.add(`${ask.interval} ${ask.instrument}`);
    }
    this.#answerSoon();
  }

  close(): void {
    this.#leaveBus();
    this.#heads.cancel();
    this.#flush?.cancel();
    this.#answers?.cancel();
    this.#led.clear();
  }

  #onEvent(event: MarketEvent): void {
    const feed = this.#options.feedOf(event.instrument);
    const led = feed === undefined ? undefined : this.#led.get(feed);
    if (!led) return;
    const market = this.#options.markets.get(event.instrument);
    if (!market) return;
    const told = this.#toldOf(led, event.instrument);
    switch (event.type) {
      case 'instrument':
        this.#add(led, event.instrument, 1, [
          busCodes.instrument,
          market.instrument,
          event.isRescaled,
          market.book.sequence,
          market.tradeCount,
        ]);
        if (event.isRescaled) {
          told.state = told.day = null;
          told.begunAt = told.number;
          told.candleChanges = 0;
        }
        return;
      case 'book-delta':
      case 'book-snapshot': {
        const { sequence, receiveTimeMs, takenAtMs, venueTimeMs, bids, asks } = event;
        const reference = referenceOf(market);
        const frame: BookMoveFrame = [
          event.type === 'book-delta' ? busCodes.delta : busCodes.snapshot,
          sequence,
          receiveTimeMs,
          takenAtMs,
          venueTimeMs,
          reference,
          encodeSide(bids, -1, reference),
          encodeSide(asks, 1, reference),
          this.#hasNewState(told, market) ? stateOf(market) : null,
        ];
        this.#add(led, event.instrument, bids.length + asks.length, frame);
        return;
      }
      case 'book-state':
        if (this.#hasNewState(told, market))
          this.#add(led, event.instrument, 1, [busCodes.state, ...stateOf(market)]);
        return;
      case 'trade': {
        const wire = encodeTrade(event.trade);
        const lane = led.lanes.get(told.lane)!;
        const last = lane.groups.get(event.instrument)?.[3].at(-1);
        if (last?.[0] === busCodes.trades && lane.waiting < MAX_WAITING) {
          last[1].push(wire);
          lane.waiting += 1;
        } else this.#add(led, event.instrument, 1, [busCodes.trades, [wire]]);
        return;
      }
      case 'candles':
        told.candleChanges += 1;
        this.#add(led, event.instrument, 1, [busCodes.candlesChanged, event.interval]);
        return;
    }
  }

  #hasNewState(told: Told, { state, reason }: MarketView): boolean {
    if (told.state === state && told.reason === reason) return false;
    told.state = state;
    told.reason = reason;
    return true;
  }

  #toldOf(led: LedFeed, id: InstrumentId): Told {
    let told = led.told.get(id);
    if (!told) {
      const lane = laneOf(id);
      const nothing = { number: 0, begunAt: 0, state: null, reason: null, day: null, givenAtMs: -Infinity };
      told = { lane, ...nothing, candleChanges: 0, checksum: 0, checkedNumber: -1 };
      led.told.set(id, told);
      if (!led.lanes.has(lane)) led.lanes.set(lane, { messages: 0, waiting: 0, groups: new Map() });
    }
    return told;
  }

  /** Puts a frame behind those that wait; one that counts, unless it is an answer. */
  #add(led: LedFeed, id: InstrumentId, size: number, frame: BusFrame): void {
    const told = led.told.get(id)!;
    const lane = led.lanes.get(told.lane)!;
    let group = lane.groups.get(id);
    if (!group) lane.groups.set(id, (group = [id, told.number + 1, null, []]));
    group[3].push(frame);
    if (frame[0] !== busCodes.whole && frame[0] !== busCodes.candles) told.number += 1;
    lane.waiting += size;
    if (lane.waiting >= MAX_WAITING) this.#flushLane(led, told.lane, lane);
    const { timers } = this.#options;
    this.#flush ??= timers.at(timers.now() + BATCH_MS, () => this.#flushAll());
  }

  #flushAll(): void {
    this.#flush = null;
    for (const led of this.#led.values())
      for (const [number, lane] of led.lanes) if (lane.groups.size > 0) this.#flushLane(led, number, lane);
  }

  #flushLane(led: LedFeed, number: number, lane: Lane): void {
    const sentMs = Math.floor(this.#options.clock.now());
    const body = [...lane.groups.values()];
    lane.groups.clear();
    lane.waiting = 0;
    for (const [, , , frames] of body) for (const frame of frames) makeRelative(frame, sentMs);
    for (const group of body) group[2] = this.#newDay(led, group[0], sentMs);
    this.#send(led, number, lane, { kind: messageKinds.updates, body, sentMs });
  }

  #newDay(led: LedFeed, id: InstrumentId, nowMs: number): DayFrame | null {
    const told = led.told.get(id)!;
    const market = this.#options.markets.get(id);
    if (!market) return null;
    const day = encodeDay(market.ticker(nowMs));
    if (isSameDay(told.day, day)) return null;
    told.day = day;
    return day;
  }

  /** A message that is not sent counts all the same, so that it is missed. */
  #send(
    { feed, epoch }: LedFeed,
    number: number,
    lane: Lane,
    content: Pick<LaneMessage, 'kind' | 'body' | 'sentMs'>,
  ): void {
    const { figures, ingest, isLeading, send, timers } = this.#options;
    lane.messages += 1;
    if (!isLeading(feed, epoch)) {
      figures.droppedMessages += 1;
      return;
    }
    const bytes = encodeMessage({
      ...content,
      ...{ ingest, feed, epoch, number: lane.messages, steadyMs: Math.floor(timers.now()) },
    } as LaneMessage);
    if (!send(number, bytes)) {
      figures.droppedMessages += 1;
      return;
    }
    figures.publishedMessages += 1;
    figures.publishedBytes += bytes.length;
  }

  #tellHeads(): void {
    for (const led of this.#led.values()) this.#tellHeadsOf(led);
  }

  #tellHeadsOf(led: LedFeed): void {
    const { clock, markets, feedOf } = this.#options;
    const sentMs = Math.floor(clock.now());
    const heads = new Map<number, Head[]>();
    for (const lane of led.lanes.keys()) heads.set(lane, []);
    for (const [id, told] of led.told) {
      const market = markets.get(id);
      if (!market || feedOf(id) !== led.feed) {
        led.told.delete(id);
        led.wholes.delete(id);
        led.lanes.get(told.lane)!.groups.delete(id);
        continue;
      }
      // Figures of a day change by themselves as it goes by.
      const day = encodeDay(market.ticker(sentMs));
      if (!isSameDay(told.day, day)) {
        const { groups } = led.lanes.get(told.lane)!;
        if (!groups.has(id)) groups.set(id, [id, told.number + 1, null, []]);
      }
      if (told.checkedNumber !== told.number) {
        told.checkedNumber = told.number;
        told.checksum = bookChecksum(market.book);
      }
      const { number, checksum, candleChanges } = told;
      heads
        .get(told.lane)!
        .push([id, number, market.book.sequence, market.tradeCount, checksum, candleChanges]);
    }
    for (const [number, body] of heads) {
      const lane = led.lanes.get(number)!;
      if (lane.groups.size > 0) this.#flushLane(led, number, lane);
      this.#send(led, number, lane, { kind: messageKinds.heads, body, sentMs });
    }
  }

  #answerSoon(): void {
    const { timers } = this.#options;
    this.#answers ??= timers.at(timers.now() + ANSWER_MS, () => this.#answer());
  }

  /** Gives what is asked for, so much at a time: a gateway that joins asks for all there is. */
  #answer(): void {
    this.#answers = null;
    const now = this.#options.timers.now();
    let bytes = 0;
    let isDone = true;
    for (const led of this.#led.values()) {
      for (const [id, wanted] of led.wholes) {
        if (bytes >= ANSWER_BYTES) break;
        const told = led.told.get(id);
        if (told && now - told.givenAtMs < ANSWER_AGAIN_MS) continue;
        led.wholes.delete(id);
        const market = this.#options.markets.get(id);
        if (!told || !market) continue;
        told.givenAtMs = now;
        bytes += this.#giveWhole(led, id, told, market, wanted);
      }
      for (const key of led.candles) {
        if (bytes >= ANSWER_BYTES) break;
        led.candles.delete(key);
        bytes += this.#giveCandles(led, key);
      }
      isDone &&= led.wholes.size === 0 && led.candles.size === 0;
    }
    this.#flushAll();
    if (!isDone) this.#answerSoon();
  }

  #giveWhole(led: LedFeed, id: InstrumentId, told: Told, market: MarketView, wanted: WantedTrades): number {
    const { clock, figures } = this.#options;
    const { book, tape, tradeCount } = market;
    const reference = referenceOf(market);
    const bids = book.bids.toFlat();
    const asks = book.asks.toFlat();
    const recent = wanted.hasRecent ? countSince(tape, clock.now() - RECENT_MS) : 0;
    const missed = latest(tape, Math.max(recent, tradeCount - wanted.since));
    told.state = market.state;
    told.reason = market.reason;
    const whole: WholeFrame = [
      busCodes.whole,
      told.number,
      told.begunAt,
      market.instrument,
      book.sequence,
      bookChecksum(book),
      market.receiveTimeMs,
      market.venueTimeMs,
      reference,
      encodeSide(bids, -1, reference),
      encodeSide(asks, 1, reference),
      stateOf(market),
      encodeDay(market.ticker(clock.now())),
      tradeCount,
      missed.map(encodeTrade),
      missed.length === tape.length,
      told.candleChanges,
    ];
    this.#add(led, id, bids.length + asks.length + missed.length, whole);
    figures.resyncsAnswered += 1;
    return ((bids.length + asks.length) / 2) * LEVEL_BYTES + missed.length * TRADE_BYTES;
  }

  #giveCandles(led: LedFeed, key: `${CandleInterval} ${InstrumentId}`): number {
    const space = key.indexOf(' ');
    const interval = key.slice(0, space) as CandleInterval;
    const id = key.slice(space + 1);
    const market = this.#options.markets.get(id);
    const told = led.told.get(id);
    if (!market || !told) return 0;
    const candles = market.candles(interval).all.map(encodeCandle);
    const { tradeCount } = market;
    this.#add(led, id, candles.length, [busCodes.candles, interval, tradeCount, told.candleChanges, candles]);
    return candles.length * TRADE_BYTES;
  }
}

const stateOf = ({ state, reason, stateSinceMs }: MarketView): [BookState, string | null, number] => [
  state,
  reason,
  Math.floor(stateSinceMs),
];

const referenceOf = ({ book }: MarketView) => book.bestBid ?? book.bestAsk ?? 0;

function latest<T>(values: readonly T[], count: number): readonly T[] {
  return count <= 0 ? [] : values.slice(-count);
}

/** The latest ones from the last one on that is not later than this. */
function countSince(tape: readonly Trade[], sinceMs: number): number {
  const first = tape.findIndex(({ timeMs }) => timeMs > sinceMs);
  return first < 0 ? Math.min(tape.length, 1) : tape.length - Math.max(first - 1, 0);
}

/** Times of a book's update as they go out: whole milliseconds before the message. */
function makeRelative(frame: BusFrame, sentMs: number): void {
  if (frame[0] !== busCodes.delta && frame[0] !== busCodes.snapshot) return;
  const [, , receiveMs, takenMs, venueMs] = frame;
  frame[2] = sentMs - Math.floor(receiveMs);
  frame[3] = sentMs - Math.floor(takenMs);
  frame[4] = venueMs === null ? null : sentMs - Math.floor(venueMs);
}
