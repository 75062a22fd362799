import { DepthwireError } from '@depthwire/shared';
import { MAX_WRITTEN, type HistoryBatch } from './store.ts';

/** Why stored history is away: what an operator can do differs. */
export type UnavailableReason =
  | 'closed'
  | 'in_use'
  | 'full'
  | 'not_a_database'
  | 'newer_schema'
  | 'overloaded'
  | 'refused'
  | 'away'
  | 'failed';

export function unavailable(reason: UnavailableReason, message: string, cause?: unknown): DepthwireError {
  return new DepthwireError('history_unavailable', message, { reason }, cause);
}

/** Whether the store cannot be used by anybody; where it is only asked too much at once, others may have their answer. */
export const isAbsence = ({ code, details }: DepthwireError): boolean =>
  code === 'history_unavailable' && details.reason !== ('overloaded' satisfies UnavailableReason);

/** @throws DepthwireError where there is more than is written at once: what holds it has to have room for it twice */
export function checkRows(rows: number): void {
  if (rows > MAX_WRITTEN)
    throw unavailable('overloaded', `${rows} rows at once are too many: write at most ${MAX_WRITTEN}`);
}

export const rowsOf = (batches: readonly HistoryBatch[]): number =>
  batches.reduce((rows, { trades, columns }) => rows + trades.length + columns.length, 0);
