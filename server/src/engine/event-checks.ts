import {
  bookStates,
  DepthwireError,
  instrumentKinds,
  isInstrumentId,
  MAX_TICKS,
  origins,
  tradingStatuses,
  type BookDeltaEvent,
  type BookStatusEvent,
  type FeedEvent,
  type Instrument,
  type InstrumentEvent,
  type InstrumentId,
  type Scale,
  type TickerEvent,
  type TradeEvent,
} from '@depthwire/shared';

/** Numbers of one side of an event: 1,000,000 levels. */
const MAX_LEVEL_NUMBERS = 2_000_000;
const MAX_NAME_CHARS = 128;
const MAX_REASON_CHARS = 500;
/** In the year 128,000; the difference of any two such times is an exact integer. */
const MAX_TIME_MS = 4e15;
const MAX_STALE_AFTER_MS = 7 * 86_400_000;
const MAX_DECIMALS = 18;

/** What became of an event that is against the contract. */
export interface RefusedEvent {
  readonly type: 'refused';
  /** Whose update it would have been: that book misses it. */
  readonly book: InstrumentId | null;
  /** `invalid_event`, naming the key. */
  readonly error: DepthwireError;
}

/** Errors that this module made, and not whoever made the event. */
const ours = new WeakSet<object>();

/**
 * Holds what a feed emits against the contract. A feed may be anybody's code, so each part of the event
 * is read exactly once, into an object of our own: a getter cannot answer otherwise at the next read, and
 * what the feed does with its object later changes nothing here.
 */
export function readEvent(event: unknown): FeedEvent | RefusedEvent {
  let book: InstrumentId | null = null;
  try {
    if (typeof event !== 'object' || event === null) throw invalid('event', 'an object', event);
    const { type } = event as { type: unknown };
    switch (type) {
      case 'book-snapshot':
      case 'book-delta': {
        const { instrument } = event as BookDeltaEvent;
        checkId(instrument);
        book = instrument;
        const { venueTimeMs, receiveTimeMs, bids, asks } = event as BookDeltaEvent;
        checkTimes(venueTimeMs, receiveTimeMs);
        return {
          type,
          instrument,
          venueTimeMs,
          receiveTimeMs,
          bids: readLevels('bids', bids),
          asks: readLevels('asks', asks),
        };
      }
      case 'trade':
        return readTrade(event as TradeEvent);
      case 'ticker':
        return readTicker(event as TickerEvent);
      case 'book-status':
        return readStatus(event as BookStatusEvent);
      case 'instrument':
        return { type, instrument: readInstrument((event as InstrumentEvent).instrument) };
      default:
        throw invalid('type', 'a type of event', type);
    }
  } catch (error) {
    const isOurs = typeof error === 'object' && error !== null && ours.has(error);
    return {
      type: 'refused',
      book,
      error: isOurs
        ? (error as DepthwireError)
        : new DepthwireError('invalid_event', 'the event throws an error when it is read'),
    };
  }
}

function readTrade(event: TradeEvent): TradeEvent {
  const { instrument, venueTimeMs, receiveTimeMs, id, price, size, side } = event;
  checkId(instrument);
  checkTimes(venueTimeMs, receiveTimeMs);
  // A database cannot have that character in a text.
  const isId = typeof id === 'string' ? id.length <= 64 && !id.includes('\0') : Number.isSafeInteger(id);
  if (!isId) throw invalid('trade: id', 'a whole number or a text of up to 64 characters without NUL', id);
  if (!isTicks(price)) throw invalid('trade: price', 'whole ticks, up to 2^50', price);
  if (!Number.isSafeInteger(size) || size <= 0) throw invalid('trade: size', 'whole lots above zero', size);
  if (side !== 'buy' && side !== 'sell') throw invalid('trade: side', 'buy or sell', side);
  return { type: 'trade', instrument, venueTimeMs, receiveTimeMs, id, price, size, side };
}

function readTicker(event: TickerEvent): TickerEvent {
  const { instrument, venueTimeMs, receiveTimeMs, last, open, high, low, volume, turnover } = event;
  checkId(instrument);
  checkTimes(venueTimeMs, receiveTimeMs);
  for (const [key, value] of Object.entries({ last, open, high, low, volume })) {
    if (value !== null && !Number.isInteger(value))
      throw invalid(`ticker: ${key}`, 'a whole number or null', value);
  }
  if (turnover !== null && !Number.isFinite(turnover))
    throw invalid('ticker: turnover', 'a number or null', turnover);
  const figures = { last, open, high, low, volume, turnover };
  return { type: 'ticker', instrument, venueTimeMs, receiveTimeMs, ...figures };
}

function readStatus(event: BookStatusEvent): BookStatusEvent {
  const { instrument, timeMs, state, reason } = event;
  checkId(instrument);
  if (!bookStates.includes(state)) throw invalid('book-status: state', bookStates.join(', '), state);
  if (reason !== null && (typeof reason !== 'string' || reason.length > MAX_REASON_CHARS))
    throw invalid('book-status: reason', `null or a text of up to ${MAX_REASON_CHARS} characters`, reason);
  return { type: 'book-status', instrument, timeMs, state, reason };
}

