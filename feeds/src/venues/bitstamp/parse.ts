import type { DepthwireError } from '@depthwire/shared';
import { isRecord, malformed, numberOf, parseJson } from '../../core/frame-checks.ts';
import type { RestSnapshot } from '../../core/joined-book.ts';
import { checkLevels } from '../../core/levels.ts';
import { numberText } from '../../core/number-text.ts';
import type { DiffOrderBook, Frame, LiveTrade, Market, Ticker } from './messages.ts';

const DIFF_CHANNEL = 'diff_order_book_';
const TRADE_CHANNEL = 'live_trades_';
/** What the venue has beside diffs. */
const OTHER_CHANNEL = /^(?:live_|private-|(?:detail_)?order_book_)/;
/** Unix times below are seconds; the venue has written milliseconds under the same name. */
const LEAST_MILLISECONDS = 1e11;
const MAX_DECIMALS = 15;

/**
 * A text frame of the socket.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  const frame = parseJson(text);
  if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
  const { event, data } = frame;
  if (typeof event !== 'string') throw malformed('event', 'a text', event);
  const channel = typeof frame.channel === 'string' ? frame.channel : '';
  switch (event) {
    case 'bts:subscription_succeeded':
      return { kind: 'subscribed', channel };
    case 'bts:error':
      return { kind: 'error', channel, message: errorText(data) };
    case 'bts:request_reconnect':
      return { kind: 'reconnect' };
    case 'bts:heartbeat':
      return { kind: 'heartbeat' };
    case 'data':
      if (typeof frame.channel !== 'string') throw malformed('channel', 'a text', frame.channel);
      return channel.startsWith(DIFF_CHANNEL)
        ? { kind: 'diff', diff: checkDiff(channel.slice(DIFF_CHANNEL.length), data) }
        : { kind: 'other', name: channel };
    case 'trade':
      return channel.startsWith(TRADE_CHANNEL)
        ? { kind: 'trade', trade: checkTrade(channel.slice(TRADE_CHANNEL.length), data) }
        : { kind: 'other', name: channel };
    default:
      if (channel.startsWith(DIFF_CHANNEL) && !event.startsWith('bts:'))
        throw malformed('event', 'data', event); // no number would tell that a diff is missing
      return { kind: 'other', name: event };
  }
}

/** The symbol of a channel of diffs; null for other channels. */
export function diffSymbol(channel: string): string | null {
  return channel.startsWith(DIFF_CHANNEL) ? channel.slice(DIFF_CHANNEL.length) : null;
}

/**
 * Symbols whose book a frame that cannot be read may have changed; null for any of them. The
 * channel stands at the end of a frame: one that is cut off before may be of any book.
 */
export function concernedBy(text: string): readonly string[] | null {
  if (/"event"\s*:\s*"(?:trade|bts:[a-z_]+)"|"(?:buy|sell)_order_id"\s*:/.test(text)) return [];
  const channel = /"channel"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  if (channel === undefined) return null;
  const symbol = diffSymbol(channel);
  if (symbol !== null) return [symbol];
  return OTHER_CHANNEL.test(channel) ? [] : null; // its name may be what is damaged
}

/** @throws DepthwireError `malformed_venue_frame` */
export function parseSnapshot(body: string): RestSnapshot {
  const value = parseJson(body);
  if (!isRecord(value)) throw malformed('order_book', 'an object', value);
  const id = checkMicroseconds(value.microtimestamp);
  return {
    id,
    timeMs: Math.floor(id / 1000),
    bids: checkLevels(value.bids, 'bids'),
    asks: checkLevels(value.asks, 'asks'),
  };
}

