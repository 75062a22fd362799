import { Worker } from 'node:worker_threads';
import { steadyClock } from '@depthwire/feeds';
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
/** Whoever asked is told that the thread does not answer, as on a network disk that is gone, and it is asked nothing more meanwhile. */
const ANSWER_MS = 30_000;
/** Of each thread, beside the pages of the file. */
const MAX_HEAP_MB = 256;

/** Stored history in a file of SQLite: one thread writes, another reads, and the caller's thread waits for neither. */
export class SqliteStore implements HistoryStore {
  readonly kind = 'sqlite';
  readonly #path: string;
  #threads: Promise<Threads> | null = null;
  readonly #running = new Set<Thread>();
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

  disbelieve(series: SeriesKey, fromMs: number): Promise<void> {
    return this.#write('disbelieve', series, fromMs);
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
    const started = this.#threads;
    this.#isOpen = false;
    this.#threads = null;
    const end = async () => {
      const threads = await started?.catch(() => null);
      await threads?.reader.close();
      await threads?.writer.close();
    };
    await inTime(end());
  }

  get isBusy(): boolean {
    return [...this.#running].some((thread) => thread.isBusy);
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
    const forget = (thread: Thread) => this.#running.delete(thread);
    const begin = async (role: WorkerSetup['role']) => {
      const thread = new Thread({ path: this.#path, role }, forget, () => void end());
      this.#running.add(thread);
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

interface Pending extends PromiseWithResolvers<unknown> {
  /** Whoever asked has been told that it is not answered. */
  isLate: boolean;
}

/** A thread that answers one question after the other. */
class Thread {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #hasEnded = false;
  /** By who made it. */
  #isStopped = false;
  #failure: unknown;

  /**
   * @param onEnd it has ended
   * @param onFailure by itself: what was asked is not answered any more
   */
  constructor(setup: WorkerSetup, onEnd: (thread: Thread) => void, onFailure: () => void) {
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
      onEnd(this);
      if (!this.#isStopped) onFailure();
    });
  }

  async ask(method: Method, ...args: readonly unknown[]): Promise<unknown> {
    if (this.#hasEnded) throw this.#ended();
    if (this.#pending.size >= MAX_PENDING)
      throw unavailable('overloaded', `${this.#path} has not answered ${MAX_PENDING} questions yet`);
    const [first] = this.#pending.values();
    if (first?.isLate) throw this.#unanswered();
    const id = ++this.#lastId;
    const pending: Pending = { ...Promise.withResolvers<unknown>(), isLate: false };
    const timer = steadyClock.at(steadyClock.now() + ANSWER_MS, () => {
      pending.isLate = true;
      pending.reject(this.#unanswered());
    });
    this.#pending.set(id, pending);
    this.#worker.postMessage({ id, method, args } satisfies WorkerQuestion);
    return pending.promise.finally(() => timer.cancel());
  }

  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  /** Once all that was asked is done, or it does not answer. */
  async close(): Promise<void> {
    await inTime(this.ask('close')).finally(() => this.end());
  }

  async end(): Promise<void> {
    this.#isStopped = true;
    await inTime(this.#worker.terminate());
  }

  #unanswered(): DepthwireError {
    return unavailable('away', `${this.#path} has not answered for ${ANSWER_MS / 1000} s`);
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

/** What takes longer is left to itself: a thread in a call of the operating system cannot be ended. */
async function inTime(done: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = steadyClock.at(steadyClock.now() + ANSWER_MS, late.resolve);
  await Promise.race([done, late.promise]).finally(() => timer.cancel());
}
