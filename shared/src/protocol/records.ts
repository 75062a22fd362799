import { DepthwireError } from '../model/errors.ts';
import type { BookState, Candle, Ticker, TradeEvent } from '../model/events.ts';
import type { Lots, Ticks } from '../model/units.ts';
import { wireStates, type TickerFrame, type WireCandle, type WireTrade } from './messages.ts';

/** A trade as clients see it. */
export interface Trade {
  readonly id: string | number;
  readonly price: Ticks;
  readonly size: Lots;
  readonly side: TradeEvent['side'];
  /** Venue time, or receive time where the venue gives none; unix milliseconds. */
  readonly timeMs: number;
}

export function encodeTrade(trade: Trade): WireTrade {
  return [trade.id, trade.price, trade.size, trade.side === 'buy' ? 0 : 1, trade.timeMs];
}

/** @throws DepthwireError `malformed_frame` */
export function decodeTrade(wire: WireTrade): Trade {
  const isId = Array.isArray(wire) && (typeof wire[0] === 'string' || Number.isSafeInteger(wire[0]));
  if (!isId || !areIntegers(wire, 1, 4) || (wire[3] !== 0 && wire[3] !== 1)) throw malformed('trade');
  return {
    id: wire[0],
    price: wire[1] as Ticks,
    size: wire[2] as Lots,
    side: wire[3] === 0 ? 'buy' : 'sell',
    timeMs: wire[4],
  };
}

export function encodeCandle(candle: Candle): WireCandle {
  return [candle.time, candle.open, candle.high, candle.low, candle.close, candle.volume, candle.trades];
}

/** @throws DepthwireError `malformed_frame` */
export function decodeCandle(wire: WireCandle): Candle {
  if (!areIntegers(wire, 0, 6)) throw malformed('candle');
  return {
    time: wire[0],
    open: wire[1] as Ticks,
    high: wire[2] as Ticks,
    low: wire[3] as Ticks,
    close: wire[4] as Ticks,
    volume: wire[5] as Lots,
    trades: wire[6],
  };
}

/** @throws DepthwireError `malformed_frame` */
export function decodeTicker(frame: TickerFrame): Ticker {
  const areNumbers = frame.slice(5, 16).every((value) => value === null || typeof value === 'number');
  if (frame.length < 16 || !areNumbers) throw malformed('ticker');
  return {
    last: frame[5] as Ticks | null,
    open: frame[6] as Ticks | null,
    high: frame[7] as Ticks | null,
    low: frame[8] as Ticks | null,
    volume: frame[9] as Lots,
    turnover: frame[10],
    trades: frame[11],
    bid: frame[12] as Ticks | null,
    bidSize: frame[13] as Lots,
    ask: frame[14] as Ticks | null,
    askSize: frame[15] as Lots,
  };
}

/** @throws DepthwireError `malformed_frame` */
export function decodeState(value: unknown): BookState {
  const state = typeof value === 'number' ? wireStates[value] : undefined;
  if (!state) throw malformed('state');
  return state;
}

function areIntegers(row: unknown, from: number, to: number): boolean {
  if (!Array.isArray(row)) return false;
  for (let i = from; i <= to; i++) if (!Number.isSafeInteger(row[i])) return false;
  return true;
}

function malformed(what: string): DepthwireError {
  return new DepthwireError('malformed_frame', `${what}: not as the protocol has it`);
}
