import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Probe } from './probe.ts';
import { nowMs } from './usage.ts';
import { Worker } from './worker.ts';

const COMMAND = path.resolve(import.meta.dirname, '../../../server/bin/depthwire.js');
const START_LIMIT_MS = 20_000;
const POLL_MS = 50;

/** The real server in a process of its own, as a user starts it; its market is what the configuration says. */
export class ServerProcess {
  /** Of its WebSockets. */
  readonly url: string;
  /** Of its REST API, without a slash at the end. */
  readonly http: string;
  readonly probe: Worker<Probe>;
  readonly #folder: string;

  /**
   * Resolves once it is ready.
   * @param config without its port
   * @param flags of Node
   */
  static async start(config: object, port: number, flags: readonly string[] = []): Promise<ServerProcess> {
    const folder = await mkdtemp(path.join(tmpdir(), 'depthwire-bench-'));
    const file = path.join(folder, 'depthwire.yaml');
    await writeFile(file, JSON.stringify({ logLevel: 'silent', ...config, port }));
    const server = new ServerProcess(port, folder, file, flags);
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private constructor(port: number, folder: string, config: string, flags: readonly string[]) {
    this.http = `http://127.0.0.1:${port}`;
    this.url = `ws://127.0.0.1:${port}/ws`;
    this.#folder = folder;
    const probe = ['--import', new URL('probe.ts', import.meta.url).href];
    this.probe = new Worker<Probe>('the server', [...flags, ...probe, COMMAND, 'serve', '--config', config], {
      NODE_ENV: 'production',
      HOST: '',
      PORT: '',
      DEPTHWIRE_FEEDS: '',
      DEPTHWIRE_HISTORY: '{store: none}',
      LOG_LEVEL: '',
    });
  }

  async stop(): Promise<void> {
    await this.probe.stop();
    await this.#forget();
  }

  /**
   * Ends it by a signal, and waits until it is gone.
   * @returns its exit code; null where the signal ended it
   */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const code = await this.probe.end(signal);
    await this.#forget();
    return code;
  }

  #forget(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const health = `${this.http}/api/v1/health`;
    const end = nowMs() + START_LIMIT_MS;
    while (nowMs() < end) {
      const answer = await fetch(health).catch(() => null);
      if (answer?.status === 200) return;
      await delay(POLL_MS);
    }
    throw new Error(`the server is not ready in ${START_LIMIT_MS / 1000} s`);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve()),
  );
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
