import { isRecord, malformed, parseJson, show } from '../../core/frame-checks.ts';
import type { PriceLevel } from '../../core/levels.ts';
import { numberText } from '../../core/number-text.ts';
import type { Answer, BookMessage, Frame, Ticker, Trade } from './messages.ts';

/** `book.NAME.INTERVAL`; a grouped book (`book.NAME.GROUP.DEPTH.INTERVAL`) is another channel. */
const BOOK_CHANNEL = /^book\.([^.]+)\.[^.]+$/;

/**
 * A text frame of the socket.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  const frame = parseJson(text);
  if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
  const { method, params } = frame;
  if (method === undefined) return { kind: 'answer', answer: checkAnswer(frame) };
  if (typeof method !== 'string') throw malformed('method', 'a text', method);
  if (!isRecord(params)) throw malformed('params', 'an object', params);
  if (method === 'heartbeat') return { kind: 'heartbeat', wantsAnswer: params.type === 'test_request' };
  if (method !== 'subscription') return { kind: 'other', name: method };
  const { channel, data } = params;
  if (typeof channel !== 'string') throw malformed('channel', 'a text', channel);
  if (BOOK_CHANNEL.test(channel)) return { kind: 'book', book: checkBook(data) };
  if (channel.startsWith('trades.')) return { kind: 'trades', trades: checkTrades(data) };
  if (channel.startsWith('ticker.')) return { kind: 'ticker', ticker: checkTicker(data) };
  return { kind: 'other', name: channel };
}

/** The instrument whose whole book a channel brings; null for other channels. */
export function bookOf(channel: string): string | null {
  return BOOK_CHANNEL.exec(channel)?.[1] ?? null;
}

/** Symbols whose book a frame that cannot be read may have changed; null for any of them. */
export function concernedBy(text: string): readonly string[] | null {
  const channel = /"channel"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  if (channel !== undefined) {
    const symbol = bookOf(channel);
    if (symbol !== null) return [symbol];
    return /^(?:trades|ticker)\./.test(channel) ? [] : null; // its name may be what is damaged
  }
  return /^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*(?:"id"|"method"\s*:\s*"heartbeat")/.test(text) ? [] : null;
}

function checkBook(data: unknown): BookMessage {
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  const { instrument_name: instrument, timestamp, change_id: changeId, prev_change_id: previous } = data;
  // Frames of the API's first years have no type: their snapshot is told by what it lacks.
  const type = data.type ?? (previous === undefined ? 'snapshot' : 'change');
  if (type !== 'snapshot' && type !== 'change') throw malformed('type', 'snapshot or change', type);
  if (typeof instrument !== 'string') throw malformed('instrument_name', 'a text', instrument);
  if (!Number.isSafeInteger(timestamp)) throw malformed('timestamp', 'an integer', timestamp);
  if (!Number.isSafeInteger(changeId)) throw malformed('change_id', 'an integer', changeId);
  if (type === 'change' && !Number.isSafeInteger(previous))
    throw malformed('prev_change_id', 'an integer', previous);
  return {
    type,
    instrument,
    timestamp: timestamp as number,
    changeId: changeId as number,
    prevChangeId: type === 'change' ? (previous as number) : null,
    bids: checkLevels(data.bids, 'bids'),
    asks: checkLevels(data.asks, 'asks'),
  };
}

function checkLevels(value: unknown, key: string): PriceLevel[] {
  if (!Array.isArray(value)) throw malformed(key, 'an array of levels', value);
  return (value as unknown[]).map((level): PriceLevel => {
    if (!Array.isArray(level)) throw malformed(key, '["action",price,amount]', level);
    const [action, price, amount] = level as unknown[];
    if (action !== 'new' && action !== 'change' && action !== 'delete')
      throw malformed(key, 'new, change or delete', action);
    if (!isFinite(price)) throw malformed(key, 'a price', price);
    if (action === 'delete') return [numberText(price), '0'];
    if (!isFinite(amount)) throw malformed(key, 'an amount', amount);
    return [numberText(price), numberText(amount)];
  });
}

export function checkTrades(data: unknown): Trade[] {
  if (!Array.isArray(data)) throw malformed('data', 'an array of trades', data);
  return (data as unknown[]).map((trade): Trade => {
    if (!isRecord(trade)) throw malformed('data', 'a trade', trade);
    const { instrument_name: instrument, trade_id: id, timestamp, price, amount, direction } = trade;
    if (typeof instrument !== 'string') throw malformed('instrument_name', 'a text', instrument);
    if (typeof id !== 'string' && !Number.isSafeInteger(id)) throw malformed('trade_id', 'an id', id);
    if (!Number.isSafeInteger(timestamp)) throw malformed('timestamp', 'an integer', timestamp);
    if (!isFinite(price)) throw malformed('price', 'a number', price);
    if (!isFinite(amount)) throw malformed('amount', 'a number', amount);
    if (direction !== 'buy' && direction !== 'sell') throw malformed('direction', 'buy or sell', direction);
    return {
      instrument,
      id: String(id as string | number),
      timestamp: timestamp as number,
      price: numberText(price),
      amount: numberText(amount),
      direction,
    };
  });
}

function checkTicker(data: unknown): Ticker {
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  const { instrument_name: instrument, timestamp } = data;
  if (typeof instrument !== 'string') throw malformed('instrument_name', 'a text', instrument);
  if (!Number.isSafeInteger(timestamp)) throw malformed('timestamp', 'an integer', timestamp);
  const stats = isRecord(data.stats) ? data.stats : {};
  return {
    instrument,
    timestamp: timestamp as number,
    last: figure(data.last_price),
    low: figure(stats.low),
    high: figure(stats.high),
    changePercent: figure(stats.price_change),
    volume: figure(stats.volume),
    volumeUsd: figure(stats.volume_usd),
    volumeNotional: figure(stats.volume_notional),
  };
}

function checkAnswer({ id, error, result }: Record<string, unknown>): Answer {
  if (error === undefined && result === undefined)
    throw malformed('frame', 'a result or an error', undefined);
  const channels = Array.isArray(result) ? (result as unknown[]) : [];
  return {
    id: Number.isSafeInteger(id) ? (id as number) : null,
    channels: Array.isArray(result)
      ? channels.filter((channel): channel is string => typeof channel === 'string')
      : null,
    error: error === undefined ? null : describe(error),
  };
}

export function describe(error: unknown): string {
  if (!isRecord(error)) return show(error);
  return `${show(error.code)}: ${typeof error.message === 'string' ? error.message : show(error.message)}`;
}

function figure(value: unknown): number | undefined {
  return isFinite(value) ? value : undefined;
}

/** JSON can name numbers that no double holds: `1e999`. */
function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}
