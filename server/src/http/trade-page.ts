import { DepthwireError, type Trade } from '@depthwire/shared';
import { z } from 'zod';
import type { MarketView } from '../engine/market.ts';
import type { StoredTape } from '../history/past.ts';
import type { StoredTrade, TradesQuery } from '../history/stores/store.ts';
import { readCursor, writeCursor } from './paging.ts';

/** Trades that a client missed and that are looked for in the store one by one; for more it begins anew. */
const MAX_MISSED = 5_000;

export interface TradeQuery {
  readonly limit: number;
  /** Both exclusive, unix milliseconds. */
  readonly before?: number;
  readonly after?: number;
  readonly cursor?: string;
}

export interface TradePage {
  /** In the order in which they arrived. */
  readonly trades: Trade[];
  /** Cursor of the next page in the same direction; null where there is none now. */
  readonly next: string | null;
  /** Cursor of whatever comes after these. */
  readonly newer: string;
  /** Trades between the page before and this one that are not kept any more. */
  readonly missed: number;
}

/** Which count of trades it is that a position belongs to. */
export interface Tape {
  readonly epoch: number;
  readonly run: number;
}

/** Trades are numbered from 0 as they arrive: before or from which number on, of which tape. */
const tapeCursor = z.tuple([z.int(), z.int(), z.enum(['before', 'from']), z.int().min(0)]);
/** In the store they have numbers of their own, which outlive a restart: of which series, by its scales. */
const storedCursor = z.tuple([z.literal('stored'), z.string(), z.enum(['before', 'from']), z.int().min(0)]);
const cursorShape = z.union([tapeCursor, storedCursor]);

type Direction = 'before' | 'from';

/** Where a page begins: at a place of the tape, or of the store. */
interface Place {
  readonly direction: Direction;
  readonly isStored: boolean;
  /** Undefined for the end of the store that the direction begins at. */
  readonly number?: number;
}

/**
 * A page of the trades that are kept: those of the tape, and before them those that are stored. Their times may be equal and
 * out of order, their ids are the venue's: pages go by arrival.
 * @param stored null where nothing is stored, or not now
 * @throws DepthwireError `invalid_request`, `cursor_expired` where the count began anew, or `history_unavailable`
 */
