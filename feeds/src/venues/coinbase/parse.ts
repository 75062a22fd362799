import { checkTexts, isRecord, malformed, parseJson, show } from '../../core/frame-checks.ts';
import type { PriceLevel } from '../../core/levels.ts';
import type { Body, BookEvent, Frame, TickerMessage, TradeMessage } from './messages.ts';

type Json = Record<string, unknown>;

/**
 * A text frame of the socket.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  const frame = parseJson(text);
  if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
  const { channel, type, message, timestamp } = frame;
  if (channel === undefined) {
    const body: Body =
      type === 'error'
        ? { kind: 'error', message: typeof message === 'string' ? message : show(message) }
        : { kind: 'other', name: 'unnamed' };
    return { sequence: null, timeMs: null, body };
  }
  if (typeof channel !== 'string') throw malformed('channel', 'a name', channel);
  const sequence = frame.sequence_num;
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0)
    throw malformed('sequence_num', 'an integer', sequence);
  return { sequence: sequence as number, timeMs: timeMs(timestamp), body: bodyOf(channel, frame) };
}

/** What a frame that cannot be read still tells of itself. */
export function remainsOf(text: string): { sequence: number | null; products: readonly string[] | null } {
  const sequence = /"sequence_num"\s*:\s*(\d{1,15})[,}\s]/.exec(text)?.[1];
  return { sequence: sequence === undefined ? null : Number(sequence), products: concernedBy(text) };
}

/** Channels that change no book. */
const bookless = new Set([
  'candles',
  'heartbeats',
  'market_trades',
  'status',
  'subscriptions',
  'ticker',
  'ticker_batch',
]);

/** Products whose book a frame that cannot be read may have changed; null for any of them. */
export function concernedBy(text: string): readonly string[] | null {
  const channel = /"channel"\s*:\s*"([^"]*)"/.exec(text)?.[1];
  if (channel === undefined) return null;
  if (bookless.has(channel)) return [];
  if (channel !== 'l2_data') return null; // its name may be what is damaged
  const products = [...text.matchAll(/"product_id"\s*:\s*"([^"]+)"/g)].map(([, product]) => product!);
  return products.length > 0 ? [...new Set(products)] : null;
}

/** An RFC 3339 time, nanoseconds and all, as unix milliseconds; null where there is none. */
export function timeMs(text: unknown): number | null {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return ms > 0 ? ms : null;
}

function bodyOf(channel: string, frame: Json): Body {
  switch (channel) {
    case 'l2_data':
      return { kind: 'book', events: eventsOf(frame).map(checkBook) };
    case 'market_trades': {
      const events = eventsOf(frame);
      const trades = events.flatMap((event) => listOf(event, 'trades').map(checkTrade));
      return { kind: 'trades', isSnapshot: events.some(isSnapshot), trades };
    }
    case 'ticker':
    case 'ticker_batch': {
      const tickers = eventsOf(frame).flatMap((event) => listOf(event, 'tickers').map(checkTicker));
      return { kind: 'tickers', tickers };
    }
    default:
      // One that nobody subscribed to is one whose name was damaged.
      if (!bookless.has(channel)) throw malformed('channel', 'one of the venue', channel);
      return { kind: 'other', name: channel };
  }
}

function eventsOf(frame: Json): Json[] {
  return listOf(frame, 'events');
}

function listOf(record: Json, key: string): Json[] {
  const list = record[key];
  if (!Array.isArray(list)) throw malformed(key, 'an array', list);
  for (const entry of list as unknown[]) if (!isRecord(entry)) throw malformed(key, 'objects', entry);
  return list as Json[];
}

function isSnapshot({ type }: Json): boolean {
  if (type !== 'snapshot' && type !== 'update') throw malformed('type', 'snapshot or update', type);
  return type === 'snapshot';
}

function checkBook(event: Json): BookEvent {
  const { product_id: productId } = event;
  if (typeof productId !== 'string') throw malformed('product_id', 'a product', productId);
  const bids: PriceLevel[] = [];
  const asks: PriceLevel[] = [];
  for (const { side, price_level: price, new_quantity: quantity } of listOf(event, 'updates')) {
    if (typeof price !== 'string') throw malformed('price_level', 'a text', price);
    if (typeof quantity !== 'string') throw malformed('new_quantity', 'a text', quantity);
    if (side === 'bid') bids.push([price, quantity]);
    else if (side === 'offer') asks.push([price, quantity]);
    else throw malformed('side', 'bid or offer', side);
  }
  return { isSnapshot: isSnapshot(event), productId, bids, asks };
}

export function checkTrade(trade: Json): TradeMessage {
  checkTexts(trade, ['product_id', 'trade_id', 'price', 'size', 'time']);
  if (trade.side !== 'BUY' && trade.side !== 'SELL') throw malformed('side', 'BUY or SELL', trade.side);
  return {
    productId: trade.product_id as string,
    tradeId: trade.trade_id as string,
    price: trade.price as string,
    size: trade.size as string,
    time: trade.time as string,
    side: trade.side,
  };
}

function checkTicker(ticker: Json): TickerMessage {
  checkTexts(ticker, [
    'product_id',
    'price',
    'volume_24_h',
    'low_24_h',
    'high_24_h',
    'price_percent_chg_24_h',
  ]);
  return {
    productId: ticker.product_id as string,
    price: ticker.price as string,
    volume: ticker.volume_24_h as string,
    low: ticker.low_24_h as string,
    high: ticker.high_24_h as string,
    percentChange: ticker.price_percent_chg_24_h as string,
  };
}
