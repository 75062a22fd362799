import { describe, it } from 'vitest';
import {
  Bench,
  conformanceTests,
  startBybitEmulator,
  type BybitEmulator,
  type BybitMarket,
  type BybitSymbol,
  type ConformanceDriver,
} from '../../kit/index.ts';
import { bybit } from './index.ts';

const symbols: Record<BybitMarket, BybitSymbol[]> = {
  spot: [
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT' },
    { symbol: 'ETHUSDC', base: 'ETH', quote: 'USDC' },
  ],
  linear: [
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT' },
    {
      symbol: 'BTC-25DEC26',
      base: 'BTC',
      quote: 'USDC',
      contractType: 'LinearFutures',
      deliveryTime: Date.UTC(2026, 11, 25, 8),
    },
  ],
  inverse: [
    { symbol: 'BTCUSD', base: 'BTC', quote: 'USD', lot: '1' },
    { symbol: 'ETHUSD', base: 'ETH', quote: 'USD', lot: '1' },
  ],
};

function driverOf(
  market: BybitMarket,
  onStart: (emulator: BybitEmulator) => void = () => {},
): ConformanceDriver {
  return {
    name: `Bybit ${market}`,
    adapter: bybit,
    market,
    symbols: symbols[market],
    async startEmulator(options) {
      const emulator = await startBybitEmulator({ ...options, market, symbols: symbols[market] });
      onStart(emulator);
      return emulator;
    },
    depth: 200,
    hasHttpSnapshots: false,
    hasChecksums: false,
    announcesEnds: false,
    keepsNewestTrades: true,
    kindOf: (symbol) => (market === 'spot' ? 'spot' : symbol.includes('-') ? 'future' : 'perpetual'),
    knownGaps:
      market === 'spot' ? { HALT: 'spot lists only what trades: a halted symbol is told to be closed' } : {},
  };
}

describe.concurrent.each(Object.keys(symbols) as BybitMarket[])(
  'Bybit %s conforms',
  { timeout: 30_000 },
  (market) => {
    for (const { name, run } of conformanceTests(driverOf(market))) it.concurrent(name, run);
  },
);

it('Bybit: a restart of its service disturbs no book', async () => {
  let emulator!: BybitEmulator;
  const bench = await Bench.openLive(driverOf('linear', (started) => (emulator = started)));
  try {
    for (let i = 0; i < 3; i++) {
      emulator.restartService();
      await bench.flow(5);
    }
    await bench.settled();
    bench.undisturbed(bench.symbols);
  } finally {
    await bench.close();
  }
});
