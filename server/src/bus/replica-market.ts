import {
  bookChecksum,
  candleIntervals,
  OrderBook,
  type BookState,
  type Candle,
  type CandleInterval,
  type Instrument,
  type Ticker,
  type Trade,
} from '@depthwire/shared';
import { CandleSeries } from '../engine/candles.ts';
import { MAX_TAPE, type MarketView } from '../engine/market.ts';
import type { DayStatistics } from '../engine/statistics.ts';

/** Why a book may not be what the engine's is, though nobody over there says so. */
export interface Trouble {
  readonly state: 'stale' | 'recovering';
  readonly reason: string;
}

const intervals = Object.keys(candleIntervals) as CandleInterval[];
/** The more of a word there is against a book, the higher. */
const ranks: Readonly<Record<BookState, number>> = { live: 0, stale: 1, syncing: 2, recovering: 3 };

const nothingYet: DayStatistics = {
  ...{ last: null, open: null, high: null, low: null },
  ...{ volume: 0 as Ticker['volume'], turnover: 0, trades: 0 },
};

/**
 * One instrument as the engine of another process has it. It applies what it is told and nothing else; whether that
 * is all there was, its owner knows. Clockless.
 */
export class ReplicaMarket implements MarketView {
  readonly feed: string;
  instrument: Instrument;
  epoch: number;
  readonly book = new OrderBook();
  tape: Trade[] = [];
  tradeCount = 0;
  receiveTimeMs: number | null = null;
  venueTimeMs: number | null = null;
  /** The count of frames that it has. */
  number = 0;
  /** The one with which it began, by the leader's count. */
  begunAt = 0;
  /** The highest one that it has heard of. */
  seen = 0;
  /** Whether it has every frame up to `number`. */
  isInSync = false;
  /** Whether a message of its lane was missed, which may have told of it. */
  isSuspect = false;
  /** When it was last asked for as a whole, by the owner's clock. */
  askedAtMs = -Infinity;
  /** Whether its count of trades is of this epoch. */
  countsTrades = false;
  /** How often the past of its candles became another one, by the leader's count. */
  candleChanges = 0;

  #trouble: Trouble | null = null;
  #leaderState: BookState = 'syncing';
  #leaderReason: string | null = null;
  #leaderSinceMs: number;
  #state: BookState = 'syncing';
  #reason: string | null = null;
  #stateSinceMs: number;
  #day = nothingYet;
  readonly #series = new Map<CandleInterval, CandleSeries>(
    intervals.map((interval) => [interval, new CandleSeries(interval)]),
  );
  /** Series whose past is known. */
  readonly #whole = new Set<CandleInterval>();
  readonly #wanted = new Set<CandleInterval>();
  readonly #onWanted: (market: ReplicaMarket, interval: CandleInterval) => void;

  /** @param onWanted is told when somebody reads candles whose past is not known */
  constructor(
    feed: string,
    epoch: number,
    instrument: Instrument,
    nowMs: number,
    onWanted: (market: ReplicaMarket, interval: CandleInterval) => void,
  ) {
    this.feed = feed;
    this.epoch = epoch;
    this.instrument = instrument;
    this.#leaderSinceMs = this.#stateSinceMs = nowMs;
    this.#onWanted = onWanted;
  }

  get state(): BookState {
    return this.#state;
  }

  get reason(): string | null {
    return this.#reason;
  }

  get stateSinceMs(): number {
    return this.#stateSinceMs;
  }

  get checksum(): number {
    return bookChecksum(this.book);
  }

  setLeaderState(state: BookState, reason: string | null, sinceMs: number): void {
    this.#leaderState = state;
    this.#leaderReason = reason;
    this.#leaderSinceMs = sinceMs;
  }

  setTrouble(trouble: Trouble | null): void {
    this.#trouble = trouble;
  }

  /**
   * Works the state out anew: the worse of what the leader says and what is wrong here.
   * @returns whether it changed
   */
  settleState(nowMs: number): boolean {
    const trouble = this.#trouble;
    const isOurs = trouble !== null && ranks[trouble.state] > ranks[this.#leaderState];
    const state = isOurs ? trouble.state : this.#leaderState;
    const reason = isOurs ? trouble.reason : this.#leaderReason;
    if (state === this.#state && reason === this.#reason) return false;
    if (state !== this.#state) this.#stateSinceMs = isOurs ? nowMs : this.#leaderSinceMs;
    this.#state = state;
    this.#reason = reason;
    return true;
  }

  setDay(day: DayStatistics): void {
    this.#day = day;
  }

  addTrade(trade: Trade): void {
    this.tape.push(trade);
    this.tradeCount += 1;
    if (this.tape.length > MAX_TAPE) this.tape.shift();
    for (const series of this.#series.values()) series.add(trade.timeMs, trade.price, trade.size);
  }

  /** In place of all trades that it has. */
  loadTape(trades: readonly Trade[], count: number): void {
    this.tape = trades.slice(-MAX_TAPE);
    this.tradeCount = count;
  }

  /** What it has counts as the latest of so many: under another leader. */
  recount(count: number): void {
    this.tradeCount = count;
    if (this.tape.length > count) this.tape.splice(0, this.tape.length - count);
  }

  candles(interval: CandleInterval): CandleSeries {
    if (!this.#whole.has(interval) && !this.#wanted.has(interval)) {
      this.#wanted.add(interval);
      this.#onWanted(this, interval);
    }
    return this.#series.get(interval)!;
  }

  /** Those that somebody has read, and whose past is not known. */
  get missingCandles(): readonly CandleInterval[] {
    return [...this.#wanted].filter((interval) => !this.#whole.has(interval));
  }

  hasWhole(interval: CandleInterval): boolean {
    return this.#whole.has(interval);
  }

  /** The leader's candles, as of the trades that are here too. Those that are older than it knows stay. */
  loadCandles(interval: CandleInterval, candles: readonly Candle[]): void {
    const from = candles[0]?.time ?? Infinity;
    const older = this.#series.get(interval)!.all.filter(({ time }) => time < from);
    const series = new CandleSeries(interval);
    series.seed([...older, ...candles]);
    this.#series.set(interval, series);
    this.#whole.add(interval);
  }

  /** The past of candles may be another now: of one interval, or of all. */
  forgetCandles(interval?: CandleInterval): void {
    if (interval === undefined) this.#whole.clear();
    else this.#whole.delete(interval);
  }

  ticker(): Ticker {
    const { bids, asks, bestBid, bestAsk } = this.book;
    return {
      ...this.#day,
      bid: bestBid,
      bidSize: bestBid === null ? zeroLots : bids.lotsAt(0),
      ask: bestAsk,
      askSize: bestAsk === null ? zeroLots : asks.lotsAt(0),
    };
  }
}

const zeroLots = 0 as Ticker['bidSize'];
