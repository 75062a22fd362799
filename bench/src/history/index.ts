import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createHistoryStore } from '../../../server/src/history/stores/create-store.ts';
import { launchPostgres, postgresPath } from '../../../server/test/launch-postgres.ts';
import type { Bench, BenchOptions, BenchResult, Figures, Goal } from '../harness/bench.ts';
import { figure } from '../harness/report.ts';
import { quantile, spread } from '../harness/statistics.ts';
import { measure, type Measured, type Rounds } from './measure.ts';
import type { PastSize } from './past.ts';

const SIZES: Readonly<Record<BenchOptions['size'], PastSize & { readonly rounds: Rounds }>> = {
  full: {
    instruments: 10,
    seconds: 50_000,
    tradesASecond: 20,
    candles: { '1m': 40_000, '1h': 9_000, '1d': 1_500 },
    rounds: { charts: 40, pages: 400, seconds: 3_600 },
  },
  smoke: {
    instruments: 2,
    seconds: 600,
    tradesASecond: 3,
    candles: { '1m': 600, '1d': 50 },
    rounds: { charts: 2, pages: 8, seconds: 130 },
  },
};

const CHART_LIMIT_MS = 100;
const PAGE_LIMIT_MS = 50;

/** Questions, by what they are called in tables. */
const questions = {
  chart: 'first chart: 500 candles of an interval',
  candlePage: 'a page of 500 older candles',
  tradePage: 'a page of 500 older trades',
  columns: 'an hour of columns for a heatmap',
  second: 'a second of all instruments written',
} as const;
type Question = keyof typeof questions;

export const history: Bench = {
  name: 'history',
  title: 'ten million trades and a million candles stored and read, in SQLite and in PostgreSQL',
  async run({ size, progress }: BenchOptions): Promise<BenchResult> {
    const { rounds, ...past } = SIZES[size];
    const folder = await mkdtemp(path.join(tmpdir(), 'depthwire-bench-history-'));
    const measured: Record<string, Measured> = {};
    try {
      const file = path.join(folder, 'history.db');
      measured.sqlite = await measure(
        () => createHistoryStore({ store: 'sqlite', path: file }),
        past,
        rounds,
        progress,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
    if (postgresPath !== null) {
      const postgres = await launchPostgres({ isUnsafe: false, settings: ['shared_buffers=256MB'] });
      try {
        measured.postgres = await measure(
          () => createHistoryStore({ store: 'postgres', url: postgres.url }),
          past,
          rounds,
          progress,
        );
      } finally {
        await postgres.remove();
      }
      if (measured.postgres.answers !== measured.sqlite.answers)
        throw new Error('the two stores do not answer the same');
    }
    return resultOf(measured.sqlite, measured.postgres);
  },
};

function figuresOf(measured: Measured): Figures {
  const figures: Record<string, number> = {
    tradesASecond: measured.tradesASecond,
    candlesASecond: measured.candlesASecond,
    megabytes: measured.bytes / 1e6,
    bytesASecond: measured.bytesASecond,
  };
  for (const question of Object.keys(questions) as Question[]) {
    figures[`${question}P50Ms`] = quantile(measured[question], 0.5);
    figures[`${question}P95Ms`] = quantile(measured[question], 0.95);
    figures[`${question}MaxMs`] = Math.max(...measured[question]);
  }
  return figures;
}

function resultOf(sqlite: Measured, postgres: Measured | undefined): BenchResult {
  const stores = { sqlite, ...(postgres && { postgres }) };
  const figures = Object.fromEntries(Object.entries(stores).map(([name, each]) => [name, figuresOf(each)]));
  const { sqlite: ours, ...peers } = figures as { sqlite: Figures };
  const other = figures.postgres;
  return {
    bench: 'history',
    ours,
    peers,
    ratios: other
      ? Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, value / other[name]!]))
      : {},
    goals: Object.entries(stores).flatMap(([name, each]) => goalsOf(name, each)),
    tables: [
      {
        title: 'Stored',
        rows: [
          ['', ...Object.keys(stores), 'ratio'],
          ...(
            [
              ['trades a second', 'tradesASecond'],
              ["a venue's candles a second", 'candlesASecond'],
              ['MB of both', 'megabytes'],
              ['bytes a live second of one instrument, its trades, candles and column', 'bytesASecond'],
            ] as const
          ).map(([title, name]) => rowOf(title, name, figures)),
        ],
      },
      {
        title: 'Milliseconds',
        rows: [
          ['', ...Object.keys(stores), 'ratio'],
          ...Object.entries(questions).flatMap(([question, title]) =>
            ['P50', 'P95', 'Max'].map((part) =>
              rowOf(`${title}, ${part.toLowerCase()}`, `${question}${part}Ms`, figures),
            ),
          ),
        ],
      },
    ],
    noise: Math.max(...Object.values(stores).map(({ second }) => spread(second))),
  };
}

function rowOf(title: string, name: string, figures: Readonly<Record<string, Figures>>): string[] {
  const values = Object.values(figures).map((each) => each[name]!);
  return [title, ...values.map(figure), values.length > 1 ? figure(values[0]! / values[1]!) : ''];
}

function goalsOf(store: string, { chart, candlePage, tradePage }: Measured): Goal[] {
  const goal = (question: Question, values: readonly number[], atMost: number): Goal => ({
    name: `${store}, ${questions[question]}, p95, ms`,
    value: quantile(values, 0.95),
    bound: { atMost },
  });
  return [
    goal('chart', chart, CHART_LIMIT_MS),
    goal('candlePage', candlePage, PAGE_LIMIT_MS),
    goal('tradePage', tradePage, PAGE_LIMIT_MS),
  ];
}
