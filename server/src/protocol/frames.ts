import { frameCodes } from '@depthwire/shared';
import { z } from 'zod';

// Data frames: arrays, whose elements are told by their place. Titles are the names of docs/protocol.md.

/** A whole number beyond 2^53 too, of those that a float 64 holds exactly. */
const integer = z.number().refine(Number.isInteger).meta({ type: 'integer' });
/** The same without a sign: a size may go up to 2^63. */
const lots = z.number().min(0).refine(Number.isInteger).meta({ type: 'integer' });
const ticks = z.int();

const named = <Schema extends z.ZodType>(title: string, schema: Schema, description: string): Schema =>
  schema.meta({ title, description });

export const levels = z.array(integer).meta({
  title: 'levels',
  description: [
    'Levels as a flat array of integers, best price first. Each level is a step, and then its lots: an even step is 2 × ' +
      'distance, and the lots are the next number; an odd step is 2 × distance + 1 and removes the level, and no lots ' +
      'follow.',
    'The first distance counts from the channel’s `reference`, each later one from the level before it. Bids count down, ' +
      'ticks = previous − distance; asks count up, ticks = previous + distance. `previous` starts as `reference` in each ' +
      'array of each frame; the reference comes with a snapshot and holds until the next one.',
    'The first element is the first step as it is: negative where the level is better than the reference, its distance ' +
      'being the step divided by two, rounded down. All numbers behind it are zero or more. One up to 127 is one element. ' +
      'A larger one has leading digits of base 32, each from 1 to 32 and sent as its negative, and ends with its remainder ' +
      'by 128: number = 0; for each negative element number = 32 × number − element; with the first other element number = ' +
      '128 × number + element. Accept one element of any size, without leading digits, for any number.',
    'From reference 6704215 the bids [0, -1, -3, 20, 2, -2, -29, 96, 8, -19, 68] are 4500 lots at 6704215, 12000 at 6704214 ' +
      'and 2500 at 6704210.',
  ].join('\n\n'),
});

export const checksum = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
  .meta({
    title: 'checksum',
    description:
      'CRC-32 (as in zlib) of the book after this frame: one byte with the number of bids covered, at most 25, one with ' +
      'that of asks, then for each covered bid, best first, and each covered ask, best first, ticks and lots, each as a ' +
      'signed 64-bit integer, big-endian.',
  });

export const trade = z
  .tuple([
    named('id', z.union([z.string(), z.int()]), 'The venue’s own'),
    named('price', ticks, 'Ticks'),
    named('size', lots, 'Lots'),
    named('side', z.literal([0, 1]), '0 where the buyer was the aggressor, 1 where the seller was'),
    named('timeMs', z.int(), 'Venue time, or receive time where it gives none; unix milliseconds'),
  ])
  .meta({ title: 'trade', description: 'One trade' });

export const candle = z
  .tuple([
    named('time', z.int(), 'Open time, unix seconds, a whole multiple of the interval'),
    named('open', ticks, 'Ticks'),
    named('high', ticks, 'Ticks'),
    named('low', ticks, 'Ticks'),
    named('close', ticks, 'Ticks'),
    named('volume', lots, 'Lots'),
    named('trades', z.int().min(0), 'Number of trades'),
  ])
  .meta({ title: 'candle', description: 'One candle; an interval without a trade has none' });

const code = <const Code extends number>(value: Code) =>
  named('code', z.literal(value), 'What frame this is');
