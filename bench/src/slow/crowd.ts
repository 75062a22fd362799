import { fileURLToPath } from 'node:url';
import { createRandom } from '../harness/random.ts';
import { instrumentIds } from '../harness/rest.ts';
import { freePort, ServerProcess } from '../harness/server.ts';
import { Worker } from '../harness/worker.ts';
import type { Churners } from './churners.ts';
import type { Readers } from './readers.ts';

export interface Load {
  /** Clients that keep up, whose latency counts. */
  readonly steady: number;
  /** Clients that read nothing, that read a tenth, and that break off each second: so many of each. */
  readonly slowEach: number;
  readonly booksEach: number;
  readonly cadenceMs: number;
  readonly depth: number;
  /** Multiplies what happens in the simulated market. */
  readonly rate: number;
}

/** Of each book the slow ones ask for all of these. */
const SLOW_DEPTHS = [50, 100, 0];
/** Processes for those that keep up; the slow ones have one of their own. */
const STEADY_PROCESSES = 2;

/** The server and its clients. */
export class Crowd {
  readonly server: ServerProcess;
  /** The same market with nobody to read it: what that keeps more of by the minute is no leak. */
  readonly alone: ServerProcess;
  readonly instruments: readonly string[];
  /** The last one has those that are slow. */
  readonly readers: readonly Worker<Readers>[];
  readonly churners: Worker<Churners>;
  readonly #load: Load;
  readonly #random = createRandom(23);

  static async start(load: Load): Promise<Crowd> {
    const feeds = [{ feed: 'sim', rate: load.rate }];
    const start = async () => ServerProcess.start({ feeds }, await freePort(), ['--expose-gc']);
    const server = await start();
    const alone = await start().catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    try {
      const crowd = new Crowd(load, server, alone, await instrumentIds(server.http));
      try {
        await crowd.#connect();
        return crowd;
      } catch (error) {
        await crowd.stop();
        throw error;
      }
    } catch (error) {
      for (const each of [server, alone]) await each.stop();
      throw error;
    }
  }

  private constructor(
    load: Load,
    server: ServerProcess,
    alone: ServerProcess,
    instruments: readonly string[],
  ) {
    this.#load = load;
    this.server = server;
    this.alone = alone;
    this.instruments = instruments;
    const worker = (title: string, name: string) =>
      [title, [fileURLToPath(new URL(name, import.meta.url))]] as const;
    this.readers = Array.from(
      { length: STEADY_PROCESSES + 1 },
      (_, i) => new Worker<Readers>(...worker(`readers ${i}`, 'readers.ts')),
    );
    this.churners = new Worker<Churners>(...worker('clients that come and go', 'churners.ts'));
  }

  /** The slow ones come. */
  async join(): Promise<void> {
    const { slowEach, depth, cadenceMs } = this.#load;
    const slow = this.readers.at(-1)!;
    // They ask for more than anybody can draw, in the encoding that takes most: what they do not read has to
    // become more than the kernel holds for a connection, which is megabytes.
    const options = {
      url: this.server.url,
      encoding: 'json',
      depths: SLOW_DEPTHS,
      cadenceMs,
      clients: Array.from({ length: slowEach }, () => this.instruments),
    } as const;
    await slow.ask('connect', { ...options, name: 'nothing', pace: 'nothing' });
    await slow.ask('connect', { ...options, name: 'tenth', pace: 'tenth' });
    await this.churners.ask('connect', {
      url: this.server.url,
      clients: this.#choices(slowEach),
      depth,
      cadenceMs,
    });
  }

  /** The slow ones leave. */
  async leave(): Promise<void> {
    for (const name of ['nothing', 'tenth']) await this.readers.at(-1)!.ask('leave', name);
    await this.churners.ask('leave');
  }

  async stop(): Promise<void> {
    for (const each of [...this.readers, this.churners, this.server, this.alone]) await each.stop();
  }

  async #connect(): Promise<void> {
    const { steady, depth, cadenceMs } = this.#load;
    const choices = this.#choices(steady);
    const each = Math.ceil(steady / STEADY_PROCESSES);
    for (let i = 0; i < STEADY_PROCESSES; i++)
      await this.readers[i]!.ask('connect', {
        url: this.server.url,
        encoding: 'msgpack',
        name: 'steady',
        pace: 'all',
        depths: [depth],
        cadenceMs,
        clients: choices.slice(i * each, (i + 1) * each),
      });
  }

  /** Instruments of so many clients: random ones of each client's own, the same in each run. */
  #choices(clients: number): string[][] {
    return Array.from({ length: clients }, () => {
      const chosen = new Set<string>();
      while (chosen.size < this.#load.booksEach)
        chosen.add(this.instruments[Math.floor(this.#random() * this.instruments.length)]!);
      return [...chosen];
    });
  }
}
