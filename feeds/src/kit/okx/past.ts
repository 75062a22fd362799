import type { EmulatedCandle, PastAnswer, PastQuery } from '../past-log.ts';

const MAX_LIMIT = 300;
const DEFAULT_LIMIT = 100;
const RECENT_CANDLES = 1_440;
const SECONDS: Readonly<Record<string, number>> = {
  '1s': 1,
  '1m': 60,
  '5m': 300,
  '15m': 900,
  '1H': 3_600,
  '4H': 14_400,
  '1Dutc': 86_400,
};

/**
 * `candles`, the newest and the open one, and `history-candles`, those that have ended; newest first.
 * @param candles null of an instrument that there is none of
 */
export function okxPast(
  path: string,
  query: PastQuery,
  nowMs: number,
  candles: (instId: string, seconds: number) => readonly EmulatedCandle[] | null,
): PastAnswer | null {
  const [, route] = /^\/api\/v5\/market\/(candles|history-candles)$/.exec(path) ?? [];
  if (route === undefined) return null;
  const refuse = (code: string, msg: string): PastAnswer => ({
    status: 400,
    refusal: { code, msg, data: [] },
  });
  const seconds = SECONDS[query.text('bar')];
  if (seconds === undefined) return refuse('51000', 'Parameter bar error');
  if (!query.isLimit('limit', DEFAULT_LIMIT, MAX_LIMIT)) return refuse('51000', 'Parameter limit error');
  const known = candles(query.text('instId'), seconds);
  if (known === null) return refuse('51001', "Instrument ID doesn't exist.");
  const [before, after] = [query.integer('before', -1), query.integer('after', Infinity)];
  const openS = Math.floor(nowMs / 1_000 / seconds) * seconds;
  const isKept = ({ time }: EmulatedCandle) =>
    route === 'candles' ? time > openS - RECENT_CANDLES * seconds : time < openS;
  const found = known
    .filter(isKept)
    .filter(({ time }) => time * 1_000 > before && time * 1_000 < after)
    .slice(-query.integer('limit', DEFAULT_LIMIT))
    .reverse();
  const rows = found.map(({ time, open, high, low, close, volume, turnover }) => {
    const hasEnded = time < openS ? '1' : '0';
    return [String(time * 1_000), open, high, low, close, volume, volume, String(turnover), hasEnded];
  });
  return { rows, body: (data) => ({ code: '0', msg: '', data }) };
}