const ch = named('ch', z.int().min(0), 'The channel');
const seq = (meaning: string) => named('seq', z.int().min(0), meaning);
const nextSeq = seq('One more than the channel’s previous frame');
const itsSeq = seq(
  'The number of the channel’s newest frame, 0 where there was none; what follows has one more',
);
const upTo = seq('The frame up to which it brings the client');
const from = named(
  'from',
  z.int().min(0),
  'The frame that the client has; another means that one is missing',
);
const state = named(
  'state',
  z.literal([0, 1, 2, 3]),
  'Of the book: 0 syncing, 1 live, 2 stale, 3 recovering',
);
const timeMs = named('timeMs', z.int(), 'Market clock at sending, unix milliseconds');
const elapsedMs = (since: string) => named('elapsedMs', z.int(), `Market clock since ${since}, milliseconds`);
const ageMs = (of: string) => named('ageMs', z.int(), `${of}, milliseconds`);
const lagMs = named(
  'lagMs',
  z.int().nullable(),
  'Receive time less venue time of the newest update, milliseconds; null where the venue gives none',
);
const whyNot = named('reason', z.string().nullable(), 'For people; null when live');
const whyNotLeftOut = named(
  'reason',
  z.string().optional(),
  'Why the book is not live; left out where it is, or where nothing is known',
);
const bids = named('bids', levels, 'Levels, best first');
const asks = named('asks', levels, 'Levels, best first');
const trades = (meaning: string) => named('trades', z.array(trade), meaning);
const candles = (meaning: string) => named('candles', z.array(candle), meaning);
const sequenceOfTrades = named(
  'sequence',
  z.int().min(0),
  'Trades of the epoch that it has, all that came before among them: for `resume`',
);
const orNull = (title: string, meaning: string) => named(title, ticks.nullable(), meaning);

const bookSnapshot = z
  .tuple([
    code(frameCodes.bookSnapshot),
    ch,
    itsSeq,
    state,
    named(
      'sequence',
      z.int().min(0),
      'The engine’s count of updates of this book, of which this is the state',
    ),
    named('timeMs', z.int(), 'Market clock at the channel’s newest book frame, unix milliseconds'),
    lagMs,
    named('reference', ticks, 'Ticks from which the levels of this and all following deltas are measured'),
    bids,
    asks,
    checksum,
    whyNotLeftOut,
  ])
  .meta({ title: 'bookSnapshot', description: 'Topic `book`: replaces the book' });

const bookDelta = z
  .tuple([
    code(frameCodes.bookDelta),
    ch,
    nextSeq,
    named('merged', z.int().min(1), 'Engine updates merged into this frame: add to `sequence`'),
    elapsedMs('the channel’s previous book frame: add it to `timeMs`'),
    ageMs('How long the oldest merged update waited in the server'),
    lagMs,
    named('bids', levels, 'Levels: the new size at that price, or the level is removed'),
    named('asks', levels, 'The same; look at the book only after both'),
    checksum.optional(),
  ])
  .meta({
    title: 'bookDelta',
    description: 'Topic `book`: changes levels. A client never cuts its book to a depth',
  });

const bookState = z
  .tuple([
    code(frameCodes.bookState),
    ch,
    nextSeq,
    state,
    elapsedMs('the channel’s previous book frame'),
    whyNot,
  ])
  .meta({ title: 'bookState', description: 'Topic `book`: changes the state, not the levels' });

const tradesSnapshot = z
  .tuple([
    code(frameCodes.tradesSnapshot),
    ch,
    itsSeq,
    timeMs,
    trades('The latest trades, oldest first, at most 200'),
    sequenceOfTrades,
  ])
  .meta({ title: 'tradesSnapshot', description: 'Topic `trades`: replaces the tape' });

const tradesFrame = z
  .tuple([
    code(frameCodes.trades),
    ch,
    nextSeq,
    timeMs,
    trades('Those since the previous frame, in order of arrival'),
  ])
  .meta({ title: 'trades', description: 'Topic `trades`: appends trades' });

const ticker = z
  .tuple([
    code(frameCodes.ticker),
    ch,
    itsSeq,
    timeMs,
    named('state', state, 'Of the book that bid and ask come from: 0 syncing, 1 live, 2 stale, 3 recovering'),
    orNull('last', 'Ticks of the last trade'),
    orNull('open', 'Ticks of the first trade of the last 24 hours'),
    orNull('high', 'Ticks'),
    orNull('low', 'Ticks'),
    named('volume', lots, 'Lots traded in the last 24 hours'),
    named('turnover', z.number(), 'Traded value in the quote currency: a statistic, not exact'),
    named('trades', z.int().min(0), 'Trades in the last 24 hours'),
    orNull('bid', 'Best bid, ticks'),
    named('bidSize', lots, 'Lots there, 0 without a bid'),
    orNull('ask', 'Best ask, ticks'),
    named('askSize', lots, 'Lots there, 0 without an ask'),
  ])
  .meta({ title: 'ticker', description: 'Topic `ticker`: replaces the ticker' });

