import { systemClock, type Feed } from '@depthwire/feeds';
import { DepthwireError, toDepthwireError, type Clock } from '@depthwire/shared';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createMemoryBus } from './bus/bus.ts';
import type { Config } from './config/config.ts';
import { Engine } from './engine/engine.ts';
import { Gateway } from './gateway/gateway.ts';
import { Hub } from './gateway/hub.ts';
import { createApp } from './http/app.ts';
import { version } from './version.ts';

/** Clients come back after a random part of this. */
const RECONNECT_HINT_MS = 2_000;
/** Longest wait for feeds before the server listens all the same. */
const FEED_START_MS = 5_000;
/** Wait before a feed that could not start is tried again, doubled each time. */
const FEED_RETRY_BASE_MS = 2_000;
const FEED_RETRY_MAX_MS = 60_000;

export interface DepthwireOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly feeds: readonly Feed[];
  /** Default: the machine's clock. A replay hands in its own. */
  readonly marketClock?: Clock;
}

/** A running Depthwire: engine, hub, gateway and HTTP in one process. */
export interface Depthwire {
  readonly app: FastifyInstance;
  readonly engine: Engine;
  readonly hub: Hub;
  /** @returns the address it listens on */
  listen(): Promise<string>;
  /** Says goodbye to clients, stops feeds, and resolves once all is closed. */
  close(): Promise<void>;
}

export async function createDepthwire({
  config,
  logger,
  feeds,
  marketClock = systemClock,
}: DepthwireOptions): Promise<Depthwire> {
  const epoch = Math.floor(marketClock.now());
  const bus = createMemoryBus();
  const engine = new Engine({ clock: marketClock, bus, log: logger });
  const hub = new Hub({
    clock: marketClock,
    bus,
    markets: engine.markets,
    checksumIntervalMs: config.gateway.checksumIntervalMs,
  });
  const server = `depthwire/${version}`;
  const gateway = new Gateway({
    hub,
    limits: config.gateway,
    epoch,
    server,
    marketClock,
    wallClock: systemClock,
    log: logger,
  });
  let isStarted = false;
  let isClosing = false;
  const app = await createApp({
    engine,
    gateway,
    marketClock,
    epoch,
    version,
    isReady: () => isStarted && !isClosing,
    logger,
    web: config.web,
    allowedOrigins: config.allowedOrigins,
    maxMessageBytes: config.gateway.maxMessageBytes,
  }).catch(async (error: unknown) => {
    gateway.close(0);
    hub.close();
    await engine.stop();
    throw error;
  });

  /** One feed that cannot start holds up nobody else. */
  async function startFeed(feed: Feed, attempt: number): Promise<void> {
    try {
      await engine.addFeed(feed);
      logger.info({ feed: feed.id }, 'feed started');
    } catch (error) {
      const { code, message, retry } = toDepthwireError(error);
      if (!retry) throw error;
      const delayMs = Math.min(FEED_RETRY_MAX_MS, FEED_RETRY_BASE_MS * 2 ** attempt);
      logger.error({ feed: feed.id, code, reason: message, retryInMs: delayMs }, 'feed could not start');
      systemClock.at(systemClock.now() + delayMs, () => {
        if (!isClosing)
          startFeed(feed, attempt + 1).catch((cause: unknown) =>
            logger.error({ feed: feed.id, err: cause }, 'feed given up'),
          );
      });
    }
  }

  return {
    app,
    engine,
    hub,
    async listen() {
      // A venue that does not answer must not keep the dashboard of the others waiting.
      const started = Promise.all(feeds.map((feed) => startFeed(feed, 0)));
      const isInTime = await Promise.race([started.then(() => true), elapsed(FEED_START_MS)]);
      if (!isInTime) started.catch((error: unknown) => logger.error({ err: error }, 'feed given up'));
      isStarted = true;
      try {
        return await app.listen({ host: config.host, port: config.port });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
        throw new DepthwireError(
          'port_in_use',
          `another process listens on ${config.host}:${config.port}: stop it, or choose another port with PORT=8081 or --port 8081`,
          { host: config.host, port: config.port },
          error,
        );
      }
    },
    async close() {
      if (isClosing) return;
      isClosing = true;
      gateway.close(RECONNECT_HINT_MS);
      await engine.stop();
      hub.close();
      await app.close();
    },
  };
}

function elapsed(delayMs: number): Promise<false> {
  return new Promise((resolve) => systemClock.at(systemClock.now() + delayMs, () => resolve(false)));
}
