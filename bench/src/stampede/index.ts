import { fileURLToPath } from 'node:url';
import type { Bench, BenchOptions, BenchResult, Goal, Table } from '../harness/bench.ts';
import { createRandom } from '../harness/random.ts';
import { figure } from '../harness/report.ts';
import { instrumentIds } from '../harness/rest.ts';
import { selected } from '../harness/selection.ts';
import { freePort, ServerProcess } from '../harness/server.ts';
import { median, spread } from '../harness/statistics.ts';
import { Worker } from '../harness/worker.ts';
import type { Crowd } from './crowd.ts';
import { runOutage, type Ending, type Outage, type Town } from './outage.ts';

/** Names endings to measure no others: DEPTHWIRE_STAMPEDE=kill */
const ONLY = 'DEPTHWIRE_STAMPEDE';
const ROUNDS = 3;
const BOOKS_EACH = 2;
const PROCESSES = 2;
/** Few books, which many share: then a book is compared with the server's in seconds. */
const INSTRUMENTS = 20;
const BOOK = { depth: 50, cadenceMs: 250 };
const SHUTDOWN_MS = 5_000;
/** Of a smoke run, in which nobody has to wait for the last one to come back. */
const SHORT_BACKOFF = { baseMs: 200, maxMs: 1_000 };

const LIVE_LIMIT_MS = 15_000;
const AT_ONCE_LIMIT = 0.5;

const endings: Readonly<Record<string, Ending & { readonly title: string }>> = {
  kill: { title: 'kill -9, started again after 2 s', signal: 'SIGKILL', awayMs: 2_000 },
  restart: { title: 'SIGTERM, started again at once', signal: 'SIGTERM', awayMs: 0 },
};

interface Measured {
  readonly name: string;
  readonly outages: readonly Outage[];
}

export const stampede: Bench = {
  name: 'stampede',
  title: 'all clients at once lose the server and come back',
  async run({ size, progress }: BenchOptions): Promise<BenchResult> {
    const isSmoke = size === 'smoke';
    const clients = isSmoke ? 20 : 2_000;
    const rounds = isSmoke ? 1 : ROUNDS;
    const names = selected(ONLY, Object.keys(endings));
    progress(`connecting ${clients} clients`);
    const town = await settle(clients, isSmoke);
    const measured = names.map((name) => ({ name, outages: [] as Outage[] }));
    try {
      for (let round = 0; round < rounds; round++) {
        for (const { name, outages } of measured) {
          progress(`round ${round + 1} of ${rounds}: ${endings[name]!.title}`);
          outages.push(await runOutage(town, endings[name]!, isSmoke));
        }
      }
    } finally {
      for (const each of [...town.crowds, town.server]) await each.stop();
    }
    return resultOf(measured);
  },
};

/** A server, and clients with live books. */
async function settle(clients: number, isSmoke: boolean): Promise<Town> {
  const port = await freePort();
  const feeds = [{ feed: 'sim', ...(isSmoke && { historyDays: 1 }) }];
  const start = () => ServerProcess.start({ feeds, shutdownMs: SHUTDOWN_MS }, port);
  const server = await start();
  const module = [fileURLToPath(new URL('crowd.ts', import.meta.url))];
  const crowds = Array.from({ length: PROCESSES }, (_, i) => new Worker<Crowd>(`crowd ${i}`, module));
  try {
    const instruments = (await instrumentIds(server.http)).slice(0, INSTRUMENTS);
    const random = createRandom(29);
    const choose = () => {
      const first = Math.floor(random() * INSTRUMENTS);
      return Array.from({ length: BOOKS_EACH }, (_, i) => instruments[(first + i) % INSTRUMENTS]!);
    };
    await Promise.all(
      crowds.map((crowd) =>
        crowd.ask('connect', {
          url: server.url,
          clients: Array.from({ length: clients / PROCESSES }, choose),
          ...BOOK,
          ...(isSmoke && { backoff: SHORT_BACKOFF }),
        }),
      ),
    );
    return { server, crowds, instruments, start };
  } catch (error) {
    for (const each of [...crowds, server]) await each.stop();
    throw error;
  }
}

