import {
  OrderBook,
  scaleOf,
  type Instrument,
  type Lots,
  type Ticker,
  type Ticks,
  type Trade,
} from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Condition } from './alert-model.ts';
import { mismatch, ruleOf, Trigger, type MarketView, type NewTrades } from './alert-rules.ts';
import { PriceWindow } from './moves.ts';

const instrument: Instrument = {
  id: 'sim:BTC-USD',
  venue: 'sim',
  symbol: 'BTC-USD',
  base: 'BTC',
  quote: 'USD',
  kind: 'spot',
  name: 'Bitcoin / US dollar',
  tick: scaleOf('0.5'),
  lot: scaleOf('0.001'),
  status: 'trading',
  origin: 'live',
  staleAfterMs: 5000,
};

const nothing: MarketView = {
  timeMs: 0,
  isLive: true,
  ticker: null,
  book: null,
  heldLevels: 0,
  trades: null,
  notLiveMs: null,
  reason: null,
};

function quote(bid: number | null, ask: number | null, last: number | null = null): Ticker {
  const none = { open: null, high: null, low: null, volume: 0, turnover: 0, trades: 0 };
  return { ...none, last, bid, ask, bidSize: 1, askSize: 1 } as Ticker;
}

let tradeId = 0;
function trade(price: number, size = 1): Trade {
  return { id: (tradeId += 1), price: price as Ticks, size: size as Lots, side: 'buy', timeMs: 0 };
}

function traded(prices: readonly number[], merged: NewTrades['merged'] = null): MarketView {
  const fresh = prices.map((price) => trade(price));
  return { ...nothing, trades: { fresh, merged, newest: fresh.at(-1) ?? null } };
}

const price = (of: 'last' | 'bid' | 'ask' | 'mid', way: 'above' | 'below' | 'either', level: string) =>
  ({ kind: 'price', of, way, level }) as const satisfies Condition;

/** At which of the bids the alert goes off; null stands for a look at data that is not live. */
function crossings(condition: Condition, bids: readonly (number | null)[]): number[] {
  const rule = ruleOf(condition, instrument);
  return bids.flatMap((bid, i) => {
    const view = bid === null ? { ...nothing, isLive: false } : { ...nothing, ticker: quote(bid, bid + 1) };
    return rule.look(view) ? [i] : [];
  });
}

