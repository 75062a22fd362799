import type { Instrument, Ticker } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { commonCurrency, labelsOf, turnoversOf, wayOf } from './markets.ts';

const scale = { units: 1, decimals: 2 };

function market(venue: string, symbol: string, { kind = 'spot', last = 100, turnover = 1 } = {}) {
  const [base, quote] = symbol.split('-');
  const instrument = { id: `${venue}:${symbol}`, venue, symbol, base, quote, kind, tick: scale, lot: scale };
  return {
    instrument: instrument as unknown as Instrument,
    ticker: { last: last * 100, turnover } as unknown as Ticker,
  };
}

const nothing = { instrument: null, ticker: null };

describe('labelsOf', () => {
  it('tells apart what is traded in several ways or places', () => {
    const labels = labelsOf([
      market('a', 'BTC-USD'),
      market('a', 'BTC-USD-PERP', { kind: 'perpetual' }),
      market('a', 'ETH-USD'),
      market('b', 'ETH-USD'),
      market('a', 'SOL-USD'),
      nothing,
    ]);
    expect(Object.fromEntries(labels)).toEqual({
      'a:BTC-USD': 'BTC/USD',
      'a:BTC-USD-PERP': 'BTC-USD-PERP',
      'a:ETH-USD': 'ETH-USD a',
      'b:ETH-USD': 'ETH-USD b',
      'a:SOL-USD': 'SOL/USD',
    });
  });
});

describe('turnoversOf', () => {
  it('counts in the currency that most have, by the prices that are there', () => {
    const markets = [
      market('a', 'BTC-USD', { last: 50_000, turnover: 1_000 }),
      market('a', 'BTC-USDT', { turnover: 2_000 }),
      market('a', 'USD-JPY', { last: 100, turnover: 500 }),
      market('a', 'ETH-BTC', { turnover: 2 }),
      market('a', 'X-EUR', { turnover: 7 }),
      nothing,
    ];
    expect(commonCurrency(markets)).toBe('USD');
    const turnovers = turnoversOf([...markets.slice(0, 1), ...markets.slice(2)]);
    expect(turnovers).toEqual([1_000, 5, 100_000, null, null]);
    expect(turnoversOf(markets)[1]).toBe(2_000);
  });

  it('knows nothing of markets that are not there yet', () => {
    expect(commonCurrency([nothing])).toBeNull();
    expect(turnoversOf([nothing])).toEqual([null]);
  });
});

it('colours what rose and what fell', () => {
  expect([null, 0, 0.1, -0.1].map(wayOf)).toEqual(['', '', 'up', 'down']);
});
