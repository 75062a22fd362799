import { setTimeout as delay } from 'node:timers/promises';
import type { Server as TlsServer } from 'node:tls';
import { steadyClock, systemClock, type Feed } from '@depthwire/feeds';
import { DepthwireError, type Clock, type Timer } from '@depthwire/shared';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Access } from './access/access.ts';
import { isLoopback } from './access/address.ts';
import { createBackend } from './backends.ts';
import type { Config } from './config/config.ts';
import type { TakenConfig } from './config/watch.ts';
import type { FeedSource } from './engine/feed-source.ts';
import type { MarketSource } from './engine/market-source.ts';
import { Gateway } from './gateway/gateway.ts';
import { Hub } from './gateway/hub.ts';
import { DepthHistory } from './history/depth-history.ts';
import { createApp } from './http/app.ts';
import { certificateOf, watchCertificate } from './http/tls.ts';
import { createMetrics } from './metrics/metrics.ts';
import { version } from './version.ts';

/** The part of the time for stopping in which sessions are ended; the rest is for what they still have to take. */
const SPREAD = 0.5;
/** The part after which clients that are still there are cut off. */
const PATIENCE = 0.8;
/**
 * Connections that may wait to be taken, as far as the system lets them (`net.core.somaxconn`): when a server
 * comes back, so do all of its clients, and who finds the line full tries again a second later at the earliest.
 */
const MAX_WAITING_CONNECTIONS = 4_096;

export interface DepthwireOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** A feed that fails is begun anew where it comes from a source. */
  readonly feeds: readonly (Feed | FeedSource)[];
  /** Default: the machine's clock. A replay hands in its own. */
  readonly marketClock?: Clock;
}

/** A running Depthwire: its part of engine, hub, gateway and HTTP, as its role has it. */
export interface Depthwire {
  readonly app: FastifyInstance;
  readonly source: MarketSource;
  readonly hub: Hub;
  /** @returns the address it listens on */
  listen(): Promise<string>;
  /**
   * Takes other keys and origins while it runs, and ends whoever may not go on as before.
   * @throws DepthwireError `invalid_config`, and nothing has changed
   */
  reload(config: TakenConfig): void;
  /** Says goodbye to clients, stops feeds, and resolves once all is closed. */
  close(): Promise<void>;
  /** Whether something is at work in a thread that may never return, and would keep the process from its end. */
  readonly isHeldUp: boolean;
}

export async function createDepthwire({
  config,
  logger,
  feeds,
  marketClock = systemClock,
}: DepthwireOptions): Promise<Depthwire> {
  // Not by the market's clock, for that of a recording begins anew with each replay.
  const epoch = Math.floor(systemClock.now());
  const access = new Access({
    config: config.access,
    allowedOrigins: config.allowedOrigins,
    clock: systemClock,
  });
  const certificate = await certificateOf(config, systemClock.now());
  const backend = createBackend({ config, logger, marketClock, epoch });
  const { source, bus, history } = backend;
  const hub = new Hub({
    clock: marketClock,
    steadyClock,
    bus,
    markets: source.markets,
    checksumIntervalMs: config.gateway.checksumIntervalMs,
    soon: setImmediate,
    // What ingests tell has epochs of its own.
    ...(config.role === 'gateway' ? {} : { ownEpoch: epoch }),
  });
  const depthHistory = new DepthHistory({
    clock: marketClock,
    bus,
    markets: source.markets,
    limits: config.history,
    onColumn: (id, column) => history.onColumn(id, column),
  });
  history.keepColumns(depthHistory, config.history.depthMinutes * 60_000);
  const server = `depthwire/${version}`;
  const gateway = new Gateway({
    hub,
    access,
    limits: { ...config.gateway, authenticateWithinMs: config.access.authenticateWithinMs },
    server,
    marketClock,
    wallClock: systemClock,
    steadyClock,
    log: logger,
  });
  let renewal: Timer | null = null;
  let isStarted = false;
  let isClosing = false;
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => undefined); // mostly nobody waits for it
  const isReady = () => isStarted && !isClosing && source.hasBegun;
  const app = await createApp({
    source,
    past: history.past,
    history,
    servesOperatorsOnly: config.role === 'ingest',
    depthHistory,
    gateway,
    marketClock,
    epoch,
    version,
    isReady,
    metrics: config.metrics
      ? createMetrics({
          backend,
          depthHistory,
          hub,
          gateway,
          refusals: access.refusals,
          version,
          isReady,
        })
      : null,
    logger,
    web: config.web,
    access,
    ...config.http,
    certificate,
    isStrictTransport: certificate !== null && !config.tls?.development,
    trustedProxies: config.trustedProxies,
    maxConnections: config.gateway.maxConnections,
    maxConnectionsPerAddress: config.gateway.maxConnectionsPerAddress,
    steadyClock,
    maxMessageBytes: config.gateway.maxMessageBytes,
  }).catch(async (error: unknown) => {
    gateway.destroy();
    hub.close();
    depthHistory.close();
    await backend.stop();
    await history.close();
    throw error;
  });

  return {
    app,
    source,
    hub,
    get isHeldUp() {
      return history.isBusy;
    },
    async listen() {
      await Promise.race([backend.start(feeds), closed.promise]);
      isStarted = true;
      warnOfExposure(config, access, logger);
      try {
        const url = await app.listen({
          host: config.host,
          port: config.port,
          backlog: MAX_WAITING_CONNECTIONS,
        });
        if (certificate !== null)
          renewal = watchCertificate(app.server as unknown as TlsServer, config, systemClock, logger);
        return url;
      } catch (error) {
        throw listenError(error as NodeJS.ErrnoException, config);
      }
    },
    reload({ access: config, allowedOrigins }) {
      access.reload({ config, allowedOrigins });
      gateway.reconsider();
    },
    async close() {
      if (isClosing) return;
      isClosing = true;
      closed.reject(new DepthwireError('unavailable', 'stopped before it listened'));
      // Who is still there goes on as before.
      await Promise.race([
        gateway.close(SPREAD * config.shutdownMs),
        delay(PATIENCE * config.shutdownMs, undefined, { ref: false }),
      ]);
      gateway.destroy();
      renewal?.cancel();
      await backend.stop();
      hub.close();
      depthHistory.close();
      await history.close();
      await app.close();
    },
  };
}

/** What an operator may not have meant: others read along, or get nothing. */
function warnOfExposure(config: Config, access: Access, logger: Logger): void {
  const { host, tls } = config;
  if (host === 'localhost' || isLoopback(host)) return;
  if (access.isLocalOnly)
    logger.warn(
      { host },
      'listening for other machines, which get nothing until access.keys, access.jwt or access.public is configured',
    );
  if (tls === undefined)
    logger.warn(
      { host },
      'listening for other machines without TLS: keys and data can be read on the way; configure tls, or put a proxy that speaks it before this server',
    );
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
