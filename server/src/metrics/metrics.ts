import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { PROTOCOL_VERSION } from '@depthwire/shared';
import type { Refusals } from '../access/refusals.ts';
import type { Backend } from '../backends.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Hub } from '../gateway/hub.ts';
import type { DepthHistory } from '../history/depth-history.ts';
import { addBusMetrics } from './bus-metrics.ts';
import { addFeedMetrics } from './feed-metrics.ts';
import { addGatewayMetrics } from './gateway-metrics.ts';
import { addHistoryMetrics } from './history-metrics.ts';
import { sampledGauge } from './sampled.ts';

/** Upper bounds of HTTP response times, seconds. */
const HTTP_BUCKETS_S = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];

export interface MetricsSources {
  readonly backend: Backend;
  readonly depthHistory: DepthHistory;
  readonly hub: Hub;
  readonly gateway: Gateway;
  readonly refusals: Refusals;
  readonly version: string;
  isReady(): boolean;
}

/** A finished HTTP request. All but the seconds are from bounded sets. */
export interface FinishedRequest {
  readonly method: string;
  /** The route's pattern, never a path that a client made up. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** What a Prometheus server may scrape. No label is ever what a client chose; ids of keys are those of the configuration. */
export interface Metrics {
  readonly contentType: string;
  onRequest(request: FinishedRequest): void;
  /** @returns the text exposition format */
  scrape(): Promise<string>;
}

export function createMetrics({
  backend,
  depthHistory,
  hub,
  gateway,
  refusals,
  version,
  isReady,
}: MetricsSources): Metrics {
  const registry = new Registry();
  sampledGauge(
    registry,
    {
      name: 'depthwire_build_info',
      help: 'Always 1; its labels tell what runs.',
      labelNames: ['version', 'protocol', 'node'],
    },
    () => [[{ version, protocol: String(PROTOCOL_VERSION), node: process.version }, 1]],
  );
  sampledGauge(registry, { name: 'depthwire_ready', help: '1 when ready, else 0.' }, () => [
    [{}, Number(isReady())],
  ]);
  addGatewayMetrics(registry, { gateway, hub, refusals });
  if (backend.feeds !== null) addFeedMetrics(registry, backend.feeds.engine, backend.feeds.supervisor);
  if (backend.busFigures !== null)
    addBusMetrics(registry, backend.busFigures, () => backend.source.busReport());
  addHistoryMetrics(registry, depthHistory, backend.history);
  const requests = new Counter({
    name: 'depthwire_http_requests_total',
    help: 'HTTP requests answered, by route and status.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'depthwire_http_request_seconds',
    help: 'Time from an HTTP request to its answer.',
    labelNames: ['route'],
    buckets: HTTP_BUCKETS_S,
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    onRequest({ method, route, status, seconds }) {
      requests.inc({ method, route, status });
      durations.observe({ route }, seconds);
    },
    async scrape() {
      const parts = await Promise.all([registry.metrics(), processMetrics().metrics()]);
      return parts.join('\n');
    },
  };
}

let ofProcess: Registry | null = null;

/** Once for the process, whatever number of servers it runs: they watch its event loop and memory for good. */
function processMetrics(): Registry {
  if (ofProcess === null) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
