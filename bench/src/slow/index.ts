import type { Bench, BenchOptions, BenchResult, Table } from '../harness/bench.ts';
import type { ServerMemory } from '../harness/probe.ts';
import { figure } from '../harness/report.ts';
import { median, spread } from '../harness/statistics.ts';
import { Crowd, type Load } from './crowd.ts';
import { runStretch, type Stretch } from './stretch.ts';

/** How long is measured in all, seconds: DEPTHWIRE_BENCH_SECONDS=120 */
const SECONDS = 'DEPTHWIRE_BENCH_SECONDS';
const DEFAULT_SECONDS = 600;
/**
 * Stretches with the slow ones, and as many without: few long ones in a short run, for it takes half a minute
 * until the kernel holds no more for a client that reads nothing.
 */
const PAIRS = { short: 2, long: 5 };
const LONG_SECONDS = 300;
const SETTLE_MS = { smoke: 200, full: 2_000 };

const LOAD: Load = { steady: 850, slowEach: 50, booksEach: 5, cadenceMs: 100, depth: 50, rate: 8 };
const SMOKE: Load = { ...LOAD, steady: 12, slowEach: 2 };

/** p99 beside slow clients / without them. */
const LATENCY_LIMIT = 1.1;
/** Growth of the server from the end of the first pair of stretches to the last, above its market's own, MiB. */
const HEAP_LIMIT = 4;
const RSS_LIMIT = 32;

export const slow: Bench = {
  name: 'slow',
  title: 'clients that keep up beside clients that do not',
  async run({ size, progress }: BenchOptions): Promise<BenchResult> {
    const isSmoke = size === 'smoke';
    const seconds = Number(process.env[SECONDS] ?? (isSmoke ? 2 : DEFAULT_SECONDS));
    if (!(seconds > 0)) throw new Error(`${SECONDS}: expected seconds, got ${process.env[SECONDS]}`);
    const load = isSmoke ? SMOKE : LOAD;
    const pairs = isSmoke ? 1 : seconds < LONG_SECONDS ? PAIRS.short : PAIRS.long;
    progress('connecting');
    const crowd = await Crowd.start(load);
    const stretches: Stretch[] = [];
    try {
      const span = { settleMs: SETTLE_MS[size], measureMs: (seconds * 1000) / (2 * pairs) };
      // What is compiled and allocated once is no growth.
      if (!isSmoke) {
        progress('warming up');
        const short = { ...span, measureMs: span.measureMs / 4 };
        for (const isSlow of [false, true]) await runStretch(crowd, isSlow, short);
      }
      for (let pair = 0; pair < pairs; pair++) {
        // Which of the two comes first changes, so that what drifts falls on both.
        for (const isSlow of pair % 2 === 0 ? [false, true] : [true, false]) {
          progress(`pair ${pair + 1} of ${pairs}: ${isSlow ? 'with' : 'without'} slow clients`);
          stretches.push(await runStretch(crowd, isSlow, span));
        }
      }
    } finally {
      await crowd.stop();
    }
    return resultOf(load, stretches);
  },
};

function resultOf(load: Load, stretches: readonly Stretch[]): BenchResult {
  const beside = stretches.filter(({ isSlow }) => isSlow);
  const without = stretches.filter(({ isSlow }) => !isSlow);
  const mid = (of: (stretch: Stretch) => number, among = beside) => median(among.map(of));
  const most = (of: (stretch: Stretch) => number) => Math.max(...beside.map(of));
  const p99 = ({ latency }: Stretch) => latency.p99;
  const transit = ({ transit }: Stretch) => transit.p99;
  const ratios = {
    latencyP99BesideToWithout: mid(p99) / mid(p99, without),
    transitP99BesideToWithout: mid(transit) / mid(transit, without),
  };
  const heapGrowth = growth(stretches, ({ heap, external }) => heap + external);
  const rssGrowth = growth(stretches, ({ rss }) => rss);
  return {
    bench: 'slow',
    ours: {
      latencyP99Ms: mid(p99),
      latencyP99MsWithout: mid(p99, without),
      transitP99Ms: mid(transit),
      transitP99MsWithout: mid(transit, without),
      heapGrowthMiB: Math.max(0, heapGrowth),
      rssGrowthMiB: Math.max(0, rssGrowth),
      bufferedBytesMost: most(({ buffered }) => buffered),
      oldestMs: most(({ oldestMs }) => oldestMs),
      booksCompared: stretches.reduce((sum, { books }) => sum + books.equal, 0),
    },
    peers: {},
    ratios,
    goals: [
      {
        name: 'latency p99, beside slow clients / without',
        value: ratios.latencyP99BesideToWithout,
        bound: { atMost: LATENCY_LIMIT },
      },
      {
        name: 'heap and buffers grow above the market’s own, MiB',
        value: heapGrowth,
        bound: { atMost: HEAP_LIMIT },
      },
      {
        name: 'resident memory grows above the market’s own, MiB',
        value: rssGrowth,
        bound: { atMost: RSS_LIMIT },
      },
      {
        name: 'sessions that lagged at once',
        value: most(({ lagging }) => lagging),
        bound: { atLeast: load.slowEach },
      },
    ],
    tables: [latencyTable(load, beside, without), slowTable(load, beside), memoryTable(stretches)],
    noise: Math.max(spread(without.map(p99)), spread(beside.map(p99))),
  };
}

