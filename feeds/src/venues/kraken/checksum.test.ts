import { decimalScale, OrderBook, parseUnits, type Scale } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { krakenChecksum } from './checksum.ts';

type TextLevels = readonly (readonly [price: string, qty: string])[];

/** The book of the venue's guide to the v2 checksum. */
const GUIDE: { asks: TextLevels; bids: TextLevels } = {
  asks: [
    ['45285.2', '0.00100000'],
    ['45286.4', '1.54571953'],
    ['45286.6', '1.54571109'],
    ['45289.6', '1.54560911'],
    ['45290.2', '0.15890660'],
    ['45291.8', '1.54553491'],
    ['45294.7', '0.04454749'],
    ['45296.1', '0.35380000'],
    ['45297.5', '0.09945542'],
    ['45299.5', '0.18772827'],
  ],
  bids: [
    ['45283.5', '0.10000000'],
    ['45283.4', '1.54582015'],
    ['45282.1', '0.10000000'],
    ['45281.0', '0.10000000'],
    ['45280.3', '1.54592586'],
    ['45279.0', '0.07990000'],
    ['45277.6', '0.03310103'],
    ['45277.5', '0.30000000'],
    ['45277.3', '1.54602737'],
    ['45276.6', '0.15445238'],
  ],
};

/** Asks up from 0.05005, bids down from 0.05, all of 0.000005; the book of the older guide. */
const OLDER = {
  asks: Array.from({ length: 10 }, (_, i) => [`0.0${5005 + 5 * i}`, '0.00000500'] as const),
  bids: [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950].map(
    (price) => [`0.0${price}`, '0.00000500'] as const,
  ),
};

function bookOf({ asks, bids }: typeof GUIDE, tick: Scale, lot: Scale): OrderBook {
  const book = new OrderBook();
  const flat = (side: TextLevels) =>
    side.flatMap(([price, qty]) => [parseUnits(price, tick), parseUnits(qty, lot)]);
  book.loadSnapshot(flat(bids), flat(asks));
  return book;
}

describe('the checksum', () => {
  const lot = decimalScale(8);
  const precision = { price: 1, qty: 8 };

  it('is the one of the guide', () => {
    const tick = decimalScale(1);
    expect(krakenChecksum(bookOf(GUIDE, tick, lot), tick, lot, precision)).toBe(3310070434);
  });

  it('is the one of the older guide, whose prices are below one', () => {
    const tick = decimalScale(5);
    expect(krakenChecksum(bookOf(OLDER, tick, lot), tick, lot, { price: 5, qty: 8 })).toBe(974947235);
  });

  it.each([
    ['finer than the precision', decimalScale(4), decimalScale(9)],
    ['of another unit', { units: 1, decimals: 1 }, { units: 1, decimals: 8 }],
    ['of two units', { units: 1, decimals: 2 }, lot],
  ])('does not depend on the grid: one %s', (_name, tick, grain) => {
    expect(krakenChecksum(bookOf(GUIDE, tick, grain), tick, grain, precision)).toBe(3310070434);
  });

  it('counts in the units of a tick that is no power of ten', () => {
    const [fine, coarse] = [decimalScale(1), { units: 5, decimals: 1 }];
    const book = { asks: [['100.5', '1']], bids: [['100', '1']] } as const;
    expect(krakenChecksum(bookOf(book, coarse, lot), coarse, lot, precision)).toBe(
      krakenChecksum(bookOf(book, fine, lot), fine, lot, precision),
    );
  });

  it('covers ten levels a side, and fewer where there are fewer', () => {
    const tick = decimalScale(1);
    const deeper = {
      asks: [...GUIDE.asks, ['45300.0', '1']] as TextLevels,
      bids: [...GUIDE.bids, ['1.0', '1']] as TextLevels,
    };
    expect(krakenChecksum(bookOf(deeper, tick, lot), tick, lot, precision)).toBe(3310070434);
    expect(krakenChecksum(new OrderBook(), tick, lot, precision)).toBe(0);
    const fewer = { asks: GUIDE.asks.slice(0, 9), bids: GUIDE.bids };
    expect(krakenChecksum(bookOf(fewer, tick, lot), tick, lot, precision)).not.toBe(3310070434);
  });
});
