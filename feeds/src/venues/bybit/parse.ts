import { checkIntegers, checkTexts, isRecord, malformed, parseJson, show } from '../../core/frame-checks.ts';
import { checkLevels, type PriceLevel } from '../../core/levels.ts';
import {
  statisticsKeys,
  type BookMessage,
  type Frame,
  type Statistics,
  type TickerMessage,
  type Trade,
} from './messages.ts';

/** `orderbook.full` and `orderbook.rpi` have other rules; only topics that name a depth are books here. */
const BOOK_TOPIC = /^orderbook\.(\d{1,5})\.(.+)$/;

/**
 * A text frame of a public socket.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  const frame = parseJson(text);
  if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
  const { topic } = frame;
  if (topic === undefined) return parseAnswer(frame);
  if (typeof topic !== 'string') throw malformed('topic', 'a name', topic);
  const book = BOOK_TOPIC.exec(topic);
  if (book) return { kind: 'book', book: parseBook(frame, Number(book[1]), book[2]!) };
  if (topic.startsWith('publicTrade.')) return { kind: 'trades', trades: parseTrades(frame.data) };
  if (topic.startsWith('tickers.')) return { kind: 'ticker', ticker: parseTicker(frame) };
  return { kind: 'other', name: topic };
}

/** Symbols whose book a frame that cannot be read may have changed; null for any of them. */
export function concernedBy(text: string): readonly string[] | null {
  const topic = /"topic"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  if (topic === undefined) return null;
  const symbol = BOOK_TOPIC.exec(topic)?.[2];
  if (symbol !== undefined) return [symbol];
  return /^(?:publicTrade|tickers|kline|allLiquidation|liquidation)\./.test(topic) ? [] : null;
}

function parseAnswer(frame: Record<string, unknown>): Frame {
  const { op, success, ret_msg: reason, req_id: requestId } = frame;
  if (typeof op !== 'string') throw malformed('topic', 'a name', undefined);
  if (success !== false) return { kind: 'other', name: op };
  return {
    kind: 'refusal',
    refusal: {
      reason: typeof reason === 'string' ? reason : show(reason),
      requestId: typeof requestId === 'string' && requestId !== '' ? requestId : null,
    },
  };
}

function parseBook(frame: Record<string, unknown>, depth: number, symbol: string): BookMessage {
  const { data } = frame;
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  if (data.s !== symbol) throw malformed('s', `the symbol of the topic, ${symbol}`, data.s);
  checkIntegers(frame, ['ts']);
  checkIntegers(data, ['u']);
  return {
    symbol,
    depth,
    isSnapshot: isSnapshot(frame),
    ts: frame.ts as number,
    b: levels(data.b, 'b'),
    a: levels(data.a, 'a'),
    u: data.u as number,
  };
}

function parseTrades(data: unknown): readonly Trade[] {
  if (!Array.isArray(data)) throw malformed('data', 'an array', data);
  for (const trade of data as unknown[]) {
    if (!isRecord(trade)) throw malformed('data', 'an array of trades', trade);
    checkTexts(trade, ['s', 'i', 'p', 'v']);
    checkIntegers(trade, ['T']);
    if (trade.S !== 'Buy' && trade.S !== 'Sell') throw malformed('S', 'Buy or Sell', trade.S);
  }
  return data as Trade[];
}

function parseTicker(frame: Record<string, unknown>): TickerMessage {
  const { data } = frame;
  if (!isRecord(data)) throw malformed('data', 'an object', data);
  checkTexts(data, ['symbol']);
  checkIntegers(frame, ['ts']);
  const present = statisticsKeys.filter((key) => data[key] !== undefined);
  checkTexts(data, present);
  return {
    symbol: data.symbol as string,
    isSnapshot: isSnapshot(frame),
    ts: frame.ts as number,
    statistics: Object.fromEntries(present.map((key) => [key, data[key]])) as Statistics,
  };
}

function isSnapshot({ type }: Record<string, unknown>): boolean {
  if (type !== 'snapshot' && type !== 'delta') throw malformed('type', 'snapshot or delta', type);
  return type === 'snapshot';
}

/** A side without changes may be left out. */
function levels(value: unknown, key: string): readonly PriceLevel[] {
  return value === undefined || value === null ? [] : checkLevels(value, key);
}