describe('a price', () => {
  // The level, 50.0, is 100 ticks of 0.5.
  test.each([
    ['nothing at the first value, on either side', 'either', [101], []],
    ['nothing at the first value on the level', 'either', [100, 101], []],
    ['reaching it is crossing it, once', 'above', [99, 100, 101], [1]],
    ['jumping over it', 'above', [99, 107], [1]],
    ['not the other way', 'above', [101, 99], []],
    ['downwards', 'below', [101, 100, 99], [1]],
    ['not upwards', 'below', [99, 101], []],
    ['either way, each time', 'either', [99, 101, 99, 101], [1, 2, 3]],
    ['from the level back is no crossing', 'either', [99, 100, 99], [1]],
    ['again after it was left', 'above', [99, 100, 99, 100], [1, 3]],
    ['in a gap: what comes after it lies on the other side', 'above', [99, null, 104], [2]],
    ['in a gap and back is not known', 'above', [99, null, 98], []],
    ['a gap before the first value', 'above', [null, 104], []],
  ] as const)('crosses: %s', (_, way, bids, at) => {
    expect(crossings(price('bid', way, '50'), bids)).toEqual(at);
  });

  test('goes off where, and only where, it comes from the one side to the other', () => {
    const value = fc.integer({ min: 90, max: 110 });
    fc.assert(
      fc.property(fc.array(value), fc.constantFrom('above', 'below', 'either'), (bids, way) => {
        const expected = bids.flatMap((bid, i) => {
          const before = bids[i - 1];
          if (before === undefined) return [];
          const up = before < 100 && bid >= 100 && way !== 'below';
          const down = before > 100 && bid <= 100 && way !== 'above';
          return up || down ? [i] : [];
        });
        expect(crossings(price('bid', way, '50'), bids)).toEqual(expected);
      }),
    );
  });

  test('says the value, and whether it was the first after a gap', () => {
    const rule = ruleOf(price('ask', 'above', '50'), instrument);
    const at = (ask: number, isLive = true) => ({ ...nothing, isLive, ticker: quote(ask - 1, ask) });
    expect(rule.look(at(99))).toBeNull();
    expect(rule.look(at(99, false))).toBeUndefined();
    expect(rule.look(at(103))).toEqual({ value: '51.5', afterGap: true });
    rule.look(at(99));
    expect(rule.look(at(100))).toEqual({ value: '50.0', afterGap: false });
  });

  test('stale data is not looked at, nor remembered', () => {
    const rule = ruleOf(price('bid', 'above', '50'), instrument);
    const look = (bid: number, isLive: boolean) =>
      rule.look({ ...nothing, isLive, ticker: quote(bid, bid + 1) });
    look(101, true);
    expect(look(90, false)).toBeUndefined();
    expect(look(105, true)).toBeNull();
  });

  test('the mid counts half ticks', () => {
    const rule = ruleOf(price('mid', 'above', '50.25'), instrument);
    const look = (bid: number, ask: number) => rule.look({ ...nothing, ticker: quote(bid, ask) });
    expect(look(100, 100)).toBeNull();
    expect(look(100, 101)).toMatchObject({ value: '50.25' });
    expect(look(100, null as unknown as number)).toBeUndefined();
  });

  test('of a level that a double would not hold exactly is compared in ticks', () => {
    const fine = { ...instrument, tick: scaleOf('0.1') };
    const rule = ruleOf(price('bid', 'above', '0.3'), fine);
    const look = (bid: number) => rule.look({ ...nothing, ticker: quote(bid, bid + 1) });
    expect(look(2)).toBeNull();
    expect(look(3)).toMatchObject({ value: '0.3' });
  });

  test('the last price is that of every trade, not of the newest alone', () => {
    const rule = ruleOf(price('last', 'above', '50'), instrument);
    expect(rule.look(traded([99]))).toBeNull();
    expect(rule.look(traded([98, 104, 97]))).toEqual({ value: '52.0', afterGap: false });
    expect(rule.look(traded([96]))).toBeNull();
  });

  test('a list that is there at first crosses nothing', () => {
    const rule = ruleOf(price('last', 'either', '50'), instrument);
    expect(rule.look(traded([90, 110, 90]))).toBeNull();
  });

  test('merged trades cross where their extremes do, seen from the value before', () => {
    const merged = { low: 97, high: 105, missed: 8 };
    const up = ruleOf(price('last', 'above', '50'), instrument);
    up.look(traded([98]));
    expect(up.look(traded([99], merged))).toMatchObject({ value: '52.5' });
    const down = ruleOf(price('last', 'below', '50'), instrument);
    down.look(traded([98]));
    expect(down.look(traded([99], merged))).toBeNull();
  });

  test.each([
    [price('last', 'above', '50.25'), /not a multiple of 0\.5/],
    [price('mid', 'above', '50.3'), /not a multiple of 0\.25/],
    [{ kind: 'trade', unit: 'base', atLeast: '0.0005' } as const, /not a multiple of 0\.001/],
  ])('that the instrument does not have is told', (condition, message) => {
    expect(mismatch(condition, instrument)).toMatch(message);
    expect(mismatch(price('mid', 'above', '50.25'), instrument)).toBeNull();
  });
});

describe('a spread', () => {
  test.each([
    ['ticks', 3, 100, 103, null],
    ['ticks', 3, 100, 104, '4 ticks (2.0)'],
    ['ticks', 0, 100, 101, '1 tick (0.5)'],
    ['bps', '2', 9999, 10001, null],
    ['bps', '1.99', 9999, 10001, '2.00 bps (2 ticks)'],
    ['bps', '0', 0, 0, null],
  ] as const)('in %s above %s: %d to %d', (unit, above, bid, ask, value) => {
    const rule = ruleOf({ kind: 'spread', unit, above } as Condition, instrument);
    const sighting = rule.look({ ...nothing, ticker: quote(bid, ask) });
    expect(sighting?.value ?? null).toBe(value);
  });

  test('of an empty side is not known', () => {
    const rule = ruleOf({ kind: 'spread', unit: 'ticks', above: 3 }, instrument);
    expect(rule.look({ ...nothing, ticker: quote(null, 100) })).toBeUndefined();
  });
});

