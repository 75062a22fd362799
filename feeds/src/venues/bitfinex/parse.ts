import { isRecord, malformed, numberOf, parseJson } from '../../core/frame-checks.ts';
import type { PriceLevel } from '../../core/levels.ts';
import { numberText } from '../../core/number-text.ts';
import type { Frame, Levels, Refusal, Subscribed, Ticker, Trade } from './messages.ts';

/**
 * A text frame of the socket.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  const frame = parseJson(text);
  if (Array.isArray(frame)) return checkArray(frame as unknown[]);
  if (isRecord(frame)) return checkEvent(frame);
  throw malformed('frame', 'an array or an object', frame);
}

/**
 * The channel that a frame that cannot be read still names; null where it names none.
 * Frames of books are arrays: an object is no channel's.
 */
export function chanIdOf(text: string): number | null {
  const id = /^\s*\[\s*(\d{1,15})\s*,/.exec(text)?.[1];
  return id === undefined ? null : Number(id);
}

/** Whether a text is, or was, one of the frames that the sequence counts. */
export const isArrayText = (text: string) => /^\s*\[/.test(text);

export const isObjectText = (text: string) => /^\s*\{/.test(text);

/** Whether the content of a book's frame is a list of levels: a snapshot, or many changes at once. */
export function isList(payload: readonly unknown[]): boolean {
  return payload.length === 0 || Array.isArray(payload[0]);
}

/**
 * The levels of a book's frame, one or many.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function checkLevels(payload: readonly unknown[]): Levels {
  const bids: PriceLevel[] = [];
  const asks: PriceLevel[] = [];
  for (const level of isList(payload) ? payload : [payload]) {
    if (!Array.isArray(level)) throw malformed('level', '[price,count,amount]', level);
    const [price, count, amount] = level as unknown[];
    if (!isFinite(price)) throw malformed('price', 'a number', price);
    if (!Number.isSafeInteger(count) || (count as number) < 0) throw malformed('count', 'a count', count);
    if (!isFinite(amount) || amount === 0) throw malformed('amount', 'a number, not zero', amount);
    const size = count === 0 ? '0' : numberText(Math.abs(amount));
    (amount > 0 ? bids : asks).push([numberText(price), size]);
  }
  return { bids, asks };
}

/** @throws DepthwireError `malformed_venue_frame` */
export function checkTicker(payload: readonly unknown[]): Ticker {
  if (payload.length < 10) throw malformed('ticker', 'ten figures', payload);
  const figure = (index: number) => (isFinite(payload[index]) ? payload[index] : undefined);
  return { change: figure(4), last: figure(6), volume: figure(7), high: figure(8), low: figure(9) };
}

function checkArray(frame: readonly unknown[]): Frame {
  const [chanId, content] = frame;
  if (!Number.isSafeInteger(chanId)) throw malformed('chanId', 'an integer', chanId);
  const id = chanId as number;
  if (Array.isArray(content))
    return { kind: 'data', chanId: id, payload: content as unknown[], extras: frame.slice(2) };
  if (typeof content !== 'string') throw malformed('content', 'an array or a text', content);
  if (content === 'hb') return { kind: 'other', chanId: id, extras: frame.slice(2) };
  const extras = frame.slice(3);
  if (content === 'te') return { kind: 'trade', chanId: id, trade: checkTrade(frame[2]), extras };
  if (content === 'cs') {
    if (!Number.isSafeInteger(frame[2])) throw malformed('checksum', 'an integer', frame[2]);
    return { kind: 'checksum', chanId: id, checksum: frame[2] as number, extras };
  }
  return { kind: 'other', chanId: id, extras };
}

export function checkTrade(value: unknown): Trade {
  if (!Array.isArray(value)) throw malformed('trade', '[id,time,amount,price]', value);
  const [id, timeMs, amount, price] = value as unknown[];
  if (!Number.isSafeInteger(id)) throw malformed('trade id', 'an integer', id);
  if (!Number.isSafeInteger(timeMs)) throw malformed('trade time', 'an integer', timeMs);
  if (!isFinite(amount)) throw malformed('trade amount', 'a number', amount);
  if (!isFinite(price)) throw malformed('trade price', 'a number', price);
  return {
    id: id as number,
    timeMs: timeMs as number,
    price: numberText(price),
    size: numberText(Math.abs(amount)),
    side: amount > 0 ? 'buy' : 'sell',
  };
}

function checkEvent(frame: Record<string, unknown>): Frame {
  const { event, code, platform } = frame;
  switch (event) {
    case 'info': {
      const isMaintenance = isRecord(platform) && platform.status === 0;
      return { kind: 'info', info: { code: integer(code), isMaintenance } };
    }
    case 'conf':
      return { kind: 'conf', isAccepted: frame.status === 'OK', flags: integer(frame.flags) };
    case 'subscribed':
      return { kind: 'subscribed', subscribed: checkSubscribed(frame) };
    case 'unsubscribed': {
      const chanId = integer(frame.chanId);
      if (chanId === null) throw malformed('chanId', 'an integer', frame.chanId);
      return { kind: 'unsubscribed', chanId };
    }
    case 'error':
      return { kind: 'error', refusal: checkRefusal(frame) };
    default:
      if (typeof event !== 'string') throw malformed('event', 'a text', event);
      return { kind: 'event', name: event };
  }
}

function checkSubscribed({ chanId, channel, symbol, key, prec, len }: Record<string, unknown>): Subscribed {
  if (!Number.isSafeInteger(chanId)) throw malformed('chanId', 'an integer', chanId);
  if (typeof channel !== 'string') throw malformed('channel', 'a text', channel);
  const name = symbol ?? key ?? ''; // channels that are of no symbol have a key
  if (typeof name !== 'string') throw malformed('symbol', 'a text', name);
  const depth = numberOf(len);
  return {
    chanId: chanId as number,
    channel,
    symbol: name,
    prec: text(prec),
    len: Number.isSafeInteger(depth) ? depth : null,
  };
}

function checkRefusal({ code, msg, channel, symbol }: Record<string, unknown>): Refusal {
  return {
    code: integer(code),
    message: text(msg) ?? 'no reason',
    channel: text(channel),
    symbol: text(symbol),
  };
}

const text = (value: unknown) => (typeof value === 'string' ? value : null);
const integer = (value: unknown) => (Number.isSafeInteger(value) ? (value as number) : null);

/** JSON can name numbers that no double holds: `1e999`. */
function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}
