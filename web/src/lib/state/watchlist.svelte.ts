import {
  candleIntervals,
  unitsToNumber,
  type BookState,
  type CandleInterval,
  type Instrument,
  type TickerView,
} from '@depthwire/shared';
import { untrack } from 'svelte';
import { extendSeries, type Series } from '../panels/watchlist/sparkline.ts';
import { m } from '../paraglide/messages.js';
import type { Connection } from './connection.svelte.ts';
import { requestFrame } from './frames.ts';
import { fetchCandles } from './rest.ts';

/** Of rows that are seen; of all others, which only their order is made by. */
const CADENCE_MS = 250;
const ORDER_CADENCE_MS = 2_000;
/** Rows drawn in one frame: of 40 all within five, a third of the cadence. */
const ROWS_A_FRAME = 8;
/** Subscriptions left for the other panels. */
const RESERVED_SUBSCRIPTIONS = 60;
const DEFAULT_MAX_SUBSCRIPTIONS = 200;
const SPARK_INTERVAL: CandleInterval = '15m';
/** Recordings are seldom longer than an hour or two. */
const REPLAYED_SPARK_INTERVAL: CandleInterval = '1m';
const SPARK_LENGTH = 96;
/** A row that is out of sight is updated for so long. */
const UNSEEN_MS = 2_000;
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
  /** The last price as a number, which can be compared with that of another tick size. */
  readonly price = $derived(this.last === null ? null : unitsToNumber(this.last, this.instrument.tick));
  /** Share by which the last price differs from that of 24 h ago. */
  change = $state<number | null>(null);
  /** Traded value of 24 h in the quote currency. */
  turnover = $state<number | null>(null);
  /** Basis points of the mid. */
  spread = $state<number | null>(null);
  /** Ticks; of 24 h. */
  high = $state<number | null>(null);
  low = $state<number | null>(null);
  bid = $state<number | null>(null);
  ask = $state<number | null>(null);
  /** Of 24 h, lots. */
  volume = $state<number | null>(null);
  state = $state<BookState>('syncing');
  spark = $state.raw<Series | null>(null);
  /** Whether its ticker is subscribed to: of others nothing is known now. */
  isWatched = $state(false);

  constructor(instrument: Instrument) {
    this.id = instrument.id;
    this.name = instrument.id.slice(instrument.id.indexOf(':') + 1);
    this.instrument = instrument;
  }

  take({ ticker, state }: TickerView): void {
    this.state = state;
    if (!ticker) return;
    const { last, open, bid, ask } = ticker;
    this.last = last;
    this.high = ticker.high;
    this.low = ticker.low;
    this.bid = bid;
    this.ask = ask;
    this.volume = ticker.volume;
    this.change = last === null || !open ? null : last / open - 1;
    this.turnover = ticker.turnover;
    this.spread =
      bid === null || ask === null || bid + ask === 0 ? null : ((ask - bid) / (bid + ask)) * 20_000;
  }
}

interface Watched {
  readonly row: WatchRow;
  readonly ticker: TickerView;
  readonly cadenceMs: number;
  readonly stop: () => void;
}

/** All instruments with their live tickers and the price of the last day. */
export class Watchlist {
  rows = $state.raw<readonly WatchRow[]>([]);