describe('an imbalance', () => {
  const book = new OrderBook();
  // 10,000 is 100 bps from 9,900 and from 10,100; the mid is 10,000.
  book.loadSnapshot([9999, 70, 9998, 10, 9900, 500], [10001, 30, 10002, 10, 10101, 9000]);

  test.each([
    ['above', '69.99', 'levels', 1, '70.0% bids'],
    ['above', '70', 'levels', 1, null],
    ['below', '70', 'levels', 1, null],
    ['below', '70.01', 'levels', 1, '70.0% bids'],
    ['above', '66', 'levels', 2, '66.7% bids'],
    ['above', '93', 'bps', 100, '93.5% bids'],
    ['above', '60', 'bps', 99, '66.7% bids'],
    ['below', '50', 'bps', 101, '6.0% bids'],
  ] as const)('bids %s %s%% within %s %s', (way, share, unit, reach, value) => {
    const rule = ruleOf({ kind: 'imbalance', way, share, unit, reach } as Condition, instrument);
    expect(rule.look({ ...nothing, book })?.value ?? null).toBe(value);
  });

  test('of a book that does not reach so far is not told, and asks for more', () => {
    const condition: Condition = { kind: 'imbalance', way: 'above', share: '10', unit: 'bps', reach: 5000 };
    const rule = ruleOf(condition, instrument);
    expect(rule.look({ ...nothing, book, heldLevels: 3 })).toBeUndefined();
    expect(rule.wantsDeeper).toBe(true);
    expect(rule.look({ ...nothing, book, heldLevels: 0 })).toBeNull();
    expect(rule.wantsDeeper).toBe(false);
  });

  test('of sizes past 2^53 is exact', () => {
    const large = new OrderBook();
    large.loadSnapshot([100, 2 ** 60], [101, 2 ** 60]);
    const at = (share: string) =>
      ruleOf({ kind: 'imbalance', way: 'above', share, unit: 'levels', reach: 1 }, instrument);
    expect(at('50').look({ ...nothing, book: large })).toBeNull();
    expect(at('49.99').look({ ...nothing, book: large })).not.toBeNull();
  });
});

describe('a trade', () => {
  const look = (unit: 'base' | 'quote', atLeast: string, one: Trade) =>
    ruleOf({ kind: 'trade', unit, atLeast }, instrument).look({
      ...nothing,
      isLive: false,
      trades: { fresh: [trade(1, 1), one], merged: null, newest: one },
    })?.value ?? null;

  test('of a size in the base currency, whatever the state of the book', () => {
    expect(look('base', '1.5', trade(200, 1499))).toBeNull();
    expect(look('base', '1.5', trade(200, 1500))).toBe('1.500 BTC bought at 100.0');
  });

  test('of a value in the quote currency: 100 × 1.5', () => {
    expect(look('quote', '150', trade(200, 1500))).not.toBeNull();
    expect(look('quote', '150.0000000001', trade(200, 1500))).toBeNull();
    expect(look('quote', '150', trade(200, 1499))).toBeNull();
  });

  test('a large value is compared exactly', () => {
    const ticks = fc.integer({ min: 1, max: 2 ** 50 });
    fc.assert(
      fc.property(ticks, ticks, (priceTicks, lots) => {
        const exact = BigInt(priceTicks) * BigInt(lots) * 5n; // × 10^-4
        const text = `${exact / 10_000n}.${String(exact % 10_000n).padStart(4, '0')}`;
        fc.pre(text.replace('.', '').length <= 15 && exact > 0n);
        expect(look('quote', text, trade(priceTicks, lots))).not.toBeNull();
        if (lots > 1) expect(look('quote', text, trade(priceTicks, lots - 1))).toBeNull();
      }),
    );
  });
});

