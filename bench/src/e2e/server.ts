import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Probe } from './probe.ts';
import { symbolsOf } from './scenario.ts';
import { nowMs } from './usage.ts';
import { Worker } from './worker.ts';

/** Names a folder for a CPU profile of the server: DEPTHWIRE_E2E_PROFILE=profiles */
const PROFILE = 'DEPTHWIRE_E2E_PROFILE';
const COMMAND = path.resolve(import.meta.dirname, '../../../server/bin/depthwire.js');
const START_LIMIT_MS = 20_000;
const POLL_MS = 50;

/** The real server, as a user starts it, with the venue's addresses in its configuration. */
export class E2eServer {
  readonly url: string;
  readonly probe: Worker<Probe>;
  readonly #folder: string;

  static async start(endpoints: { ws: string; rest: string }, instruments: number): Promise<E2eServer> {
    const folder = await mkdtemp(path.join(tmpdir(), 'depthwire-bench-'));
    const port = await freePort();
    const file = path.join(folder, 'depthwire.yaml');
    const config = {
      port,
      logLevel: 'silent',
      feeds: [
        {
          feed: 'binance',
          market: 'spot',
          symbols: symbolsOf(instruments),
          endpoints,
          // the venue's limits of requests, which would make the start of the books a matter of minutes
          httpSpacingMs: 0,
        },
      ],
    };
    await writeFile(file, JSON.stringify(config));
    const server = new E2eServer(port, folder, file);
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private constructor(port: number, folder: string, config: string) {
    this.url = `ws://127.0.0.1:${port}/ws`;
    this.#folder = folder;
    const profiles = process.env[PROFILE];
    const profile = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profiles)}`];
    const probe = ['--import', new URL('probe.ts', import.meta.url).href];
    this.probe = new Worker<Probe>(
      'the server',
      [...profile, ...probe, COMMAND, 'serve', '--config', config],
      { NODE_ENV: 'production', HOST: '', PORT: '', DEPTHWIRE_FEEDS: '', LOG_LEVEL: '' },
    );
  }

  async stop(): Promise<void> {
    await this.probe.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const health = new URL('/api/v1/health', this.url.replace('ws:', 'http:'));
    const end = nowMs() + START_LIMIT_MS;
    while (nowMs() < end) {
      const answer = await fetch(health).catch(() => null);
      if (answer?.status === 200) return;
      await delay(POLL_MS);
    }
    throw new Error(`the server is not ready in ${START_LIMIT_MS / 1000} s`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve()),
  );
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
