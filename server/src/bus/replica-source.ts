import type { BookState, CandleInterval, Clock } from '@depthwire/shared';
import type { BusReport, FeedReport, MarketSource } from '../engine/market-source.ts';
import type { Bus } from './bus.ts';
import type { BusFigures } from './bus-figures.ts';
import { LANES } from './lanes.ts';
import type { MarketView } from '../engine/market.ts';
import type { RedisLink } from './redis-link.ts';
import { ReplicaMarket } from './replica-market.ts';
import { ReplicaMarkets } from './replica-markets.ts';
import { Refusals } from './refusals.ts';
import { decodeReport, REPORT_VALID_MS, type IngestReport } from './reports.ts';
import { encodeAsk } from './wire.ts';

/** How long somebody who asks for candles waits until their past is known. */
const CANDLES_WITHIN_MS = 2_000;
/** Feeds of which reports are kept. */
const MAX_REPORTS = 1_000;

export interface ReplicaSourceOptions {
  readonly link: RedisLink;
  /** Of this process, from which its clients are served. */
  readonly bus: Bus;
  /** The market's clock. */
  readonly clock: Clock;
  readonly timers: Clock;
  readonly figures: BusFigures;
  readonly log: { warn(details: object, message: string): void };
}

/** The markets that ingests tell of over the bus. */
export class ReplicaSource implements MarketSource {
  readonly #options: ReplicaSourceOptions;
  readonly #replicas: ReplicaMarkets;
  readonly #refusals: Refusals;
  /** What the leader of each feed told last. */
  readonly #reports = new Map<string, { report: FeedReport; epoch: number; atMs: number }>();

  constructor(options: ReplicaSourceOptions) {
    this.#options = options;
    const { link } = options;
    this.#refusals = new Refusals(options);
    this.#replicas = new ReplicaMarkets({
      ...options,
      refusals: this.#refusals,
      ask: (ask) => void link.publish(link.names.asks, encodeAsk(ask)),
      onSilent: (lane) => void link.subscribeAnew(link.names.lane(lane)),
    });
    link.onDown(() => this.#replicas.onDown());
  }

  get markets(): ReplicaMarkets['markets'] {
    return this.#replicas.markets;
  }

  get hasBegun(): boolean {
    return this.markets.size > 0;
  }

  /** Whether it has every book that it has heard of. */
  get hasAll(): boolean {
    return this.#replicas.hasAll;
  }

  start(): void {
    const { link } = this.#options;
    link.subscribe(link.names.reports, (message) => this.#onReport(message));
    for (let lane = 0; lane < LANES; lane++)
      link.subscribe(link.names.lane(lane), (message) => this.#replicas.onMessage(lane, message));
  }

  close(): void {
    this.#replicas.close();
  }

  countBooks(): Record<BookState, number> {
    return this.#replicas.countBooks();
  }

  /** Resolves once the past of a market's candles has come, or after a bounded wait. */
  async whenCandles(market: MarketView, interval: CandleInterval): Promise<void> {
    if (market instanceof ReplicaMarket)
      await this.#replicas.whenCandles(market, interval, CANDLES_WITHIN_MS);
  }

  feedReports(): FeedReport[] {
    const fromMs = this.#options.timers.now() - REPORT_VALID_MS;
    return [...this.#reports.values()].filter(({ atMs }) => atMs >= fromMs).map(({ report }) => report);
  }

  busReport(): BusReport {
    return {
      name: null,
      connected: this.#options.link.isUp,
      feeds: this.#replicas.feeds.map(({ feed, ingest: leader, epoch, silentLanes }) => ({
        ...{ feed, leader, epoch, silentLanes },
      })),
    };
  }

  #onReport(message: Buffer): void {
    let told: IngestReport;
    try {
      told = decodeReport(message);
    } catch (error) {
      this.#refusals.refuse('report', error);
      return;
    }
    const atMs = this.#options.timers.now();
    for (const { id, epoch, report } of told.feeds) {
      if (epoch === null || report === null) continue;
      const before = this.#reports.get(id);
      if (before && epoch < before.epoch && atMs - before.atMs < REPORT_VALID_MS) continue;
      this.#reports.delete(id);
      this.#reports.set(id, { report, epoch, atMs });
      if (this.#reports.size > MAX_REPORTS) this.#reports.delete(this.#reports.keys().next().value!);
    }
  }
}
