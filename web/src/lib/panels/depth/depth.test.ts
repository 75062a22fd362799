import { OrderBook } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { countWithin, createDepthCurve, fillDepthCurve, readDepth } from './depth-curve.ts';
import { autoSpan, formatSpan, zoomSpan } from './depth-span.ts';

const book = new OrderBook();
book.loadSnapshot([99, 1, 98, 2, 90, 4], [101, 3, 105, 5]);
const bids = createDepthCurve();
const asks = createDepthCurve();
fillDepthCurve(bids, book.bids);
fillDepthCurve(asks, book.asks);

describe('depth curve', () => {
  it('adds up size and cost from the touch outwards', () => {
    expect([...bids.lots.subarray(0, bids.count)]).toEqual([1, 3, 7]);
    expect([...asks.cost.subarray(0, asks.count)]).toEqual([303, 828]);
  });

  it('grows with the book', () => {
    const deep = new OrderBook();
    deep.loadSnapshot(
      Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 5000 - i / 2 : 1)),
      [],
    );
    const curve = createDepthCurve();
    fillDepthCurve(curve, deep.bids);
    expect(curve.count).toBe(1000);
    expect(curve.lots[999]).toBe(1000);
  });

  it('counts the levels within a distance of the mid', () => {
    expect(countWithin(bids, 100, 0.5)).toBe(0);
    expect(countWithin(bids, 100, 2)).toBe(2);
    expect(countWithin(bids, 100, 1000)).toBe(3);
  });

  it('reads size, cost and average price at a distance', () => {
    expect(readDepth(bids, 100, 5)).toEqual({ ticks: 98, lots: 3, cost: 295, averageTicks: 295 / 3 });
    expect(readDepth(asks, 100, 0.5)).toBeNull();
  });
});

describe('span', () => {
  it('is a round number within what both sides reach', () => {
    expect(autoSpan(null, 37)).toBe(20);
    expect(autoSpan(null, 50)).toBe(50);
  });

  it('stays while the reach moves a little', () => {
    expect(autoSpan(20, 22)).toBe(20);
    expect(autoSpan(20, 55)).toBe(20);
    expect(autoSpan(20, 19)).toBe(10);
    expect(autoSpan(20, 90)).toBe(50);
  });

  it('zooms in round steps and says what it shows', () => {
    expect(zoomSpan(20, 'in')).toBe(10);
    expect(zoomSpan(20, 'out')).toBe(50);
    expect(formatSpan(20)).toBe('±20 bps');
    expect(formatSpan(0.5)).toBe('±0.5 bps');
    expect(formatSpan(200)).toBe('±2%');
  });
});
