import { describe, it } from 'vitest';
import type { Endpoints } from '../core/venue.ts';
import { conformanceTests, startBinanceEmulator } from '../kit/index.ts';
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
    const tests = conformanceTests({
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
    });
    for (const { name, run } of tests) it.concurrent(name, run);
  },
);
