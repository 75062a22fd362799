import { crc32 } from 'node:zlib';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { FeedObserver } from '../../kit/index.ts';
import { createKrakenSession } from './session.ts';
import { endpoints } from './subscribe.ts';
import { guessInstrument } from './symbols.ts';

export const START_MS = Date.parse('2026-11-20T12:00:00Z');

/** `PRICE QTY`, in digits as on the wire. */
type Side = readonly string[];

/** A session with nothing behind it: what it sends is seen, what it hears is written by hand. */
export function startSession(symbols: readonly string[], tickDecimals = 1, lotDecimals = 3) {
  const clock = new VirtualClock(START_MS);
  const observer = new FeedObserver(clock);
  const sent: Record<string, unknown>[] = [];
  const ended: string[] = [];
  const instruments = symbols.map((symbol) => guessInstrument(symbol, tickDecimals, lotDecimals));
  for (const instrument of instruments) observer.context.emit({ type: 'instrument', instrument });
  const session = createKrakenSession({
    market: 'spot',
    endpoints: endpoints.spot!,
    instruments,
    io: {
      clock,
      log: observer.context.log,
      emit: observer.context.emit,
      send: (text) => sent.push(JSON.parse(text) as Record<string, unknown>),
      get: () => {
        throw new Error('no HTTP request is to be made');
      },
      replaceConnection: (reason) => ended.push(reason),
      reconnect: (reason) => ended.push(reason),
    },
  });
  return {
    clock,
    observer,
    session,
    /** Requests sent since the last look. */
    sent,
    ended,
    hear: (frame: object | string) =>
      session.onFrame(typeof frame === 'string' ? frame : JSON.stringify(frame), clock.now()),
  };
}

export const ack = (symbol: string, depth: number) => ({
  method: 'subscribe',
  result: { channel: 'book', depth, snapshot: true, symbol },
  success: true,
});

export const pairs = (type: 'snapshot' | 'update', symbol: string, more: object = {}) => {
  const [base, quote] = symbol.split('/');
  const precision = { price_precision: 1, price_increment: 0.1, qty_precision: 3, qty_increment: 0.001 };
  const pair = { symbol, base, quote, status: 'online', ...precision, ...more };
  return { channel: 'instrument', type, data: { assets: [], pairs: [pair] } };
};

/** The checksum of a book that is written best first, all digits told. */
export function checksumOf(bids: Side, asks: Side): number {
  const text = [...asks.slice(0, 10), ...bids.slice(0, 10)].flatMap((level) => level.split(' '));
  return crc32(text.map((number) => number.replace('.', '').replace(/^0+/, '')).join(''));
}

const levels = (side: Side) =>
  side.map((level) => level.replace(/(\S+) (\S+)/, '{"price":$1,"qty":$2}')).join(',');

export function bookFrame(
  type: 'snapshot' | 'update',
  symbol: string,
  bids: Side,
  asks: Side,
  { checksum, timestamp }: { checksum?: number; timestamp?: string } = {},
): string {
  const more =
    (checksum === undefined ? '' : `,"checksum":${checksum}`) +
    (timestamp === undefined ? '' : `,"timestamp":"${timestamp}"`);
  const entry = `{"symbol":"${symbol}","bids":[${levels(bids)}],"asks":[${levels(asks)}]${more}}`;
  return `{"channel":"book","type":"${type}","data":[${entry}]}`;
}

/** A snapshot under its checksum. */
export const snapshot = (symbol: string, bids: Side, asks: Side) =>
  bookFrame('snapshot', symbol, bids, asks, { checksum: checksumOf(bids, asks) });
