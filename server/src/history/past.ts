import {
  candleIntervals,
  DepthwireError,
  toDepthwireError,
  type Candle,
  type CandleInterval,
  type Clock,
  type InstrumentId,
  type Trade,
} from '@depthwire/shared';
import type { CandleQuery, Feed, FeedLog } from '@depthwire/feeds';
import type { DepthColumn } from '@depthwire/shared/depth';
import type { MarketView } from '../engine/market.ts';
import { PastCandles } from './past-candles.ts';
import { seriesOf } from './series-key.ts';
import { unpackColumns } from './stored-columns.ts';
import {
  FAR_S,
  type HistoryStore,
  type Hole,
  type Span,
  type StoredTrade,
  type TradesQuery,
} from './stores/store.ts';
import { isAbsence } from './stores/unavailable.ts';

/** Holes of one page that its feed is asked about, and that are told. */
const MAX_HOLES_ASKED = 4;
const MAX_HOLES_TOLD = 200;
/** So long a market may be without a trade, where it is not known whether there was one. */
const QUIET_MS = 60_000;

export interface PastOptions {
  /** The market's. */
  readonly clock: Clock;
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  /** Whom to ask for what is not stored; nobody on a gateway. */
  readonly feedOf: (id: InstrumentId) => Feed | undefined;
  readonly store: HistoryStore | null;
  /** Whether the store is known not to answer: nobody is to wait for it. */
  readonly isAway?: () => boolean;
  /** It answered, or could not: null or why. */
  readonly onRead?: (error: DepthwireError | null) => void;
  readonly log: FeedLog;
  /** Resolves once the candles in memory are as the engine has them. */
  readonly whenCandles?: (market: MarketView, interval: CandleInterval) => Promise<void>;
}

export interface CandlePage {
  /** Oldest first. */
  readonly candles: readonly Candle[];
  /** False where it is known that there are none before these. */
  readonly hasMore: boolean;
  /** Stretches within the page in which trades may be missing. */
  readonly holes: readonly Span[];
}

/** Stored trades of an instrument, counted in the ticks and lots that it has now. */
export interface StoredTape {
  /** Names those. */
  readonly scales: string;
  trades(query: TradesQuery): Promise<StoredTrade[]>;
  /** The number of a trade in the store; undefined where it is not there yet, and so all that are there are older. */
  numberOf(trade: Trade | undefined): Promise<number | undefined>;
}

/**
 * Candles, from wherever they are: memory has the newest, the store those before, the feed what is not stored. A candle
 * is taken from one of them, never put together of two.
 */
export class Past {
  readonly #options: PastOptions;
  readonly #asked = new PastCandles();

  constructor(options: PastOptions) {
    this.#options = options;
  }

  /**
   * @param beforeS exclusive open time, unix seconds
   * @throws DepthwireError `unknown_instrument`
   */
  async candles(
    id: InstrumentId,
    interval: CandleInterval,
    limit: number,
    beforeS: number = Infinity,
  ): Promise<CandlePage> {
    const market = this.#options.markets.get(id);
    if (!market)
      throw new DepthwireError('unknown_instrument', `no feed publishes ${id}`, { instrument: id });
    if (this.#options.whenCandles) await this.#options.whenCandles(market, interval);
    const kept = market.candles(interval).latest(limit + 1, beforeS); // one more tells whether there is a next page
    const endS = kept[0]?.time ?? Math.min(beforeS, this.#nextOpenS(interval));
    const older =
      kept.length > limit ? [] : await this.#before(market, interval, limit + 1 - kept.length, endS);
    const found = [...older, ...kept];
    const candles = found.slice(-limit);
    const [oldest] = candles;
    return {
      candles,
      hasMore:
        oldest !== undefined &&
        (found.length > limit || (await this.mayHaveBefore(id, interval, oldest.time))),
      holes: await this.#holes(market, interval, candles, beforeS),
    };
  }

  /**
   * Those that opened before a time, from the store, and from the feed where it has none of them.
   * @param endS exclusive, unix seconds
   */
  async #before(
    market: MarketView,
    interval: CandleInterval,
    limit: number,
    endS: number,
  ): Promise<Candle[]> {
    const stored = await this.#stored([], (store) =>
      store.candles(seriesOf(market.instrument), interval, limit, Math.min(endS, FAR_S)),
    );
    return this.withOlder(market, interval, limit, stored, endS);
  }

