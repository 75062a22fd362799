import { describe, expect, it } from 'vitest';
import { Bench, conformanceTests, startBitstampEmulator, type ConformanceDriver } from '../../kit/index.ts';
import { bitstamp } from './index.ts';

const UNCHAINED =
  'an update does not name the one before it: that one is missing shows only against the next snapshot';

/** A book is compared with a snapshot at least this often. */
const COMPARED_S = 150;

const symbols = {
  spot: [
    { symbol: 'btcusd', base: 'BTC', quote: 'USD', lot: '0.00000001', price: '60000' },
    { symbol: 'etheur', base: 'ETH', quote: 'EUR' },
  ],
  perpetual: [
    { symbol: 'btcusd-perp', base: 'BTC', quote: 'USD', tick: '1', lot: '0.00001', price: '60000' },
    { symbol: 'ethusd-perp', base: 'ETH', quote: 'USD', tick: '0.1' },
  ],
};

function driverOf(market: keyof typeof symbols): ConformanceDriver {
  return {
    name: `Bitstamp ${market}`,
    adapter: bitstamp,
    market,
    symbols: symbols[market],
    startEmulator: startBitstampEmulator,
    hasHttpSnapshots: true,
    hasChecksums: false,
    hidesLosses: true,
    announcesEnds: true,
    kindOf: () => market,
    maxAgeMs: 90 * 86_400_000,
    knownGaps: {
      DROP: UNCHAINED,
      REORDER: 'an update that comes early looks like any other, until the one before it comes',
      STALL: UNCHAINED,
      CHAOS: 'it loses updates, see DROP',
    },
  };
}

describe.concurrent.each(['spot', 'perpetual'] as const)(
  'Bitstamp %s conforms',
  { timeout: 30_000 },
  (market) => {
    for (const { name, run } of conformanceTests(driverOf(market))) it.concurrent(name, run);
  },
);

describe('Bitstamp spot, where an update is missing', { timeout: 30_000 }, () => {
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
  ])('%s, takes that book alone anew at the next comparison', async (_name, make) => {
    const bench = await Bench.openLive(driverOf('spot'), { speed: 100 });
    try {
      await make(bench);
      await bench.flow(3);
      const isFound = async () => {
        await bench.flow(1);
        return bench.market(bench.victim).states.includes('recovering');
      };
      await bench.until('the loss is found', isFound, COMPARED_S);
      bench.wrong.splice(0); // until it was found, nothing could tell
      await bench.settled();
      bench.undisturbed(bench.bystanders);
      expect(bench.feed.stats()).toMatchObject({ gaps: 1, resyncs: 1, malformed: 0 });
    } finally {
      await bench.close();
    }
  });

  it('compares books that are right for an hour without disturbing one', async () => {
    const bench = await Bench.openLive(driverOf('spot'), { speed: 1_000 });
    try {
      const before = bench.emulator.requests.length;
      await bench.flowFor(3_600_000);
      await bench.settled();
      bench.undisturbed(bench.symbols);
      const asked = bench.emulator.requests.slice(before).filter((path) => path.includes('/order_book/'));
      expect(asked.length).toBeGreaterThan(10);
      expect(bench.feed.stats()).toMatchObject({ gaps: 0, resyncs: 0 });
    } finally {
      await bench.close();
    }
  });
});
