import { DepthwireError, type Trade } from '@depthwire/shared';
import { z } from 'zod';
import type { MarketView } from '../engine/market.ts';
import { readCursor, writeCursor } from './paging.ts';

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
const cursorShape = z.tuple([z.int(), z.int(), z.enum(['before', 'from']), z.int().min(0)]);

/**
 * A page of the trades that are kept. Their times may be equal and out of order, their ids are the venue's:
 * pages go by arrival.
 * @throws DepthwireError `invalid_request`, or `cursor_expired` where the count began anew
 */
export function tradePage(
  { tape, tradeCount }: Pick<MarketView, 'tape' | 'tradeCount'>,
  { epoch, run }: Tape,
  { limit, before = Infinity, after = -Infinity, cursor }: TradeQuery,
): TradePage {
  const first = tradeCount - tape.length;
  let direction: 'before' | 'from' = after === -Infinity ? 'before' : 'from';
  let position = direction === 'before' ? tradeCount : first;
  if (cursor !== undefined) {
    const [ofEpoch, ofRun, ...rest] = readCursor(cursor, cursorShape);
    if (ofEpoch !== epoch || ofRun !== run || rest[1] > tradeCount)
      throw new DepthwireError(
        'cursor_expired',
        'cursor: it is of trades that were counted before a restart',
        {
          field: 'cursor',
        },
      );
    [direction, position] = rest;
  }
  const at = (number: number) => writeCursor([epoch, run, direction, number]);
  const fits = ({ timeMs }: Trade) => timeMs > after && timeMs < before;

  const from = direction === 'from' ? Math.max(position, first) : first;
  const to = direction === 'from' ? tradeCount : Math.max(position, first);
  const numbers: number[] = [];
  // One more than is asked for tells whether there is a next page.
  if (direction === 'from') {
    for (let n = from; n < to && numbers.length <= limit; n++) if (fits(tape[n - first]!)) numbers.push(n);
  } else {
    for (let n = to - 1; n >= from && numbers.length <= limit; n--)
      if (fits(tape[n - first]!)) numbers.unshift(n);
  }
  const hasMore = numbers.length > limit;
  if (hasMore) numbers.splice(direction === 'from' ? -1 : 0, 1);
  const isLast = direction === 'from' && !hasMore;
  const end = isLast ? to : numbers.length > 0 ? numbers.at(-1)! + 1 : position;
  return {
    trades: numbers.map((number) => tape[number - first]!),
    next: hasMore ? at(direction === 'from' ? end : numbers[0]!) : null,
    newer: writeCursor([epoch, run, 'from', end]),
    missed: direction === 'from' ? from - position : 0,
  };
}
