import { OrderBook, scaleOf } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { fillBars } from './depth-bars.ts';
import { countWithin, createDepthCurve, fillDepthCurve, readDepth } from './depth-curve.ts';
import { AutoSpan, zoomSpan } from './depth-span.ts';
import { formatSpan } from './span-text.ts';
import { markPlaces, sizeMarks } from './draw-depth.ts';
import { orderCost, readSize, shortText } from './order-cost.ts';

const book = new OrderBook();
book.loadSnapshot([99, 1, 98, 2, 90, 4], [101, 3, 105, 5]);
const bids = createDepthCurve();
const asks = createDepthCurve();
fillDepthCurve(bids, book.bids);
fillDepthCurve(asks, book.asks);

describe('price labels', () => {
  const marks = [0.25, 0.5, 0.75];

  it('are at shares of the span', () => {
    expect(markPlaces(marks, { midTicks: 1000.5, spanTicks: 100 })).toEqual([-25, 25, -50, 50, -75, 75]);
  });

  it.each([
    { midTicks: 1000, spanTicks: 2, prices: [999, 1001] },
    { midTicks: 1000.5, spanTicks: 6, prices: [996, 997, 999, 1002, 1004, 1005] },
    { midTicks: 1000, spanTicks: 1, prices: [] },
  ])('are at different prices where the span is $spanTicks ticks', ({ midTicks, spanTicks, prices }) => {
    const places = markPlaces(marks, { midTicks, spanTicks });
    expect(places.map((place) => midTicks + place).sort((a, b) => a - b)).toEqual(prices);
  });
});

it('has as many size labels as there is room for', () => {
  expect(sizeMarks(200, 11)).toEqual([0.25, 0.5, 0.75, 1]);
  expect(sizeMarks(80, 11)).toEqual([0.5, 1]);
  expect(sizeMarks(40, 11)).toEqual([1]);
  expect(sizeMarks(20, 11)).toEqual([]);
  expect(sizeMarks(110, 14)).toEqual([0.5, 1]);
});

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

describe('bars', () => {
  const bars = (measure: 'lots' | 'cost') => {
    const out = new Float64Array(4);
    fillBars(out, bids, measure, { midTicks: 100, spanTicks: 8, parts: 4 });
    return [...out];
  };

  it('hold what rests at the prices of each part, and nothing from beyond the edge', () => {
    expect(bars('lots')).toEqual([1, 2, 0, 0]);
  });

  it('hold its value in the quote currency', () => {
    expect(bars('cost')).toEqual([99, 196, 0, 0]);
  });

  it('hold a level at the very edge in the last part', () => {
    const out = new Float64Array(2);
    fillBars(out, bids, 'lots', { midTicks: 100, spanTicks: 10, parts: 2 });
    expect([...out]).toEqual([3, 4]);
  });
});

describe('a market order', () => {
  it('takes whole levels from the touch, and of the last what is left', () => {
    expect(orderCost(bids, 2, 100)).toEqual({
      lots: 2,
      filled: 2,
      cost: 99 + 98,
      averageTicks: 98.5,
      worstTicks: 98,
      slippageBps: 150,
      isFilled: true,
    });
    expect(orderCost(asks, 3, 100)).toMatchObject({ cost: 303, worstTicks: 101, isFilled: true });
    expect(orderCost(asks, 8, 100)).toMatchObject({ cost: 828, worstTicks: 105, isFilled: true });
  });

  it('that is more than the book shows is at least so bad: the rest at the worst price', () => {
    expect(orderCost(bids, 10, 100)).toMatchObject({
      filled: 7,
      isFilled: false,
      cost: 99 + 2 * 98 + 4 * 90 + 3 * 90,
      worstTicks: 90,
      averageTicks: 92.5,
    });
  });

  it('that is more than the book has says of how much it has, on which side', () => {
    const instrument = { lot: scaleOf('0.1'), base: 'BTC' };
    const say = (lots: number, isWhole = false) =>
      shortText({ sell: orderCost(bids, lots, 100), buy: orderCost(asks, lots, 100), isWhole }, instrument, {
        exponent: 0,
        decimals: 1,
      });
    expect(say(7)).toBeNull();
    expect(say(8)).toBe('Sell: only 0.7 of 0.8 BTC in the book shown');
    expect(say(50_000)).toBe('Only 0.7 (sell) and 0.8 (buy) of 5,000 BTC in the book shown');
    expect(say(8, true)).toBe('Sell: only 0.7 of 0.8 BTC in the whole book');
    expect(
      shortText({ sell: null, buy: null, isWhole: false }, instrument, { exponent: 0, decimals: 1 }),
    ).toBeNull();
  });

  it('of nothing, or in an empty book, costs nothing that could be told', () => {
    expect(orderCost(bids, 0, 100)).toBeNull();
    expect(orderCost(createDepthCurve(), 5, 100)).toBeNull();
  });

  it('is read as people write it', () => {
    const lot = scaleOf('0.001');
    expect(readSize('50', lot)).toBe(50_000);
    expect(readSize('0.5', lot)).toBe(500);
    expect(readSize(' 1,000 ', lot)).toBe(1_000_000);
    expect(readSize('2.5k', lot)).toBe(2_500_000);
    expect(readSize('.25M', lot)).toBe(250_000_000);
    expect(readSize('', lot)).toBeNull();
    expect(readSize('0', lot)).toBeNull();
    expect(readSize('fifty', lot)).toMatch(/number/);
    expect(readSize('1.0005', lot)).toMatch(/multiple of 0\.001/);
  });
});

describe('span', () => {
  /** Spans for a reach at each second, the first at 0. */
  const spansOf = (...reaches: number[]) => {
    const auto = new AutoSpan();
    return reaches.map((reach, second) => auto.at(reach, second * 1_000));
  };
  const during = (seconds: number, reach: number) => Array.from({ length: seconds }, () => reach);

  it('is a round number within what both sides reach', () => {
    expect(spansOf(37)).toEqual([20]);
    expect(spansOf(50)).toEqual([50]);
    expect(spansOf(0.01)).toEqual([0.1]);
  });

  it('stays while the reach moves about it, however long', () => {
    expect(new Set(spansOf(22, ...during(20, 19), ...during(20, 13), ...during(20, 79)))).toEqual(
      new Set([20]),
    );
  });

  it('stays while the reach is far off for a moment only', () => {
    expect(new Set(spansOf(22, ...during(5, 3), 22, ...during(5, 3), 22, ...during(5, 200)))).toEqual(
      new Set([20]),
    );
  });

  it('changes once, to the round number that fits, where the reach stays far off', () => {
    expect(spansOf(22, ...during(6, 9)).slice(-2)).toEqual([20, 5]);
    expect(spansOf(22, ...during(6, 90)).slice(-2)).toEqual([20, 50]);
    expect(spansOf(22, 90, 300, 90, 300, 90, 300, 90).slice(-2)).toEqual([200, 200]);
  });

  it('begins anew with another instrument', () => {
    const auto = new AutoSpan();
    auto.at(22, 0);
    auto.reset();
    expect(auto.at(900, 1)).toBe(500);
  });

  it('zooms in round steps and says what it shows', () => {
    expect(zoomSpan(20, 'in')).toBe(10);
    expect(zoomSpan(20, 'out')).toBe(50);
    expect(formatSpan(20)).toBe('±20 bps');
    expect(formatSpan(0.5)).toBe('±0.5 bps');
    expect(formatSpan(200)).toBe('±2%');
  });
});
