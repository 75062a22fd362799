import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { TALLY, type ScreenFeedOptions, type Tally } from './feed.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const READY_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;

/** The real server in a process of its own, with the feed of this benchmark and the built dashboard. */
export class BenchServer {
  readonly url: string;
  /** What the feed said last. */
  tally: Tally | null = null;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(options: ScreenFeedOptions): Promise<BenchServer> {
    const feeds = [{ feed: path.join(import.meta.dirname, 'feed.ts'), ...options }];
    const command = [
      'server/bin/depthwire.js',
      'serve',
      '--web',
      'web/build',
      '--port',
      '0',
      '--log-level',
      'info',
    ];
    const child = spawn(process.execPath, ['--no-warnings', ...command], {
      cwd: root,
      env: {
        ...process.env,
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        DEPTHWIRE_HISTORY: '{store: none}',
        DEPTHWIRE_FEEDS: JSON.stringify(feeds),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const errors: string[] = [];
    child.stderr.on('data', (text: Buffer) => errors.push(String(text)));
    return new Promise((resolve, reject) => {
      let server: BenchServer | null = null;
      const giveUp = (why: string) => {
        child.kill('SIGKILL');
        reject(new Error(`${why}\n${errors.join('')}`));
      };
      const overdue = setTimeout(() => giveUp('the server did not start listening'), READY_LIMIT_MS);
      child.once('exit', (code) => giveUp(`the server ended with ${code}`));
      createInterface(child.stdout).on('line', (line) => {
        const entry = parse(line);
        if (entry?.msg === 'listening' && entry.url !== undefined) {
          clearTimeout(overdue);
          server = new BenchServer(child, entry.url);
          resolve(server);
        } else if (entry?.msg === TALLY && server) server.tally = entry as unknown as Tally;
      });
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const overdue = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(overdue);
  }
}

function parse(line: string): { msg?: string; url?: string } | null {
  return line.startsWith('{') ? (JSON.parse(line) as { msg?: string; url?: string }) : null;
}
