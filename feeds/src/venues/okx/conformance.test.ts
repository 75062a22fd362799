import { describe, it } from 'vitest';
import type { InstrumentKind } from '@depthwire/shared';
import {
  Bench,
  conformanceTests,
  startOkxEmulator,
  type ConformanceDriver,
  type OkxEmulator,
  type OkxMarket,
} from '../../kit/index.ts';
import { okx } from './index.ts';

const symbols: Record<OkxMarket, [name: string, base: string, quote: string][]> = {
  spot: [
    ['BTC-USDT', 'BTC', 'USDT'],
    ['ETH-USDT', 'ETH', 'USDT'],
  ],
  swap: [
    ['BTC-USDT-SWAP', 'BTC', 'USDT'],
    ['ETH-USD-SWAP', 'ETH', 'USD'],
  ],
  futures: [
    ['BTC-USD-261225', 'BTC', 'USD'],
    ['BTC-USD-270326', 'BTC', 'USD'],
  ],
  option: [
    ['BTC-USD-261225-60000-C', 'BTC', 'USD'],
    ['ETH-USD-261225-2500-P', 'ETH', 'USD'],
  ],
};

const kinds: Record<OkxMarket, InstrumentKind> = {
  spot: 'spot',
  swap: 'perpetual',
  futures: 'future',
  option: 'option',
};

function driverOf(market: OkxMarket, onStart: (emulator: OkxEmulator) => void = () => {}): ConformanceDriver {
  return {
    name: `OKX ${market}`,
    adapter: okx,
    market,
    symbols: symbols[market].map(([symbol, base, quote]) => ({ symbol, base, quote })),
    async startEmulator(options) {
      const emulator = await startOkxEmulator({ ...options, market });
      onStart(emulator);
      return emulator;
    },
    depth: 400,
    hasHttpSnapshots: false,
    hasChecksums: false,
    announcesEnds: true,
    kindOf: () => kinds[market],
  };
}

describe.concurrent.each(Object.keys(symbols) as OkxMarket[])(
  'OKX %s conforms',
  { timeout: 30_000 },
  (market) => {
    for (const { name, run } of conformanceTests(driverOf(market))) it.concurrent(name, run);
  },
);

it('OKX: a sequence that maintenance resets disturbs no book', async () => {
  let emulator!: OkxEmulator;
  const bench = await Bench.openLive(driverOf('spot', (started) => (emulator = started)));
  try {
    for (let i = 0; i < 3; i++) {
      emulator.resetSequence(bench.victim);
      await bench.flow(5);
    }
    await bench.settled();
    bench.undisturbed(bench.symbols);
  } finally {
    await bench.close();
  }
});
