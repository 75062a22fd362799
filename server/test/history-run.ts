import { VirtualClock, type Feed, type PastTrades, type TradeQuery } from '@depthwire/feeds';
import {
  candleIntervals,
  type Candle,
  type CandleInterval,
  type Lots,
  type Ticks,
  type Trade,
} from '@depthwire/shared';
import { onTestFinished } from 'vitest';
import { createMemoryBus, type MarketEvent } from '../src/bus/bus.ts';
import { Engine } from '../src/engine/engine.ts';
import { createHistoryStore, type HistoryStoreConfig } from '../src/history/stores/create-store.ts';
import { History } from '../src/history/history.ts';
import type { HistoryStore } from '../src/history/stores/store.ts';
import { JumpingClock } from './jumping-clock.ts';
import { keepAll, ScriptedFeed, silentLog, START_MS, testInstrument } from './markets.ts';

export const ID = 'test:AAA-USD';

export interface HistoryRunOptions {
  readonly feed?: ScriptedFeed & Partial<Feed>;
  readonly nowMs?: number;
  /** False where another process writes until `lead`. */
  readonly leads?: boolean;
  /** What its store does instead: a disk or a network that does not answer cannot be had everywhere. */
  readonly faults?: (real: HistoryStore) => Partial<HistoryStore>;
  /** So long passes while it starts, a second at a time. */
  readonly startMs?: number;
  /** Its timers fire so much early, as those of the machine do. */
  readonly earlyMs?: number;
}

export type HistoryRun = Awaited<ReturnType<typeof runHistory>>;

/** One run of a server, as far as its market goes: each has its own memory, and whoever has the same store goes on with it. */
export async function runHistory(
  config: HistoryStoreConfig,
  {
    feed = new ScriptedFeed(),
    nowMs = START_MS,
    leads = true,
    faults,
    startMs = 0,
    earlyMs = 0,
  }: HistoryRunOptions = {},
) {
  const steadyClock = new VirtualClock(nowMs);
  const clock = new JumpingClock(steadyClock);
  const bus = createMemoryBus();
  const events: MarketEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const real = createHistoryStore(config);
  const instead = faults?.(real);
  const store = new Proxy(real, {
    get(target, key: keyof HistoryStore) {
      const value = instead?.[key] ?? target[key];
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
  const engine = new Engine({
    ...{ clock, steadyClock, bus, log: silentLog },
    loadPast: (from, markets) => history.load(from, markets),
  });
  const history: History = new History({
    steadyClock: {
      now: () => steadyClock.now(),
      at: (timeMs, task) => steadyClock.at(timeMs - earlyMs, task),
    },
    ...{ clock, bus, markets: engine.markets, feedOf: (id) => engine.feedOf(id) },
    ...{ store, log: silentLog, retention: keepAll, writesAll: leads },
  });
  let isOver = false;
  /** As where the process is killed: what is not written is gone. */
  const kill = async () => {
    if (isOver) return;
    isOver = true;
    await real.close();
    await engine.stop();
  };
  const stop = async () => {
    if (isOver) return;
    isOver = true;
    await engine.stop();
    await history.close();
  };
  onTestFinished(kill);
  const started = engine.addFeed(feed);
  for (const endMs = nowMs + startMs; steadyClock.now() < endMs;) {
    await new Promise((resolve) => setImmediate(resolve));
    steadyClock.advanceTo(steadyClock.now() + 1_000);
  }
  await started;
  feed.snapshot([100, 5], [101, 4]);
  feed.state('live');
  const candles = async (interval: CandleInterval, limit = 1_500, beforeS?: number) =>
    (await history.past.candles(ID, interval, limit, beforeS)).candles;
  /** Time passes, and the store has some of its own meanwhile. */
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      steadyClock.advanceTo(steadyClock.now() + Math.min(1_000, left));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  /** As `advance`, until all is written and joined that can be. */
  const settle = async (seconds = 20) => {
    for (let i = 0; i < seconds; i++) {
      await advance(1_000);
      await history.flush().catch(() => undefined);
    }
  };
  const lead = () => {
    history.write(feed.id);
  };
  const cease = () => {
    history.leave(feed.id);
  };
  const stored = (limit = 1_000) => {
    const { tick, lot } = testInstrument(ID);
    return store.trades({ instrument: ID, tick, lot }, { direction: 'before', limit });
  };
  const control = { kill, stop, advance, settle, lead, cease };
  return { clock, steadyClock, bus, engine, history, store, feed, events, candles, stored, ...control };
}

export interface TradeAt {
  readonly id: number;
  readonly timeMs: number;
  readonly price: number;
  readonly size: number;
}

export function tell(feed: ScriptedFeed, { id, timeMs, price, size }: TradeAt): void {
  feed.emit({
    ...{ type: 'trade', instrument: ID, id, side: 'buy' },
    ...{ price: price as Ticks, size: size as Lots },
    ...{ venueTimeMs: timeMs as never, receiveTimeMs: timeMs as never },
  });
}

/** What trades in this order come to. */
export function candlesOf(trades: readonly TradeAt[], interval: CandleInterval): Candle[] {
  const byTime = new Map<number, TradeAt[]>();
  const seconds = candleIntervals[interval];
  for (const trade of trades) {
    const time = Math.floor(trade.timeMs / 1000 / seconds) * seconds;
    const of = byTime.get(time);
    if (of) of.push(trade);
    else byTime.set(time, [trade]);
  }
  return [...byTime].map(([time, of]) => ({
    time,
    open: of[0]!.price as Ticks,
    high: Math.max(...of.map(({ price }) => price)) as Ticks,
    low: Math.min(...of.map(({ price }) => price)) as Ticks,
    close: of.at(-1)!.price as Ticks,
    volume: of.reduce((sum, { size }) => sum + size, 0) as Lots,
    trades: of.length,
  }));
}

/** A venue with a log of all trades, whoever listens. */
export class PastVenue extends ScriptedFeed {
  readonly candlesEnd = 'now';
  readonly log: TradeAt[] = [];
  nowMs = 0;
  asked = 0;
  /** How long it keeps candles. */
  keptMs = Infinity;
  /** Without, its seconds have to be made of its trades. */
  hasSeconds = true;
  fails = 0;
  keepsTrades = true;

  candles({
    interval,
    fromS,
    toS,
  }: {
    interval: CandleInterval;
    fromS: number;
    toS: number;
  }): Promise<Candle[]> {
    this.asked += 1;
    if (interval === '1s' && !this.hasSeconds) return Promise.resolve([]);
    if (this.fails > 0) {
      this.fails -= 1;
      return Promise.reject(new Error('busy'));
    }
    const past = this.log.filter(({ timeMs }) => timeMs <= this.nowMs && timeMs >= this.nowMs - this.keptMs);
    return Promise.resolve(candlesOf(past, interval).filter(({ time }) => time >= fromS && time < toS));
  }

  trades({ fromMs, toMs }: TradeQuery): Promise<PastTrades> {
    const found = this.keepsTrades
      ? this.log.filter(({ timeMs }) => timeMs >= fromMs && timeMs < Math.min(toMs, this.nowMs + 1))
      : [];
    const trades = found.map(({ id, timeMs, price, size }): Trade => ({
      ...{ id, timeMs, side: 'buy', price: price as Ticks, size: size as Lots },
    }));
    return Promise.resolve({
      trades,
      fromMs,
      toMs: this.keepsTrades ? toMs : fromMs,
      isWhole: this.keepsTrades,
    });
  }
}