describe('data that is not live', () => {
  test('is told once it is older than the limit, and when to look again', () => {
    const rule = ruleOf({ kind: 'stale', seconds: 10 }, instrument);
    const at = (notLiveMs: number | null) => ({ ...nothing, notLiveMs, reason: 'silent' });
    expect(rule.look(at(null))).toBeNull();
    expect(rule.dueMs(at(null))).toBeNull();
    expect(rule.look(at(10_000))).toBeNull();
    expect(rule.look(at(4000 + rule.dueMs(at(4000))!))).toEqual({
      value: 'not live for 10 s: silent',
      afterGap: false,
    });
    expect(rule.dueMs(at(10_001))).toBeNull();
  });
});

describe('a move', () => {
  const rule = (way: 'up' | 'down' | 'either') =>
    ruleOf({ kind: 'move', way, percent: '1', minutes: 2 }, instrument);
  const run = (way: 'up' | 'down' | 'either', values: readonly [seconds: number, last: number][]) => {
    const one = rule(way);
    return values.map(([seconds, last]) => {
      const view = { ...nothing, timeMs: seconds * 1000, ticker: quote(null, null, last) };
      return one.look(view)?.value ?? null;
    });
  };

  test('from the lowest and the highest price of the window', () => {
    expect(run('up', [[0, 10_000], [10, 9_900], [20, 9_998], [30, 9_999]])).toEqual([
      null,
      null,
      null,
      '+1.00%, 4,950.0 to 4,999.5',
    ]); // prettier-ignore
    expect(run('down', [[0, 10_000], [10, 9_901], [20, 9_900]])).toEqual([
      null,
      null,
      '−1.00%, 5,000.0 to 4,950.0',
    ]); // prettier-ignore
    expect(
      run('either', [
        [0, 10_000],
        [10, 9_900],
      ])[1],
    ).toMatch(/^−1/);
  });

  test('forgets what is older than the window', () => {
    expect(run('up', [[0, 9_900], [121, 9_999]])).toEqual([null, null]); // prettier-ignore
    expect(run('up', [[0, 9_900], [119, 9_999]])[1]).not.toBeNull(); // prettier-ignore
  });

  test('the window is right to its 240th part', () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 1, max: 1000 }));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), (steps) => {
        const window = new PriceWindow(1);
        let now = 0;
        const all: [number, number][] = [];
        for (const [ms, ticks] of steps) {
          now += ms;
          all.push([now, ticks]);
          window.add(now, ticks);
        }
        const within = (ms: number) => all.filter(([time]) => time > now - ms).map(([, ticks]) => ticks);
        const sure = within(60_000);
        const maybe = within(60_500);
        expect(window.low).toBeLessThanOrEqual(Math.min(...sure));
        expect(window.low).toBeGreaterThanOrEqual(Math.min(...maybe));
        expect(window.high).toBeGreaterThanOrEqual(Math.max(...sure));
        expect(window.high).toBeLessThanOrEqual(Math.max(...maybe));
      }),
    );
  });
});

describe('a trigger', () => {
  test('lets events within the pause go', () => {
    const trigger = new Trigger(true, 60_000, null);
    expect([0, 1, 59_999, 60_000].map((now) => trigger.take(true, now))).toEqual([true, false, false, true]);
  });

  test('tells a state once each time it comes about', () => {
    const trigger = new Trigger(false, 0, null);
    const seen = [true, true, false, true, true];
    expect(seen.map((one, now) => trigger.take(one, now))).toEqual([true, false, false, true, false]);
  });

  test('tells a state that came about within the pause after it, while it lasts', () => {
    const trigger = new Trigger(false, 1000, null);
    trigger.take(true, 0);
    trigger.take(false, 100);
    expect(trigger.take(true, 200)).toBe(false);
    expect(trigger.restMs(200)).toBe(800);
    expect(trigger.take(true, 1000)).toBe(true);
    expect(trigger.take(true, 5000)).toBe(false);
  });

  test('keeps its pause over a reload, but not for a clock that was set back', () => {
    expect(new Trigger(true, 1000, 500).take(true, 1400)).toBe(false);
    expect(new Trigger(true, 1000, 500).take(true, 1500)).toBe(true);
    expect(new Trigger(true, 1000, 900_000).take(true, 1500)).toBe(true);
  });
});
