import assert from 'node:assert/strict';
import {
  candleIntervals,
  DepthwireError,
  formatUnitsShortest,
  type Candle,
  type CandleInterval,
  type Trade,
} from '@depthwire/shared';
import type { CandleQuery } from '../../core/feed.ts';
import type { Bench } from './bench.ts';

/** Trades that were before anybody listened: more than any answer holds, over some twenty hours. */
export const PAST = { trades: 12_000, stepMs: 6_000 };
/** Candles asked for at once: more than most answers hold. */
const CANDLES = 1_100;
/** Newest trades that every venue keeps. */
const FEW_TRADES = 30;
const RETRY_AFTER_S = 2;

/** Candles are what the venue's trades add up to, however many answers they take; of others there are none. */
export async function tellsCandles(bench: Bench): Promise<void> {
  const { past } = bench;
  for (const interval of Object.keys(candleIntervals) as CandleInterval[]) {
    const requests = bench.emulator.requests.length;
    const query = queryOf(bench, interval);
    const candles = await bench.feed.candles!(query);
    if (past.intervals.includes(interval)) compare(bench, query, candles);
    else {
      assert.deepEqual(candles, [], `${interval}: the venue has none`);
      assert.equal(bench.emulator.requests.length, requests, `${interval}: nothing is asked for in vain`);
    }
  }
  await assert.rejects(bench.feed.candles!({ ...queryOf(bench, '1m'), instrument: 'no:SUCH-ONE' }));
  bench.undisturbed(bench.symbols);
}

/** Trades are the venue's, each once, and join those of the stream. */
export async function tellsTrades(bench: Bench): Promise<void> {
  const { victim, emulator, past } = bench;
  await bench.flow(20);
  await bench.settled();
  const log = emulator.trades(victim);
  const { instrument, trades: heard } = bench.market(victim);
  await bench.pause(10);
  const ask = (fromMs: number) =>
    bench.feed.trades!({ instrument: instrument.id, fromMs, toMs: Math.floor(bench.clock.now()) });

  const all = await ask(log[0]!.timeMs);
  assert.equal(all.isWhole, !past.keepsNewestTrades, 'all trades can be had');
  const few = await ask(log.at(-FEW_TRADES)!.timeMs + 1);
  assert.ok(few.isWhole, 'the newest trades can be had');
  for (const { trades, fromMs, toMs } of [all, few]) {
    const text = (trade: Trade) => [
      String(trade.id),
      trade.side,
      formatUnitsShortest(trade.price, instrument.tick),
      formatUnitsShortest(trade.size, instrument.lot),
      trade.timeMs,
    ];
    const isIn = ({ timeMs }: { readonly timeMs: number }) => timeMs >= fromMs && timeMs < toMs;
    assert.deepEqual(
      trades.filter(isIn).map(text),
      log.filter(isIn).map(({ id, side, price, size, timeMs }) => [String(id), side, price, size, timeMs]),
      'trades are those of the venue, oldest first, none missing and none twice',
    );
    const byId = new Map(trades.map((trade) => [trade.id, trade]));
    for (const { id, price, size, side, venueTimeMs } of heard) {
      const timeMs = Math.floor(venueTimeMs!);
      if (isIn({ timeMs }))
        assert.deepEqual(byId.get(id), { id, price, size, side, timeMs }, `trade ${id} is as on the stream`);
    }
  }
  bench.undisturbed(bench.symbols);
}

/** A venue that asks to be left alone is, and answers later. */
export async function waitsItOut(bench: Bench): Promise<void> {
  const { emulator } = bench;
  emulator.spoilPast(429, 2, RETRY_AFTER_S);
  const query = queryOf(bench, '1m');
  compare(bench, query, await bench.feed.candles!(query));
  assert.equal(emulator.pastRefusedAtMs.length, 2, 'both refusals were met');
  for (const timeMs of emulator.pastRefusedAtMs) {
    const waits = emulator.requestsAtMs.filter((at) => at > timeMs).map((at) => (at - timeMs) / 1_000);
    assert.ok(Math.min(...waits) >= RETRY_AFTER_S, `asked again after ${Math.min(...waits)} s`);
  }
  bench.undisturbed(bench.symbols);
}

/** What makes no sense is an error, an answer without rows is none, and neither harms a book. */
export async function isNotFooled(bench: Bench): Promise<void> {
  const query = queryOf(bench, '1h');
  const failsWith = async (code: string) =>
    assert.rejects(
      bench.feed.candles!(query),
      (error) => error instanceof DepthwireError && error.code === code,
    );
  bench.emulator.spoilPast('garbage', 1);
  await failsWith('malformed_venue_frame');
  bench.emulator.spoilPast(503, 1);
  await failsWith('venue_http');
  bench.emulator.spoilPast('empty', Infinity);
  assert.deepEqual(await bench.feed.candles!(query), []);
  bench.emulator.spoilPast('empty', 0);
  compare(bench, query, await bench.feed.candles!(query));
  bench.undisturbed(bench.symbols);
}

/** The newest candles of the victim. */
function queryOf(bench: Bench, interval: CandleInterval): CandleQuery {
  const seconds = candleIntervals[interval];
  const toS = (Math.floor(bench.clock.now() / 1_000 / seconds) + 1) * seconds;
  const { id } = bench.market(bench.victim).instrument;
  return { instrument: id, interval, fromS: toS - CANDLES * seconds, toS };
}

function compare(bench: Bench, { interval, fromS, toS }: CandleQuery, candles: readonly Candle[]): void {
  const seconds = candleIntervals[interval];
  const { tick, lot } = bench.market(bench.victim).instrument;
  // The oldest that is kept may have gone meanwhile.
  const firstS = Math.max(fromS, bench.clock.now() / 1_000 - (bench.past.keptCandles - 1) * seconds);
  const kept = bench.emulator
    .candles(bench.victim, seconds)
    .filter(({ time }) => time >= firstS && time < toS);
  assert.ok(kept.length > 0, `${interval}: there are candles`);
  // Only the venue knows whether it tells intervals without a trade, and counts those of the others.
  const told = candles.filter(({ time, volume }) => time >= firstS && volume > 0);
  assert.deepEqual(
    told.map(({ time, open, high, low, close, volume }) => {
      const [o, h, l, c] = [open, high, low, close].map((ticks) => formatUnitsShortest(ticks, tick));
      return [time, o, h, l, c, formatUnitsShortest(volume, lot)];
    }),
    kept.map(({ time, open, high, low, close, volume }) => [time, open, high, low, close, volume]),
    `${interval}: candles are what the trades add up to`,
  );
  if (told.some(({ trades }) => trades > 0))
    assert.deepEqual(
      told.map(({ trades }) => trades),
      kept.map(({ trades }) => trades),
      `${interval}: trades are counted`,
    );
}
