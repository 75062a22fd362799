/**
 * Every error Depthwire raises or sends, in one table: a stable code, whether trying again can
 * help, and what it means. `docs/errors.md` is held against this table by a test.
 */
export const errorCatalogue = {
  // requests and messages of a client
  malformed_message: { retry: false, meaning: 'The message is not a valid MessagePack or JSON value.' },
  invalid_request: {
    retry: false,
    meaning: 'The message is not one of the requests of the protocol, or a field of it is wrong.',
  },
  unknown_instrument: { retry: false, meaning: 'No feed publishes an instrument with this id.' },
  unknown_topic: { retry: false, meaning: 'The topic is not one of book, trades, ticker, candles, status.' },
  unknown_channel: { retry: false, meaning: 'The session holds no subscription with this channel number.' },
  too_many_subscriptions: {
    retry: false,
    meaning: 'The session holds as many subscriptions as the server allows.',
  },
  unsupported_protocol: {
    retry: false,
    meaning: 'The client offered no WebSocket subprotocol that the server speaks.',
  },
  origin_not_allowed: {
    retry: false,
    meaning: 'The page that opened the connection is not on the list of allowed origins.',
  },
  unauthenticated: {
    retry: false,
    meaning: 'The server wants to know who asks, and the key, token or ticket is missing, wrong or expired.',
  },
  forbidden: { retry: false, meaning: 'The key or token does not permit this.' },
  rate_limited: { retry: true, meaning: 'More was asked for in a short time than is allowed; ask later.' },
  too_many_connections: {
    retry: true,
    meaning: 'The address or the key holds as many connections as the server allows.',
  },
  unavailable: { retry: true, meaning: 'The server is starting, shutting down or full.' },
  cursor_expired: {
    retry: false,
    meaning: 'The page is of an earlier run of the server, or of something gone; begin anew.',
  },
  not_found: { retry: false, meaning: 'No such page or resource.' },
  internal: {
    retry: true,
    meaning: 'The server failed in a way it did not expect; the details are in its log.',
  },
  // the client SDK
  connection_lost: { retry: true, meaning: 'The connection to the server ended or never opened.' },
  heartbeat_missed: {
    retry: true,
    meaning: 'The peer sent nothing for longer than the agreed heartbeat allows.',
  },
  request_timeout: { retry: true, meaning: 'The server did not answer a request in time.' },
  sequence_gap: {
    retry: true,
    meaning: 'A frame of a topic is missing; the topic is resynced from a snapshot.',
  },
  checksum_mismatch: {
    retry: true,
    meaning:
      'A copy of a book differs from what its source’s checksum says; it is taken anew from a snapshot.',
  },
  malformed_frame: {
    retry: true,
    meaning: 'A frame of the server does not follow the protocol; the topic is resynced.',
  },
  client_closed: { retry: false, meaning: 'The client or the subscription was closed by its owner.' },
  // numbers
  invalid_decimal: { retry: false, meaning: 'The text is not a plain decimal number.' },
  off_grid: {
    retry: false,
    meaning: 'The price or size is not a whole number of the instrument’s ticks or lots.',
  },
  out_of_range: {
    retry: false,
    meaning: 'The price or size does not fit the exact integers Depthwire counts in.',
  },
  // feeds
  malformed_venue_frame: { retry: false, meaning: 'A frame of a venue is not what its documents describe.' },
  venue_rejected: { retry: false, meaning: 'The venue refused a request.' },
  venue_http: { retry: true, meaning: 'The venue answered an HTTP request with an error, or not at all.' },
  venue_metadata: {
    retry: true,
    meaning: 'What the venue tells of its instruments makes no sense, or not yet; it is asked again.',
  },
  unknown_symbol: { retry: false, meaning: 'The venue lists no instrument with this symbol.' },
  unknown_venue: { retry: false, meaning: 'No adapter is registered for this venue or market.' },
  unknown_feed: { retry: false, meaning: 'No feed is registered under this name.' },
  invalid_event: { retry: false, meaning: 'A feed emitted an event that the engine cannot accept.' },
  feed_failed: { retry: true, meaning: 'A feed threw an error that nobody expected; it is started anew.' },
  feed_timeout: { retry: true, meaning: 'A feed did not start or answer in time; it is started anew.' },
  feed_flooded: {
    retry: true,
    meaning: 'A feed sent more events in a second than it may; it is started anew.',
  },
  feed_malformed: {
    retry: true,
    meaning: 'Too many events of a feed were refused; it is started anew.',
  },
  feed_dishonest: {
    retry: true,
    meaning: 'A feed does not do what it says it can, such as candles; it is started anew.',
  },
  // captures
  capture_not_found: { retry: false, meaning: 'The capture file does not exist or cannot be read.' },
  capture_truncated: {
    retry: false,
    meaning: 'The capture ends in the middle of a line or of its compressed data.',
  },
  capture_corrupt: { retry: false, meaning: 'A line of the capture is not a record of the capture format.' },
  capture_not_written: {
    retry: false,
    meaning: 'The capture file is there already, or the disk does not take it.',
  },
  capture_unknown_venue: {
    retry: false,
    meaning: 'The venue of the capture cannot be told, or has no adapter.',
  },
  // configuration and command line
  invalid_config: {
    retry: false,
    meaning: 'A key of the configuration is wrong; the message names it and the fix.',
  },
  config_not_found: { retry: false, meaning: 'The configuration file does not exist or cannot be read.' },
  invalid_argument: {
    retry: false,
    meaning: 'A command line argument is wrong; the message names it and the fix.',
  },
  missing_package: {
    retry: false,
    meaning: 'A feed needs a package that is not installed; the message has the command that installs it.',
  },
  port_in_use: { retry: true, meaning: 'Another process already listens on the configured address.' },
} as const satisfies Record<string, { retry: boolean; meaning: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

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
    return isErrorCode(this.code) && errorCatalogue[this.code].retry;
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCatalogue, value);
}

/** Any thrown value as a typed error; what is not ours becomes `internal`. */
export function toDepthwireError(error: unknown): DepthwireError {
  if (error instanceof DepthwireError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DepthwireError('internal', message, {}, error);
}
