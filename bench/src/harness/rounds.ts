import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromContender, ToContender } from './contender.ts';
import { median, spread } from './statistics.ts';

const PROCESS = fileURLToPath(new URL('contender-process.ts', import.meta.url));
/** A round that takes longer has hung. */
const ROUND_LIMIT_MS = 120_000;

export interface RoundsOptions {
  /** URL of the module that exports `contenders`. */
  readonly module: string;
  /** By the name under which they are shown: the name in the module, and options. */
  readonly contenders: Readonly<Record<string, { readonly name: string; readonly options?: unknown }>>;
  readonly rounds: number;
  /** Rounds that are not counted: in them code is compiled, and what lives on becomes old. */
  readonly warmUp: number;
  progress(text: string): void;
}

export interface Measured {
  /** Median over the rounds of CPU time for a unit of work, nanoseconds. */
  readonly nsPerUnit: number;
  readonly spread: number;
  readonly check: string | null;
  /** Medians. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Runs all contenders in turn, round by round, each in its own process. */
export async function runRounds(options: RoundsOptions): Promise<Record<string, Measured>> {
  const { contenders, rounds, warmUp, progress } = options;
  const running: { title: string; child: ContenderProcess; results: Result[] }[] = [];
  try {
    for (const [title, { name, options: given }] of Object.entries(contenders)) {
      progress(`starting ${title}`);
      const child = new ContenderProcess();
      running.push({ title, child, results: [] });
      await child.ask({ type: 'create', module: options.module, name, options: given });
    }
    for (let round = -warmUp; round < rounds; round++) {
      for (const { title, child, results } of running) {
        progress(round < 0 ? `warm-up: ${title}` : `round ${round + 1} of ${rounds}: ${title}`);
        const answer = await child.ask({ type: 'round', isWarmUp: round < 0 });
        if (round >= 0 && answer.type === 'result') results.push(answer.result);
      }
    }
  } finally {
    for (const { child } of running) child.close();
  }
  return Object.fromEntries(running.map(({ title, results }) => [title, summarise(title, results)]));
}

type Result = Extract<FromContender, { type: 'result' }>['result'];

function summarise(title: string, results: readonly Result[]): Measured {
  const rounds = results.map(({ cpuUs, units }) => (cpuUs * 1000) / units);
  const checks = new Set(results.map(({ check }) => check));
  if (checks.size > 1) throw new Error(`${title} comes to another result in each round`);
  const names = Object.keys(results[0]?.figures ?? {});
  return {
    nsPerUnit: median(rounds),
    spread: spread(rounds),
    check: results[0]?.check ?? null,
    figures: Object.fromEntries(
      names.map((name) => [name, median(results.map(({ figures }) => figures[name]!))]),
    ),
  };
}

/** @throws Error where contenders that do the same work have not come to the same result */
export function expectSameChecks(measured: Readonly<Record<string, Measured>>): void {
  const [first, ...others] = Object.entries(measured);
  for (const [title, { check }] of others) {
    if (check !== first![1].check) {
      throw new Error(`${title} comes to ${check}, and ${first![0]} to ${first![1].check}`);
    }
  }
}

class ContenderProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(PROCESS, {
      execArgv: ['--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  ask(message: ToContender): Promise<FromContender> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      const settle = (act: () => void) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        act();
      };
      const onMessage = (answer: FromContender) =>
        settle(() => (answer.type === 'failed' ? reject(new Error(answer.reason)) : resolve(answer)));
      const onExit = (code: number | null) =>
        settle(() => reject(new Error(`a contender's process ended with ${code}`)));
      const timer = setTimeout(
        () => settle(() => reject(new Error(`a round took over ${ROUND_LIMIT_MS / 1000} s`))),
        ROUND_LIMIT_MS,
      );
      child.on('message', onMessage).on('exit', onExit);
      child.send(message);
    });
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
    setTimeout(() => this.#child.kill('SIGKILL'), 2_000).unref();
  }
}
