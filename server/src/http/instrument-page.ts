import { DepthwireError, type Instrument } from '@depthwire/shared';
import { z } from 'zod';
import { readCursor, writeCursor } from './paging.ts';

const filters = ['venue', 'base', 'quote', 'kind', 'status'] as const;

export interface InstrumentQuery extends Partial<Pick<Instrument, (typeof filters)[number]>> {
  readonly limit: number;
  readonly cursor?: string;
}

/** The last instrument of the page before. */
const cursorShape = z.tuple([z.string()]);

/**
 * A page of those that fit. New ones come at the end of the list, so that the others stay where they are.
 * @throws DepthwireError `invalid_request`, or `cursor_expired` where that instrument is gone
 */
export function instrumentPage(
  all: readonly Instrument[],
  { limit, cursor, ...query }: InstrumentQuery,
): { instruments: Instrument[]; cursor: string | null } {
  let start = 0;
  if (cursor !== undefined) {
    const [last] = readCursor(cursor, cursorShape);
    start = all.findIndex(({ id }) => id === last) + 1;
    if (start === 0)
      throw new DepthwireError('cursor_expired', `cursor: there is no ${last} any more`, { field: 'cursor' });
  }
  const fits = (instrument: Instrument) =>
    filters.every((key) => query[key] === undefined || query[key] === instrument[key]);
  const rest = all.slice(start).filter(fits);
  const instruments = rest.slice(0, limit);
  const hasMore = rest.length > limit;
  return { instruments, cursor: hasMore ? writeCursor([instruments.at(-1)!.id]) : null };
}
