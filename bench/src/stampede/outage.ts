import { setTimeout as delay } from 'node:timers/promises';
import { unixMs } from '../harness/clock.ts';
import { compareBooks } from '../harness/rest.ts';
import type { ServerProcess } from '../harness/server.ts';
import type { Worker } from '../harness/worker.ts';
import type { Crowd, Fate } from './crowd.ts';

const LIVE_LIMIT_MS = 60_000;
const POLL_MS = 50;
/** Time in which clients have been connected for long enough to start their back-off anew. */
const SETTLED_MS = 12_000;
/** Within so long it is counted how many come at once. */
const WINDOW_MS = 1_000;

/** How a server ends, and after how long another one is started. */
export interface Ending {
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly awayMs: number;
}

export interface Outage {
  /** From the signal to the end of the process. */
  readonly exitMs: number;
  readonly exitCode: number | null;
  /** From the signal to the new server's being ready. */
  readonly readyMs: number;
  /** From the signal to the last client's having all its books live. */
  readonly liveMs: number;
  readonly clients: number;
  /** Part of the clients that were lost, and that connected again, within any one second. */
  readonly lostAtOnce: number;
  readonly backAtOnce: number;
  /** Clients that connected again in each second since the signal. */
  readonly backBySecond: readonly number[];
  /** Connections that failed, of all clients. */
  readonly failedTries: number;
  readonly gotGoodbye: number;
  /** Connections that were closed as they should be, with code 1001, and after a whole message. */
  readonly closedWhole: number;
  /** Books compared and found equal. */
  readonly booksEqual: number;
}

export interface Town {
  server: ServerProcess;
  readonly crowds: readonly Worker<Crowd>[];
  readonly instruments: readonly string[];
  /** Starts the server anew, on the same port. */
  start(): Promise<ServerProcess>;
}

/** Ends the server, starts another one, and sees everybody back. */
export async function runOutage(town: Town, { signal, awayMs }: Ending, isSmoke: boolean): Promise<Outage> {
  const { crowds, instruments } = town;
  if (!isSmoke) await delay(SETTLED_MS);
  await Promise.all(crowds.map((crowd) => crowd.ask('watch')));
  const fromMs = unixMs();
  const exitCode = await town.server.end(signal);
  const exitMs = unixMs() - fromMs;
  await delay(awayMs);
  town.server = await town.start();
  const readyMs = unixMs() - fromMs;
  await allLive(crowds);
  const fates = (await Promise.all(crowds.map((crowd) => crowd.ask('fates')))).flat();
  const { equal } = await compareBooks(town.server.http, instruments, crowds);
  const since = (of: (fate: Fate) => number | null) => fates.map((fate) => of(fate)! - fromMs);
  const back = since(({ openMs }) => openMs);
  return {
    exitMs,
    exitCode,
    readyMs,
    liveMs: Math.max(...since(({ liveMs }) => liveMs)),
    clients: fates.length,
    lostAtOnce:
      mostWithin(
        since(({ lostMs }) => lostMs),
        WINDOW_MS,
      ) / fates.length,
    backAtOnce: mostWithin(back, WINDOW_MS) / fates.length,
    backBySecond: bySecond(back),
    failedTries: fates.reduce((sum, { losses }) => sum + losses - 1, 0),
    gotGoodbye: fates.filter(({ gotGoodbye }) => gotGoodbye).length,
    closedWhole: fates.filter(({ closeCode, isLastWhole }) => closeCode === 1001 && isLastWhole).length,
    booksEqual: equal,
  };
}

async function allLive(crowds: readonly Worker<Crowd>[]): Promise<void> {
  const end = performance.now() + LIVE_LIMIT_MS;
  for (;;) {
    const missing = await Promise.all(crowds.map((crowd) => crowd.ask('notLiveAgain')));
    if (missing.every((states) => states.length === 0)) return;
    if (performance.now() > end)
      throw new Error(
        `clients have no live books again; they are ${[...new Set(missing.flat())].join(', ')}`,
      );
    await delay(POLL_MS);
  }
}

/** Most of the times that lie within any such span. */
function mostWithin(times: readonly number[], spanMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [last, time] of sorted.entries()) {
    while (sorted[first]! <= time - spanMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

function bySecond(times: readonly number[]): number[] {
  const counts = Array.from({ length: Math.floor(Math.max(...times) / 1000) + 1 }, () => 0);
  for (const time of times) counts[Math.floor(time / 1000)]! += 1;
  return counts;
}
