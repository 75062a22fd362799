import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { steadyClock, systemClock, type Feed } from '@depthwire/feeds';
import type { Clock } from '@depthwire/shared';
import type { Logger } from 'pino';
import { createMemoryBus, type Bus } from './bus/bus.ts';
import { BusFigures } from './bus/bus-figures.ts';
import { Ingest } from './bus/ingest.ts';
import { RedisLink } from './bus/redis-link.ts';
import { ReplicaSource } from './bus/replica-source.ts';
import type { Config } from './config/config.ts';
import { Engine } from './engine/engine.ts';
import { EngineSource } from './engine/engine-source.ts';
import type { FeedSource } from './engine/feed-source.ts';
import { FeedSupervisor } from './engine/feed-supervisor.ts';
import type { MarketSource } from './engine/market-source.ts';
import { createHistoryStore } from './history/stores/create-store.ts';
import { History } from './history/history.ts';
import { retentionOf } from './history/retention.ts';
import type { HistoryStore } from './history/stores/store.ts';

/** Longest wait for feeds, or for the first books from the bus, before the server listens all the same. */
const START_MS = 5_000;
/** How often it is looked whether all books are there. */
const LOOK_MS = 20;

/** What is behind the hub, as the role has it. */
export interface Backend {
  readonly source: MarketSource;
  /** Of this process: what the hub hears. */
  readonly bus: Bus;
  readonly history: History;
  /** Where this process has feeds of its own. */
  readonly feeds: { readonly engine: Engine; readonly supervisor: FeedSupervisor } | null;
  /** What goes over the bus that joins processes; null where there is none. */
  readonly busFigures: BusFigures | null;
  /**
   * @returns once it has what it is to begin with, or after a bounded wait
   * @throws DepthwireError where it cannot be used as it is configured
   */
  start(feeds: readonly (Feed | FeedSource)[]): Promise<void>;
  /** Nothing is taken any more; leases are given away. */
  stop(): Promise<void>;
}

export interface BackendOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly marketClock: Clock;
  /** Names this run. */
  readonly epoch: number;
}

export function createBackend(options: BackendOptions): Backend {
  return options.config.role === 'gateway' ? replicaBackend(options) : engineBackend(options);
}

/** Feeds and engine, and with role ingest the lanes that tell of them. */
function engineBackend({ config, logger, marketClock, epoch }: BackendOptions): Backend {
  const bus = createMemoryBus();
  const engine = new Engine({
    ...{ clock: marketClock, bus, log: logger, epoch },
    steadyClock: marketClock === systemClock ? steadyClock : marketClock,
    loadPast: (feed, markets) => history.load(feed, markets),
  });
  const supervisor = new FeedSupervisor({ engine, clock: systemClock, log: logger });
  const figures = config.role === 'ingest' ? new BusFigures() : null;
  const link = figures && linkOf(config, logger);
  let ingest: Ingest | null = null;
  const source = new EngineSource(engine, supervisor, () => ingest?.report ?? null);
  const history: History = new History({
    ...historyOptions(config, logger, marketClock),
    ...{ bus, markets: engine.markets, feedOf: (id) => engine.feedOf(id) },
    writesAll: figures === null,
  });
  return {
    ...{ source, bus, history, feeds: { engine, supervisor }, busFigures: figures },
    async start(feeds) {
      if (config.role === 'all' && config.bus !== undefined)
        logger.warn(
          { role: config.role },
          'bus is configured and of no use to role all: choose the part of this process by --role ingest or --role gateway, or remove bus',
        );
      if (link && figures) {
        if (config.history.store !== 'postgres')
          logger.warn(
            { store: config.history.store },
            'history is not in PostgreSQL: gateways cannot read it, and candles begin anew where another ingest takes over',
          );
        ingest = new Ingest({
          name: `${hostname()}-${randomUUID().slice(0, 8)}`,
          ...{ link, bus, figures, clock: marketClock, wallClock: systemClock, timers: steadyClock },
          feeds: feeds.map(({ id }) => id),
          markets: engine.markets,
          feedOf: (id) => engine.feedOf(id)?.id,
          reports: () => source.feedReports(),
          onLead: (feed) => history.write(feed),
          onCease: (feed) => history.leave(feed),
          log: logger,
        });
        await link.open();
        ingest.start();
      }
      // A venue that does not answer must not keep the dashboard of the others waiting.
      const started = supervisor.start(feeds).then(() => true);
      const isInTime = await Promise.race([started, delay(START_MS, false, { ref: false })]);
      if (!isInTime) started.catch((error: unknown) => logger.error({ err: error }, 'feed given up'));
    },
    async stop() {
      await ingest?.close();
      supervisor.stop();
      await engine.stop();
      link?.close();
    },
  };
}

/** Books by the bus. */
function replicaBackend({ config, logger, marketClock }: BackendOptions): Backend {
  const bus = createMemoryBus();
  const busFigures = new BusFigures();
  const link = linkOf(config, logger);
  const source = new ReplicaSource({
    ...{ link, bus, clock: marketClock, timers: steadyClock, figures: busFigures, log: logger },
  });
  const history = new History({
    ...historyOptions(config, logger, marketClock),
    ...{ bus, markets: source.markets, feedOf: () => undefined, writesAll: false },
    whenCandles: (market, interval) => source.whenCandles(market, interval),
  });
  return {
    ...{ source, bus, history, feeds: null, busFigures },
    async start() {
      await link.open();
      source.start();
      const untilMs = steadyClock.now() + START_MS;
      while (!source.hasAll && steadyClock.now() < untilMs) await delay(LOOK_MS);
      if (!source.hasAll)
        logger.warn(
          { instruments: source.markets.size },
          'not all books came over the bus in time: serving those there are',
        );
    },
    stop() {
      source.close();
      link.close();
      return Promise.resolve();
    },
  };
}

/** A recording is history already. */
function historyOptions({ role, history }: Config, log: Logger, clock: Clock) {
  const store = clock === systemClock ? storeOf(role, history) : null;
  return {
    clock,
    steadyClock: clock === systemClock ? steadyClock : clock,
    log,
    store,
    retention: retentionOf(history),
  };
}

function storeOf(role: Config['role'], { store, path, url }: Config['history']): HistoryStore | null {
  switch (store) {
    case 'sqlite':
      // A gateway writes nothing, and reads no file of another process.
      return role === 'gateway' ? null : createHistoryStore({ store, path });
    case 'postgres':
      return createHistoryStore({ store, url: url! });
    case 'none':
      return null;
  }
}

const linkOf = ({ bus }: Config, log: Logger) => new RedisLink({ config: bus!, timers: steadyClock, log });
