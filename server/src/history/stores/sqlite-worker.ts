import { parentPort, workerData } from 'node:worker_threads';
import { toDepthwireError } from '@depthwire/shared';
import { sqliteError, SqliteTables } from './sqlite-tables.ts';

/** What the thread is made with. */
export interface WorkerSetup {
  readonly path: string;
  readonly role: 'writes' | 'reads';
}

/** What `SqliteTables` can be asked, with the words for beginning and end. */
export type Method = 'open' | Exclude<keyof SqliteTables, number | symbol>;

export interface WorkerQuestion {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

export interface WorkerAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly details: object };
}

const { path, role } = workerData as WorkerSetup;
let tables: SqliteTables | null = null;

parentPort!.on('message', ({ id, method, args }: WorkerQuestion) => {
  try {
    const result = answer(method, args);
    const transferred = result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : [];
    parentPort!.postMessage({ id, result } satisfies WorkerAnswer, transferred);
  } catch (error) {
    const { code, message, details } = toDepthwireError(sqliteError(error, path));
    parentPort!.postMessage({ id, error: { code, message, details } } satisfies WorkerAnswer);
  }
});

function answer(method: Method, args: readonly unknown[]): unknown {
  if (method === 'open') {
    tables ??= new SqliteTables(path, role);
    return undefined;
  }
  return (tables![method] as (...args: unknown[]) => unknown).apply(tables, [...args]);
}
