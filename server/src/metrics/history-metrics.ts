import type { Registry } from 'prom-client';
import type { DepthHistory } from '../history/depth-history.ts';
import { sampledGauge } from './sampled.ts';

/** What is kept of the past. */
export function addHistoryMetrics(registry: Registry, depthHistory: DepthHistory): void {
  const gauge = (name: string, help: string, key: keyof DepthHistory['figures']) =>
    sampledGauge(registry, { name: `depthwire_depth_history_${name}`, help }, () => [
      [{}, depthHistory.figures[key]],
    ]);
  gauge('instruments', 'Instruments whose books are recorded in columns.', 'instruments');
  gauge('columns', 'Columns of books that are kept.', 'columns');
  gauge('bytes', 'Bytes that these columns take.', 'bytes');
}