/**
 * With the keys that it has to have and no others, for it goes to every client.
 * @throws DepthwireError `invalid_event`
 */
export function readInstrument(value: Instrument): Instrument {
  if (typeof value !== 'object' || value === null) throw invalid('instrument', 'an object', value);
  const { id, venue, symbol, base, quote, kind, name, tick, lot, status, origin, staleAfterMs } = value;
  if (!isInstrumentId(id)) throw invalid('instrument: id', 'VENUE:BASE-QUOTE', id);
  for (const [key, text] of Object.entries({ venue, symbol, base, quote, name })) {
    if (typeof text !== 'string' || text.length > MAX_NAME_CHARS)
      throw invalid(`instrument ${id}: ${key}`, `a text of up to ${MAX_NAME_CHARS} characters`, text);
  }
  const wrong = (key: string, values: readonly string[], got: unknown) =>
    invalid(`instrument ${id}: ${key}`, values.join(', '), got);
  if (!instrumentKinds.includes(kind)) throw wrong('kind', instrumentKinds, kind);
  if (!tradingStatuses.includes(status)) throw wrong('status', tradingStatuses, status);
  if (!origins.includes(origin)) throw wrong('origin', origins, origin);
  if (!(typeof staleAfterMs === 'number' && staleAfterMs > 0 && staleAfterMs <= MAX_STALE_AFTER_MS))
    throw invalid(`instrument ${id}: staleAfterMs`, 'milliseconds above zero, up to a week', staleAfterMs);
  const picked: Required<Instrument> = {
    ...{ id, venue, symbol, base, quote, kind, name, status, origin, staleAfterMs },
    tick: readScale(`instrument ${id}: tick`, tick),
    lot: readScale(`instrument ${id}: lot`, lot),
  };
  return picked;
}

function readScale(key: string, scale: Scale): Scale {
  const { units, decimals } = scale ?? {};
  const isScale =
    Number.isSafeInteger(units) &&
    units > 0 &&
    Number.isInteger(decimals) &&
    decimals >= 0 &&
    decimals <= MAX_DECIMALS;
  if (!isScale) throw invalid(key, "a scale, such as scaleOf('0.01')", scale);
  return { units, decimals };
}

function checkId(instrument: unknown): void {
  if (typeof instrument !== 'string') throw invalid('instrument', 'the id of an instrument', instrument);
}

function checkTimes(venueTimeMs: unknown, receiveTimeMs: unknown): void {
  if (!isTime(receiveTimeMs)) throw invalid('receiveTimeMs', 'unix milliseconds', receiveTimeMs);
  if (venueTimeMs !== null && !isTime(venueTimeMs))
    throw invalid('venueTimeMs', 'unix milliseconds or null', venueTimeMs);
}

const isTime = (value: unknown) => typeof value === 'number' && Math.abs(value) <= MAX_TIME_MS;
const isTicks = (value: unknown) =>
  Number.isInteger(value) && (value as number) <= MAX_TICKS && (value as number) >= -MAX_TICKS;

/** Plain numbers, whose prices are within bounds; whether they are whole, the book looks before it takes them. */
function readLevels(key: string, levels: unknown): number[] {
  if (!Array.isArray(levels) && !ArrayBuffer.isView(levels))
    throw invalid(key, 'an array of ticks and lots', levels);
  const source = levels as unknown as ArrayLike<number>;
  const { length } = source;
  if (!Number.isInteger(length) || length > MAX_LEVEL_NUMBERS)
    throw invalid(key, `at most ${MAX_LEVEL_NUMBERS} numbers`, length);
  if (length % 2 !== 0) throw invalid(key, 'pairs of ticks and lots', `${length} numbers`);
  if (length === 0) return [];
  const copy = [checkedTicks(key, 0, source[0]!), checkedLots(key, 0, source[1]!)];
  for (let i = 2; i < length; i += 2)
    copy.push(checkedTicks(key, i, source[i]!), checkedLots(key, i, source[i + 1]!));
  return copy;
}

function checkedTicks(key: string, i: number, ticks: number): number {
  if (typeof ticks !== 'number' || ticks > MAX_TICKS || ticks < -MAX_TICKS)
    throw invalid(`${key}: level ${i / 2}`, 'whole ticks, up to 2^50', ticks);
  return ticks;
}

function checkedLots(key: string, i: number, lots: number): number {
  if (typeof lots !== 'number') throw invalid(`${key}: level ${i / 2}`, 'whole lots of zero or more', lots);
  return lots;
}

function invalid(key: string, expected: string, got: unknown): DepthwireError {
  const error = new DepthwireError('invalid_event', `${key}: expected ${expected}, got ${show(got)}`, {
    key,
  });
  ours.add(error);
  return error;
}

/** In short, and without calling anything that the value brings along. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
