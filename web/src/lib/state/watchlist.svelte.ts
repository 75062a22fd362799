import {
  candleIntervals,
  unitsToNumber,
  type BookState,
  type CandleInterval,
  type Instrument,
  type TickerSubscription,
} from '@depthwire/shared';
import { extendSeries, type Series } from '../panels/watchlist/sparkline.ts';
import type { Connection } from './connection.svelte.ts';
import { requestFrame } from './frames.ts';
import { fetchCandles } from './rest.ts';

const CADENCE_MS = 250;
/** Subscriptions left for the panels of the selected instrument. */
const RESERVED_SUBSCRIPTIONS = 16;
const DEFAULT_MAX_SUBSCRIPTIONS = 200;
const SPARK_INTERVAL: CandleInterval = '15m';
/** Recordings are seldom longer than an hour or two. */
const REPLAYED_SPARK_INTERVAL: CandleInterval = '1m';
const SPARK_LENGTH = 96;
/** Histories fetched at the same time. */
const SPARK_CONCURRENCY = 3;
const SPARK_RETRY_MS = 5000;
/** After a break longer than this the histories are fetched anew. */
const SPARK_STALE_MS = 60_000;

/** One instrument of the list as signals. */
export class WatchRow {
  readonly id: string;
  /** The id without its venue. */
  readonly name: string;
  instrument = $state.raw<Instrument>() as Instrument;
  last = $state<number | null>(null);
  /** Share by which the last price differs from that of 24 h ago. */
  change = $state<number | null>(null);
  /** Traded value of 24 h in the quote currency. */
  turnover = $state<number | null>(null);
  /** Basis points of the mid. */
  spread = $state<number | null>(null);
  state = $state<BookState>('syncing');
  spark = $state.raw<Series | null>(null);

  constructor(instrument: Instrument) {
    this.id = instrument.id;
    this.name = instrument.id.slice(instrument.id.indexOf(':') + 1);
    this.instrument = instrument;
  }

  take({ ticker, state }: TickerSubscription): void {
    this.state = state;
    if (!ticker) return;
    const { last, open, bid, ask } = ticker;
    this.last = last;
    this.change = last === null || !open ? null : last / open - 1;
    this.turnover = ticker.turnover;
    this.spread =
      bid === null || ask === null || bid + ask === 0 ? null : ((ask - bid) / (bid + ask)) * 20_000;
  }
}

/** All instruments with their live tickers and the price of the last day. */
export class Watchlist {
  rows = $state.raw<readonly WatchRow[]>([]);

  readonly #connection: Connection;
  readonly #timeMs: () => number | null;
  readonly #subscribed = new Map<string, { ticker: TickerSubscription; stop: () => void }>();
  readonly #dirty = new Set<WatchRow>();
  readonly #flush = () => {
    for (const row of this.#dirty) this.#take(row);
    this.#dirty.clear();
  };
  #sparkQueue: WatchRow[] = [];
  #sparksRunning = 0;
  #mayFetchSparks = false;
  #closedAtMs: number | null = null;

  /**
   * @param timeMs the market's clock, once it is known: a replay has another than this machine
   * @param sparksFrom after which the histories are fetched: there is a request for each row
   */
  constructor(connection: Connection, timeMs: () => number | null, sparksFrom: Promise<void>) {
    this.#connection = connection;
    this.#timeMs = timeMs;
    void sparksFrom.then(() => {
      this.#mayFetchSparks = true;
      this.#queueSparks([]);
    });
  }

  start(): () => void {
    const off = this.#connection.client.on('state', (state) => {
      if (state !== 'open') this.#closedAtMs ??= Date.now();
      else if (this.#closedAtMs !== null) {
        if (Date.now() - this.#closedAtMs > SPARK_STALE_MS) this.#queueSparks(this.rows);
        this.#closedAtMs = null;
      }
    });
    return () => {
      off();
      for (const { stop } of this.#subscribed.values()) stop();
      this.#subscribed.clear();
    };
  }

  /** Shows these instruments; rows that were there before keep what they know. */
  show(instruments: readonly Instrument[]): void {
    const before = new Map(this.rows.map((row) => [row.id, row]));
    const rows = instruments.map((instrument) => {
      const row = before.get(instrument.id) ?? new WatchRow(instrument);
      row.instrument = instrument;
      return row;
    });
    const kept = new Set(rows.map(({ id }) => id));
    for (const [id, { stop }] of this.#subscribed) {
      if (kept.has(id)) continue;
      stop();
      this.#subscribed.delete(id);
    }
    const most = this.#connection.hello?.limits.maxSubscriptions ?? DEFAULT_MAX_SUBSCRIPTIONS;
    for (const row of rows.slice(0, most - RESERVED_SUBSCRIPTIONS)) this.#subscribe(row);
    this.rows = rows;
    this.#queueSparks(rows.filter(({ spark }) => spark === null));
  }

  #subscribe(row: WatchRow): void {
    if (this.#subscribed.has(row.id)) return;
    const ticker = this.#connection.client.ticker(row.id, { cadenceMs: CADENCE_MS });
    const mark = () => {
      this.#dirty.add(row);
      requestFrame(this.#flush);
    };
    const offs = [ticker.on('change', mark), ticker.on('state', mark)];
    const stop = () => {
      for (const off of offs) off();
      ticker.close();
    };
    this.#subscribed.set(row.id, { ticker, stop });
    if (ticker.ticker) mark();
  }

  #take(row: WatchRow): void {
    const ticker = this.#subscribed.get(row.id)?.ticker;
    if (!ticker) return;
    row.take(ticker);
    const instrument = ticker.instrument;
    if (instrument && JSON.stringify(instrument) !== JSON.stringify(row.instrument))
      row.instrument = instrument;
    const now = this.#timeMs();
    if (row.spark && row.last !== null && now !== null) {
      const value = unitsToNumber(row.last, row.instrument.tick);
      row.spark = extendSeries(row.spark, now / 1000, value, SPARK_LENGTH);
    }
  }

  #queueSparks(rows: readonly WatchRow[]): void {
    this.#sparkQueue = [...new Set([...this.#sparkQueue, ...rows])];
    if (!this.#mayFetchSparks) return;
    while (this.#sparksRunning < SPARK_CONCURRENCY && this.#sparkQueue.length > 0) void this.#loadSpark();
  }

  async #loadSpark(): Promise<void> {
    const row = this.#sparkQueue.shift();
    if (!row) return;
    this.#sparksRunning += 1;
    try {
      const isReplayed = row.instrument.origin === 'replayed';
      const interval = isReplayed ? REPLAYED_SPARK_INTERVAL : SPARK_INTERVAL;
      const stepSeconds = candleIntervals[interval];
      const candles = await fetchCandles(row.instrument, interval, SPARK_LENGTH);
      const values = candles.map(({ close }) => unitsToNumber(close, row.instrument.tick));
      // A recording may begin with no history at all.
      const now = this.#timeMs();
      const newest = candles.at(-1)?.time ?? (now === null ? null : now / 1000);
      if (newest === null) throw new Error('the market’s time is not known yet');
      row.spark = { stepSeconds, time: newest - (newest % stepSeconds), values };
    } catch {
      // The list works without; the server may only be starting.
      setTimeout(() => this.#queueSparks([row]), SPARK_RETRY_MS);
    } finally {
      this.#sparksRunning -= 1;
      this.#queueSparks([]);
    }
  }
}
