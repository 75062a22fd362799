import { crc32 } from './crc32.ts';
import type { BookSide } from './order-book.ts';

/** Levels of each side that a checksum covers, from the touch. */
export const CHECKSUM_DEPTH = 25;

const LEVEL_BYTES = 16;
const TWO_32 = 2 ** 32;
const bytes = new Uint8Array(2 + 2 * CHECKSUM_DEPTH * LEVEL_BYTES);
const view = new DataView(bytes.buffer);
const ticks = new Float64Array(CHECKSUM_DEPTH);
const lots = new Float64Array(CHECKSUM_DEPTH);

type Side = Pick<BookSide, 'top'>;

/**
 * CRC-32 of the top of a book, the same in every home. The bytes: number of bids covered (u8),
 * number of asks covered (u8), then for each bid and each ask, best first, ticks and lots as
 * big-endian signed 64-bit integers.
 */
export function bookChecksum(book: { readonly bids: Side; readonly asks: Side }): number {
  const bidsEnd = writeSide(book.bids, 0, 2);
  return crc32(bytes, writeSide(book.asks, 1, bidsEnd));
}

/** @param place of the side's number of levels in the bytes */
function writeSide(side: Side, place: 0 | 1, offset: number): number {
  const count = side.top(CHECKSUM_DEPTH, ticks, lots);
  bytes[place] = count;
  for (let rank = 0; rank < count; rank++) {
    writeInt64(offset, ticks[rank]!);
    writeInt64(offset + 8, lots[rank]!);
    offset += LEVEL_BYTES;
  }
  return offset;
}

function writeInt64(offset: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  view.setInt32(offset, high);
  view.setUint32(offset + 4, value - high * TWO_32);
}
