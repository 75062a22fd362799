import { DepthwireError } from '@depthwire/shared';
import { depthPeriodOf, type DepthColumn } from '@depthwire/shared/depth';
import { z } from 'zod';
import type { DepthRecording } from '../history/depth-history.ts';
import { DepthSeries, type DepthRange, type DepthSelection } from '../history/depth-series.ts';
import type { Span } from '../history/stores/store.ts';
import { readCursor, writeCursor } from './paging.ts';

export interface DepthQuery {
  readonly limit: number;
  /** Unix milliseconds: columns of periods that began at `from` or later, and before `before`. */
  readonly from?: number;
  readonly before?: number;
  readonly step?: number;
  readonly cursor?: string;
}

export interface DepthPage {
  readonly selection: DepthSelection;
  /** Cursor of the next page in the same direction; null where there is none now. */
  readonly next: string | null;
  /** Cursor of whatever comes after these. */
  readonly newer: string;
}

/** Columns that are not in memory any more, oldest first: the first of a span, or with `isNewest` the last. */
export type OlderColumns = (span: Span, limit: number, isNewest: boolean) => Promise<readonly DepthColumn[]>;

/** Before or from which time on, of which recording. */
const cursorShape = z.tuple([z.int(), z.int(), z.enum(['before', 'from']), z.int().min(0)]);

/**
 * A page of the columns that are kept. Each period has one column at the most, and no column comes but at the end:
 * pages go by time.
 * @throws DepthwireError `invalid_request`, or `cursor_expired` where the recording began anew
 */
export async function depthPage(
  { run, series }: DepthRecording,
  epoch: number,
  query: DepthQuery,
  older: OlderColumns,
): Promise<DepthPage> {
  const { limit, step, cursor } = query;
  let isForward = query.from !== undefined;
  let from = query.from ?? 0;
  let before = query.before ?? Infinity;
  if (cursor !== undefined) {
    const [ofEpoch, ofRun, direction, time] = readCursor(cursor, cursorShape);
    if (ofEpoch !== epoch || ofRun !== run)
      throw new DepthwireError('cursor_expired', 'cursor: the columns have been begun anew since', {
        field: 'cursor',
      });
    isForward = direction === 'from';
    if (isForward) from = Math.max(from, time);
    else before = Math.min(before, time);
  }
  const range: DepthRange = { isForward, from, before, limit, step };
  const selection = (await withOlder(series, range, older)).select(range);
  const at = (direction: 'before' | 'from', time: number) => writeCursor([epoch, run, direction, time]);
  // An empty page ends where it was asked for: at its older end, or at its newer one where that has passed.
  const end = selection.end ?? (isForward || before === Infinity ? from : depthPeriodOf(before));
  return {
    selection,
    next: !selection.hasMore ? null : isForward ? at('from', selection.end!) : at('before', selection.time!),
    newer: at('from', end),
  };
}

/** What is in memory, with what is stored before it as far as the range needs it. */
async function withOlder(series: DepthSeries, range: DepthRange, older: OlderColumns): Promise<DepthSeries> {
  const { isForward, from, before, limit } = range;
  const fromMs = Math.max(0, from);
  const toMs = Math.min(before, series.time ?? before);
  const recent = series.select(range);
  // From the newer end on, memory may have all that is asked for.
  if (fromMs >= toMs || (!isForward && recent.hasMore)) return series;
  const span = { fromMs, toMs: Math.min(toMs, Number.MAX_SAFE_INTEGER) };
  const stored = await older(span, isForward ? limit + 1 : limit + 1 - recent.count, !isForward);
  if (stored.length === 0) return series;
  const whole = new DepthSeries();
  for (const column of stored) whole.add(column);
  for (const { stretch, from: first, to } of recent.parts)
    for (const column of stretch.columns(first, to)) whole.add(column);
  return whole;
}
