import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { latencyOf, SEQUENCE_OF_FIRST_FRAME, type Latency } from './latency.ts';
import type { ServerUse } from '../harness/probe.ts';
import type { ServerProcess } from '../harness/server.ts';
import type { Received, Receivers } from './receivers.ts';
import type { SampledBook, Samples } from './samples.ts';
import { instrumentOf, subscriptionsOf, type Scenario } from './scenario.ts';
import { startServer } from './server.ts';
import { nowMs } from '../harness/usage.ts';
import type { BookRecord, Flow, Venue } from './venue.ts';
import { Worker } from '../harness/worker.ts';

const POLL_MS = 20;
const TAKEN_LIMIT_MS = 20_000;
/** The venue sends for longer than it is measured: the measured processes are asked one after the other. */
const SPARE_SECONDS = 3;

export interface Round {
  readonly latency: Latency;
  readonly flow: Flow;
  readonly server: ServerUse;
  readonly received: Received;
  /** Of the clients that measure, as a part of one core. */
  readonly samplesCpu: number;
  /** All else that the machine does meanwhile: noise, as a part of one core. */
  readonly restCpu: number;
  /** Books compared with the venue's at the end. */
  readonly booksEqual: number;
}

/** The venue, the server and its clients, all begun anew. */
export async function runRound(scenario: Scenario): Promise<Round> {
  const { instruments, levelsPerSecond, warmUpMs, measureMs } = scenario;
  const module = (name: string) => [fileURLToPath(new URL(name, import.meta.url))];
  const venue = new Worker<Venue>('the venue', module('venue.ts'));
  const samples = new Worker<Samples>('the clients that measure', module('samples.ts'));
  const receivers = new Worker<Receivers>('the other clients', module('receivers.ts'));
  let server: ServerProcess | null = null;
  try {
    const seconds = (warmUpMs + measureMs) / 1000 + SPARE_SECONDS;
    const endpoints = await venue.ask('start', { instruments, levelsPerSecond, seconds });
    server = await startServer(endpoints, instruments);
    await taken(venue);
    await connect(scenario, server.url, samples, receivers);
    await venue.ask('run');
    await delay(warmUpMs);

    const all = [venue, server.probe, samples, receivers] as const;
    await Promise.all(all.map((each: Worker<{ begin(): void }>) => each.ask('begin')));
    const idleBeforeMs = idleMs();
    const fromMs = nowMs();
    await delay(measureMs);
    const toMs = nowMs();
    const busy = cpus().length - (idleMs() - idleBeforeMs) / (toMs - fromMs);
    const [flow, use, { cpu: samplesCpu }, received] = await Promise.all([
      venue.ask('end'),
      server.probe.ask('end'),
      samples.ask('end'),
      receivers.ask('end'),
    ]);

    const books = await venue.ask('finish');
    const { rows, books: sampled } = await samples.ask('finish', books.map(lastSequence));
    expectEqual(books, sampled);
    const latency = latencyOf(rows, books, { fromMs, toMs });
    const restCpu = Math.max(0, busy - flow.cpu - use.cpu - samplesCpu - received.cpu);
    return { latency, flow, server: use, received, samplesCpu, restCpu, booksEqual: sampled.length };
  } finally {
    for (const each of [venue, samples, receivers, server]) await each?.stop();
  }
}

/** Time that the cores had nothing to do, since the machine began. */
const idleMs = () => cpus().reduce((sum, { times }) => sum + times.idle, 0);

const lastSequence = ({ sentMs }: BookRecord) => SEQUENCE_OF_FIRST_FRAME - 1 + sentMs.length;

async function taken(venue: Worker<Venue>): Promise<void> {
  const end = nowMs() + TAKEN_LIMIT_MS;
  while (!(await venue.ask('isTaken'))) {
    if (nowMs() > end) throw new Error('the server has not asked for all books');
    await delay(POLL_MS);
  }
}

/** Those that measure are spread evenly among the others: nobody is always served first. */
async function connect(
  scenario: Scenario,
  url: string,
  samples: Worker<Samples>,
  receivers: Worker<Receivers>,
): Promise<void> {
  const { cadenceMs, clients } = scenario;
  const every = clients / scenario.samples;
  for (const [client, books] of subscriptionsOf(scenario).entries()) {
    const isSample = Math.floor((client + 1) / every) > Math.floor(client / every);
    const options = { url, cadenceMs, books };
    await (isSample ? samples.ask('connect', options) : receivers.ask('connect', options));
  }
}

/** @throws Error where a client's book is not the venue's, or a book was begun anew on the way */
function expectEqual(books: readonly BookRecord[], sampled: readonly SampledBook[]): void {
  for (const [book, { snapshots }] of books.entries()) {
    if (snapshots !== 1) throw new Error(`${instrumentOf(book)} was asked for ${snapshots} times`);
  }
  for (const { book, state, resyncs, bids, asks } of sampled) {
    const truth = books[book]!;
    if (state !== 'live') throw new Error(`${instrumentOf(book)} is ${state}`);
    if (resyncs > 0) throw new Error(`a client had to take ${instrumentOf(book)} anew ${resyncs} times`);
    if (!isDeepStrictEqual([bids, asks], [truth.bids, truth.asks]))
      throw new Error(`a client's book of ${instrumentOf(book)} is not the venue's`);
  }
}
