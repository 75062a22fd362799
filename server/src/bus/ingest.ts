import { every, type Clock, type InstrumentId, type Timer } from '@depthwire/shared';
import type { BusReport, FeedReport } from '../engine/market-source.ts';
import type { MarketView } from '../engine/market.ts';
import type { Bus } from './bus.ts';
import type { BusFigures } from './bus-figures.ts';
import { LanePublisher } from './lane-publisher.ts';
import { Lease, LEASE_TICK_MS } from './lease.ts';
import { BusAway, type RedisLink } from './redis-link.ts';
import { Refusals } from './refusals.ts';
import { decodeReport, encodeReport, REPORT_VALID_MS, type IngestReport } from './reports.ts';
import { decodeAsk, encodeAsk, type Ask } from './wire.ts';

/** How often it is told how the feeds do. */
const REPORT_MS = 2_000;
/** A feed that does not run is led by somebody whose does; where nobody else takes it for so long, by this process. */
const UNHEALTHY_MAY_LEAD_MS = 5_000;
/** A leader whose feed does not run for so long gives it to somebody whose does. */
const UNHEALTHY_GIVES_MS = 3_000;
/** Other ingests that are remembered. */
const MAX_PEERS = 100;

export interface IngestOptions {
  readonly name: string;
  readonly link: RedisLink;
  /** Ids of its feeds. */
  readonly feeds: readonly string[];
  /** The engine's. */
  readonly bus: Bus;
  readonly markets: ReadonlyMap<InstrumentId, MarketView>;
  feedOf(id: InstrumentId): string | undefined;
  reports(): readonly FeedReport[];
  /** This process leads a feed from now on, or does not any more. */
  onLead?(feed: string): void;
  onCease?(feed: string): void;
  /** The market's clock. */
  readonly clock: Clock;
  readonly wallClock: Clock;
  /** Of what has to be done in time, whatever the machine's clock does. */
  readonly timers: Clock;
  readonly figures: BusFigures;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
}