/**
 * By the first pair everything has been as large as it gets: what has grown since, less what the same market has
 * grown that nobody reads, whose candles and trades of the last minutes become more until they are all that is kept.
 */
function growth(stretches: readonly Stretch[], of: (memory: ServerMemory) => number): number {
  const [first, last] = [stretches[1] ?? stretches[0]!, stretches.at(-1)!];
  return of(last.memory) - of(first.memory) - (of(last.memoryAlone) - of(first.memoryAlone));
}

function latencyTable(load: Load, beside: readonly Stretch[], without: readonly Stretch[]): Table {
  const columns: Record<string, (stretch: Stretch) => number> = {
    'latency p50': ({ latency }) => latency.p50,
    'latency p99': ({ latency }) => latency.p99,
    'transit p50': ({ transit }) => transit.p50,
    'transit p99': ({ transit }) => transit.p99,
    'loop delay p99': ({ server }) => server.delay.p99,
    'loop delay max': ({ server }) => server.delay.max,
    'frames/s': ({ framesPerSecond }) => framesPerSecond,
    'server %': ({ server }) => server.cpu * 100,
    'clients %': ({ clientsCpu }) => clientsCpu * 100,
  };
  return {
    title: `${figure(load.steady)} clients that keep up, ${load.booksEach} books each at cadence ${load.cadenceMs}, beside ${3 * load.slowEach} that do not and without them; ms: median of the stretches (least – most)`,
    rows: [
      ['', ...Object.keys(columns)],
      ...(
        [
          ['without', without],
          ['beside', beside],
        ] as const
      ).map(([name, stretches]) => [name, ...Object.values(columns).map((of) => range(stretches.map(of)))]),
    ],
  };
}

function slowTable(load: Load, beside: readonly Stretch[]): Table {
  const rows: [string, (stretch: Stretch) => number][] = [
    ['sessions that lagged at once, most', ({ lagging }) => lagging],
    ['bytes that waited in the server, most', ({ buffered }) => buffered],
    ['merged frames read', ({ mergedFrames }) => mergedFrames],
    ['updates that merged frames stood for', ({ mergedUpdates }) => mergedUpdates],
    ['oldest update in a merged frame, ms', ({ oldestMs }) => oldestMs],
    ['connections broken and back', ({ broken }) => broken],
    ['books equal by checksum to REST, of all clients', ({ books }) => books.equal],
  ];
  return {
    title: `The slow ones of a stretch: ${load.slowEach} read nothing, ${load.slowEach} a tenth, ${load.slowEach} break off each second`,
    rows: [['', 'median (least – most)'], ...rows.map(([name, of]) => [name, range(beside.map(of))])],
  };
}

function memoryTable(stretches: readonly Stretch[]): Table {
  return {
    title:
      'The server after each stretch, and one with the same market that nobody reads; a collection done, MiB',
    rows: [
      ['stretch', 'heap', 'buffers', 'resident', 'heap, alone', 'resident, alone'],
      ...stretches.map(({ isSlow, memory, memoryAlone }, i) => [
        `${i + 1}, ${isSlow ? 'beside' : 'without'}`,
        figure(memory.heap),
        figure(memory.external),
        figure(memory.rss),
        figure(memoryAlone.heap),
        figure(memoryAlone.rss),
      ]),
    ],
  };
}

const range = (values: readonly number[]): string =>
  `${figure(median(values))} (${figure(Math.min(...values))} – ${figure(Math.max(...values))})`;
