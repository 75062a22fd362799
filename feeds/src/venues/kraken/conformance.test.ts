import { describe, it } from 'vitest';
import { conformanceTests, startKrakenEmulator } from '../../kit/index.ts';
import { kraken } from './index.ts';

describe('Kraken spot conforms', { timeout: 30_000 }, () => {
  const tests = conformanceTests({
    name: 'Kraken spot',
    adapter: kraken,
    market: 'spot',
    // The checksum covers ten levels a side, and nothing tells of a lost change below them: these
    // books have no more. `session.test.ts` shows what is known of deeper ones.
    symbols: [
      {
        symbol: 'BTC/USD',
        base: 'BTC',
        quote: 'USD',
        tick: '0.1',
        lot: '0.00000001',
        price: '60000',
        levels: 8,
      },
      { symbol: 'ETH/USD', base: 'ETH', quote: 'USD', levels: 8 },
    ],
    startEmulator: startKrakenEmulator,
    keptCandles: 720,
    maxSpeed: 60, // changes of metadata are pushed: no need to rush through the time between two looks
    hasHttpSnapshots: false,
    hasChecksums: true,
    announcesEnds: false,
    framesPerS: 20,
  });
  for (const { name, run } of tests) it.concurrent(name, run);
});
