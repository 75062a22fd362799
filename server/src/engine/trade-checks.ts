import type { PastTrades, TradeQuery } from '@depthwire/feeds';
import type { EpochMs, Trade } from '@depthwire/shared';
import { readEvent } from './event-checks.ts';

/** Trades of one answer; a feed that has more tells the first or the last of them. */
const MAX_TRADES = 100_000;

/**
 * What a feed says are the trades asked for: copies of them, each as good as one of the stream, or what is wrong with
 * them.
 * @throws unknown what the answer throws when it is read
 */
export function checkTrades(answer: unknown, query: TradeQuery): PastTrades | string {
  if (typeof answer !== 'object' || answer === null) return 'expected trades, fromMs, toMs and isWhole';
  const { trades: list, fromMs, toMs, isWhole } = answer as Partial<PastTrades>;
  if (!isTime(fromMs) || !isTime(toMs) || fromMs < query.fromMs || toMs < fromMs || toMs > query.toMs)
    return `fromMs and toMs: expected a stretch within ${query.fromMs} to ${query.toMs}`;
  if (isWhole !== (fromMs === query.fromMs && toMs === query.toMs))
    return 'isWhole: expected to be told whether fromMs and toMs are those of the query';
  if (!Array.isArray(list)) return 'expected an array of trades';
  const { length } = list;
  if (length > MAX_TRADES) return `${length} trades: expected at most ${MAX_TRADES}`;
  const trades: Trade[] = [];
  const ids = new Set<Trade['id']>();
  for (let i = 0; i < length; i++) {
    const told = (list as (Trade | null | undefined)[])[i];
    if (typeof told !== 'object' || told === null) return `trade ${i}: expected an object`;
    const { id, price, size, side, timeMs } = told;
    const times = { venueTimeMs: timeMs as EpochMs, receiveTimeMs: timeMs as EpochMs };
    const read = readEvent({ type: 'trade', instrument: query.instrument, id, price, size, side, ...times });
    if (read.type !== 'trade')
      return `trade ${i}: ${read.type === 'refused' ? read.error.message : read.type}`;
    if (timeMs < query.fromMs || timeMs >= query.toMs)
      return `trade ${i}: ${timeMs} is not from ${query.fromMs} to ${query.toMs}`;
    if (i > 0 && timeMs < trades[i - 1]!.timeMs) return `trade ${i}: not in order, oldest first`;
    if (ids.has(id)) return `trade ${i}: ${id} is told twice`;
    ids.add(id);
    trades.push({ id, price, size, side, timeMs });
  }
  return { trades, fromMs, toMs, isWhole };
}

const isTime = (value: unknown): value is number => Number.isFinite(value);