  /**
   * Stored candles, with those of the feed that are missing before and in them.
   * @param endS exclusive end of what is stored, unix seconds
   */
  async withOlder(
    market: MarketView,
    interval: CandleInterval,
    limit: number,
    stored: Candle[],
    endS: number = Infinity,
  ): Promise<Candle[]> {
    const feed = this.#options.feedOf(market.instrument.id);
    if (!feed?.candles) return stored;
    const seconds = candleIntervals[interval];
    let candles = stored;
    if (stored.length < limit) {
      const toS = stored[0]?.time ?? Math.min(endS, this.#nextOpenS(interval));
      const older = await this.#ask(feed, market, interval, toS - (limit - stored.length) * seconds, toS);
      candles = [...older, ...stored];
    }
    const [first] = stored;
    if (first === undefined) return candles;
    const open = await this.#openHoles(market, first.time, Math.min(endS, FAR_S));
    for (const { fromMs, toMs } of open.slice(-MAX_HOLES_ASKED)) {
      const fromS = Math.max(first.time, Math.floor(fromMs / 1000 / seconds) * seconds);
      const toS = Math.min(endS, Math.ceil(toMs / 1000 / seconds) * seconds);
      candles = withThose(candles, await this.#ask(feed, market, interval, fromS, toS));
    }
    return candles.slice(-limit);
  }

  /** Null where nothing is stored. What it answers may reject with `history_unavailable`. */
  storedTape({ instrument }: MarketView): StoredTape | null {
    const { store, isAway } = this.#options;
    if (store === null || isAway?.()) return null;
    const series = seriesOf(instrument);
    const { tick, lot } = instrument;
    return {
      scales: [tick, lot].map(({ units, decimals }) => `${units}e-${decimals}`).join(' '),
      trades: (query) => this.#read(store.trades(series, query)),
      numberOf: async (trade) =>
        trade === undefined ? undefined : ((await this.#read(store.numberOf(series, trade.id))) ?? undefined),
    };
  }

  /**
   * Stored columns of a book, oldest first; none where nothing is stored, or not now.
   * @param isNewest the last ones of the span instead of the first
   */
  async columns(
    { instrument }: MarketView,
    span: Span,
    limit: number,
    isNewest: boolean,
  ): Promise<DepthColumn[]> {
    const found = await this.#stored([], (store) =>
      store.columns(seriesOf(instrument), span, { limit, isNewest }),
    );
    return unpackColumns(found);
  }

  /** A feed that starts anew may know more than it did. */
  forgetAnswers(): void {
    this.#asked.clear();
  }

  /** The feed's candles of the past; null where it cannot tell them now: that keeps nobody from live data. */
  async ofFeed(feed: Feed, query: CandleQuery, market?: MarketView): Promise<readonly Candle[] | null> {
    const { clock, log } = this.#options;
    try {
      const candles = (await feed.candles?.(query)) ?? [];
      if (market) this.#asked.offer(market, query, candles, clock.now() / 1000);
      return candles;
    } catch (error) {
      const { code, message } = toDepthwireError(error);
      const { instrument, interval } = query;
      log.warn({ feed: feed.id, instrument, interval, code, reason: message }, 'no candles');
      return null;
    }
  }

  async #ask(
    feed: Feed,
    market: MarketView,
    interval: CandleInterval,
    fromS: number,
    toS: number,
  ): Promise<readonly Candle[]> {
    if (fromS >= toS) return [];
    const query = { instrument: market.instrument.id, interval, fromS, toS };
    const found = this.#asked.get(market, query) ?? (await this.ofFeed(feed, query, market)) ?? [];
    return found.filter(({ time }) => time < toS);
  }

  /** Whether there can be candles that opened earlier than this, unix seconds: false where it is known that there are none. */
  async mayHaveBefore(id: InstrumentId, interval: CandleInterval, timeS: number): Promise<boolean> {
    const market = this.#options.markets.get(id);
    if (!market) return false;
    const feed = this.#options.feedOf(id);
    const oldestS = feed?.candles ? feed.candlesFromS?.(id) : Infinity;
    if (oldestS === undefined || oldestS < timeS) return true;
    return await this.#stored(false, (store) =>
      store.hasCandlesBefore(seriesOf(market.instrument), interval, timeS),
    );
  }

  /** Of a page up to its end, where the next one began. */
  async #holes(
    market: MarketView,
    interval: CandleInterval,
    candles: readonly Candle[],
    endS: number,
  ): Promise<Span[]> {
    const [oldest] = candles;
    if (!oldest) return [];
    const holes = await this.#holesIn(market, oldest.time, Math.min(endS, FAR_S));
    return holes
      .map(({ fromMs, toMs, isFilled }) => {
        if (!isFilled) return { fromMs, toMs };
        if (candleIntervals[interval] >= 60) return { fromMs, toMs: fromMs };
        // It was filled by minutes at the least: seconds are known from the first on that is there.
        const first = candles.find(({ time }) => time * 1000 >= fromMs && time * 1000 < toMs);
        const knownMs = first ? first.time * 1000 : toMs;
        return { fromMs, toMs: knownMs - fromMs > QUIET_MS ? knownMs : fromMs };
      })
      .filter(({ fromMs, toMs }) => fromMs < toMs && toMs > oldest.time * 1000)
      .slice(-MAX_HOLES_TOLD);
  }