  readonly #connection: Connection;
  readonly #timeMs: () => number | null;
  readonly #subscribed = new Map<string, Watched>();
  /** How many lists show a row. */
  readonly #seen = new Map<string, number>();
  /** How many lists have an order that is made by live figures of a row. */
  readonly #ordered = new Map<string, number>();
  /** Whether a row that is wanted was left out: it is tried again when one is let go. */
  #isCrowded = false;
  readonly #dirty = new Set<WatchRow>();
  /** The server tells them all at once: laid out in one frame they would make it a late one. */
  readonly #flush = () => {
    let left = ROWS_A_FRAME;
    for (const row of this.#dirty) {
      if (left-- === 0) {
        requestFrame(this.#flush);
        return;
      }
      this.#dirty.delete(row); // marked again it goes behind the others
      this.#take(row);
    }
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
      // Another server may have more room.
      if (state === 'open') this.#fill();
      if (state !== 'open') this.#closedAtMs ??= Date.now();
      else if (this.#closedAtMs !== null) {
        if (Date.now() - this.#closedAtMs > SPARK_STALE_MS)
          this.#queueSparks(this.rows.filter(({ id }) => this.#seen.has(id)));
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
    for (const id of [...this.#subscribed.keys()]) if (!kept.has(id)) this.#unsubscribe(id);
    this.rows = rows;
    this.#subscribeAll();
  }

  /** A list shows the row: returns what to call when it does no longer. */
  see(row: WatchRow): () => void {
    count(this.#seen, row.id, 1);
    this.#subscribe(row);
    if (untrack(() => row.spark) === null) this.#queueSparks([row]);
    return () => {
      count(this.#seen, row.id, -1);
      // A list that is scrolled back shows it again at once.
      setTimeout(() => this.#subscribe(row), UNSEEN_MS);
    };
  }

  /** A list orders these rows by live figures: returns what to call when it does no longer. */
  order(rows: readonly WatchRow[]): () => void {
    for (const row of rows) count(this.#ordered, row.id, 1);
    this.#subscribeAll();
    return () => {
      for (const row of rows) count(this.#ordered, row.id, -1);
      this.#subscribeAll();
    };
  }

  #subscribeAll(): void {
    for (const row of this.rows) this.#subscribe(row);
  }

  /** Subscribes to the ticker of a row as often as it is wanted, or not at all. */
  #subscribe(row: WatchRow): void {
    const cadenceMs = this.#seen.has(row.id)
      ? CADENCE_MS
      : this.#ordered.has(row.id)
        ? ORDER_CADENCE_MS
        : null;
    const before = this.#subscribed.get(row.id);
    if (before?.cadenceMs === cadenceMs || (before === undefined && cadenceMs === null)) return;
    this.#unsubscribe(row.id);
    if (cadenceMs === null) return;
    if (!this.#hasRoomFor(cadenceMs)) {
      this.#isCrowded = true;
      return;
    }
    const ticker = this.#connection.client.ticker(row.id, { cadenceMs });
    const mark = () => {
      this.#dirty.add(row);
      requestFrame(this.#flush);
    };
    const offs = [ticker.on('change', mark), ticker.on('state', mark)];
    const stop = () => {
      for (const off of offs) off();
      ticker.close();
    };
    this.#subscribed.set(row.id, { row, ticker, cadenceMs, stop });
    row.isWatched = true;
    if (ticker.ticker) mark();
  }

  #unsubscribe(id: string): void {
    const watched = this.#subscribed.get(id);
    if (!watched) return;
    watched.stop();
    this.#subscribed.delete(id);
    // What is shown again is not live before its ticker has come.
    watched.row.isWatched = false;
    watched.row.state = 'syncing';
    // Once what makes room has what it made room for.
    queueMicrotask(() => this.#fill());
  }

  /** Subscribes to rows that were left out, as far as there is room. */
  #fill(): void {
    if (!this.#isCrowded) return;
    this.#isCrowded = false;
    this.#subscribeAll();
  }

  /** What is seen goes before what only makes the order. */
  #hasRoomFor(cadenceMs: number): boolean {
    const most = this.#connection.hello?.limits.maxSubscriptions ?? DEFAULT_MAX_SUBSCRIPTIONS;
    if (this.#subscribed.size < most - RESERVED_SUBSCRIPTIONS) return true;
    if (cadenceMs !== CADENCE_MS) return false;
    for (const [id, watched] of this.#subscribed) {
      if (watched.cadenceMs === CADENCE_MS) continue;
      this.#unsubscribe(id);
      this.#isCrowded = true;
      return true;
    }
    return false;
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
      const { candles } = await fetchCandles(row.instrument, interval, SPARK_LENGTH);
      const values = candles.map(({ close }) => unitsToNumber(close, row.instrument.tick));
      // A recording may begin with no history at all.
      const now = this.#timeMs();
      const newest = candles.at(-1)?.time ?? (now === null ? null : now / 1000);
      if (newest === null) throw new Error(m.market_time_unknown());
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

function count(counts: Map<string, number>, id: string, by: 1 | -1): void {
  const left = (counts.get(id) ?? 0) + by;
  if (left > 0) counts.set(id, left);
  else counts.delete(id);
}
