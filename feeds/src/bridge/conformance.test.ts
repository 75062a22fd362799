import { describe, expect, it } from 'vitest';
import type { Endpoints } from '../core/venue.ts';
import { Bench, conformanceTests, startBinanceEmulator, type ConformanceDriver } from '../kit/index.ts';
import { createCcxtFeed, type CcxtFeedOptions } from './ccxt.ts';

type Target = Pick<CcxtFeedOptions, 'exchange' | 'symbols' | 'options'> & { urls(to: Endpoints): object };

/** Modules of the real library, whose every request goes to the emulator. */
const targets: Readonly<Record<'spot' | 'usdm', Target>> = {
  spot: {
    exchange: 'binance',
    symbols: ['BTC/USDT', 'ETH-USDT'],
    options: { fetchMarkets: { types: ['spot'] } },
    urls: ({ ws, rest }) => ({ api: { public: `${rest}/api/v3`, ws: { spot: `${ws}/stream` } } }),
  },
  usdm: {
    exchange: 'binanceusdm',
    symbols: ['BTC/USDT:USDT', 'ETH-USDT-PERP'],
    urls: ({ ws, rest }) => ({ api: { fapiPublic: `${rest}/fapi/v1`, ws: { future: `${ws}/ws` } } }),
  },
};

describe.concurrent.each(['spot', 'usdm'] as const)(
  'The CCXT bridge conforms with Binance %s',
  { timeout: 30_000 },
  (market) => {
    const { urls, ...target } = targets[market];
    const driver: ConformanceDriver = {
      name: `CCXT Binance ${market}`,
      createFeed: (endpoints, random) =>
        createCcxtFeed({
          ...target,
          urls: urls(endpoints),
          openSpacingMs: 0,
          timeoutMs: 1_500, // its ten seconds, sooner by the speed of the cards, as far as a busy machine allows
          random,
        }),
      maxSpeed: 60, // the library's own waits are in real time
      origin: 'bridged',
      connections: 2,
      sockets: 6, // book, trades and ticker of each
      symbols: [
        { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT' },
        { symbol: 'ETHUSDT', base: 'ETH', quote: 'USDT' },
      ],
      startEmulator: (options) => startBinanceEmulator({ ...options, market }),
      hasHttpSnapshots: true,
      hasChecksums: false,
      announcesEnds: false,
      kindOf: () => (market === 'spot' ? 'spot' : 'perpetual'),
      hasTickers: true,
    };
    for (const { name, run } of conformanceTests(driver)) it.concurrent(name, run);

    it('tells candles of the past, in as many answers as it takes', async () => {
      const past = { trades: 2_000, stepMs: 30_000 };
      const bench = await Bench.openLive(driver, { speed: 5, past });
      try {
        const { id } = bench.market(bench.victim).instrument;
        const toS = Math.ceil(bench.clock.now() / 60_000) * 60;
        const query = { instrument: id, interval: '1m', fromS: toS - 700 * 60, toS } as const;
        const truth = bench.emulator.candles(bench.victim, 60).filter(({ time }) => time >= query.fromS);
        const requests = bench.emulator.requests.length;
        const candles = await bench.feed.candles!(query);
        expect(candles.map(({ time }) => time)).toEqual(truth.map(({ time }) => time));
        expect(candles.map(({ high }) => high / 100)).toEqual(truth.map(({ high }) => Number(high)));
        expect(candles.map(({ volume }) => volume)).toEqual(
          truth.map(({ volume }) => Math.round(Number(volume) * 1_000)),
        );
        expect(bench.emulator.requests.length).toBeGreaterThan(requests + 1);
        expect(await bench.feed.candles!({ ...query, interval: '5s' })).toEqual([]);
        bench.emulator.spoilPast(429, 1, 60);
        await expect(bench.feed.candles!(query)).rejects.toMatchObject({ code: 'venue_http' });
        const refused = bench.emulator.requests.length;
        await expect(bench.feed.candles!(query)).rejects.toMatchObject({ code: 'venue_http' });
        expect(bench.emulator.requests).toHaveLength(refused);
        await bench.feed.stop();
        await expect(bench.feed.candles!(query)).rejects.toMatchObject({ code: 'venue_http' });
      } finally {
        await bench.close();
      }
    });
  },
);
