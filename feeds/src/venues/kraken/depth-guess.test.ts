import { OrderBook } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PriceLevel } from '../../core/levels.ts';
import { DepthGuess } from './depth-guess.ts';
import { guessInstrument } from './symbols.ts';

const instrument = guessInstrument('BTC/USD', 0, 0);
const TOP = 100;

/** A venue's bids, whole; and what a client of some depth is told of their changes. */
function venueOf(depth: number, levels: ReadonlyMap<number, number>) {
  const book = new OrderBook();
  for (const [ticks, lots] of levels) book.bids.set(ticks, lots);
  const shown = () => {
    const flat = book.bids.toFlat(depth);
    return new Map(flat.flatMap((ticks, i) => (i % 2 === 0 ? [[ticks, flat[i + 1]!] as const] : [])));
  };
  return {
    shown,
    /** Levels to tell: those that changed within the depth; what fell out of it is not told. */
    change(ticks: number, lots: number): PriceLevel[] {
      const before = shown();
      book.bids.set(ticks, lots);
      const after = shown();
      const told: PriceLevel[] = [];
      if (before.has(ticks) && !after.has(ticks)) told.push([String(ticks), '0']);
      for (const [price, size] of after)
        if (before.get(price) !== size) told.push([String(price), String(size)]);
      return told;
    },
  };
}

const changes = fc.array(fc.tuple(fc.integer({ min: 1, max: TOP }), fc.integer({ min: 0, max: 3 })), {
  maxLength: 200,
});

describe('DepthGuess', () => {
  it('never takes a book for deeper than it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(10, 25),
        fc.integer({ min: 0, max: 60 }),
        changes,
        (depth, count, steps) => {
          const venue = venueOf(depth, new Map(Array.from({ length: count }, (_, i) => [TOP - i, 1])));
          const client = new OrderBook();
          for (const [ticks, lots] of venue.shown()) client.bids.set(ticks, lots);
          const guess = new DepthGuess(client.bids.count, 0);
          // A book that is thin, and whose snapshot therefore tells a smaller depth, may come to be lost.
          let isLost = false;
          for (const [ticks, lots] of steps) {
            const told = venue.change(ticks, lots);
            if (told.length === 0) continue;
            isLost ||= guess.take(client, { bids: told, asks: [] }, instrument);
            for (const [price, size] of told) client.bids.set(Number(price), Number(size));
            client.bids.truncate(guess.depth);
            expect(guess.depth).toBeLessThanOrEqual(depth);
            if (guess.depth === depth && !isLost)
              expect(client.bids.toFlat()).toEqual([...venue.shown()].flat());
          }
        },
      ),
    );
  });

  it('makes nothing of levels that the grid does not hold', () => {
    const guess = new DepthGuess(10, 0);
    expect(guess.take(new OrderBook(), { bids: [['1.5', '1']], asks: [['x', '1']] }, instrument)).toBe(false);
    expect(guess.depth).toBe(10);
  });

  it('is no smaller than what was known before', () => {
    expect(new DepthGuess(3, 4, 100).depth).toBe(100);
  });
});