/** The part of an ingest that others see: it leads feeds, one lease each, and tells the lanes of those that it leads. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #leases: ReadonlyMap<string, Lease>;
  readonly #publisher: LanePublisher;
  readonly #refusals: Refusals;
  readonly #timers: Timer[] = [];
  /** Until when another ingest is known to have a feed that runs. */
  readonly #healthyPeers = new Map<string, Map<string, number>>();
  readonly #unhealthySinceMs = new Map<string, number>();

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options);
    const { name, link, timers, wallClock } = options;
    this.#publisher = new LanePublisher({
      ...options,
      ingest: name,
      isLeading: (feed, epoch) => this.#leases.get(feed)?.isValid(epoch) ?? false,
      send: (lane, bytes) => link.publish(link.names.lane(lane), bytes),
    });
    this.#leases = new Map(
      options.feeds.map((feed) => [
        feed,
        new Lease({
          ...{ feed, holder: name, store: link, timers, wallClock },
          mayLead: (unledMs) => this.#isHealthy(feed) || unledMs >= UNHEALTHY_MAY_LEAD_MS,
          onTaken: (epoch) => this.#lead(feed, epoch),
          onLost: () => this.#cease(feed),
        }),
      ]),
    );
  }

  /** Whether this process leads the feed now. */
  leads(feed: string): boolean {
    const lease = this.#leases.get(feed);
    return lease?.epoch != null && lease.isValid(lease.epoch);
  }

  get report(): BusReport {
    return {
      name: this.#options.name,
      connected: this.#options.link.isUp,
      feeds: [...this.#leases.values()].map(({ feed, holder, epoch }) => ({
        ...{ feed, leader: holder, epoch, silentLanes: 0 },
      })),
    };
  }

  start(): void {
    const { link, timers } = this.#options;
    link.subscribe(link.names.asks, (message) => this.#onAsk(message));
    link.subscribe(link.names.reports, (message) => this.#onReport(message));
    this.#timers.push(
      every(timers, LEASE_TICK_MS, () => this.#tick()),
      every(timers, REPORT_MS, () => this.#tell()),
    );
  }

  /** Gives all leases away. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#publisher.flush();
    const held = [...this.#leases.values()].filter(({ epoch }) => epoch !== null);
    await Promise.allSettled([...this.#leases.values()].map((lease) => lease.close()));
    for (const { feed } of held) this.#tellGiven(feed);
    this.#publisher.close();
  }

  #tick(): void {
    for (const lease of this.#leases.values()) this.#step(lease);
  }

  #step(lease: Lease): void {
    lease.tick().catch((error: unknown) => {
      // Where Redis is away, its link tells it; either way the lease runs out.
      if (this.#options.link.isUp && !(error instanceof BusAway)) this.#refusals.refuse('lease', error);
    });
  }

  #lead(feed: string, epoch: number): void {
    this.#options.log.info({ feed, epoch }, 'leads the feed');
    this.#publisher.lead(feed, epoch);
    this.#options.onLead?.(feed);
  }

  #cease(feed: string): void {
    this.#options.log.info({ feed }, 'leads the feed no more');
    this.#publisher.cease(feed);
    this.#options.onCease?.(feed);
  }

  #isHealthy(feed: string): boolean {
    const report = this.#options.reports().find(({ id }) => id === feed);
    return report !== undefined && report.state !== 'failed' && report.books.live + report.books.stale > 0;
  }

  #tell(): void {
    const { name, link, timers } = this.#options;
    const now = timers.now();
    const reports = new Map(this.#options.reports().map((report) => [report.id, report]));
    const feeds = [...this.#leases.values()].map(({ feed, epoch }) => {
      const isHealthy = this.#isHealthy(feed);
      if (isHealthy) this.#unhealthySinceMs.delete(feed);
      else if (!this.#unhealthySinceMs.has(feed)) this.#unhealthySinceMs.set(feed, now);
      return { id: feed, epoch, isHealthy, report: epoch === null ? null : (reports.get(feed) ?? null) };
    });
    link.publish(link.names.reports, encodeReport({ ingest: name, feeds }));
    for (const lease of this.#leases.values()) this.#giveToHealthier(lease, now);
  }

  #giveToHealthier(lease: Lease, nowMs: number): void {
    const { feed } = lease;
    const sinceMs = this.#unhealthySinceMs.get(feed);
    if (lease.epoch === null || sinceMs === undefined || nowMs - sinceMs < UNHEALTHY_GIVES_MS) return;
    const peers = this.#healthyPeers.get(feed);
    if (![...(peers?.values() ?? [])].some((untilMs) => untilMs > nowMs)) return;
    this.#options.log.warn({ feed }, 'feed does not run here: given to an ingest where it does');
    lease
      .give()
      .then(() => this.#tellGiven(feed))
      .catch(() => undefined); // then it runs out
  }

  #tellGiven(feed: string): void {
    const { link } = this.#options;
    link.publish(link.names.asks, encodeAsk({ op: 'given', feed }));
  }

  #onAsk(message: Buffer): void {
    let ask: Ask;
    try {
      ask = decodeAsk(message);
    } catch (error) {
      this.#refusals.refuse('ask', error);
      return;
    }
    const lease = this.#leases.get(ask.feed);
    if (ask.op !== 'given') this.#publisher.onAsk(ask);
    else if (lease) this.#step(lease);
  }

  #onReport(message: Buffer): void {
    let report: IngestReport;
    try {
      report = decodeReport(message);
    } catch (error) {
      this.#refusals.refuse('report', error);
      return;
    }
    if (report.ingest === this.#options.name) return;
    const untilMs = this.#options.timers.now() + REPORT_VALID_MS;
    for (const { id, isHealthy } of report.feeds) {
      if (!this.#leases.has(id)) continue;
      let peers = this.#healthyPeers.get(id);
      if (!peers) this.#healthyPeers.set(id, (peers = new Map()));
      peers.delete(report.ingest);
      if (isHealthy) peers.set(report.ingest, untilMs);
      if (peers.size > MAX_PEERS) peers.delete(peers.keys().next().value!);
    }
  }
}
