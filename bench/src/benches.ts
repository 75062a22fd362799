import type { Bench } from './harness/bench.ts';

/** All benchmarks by name, loaded when they run. */
export const benches = {
  book: async () => (await import('./book/index.ts')).book,
  wire: async () => (await import('./wire/index.ts')).wire,
  fanout: async () => (await import('./fanout/index.ts')).fanout,
  ingest: async () => (await import('./ingest/index.ts')).ingest,
  screen: async () => (await import('./screen/index.ts')).screen,
  embed: async () => (await import('./embed/index.ts')).embed,
  e2e: async () => (await import('./e2e/index.ts')).e2e,
  slow: async () => (await import('./slow/index.ts')).slow,
  wall: async () => (await import('./screen/index.ts')).wall,
  day: async () => (await import('./day/index.ts')).day,
  history: async () => (await import('./history/index.ts')).history,
  stampede: async () => (await import('./stampede/index.ts')).stampede,
  scale: async () => (await import('./scale/index.ts')).scale,
  cluster: async () => (await import('./cluster/index.ts')).cluster,
} satisfies Record<string, () => Promise<Bench>>;
