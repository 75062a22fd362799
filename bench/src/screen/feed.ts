// The feed of the benchmark of the screen, plugged in by its path: many instruments with a fixed number of
// level updates a second over all of them, of which the first instrument has a good part.
import type { Feed, FeedContext } from '@depthwire/feeds';
import {
  candleIntervals,
  scaleOf,
  type Candle,
  type Instrument,
  type Lots,
  type Ticks,
  type Timer,
} from '@depthwire/shared';
import { BenchMarket } from './market.ts';

export interface ScreenFeedOptions {
  readonly instruments: number;
  /** Of all instruments together. */
  readonly levelUpdatesPerSecond: number;
  /** Part of them that the first instrument has. */
  readonly share: number;
  readonly tradesPerSecond: number;
  readonly seed: number;
}

/** What the feed has done since it began, which it logs every second. */
export interface Tally {
  readonly levelUpdates: number;
  readonly trades: number;
  /** Since the feed began, milliseconds. */
  readonly elapsedMs: number;
}

export const TALLY = 'tally';

const PERIOD_MS = 10;
const BATCH = 12;
/** After a longer pause of the process the rest is left out rather than sent in a burst. */
const MOST_LATE_MS = 250;
const HISTORY_DAYS = 2;

interface Entry {
  readonly instrument: Instrument;
  readonly market: BenchMarket;
  trades: number;
}

export default function createFeed(options: ScreenFeedOptions): Feed {
  const { levelUpdatesPerSecond, share, tradesPerSecond, seed } = options;
  const entries: Entry[] = Array.from({ length: options.instruments }, (_, index) => ({
    instrument: instrumentOf(index),
    market: new BenchMarket(seed + index, startOf(index)),
    trades: 0,
  }));
  const byId = new Map(entries.map((entry) => [entry.instrument.id, entry]));
  const [first, ...others] = entries as [Entry, ...Entry[]];
  let timer: Timer | null = null;

  function run({ clock, emit, log }: FeedContext): void {
    const beganMs = clock.now();
    let lastMs = beganMs;
    let talliedMs = beganMs;
    /** What is due of each and not sent yet. */
    let dueOfFirst = 0;
    let dueOfOthers = 0;
    let dueTrades = 0;
    let turn = 0;
    let levelUpdates = 0;
    let trades = 0;

    const sendBatch = ({ instrument, market }: Entry): number => {
      const { bids, asks } = market.batch(BATCH);
      const now = clock.now();
      emit({
        type: 'book-delta',
        instrument: instrument.id,
        venueTimeMs: now,
        receiveTimeMs: now,
        bids,
        asks,
      });
      const sent = (bids.length + asks.length) / 2;
      levelUpdates += sent;
      return sent;
    };
    const sendTrade = (entry: Entry): void => {
      const now = clock.now();
      const { price, size, side } = entry.market.deal();
      entry.trades += 1;
      trades += 1;
      emit({
        type: 'trade',
        instrument: entry.instrument.id,
        venueTimeMs: now,
        receiveTimeMs: now,
        id: entry.trades,
        price: price as Ticks,
        size: size as Lots,
        side,
      });
    };
    const nextOther = () => others[(turn += 1) % others.length] ?? first;

    const step = (): void => {
      const now = clock.now();
      const seconds = Math.min(MOST_LATE_MS, now - lastMs) / 1000;
      lastMs = now;
      dueOfFirst += levelUpdatesPerSecond * share * seconds;
      dueOfOthers += levelUpdatesPerSecond * (1 - share) * seconds;
      dueTrades += tradesPerSecond * seconds;
      while (dueOfFirst >= BATCH) dueOfFirst -= sendBatch(first);
      while (dueOfOthers >= BATCH) dueOfOthers -= sendBatch(nextOther());
      for (; dueTrades >= 1; dueTrades--) sendTrade((trades % 10) / 10 < share ? first : nextOther());
      if (now - talliedMs >= 1_000) {
        talliedMs = now;
        log.info({ levelUpdates, trades, elapsedMs: now - beganMs } satisfies Tally, TALLY);
      }
      timer = clock.at(now + PERIOD_MS, step);
    };
    step();
  }

  return {
    id: 'screen-bench',
    async start(context) {
      const { clock, emit } = context;
      for (const { instrument, market } of entries) {
        const now = clock.now();
        const { bids, asks } = market.snapshot();
        const { id } = instrument;
        emit({ type: 'instrument', instrument });
        emit({ type: 'book-snapshot', instrument: id, venueTimeMs: now, receiveTimeMs: now, bids, asks });
        emit({ type: 'book-status', instrument: id, timeMs: now, state: 'live', reason: null });
      }
      run(context);
    },
    async stop() {
      timer?.cancel();
    },
    async candles({ instrument, interval, fromS, toS }) {
      const entry = byId.get(instrument);
      return entry ? candlesOf(entry.market.at, candleIntervals[interval], fromS, toS) : [];
    },
  };
}

/** Prices of different lengths, so that columns of the list have to fit all of them. */
const startOf = (index: number) => 20_000 + index * 37_000;

function instrumentOf(index: number): Instrument {
  const base = `B${String(index).padStart(2, '0')}`;
  return {
    id: `bench:${base}-USD`,
    venue: 'bench',
    symbol: `${base}-USD`,
    base,
    quote: 'USD',
    kind: 'spot',
    name: `Benchmark ${index}`,
    tick: scaleOf('0.01'),
    lot: scaleOf('0.001'),
    status: 'trading',
    origin: 'simulated',
    staleAfterMs: 30_000,
  };
}

/** A past that ends about where the market is: waves of several lengths, the same each time it is asked for. */
function candlesOf(at: number, seconds: number, fromS: number, toS: number): Candle[] {
  const price = (timeS: number) => {
    const wave =
      Math.sin(timeS / 7_000) * 0.01 + Math.sin(timeS / 611) * 0.003 + Math.sin(timeS / 47) * 0.001;
    return Math.round(at * (1 + wave));
  };
  const candles: Candle[] = [];
  const oldest = Math.max(fromS, toS - Math.max(HISTORY_DAYS * 86_400, seconds * 1_000));
  for (let time = Math.ceil(oldest / seconds) * seconds; time + seconds <= toS; time += seconds) {
    const open = price(time);
    const close = price(time + seconds);
    const wick = Math.round(at * 0.0005);
    candles.push({
      time,
      open: open as Ticks,
      high: (Math.max(open, close) + wick) as Ticks,
      low: (Math.min(open, close) - wick) as Ticks,
      close: close as Ticks,
      volume: (1_000 + (Math.abs(open * 31) % 9_000)) as Lots,
      trades: 10 + (open % 40),
    });
  }
  return candles;
}
