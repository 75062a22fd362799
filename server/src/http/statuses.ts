import type { ErrorCode } from '@depthwire/shared';

/** HTTP status of the errors that a request can meet; all others are a fault of the server. */
export const statusOf: Partial<Record<ErrorCode, number>> = {
  invalid_request: 400,
  too_many_subscriptions: 400,
  unauthenticated: 401,
  origin_not_allowed: 403,
  forbidden: 403,
  unknown_instrument: 404,
  not_found: 404,
  cursor_expired: 410,
  rate_limited: 429,
  too_many_connections: 429,
  unavailable: 503,
  bus_unavailable: 503,
  history_unavailable: 503,
};
