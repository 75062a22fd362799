import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalBook, MarketWalk, textUnits, TruthBook, unitsText } from './index.ts';

describe('TruthBook', () => {
  it('keeps levels by price, best first, and forgets those of quantity zero', () => {
    const book = new TruthBook();
    for (const price of [1, 3, 2]) {
      book.set('bid', price, 10 * price);
      book.set('ask', price + 10, 5);
    }
    book.set('bid', 2, 0);
    book.set('bid', 9, 0);
    expect(book.levels('bid')).toEqual([
      [3, 30],
      [1, 10],
    ]);
    expect(book.prices('ask')).toEqual([11, 12, 13]);
    expect(book.best('bid')).toBe(3);
    expect(new TruthBook().best('ask')).toBeNull();
  });

  it.each([
    ['63867.40000000', 6_386_740_000_000, '63867.4'],
    ['0.00000163', 163, '0.00000163'],
    ['5', 500_000_000, '5'],
    ['0', 0, '0'],
  ])('reads and writes %s exactly', (text, units, shortest) => {
    expect(textUnits(text)).toBe(units);
    expect(unitsText(units)).toBe(shortest);
  });

  it('writes as many digits as a venue wants, and never fewer than there are', () => {
    expect(unitsText(textUnits('5'), 8)).toBe('5.00000000');
    expect(unitsText(textUnits('5.125'), 2)).toBe('5.125');
  });

  it('writes a book in the form that published hashes are of', () => {
    const text = canonicalBook({
      bids: [
        ['2', '1.5'],
        ['1', '3'],
      ],
      asks: [['3', '0.25']],
    });
    expect(text).toBe('b 2 1.5\nb 1 3\na 3 0.25\n');
  });
});

describe('MarketWalk', () => {
  const options = {
    seed: 3,
    price: textUnits('1000'),
    tick: textUnits('0.01'),
    lot: textUnits('0.001'),
    levels: 20,
  };

  function fingerprint(walk: MarketWalk, steps: number): string {
    const hash = createHash('sha256');
    for (let i = 0; i < steps; i++) hash.update(JSON.stringify(walk.step()));
    return hash.update(canonicalBook(walk.book.toText())).digest('hex');
  }

  it('walks the same way for the same seed, another way for another', () => {
    const first = fingerprint(new MarketWalk(options), 500);
    expect(fingerprint(new MarketWalk(options), 500)).toBe(first);
    expect(fingerprint(new MarketWalk({ ...options, seed: 4 }), 500)).not.toBe(first);
  });

  it('never crosses, keeps about its depth, keeps to its grid, and moves', () => {
    const walk = new MarketWalk(options);
    const bests = new Set<number>();
    for (let i = 0; i < 5_000; i++) {
      const { changes, trade } = walk.step();
      for (const { side, price, quantity } of changes) {
        expect(price % options.tick).toBe(0);
        expect(walk.book.at(side, price)).toBe(quantity);
      }
      if (trade) expect(trade.quantity).toBeGreaterThan(0);
      const [bid, ask] = [walk.book.best('bid')!, walk.book.best('ask')!];
      if (bid >= ask) expect.fail(`crossed at step ${i}`);
      bests.add(bid);
    }
    for (const side of ['bid', 'ask'] as const) {
      expect(walk.book.count(side)).toBeGreaterThan(5);
      expect(walk.book.count(side)).toBeLessThanOrEqual(21);
    }
    expect(bests.size).toBeGreaterThan(10);
  });
});
