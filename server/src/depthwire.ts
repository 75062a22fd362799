import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Feed } from '@depthwire/feeds';
import { DepthwireError, type Clock } from '@depthwire/shared';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createMemoryBus } from './bus/bus.ts';
import type { Config } from './config/config.ts';
import { Engine } from './engine/engine.ts';
import type { FeedSource } from './engine/feed-source.ts';
import { FeedSupervisor } from './engine/feed-supervisor.ts';
import { Gateway } from './gateway/gateway.ts';
import { Hub } from './gateway/hub.ts';
import { createApp } from './http/app.ts';
import { createMetrics } from './metrics/metrics.ts';
import { version } from './version.ts';

/** Clients come back after a random part of this. */
const RECONNECT_HINT_MS = 2_000;
/** Longest wait for feeds before the server listens all the same. */
const FEED_START_MS = 5_000;

export interface DepthwireOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** A feed that fails is begun anew where it comes from a source. */
  readonly feeds: readonly (Feed | FeedSource)[];
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
  // Not by the market's clock, for that of a recording begins anew with each replay.
  const epoch = Math.floor(systemClock.now());
  const bus = createMemoryBus();
  const engine = new Engine({ clock: marketClock, bus, log: logger });
  const supervisor = new FeedSupervisor({ engine, clock: systemClock, log: logger });
  const hub = new Hub({
    clock: marketClock,
    wallClock: systemClock,
    bus,
    markets: engine.markets,
    checksumIntervalMs: config.gateway.checksumIntervalMs,
    soon: setImmediate,
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
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => undefined); // mostly nobody waits for it
  const isReady = () => isStarted && !isClosing;
  const app = await createApp({
    engine,
    supervisor,
    gateway,
    marketClock,
    epoch,
    version,
    isReady,
    metrics: config.metrics ? createMetrics({ engine, supervisor, hub, gateway, version, isReady }) : null,
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

  return {
    app,
    engine,
    hub,
    async listen() {
      // A venue that does not answer must not keep the dashboard of the others waiting.
      const started = supervisor.start(feeds).then(() => true);
      const isLate = delay(FEED_START_MS, false, { ref: false });
      const isInTime = await Promise.race([started, isLate, closed.promise]);
      if (!isInTime) started.catch((error: unknown) => logger.error({ err: error }, 'feed given up'));
      isStarted = true;
      try {
        return await app.listen({ host: config.host, port: config.port });
      } catch (error) {
        throw listenError(error as NodeJS.ErrnoException, config);
      }
    },
    async close() {
      if (isClosing) return;
      isClosing = true;
      closed.reject(new DepthwireError('unavailable', 'stopped before it listened'));
      supervisor.stop();
      gateway.close(RECONNECT_HINT_MS);
      await engine.stop();
      hub.close();
      await app.close();
    },
  };
}

/** What the operating system says of an address, as the key that is wrong and the fix. */
function listenError(error: NodeJS.ErrnoException, { host, port }: Config): unknown {
  const wrong = (key: 'host' | 'port', message: string) =>
    new DepthwireError('invalid_config', message, { key, host, port }, error);
  switch (error.code) {
    case 'EADDRINUSE':
      return new DepthwireError(
        'port_in_use',
        `another process listens on ${host}:${port}: stop it, or choose another port with PORT=8081 or --port 8081`,
        { host, port },
        error,
      );
    case 'EACCES':
      return wrong(
        'port',
        `port (PORT, --port): this process may not listen on ${port}: choose a port from 1024 up, such as 8080, or give it the right to`,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return wrong(
        'host',
        `host (HOST, --host): expected an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them, got ${JSON.stringify(host)} (${error.message})`,
      );
    default:
      return error;
  }
}
