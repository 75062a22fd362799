import { candleIntervals } from '@depthwire/shared';
import type { Candle, CandleInterval } from '@depthwire/shared';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSimulatorFeed, simulatorInstruments } from './index.ts';
import { marketProfiles } from './profiles.ts';
import { START_MS, startSession } from './test-harness.ts';
import type { Session } from './test-harness.ts';

const START_S = Math.floor(START_MS / 1000);
const DAY_S = 86_400;
const intervals = Object.keys(candleIntervals) as CandleInterval[];

let session: Session;
beforeAll(async () => {
  session = await startSession();
});

function candles(
  instrument: string,
  interval: CandleInterval,
  fromS: number,
  toS: number,
): Promise<Candle[]> {
  return session.feed.candles!({ instrument, interval, fromS, toS });
}

function aggregate(parts: Candle[]): Candle {
  return {
    time: parts[0]!.time,
    open: parts[0]!.open,
    high: Math.max(...parts.map(({ high }) => high)) as Candle['high'],
    low: Math.min(...parts.map(({ low }) => low)) as Candle['low'],
    close: parts.at(-1)!.close,
    volume: parts.reduce((sum, { volume }) => sum + volume, 0) as Candle['volume'],
    trades: parts.reduce((sum, { trades }) => sum + trades, 0),
  };
}

const anyInstrument = fc.constantFrom(...simulatorInstruments.map(({ id }) => id));

