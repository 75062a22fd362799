import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import { Buckets } from './buckets.ts';

// Metrics whose figures are kept elsewhere and read at a scrape, so that nothing but a plain addition is
// paid where they are counted.

type Labels = Readonly<Record<string, string>>;
/** One series each: its labels, and its value now. */
type Samples<Value> = Iterable<readonly [labels: Labels, value: Value]>;

interface Description {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

export function sampledCounter(registry: Registry, about: Description, read: () => Samples<number>): void {
  new Counter({
    ...about,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.inc(labels, value);
    },
  });
}

export function sampledGauge(registry: Registry, about: Description, read: () => Samples<number>): void {
  new Gauge({
    ...about,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.set(labels, value);
    },
  });
}

/** prom-client's own histogram cannot be set to what was counted elsewhere: this is one as its registry reads it. */
export function sampledHistogram(registry: Registry, about: Description, read: () => Samples<Buckets>): void {
  const { name, help } = about;
  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: () => Promise.resolve({ ...metric, values: [...seriesOf(name, read())] }),
  };
  registry.registerMetric(metric as unknown as Metric);
}

function* seriesOf(name: string, samples: Samples<Buckets>) {
  for (const [labels, { counts, sumMs }] of samples) {
    let count = 0;
    for (const [index, inBucket] of counts.entries()) {
      count += inBucket;
      const bound = Buckets.boundsMs[index];
      const le = bound === undefined ? '+Inf' : bound / 1000;
      yield { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
    }
    yield { metricName: `${name}_sum`, labels, value: sumMs / 1000 };
    yield { metricName: `${name}_count`, labels, value: count };
  }
}
