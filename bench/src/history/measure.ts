import { candleIntervals, type CandleInterval } from '@depthwire/shared';
import { storedIntervals, type HistoryStore } from '../../../server/src/history/stores/store.ts';
import { createRandom } from '../harness/random.ts';
import { Past, type PastSize } from './past.ts';

/** Candles of a first chart, and rows of a page. */
const ROWS = 500;
/** Bytes of a column of a book, packed on its own. */
const COLUMN_BYTES = 300;
/** Of the trades written, between two lines of progress. */
const TOLD_PERCENT = 5;
/** Columns of the hour that a heatmap shows. */
const HOUR_S = 3_600;

/** What one store took: milliseconds of each question. */
export interface Measured {
  readonly tradesASecond: number;
  readonly candlesASecond: number;
  readonly candles: number;
  readonly bytes: number;
  readonly bytesASecond: number;
  readonly chart: readonly number[];
  readonly candlePage: readonly number[];
  readonly tradePage: readonly number[];
  readonly columns: readonly number[];
  readonly second: readonly number[];
  /** To be the same of each store. */
  readonly answers: string;
}

export interface Rounds {
  readonly charts: number;
  readonly pages: number;
  readonly seconds: number;
}

/** Fills a store that is new, begins anew with it, and asks it what clients ask. */
export async function measure(
  create: () => HistoryStore,
  size: PastSize,
  rounds: Rounds,
  progress: (text: string) => void,
): Promise<Measured> {
  const past = new Past(size);
  let store = create();
  await store.open();
  let venueCandles = 0;
  const candlesMs = await timed(async () => {
    for (const interval of storedIntervals) {
      for (const series of past.series) {
        const candles = past.venueCandles(interval);
        venueCandles += candles.length;
        for (let from = 0; from < candles.length; from += 1_000)
          await store.putCandles(series, interval, candles.slice(from, from + 1_000));
      }
    }
  });
  let written = 0;
  let writtenMs = 0;
  let told = 0;
  for (const batches of past.batches()) {
    writtenMs += await timed(async () => (written += (await store.write(batches)).trades));
    const percent = Math.floor((100 * written) / past.trades);
    if (percent >= told + TOLD_PERCENT)
      progress(`${store.kind}: ${(told = percent)} % of ${past.trades} trades`);
  }
  if (written !== past.trades) throw new Error(`${store.kind} has ${written} of ${past.trades} trades`);
  await store.close();
  store = create();
  await store.open();
  progress(`${store.kind}: reading`);
  const { bytes, candles } = await store.figures();
  const random = createRandom(5);
  const anySeries = () => past.series[Math.floor(random() * past.series.length)]!;
  const answers: unknown[] = [];

  const chart: number[] = [];
  for (let round = 0; round < rounds.charts; round++) {
    for (const interval of Object.keys(candleIntervals) as CandleInterval[]) {
      const series = anySeries();
      chart.push(
        await timed(async () => answers.push((await store.candles(series, interval, ROWS, Infinity)).at(0))),
      );
    }
  }
  const candlePage: number[] = [];
  for (let page = 0; page < rounds.pages; page++) {
    const series = anySeries();
    const interval = (['1s', '15s', '1m', '5m'] as const)[page % 4]!;
    const beforeS = past.endMs / 1_000 - Math.floor(random() * size.seconds);
    candlePage.push(
      await timed(async () => answers.push((await store.candles(series, interval, ROWS, beforeS)).at(0))),
    );
  }
  const tradePage: number[] = [];
  for (let page = 0; page < rounds.pages; page++) {
    const series = anySeries();
    // half of the pages from a moment, the others from where a page before ended
    const beforeMs = past.endMs - Math.floor(random() * size.seconds * 1_000);
    const number = Math.floor(random() * size.seconds * size.tradesASecond);
    const query = page % 2 === 0 ? { beforeMs } : { number };
    tradePage.push(
      await timed(async () => {
        const trades = await store.trades(series, { direction: 'before', limit: ROWS, ...query });
        answers.push(trades.at(0), trades.at(-1));
      }),
    );
  }
  const { second, columns, bytesASecond } = await live(store, past, rounds.seconds);
  await store.close();
  return {
    tradesASecond: (written / writtenMs) * 1_000,
    candlesASecond: venueCandles === 0 ? 0 : (venueCandles / candlesMs) * 1_000,
    candles,
    bytes,
    bytesASecond,
    chart,
    candlePage,
    tradePage,
    columns,
    second,
    answers: JSON.stringify(answers),
  };
}

/** Seconds one after the other without a pause: each is what a server writes once a second. */
async function live(store: HistoryStore, past: Past, seconds: number) {
  const random = createRandom(3);
  const data = Uint8Array.from({ length: COLUMN_BYTES }, () => random() * 256);
  const before = (await store.figures()).bytes;
  const second: number[] = [];
  for (let each = 0; each < seconds; each++) {
    const batches = past.liveBatch(each, data);
    second.push(await timed(() => store.write(batches)));
  }
  const columns: number[] = [];
  const span = { fromMs: past.endMs, toMs: past.endMs + HOUR_S * 1_000 };
  for (const series of past.series) {
    columns.push(
      await timed(async () => {
        const found = await store.columns(series, span, { limit: HOUR_S, isNewest: true });
        if (found.length !== Math.min(HOUR_S, seconds))
          throw new Error(`${store.kind} has ${found.length} of ${seconds} columns`);
      }),
    );
  }
  // Without the log of changes that SQLite keeps beside the file while it is open.
  await store.close();
  await store.open();
  const bytesASecond = ((await store.figures()).bytes - before) / (seconds * past.series.length);
  return { second, columns, bytesASecond };
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}
