import { describe, expect, it } from 'vitest';
import { Bench, conformanceTests, startCoinbaseEmulator, type ConformanceDriver } from '../../kit/index.ts';
import { coinbase } from './index.ts';

const COUNTED_TOGETHER =
  'messages are numbered for the whole connection: one that is missing may be of any product, so that every book is taken anew';

const driver: ConformanceDriver = {
  name: 'Coinbase spot',
  adapter: coinbase,
  market: 'spot',
  symbols: [
    { symbol: 'BTC-USD', base: 'BTC', quote: 'USD', lot: '0.00000001', price: '60000' },
    { symbol: 'ETH-USD', base: 'ETH', quote: 'USD' },
  ],
  startEmulator: startCoinbaseEmulator,
  hasHttpSnapshots: false,
  hasChecksums: false,
  announcesEnds: false,
  framesPerS: 8,
  knownGaps: { DROP: COUNTED_TOGETHER, REORDER: COUNTED_TOGETHER, STALL: COUNTED_TOGETHER },
};

describe('Coinbase spot conforms', { timeout: 30_000 }, () => {
  for (const { name, run } of conformanceTests(driver)) it.concurrent(name, run);
});

describe('Coinbase spot, where a message is missing', { timeout: 30_000 }, () => {
  it.each<[name: string, make: (bench: Bench) => void | Promise<void>]>([
    ['that was lost', ({ emulator, victim }) => emulator.dropNext(victim)],
    ['that comes late', ({ emulator, victim }) => emulator.reorderNext(victim)],
    [
      'of a stretch that was lost',
      async (bench) => {
        bench.emulator.stall(bench.victim);
        await bench.flow(5);
        bench.emulator.stall(bench.victim, false);
      },
    ],
  ])('%s, is never live with a wrong book, and has every book right again', async (_name, make) => {
    const bench = await Bench.openLive(driver);
    try {
      await make(bench);
      await bench.flow(3);
      for (const symbol of bench.symbols) await bench.state(symbol, 'recovering');
      await bench.settled();
      expect(bench.feed.stats()).toMatchObject({ gaps: expect.any(Number) as number, malformed: 0 });
      expect(bench.feed.stats().gaps).toBeGreaterThan(0);
      expect(bench.feed.reconnects()).toBeGreaterThan(0);
    } finally {
      await bench.close();
    }
  });
});
