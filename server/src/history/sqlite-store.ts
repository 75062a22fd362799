import { Worker } from 'node:worker_threads';
import {
  DepthwireError,
  type Candle,
  type CandleInterval,
  type ErrorCode,
  type ErrorDetails,
  type Trade,
} from '@depthwire/shared';
import { unpackColumns } from './column-block.ts';
import type { SqliteTables } from './sqlite-tables.ts';
import type { Method, WorkerAnswer, WorkerQuestion, WorkerSetup } from './sqlite-worker.ts';
import type {
  HistoryBatch,
  HistoryStore,
  Hole,
  Retention,
  SeriesKey,
  Span,
  StoredColumn,
  StoredInterval,
  StoredTrade,
  TradesQuery,
  WriteResult,
} from './store.ts';
import { checkRows, rowsOf, unavailable } from './unavailable.ts';

/** Questions that a thread has not answered yet. */
const MAX_PENDING = 256;
/** Of each thread, beside the pages of the file. */
const MAX_HEAP_MB = 256;

/** Stored history in a file of SQLite: one thread writes, another reads, and the caller's thread waits for neither. */
export class SqliteStore implements HistoryStore {
  readonly kind = 'sqlite';
  readonly #path: string;
  #threads: Promise<Threads> | null = null;
  /** Between `open` and `close`: threads that end by themselves are started again. */
  #isOpen = false;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    await (this.#threads ??= this.#start());
    this.#isOpen = true;
  }

  async write(batches: readonly HistoryBatch[]): Promise<WriteResult> {
    checkRows(rowsOf(batches));
    return this.#write('write', batches);
  }

  async putCandles(
    series: SeriesKey,
    interval: StoredInterval,
    candles: readonly Candle[],
    span?: Span,
  ): Promise<void> {
    checkRows(candles.length);
    return this.#write('putCandles', series, interval, candles, span);
  }

  candles(series: SeriesKey, interval: CandleInterval, limit: number, beforeS: number): Promise<Candle[]> {
    return this.#read('candles', series, interval, limit, beforeS);
  }

  hasCandlesBefore(series: SeriesKey, interval: CandleInterval, beforeS: number): Promise<boolean> {
    return this.#read('hasCandlesBefore', series, interval, beforeS);
  }

  trades(series: SeriesKey, query: TradesQuery): Promise<StoredTrade[]> {
    return this.#read('trades', series, query);
  }

  numberOf(series: SeriesKey, id: Trade['id']): Promise<number | null> {
    return this.#read('numberOf', series, id);
  }

  holes(series: SeriesKey, span: Span): Promise<Hole[]> {
    return this.#read('holes', series, span);
  }

  fillHole(series: SeriesKey, span: Span): Promise<void> {
    return this.#write('fillHole', series, span);
  }

  heardUntil(series: SeriesKey): Promise<number | null> {
    return this.#read('heardUntil', series);
  }

  async columns(
    series: SeriesKey,
    span: Span,
    options: { readonly limit: number; readonly isNewest: boolean },
  ): Promise<StoredColumn[]> {
    return unpackColumns(await this.#read('columns', series, span, options));
  }

  prune(nowMs: number, retention: Retention): Promise<boolean> {
    return this.#write('prune', nowMs, retention);
  }

  figures(): Promise<{ readonly bytes: number; readonly trades: number; readonly candles: number }> {
    return this.#read('figures');
  }

  async close(): Promise<void> {
    const threads = await this.#threads?.catch(() => null);
    this.#isOpen = false;
    this.#threads = null;
    await threads?.reader.close();
    await threads?.writer.close();
  }

  #start(): Promise<Threads> {
    const threads: Promise<Threads> = this.#startThreads(() => {
      if (this.#threads === threads) this.#threads = null;
    });
    return threads;
  }

  /** @param onEnd one of them has ended, or none could begin */
  async #startThreads(onEnd: () => void): Promise<Threads> {
    const threads: Thread[] = [];
    // Together, so that no thread that is left over holds the file.
    const end = () => Promise.all(threads.map((thread) => thread.end())).then(onEnd);
    const begin = async (role: WorkerSetup['role']) => {
      const thread = new Thread({ path: this.#path, role }, () => void end());
      threads.push(thread);
      await thread.ask('open');
      return thread;
    };
    try {
      return { writer: await begin('writes'), reader: await begin('reads') };
    } catch (error) {
      await end();
      throw error;
    }
  }

  async #write<K extends keyof SqliteTables>(method: K, ...args: Parameters<SqliteTables[K]>) {
    return (await this.#open).writer.ask(method, ...args) as Promise<ReturnType<SqliteTables[K]>>;
  }

  async #read<K extends keyof SqliteTables>(method: K, ...args: Parameters<SqliteTables[K]>) {
    return (await this.#open).reader.ask(method, ...args) as Promise<ReturnType<SqliteTables[K]>>;
  }

  get #open(): Promise<Threads> {
    if (!this.#isOpen) throw unavailable('closed', `${this.#path} is not open`);
    return (this.#threads ??= this.#start());
  }
}

interface Threads {
  readonly writer: Thread;
  readonly reader: Thread;
}

/** A thread that answers one question after the other. */
class Thread {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #hasEnded = false;
  /** By who made it. */
  #isStopped = false;
  #failure: unknown;

  /** @param onEnd it ended by itself: what was asked is not answered any more */
  constructor(setup: WorkerSetup, onEnd: () => void) {
    this.#path = setup.path;
    this.#worker = new Worker(new URL('sqlite-worker.ts', import.meta.url), {
      workerData: setup,
      name: `history-${setup.role}`,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.#worker.on('error', (error) => (this.#failure = error));
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(answer));
    this.#worker.on('exit', () => {
      this.#hasEnded = true;
      for (const { reject } of this.#pending.values()) reject(this.#ended());
      this.#pending.clear();
      if (!this.#isStopped) onEnd();
    });
  }

  async ask(method: Method, ...args: readonly unknown[]): Promise<unknown> {
    if (this.#hasEnded) throw this.#ended();
    if (this.#pending.size >= MAX_PENDING)
      throw unavailable('overloaded', `${this.#path} has not answered ${MAX_PENDING} questions yet`);
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<unknown>();
    this.#pending.set(id, answered);
    this.#worker.postMessage({ id, method, args } satisfies WorkerQuestion);
    return answered.promise;
  }

  /** Once all that was asked is done. */
  async close(): Promise<void> {
    await this.ask('close').finally(() => this.end());
  }

  async end(): Promise<void> {
    this.#isStopped = true;
    await this.#worker.terminate();
  }

  #ended(): DepthwireError {
    return unavailable('failed', `the thread of ${this.#path} ended`, this.#failure);
  }

  #settle({ id, result, error }: WorkerAnswer): void {
    const answered = this.#pending.get(id);
    this.#pending.delete(id);
    if (!error) answered?.resolve(result);
    else
      answered?.reject(
        new DepthwireError(error.code as ErrorCode, error.message, error.details as ErrorDetails),
      );
  }
}
