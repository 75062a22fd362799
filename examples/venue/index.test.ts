// Every behaviour that an adapter has to show, each with the trouble that asks for it.
import { describe, test } from 'node:test';
import { conformanceTests } from '@depthwire/feeds/kit';
import { startExampleEmulator } from './emulator.ts';
import adapter from './index.ts';

const cards = conformanceTests({
  name: 'example',
  adapter,
  market: 'spot',
  symbols: [
    { symbol: 'BTC-USD', base: 'BTC', quote: 'USD' },
    { symbol: 'ETH-USD', base: 'ETH', quote: 'USD' },
  ],
  startEmulator: startExampleEmulator,
  hasHttpSnapshots: false,
  hasChecksums: false,
  announcesEnds: false,
  hasTickers: false,
});

describe('example conforms', { concurrency: 4 }, () => {
  for (const { name, run } of cards) test(name, { timeout: 60_000 }, run);
});
