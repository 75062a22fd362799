import { describe, it } from 'vitest';
import { conformanceTests, startDeribitEmulator, type DeribitSymbol } from '../../kit/index.ts';
import { deribit } from './index.ts';
import type { Market } from './symbols.ts';

const symbols: Record<Market, readonly DeribitSymbol[]> = {
  options: [
    {
      symbol: 'BTC-27SEP24-50000-C',
      kind: 'option',
      base: 'BTC',
      quote: 'USD',
      tick: '0.0005',
      lot: '0.1',
      price: '0.05',
      levels: 15,
    },
    {
      symbol: 'SOL_USDC-27SEP24-150-P',
      kind: 'option',
      base: 'SOL',
      quote: 'USDC',
      right: 'put',
      strike: 150,
      tick: '0.05',
      lot: '10',
      price: '12',
      levels: 15,
    },
  ],
  futures: [
    {
      symbol: 'BTC-PERPETUAL',
      kind: 'future',
      base: 'BTC',
      quote: 'USD',
      tick: '0.5',
      lot: '10',
      price: '60000',
    },
    { symbol: 'ETH_USDC-PERPETUAL', kind: 'future', base: 'ETH', quote: 'USDC', tick: '0.05', price: '2500' },
    {
      symbol: 'ETH-27SEP24',
      kind: 'future',
      base: 'ETH',
      quote: 'USD',
      expiryMs: Date.UTC(2024, 8, 27, 8),
      tick: '0.05',
      lot: '1',
      price: '2510',
    },
  ],
  spot: [
    {
      symbol: 'BTC_USDC',
      kind: 'spot',
      base: 'BTC',
      quote: 'USDC',
      tick: '1',
      lot: '0.0001',
      price: '60000',
    },
    {
      symbol: 'ETH_BTC',
      kind: 'spot',
      base: 'ETH',
      quote: 'BTC',
      tick: '0.0001',
      lot: '0.001',
      price: '0.05',
    },
  ],
};

describe.concurrent.each(Object.keys(symbols) as Market[])(
  'Deribit %s conforms',
  { timeout: 30_000 },
  (market) => {
    const tests = conformanceTests({
      name: `Deribit ${market}`,
      adapter: deribit,
      market,
      symbols: symbols[market],
      startEmulator: (options) => startDeribitEmulator({ ...options, symbols: symbols[market] }),
      hasHttpSnapshots: false,
      hasChecksums: false,
      announcesEnds: false,
      kindOf: (symbol) =>
        market === 'options'
          ? 'option'
          : market === 'spot'
            ? 'spot'
            : symbol.endsWith('-PERPETUAL')
              ? 'perpetual'
              : 'future',
      framesPerS: 10,
    });
    for (const { name, run } of tests) it.concurrent(name, run);
  },
);
