import {
  bookStates,
  candleIntervals,
  instrumentKinds,
  origins,
  tradingStatuses,
  type CandleInterval,
} from '@depthwire/shared';
import { z } from 'zod';
import { anOpenSet } from './json-schema.ts';

// What REST and the WebSocket protocol both speak of.

/**
 * Words that the server sends now, where a later one may send others: whoever reads them bears those that it does
 * not know. What a client sends is closed: `z.enum`.
 */
export const openSet = <const Word extends string>(words: readonly Word[]) =>
  z.enum(words as readonly [Word, ...Word[]]).meta(anOpenSet);

export const whole = (meaning: string) => z.int().describe(meaning);
export const count = (meaning: string) => z.int().min(0).describe(meaning);
export const epochMs = (meaning: string) => whole(`${meaning}, unix milliseconds`);

export const intervals = Object.keys(candleIntervals) as CandleInterval[];

const scale = (of: string) =>
  z
    .object({
      units: z.int().min(1),
      decimals: z.int().min(0).max(18),
    })
    .describe(`The ${of}: its count times \`units\` ÷ 10^\`decimals\` is the value`);

export const bookState = z
  .enum(bookStates)
  .describe(
    '`syncing`: no verified book yet; `live`: in sequence and fresh; `stale`: in sequence, but silent for longer ' +
      'than the instrument allows; `recovering`: known to be wrong or cut off, a resync is under way. There are no ' +
      'others in this version',
  );

export const instrumentId = z.string().describe('`VENUE:BASE-QUOTE`, perpetuals `VENUE:BASE-QUOTE-PERP`');

export const instrument = z
  .object({
    id: instrumentId,
    venue: z.string().describe('The part of the id before the colon'),
    symbol: z.string().describe('The venue’s own name'),
    base: z.string().describe('What is traded'),
    quote: z.string().describe('What it is paid in'),
    kind: openSet(instrumentKinds).describe('A kind that you do not know: show it as it is'),
    name: z.string().describe('For people'),
    tick: scale('tick, the unit of a price'),
    lot: scale('lot, the unit of a size'),
    status: openSet(tradingStatuses).describe(
      'What the venue lets be done with it now; take one that you do not know for not trading',
    ),
    origin: openSet(origins).describe(
      'Where the data comes from: show it wherever it is not `live`; `bridged`: through a library',
    ),
    staleAfterMs: count('Silence of the book after which it is stale, milliseconds'),
  })
  .meta({
    id: 'Instrument',
    examples: [
      {
        id: 'sim:BTC-USD',
        venue: 'sim',
        symbol: 'BTC-USD',
        base: 'BTC',
        quote: 'USD',
        kind: 'spot',
        name: 'Bitcoin / US dollar',
        tick: { units: 1, decimals: 2 },
        lot: { units: 1, decimals: 4 },
        status: 'trading',
        origin: 'simulated',
        staleAfterMs: 5000,
      },
    ],
  });
