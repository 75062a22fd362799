// What the database holds, asked by the one way that there is to it.
import type { InstrumentId } from '@depthwire/shared';
import { createHistoryStore } from '../../../server/src/history/stores/create-store.ts';
import type { HistoryStore, SeriesKey, StoredInterval } from '../../../server/src/history/stores/store.ts';
import { candlesOf, isSameCandle, type TrueTrade } from './truth.ts';

/** Trades and candles asked for at once. */
const PAGE = 1_000;
/** Intervals that are compared, and their length in seconds. */
const INTERVALS = { '1s': 1, '1m': 60 } as const satisfies Partial<Record<StoredInterval, number>>;

export interface StoredFaults {
  /** That are there and right. */
  readonly trades: number;
  readonly missed: number;
  /** Stored twice, or never traded. */
  readonly doubled: number;
  /** Missing ones too. */
  readonly wrongCandles: number;
}

/**
 * Trades and candles in the database that are not as they were.
 * @throws DepthwireError `history_unavailable`
 */
export async function storedFaults(
  url: string,
  log: ReadonlyMap<string, readonly TrueTrade[]>,
): Promise<StoredFaults> {
  const store = createHistoryStore({ store: 'postgres', url });
  try {
    await store.open();
    const sum = { trades: 0, missed: 0, doubled: 0, wrongCandles: 0 };
    for (const [instrument, trades] of log) {
      const series: SeriesKey = {
        instrument: instrument as InstrumentId,
        tick: { units: 1, decimals: 2 },
        lot: { units: 1, decimals: 3 },
      };
      const ids = await storedIds(store, series);
      const distinct = new Set(ids);
      const isTrue = new Set(trades.map(({ id }) => id));
      sum.doubled += ids.length - distinct.size + [...distinct].filter((id) => !isTrue.has(id)).length;
      sum.trades += [...distinct].filter((id) => isTrue.has(id)).length;
      sum.missed += trades.filter(({ id }) => !distinct.has(id)).length;
      sum.wrongCandles += await wrongCandles(store, series, trades);
    }
    return sum;
  } finally {
    await store.close();
  }
}

async function storedIds(store: HistoryStore, series: SeriesKey): Promise<number[]> {
  const ids: number[] = [];
  for (let number = 0; ;) {
    const page = await store.trades(series, { direction: 'from', limit: PAGE, number });
    ids.push(...page.map(({ id }) => Number(id)));
    if (page.length < PAGE) return ids;
    number = page.at(-1)!.number + 1;
  }
}

async function wrongCandles(
  store: HistoryStore,
  series: SeriesKey,
  trades: readonly TrueTrade[],
): Promise<number> {
  let wrong = 0;
  for (const [interval, seconds] of Object.entries(INTERVALS)) {
    const stored = new Map<number, Awaited<ReturnType<HistoryStore['candles']>>[number]>();
    for (let before = Infinity; ;) {
      const end = Math.min(before, Number.MAX_SAFE_INTEGER);
      const page = await store.candles(series, interval as StoredInterval, PAGE, end);
      for (const candle of page) stored.set(candle.time, candle);
      if (page.length < PAGE) break;
      before = page[0]!.time;
    }
    const right = candlesOf(trades, seconds);
    for (const candle of right) {
      const found = stored.get(candle.time);
      if (!found || !isSameCandle(found, candle)) wrong += 1;
      stored.delete(candle.time);
    }
    wrong += stored.size;
  }
  return wrong;
}
