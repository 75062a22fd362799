import {
  bookStates,
  DepthwireError,
  isCandleInterval,
  isInstrumentId,
  type Candle,
  type CandleInterval,
  type Instrument,
  type InstrumentId,
  type WireTrade,
} from '@depthwire/shared';
import { checkCandles } from '../engine/candle-checks.ts';
import { MAX_CANDLES } from '../engine/candles.ts';
import { readInstrument } from '../engine/event-checks.ts';
import { busCodes, MAX_TIME_MS, type BusFrame, type Group, type Head } from './wire.ts';

// What other processes say is looked at before anything is made of it. Levels, trades and candles are looked at by what
// decodes them.

/** As of what a feed says. */
const MAX_REASON_CHARS = 1_000;
const MAX_TRADE_ID_CHARS = 64;

/** @throws DepthwireError `malformed_message` */
export function checkGroup(value: unknown): asserts value is Group {
  const [id, first, day, frames] = arrayOf(value, 4, 'what came of an instrument');
  checkId(id);
  if (!isCount(first) || first < 1) throw malformed('the number of a frame', 'a whole number of 1 or more');
  if (day !== null) checkDay(day);
  if (!Array.isArray(frames)) throw malformed(`frames of ${id}`, 'an array');
}

/** @throws DepthwireError `malformed_message` */
export function checkHead(value: unknown): asserts value is Head {
  const [id, ...counts] = arrayOf(value, 6, 'a head');
  checkId(id);
  if (!counts.every(isCount)) throw malformed(`head of ${id}`, 'five whole numbers');
}

/**
 * A frame of an instrument, with the parts that are kept as they are; its codes count for nothing else.
 * @throws DepthwireError `malformed_message`, or `invalid_event` of an instrument
 */
export function checkFrame(id: InstrumentId, value: unknown): BusFrame {
  if (!Array.isArray(value)) throw malformed(`frame of ${id}`, 'an array');
  const frame = value as unknown[];
  switch (frame[0]) {
    case busCodes.delta:
    case busCodes.snapshot: {
      const [, sequence, receiveTime, takenAt, venueTime, reference, , , state] = frame;
      const isRight =
        isCount(sequence) &&
        isTime(receiveTime) &&
        isTime(takenAt) &&
        (venueTime === null || isTime(venueTime)) &&
        Number.isSafeInteger(reference);
      if (!isRight) throw malformed(`book of ${id}`, 'a count, times and a price');
      if (state !== null) checkState(state);
      break;
    }
    case busCodes.state:
      checkState(frame.slice(1));
      break;
    case busCodes.trades:
      checkTrades(frame[1]);
      break;
    case busCodes.instrument: {
      const [, , isRescaled, sequence, tradeCount] = frame;
      if (typeof isRescaled !== 'boolean' || !isCount(sequence) || !isCount(tradeCount))
        throw malformed(`instrument ${id}`, 'whether it is counted anew, and two counts');
      frame[1] = instrumentOf(id, frame[1]);
      break;
    }
    case busCodes.candlesChanged:
      checkInterval(frame[1]);
      break;
    case busCodes.whole: {
      const [, number, begunAt, , sequence, checksum, receiveTime, venueTime, reference] = frame;
      const [, , , , , , , , , , , state, day, tradeCount, trades, hasAll, candleChanges] = frame;
      const areTimes = [receiveTime, venueTime].every((time) => time === null || isTime(time));
      const isRight =
        [number, begunAt, sequence, checksum, tradeCount, candleChanges].every(isCount) &&
        Number.isSafeInteger(reference) &&
        typeof hasAll === 'boolean' &&
        areTimes;
      if (!isRight) throw malformed(`all of ${id}`, 'counts, times, a price, and whether its trades are all');
      checkState(state);
      checkDay(day);
      checkTrades(trades);
      frame[3] = instrumentOf(id, frame[3]);
      break;
    }
    case busCodes.candles:
      checkInterval(frame[1]);
      if (!isCount(frame[2]) || !isCount(frame[3]))
        throw malformed(`candles of ${id}`, 'the counts of trades and changes that they are of');
      if (!Array.isArray(frame[4]) || frame[4].length > MAX_CANDLES)
        throw malformed(`candles of ${id}`, `an array of up to ${MAX_CANDLES}`);
      break;
    default:
      throw malformed(`frame of ${id}`, `a code from 0 to ${busCodes.candles}`);
  }
  return frame as unknown as BusFrame;
}

/** Candles as a leader has them: in order, and each possible. */
export function checkedCandles(interval: CandleInterval, candles: readonly Candle[]): Candle[] {
  const checked = checkCandles(candles, {
    instrument: '',
    interval,
    fromS: Number.MIN_SAFE_INTEGER,
    toS: Number.MAX_SAFE_INTEGER,
  });
  if (typeof checked === 'string') throw new DepthwireError('malformed_message', checked);
  return checked;
}

function instrumentOf(id: InstrumentId, value: unknown): Instrument {
  const instrument = readInstrument(value as Instrument);
  if (instrument.id !== id) throw malformed('instrument', `${id}, of which the frames are`);
  return instrument;
}

function checkId(id: unknown): asserts id is InstrumentId {
  if (!isInstrumentId(id)) throw malformed('instrument', 'VENUE:BASE-QUOTE');
}

function checkState(value: unknown): void {
  const [state, reason, sinceMs] = arrayOf(value, 3, 'a state');
  const isReason = reason === null || (typeof reason === 'string' && reason.length <= MAX_REASON_CHARS);
  if (!bookStates.some((known) => known === state) || !isReason || !isTime(sinceMs))
    throw malformed('state', `one of ${bookStates.join(', ')}, its reason and its time`);
}

function checkDay(value: unknown): void {
  const [last, open, high, low, volume, turnover, trades] = arrayOf(value, 7, 'figures of a day');
  const isRight =
    [last, open, high, low].every((price) => price === null || Number.isInteger(price)) &&
    Number.isFinite(volume) &&
    Number.isFinite(turnover) &&
    isCount(trades);
  if (!isRight) throw malformed('figures of a day', 'four prices or nulls, and three numbers');
}

/** Prices and sizes are looked at where they are decoded. */
function checkTrades(value: unknown): void {
  if (!Array.isArray(value)) throw malformed('trades', 'an array');
  for (const trade of value as (WireTrade | null)[]) {
    const id: unknown = trade?.[0];
    if (typeof id === 'string' && id.length > MAX_TRADE_ID_CHARS)
      throw malformed('id of a trade', `up to ${MAX_TRADE_ID_CHARS} characters`);
  }
}

function checkInterval(interval: unknown): void {
  if (!isCandleInterval(interval)) throw malformed('interval of candles', 'one that there is');
}

function arrayOf(value: unknown, length: number, what: string): unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw malformed(what, `an array of ${length}`);
  return value as unknown[];
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime = (value: unknown) => typeof value === 'number' && Math.abs(value) <= MAX_TIME_MS;

function malformed(what: string, expected: string): DepthwireError {
  return new DepthwireError('malformed_message', `${what}: expected ${expected}`);
}
