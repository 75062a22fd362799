import { describe, it } from 'vitest';
import { conformanceTests, startBitfinexEmulator } from '../../kit/index.ts';
import { bitfinex } from './index.ts';

const ONE_COUNTER =
  'frames are numbered over all channels of a connection: which book a lost one was of cannot be told, so that all are taken anew';

describe('Bitfinex spot conforms', { timeout: 30_000 }, () => {
  const tests = conformanceTests({
    name: 'Bitfinex spot',
    adapter: bitfinex,
    market: 'spot',
    symbols: [
      { symbol: 'tBTCUSD', base: 'BTC', quote: 'USD', tick: '1', price: '60000' },
      { symbol: 'tETHUST', base: 'ETH', quote: 'USDT', tick: '0.1', price: '2500' },
      { symbol: 'tDOGE:USD', base: 'DOGE', quote: 'USD', tick: '0.00001', lot: '0.1', price: '0.15' },
    ],
    startEmulator: startBitfinexEmulator,
    hasHttpSnapshots: false,
    hasChecksums: true,
    announcesEnds: true,
    listsScales: false, // no lot is listed, and the tick follows from the price
    knownGaps: {
      DROP: ONE_COUNTER,
      REORDER: ONE_COUNTER,
    },
  });
  for (const { name, run } of tests) it.concurrent(name, run);
});
