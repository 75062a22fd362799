import { DepthwireError } from '@depthwire/shared';

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
