import {
  bookStates,
  DepthwireError,
  instrumentKinds,
  isInstrumentId,
  origins,
  tradingStatuses,
  type FeedEvent,
  type FlatLevels,
  type Instrument,
  type Scale,
} from '@depthwire/shared';

/** Numbers of one side of an event: 1,000,000 levels. */
const MAX_LEVEL_NUMBERS = 2_000_000;
const MAX_NAME_CHARS = 128;
const MAX_REASON_CHARS = 500;
/** The last moment that a `Date` can hold. */
const MAX_TIME_MS = 8.64e15;
const MAX_STALE_AFTER_MS = 7 * 86_400_000;
const MAX_DECIMALS = 18;

/**
 * Holds what a feed emits against the contract, all but the numbers within levels, which the book
 * checks itself: a feed may be anybody's code.
 * @throws DepthwireError `invalid_event`, naming the key
 */
export function checkEvent(event: FeedEvent): void {
  if (typeof event !== 'object' || event === null) throw invalid('event', 'an object', event);
  switch (event.type) {
    case 'instrument':
      return; // `checkedInstrument` takes it apart
    case 'book-snapshot':
    case 'book-delta':
      checkTimes(event);
      checkLevels('bids', event.bids);
      checkLevels('asks', event.asks);
      return;
    case 'trade': {
      checkTimes(event);
      const { id, price, size, side } = event;
      const isId = typeof id === 'string' ? id.length <= 64 : Number.isSafeInteger(id);
      if (!isId) throw invalid('trade: id', 'a whole number or a text of up to 64 characters', id);
      if (!Number.isSafeInteger(price)) throw invalid('trade: price', 'whole ticks', price);
      if (!Number.isSafeInteger(size) || size <= 0)
        throw invalid('trade: size', 'whole lots above zero', size);
      if (side !== 'buy' && side !== 'sell') throw invalid('trade: side', 'buy or sell', side);
      return;
    }
    case 'ticker':
      checkTimes(event);
      for (const key of ['last', 'open', 'high', 'low', 'volume', 'turnover'] as const) {
        if (event[key] !== null && !Number.isFinite(event[key]))
          throw invalid(`ticker: ${key}`, 'a number or null', event[key]);
      }
      return;
    case 'book-status': {
      const { state, reason } = event;
      if (!bookStates.includes(state)) throw invalid('book-status: state', bookStates.join(', '), state);
      if (reason !== null && (typeof reason !== 'string' || reason.length > MAX_REASON_CHARS))
        throw invalid(
          'book-status: reason',
          `null or a text of up to ${MAX_REASON_CHARS} characters`,
          reason,
        );
      return;
    }
    default:
      throw invalid('type', 'a type of event', (event as { type: unknown }).type);
  }
}

/**
 * The instrument with the keys that it has to have and no others, for it goes to every client.
 * @throws DepthwireError `invalid_event`, naming the key
 */
export function checkedInstrument(value: Instrument): Instrument {
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
    tick: checkedScale(`instrument ${id}: tick`, tick),
    lot: checkedScale(`instrument ${id}: lot`, lot),
  };
  return picked;
}

function checkedScale(key: string, scale: Scale): Scale {
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

function checkTimes(event: { receiveTimeMs: number; venueTimeMs: number | null }): void {
  if (!isTime(event.receiveTimeMs)) throw invalid('receiveTimeMs', 'unix milliseconds', event.receiveTimeMs);
  if (event.venueTimeMs !== null && !isTime(event.venueTimeMs))
    throw invalid('venueTimeMs', 'unix milliseconds or null', event.venueTimeMs);
}

const isTime = (value: unknown) => typeof value === 'number' && Math.abs(value) <= MAX_TIME_MS;

function checkLevels(key: string, levels: FlatLevels): void {
  if (!Array.isArray(levels) && !ArrayBuffer.isView(levels))
    throw invalid(key, 'an array of ticks and lots', levels);
  if (levels.length > MAX_LEVEL_NUMBERS)
    throw invalid(key, `at most ${MAX_LEVEL_NUMBERS} numbers`, `${levels.length}`);
}

function invalid(key: string, expected: string, got: unknown): DepthwireError {
  return new DepthwireError('invalid_event', `${key}: expected ${expected}, got ${show(got)}`, { key });
}

/** In short, and without calling anything that the value brings along. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
