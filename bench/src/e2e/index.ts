import type { Bench, BenchOptions, BenchResult, Goal, Table } from '../harness/bench.ts';
import { figure } from '../harness/report.ts';
import { selected } from '../harness/selection.ts';
import { median, spread } from '../harness/statistics.ts';
import { runRound, type Round } from './round.ts';
import type { Scenario } from './scenario.ts';

/** Names scenarios to run no others: DEPTHWIRE_E2E=cadence50 */
const ONLY = 'DEPTHWIRE_E2E';
/** A run with less of the updates is no run of this benchmark. */
const LEAST_FLOW = 0.95;
const ROUNDS = 3;
const LOOP_DELAY_LIMIT_MS = 10;

const LOAD = { instruments: 100, booksEach: 10, levelsPerSecond: 20_000, warmUpMs: 5_000, measureMs: 7_000 };
const SMOKE = { instruments: 3, booksEach: 2, levelsPerSecond: 600, warmUpMs: 200, measureMs: 1_000 };

interface Limits {
  readonly p50?: number;
  readonly p99: number;
}

interface Measured {
  readonly scenario: Scenario;
  readonly limits: Limits;
  readonly rounds: readonly Round[];
}

function scenarios(size: BenchOptions['size']): { scenario: Scenario; limits: Limits }[] {
  const load = size === 'smoke' ? SMOKE : LOAD;
  const of = (clients: number, samples: number) =>
    size === 'smoke' ? { clients: 6, samples: 2 } : { clients, samples };
  return [
    {
      scenario: { ...load, ...of(500, 10), name: 'cadence50', cadenceMs: 50 },
      limits: { p99: 55 },
    },
    {
      scenario: { ...load, ...of(50, 10), name: 'cadence0', cadenceMs: 0 },
      limits: { p50: 3, p99: 10 },
    },
  ];
}

export const e2e: Bench = {
  name: 'e2e',
  title: 'from a frame of the venue to the decoded event in a client',
  async run({ size, progress }: BenchOptions): Promise<BenchResult> {
    const all = scenarios(size);
    const names = selected(
      ONLY,
      all.map(({ scenario }) => scenario.name),
    );
    const chosen = all.filter(({ scenario }) => names.includes(scenario.name));
    const count = size === 'smoke' ? 1 : ROUNDS;
    const rounds = chosen.map((): Round[] => []);
    for (let round = 0; round < count; round++) {
      for (const [i, { scenario }] of chosen.entries()) {
        progress(`round ${round + 1} of ${count}: ${scenario.name}`);
        const measured = await runRound(scenario);
        if (size === 'full') expectFlow(scenario, measured);
        rounds[i]!.push(measured);
      }
    }
    return resultOf(chosen.map((each, i) => ({ ...each, rounds: rounds[i]! })));
  },
};

/** @throws Error where less flowed than should have: the machine was too slow for the load */
function expectFlow({ name, levelsPerSecond }: Scenario, { flow }: Round): void {
  if (flow.levelsPerSecond < LEAST_FLOW * levelsPerSecond) {
    const [got, wanted] = [flow.levelsPerSecond, levelsPerSecond].map(figure);
    throw new Error(`${name}: this run is invalid: ${got} level updates a second flowed, not ${wanted}`);
  }
}

function resultOf(measured: readonly Measured[]): BenchResult {
  const ours: Record<string, number> = {};
  for (const { scenario, rounds } of measured) {
    const put = (name: string, of: (round: Round) => number) =>
      (ours[scenario.name + name] = median(rounds.map(of)));
    put('P50Ms', ({ latency }) => latency.p50);
    put('P90Ms', ({ latency }) => latency.p90);
    put('P99Ms', ({ latency }) => latency.p99);
    put('MaxMs', ({ latency }) => latency.max);
    put('LoopDelayP99Ms', ({ server }) => server.delay.p99);
    put('ServerCpu', ({ server }) => server.cpu);
    put('LevelsPerSecond', ({ flow }) => flow.levelsPerSecond);
  }
  return {
    bench: 'e2e',
    ours,
    peers: {},
    ratios: {},
    goals: measured.flatMap(goalsOf),
    tables: [latencyTable(measured), loadTable(measured)],
    noise: Math.max(
      ...measured.flatMap(({ rounds }) => [
        spread(rounds.map(({ latency }) => latency.p50)),
        spread(rounds.map(({ latency }) => latency.p99)),
      ]),
    ),
  };
}

function goalsOf({ scenario, limits, rounds }: Measured): Goal[] {
  const goal = (name: string, of: (round: Round) => number, atMost: number): Goal => ({
    name: `${scenario.name}, ${name}, ms`,
    value: median(rounds.map(of)),
    bound: { atMost },
  });
  return [
    ...(limits.p50 === undefined ? [] : [goal('p50', ({ latency }) => latency.p50, limits.p50)]),
    goal('p99', ({ latency }) => latency.p99, limits.p99),
    goal('event-loop delay p99', ({ server }) => server.delay.p99, LOOP_DELAY_LIMIT_MS),
  ];
}

function latencyTable(measured: readonly Measured[]): Table {
  const quantiles = ['p50', 'p90', 'p99', 'max'] as const;
  return {
    title:
      'From the sending of the oldest update merged in a frame to the decoded event, ms: median of the rounds (least – most)',
    rows: [
      ['scenario', ...quantiles, 'loop delay p50', 'p99', 'max', 'frames measured'],
      ...measured.map(({ scenario, rounds }) => [
        titleOf(scenario),
        ...quantiles.map((name) => range(rounds.map(({ latency }) => latency[name]))),
        ...(['p50', 'p99', 'max'] as const).map((name) =>
          range(rounds.map(({ server }) => server.delay[name])),
        ),
        figure(rounds.reduce((sum, { latency }) => sum + latency.samples, 0)),
      ]),
    ],
  };
}

function loadTable(measured: readonly Measured[]): Table {
  const columns: Record<string, (round: Round) => number> = {
    'levels/s in': ({ flow }) => flow.levelsPerSecond,
    'frames/s in': ({ flow }) => flow.framesPerSecond,
    'frames/s out': ({ received }) => received.framesPerSecond,
    'MB/s out': ({ received }) => received.bytesPerSecond / 1e6,
    'server %': ({ server }) => server.cpu * 100,
    'venue %': ({ flow }) => flow.cpu * 100,
    'measuring clients %': ({ samplesCpu }) => samplesCpu * 100,
    'other clients %': ({ received }) => received.cpu * 100,
    'rest of the machine %': ({ restCpu }) => restCpu * 100,
    'server MiB': ({ server }) => server.rss,
    'books equal': ({ booksEqual }) => booksEqual,
  };
  return {
    title:
      'What flowed, and the part of one core that each process took (they share the cores of one machine)',
    rows: [
      ['scenario', ...Object.keys(columns)],
      ...measured.map(({ scenario, rounds }) => [
        scenario.name,
        ...Object.values(columns).map((of) => figure(median(rounds.map(of)))),
      ]),
    ],
  };
}

function titleOf({ name, instruments, clients, samples }: Scenario): string {
  return `${name}: ${instruments} books, ${clients} clients (${samples} measure)`;
}

const range = (values: readonly number[]): string =>
  `${figure(median(values))} (${figure(Math.min(...values))} – ${figure(Math.max(...values))})`;
