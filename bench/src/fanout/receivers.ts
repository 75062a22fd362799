import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Subscriptions } from './plan.ts';
import type { SampledBook, ServerKind } from './receiver.ts';

const PROCESS = fileURLToPath(new URL('receivers-process.ts', import.meta.url));
/** Sockets of one process: well below a usual limit of open files. */
const MAX_CLIENTS = 5_000;
const ANSWER_LIMIT_MS = 100_000;

export interface ReceivingClient {
  readonly client: number;
  readonly subscriptions: Subscriptions;
  readonly isSample: boolean;
}

export type ToReceivers =
  | {
      readonly type: 'connect';
      readonly kind: ServerKind;
      readonly port: number;
      readonly clients: readonly ReceivingClient[];
    }
  /** Counts anew, and tells when all together have so many data frames. */
  | { readonly type: 'watch'; readonly marks: readonly number[] }
  | { readonly type: 'counts' }
  | { readonly type: 'drop' };

export type FromReceivers =
  | { readonly type: 'done' | 'reached' }
  | {
      readonly type: 'counts';
      readonly counts: readonly (readonly [number, number])[];
      readonly books: readonly SampledBook[];
    }
  | { readonly type: 'failed'; readonly reason: string };

/** The clients of one server, in processes of their own so that their work is not the server's. */
export class Receivers {
  readonly #kind: ServerKind;
  readonly #port: number;
  readonly #groups: { process: ReceiverProcess; clients: number[] }[] = [];

  constructor(kind: ServerKind, port: number) {
    this.#kind = kind;
    this.#port = port;
  }

  /** Connects one client after the other, and resolves once each has all that it subscribes to. */
  async connect(clients: readonly ReceivingClient[]): Promise<void> {
    const added: Promise<unknown>[] = [];
    for (let from = 0; from < clients.length;) {
      let group = this.#groups.at(-1);
      if (!group || group.clients.length >= MAX_CLIENTS)
        this.#groups.push((group = { process: new ReceiverProcess(), clients: [] }));
      const part = clients.slice(from, from + MAX_CLIENTS - group.clients.length);
      from += part.length;
      group.clients.push(...part.map(({ client }) => client));
      added.push(group.process.ask({ type: 'connect', kind: this.#kind, port: this.#port, clients: part }));
    }
    await Promise.all(added);
  }

  /** @param framesOf data frames that a client will have had at each of the marks */
  async watch(framesOf: (client: number) => readonly number[]): Promise<void> {
    await Promise.all(
      this.#groups.map(({ process, clients }) => {
        const sums: number[] = [];
        for (const client of clients)
          for (const [mark, frames] of framesOf(client).entries()) sums[mark] = (sums[mark] ?? 0) + frames;
        return process.ask({ type: 'watch', marks: sums });
      }),
    );
  }

  /** Resolves when all clients have what they should have at the next mark. */
  async reached(): Promise<void> {
    for (const { process } of this.#groups) await process.next();
  }

  /** Frames and bytes by the number of the client, and the books of those that keep them. */
  async counts(): Promise<{ counts: Map<number, readonly [number, number]>; books: SampledBook[] }> {
    const counts = new Map<number, readonly [number, number]>();
    const books: SampledBook[] = [];
    for (const { process, clients } of this.#groups) {
      const answer = await process.ask({ type: 'counts' });
      if (answer.type !== 'counts') throw new Error(`counts were answered by ${answer.type}`);
      for (const [i, count] of answer.counts.entries()) counts.set(clients[i]!, count);
      books.push(...answer.books);
    }
    return { counts, books };
  }

  /** Ends all connections; others may be made. */
  async drop(): Promise<void> {
    await Promise.all(this.#groups.map(({ process }) => process.ask({ type: 'drop' })));
    for (const group of this.#groups) group.clients = [];
  }
}

class ReceiverProcess {
  readonly #child: ChildProcess;
  /** What came and nobody has taken. */
  readonly #answers: FromReceivers[] = [];
  #waiting: PromiseWithResolvers<FromReceivers> | null = null;
  #failure: Error | null = null;

  constructor() {
    this.#child = fork(PROCESS, {
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer: FromReceivers) => {
      if (answer.type === 'failed') this.#fail(new Error(`a receiver failed: ${answer.reason}`));
      else if (this.#waiting) {
        this.#waiting.resolve(answer);
        this.#waiting = null;
      } else this.#answers.push(answer);
    });
    this.#child.on('exit', (code) => this.#fail(new Error(`the receivers' process ended with ${code}`)));
  }

  ask(message: ToReceivers): Promise<FromReceivers> {
    this.#child.send(message);
    return this.next();
  }

  async next(): Promise<FromReceivers> {
    if (this.#failure) throw this.#failure;
    const answer = this.#answers.shift();
    if (answer) return answer;
    this.#waiting = Promise.withResolvers();
    const timer = setTimeout(() => this.#fail(new Error('the receivers do not get all')), ANSWER_LIMIT_MS);
    try {
      return await this.#waiting.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}
