import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test as base } from '@playwright/test';
import { startProxy, type Proxy, type Rewrite } from './proxy.ts';

export { expect };

const root = path.resolve(import.meta.dirname, '..');
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** A server on a free port, in a folder of its own. */
class Depthwire {
  /** Every line the server wrote, across restarts. */
  readonly log: string[] = [];
  #url: URL | undefined;
  #process: ChildProcess | undefined;
  #wasStopped = false;
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

  /** Whether it ran all the time since its first start. */
  get isUnbroken(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null && !this.#wasStopped;
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
        DEPTHWIRE_HISTORY: '{store: none}', // each test has a market of its own
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
    this.#wasStopped = true;
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

/** The server that one test leaves to the next of the same worker: to start one takes longer than many a test. */
class Handover {
  #kept: { readonly key: string; readonly depthwire: Depthwire } | undefined;

  /** A server with these arguments: the one that was kept, or a new one. */
  async take(args: readonly string[], isOwn: boolean, cwd: string): Promise<Depthwire> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept && !isOwn && kept.key === keyOf(args) && kept.depthwire.isUnbroken) return kept.depthwire;
    await kept?.depthwire.stop();
    const depthwire = new Depthwire(args, cwd);
    try {
      await depthwire.start();
    } catch (error) {
      await depthwire.stop();
      throw error;
    }
    return depthwire;
  }

  async keep(args: readonly string[], depthwire: Depthwire): Promise<void> {
    await this.stop();
    this.#kept = { key: keyOf(args), depthwire };
  }

  async stop(): Promise<void> {
    await this.#kept?.depthwire.stop();
    this.#kept = undefined;
  }
}

const keyOf = (args: readonly string[]) => JSON.stringify(args);

interface Fixtures {
  /** More arguments for `depthwire serve`: `test.use({ serverArgs: ['--replay', file] })`. */
  serverArgs: string[];
  /** For tests to which it matters what the server did before: `test.use({ ownServer: true })`. */
  ownServer: boolean;
  /**
   * A running server. Tests of one worker with the same arguments have it one after the other, until one of them
   * stops it or fails. A recording is played from its beginning for each.
   */
  depthwire: Depthwire;
  /** Another way to the server, on which the page's requests are noted and the server's messages may be changed. */
  proxied(rewrite?: Rewrite): Promise<Proxy>;
}

export const test = base.extend<Fixtures, { handover: Handover }>({
  handover: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from it that nothing is needed
    async ({}, use) => {
      const handover = new Handover();
      await use(handover);
      await handover.stop();
    },
    { scope: 'worker' },
  ],
  serverArgs: [[], { option: true }],
  ownServer: [false, { option: true }],
  depthwire: async ({ serverArgs, ownServer, handover }, use, testInfo) => {
    const isOwn = ownServer || serverArgs.includes('--replay');
    const depthwire = await handover.take(serverArgs, isOwn, testInfo.outputPath('server'));
    let isDone = false;
    try {
      await use(depthwire);
      isDone = testInfo.status === testInfo.expectedStatus;
    } finally {
      if (isDone && !isOwn && depthwire.isUnbroken) await handover.keep(serverArgs, depthwire);
      else await depthwire.stop();
    }
    if (isDone) return;
    await testInfo.attach('server.log', { body: depthwire.log.join('\n'), contentType: 'text/plain' });
  },
  proxied: async ({ depthwire }, use) => {
    const proxies: Proxy[] = [];
    await use(async (rewrite = (message) => message) => {
      const proxy = await startProxy(depthwire.url, rewrite);
      proxies.push(proxy);
      return proxy;
    });
    for (const proxy of proxies) await proxy.close();
  },
  baseURL: async ({ depthwire }, use) => {
    await use(depthwire.url);
  },
});
