import { checkIntegers, checkTexts, isRecord, malformed, parseJson, show } from '../../core/frame-checks.ts';
import type { RestSnapshot } from '../../core/joined-book.ts';
import { checkLevels } from '../../core/levels.ts';
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
      // The futures' streams of the best levels alone bear the name of the diffs.
      if (typeof frame.stream === 'string' && /@depth(?:5|10|20)\b/.test(frame.stream))
        return { kind: 'other', name: frame.stream };
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
      if ('result' in data || 'code' in data || 'error' in data)
        return { kind: 'answer', answer: checkAnswer(data) };
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
  checkIntegers(data, ['E', 'U', 'u']);
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
  checkIntegers(data, [id, 'T']);
  for (const key of ['p', 'q'] as const) {
    if (typeof data[key] !== 'string') throw malformed(key, 'a decimal text', data[key]);
  }
  if (typeof data.m !== 'boolean') throw malformed('m', 'true or false', data.m);
  return data as unknown as Kind;
}

function checkTicker(data: Record<string, unknown>): MiniTicker {
  checkTexts(data, ['s', 'c', 'o', 'h', 'l', 'v', 'q']);
  checkIntegers(data, ['E']);
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