export async function tradePage(
  { tape: latest, tradeCount }: Pick<MarketView, 'tape' | 'tradeCount'>,
  { epoch, run }: Tape,
  query: TradeQuery,
  stored: StoredTape | null = null,
): Promise<TradePage> {
  const { limit, before: beforeMs = Infinity, after: afterMs = -Infinity } = query;
  const tape = stored === null ? latest : [...latest]; // as it is now, whatever is waited for
  const first = tradeCount - tape.length;
  const fits = ({ timeMs }: Trade) => timeMs > afterMs && timeMs < beforeMs;
  const atTape = (direction: Direction, number: number) => writeCursor([epoch, run, direction, number]);
  const atStored = (direction: Direction, number: number) =>
    writeCursor(['stored', stored!.scales, direction, number]);

  let place: Place = { direction: afterMs === -Infinity ? 'before' : 'from', isStored: false };
  if (query.cursor !== undefined) place = placeOf(query.cursor, { epoch, run }, tradeCount, stored);
  else if (place.direction === 'from' && stored !== null) place = { direction: 'from', isStored: true };
  else place = { ...place, number: place.direction === 'before' ? tradeCount : first };
  // The tape alone answers most who ask: those are to wait for no database.
  let count = 0;
  if (!place.isStored && place.direction === 'before')
    for (let n = Math.max(place.number!, first) - 1; n >= first && count <= limit; n--)
      if (fits(tape[n - first]!)) count += 1;
  const isOnTape = !place.isStored && (place.direction === 'before' ? count > limit : place.number! >= first);
  // Stored trades from this number on are on the tape too. Where its oldest is not stored, being too old or too new, others of it may be.
  const edge = stored === null || isOnTape ? undefined : await stored.numberOf(tape[0]);
  const onTape = new Set(edge === undefined && !isOnTape ? tape.map(({ id }) => id) : []);
  const older = async (of: TradesQuery): Promise<StoredTrade[]> => {
    const found = await stored!.trades({ ...of, limit: of.limit + onTape.size });
    const others = found.filter(({ id }) => !onTape.has(id));
    return of.direction === 'before' ? others.slice(-of.limit) : others.slice(0, of.limit);
  };

  let missed = 0;
  if (!place.isStored && place.direction === 'from' && place.number! < first) {
    missed = first - place.number!;
    const found =
      stored !== null && missed <= MAX_MISSED
        ? await older({ direction: 'before', limit: missed, number: edge })
        : [];
    missed -= found.length;
    if (found.length > 0) place = { direction: 'from', isStored: true, number: found[0]!.number };
  }

  const bounds = {
    ...(afterMs === -Infinity ? {} : { afterMs }),
    ...(beforeMs === Infinity ? {} : { beforeMs }),
  };
  // One more than is asked for tells whether there is a next page.
  const most = limit + 1;
  if (place.direction === 'before') {
    const ofTape: number[] = [];
    if (!place.isStored)
      for (let n = Math.max(place.number!, first) - 1; n >= first && ofTape.length < most; n--)
        if (fits(tape[n - first]!)) ofTape.unshift(n);
    const ofStore =
      stored === null || ofTape.length >= most
        ? []
        : await older({
            direction: 'before',
            limit: most - ofTape.length,
            ...{ ...bounds, number: place.isStored ? place.number : edge },
          });
    const hasMore = ofTape.length + ofStore.length > limit;
    if (hasMore) (ofStore.length > 0 ? ofStore : ofTape).shift();
    const next =
      ofStore.length > 0
        ? atStored('before', ofStore[0]!.number)
        : ofTape.length > 0
          ? atTape('before', ofTape[0]!)
          : null;
    const newer = place.isStored
      ? atStored('from', ofStore.length > 0 ? ofStore.at(-1)!.number + 1 : place.number!)
      : ofTape.length === 0 && ofStore.length > 0
        ? atStored('from', ofStore.at(-1)!.number + 1)
        : atTape('from', ofTape.length > 0 ? ofTape.at(-1)! + 1 : Math.max(place.number!, first));
    return {
      trades: [...ofStore, ...ofTape.map((n) => tape[n - first]!)],
      next: hasMore ? next : null,
      newer,
      missed: 0,
    };
  }

  const ofStore = place.isStored
    ? (await older({ direction: 'from', limit: most, ...bounds, number: place.number })).filter(
        ({ number }) => edge === undefined || number < edge,
      )
    : [];
  const ofTape: number[] = [];
  const from = place.isStored ? first : Math.max(place.number!, first);
  for (let n = from; n < tradeCount && ofStore.length + ofTape.length < most; n++)
    if (fits(tape[n - first]!)) ofTape.push(n);
  const hasMore = ofStore.length + ofTape.length > limit;
  if (hasMore) (ofTape.length > 0 ? ofTape : ofStore).pop();
  const endsInStore = hasMore && ofTape.length === 0 && ofStore.length > 0;
  const end = endsInStore
    ? atStored('from', ofStore.at(-1)!.number + 1)
    : atTape('from', hasMore ? (ofTape.length > 0 ? ofTape.at(-1)! + 1 : from) : tradeCount);
  return {
    trades: [...ofStore, ...ofTape.map((n) => tape[n - first]!)],
    next: hasMore ? end : null,
    newer: end,
    missed,
  };
}

function placeOf(cursor: string, { epoch, run }: Tape, tradeCount: number, stored: StoredTape | null): Place {
  const expired = (why: string) =>
    new DepthwireError('cursor_expired', `cursor: ${why}`, { field: 'cursor' });
  const read = readCursor(cursor, cursorShape);
  if (read[0] === 'stored') {
    const [, scales, direction, number] = read;
    if (stored === null)
      throw new DepthwireError('history_unavailable', 'cursor: stored trades cannot be read now');
    if (scales !== stored.scales) throw expired('it is of trades that were counted in other ticks or lots');
    return { direction, isStored: true, number };
  }
  const [ofEpoch, ofRun, direction, number] = read;
  if (ofEpoch !== epoch || ofRun !== run || number > tradeCount)
    throw expired('it is of trades that were counted before a restart');
  return { direction, isStored: false, number };
}
