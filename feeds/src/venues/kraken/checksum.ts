import { crc32, formatUnitsShortest, type BookSide, type OrderBook, type Scale } from '@depthwire/shared';

/** "The checksum is only calculated for the top 10 price levels of the book regardless of the subscription depth." */
const LEVELS = 10;

/** Digits behind the point with which the venue writes prices and sizes of one pair. */
export interface Precision {
  readonly price: number;
  readonly qty: number;
}

/** The finest precision of any pair. */
const MAX_DIGITS = 10;

const encoder = new TextEncoder();

/**
 * CRC-32, unsigned, of the ten best asks from low to high, then the ten best bids from high to
 * low: of each level the price and then the size, both written with the pair's precision, without
 * point and without leading zeros.
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-book-v2 "Checksum Calculation"
 */
export function krakenChecksum(
  { bids, asks }: OrderBook,
  tick: Scale,
  lot: Scale,
  precision: Precision,
): number {
  let text = '';
  for (const side of [asks, bids]) text += sideText(side, tick, lot, precision);
  return crc32(encoder.encode(text));
}

/**
 * The precision under which a book has the checksum: for recordings without metadata whose numbers
 * have lost the zeros at their ends. One in 2^32 is right by chance, and there are few to try.
 * @param least digits that the wire has shown
 */
export function precisionOf(
  book: OrderBook,
  tick: Scale,
  lot: Scale,
  checksum: number,
  least: Precision,
): Precision | null {
  for (let price = least.price; price <= MAX_DIGITS; price++) {
    for (let qty = least.qty; qty <= MAX_DIGITS; qty++)
      if (krakenChecksum(book, tick, lot, { price, qty }) === checksum) return { price, qty };
  }
  return null;
}

function sideText(side: BookSide, tick: Scale, lot: Scale, { price, qty }: Precision): string {
  let text = '';
  for (let rank = 0; rank < Math.min(LEVELS, side.count); rank++)
    text += digits(side.ticksAt(rank), tick, price) + digits(side.lotsAt(rank), lot, qty);
  return text;
}

/** A number that is finer than the precision keeps its digits. */
function digits(units: number, scale: Scale, decimals: number): string {
  if (scale.units === 1 && scale.decimals === decimals) return String(units);
  const [whole, fraction = ''] = formatUnitsShortest(units, scale).split('.');
  return `${whole}${fraction.padEnd(decimals, '0')}`.replace(/^0+/, '');
}
