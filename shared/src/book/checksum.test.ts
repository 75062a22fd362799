import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bookChecksum, CHECKSUM_DEPTH } from './checksum.ts';
import { OrderBook } from './order-book.ts';

type Level = readonly [ticks: number, lots: number];

function bookOf(bids: readonly Level[], asks: readonly Level[]): OrderBook {
  const book = new OrderBook();
  book.loadSnapshot(bids.flat(), asks.flat());
  return book;
}

/** The definition once more, in other words: levels best first. */
function referenceChecksum(bids: readonly Level[], asks: readonly Level[]): number {
  const covered = [bids.slice(0, 25), asks.slice(0, 25)];
  const bytes = Buffer.alloc(2 + covered.flat().length * 16);
  bytes.writeUInt8(covered[0]!.length, 0);
  bytes.writeUInt8(covered[1]!.length, 1);
  let offset = 2;
  for (const value of covered.flat().flat()) offset = bytes.writeBigInt64BE(BigInt(value), offset);
  return zlibCrc32(bytes);
}

const lots = fc.oneof(
  fc.integer({ min: 1, max: 1_000 }),
  fc.maxSafeNat().map((count) => count + (count === 0 ? 1 : 0)),
);
const ticks = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.maxSafeInteger());
const side = (sign: 1 | -1) =>
  fc
    .uniqueArray(fc.tuple(ticks, lots), { selector: ([price]) => price, maxLength: 40 })
    .map((levels) => levels.toSorted(([a], [b]) => (b - a) * sign));

describe('bookChecksum', () => {
  test('is the CRC-32 of the counts and levels as defined', () => {
    const bids: Level[] = [
      [100, 5],
      [99, 7],
    ];
    const asks: Level[] = [[101, 3]];
    const bytes = Buffer.from(
      '0201' +
        '0000000000000064' +
        '0000000000000005' +
        '0000000000000063' +
        '0000000000000007' +
        '0000000000000065' +
        '0000000000000003',
      'hex',
    );
    expect(bookChecksum(bookOf(bids, asks))).toBe(zlibCrc32(bytes));
  });

  test('of an empty book is that of two zero bytes', () => {
    expect(bookChecksum(new OrderBook())).toBe(zlibCrc32(Buffer.from('0000', 'hex')));
  });

  test('writes prices below zero and past 32 bits as signed 64-bit integers', () => {
    for (const price of [-1, -3_763, -(2 ** 32), 2 ** 32 + 1, 2 ** 31, Number.MIN_SAFE_INTEGER]) {
      const bids: Level[] = [[price, Number.MAX_SAFE_INTEGER]];
      expect(bookChecksum(bookOf(bids, []))).toBe(referenceChecksum(bids, []));
    }
  });

  test('covers round sizes past 2^53', () => {
    const bids: Level[] = [[1, 11_271_600_000_000_000]];
    expect(bookChecksum(bookOf(bids, []))).toBe(referenceChecksum(bids, []));
  });

  test('equals the definition for any book', () => {
    fc.assert(
      fc.property(side(1), side(-1), (bids, asks) => {
        expect(bookChecksum(bookOf(bids, asks))).toBe(referenceChecksum(bids, asks));
      }),
    );
  });

  test('differs when any covered level changes', () => {
    const bids = Array.from({ length: CHECKSUM_DEPTH }, (_, rank): Level => [1_000 - 2 * rank, 10 + rank]);
    const asks = Array.from({ length: CHECKSUM_DEPTH }, (_, rank): Level => [1_002 + 2 * rank, 10 + rank]);
    const seen = new Set([bookChecksum(bookOf(bids, asks))]);
    let changes = 0;
    for (let rank = 0; rank < CHECKSUM_DEPTH; rank++) {
      for (const name of ['bids', 'asks'] as const) {
        for (const [priceMove, sizeMove] of [
          [1, 0],
          [0, 1],
        ] as const) {
          const book = { bids: [...bids], asks: [...asks] };
          const [price, size] = book[name][rank]!;
          book[name][rank] = [price + priceMove, size + sizeMove];
          seen.add(bookChecksum(bookOf(book.bids, book.asks)));
          changes += 1;
        }
      }
    }
    expect(seen.size).toBe(changes + 1);
  });

  test('ignores levels behind the covered ones', () => {
    const covered = Array.from({ length: CHECKSUM_DEPTH }, (_, rank): Level => [1_000 - rank, 1]);
    const book = bookOf(covered, []);
    const before = bookChecksum(book);
    book.applyDelta([1_000 - CHECKSUM_DEPTH, 5, 3, 9], []);
    expect(bookChecksum(book)).toBe(before);
    book.applyDelta([1_000, 0], []); // a level from behind moves up
    expect(bookChecksum(book)).not.toBe(before);
  });

  test('tells bids from asks', () => {
    expect(bookChecksum(bookOf([[100, 5]], []))).not.toBe(bookChecksum(bookOf([], [[100, 5]])));
  });
});
