import type { Endpoints, MetadataList, VenueLimits } from '../../core/venue.ts';
import { flags } from './messages.ts';

export type Market = 'spot';

/** "Public channels should use the domain: wss://api-pub.bitfinex.com/" */
export const endpoints: Readonly<Record<Market, Endpoints>> = {
  spot: { ws: 'wss://api-pub.bitfinex.com', rest: 'https://api-pub.bitfinex.com' },
};

/** "All websocket connections have a limit of 25 subscriptions to public market data feed channels". */
const MAX_CHANNELS = 25;
const CHANNELS = ['book', 'trades', 'ticker'];

export const limits: VenueLimits = {
  symbolsPerConnection: Math.floor(MAX_CHANNELS / CHANNELS.length),
  /** The venue names no limit of messages, but answers each request: this is out of courtesy. */
  sendSpacingMs: 50,
  /** Public endpoints take from 10 to 90 requests a minute each; three of them are asked. */
  httpSpacingMs: 1_000,
  /** Each channel has a heartbeat when it has had nothing for 15 s. */
  silenceMs: 30_000,
  /** The venue names no age at which it ends connections. */
  maxAgeMs: null,
};

/** Levels a side: enough of a ladder, and more than the 25 of the checksum. */
const BOOK_LENGTH = '100';

const PAIRS = 'pub:list:pair:exchange';

/** The finest precision: five significant digits. Books of another are not books of ours. */
export const PRECISION = 'P0';

export function socketUrl(_market: string, base: Endpoints): string {
  return `${base.ws}/ws/2`;
}

export const REQUESTED_FLAGS = flags.SEQ_ALL | flags.CHECKSUM | flags.TIMESTAMP;

export const confRequest = JSON.stringify({ event: 'conf', flags: REQUESTED_FLAGS });

export function subscribeRequest(channel: string, symbol: string): string {
  const book = { prec: PRECISION, freq: 'F0', len: BOOK_LENGTH };
  return JSON.stringify({ event: 'subscribe', channel, symbol, ...(channel === 'book' ? book : {}) });
}

export const unsubscribeRequest = (chanId: number) => JSON.stringify({ event: 'unsubscribe', chanId });

/** Books first: a screen waits for them. */
export function subscribeRequests(symbols: readonly string[]): string[] {
  return CHANNELS.flatMap((channel) => symbols.map((symbol) => subscribeRequest(channel, symbol)));
}

/**
 * Names and sizes, prices for the digits they have, and whether the platform is up. Without the list of
 * pairs nothing can be had; a server that does not take several lists at once is asked for that one.
 */
export function metadataLists(base: Endpoints): MetadataList[] {
  const conf = `${base.rest}/v2/conf/${PAIRS}`;
  return [
    { url: `${conf},pub:list:currency,pub:map:currency:sym,pub:info:pair`, otherwise: [conf] },
    { url: `${base.rest}/v2/tickers?symbols=ALL`, isOptional: true },
    { url: `${base.rest}/v2/platform/status`, isOptional: true },
  ];
}
