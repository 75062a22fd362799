import { describe, it } from 'vitest';
import { conformanceTests, startBinanceEmulator, type BinanceMarket } from '../../kit/index.ts';
import { binance } from './index.ts';

const symbols: Record<BinanceMarket, [name: string, base: string, quote: string][]> = {
  spot: [
    ['BTCUSDT', 'BTC', 'USDT'],
    ['ETHUSDT', 'ETH', 'USDT'],
  ],
  usdm: [
    ['BTCUSDT', 'BTC', 'USDT'],
    ['ETHUSDT', 'ETH', 'USDT'],
  ],
  coinm: [
    ['BTCUSD_PERP', 'BTC', 'USD'],
    ['ETHUSD_PERP', 'ETH', 'USD'],
  ],
  us: [
    ['BTCUSD', 'BTC', 'USD'],
    ['ETHUSD', 'ETH', 'USD'],
  ],
};

describe.concurrent.each(Object.keys(symbols) as BinanceMarket[])(
  'Binance %s conforms',
  { timeout: 30_000 },
  (market) => {
    const tests = conformanceTests({
      name: `Binance ${market}`,
      adapter: binance,
      market,
      symbols: symbols[market].map(([symbol, base, quote]) => ({ symbol, base, quote })),
      startEmulator: (options) => startBinanceEmulator({ ...options, market }),
      hasHttpSnapshots: true,
      hasChecksums: false,
      announcesEnds: true,
      kindOf: () => (market === 'usdm' || market === 'coinm' ? 'perpetual' : 'spot'),
      maxAgeMs: 24 * 3_600_000,
      framesPerS: 5,
      keepsNewestTrades: market === 'us',
    });
    for (const { name, run } of tests) it.concurrent(name, run);
  },
);
