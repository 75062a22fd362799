import { afterEach, describe, expect, it } from 'vitest';
import { Bench, startBinanceEmulator, type ConformanceDriver } from '../kit/index.ts';
import { binance } from '../venues/binance/index.ts';

const driver: ConformanceDriver = {
  name: 'Binance spot',
  adapter: binance,
  market: 'spot',
  symbols: [
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT' },
    { symbol: 'ETHUSDT', base: 'ETH', quote: 'USDT' },
  ],
  startEmulator: (options) => startBinanceEmulator({ ...options, market: 'spot' }),
  hasHttpSnapshots: true,
  hasChecksums: false,
  announcesEnds: true,
};

const open: Bench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
});

async function openLive(...options: Parameters<typeof Bench.openLive>): Promise<Bench> {
  const bench = await Bench.openLive(...options);
  open.push(bench);
  return bench;
}

describe('the live feed of a venue', { timeout: 30_000 }, () => {
  it('takes as many connections as its symbols need, and counts over all of them', async () => {
    const limits = { ...binance.limits, symbolsPerConnection: 1 };
    const bench = await openLive({ ...driver, adapter: { ...binance, limits } });
    expect(bench.emulator.connectionCount).toBe(2);
    bench.emulator.dropNext('BTCUSDT');
    await bench.flow(3);
    await bench.settled();
    const { gaps, resyncs, bookUpdates } = bench.feed.stats();
    expect({ gaps, resyncs }).toEqual({ gaps: 1, resyncs: 1 });
    expect(bookUpdates).toBeGreaterThan(10);
  });

  it('goes on with the connection it has where the one to replace it cannot take over', async () => {
    const bench = await openLive(driver, { maxAgeMs: 5_000, speed: 60 });
    const release = bench.emulator.holdSnapshots(); // the next connection gets no book
    await bench.until('another connection was tried', () => bench.emulator.connectionCount >= 2);
    await bench.flowFor(65_000);
    bench.undisturbed(bench.symbols);
    expect(bench.feed.reconnects()).toBe(0);
    release();
    await bench.until('it is tried again', () => bench.emulator.connectionCount >= 3);
    await bench.flowFor(10_000);
    await bench.settled();
    bench.undisturbed(bench.symbols);
  });

  it('hears the next connection at once where the old one ends before it was replaced', async () => {
    const bench = await openLive(driver);
    const release = bench.emulator.holdSnapshots();
    bench.emulator.announceEnd(); // 20 s to go
    await bench.flowFor(25_000);
    for (const symbol of bench.symbols) expect(bench.market(symbol).state).not.toBe('live');
    release();
    await bench.settled();
    expect(bench.emulator.connectionCount).toBe(2);
    expect(bench.feed.reconnects()).toBe(1);
  });
});
