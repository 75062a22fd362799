import { errorCodes, type ErrorCode } from './errors.ts';

const meanings: Readonly<Record<ErrorCode, string>> = {
  // requests and messages of a client
  malformed_message: 'The message is not a valid MessagePack or JSON value.',
  invalid_request: 'The message is not one of the requests of the protocol, or a field of it is wrong.',
  unknown_instrument: 'No feed publishes an instrument with this id.',
  unknown_topic: 'The topic is not one of book, trades, ticker, candles, status.',
  unknown_channel: 'The session holds no subscription with this channel number.',
  too_many_subscriptions: 'The session holds as many subscriptions as the server allows.',
  unsupported_protocol: 'The client offered no WebSocket subprotocol that the server speaks.',
  origin_not_allowed: 'The page that opened the connection is not on the list of allowed origins.',
  unauthenticated:
    'The server wants to know who asks, and the key, token or ticket is missing, wrong or expired.',
  forbidden: 'The key or token does not permit this.',
  rate_limited: 'More was asked for in a short time than is allowed; ask later.',
  too_many_connections: 'The address or the key holds as many connections as the server allows.',
  unavailable: 'The server is starting, shutting down or full.',
  cursor_expired: 'The page is of an earlier run of the server, or of something gone; begin anew.',
  not_found: 'No such page or resource.',
  internal: 'The server failed in a way it did not expect; the details are in its log.',
  // the client SDK
  connection_lost: 'The connection to the server ended or never opened.',
  heartbeat_missed: 'The peer sent nothing for longer than the agreed heartbeat allows.',
  request_timeout: 'The server did not answer a request in time.',
  sequence_gap: 'A frame of a topic is missing; the topic is resynced from a snapshot.',
  checksum_mismatch:
    'A copy of a book differs from what its source’s checksum says; it is taken anew from a snapshot.',
  malformed_frame: 'A frame of the server does not follow the protocol; the topic is resynced.',
  client_closed: 'The client or the subscription was closed by its owner.',
  // numbers
  invalid_decimal: 'The text is not a plain decimal number.',
  off_grid: 'The price or size is not a whole number of the instrument’s ticks or lots.',
  out_of_range: 'The price or size does not fit the exact integers Depthwire counts in.',
  // feeds
  malformed_venue_frame: 'A frame of a venue is not what its documents describe.',
  venue_rejected: 'The venue refused a request.',
  venue_http: 'The venue answered an HTTP request with an error, or not at all.',
  venue_metadata: 'What the venue tells of its instruments makes no sense, or not yet; it is asked again.',
  unknown_symbol: 'The venue lists no instrument with this symbol.',
  unknown_venue: 'No adapter is registered for this venue or market.',
  unknown_feed: 'No feed is registered under this name.',
  invalid_event: 'A feed emitted an event that the engine cannot accept.',
  feed_failed: 'A feed threw an error that nobody expected; it is started anew.',
  feed_timeout: 'A feed did not start or answer in time; it is started anew.',
  feed_flooded: 'A feed sent more events in a second than it may; it is started anew.',
  feed_malformed: 'Too many events of a feed were refused; it is started anew.',
  feed_dishonest: 'A feed does not do what it says it can, such as candles; it is started anew.',
  // several machines, and stored history
  bus_unavailable: 'The bus between ingest and gateways cannot be reached; it is tried again.',
  history_unavailable: 'What is stored cannot be read or written now: the database is away, full or in use.',
  // captures
  capture_not_found: 'The capture file does not exist or cannot be read.',
  capture_truncated: 'The capture ends in the middle of a line or of its compressed data.',
  capture_corrupt: 'A line of the capture is not a record of the capture format.',
  capture_not_written: 'The capture file is there already, or the disk does not take it.',
  capture_unknown_venue: 'The venue of the capture cannot be told, or has no adapter.',
  // configuration and command line
  invalid_config: 'A key of the configuration is wrong; the message names it and the fix.',
  config_not_found: 'The configuration file does not exist or cannot be read.',
  invalid_argument:
    'A command line argument, or one of the SDK or of a widget, is wrong; the message names it and the fix.',
  missing_package:
    'A feed needs a package that is not installed; the message has the command that installs it.',
  port_in_use: 'Another process already listens on the configured address.',
};

/**
 * Every error in one table: its code, whether trying again can help, and what it means. `docs/errors.md` is held
 * against this table by a test.
 */
export const errorCatalogue = Object.fromEntries(
  Object.entries(errorCodes).map(([code, retry]) => [code, { retry, meaning: meanings[code as ErrorCode] }]),
) as Readonly<Record<ErrorCode, { readonly retry: boolean; readonly meaning: string }>>;
