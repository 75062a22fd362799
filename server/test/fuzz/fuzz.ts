import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bookChecksum, DepthwireClient, type OpenWebSocket } from '@depthwire/shared';
import { WebSocket } from 'ws';
import { Chance } from './chance.ts';
import { request } from './http.ts';
import { attack, dangling } from './sockets.ts';

/** Attackers at a time. */
const ATTACKERS = 16;
const MESSAGES_EACH = 120;
/** After the messages of each connection. */
const REQUESTS_EACH = 3;
/** Of all that is sent before memory is counted for the first time: compiled code, pools, caches. */
const WARM_UP = 0.2;
const SETTLE_MS = 2_500;
/** Most tries to see the bystander's book and the server's at the same update. */
const COMPARISONS = 200;
/** Sockets that are left half open, at most so many at once. */
const DANGLING = 200;
/** Most messages where answers are still to be met, times those that were asked for. */
const MOST = 10;

export interface FuzzReport {
  readonly messages: number;
  readonly requests: number;
  readonly connections: number;
  /** How often each answer, close code and HTTP status came. */
  readonly answers: Readonly<Record<string, number>>;
  /** What should not have happened; the first ones. */
  readonly problems: readonly string[];
  /** Of the server, after a collection: after the first fifth of all, and at the end. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Of a client that minds its own business all the while. */
  readonly bystander: {
    readonly resyncs: number;
    readonly verified: number;
    readonly losses: number;
    readonly isRight: boolean;
  };
}

interface Options {
  readonly messages: number;
  readonly seed: number;
  /** Goes on past `messages` until each of these was met, up to ten times as many. */
  readonly answers?: readonly string[];
  progress?(messages: number): void;
}

/** Attacks a server of its own until so many messages were dealt with. */
export async function fuzz({ messages, seed, answers = [], progress }: Options): Promise<FuzzReport> {
  const server = fork(fileURLToPath(new URL('server.ts', import.meta.url)), { execArgv: ['--expose-gc'] });
  try {
    const [{ url }] = (await once(server, 'message')) as [{ url: string }];
    const run = new Run(server, url, seed);
    await run.until(messages * WARM_UP, progress);
    const before = await run.settled();
    await run.until(messages, progress, answers);
    return await run.report(before);
  } finally {
    server.kill('SIGKILL');
  }
}

class Run {
  readonly #server: ChildProcess;
  readonly #url: string;
  readonly #port: number;
  readonly #chance: Chance;
  readonly #answers = new Map<string, number>();
  readonly #problems: string[] = [];
  readonly #client: DepthwireClient;
  readonly #book: ReturnType<DepthwireClient['book']>;
  #losses = 0;
  #messages = 0;
  #requests = 0;
  #connections = 0;

  constructor(server: ChildProcess, url: string, seed: number) {
    this.#server = server;
    this.#url = url;
    this.#port = Number(new URL(url).port);
    this.#chance = new Chance(seed);
    server.on('exit', (code, signal) => this.#problems.push(`the server ended with ${signal ?? code}`));
    const openWebSocket: OpenWebSocket = (to, protocols) =>
      new WebSocket(to, protocols) as unknown as ReturnType<OpenWebSocket>;
    this.#client = new DepthwireClient({ url: `${url.replace('http', 'ws')}/ws`, openWebSocket });
    this.#client.on('error', ({ code, message }) => {
      this.#losses += 1;
      this.#problems.push(`the bystander lost its connection: ${code}: ${message}`);
    });
    this.#book = this.#client.book('sim:BTC-USD', { depth: 0, cadenceMs: 0 });
    this.#client.connect();
  }

  async until(
    messages: number,
    progress?: (messages: number) => void,
    answers: readonly string[] = [],
  ): Promise<void> {
    const isGoingOn = () =>
      this.#messages < messages ||
      (this.#messages < messages * MOST && answers.some((answer) => !this.#answers.has(answer)));
    await Promise.all(
      Array.from({ length: ATTACKERS }, async () => {
        const half: ReturnType<typeof dangling>[] = [];
        while (isGoingOn() && this.#server.exitCode === null) {
          await this.#strike(half);
          progress?.(this.#messages);
        }
        for (const socket of half) socket.destroy();
      }),
    );
  }

  async #strike(half: ReturnType<typeof dangling>[]): Promise<void> {
    const chance = this.#chance;
    try {
      const { messages, answers, problems } = await attack(
        this.#port,
        chance,
        1 + chance.below(2 * MESSAGES_EACH),
      );
      this.#messages += messages;
      this.#connections += 1;
      for (const [answer, count] of answers) this.#note(answer, count);
      this.#problems.push(...problems);
      for (let i = 0; i < REQUESTS_EACH; i++) {
        const { status, problem } = await request(this.#port, chance);
        this.#requests += 1;
        this.#note(`HTTP ${status}`);
        if (problem) this.#problems.push(problem);
      }
    } catch (error) {
      this.#problems.push(String(error));
    }
    if (chance.next() < 0.1) half.push(dangling(this.#port, chance));
    if (half.length > DANGLING / ATTACKERS) half.shift()!.destroy();
  }

  #note(answer: string, count = 1): void {
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + count);
  }

  /** Once nobody is there but the bystander. */
  async settled(): Promise<{ bytes: number; faults: string[] }> {
    await delay(SETTLE_MS);
    const response = await fetch(`${this.#url}/api/v1/health`);
    const { connections } = (await response.json()) as { connections: number };
    if (connections !== 1) this.#problems.push(`${connections} connections are left, of which one should be`);
    this.#server.send('state');
    const [state] = (await once(this.#server, 'message')) as [{ bytes: number; faults: string[] }];
    return state;
  }

  async report(before: { bytes: number }): Promise<FuzzReport> {
    const { bytes, faults } = await this.settled();
    this.#problems.push(...faults.map((line) => `logged ${line}`));
    const { book, replica, resyncs } = this.#book;
    const isRight = await this.#isRight();
    const report: FuzzReport = {
      messages: this.#messages,
      requests: this.#requests,
      connections: this.#connections,
      answers: Object.fromEntries([...this.#answers].sort()),
      problems: this.#problems.slice(0, 20),
      bytesBefore: before.bytes,
      bytesAfter: bytes,
      bystander: {
        resyncs,
        verified: replica.verified,
        losses: this.#losses,
        isRight: isRight && book.sequence > 0,
      },
    };
    this.#client.close();
    return report;
  }

  /** Compares the bystander's book with the server's of the same sequence. */
  async #isRight(): Promise<boolean> {
    const held = new Map<number, number>();
    this.#book.on('change', () => held.set(this.#book.book.sequence, bookChecksum(this.#book.book)));
    for (let i = 0; i < COMPARISONS; i++) {
      const response = await fetch(`${this.#url}/api/v1/instruments/sim:BTC-USD/book`);
      const { sequence, checksum } = (await response.json()) as { sequence: number; checksum: number };
      await delay(20);
      const own = held.get(sequence);
      if (own !== undefined) return own === checksum;
    }
    return false;
  }
}