function resultOf(measured: readonly Measured[]): BenchResult {
  const ours: Record<string, number> = {};
  for (const { name, outages } of measured) {
    const put = (figureName: string, of: (outage: Outage) => number) =>
      (ours[name + figureName] = median(outages.map(of)));
    put('LiveMs', ({ liveMs }) => liveMs);
    put('ReadyMs', ({ readyMs }) => readyMs);
    put('ExitMs', ({ exitMs }) => exitMs);
    put('BackAtOnce', ({ backAtOnce }) => backAtOnce);
    put('BooksEqual', ({ booksEqual }) => booksEqual);
  }
  return {
    bench: 'stampede',
    ours,
    peers: {},
    ratios: {},
    goals: measured.flatMap(goalsOf),
    tables: [outageTable(measured), ...measured.map(histogramOf)],
    noise: Math.max(...measured.map(({ outages }) => spread(outages.map(({ liveMs }) => liveMs)))),
  };
}

/** The worst round has to hold them. */
function goalsOf({ name, outages }: Measured): Goal[] {
  const goal = (title: string, of: (outage: Outage) => number, atMost: number): Goal => ({
    name: `${name}, ${title}`,
    value: Math.max(...outages.map(of)),
    bound: { atMost },
  });
  const goals = [
    goal('all books live, ms after the signal', ({ liveMs }) => liveMs, LIVE_LIMIT_MS),
    goal('part of the clients back within one second', ({ backAtOnce }) => backAtOnce, AT_ONCE_LIMIT),
  ];
  if (endings[name]!.signal === 'SIGKILL') return goals;
  return [
    ...goals,
    goal('exit, ms', ({ exitMs }) => exitMs, SHUTDOWN_MS),
    goal('exit code', ({ exitCode }) => exitCode ?? Infinity, 0),
    goal('clients without a goodbye', ({ clients, gotGoodbye }) => clients - gotGoodbye, 0),
    goal('clients cut off, or not with 1001', ({ clients, closedWhole }) => clients - closedWhole, 0),
  ];
}

function outageTable(measured: readonly Measured[]): Table {
  const columns: Record<string, (outage: Outage) => number> = {
    'exit, s': ({ exitMs }) => exitMs / 1000,
    'ready again, s': ({ readyMs }) => readyMs / 1000,
    'all live, s': ({ liveMs }) => liveMs / 1000,
    'lost in a second, %': ({ lostAtOnce }) => lostAtOnce * 100,
    'back in a second, %': ({ backAtOnce }) => backAtOnce * 100,
    'tries in vain': ({ failedTries, clients }) => failedTries / clients,
    'books equal': ({ booksEqual }) => booksEqual,
  };
  const clients = measured[0]?.outages[0]?.clients ?? 0;
  return {
    title: `${figure(clients)} clients of the SDK with ${BOOKS_EACH} books each; times from the signal, the most within any one second, tries a client: median of the rounds (least – most)`,
    rows: [
      ['', ...Object.keys(columns)],
      ...measured.map(({ name, outages }) => [
        endings[name]!.title,
        ...Object.values(columns).map((of) => range(outages.map(of))),
      ]),
    ],
  };
}

function histogramOf({ name, outages }: Measured): Table {
  const seconds = Math.max(...outages.map(({ backBySecond }) => backBySecond.length));
  return {
    title: `${endings[name]!.title}: clients that came back, by seconds since the signal`,
    rows: [
      ['round', ...Array.from({ length: seconds }, (_, second) => `${second}`)],
      ...outages.map(({ backBySecond }, round) => [
        `${round + 1}`,
        ...Array.from({ length: seconds }, (_, second) => figure(backBySecond[second] ?? 0)),
      ]),
    ],
  };
}

const range = (values: readonly number[]): string =>
  `${figure(median(values))} (${figure(Math.min(...values))} – ${figure(Math.max(...values))})`;