  async #openHoles(market: MarketView, fromS: number, toS: number): Promise<Span[]> {
    return (await this.#holesIn(market, fromS, toS)).filter(({ isFilled }) => !isFilled);
  }

  async #holesIn(market: MarketView, fromS: number, toS: number): Promise<Hole[]> {
    const span = { fromMs: fromS * 1000, toMs: Math.min(toS * 1000, Math.ceil(this.#options.clock.now())) };
    return await this.#stored([], (store) => store.holes(seriesOf(market.instrument), span));
  }

  /** What the store says; where it is away, the rest has to do. */
  async #stored<T>(otherwise: T, ask: (store: HistoryStore) => Promise<T>): Promise<T> {
    const { store, log, isAway } = this.#options;
    if (store === null || isAway?.()) return otherwise;
    try {
      return await this.#read(ask(store));
    } catch (error) {
      const { code, message } = toDepthwireError(error);
      if (code !== 'history_unavailable') throw error;
      log.debug({ code, reason: message }, 'stored history left out');
      return otherwise;
    }
  }

  async #read<T>(answer: Promise<T>): Promise<T> {
    const { onRead } = this.#options;
    try {
      const found = await answer;
      onRead?.(null);
      return found;
    } catch (error) {
      const typed = toDepthwireError(error);
      if (isAbsence(typed)) onRead?.(typed);
      throw error;
    }
  }

  #nextOpenS(interval: CandleInterval): number {
    const seconds = candleIntervals[interval];
    return Math.floor(this.#options.clock.now() / 1000 / seconds) * seconds;
  }
}

/** Each time once; of two of the same time the second list's. Both oldest first. */
function withThose(candles: readonly Candle[], others: readonly Candle[]): Candle[] {
  const byTime = new Map([...candles, ...others].map((candle) => [candle.time, candle]));
  return [...byTime.values()].sort((a, b) => a.time - b.time);
}
