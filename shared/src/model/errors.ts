/**
 * Every error Depthwire raises or sends: a stable code, and whether trying again can help. What each of them means
 * is beside it, in error-catalogue.ts: pages need not carry the words.
 */
export const errorCodes = {
  // requests and messages of a client
  malformed_message: false,
  invalid_request: false,
  unknown_instrument: false,
  unknown_topic: false,
  unknown_channel: false,
  too_many_subscriptions: false,
  unsupported_protocol: false,
  origin_not_allowed: false,
  unauthenticated: false,
  forbidden: false,
  rate_limited: true,
  too_many_connections: true,
  unavailable: true,
  cursor_expired: false,
  not_found: false,
  internal: true,
  // the client SDK
  connection_lost: true,
  heartbeat_missed: true,
  request_timeout: true,
  sequence_gap: true,
  checksum_mismatch: true,
  malformed_frame: true,
  client_closed: false,
  // numbers
  invalid_decimal: false,
  off_grid: false,
  out_of_range: false,
  // feeds
  malformed_venue_frame: false,
  venue_rejected: false,
  venue_http: true,
  venue_metadata: true,
  unknown_symbol: false,
  unknown_venue: false,
  unknown_feed: false,
  invalid_event: false,
  feed_failed: true,
  feed_timeout: true,
  feed_flooded: true,
  feed_malformed: true,
  feed_dishonest: true,
  // several machines, and stored history
  bus_unavailable: true,
  history_unavailable: true,
  // captures
  capture_not_found: false,
  capture_truncated: false,
  capture_corrupt: false,
  capture_not_written: false,
  capture_unknown_venue: false,
  // configuration and command line
  invalid_config: false,
  config_not_found: false,
  invalid_argument: false,
  missing_package: false,
  port_in_use: true,
} as const satisfies Record<string, boolean>;

export type ErrorCode = keyof typeof errorCodes;

/** Where and what: plain data that a log line or an error response can carry. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | undefined>>;

export class DepthwireError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DepthwireError';
    this.code = code;
    this.details = details;
  }

  /** Whether the same action can succeed later without a change; false of a code that is in no catalogue. */
  get retry(): boolean {
    return isErrorCode(this.code) && errorCodes[this.code];
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCodes, value);
}

/** Any thrown value as a typed error; what is not ours becomes `internal`. */
export function toDepthwireError(error: unknown): DepthwireError {
  if (error instanceof DepthwireError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DepthwireError('internal', message, {}, error);
}
