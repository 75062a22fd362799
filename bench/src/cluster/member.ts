// A process of Depthwire, as an operator starts it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../harness/usage.ts';

const COMMAND = path.resolve(import.meta.dirname, '../../../server/bin/depthwire.js');
const START_LIMIT_MS = 60_000;
const POLL_MS = 50;
/** Of the kernel's clock in which it counts processor time, a second. */
const TICKS_PER_SECOND = 100;

export interface MemberOptions {
  readonly name: string;
  readonly folder: string;
  readonly port: number;
  /** Without its port. */
  readonly config: object;
  readonly history: object;
  /** A library that gives it another time, which the file says. */
  readonly faketime: string | null;
}

export class Member {
  readonly name: string;
  readonly port: number;
  readonly http: string;
  readonly #options: MemberOptions;
  #child: ChildProcess | null = null;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.name = options.name;
    this.port = options.port;
    this.http = `http://127.0.0.1:${options.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const { folder, name, port, config, history, faketime } = this.#options;
    const file = path.join(folder, `${name}.yaml`);
    const clock = path.join(folder, `${name}.clock`);
    await writeFile(file, JSON.stringify({ logLevel: 'info', ...config, port }));
    await writeFile(clock, '+0');
    const log = openSync(path.join(folder, `${name}.log`), 'a');
    this.#child = spawn(process.execPath, ['--no-warnings', COMMAND, 'serve', '--config', file], {
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        ...{ NODE_ENV: 'production', HOST: '', PORT: '', DEPTHWIRE_FEEDS: '', LOG_LEVEL: '' },
        DEPTHWIRE_HISTORY: JSON.stringify(history),
        ...(faketime !== null && {
          LD_PRELOAD: faketime,
          FAKETIME_TIMESTAMP_FILE: clock,
          FAKETIME_CACHE_DURATION: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        }),
      },
    });
  }

  /** Resolves once it takes clients. */
  async ready(): Promise<void> {
    const end = nowMs() + START_LIMIT_MS;
    while (nowMs() < end) {
      const answer = await fetch(`${this.http}/api/v1/ready`).catch(() => null);
      if (answer?.status === 200) return;
      if (this.#child?.exitCode != null) break;
      await delay(POLL_MS);
    }
    throw new Error(`${this.name} is not ready: ${this.lastWords}`);
  }

  /** Waits for its end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Its clock is so far from the machine's from within a second on; it has to be started with `faketime`. */
  async setClock(offsetS: number): Promise<void> {
    const { folder, name } = this.#options;
    await writeFile(path.join(folder, `${name}.clock`), `${offsetS < 0 ? '' : '+'}${offsetS}`);
  }

  /** The end of its log. */
  get lastWords(): string {
    const { folder, name } = this.#options;
    return readFileSync(path.join(folder, `${name}.log`), 'utf8').slice(-2_000);
  }
}

/** Processor time of a process so far. */
export function cpuSecondsOf(pid: number): number {
  // The name, in parentheses, may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
