import { DepthwireError } from '@depthwire/shared';
import type { RestSnapshot } from '../../core/joined-book.ts';
import type { PriceLevel } from '../../core/levels.ts';
import type { AggregateTrade, DepthUpdate, Frame, MiniTicker, RawTrade } from './messages.ts';

/**
 * A text frame of the socket, bare or in the combined-stream wrapper.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  const frame = parseJson(text);
  if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
  const data = 'stream' in frame && 'data' in frame ? frame.data : frame;
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  switch (data.e) {
    case 'depthUpdate':
      return { kind: 'depth', depth: checkDepth(data) };
    case 'trade':
      return { kind: 'trade', trade: checkTrade<RawTrade>(data, 't') };
    case 'aggTrade':
      return { kind: 'aggTrade', trade: checkTrade<AggregateTrade>(data, 'a') };
    case '24hrMiniTicker':
      return { kind: 'miniTicker', ticker: checkTicker(data) };
    case 'serverShutdown':
      return { kind: 'shutdown' };
    case undefined:
      if ('result' in data || 'code' in data) return { kind: 'answer', answer: checkAnswer(data) };
      return { kind: 'other', name: typeof frame.stream === 'string' ? frame.stream : 'unnamed' };
    default:
      if (typeof data.e !== 'string') throw malformed('e', 'an event type', data.e);
      return { kind: 'other', name: data.e };
  }
}

/** Symbols whose book a frame that cannot be read may have changed; null for any of them. */
export function concernedBy(text: string): readonly string[] | null {
  if (/"e"\s*:\s*"(?:trade|aggTrade|24hrMiniTicker)"|"stream"\s*:\s*"[^"@]*@(?!depth)/.test(text)) return [];
  const stream = /"stream"\s*:\s*"([^"@]+)@/.exec(text)?.[1];
  const symbol = stream?.toUpperCase() ?? /"s"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return symbol === undefined ? null : [symbol];
}

/** @throws DepthwireError `malformed_venue_frame` */
export function parseSnapshot(body: string): RestSnapshot {
  const value = parseJson(body);
  if (!isRecord(value)) throw malformed('depth', 'an object', value);
  const { lastUpdateId, T, bids, asks } = value;
  if (!Number.isSafeInteger(lastUpdateId)) throw malformed('lastUpdateId', 'an integer', lastUpdateId);
  return {
    id: lastUpdateId as number,
    timeMs: Number.isFinite(T) ? (T as number) : null,
    bids: checkLevels(bids, 'bids'),
    asks: checkLevels(asks, 'asks'),
  };
}

function checkDepth(data: Record<string, unknown>): DepthUpdate {
  if (typeof data.s !== 'string') throw malformed('s', 'a symbol', data.s);
  for (const key of ['E', 'U', 'u'] as const) {
    if (!Number.isSafeInteger(data[key])) throw malformed(key, 'an integer', data[key]);
  }
  for (const key of ['T', 'pu'] as const) {
    if (data[key] !== undefined && !Number.isSafeInteger(data[key]))
      throw malformed(key, 'an integer', data[key]);
  }
  if ((data.U as number) > (data.u as number)) throw malformed('U', 'an id not above u', data.U);
  checkLevels(data.b, 'b');
  checkLevels(data.a, 'a');
  return data as unknown as DepthUpdate;
}

function checkTrade<Kind>(data: Record<string, unknown>, id: 't' | 'a'): Kind {
  if (typeof data.s !== 'string') throw malformed('s', 'a symbol', data.s);
  for (const key of [id, 'T'] as const) {
    if (!Number.isSafeInteger(data[key])) throw malformed(key, 'an integer', data[key]);
  }
  for (const key of ['p', 'q'] as const) {
    if (typeof data[key] !== 'string') throw malformed(key, 'a decimal text', data[key]);
  }
  if (typeof data.m !== 'boolean') throw malformed('m', 'true or false', data.m);
  return data as unknown as Kind;
}

function checkTicker(data: Record<string, unknown>): MiniTicker {
  for (const key of ['s', 'c', 'o', 'h', 'l', 'v', 'q'] as const) {
    if (typeof data[key] !== 'string') throw malformed(key, 'a text', data[key]);
  }
  if (!Number.isSafeInteger(data.E)) throw malformed('E', 'an integer', data.E);
  return data as unknown as MiniTicker;
}

function checkAnswer(data: Record<string, unknown>) {
  const error = isRecord(data.error) ? data.error : data;
  const refused = 'code' in error;
  return {
    id: typeof data.id === 'number' ? data.id : null,
    error: refused
      ? `${show(error.code)}: ${typeof error.msg === 'string' ? error.msg : show(error.msg)}`
      : null,
  };
}

function checkLevels(value: unknown, key: string): readonly PriceLevel[] {
  if (!Array.isArray(value)) throw malformed(key, 'an array of levels', value);
  for (const level of value as unknown[]) {
    if (!Array.isArray(level) || typeof level[0] !== 'string' || typeof level[1] !== 'string') {
      throw malformed(key, '["price","quantity"]', level);
    }
  }
  return value as PriceLevel[];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DepthwireError('malformed_venue_frame', `not JSON: ${(error as Error).message}`, {}, error);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(key: string, expected: string, got: unknown): DepthwireError {
  return new DepthwireError('malformed_venue_frame', `${key}: expected ${expected}, got ${show(got)}`, {
    key,
  });
}

/** Any JSON value in short: what nests is named only, for it may nest deeper than the stack. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isRecord(value)) return 'an object';
  return (JSON.stringify(value) ?? '').slice(0, 60);
}
