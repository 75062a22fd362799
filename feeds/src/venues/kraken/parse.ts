import { DepthwireError } from '@depthwire/shared';
import { checkTexts, isRecord, malformed, parseJson, show } from '../../core/frame-checks.ts';
import type { PriceLevel } from '../../core/levels.ts';
import type { Ack, BookEntry, Frame, Pair, TickerEntry, TradeEntry } from './messages.ts';

/** A price or quantity as JSON has numbers. Inside a string its quotation marks would be escaped. */
const NUMBERS =
  /"(price|qty|price_increment|qty_increment)"(\s*:\s*)(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[\s,}\]])/g;

/** What no book's frame has; any other name may be a damaged one. */
const BOOKLESS = /"channel"\s*:\s*"(?:trade|ticker|ohlc|instrument|status|heartbeat)"|"method"\s*:\s*"[^"]*"/;

type Json = Record<string, unknown>;

/**
 * A text frame of the socket.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  // As numbers they would lose digits past the fifteenth, and the zeros at their ends.
  const frame = parseJson(text.replace(NUMBERS, '"$1"$2"$3"'));
  if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
  const { channel, method } = frame;
  if (channel === undefined) {
    if (typeof method === 'string') return { kind: 'ack', ack: checkAck(frame, method) };
    const error = frame.Error ?? frame.error;
    if (error !== undefined)
      return { kind: 'error', message: typeof error === 'string' ? error : show(error) };
    throw malformed('channel', 'a name', channel);
  }
  if (typeof channel !== 'string') throw malformed('channel', 'a name', channel);
  switch (channel) {
    case 'book':
      return { kind: channel, isSnapshot: isSnapshot(frame), entries: entriesOf(frame, checkBook) };
    case 'trade':
      return { kind: channel, isSnapshot: isSnapshot(frame), entries: entriesOf(frame, checkTrade) };
    case 'ticker':
      return { kind: channel, entries: entriesOf(frame, checkTicker) };
    case 'instrument':
      return { kind: channel, isSnapshot: isSnapshot(frame), pairs: checkPairs(frame) };
    case 'status': {
      const [status] = entriesOf(frame, (entry) => entry);
      return { kind: channel, system: typeof status?.system === 'string' ? status.system : 'unknown' };
    }
    default:
      return { kind: 'other', name: channel };
  }
}

/** Whether a frame that cannot be read was one of a book; such a frame has its channel in front. */
export function isBookText(text: string): boolean {
  return /"channel"\s*:\s*"book"/.test(text) && !/"method"\s*:/.test(text);
}

/** Symbols whose book a frame that cannot be read may have changed; null for any of them. */
export function concernedBy(text: string): readonly string[] | null {
  if (!isBookText(text)) return BOOKLESS.test(text) ? [] : null;
  const symbols = [...text.matchAll(/"symbol"\s*:\s*"([^"]+)"/g)].map(([, symbol]) => symbol!);
  return symbols.length > 0 ? [...new Set(symbols)] : null;
}

/** An RFC 3339 time as unix milliseconds; null where there is none. */
export function timeMs(timestamp: string | null): number | null {
  const ms = timestamp === null ? Number.NaN : Date.parse(timestamp);
  return ms > 0 ? ms : null;
}

function isSnapshot(frame: Json): boolean {
  if (frame.type !== 'snapshot' && frame.type !== 'update')
    throw malformed('type', 'snapshot or update', frame.type);
  return frame.type === 'snapshot';
}

function entriesOf<Entry>({ data }: Json, check: (entry: Json) => Entry): Entry[] {
  if (!Array.isArray(data)) throw malformed('data', 'an array', data);
  return (data as unknown[]).map((entry) => {
    if (!isRecord(entry)) throw malformed('data', 'objects', entry);
    return check(entry);
  });
}

function checkBook(entry: Json): BookEntry {
  const { symbol, checksum } = entry;
  if (typeof symbol !== 'string') throw malformed('symbol', 'a symbol', symbol);
  if (checksum !== undefined && !isChecksum(checksum))
    throw malformed('checksum', 'an unsigned number of 32 bits', checksum);
  return {
    symbol,
    bids: levelsOf(entry, 'bids'),
    asks: levelsOf(entry, 'asks'),
    checksum: (checksum as number | undefined) ?? null,
    timestamp: timestampOf(entry),
  };
}

