import type { ErrorCode } from '@depthwire/shared';

/** HTTP status of the errors that a request can meet; all others are a fault of the server. */
export const statusOf: Partial<Record<ErrorCode, number>> = {
  invalid_request: 400,
  origin_not_allowed: 403,
  unknown_instrument: 404,
  not_found: 404,
  cursor_expired: 410,
  unavailable: 503,
};