const candlesSnapshot = z
  .tuple([
    code(frameCodes.candlesSnapshot),
    ch,
    itsSeq,
    timeMs,
    candles('The latest, oldest first, at most 500; the last is still open'),
    sequenceOfTrades,
  ])
  .meta({ title: 'candlesSnapshot', description: 'Topic `candles`: replaces the candles' });

const candleFrame = z
  .tuple([
    code(frameCodes.candle),
    ch,
    nextSeq,
    timeMs,
    candles('All from the oldest that changed to the newest, oldest first'),
    sequenceOfTrades,
  ])
  .meta({
    title: 'candle',
    description:
      'Topic `candles`: each candle replaces the one of the same open time, or is put where its time belongs',
  });

const status = z
  .tuple([
    code(frameCodes.status),
    ch,
    itsSeq,
    timeMs,
    state,
    named('sinceMs', z.int(), 'When the state began, unix milliseconds'),
    whyNot,
  ])
  .meta({ title: 'status', description: 'Topic `status`: replaces the status' });

const bookMerged = z
  .tuple([
    code(frameCodes.bookMerged),
    ch,
    upTo,
    from,
    state,
    named(
      'merged',
      z.int().min(0),
      'Engine updates since `from`: add to `sequence`; 0 where only the state moved',
    ),
    elapsedMs('frame `from`: add it to `timeMs`'),
    ageMs('How long the oldest merged update waited in the server'),
    lagMs,
    named('bids', levels, 'Levels: all prices that changed since, at their newest size'),
    named('asks', levels, 'The same'),
    checksum,
    whyNotLeftOut,
  ])
  .meta({ title: 'bookMerged', description: 'Topic `book`: in place of all frames after `from`' });

const tradesMerged = z
  .tuple([
    code(frameCodes.tradesMerged),
    ch,
    upTo,
    from,
    timeMs,
    ageMs('Since the first of the frames that it stands for was made'),
    named('count', z.int().min(0), 'Trades since `from`'),
    named('bought', lots, 'Lots of those whose aggressor was the buyer'),
    named('sold', lots, 'Lots of those whose aggressor was the seller'),
    named('low', ticks, 'Ticks of the cheapest; 0 where there are none'),
    named('high', ticks, 'Ticks of the dearest; 0 where there are none'),
    trades('The latest of them, oldest first, at most 50; from one gateway to another 500'),
  ])
  .meta({ title: 'tradesMerged', description: 'Topic `trades`: in place of all frames after `from`' });

const candlesMerged = z
  .tuple([
    code(frameCodes.candlesMerged),
    ch,
    upTo,
    from,
    timeMs,
    ageMs('Since the first of the frames that it stands for was made'),
    candles('All that changed since `from`, oldest first'),
    sequenceOfTrades,
  ])
  .meta({ title: 'candlesMerged', description: 'Topic `candles`: in place of all frames after `from`' });

const bookResumed = z
  .tuple([
    code(frameCodes.bookResumed),
    ch,
    itsSeq,
    state,
    named('from', z.int().min(0), 'The engine’s count of updates of the book that the client has to hold'),
    named('sequence', z.int().min(0), 'The engine’s count of updates of the book after this frame'),
    named('timeMs', z.int(), 'Market clock at the channel’s newest book frame, unix milliseconds'),
    ageMs('How long the oldest update after `from` waited in the server'),
    lagMs,
    named('reference', ticks, 'Ticks from which the levels of this and all following deltas are measured'),
    named('bids', levels, 'Levels, as in a delta: what differs, at its newest size'),
    named('asks', levels, 'The same'),
    checksum,
    whyNotLeftOut,
  ])
  .meta({
    title: 'bookResumed',
    description: 'Topic `book`: begins the channel for a client that held the book in one of another gateway',
  });

export const frames = {
  bookSnapshot,
  bookDelta,
  bookState,
  tradesSnapshot,
  trades: tradesFrame,
  ticker,
  candlesSnapshot,
  candle: candleFrame,
  status,
  bookMerged,
  tradesMerged,
  candlesMerged,
  bookResumed,
} as const satisfies Record<keyof typeof frameCodes, z.ZodType>;