/**
 * The venue's figures of the last 24 hours, of all its markets; entries that make no sense are left out.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseTickers(body: string): Ticker[] {
  const value = parseJson(body);
  if (!Array.isArray(value)) throw malformed('ticker', 'an array', value);
  return (value as unknown[]).flatMap((entry) => {
    if (!isRecord(entry)) return [];
    const name = entry.pair ?? entry.market;
    if (typeof name !== 'string') return [];
    const text = (key: string) => (typeof entry[key] === 'string' ? entry[key] : undefined);
    const seconds = numberOf(entry.timestamp);
    const timeMs = seconds > 0 ? (seconds < LEAST_MILLISECONDS ? seconds * 1000 : seconds) : null;
    return [
      {
        symbol: name.replace('/', '').toLowerCase(),
        last: text('last'),
        high: text('high'),
        low: text('low'),
        open24: text('open_24'),
        volume: text('volume'),
        vwap: text('vwap'),
        timeMs: timeMs !== null && Number.isSafeInteger(timeMs) ? timeMs : null,
      },
    ];
  });
}

/**
 * Markets from either list of them, by symbol; in place of one that makes no sense the reason.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseMarkets(body: string): Map<string, Market | DepthwireError> {
  const value = parseJson(body);
  if (!Array.isArray(value)) throw malformed('markets', 'an array', value);
  const markets = new Map<string, Market | DepthwireError>();
  for (const entry of value as unknown[]) {
    if (!isRecord(entry)) throw malformed('markets', 'objects', entry);
    const symbol = entry.market_symbol ?? entry.url_symbol;
    if (typeof symbol !== 'string' || symbol === '')
      throw malformed('markets', 'market_symbol or url_symbol', symbol);
    markets.set(symbol, checkMarket(symbol, entry));
  }
  return markets;
}

function checkMarket(symbol: string, entry: Record<string, unknown>): Market | DepthwireError {
  const [nameBase, nameQuote] = typeof entry.name === 'string' ? entry.name.split('/') : [];
  const base = entry.base_currency ?? nameBase;
  const quote = entry.counter_currency ?? nameQuote?.replace(/-PERP$/i, '');
  if (typeof base !== 'string' || base === '')
    return malformed(`${symbol}: name`, 'BASE/COUNTER', entry.name);
  if (typeof quote !== 'string' || quote === '')
    return malformed(`${symbol}: name`, 'BASE/COUNTER', entry.name);
  const { base_decimals: baseDecimals, counter_decimals: counterDecimals } = entry;
  if (!isDecimals(baseDecimals)) return malformed(`${symbol}: base_decimals`, 'decimals', baseDecimals);
  if (!isDecimals(counterDecimals))
    return malformed(`${symbol}: counter_decimals`, 'decimals', counterDecimals);
  return {
    symbol,
    base,
    quote,
    isPerpetual: isPerpetualSymbol(symbol) || /^perpetual$/i.test(textOf(entry.market_type)),
    baseDecimals,
    counterDecimals,
    trading: textOf(entry.trading),
  };
}

export const isPerpetualSymbol = (symbol: string) => symbol.endsWith('-perp');

function checkDiff(symbol: string, data: unknown): DiffOrderBook {
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  return {
    symbol,
    microtimestamp: checkMicroseconds(data.microtimestamp),
    bids: checkLevels(data.bids, 'bids'),
    asks: checkLevels(data.asks, 'asks'),
  };
}

function checkTrade(symbol: string, data: unknown): LiveTrade {
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  const { id, id_str, type, microtimestamp } = data;
  if (typeof id_str !== 'string' && !Number.isFinite(id)) throw malformed('id', 'a number', id);
  if (type !== 0 && type !== 1) throw malformed('type', '0 or 1', type);
  return {
    symbol,
    id: typeof id_str === 'string' ? id_str : String(id),
    price: checkDecimal(data, 'price'),
    amount: checkDecimal(data, 'amount'),
    side: type === 0 ? 'buy' : 'sell',
    microtimestamp: microtimestamp == null ? null : checkMicroseconds(microtimestamp),
  };
}

/** A number as text: the floats beside it are noisy. */
function checkDecimal(data: Record<string, unknown>, key: 'price' | 'amount'): string {
  const text = data[`${key}_str`];
  if (typeof text === 'string') return text;
  const value = data[key];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw malformed(key, 'a number', value);
  return numberText(value);
}

/** Microseconds of our time have 16 digits, which is within what a number holds exactly. */
function checkMicroseconds(value: unknown): number {
  const micros = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof micros !== 'number' || !Number.isSafeInteger(micros) || micros < 0)
    throw malformed('microtimestamp', 'unix microseconds', value);
  return micros;
}

function isDecimals(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_DECIMALS;
}

function errorText(data: unknown): string {
  if (!isRecord(data)) return 'no reason given';
  const code = data.code == null ? '' : `${textOf(data.code)}: `;
  return `${code}${textOf(data.message) || 'no reason given'}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
