import type { Bench, BenchOptions, BenchResult, Goal, Table } from '../harness/bench.ts';
import { figure } from '../harness/report.ts';
import { faketimePath, missingEngines } from './engines.ts';
import { faults } from './faults.ts';
import { Trial, type Finding } from './trial.ts';

const SIZES = {
  full: { ingests: 2, gateways: 3, clients: 1_500, crowds: 3, tickMs: 500 },
  smoke: { ingests: 2, gateways: 2, clients: 60, crowds: 1, tickMs: 200 },
};
const BASES = ['BTC', 'ETH', 'SOL', 'XRP', 'ADA'];
const SMOKE_FAULTS = ['leader', 'gateway', 'redis'];
/** From the market's standing still until every client has its book: a second and what two cores need for it. */
const SETTLE_LIMIT_MS = 2_000;
/** Of what nobody has to notice: how finely clients are looked at, and a busy machine. */
const UNNOTICED_MS = 500;

export const cluster: Bench = {
  name: 'cluster',
  title: 'several machines lose one after the other, and no client has a wrong book',
  async run({ size, progress, clients, faults: asked }: BenchOptions): Promise<BenchResult> {
    if (missingEngines.length > 0) throw new Error(`not installed here: ${missingEngines.join(', ')}`);
    const names = asked ?? (size === 'smoke' ? SMOKE_FAULTS : Object.keys(faults));
    const wrong = names.find((name) => !Object.hasOwn(faults, name));
    if (wrong !== undefined)
      throw new Error(`--faults: expected some of ${Object.keys(faults).join(', ')}, got ${wrong}`);
    const setsClocks = names.some((name) => faults[name]!.setsClocks);
    if (setsClocks && faketimePath === null) throw new Error('not installed here: faketime');
    const options = { ...SIZES[size], ...(clients !== undefined && { clients }) };
    const isShort = size === 'smoke';
    const trial = await Trial.start({
      ...{ ...options, bases: BASES, isStored: true, isShort, progress },
      faketime: setsClocks ? faketimePath : null,
    });
    const findings: Finding[] = [];
    let isDone = false;
    try {
      for (const name of names) findings.push(await trial.suffer(name, faults[name]!));
      isDone = findings.every((finding) => wrongsOf(finding) === 0);
    } finally {
      await trial.stop(!isDone);
    }
    const result = resultOf(options.clients, findings);
    if (isShort && !isDone) throw new Error(`something was wrong: ${JSON.stringify(findings, null, 2)}`);
    return result;
  },
};

/** All that must never be, whatever happens. */
function wrongsOf(finding: Finding): number {
  const { wrongBooks, wentBack, differing, doubledTrades, wrongCandles, unsettled, stored } = finding;
  const inStore = stored.missed + stored.doubled + stored.wrongCandles;
  return wrongBooks + wentBack + differing + doubledTrades + wrongCandles + unsettled + inStore;
}

function resultOf(clients: number, findings: readonly Finding[]): BenchResult {
  const ours: Record<string, number> = {};
  for (const finding of findings) {
    const { name, rightAfterMs, settleMs, oldestMs, reconnects, resumed, snapshots } = finding;
    const figures = {
      ...{ rightAfterMs, settleMs, oldestMs, reconnects, resumed, snapshots },
      wrongBooks: finding.wrongBooks,
      stored: finding.stored.trades,
      storedMissed: finding.stored.missed,
      storedDoubled: finding.stored.doubled,
      missed: finding.missedTrades,
      doubled: finding.doubledTrades,
      wrongs: wrongsOf(finding),
    };
    for (const [key, value] of Object.entries(figures)) ours[`${name}.${key}`] = value;
  }
  return {
    bench: 'cluster',
    ours,
    peers: {},
    ratios: {},
    goals: findings.flatMap(goalsOf),
    tables: tablesOf(clients, findings),
    noise: 0,
  };
}

function goalsOf(finding: Finding): Goal[] {
  const { name, limitMs, rightAfterMs, settleMs } = finding;
  const goal = (title: string, value: number, atMost: number): Goal => ({
    name: `${name}, ${title}`,
    value,
    bound: { atMost },
  });
  return [
    goal('all books right and going on, ms', rightAfterMs, Math.max(limitMs, UNNOTICED_MS)),
    goal('books equal the market’s when it stands still, ms', settleMs, SETTLE_LIMIT_MS),
    goal('wrong in any way', wrongsOf(finding), 0),
  ];
}

function tablesOf(clients: number, findings: readonly Finding[]): Table[] {
  const table = (title: string, columns: Record<string, (finding: Finding) => string | number>): Table => ({
    title,
    rows: [
      ['', ...Object.keys(columns)],
      ...findings.map((finding) => [
        finding.title,
        ...Object.values(columns).map((of) => {
          const value = of(finding);
          return typeof value === 'number' ? figure(value) : value;
        }),
      ]),
    ],
  });
  return [
    table(`${figure(clients)} clients of the SDK: books`, {
      'all right after, s': ({ rightAfterMs }) => rightAfterMs / 1000,
      'equal when still, s': ({ settleMs }) => settleMs / 1000,
      'not equal': ({ unsettled }) => unsettled,
      'wrong books shown': ({ wrongBooks }) => wrongBooks,
      'went back': ({ wentBack }) => wentBack,
      'not the same at one sequence': ({ differing }) => differing,
      'oldest shown as live, s': ({ oldestMs }) => oldestMs / 1000,
    }),
    table('connections and books that were lost', {
      reconnects: ({ reconnects }) => reconnects,
      resumed: ({ resumed }) => resumed,
      snapshots: ({ snapshots }) => snapshots,
      resyncs: ({ resyncs }) => resyncs,
    }),
    table('trades and candles', {
      'in the store': ({ stored }) => stored.trades,
      'missing in the store': ({ stored }) => stored.missed,
      'twice in the store': ({ stored }) => stored.doubled,
      'wrong candles in the store': ({ stored }) => stored.wrongCandles,
      'missed by clients': ({ missedTrades }) => missedTrades,
      'as sums': ({ summedTrades }) => summedTrades,
      'twice at clients': ({ doubledTrades }) => doubledTrades,
      'wrong candles at clients': ({ wrongCandles }) => wrongCandles,
    }),
    ...findings
      .filter(({ examples }) => examples.length > 0)
      .map(({ title, examples }) => ({
        title: `not right after: ${title}`,
        rows: [['book'], ...examples.map((text) => [text])],
      })),
  ];
}