function isChecksum(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
}

/** A side that has no changes may be left out. */
function levelsOf(entry: Json, key: 'bids' | 'asks'): PriceLevel[] {
  const levels = entry[key] ?? [];
  if (!Array.isArray(levels)) throw malformed(key, 'an array of levels', levels);
  return (levels as unknown[]).map((level): PriceLevel => {
    if (!isRecord(level) || typeof level.price !== 'string' || typeof level.qty !== 'string')
      throw malformed(key, '{"price":number,"qty":number}', level);
    return [level.price, level.qty];
  });
}

function checkTrade(entry: Json): TradeEntry {
  const { symbol, side, price, qty, trade_id: tradeId } = entry;
  if (typeof symbol !== 'string') throw malformed('symbol', 'a symbol', symbol);
  if (side !== 'buy' && side !== 'sell') throw malformed('side', 'buy or sell', side);
  if (typeof price !== 'string') throw malformed('price', 'a number', price);
  if (typeof qty !== 'string') throw malformed('qty', 'a number', qty);
  if (!Number.isSafeInteger(tradeId)) throw malformed('trade_id', 'an integer', tradeId);
  return { symbol, side, price, qty, tradeId: tradeId as number, timestamp: timestampOf(entry) };
}

function checkTicker(entry: Json): TickerEntry {
  const { symbol } = entry;
  if (typeof symbol !== 'string') throw malformed('symbol', 'a symbol', symbol);
  const number = (key: string) => {
    const value = entry[key] ?? null;
    if (value !== null && typeof value !== 'number') throw malformed(key, 'a number', value);
    return value;
  };
  return {
    symbol,
    last: number('last'),
    low: number('low'),
    high: number('high'),
    volume: number('volume'),
    vwap: number('vwap'),
    change: number('change'),
    timestamp: timestampOf(entry),
  };
}

function timestampOf({ timestamp }: Json): string | null {
  if (timestamp !== undefined && timestamp !== null && typeof timestamp !== 'string')
    throw malformed('timestamp', 'a time', timestamp);
  return timestamp ?? null;
}

function checkPairs({ data }: Json): Map<string, Pair | DepthwireError> {
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  if (!Array.isArray(data.pairs)) throw malformed('pairs', 'an array', data.pairs);
  const pairs = new Map<string, Pair | DepthwireError>();
  for (const pair of data.pairs as unknown[]) {
    if (!isRecord(pair) || typeof pair.symbol !== 'string') throw malformed('pairs', 'symbols', pair);
    pairs.set(pair.symbol, pairOrError(pair));
  }
  return pairs;
}

function pairOrError(pair: Json): Pair | DepthwireError {
  try {
    return checkPair(pair);
  } catch (error) {
    if (error instanceof DepthwireError) return error;
    throw error;
  }
}

function checkPair(pair: Json): Pair {
  checkTexts(pair, ['symbol', 'base', 'quote', 'status', 'price_increment', 'qty_increment']);
  for (const key of ['price_precision', 'qty_precision']) {
    const value = pair[key];
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > 18)
      throw malformed(key, 'a number of digits', value);
  }
  return {
    symbol: pair.symbol as string,
    base: pair.base as string,
    quote: pair.quote as string,
    status: pair.status as string,
    pricePrecision: pair.price_precision as number,
    qtyPrecision: pair.qty_precision as number,
    priceIncrement: pair.price_increment as string,
    qtyIncrement: pair.qty_increment as string,
  };
}

function checkAck(frame: Json, method: string): Ack {
  const result = isRecord(frame.result) ? frame.result : {};
  const text = (key: string) => {
    const value = result[key] ?? frame[key];
    return typeof value === 'string' ? value : null;
  };
  const isRefused = frame.success === false || frame.error !== undefined;
  return {
    method,
    channel: text('channel'),
    symbol: text('symbol'),
    depth: Number.isSafeInteger(result.depth) ? (result.depth as number) : null,
    error: isRefused ? (typeof frame.error === 'string' ? frame.error : show(frame.error)) : null,
  };
}
