import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test as base } from '@playwright/test';

export { expect };

const root = path.resolve(import.meta.dirname, '..');
const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;

/** A server of the test's own, on a free port, in a folder of its own. */
class Depthwire {
  /** Every line the server wrote, across restarts. */
  readonly log: string[] = [];
  #url: URL | undefined;
  #process: ChildProcess | undefined;
  readonly #args: readonly string[];
  readonly #cwd: string;

  constructor(args: readonly string[], cwd: string) {
    this.#args = args;
    this.#cwd = cwd;
  }

  get url(): string {
    if (!this.#url) throw new Error('The server has not been started');
    return this.#url.origin;
  }

  /** Starts the server; from the second time on, on the port it had. */
  async start(): Promise<void> {
    mkdirSync(this.#cwd, { recursive: true });
    const command = [
      path.join(root, 'server/bin/depthwire.js'),
      'serve',
      '--web',
      path.join(root, 'web/build'),
    ];
    const child = spawn(process.execPath, [...command, ...this.#args], {
      cwd: this.#cwd,
      env: {
        ...process.env,
        FORCE_COLOR: undefined, // Playwright sets it for its own
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: this.#url?.port ?? '0',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    createInterface(child.stderr).on('line', (line) => this.log.push(line));
    this.#url = new URL(await this.#listening(child));
  }

  /** Ends the server as an operator would; `SIGKILL` ends it as a crash would. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const overdue = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(overdue);
  }

  /** Waits until the recording that it serves was played. */
  async ended(timeoutMs = 20_000): Promise<void> {
    const hasEnded = () => this.log.some((line) => line.includes('the replay has ended'));
    await expect.poll(hasEnded, { timeout: timeoutMs }).toBe(true);
  }

  async restart(signal?: NodeJS.Signals): Promise<void> {
    await this.stop(signal);
    await this.start();
  }

  /** Resolves with the address in the server's `listening` line. */
  #listening(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const giveUp = (why: string) => reject(new Error(`${why}\n${this.log.join('\n')}`));
      const overdue = setTimeout(() => giveUp('The server did not start listening'), READY_TIMEOUT_MS);
      child.once('exit', (code, signal) => {
        clearTimeout(overdue);
        giveUp(`The server ended with ${signal ?? code} before it was listening`);
      });
      createInterface(child.stdout!).on('line', (line) => {
        this.log.push(line);
        const url = listeningUrl(line);
        if (!url) return;
        clearTimeout(overdue);
        resolve(url);
      });
    });
  }
}

function listeningUrl(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const entry = JSON.parse(line) as { msg?: string; url?: string };
  return entry.msg === 'listening' ? entry.url : undefined;
}

interface Fixtures {
  /** More arguments for `depthwire serve`: `test.use({ serverArgs: ['--replay', file] })`. */
  serverArgs: string[];
  depthwire: Depthwire;
}

export const test = base.extend<Fixtures>({
  serverArgs: [[], { option: true }],
  depthwire: async ({ serverArgs }, use, testInfo) => {
    const depthwire = new Depthwire(serverArgs, testInfo.outputPath('server'));
    try {
      await depthwire.start();
      await use(depthwire);
    } finally {
      await depthwire.stop();
    }
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach('server.log', { body: depthwire.log.join('\n'), contentType: 'text/plain' });
    }
  },
  baseURL: async ({ depthwire }, use) => {
    await use(depthwire.url);
  },
});