describe('the candles of the simulator', () => {
  it('add up: each is exactly the sum of those of any finer interval', async () => {
    const pair = fc
      .tuple(fc.nat(intervals.length - 2), fc.nat(intervals.length - 2))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const)
      .filter(
        ([fine, coarse]) => candleIntervals[intervals[coarse]!] / candleIntervals[intervals[fine]!] <= 3600,
      );
    await fc.assert(
      fc.asyncProperty(
        anyInstrument,
        pair,
        fc.integer({ min: 1, max: 179 * DAY_S }),
        async (id, [fine, coarse], backS) => {
          const lengthS = candleIntervals[intervals[coarse]!];
          const fromS = Math.floor((START_S - backS) / lengthS) * lengthS;
          const [whole] = await candles(id, intervals[coarse]!, fromS, fromS + 1);
          const parts = await candles(id, intervals[fine]!, fromS, fromS + lengthS);
          expect(aggregate(parts)).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are sound: in order, without gaps, each opening where the last one closed', async () => {
    await fc.assert(
      fc.asyncProperty(anyInstrument, fc.constantFrom(...intervals), async (id, interval) => {
        const lengthS = candleIntervals[interval];
        const run = await candles(id, interval, START_S - 150 * lengthS, START_S);
        run.forEach((candle, i) => {
          const { time, open, high, low, close, volume, trades } = candle;
          expect(Object.values(candle).every(Number.isSafeInteger)).toBe(true);
          expect(low).toBeGreaterThan(0);
          expect(low).toBeLessThanOrEqual(Math.min(open, close));
          expect(high).toBeGreaterThanOrEqual(Math.max(open, close));
          expect(volume).toBeGreaterThanOrEqual(trades);
          if (trades === 0) expect([volume, high]).toEqual([0, low]);
          if (i > 0) expect([time, open]).toEqual([run[i - 1]!.time + lengthS, run[i - 1]!.close]);
        });
      }),
      { numRuns: 150 },
    );
  });

  it('reach back the days asked for, and end at the start', async () => {
    const days = await candles('sim:BTC-USD', '1d', 0, START_S + DAY_S);
    expect(days).toHaveLength(181);
    expect(days[0]!.time).toBe((Math.floor(START_S / DAY_S) - 180) * DAY_S);
    expect(await candles('sim:BTC-USD', '1m', START_S + 1, START_S + 600)).toEqual([]);
    expect(await candles('sim:BTC-USD', '1d', 0, days[0]!.time)).toEqual([]);
  });

  it('end with the candle that was open at the start, as far as it had come', async () => {
    for (const interval of intervals) {
      const lengthS = candleIntervals[interval];
      const last = (await candles('sim:ETH-USD', interval, START_S - 2 * lengthS, START_S + lengthS)).at(-1)!;
      expect(last.time).toBe(Math.floor((START_S - 1) / lengthS) * lengthS);
      if (START_S - last.time > 14_400) continue;
      expect(last).toEqual(aggregate(await candles('sim:ETH-USD', '1s', last.time, START_S)));
    }
  });

  it('join the live prices', async () => {
    for (const profile of marketProfiles) {
      const { id } = profile.instrument;
      const { close } = (await candles(id, '1s', START_S - 1, START_S))[0]!;
      const live = await startSession({ instruments: [id] });
      const { book } = live.market(id);
      const mid = (book.bestBid! + book.bestAsk!) / 2;
      const secondTicks = (profile.annualVolatility / Math.sqrt(365 * DAY_S)) * mid;
      expect(Math.abs(mid - close), id).toBeLessThan(3 * profile.spreadTicks + 6 * secondTicks + 2);
    }
  });

  it('never stand still for long while there are trades', async () => {
    // Two weeks of every market, some 650,000 candles.
    for (const { id } of simulatorInstruments) {
      let still = 0;
      for (const { time, high, low, trades } of await candles(id, '1m', START_S - 13 * DAY_S, START_S)) {
        still = high === low && trades > 0 ? still + 1 : 0;
        if (still >= 10) expect.fail(`${id} stands still until ${new Date(time * 1000).toISOString()}`);
      }
    }
  });

  it.each(['sim:BTC-USD', 'sim:DOGE-USD', 'sim:EUR-USD', 'sim:AAPL-USD', 'sim:ES-USD', 'sim:GC-USD'])(
    'of %s range and trade as the live market does',
    async (id) => {
      const hours = 2;
      const live = await startSession({ instruments: [id] });
      live.advanceS(hours * 3600);
      const after = await startSession({ instruments: [id] }, undefined, START_MS + hours * 3600_000);
      const query = {
        instrument: id,
        interval: '1m',
        fromS: START_S,
        toS: START_S + hours * 3600 - 60,
      } as const;
      const past = await after.feed.candles!(query);

      const minutes = new Map(past.map(({ time }) => [time, { high: 0, low: Infinity }]));
      const sums = { range: 0, volume: 0, trades: 0 };
      for (const { price, size, venueTimeMs } of live.market(id).trades) {
        const minute = minutes.get(Math.floor(venueTimeMs! / 60_000) * 60);
        if (minute === undefined) continue;
        minute.high = Math.max(minute.high, price);
        minute.low = Math.min(minute.low, price);
        sums.volume += size;
        sums.trades += 1;
      }
      for (const { high, low } of minutes.values()) sums.range += Math.max(0, high - low);
      const expected = { range: 0, volume: 0, trades: 0 };
      for (const { high, low, volume, trades } of past) {
        expected.range += high - low;
        expected.volume += volume;
        expected.trades += trades;
      }
      for (const key of ['range', 'volume', 'trades'] as const) {
        expect(sums[key] / expected[key], key).toBeGreaterThan(0.75);
        expect(sums[key] / expected[key], key).toBeLessThan(1.25);
      }
    },
  );

  it('of two starts agree where both have them', async () => {
    const later = await startSession({}, undefined, START_MS + 5 * 3600_000 + 1234);
    for (const interval of intervals) {
      const lengthS = candleIntervals[interval];
      const toS = Math.floor(START_S / lengthS) * lengthS;
      const query = { instrument: 'sim:TSLA-USD', interval, fromS: toS - 100 * lengthS, toS };
      expect(await later.feed.candles!(query)).toEqual(await session.feed.candles!(query));
    }
  });

  it('keep prices and volatility in bounds over years', async () => {
    const years = await startSession({ historyDays: 1500 });
    for (const { instrument, priceTicks, annualVolatility } of marketProfiles) {
      const days = await years.feed.candles!({
        instrument: instrument.id,
        interval: '1d',
        fromS: 0,
        toS: START_S,
      });
      for (const { high, low } of days) {
        expect(high / priceTicks).toBeLessThan(4);
        expect(low / priceTicks).toBeGreaterThan(1 / 4);
      }
      const variance =
        days.reduce((sum, { open, close }) => sum + Math.log(close / open) ** 2, 0) / days.length;
      const volatility = Math.sqrt(variance * 365.25);
      expect(volatility / annualVolatility, instrument.id).toBeGreaterThan(0.8);
      expect(volatility / annualVolatility, instrument.id).toBeLessThan(1.25);
    }
  });

  it('refuse what does not exist', async () => {
    await expect(candles('sim:NOPE-USD', '1m', 0, 1)).rejects.toMatchObject({ code: 'unknown_instrument' });
    await expect(candles('sim:BTC-USD', '2m' as CandleInterval, 0, 1)).rejects.toMatchObject({
      code: 'invalid_request',
    });
    const idle = createSimulatorFeed();
    await expect(
      idle.candles!({ instrument: 'sim:BTC-USD', interval: '1m', fromS: 0, toS: 1 }),
    ).rejects.toMatchObject({ code: 'unavailable', retry: true });
  });
});
